// "Connect a client": what to paste where, complete with address, key and a model of the owner's.

import { Select, Tabs, Text } from "@mantine/core"
import { useState } from "react"
import { baseUrl } from "../../api/client"
import { useModels } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { CopyBlock, CopyButton } from "../../ui/copy"
import { Notice } from "../../ui/notice"
import { Panel } from "../../ui/page"
import { CLIENTS, type Client, type Step, type Target } from "./clients"
import styles from "./home.module.css"

const useTexts = defineTexts({
  en: {
    title: "Connect a client",
    about: "What is copied holds the default key.",
    model: "Model",
    save: (file: string) => `Save as ${file}`,
    run: "Run in a terminal",
    cursor:
      "Cursor sends its requests through its own servers, which cannot reach an address of this machine: it needs one that is public.",
    openWebui:
      "From within a container, this machine is host.docker.internal, and the gateway must listen on an address that the container reaches.",
  },
  zh: {
    title: "连接客户端",
    about: "复制的内容包含默认密钥。",
    model: "模型",
    save: (file: string) => `保存为 ${file}`,
    run: "在终端运行",
    cursor: "Cursor 通过自己的服务器发送请求,无法访问本机地址,需要一个公网可达的地址。",
    openWebui: "在容器中,本机地址是 host.docker.internal,且网关需要监听容器可达的地址。",
  },
})

/** Stands in for a model while there is none. */
const SOME_MODEL = "provider:model"

interface ConnectProps {
  /** The key as it may be shown. */
  shownKey: string
  readKey: () => Promise<string>
}

export function Connect({ shownKey, readKey }: ConnectProps) {
  const texts = useTexts()
  const models = useModels()
  const [chosen, setChosen] = useState<string | null>(null)
  const names = [
    ...(models.data?.aliases ?? []).map((alias) => alias.name),
    ...(models.data?.models ?? []).map((model) => model.id),
  ]
  const model = chosen ?? names[0] ?? SOME_MODEL

  return (
    <Panel
      title={texts.title}
      about={texts.about}
      actions={
        <Select
          aria-label={texts.model}
          data={names}
          value={model}
          onChange={setChosen}
          searchable
          limit={100}
          maw={280}
          w="100%"
        />
      }
    >
      <Tabs defaultValue="curl" keepMounted={false} variant="pills" className={styles.clients}>
        <Tabs.List mb="md">
          {CLIENTS.map((client) => (
            <Tabs.Tab key={client.id} value={client.id}>
              {client.name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {CLIENTS.map((client) => (
          <Tabs.Panel key={client.id} value={client.id}>
            <Steps
              client={client}
              target={{ base: baseUrl, key: shownKey, model }}
              readKey={readKey}
            />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Panel>
  )
}

interface StepsProps {
  client: Client
  target: Target
  readKey: () => Promise<string>
}

function Steps({ client, target, readKey }: StepsProps) {
  const texts = useTexts()
  const withKey = async (position: number) =>
    client.steps({ ...target, key: await readKey() })[position]!
  return (
    <div className={styles.steps}>
      {client.note && <Notice tone="quiet">{texts[client.note]}</Notice>}
      {client.steps(target).map((step, position) => (
        <StepView key={position} step={step} withKey={() => withKey(position)} />
      ))}
    </div>
  )
}

function StepView({ step, withKey }: { step: Step; withKey: () => Promise<Step> }) {
  const texts = useTexts()
  if (step.kind === "code") {
    return (
      <div>
        <Text size="sm" c="dimmed" mb={4}>
          {step.file ? texts.save(step.file) : texts.run}
        </Text>
        <CopyBlock shown={step.code} text={async () => codeOf(await withKey())} />
      </div>
    )
  }
  return (
    <div>
      <Text size="sm" c="dimmed" mb={4}>
        {step.place}
      </Text>
      <dl className={styles.fields}>
        {step.fields.map(([name, value], row) => (
          <div key={name} className={styles.field}>
            <dt>{name}</dt>
            <dd>
              <code>{value}</code>
              <CopyButton text={async () => fieldOf(await withKey(), row)} />
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

function codeOf(step: Step): string {
  return step.kind === "code" ? step.code : ""
}

function fieldOf(step: Step, row: number): string {
  return step.kind === "fields" ? (step.fields[row]?.[1] ?? "") : ""
}
