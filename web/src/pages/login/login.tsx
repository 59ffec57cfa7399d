// The way in: the link that `dragoman serve` prints logs in by itself, a key does it here.

import { Button, PasswordInput, Text, Title } from "@mantine/core"
import { useState, type FormEvent } from "react"
import { logIn } from "../../api/client"
import { useChange } from "../../api/queries"
import { defineTexts } from "../../i18n"
import logo from "../../icon.svg"
import { go, placeUrl, usePlace } from "../../router"
import { Appearance } from "../../ui/appearance"
import { CopyBlock } from "../../ui/copy"
import { Failure } from "../../ui/page"
import styles from "./login.module.css"

const useTexts = defineTexts({
  en: {
    title: "Log in to Dragoman",
    used: "That link was used before, or is too old. Start the gateway again for a new one, or log in with a key.",
    link: "Open the link that the gateway printed when it started. It logs this browser in.",
    orKey: "Or use a key with the scope admin, which this command makes:",
    key: "Admin key",
    show: "Show the key",
    action: "Log in",
  },
  zh: {
    title: "登录 Dragoman",
    used: "该链接已被使用或已过期。重新启动网关可得到新链接,也可用密钥登录。",
    link: "打开网关启动时打印的链接,即可让此浏览器登录。",
    orKey: "也可以使用具有 admin 权限的密钥,用此命令创建:",
    key: "管理密钥",
    show: "显示密钥",
    action: "登录",
  },
})

export function Login() {
  const texts = useTexts()
  const { query } = usePlace()
  const [key, setKey] = useState("")
  const login = useChange(async (given: string) => {
    await logIn(given)
    if (query.has("link")) go(placeUrl("/"), { replace: true })
  })

  function submit(event: FormEvent) {
    event.preventDefault()
    login.mutate(key.trim())
  }

  return (
    <main className={styles.login}>
      <form className={styles.card} onSubmit={submit}>
        <img src={logo} width={40} height={40} alt="" />
        <Title order={1} size="1.25rem">
          {texts.title}
        </Title>
        <Text c="dimmed">{query.has("link") ? texts.used : texts.link}</Text>
        <div>
          <Text c="dimmed" mb={6}>
            {texts.orKey}
          </Text>
          <CopyBlock text="dragoman key create --name browser --scope admin" />
        </div>
        <PasswordInput
          label={texts.key}
          value={key}
          onChange={(event) => setKey(event.currentTarget.value)}
          visibilityToggleButtonProps={{ "aria-label": texts.show }}
          autoComplete="current-password"
          spellCheck={false}
          data-autofocus
        />
        {login.isError && <Failure error={login.error} />}
        <Button type="submit" loading={login.isPending} disabled={!key.trim()} fullWidth>
          {texts.action}
        </Button>
      </form>
      <Appearance />
    </main>
  )
}
