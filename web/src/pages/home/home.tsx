// The first page: whether all is well, and how to use the gateway.

import { ActionIcon, Alert, Anchor, Button, Text, Tooltip } from "@mantine/core"
import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { api, baseUrl, take, type Schemas } from "../../api/client"
import { useChange, useDefaultSecret, useKeys, useStatus } from "../../api/queries"
import { formatShort, formatSpan } from "../../format"
import { defineTexts } from "../../i18n"
import { Link, placeUrl } from "../../router"
import { Confirm } from "../../ui/confirm"
import { CopyButton, CopyLine } from "../../ui/copy"
import { EyeIcon, EyeOffIcon, RotateIcon, WarningIcon } from "../../ui/icons"
import { Fact, Facts, Failure, Loaded, Page, Panel } from "../../ui/page"
import { State } from "../../ui/state"
import { Connect } from "./connect"
import styles from "./home.module.css"

const useTexts = defineTexts({
  en: {
    title: "Home",
    running: "Running",
    since: (span: string, version: string) => `Version ${version}, up for ${span}`,
    requests: "Requests",
    errors: "Errors",
    input: "Input tokens",
    output: "Output tokens",
    sinceStart: "since the start",
    models: "Models",
    providers: "Providers",
    address: "Address and key",
    openai: "OpenAI clients",
    others: "Anthropic and Gemini clients",
    key: "Default key",
    reveal: "Show the key",
    hide: "Hide the key",
    rotate: "Replace the key",
    rotateQuestion: "Replace the default key?",
    rotateExplanation:
      "A new key is made at once. Every client that uses the old one stops working until it gets the new one.",
    rotateAction: "Replace",
    pinned: (place: string) => `It is pinned by ${place}: change it there.`,
    attention: "Worth a look",
    failing: (id: string) => `The provider ${id} did not tell its models when it was last asked.`,
    problem: (id: string, why: string) => `The provider ${id} cannot be used: ${why}`,
    see: "See providers",
    welcome: "Nothing is connected yet",
    welcomeBody: "Add a provider, and every client can use its models through the address below.",
    add: "Add a provider",
  },
  zh: {
    title: "首页",
    running: "运行中",
    since: (span: string, version: string) => `版本 ${version},已运行 ${span}`,
    requests: "请求",
    errors: "错误",
    input: "输入 token",
    output: "输出 token",
    sinceStart: "自启动以来",
    models: "模型",
    providers: "服务商",
    address: "地址与密钥",
    openai: "OpenAI 客户端",
    others: "Anthropic 与 Gemini 客户端",
    key: "默认密钥",
    reveal: "显示密钥",
    hide: "隐藏密钥",
    rotate: "更换密钥",
    rotateQuestion: "更换默认密钥?",
    rotateExplanation: "立即生成新密钥。使用旧密钥的客户端会停止工作,直到换成新密钥。",
    rotateAction: "更换",
    pinned: (place: string) => `该密钥由 ${place} 固定,请在那里修改。`,
    attention: "需要留意",
    failing: (id: string) => `服务商 ${id} 上次未能给出模型列表。`,
    problem: (id: string, why: string) => `服务商 ${id} 无法使用:${why}`,
    see: "查看服务商",
    welcome: "还没有连接任何服务商",
    welcomeBody: "添加一个服务商,所有客户端就能通过下面的地址使用它的模型。",
    add: "添加服务商",
  },
})

type Status = Schemas["StatusAnswer"]

export default function Home() {
  const texts = useTexts()
  const status = useStatus()
  return (
    <Page
      title={texts.title}
      actions={
        status.data && (
          <>
            <State tone="good">{texts.running}</State>
            <Text size="sm" c="dimmed">
              {texts.since(formatSpan(status.data.uptime_s), status.data.version)}
            </Text>
          </>
        )
      }
    >
      <Loaded query={status}>
        {(data) => (
          <>
            {data.models === 0 && <Welcome />}
            <Figures status={data} />
            <Warnings status={data} />
          </>
        )}
      </Loaded>
      <Access />
    </Page>
  )
}

function Welcome() {
  const texts = useTexts()
  return (
    <Panel
      title={texts.welcome}
      about={texts.welcomeBody}
      actions={
        <Button component="a" href={placeUrl("/providers/+")}>
          {texts.add}
        </Button>
      }
    >
      {null}
    </Panel>
  )
}

function Figures({ status }: { status: Status }) {
  const texts = useTexts()
  const { totals } = status
  const figures: [name: string, value: string, detail: string, place?: string][] = [
    [texts.requests, formatShort(totals.requests), texts.sinceStart],
    [texts.errors, formatShort(totals.errors), texts.sinceStart],
    [texts.input, formatShort(totals.input_tokens), texts.sinceStart],
    [texts.output, formatShort(totals.output_tokens), texts.sinceStart],
    [texts.models, formatShort(status.models), "", "/models"],
    [texts.providers, formatShort(Object.keys(status.providers).length), "", "/providers"],
  ]
  return (
    <dl className={styles.figures}>
      {figures.map(([name, value, detail, place]) => (
        <div key={name} className={styles.figure}>
          <dt>{place ? <Link to={placeUrl(place)}>{name}</Link> : name}</dt>
          <dd>{value}</dd>
          <span className={styles.detail}>{detail}</span>
        </div>
      ))}
    </dl>
  )
}

/** What may surprise the owner, and what does not work. */
function Warnings({ status }: { status: Status }) {
  const texts = useTexts()
  const failing = Object.entries(status.providers).filter(([, state]) => state === "failing")
  const warnings = [
    ...status.warnings,
    ...Object.entries(status.problems).map(([id, why]) => texts.problem(id, why)),
    ...failing.map(([id]) => texts.failing(id)),
  ]
  if (warnings.length === 0) return null
  return (
    <Alert color="yellow" title={texts.attention} icon={<WarningIcon />}>
      <ul className={styles.warnings}>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
      {failing.length > 0 && <Anchor href={placeUrl("/providers")}>{texts.see}</Anchor>}
    </Alert>
  )
}

/** Addresses and the default key, and the clients that use them. */
function Access() {
  const texts = useTexts()
  const client = useQueryClient()
  const keys = useKeys()
  const [isShown, setShown] = useState(false)
  const secret = useDefaultSecret(isShown)
  const rotate = useChange(() =>
    take(api.POST("/admin/keys/{key}/rotate", { params: { path: { key: "default" } } })),
  )
  const key = keys.data?.find((each) => each.id === "default")
  const shown = (isShown && secret.data) || key?.hint || "…"

  async function readKey(): Promise<string> {
    return (await take(api.GET("/admin/keys/default/secret"))).key
  }

  async function renew() {
    await rotate.mutateAsync(undefined)
    client.removeQueries({ queryKey: ["default-secret"] })
  }

  return (
    <>
      <Panel title={texts.address}>
        <Facts>
          <Fact name={texts.openai}>
            <CopyLine text={`${baseUrl}/v1`} />
          </Fact>
          <Fact name={texts.others}>
            <CopyLine text={baseUrl} />
          </Fact>
          <Fact name={texts.key}>
            <span className={styles.key}>
              <code>{shown}</code>
              <Tooltip label={isShown ? texts.hide : texts.reveal}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="sm"
                  aria-label={isShown ? texts.hide : texts.reveal}
                  onClick={() => setShown(!isShown)}
                >
                  {isShown ? <EyeOffIcon size={15} /> : <EyeIcon size={15} />}
                </ActionIcon>
              </Tooltip>
              <CopyButton text={readKey} />
              {!key?.pinned_by && (
                <Confirm
                  question={texts.rotateQuestion}
                  explanation={texts.rotateExplanation}
                  action={texts.rotateAction}
                  onConfirm={renew}
                >
                  {(ask) => (
                    <Tooltip label={texts.rotate}>
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        size="sm"
                        aria-label={texts.rotate}
                        onClick={ask}
                      >
                        <RotateIcon size={15} />
                      </ActionIcon>
                    </Tooltip>
                  )}
                </Confirm>
              )}
            </span>
            {key?.pinned_by && (
              <Text size="sm" c="dimmed">
                {texts.pinned(key.pinned_by)}
              </Text>
            )}
            {secret.isError && <Failure error={secret.error} />}
          </Fact>
        </Facts>
      </Panel>
      <Connect shownKey={shown} readKey={readKey} />
    </>
  )
}
