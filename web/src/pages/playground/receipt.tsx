// What became of the latest request of a conversation, down to the bytes.

import { Anchor, Button, Drawer, Group, Tabs, Text } from "@mantine/core"
import { useState } from "react"
import { baseUrl } from "../../api/client"
import { formatNumber } from "../../format"
import { defineTexts } from "../../i18n"
import { placeUrl } from "../../router"
import { CopyBlock } from "../../ui/copy"
import { Loaded } from "../../ui/page"
import { Bodies, Body } from "../requests/bodies"
import { useRequest } from "../requests/log"
import type { Exchange } from "./exchange"
import styles from "./playground.module.css"
import { asCurl, asPython } from "./snippets"

const useTexts = defineTexts({
  en: {
    raw: "Raw",
    log: "In the log",
    request: "Request",
    response: "Answer",
    legs: "Both legs",
    close: "Close",
    tokens: (input: string, output: string) => `${input} tokens in, ${output} out`,
    translated: (way: string) => `translated ${way}`,
    dropped: (paths: string) => `lost: ${paths}`,
    attempts: (count: string) => `${count} attempts`,
    keyAbout: "What is copied holds the default key.",
  },
  zh: {
    raw: "原始数据",
    log: "查看日志",
    request: "请求",
    response: "响应",
    legs: "两端内容",
    close: "关闭",
    tokens: (input: string, output: string) => `输入 ${input},输出 ${output} token`,
    translated: (way: string) => `转换:${way}`,
    dropped: (paths: string) => `丢失:${paths}`,
    attempts: (count: string) => `尝试 ${count} 次`,
    keyAbout: "复制的内容包含默认密钥。",
  },
})

interface ReceiptProps {
  exchange: Exchange
  readKey: () => Promise<string>
}

export function Receipt({ exchange, readKey }: ReceiptProps) {
  const texts = useTexts()
  const [isOpen, setOpen] = useState(false)
  const { headers, answer, status } = exchange
  const id = headers["x-request-id"]
  const attempts = headers["x-dragoman-attempts"]
  const translation = headers["x-dragoman-translation"]
  const dropped = headers["x-dragoman-dropped"]
  const facts = [
    status,
    answer.finish,
    answer.inputTokens !== null &&
      texts.tokens(formatNumber(answer.inputTokens), formatNumber(answer.outputTokens ?? 0)),
    translation && translation !== "none" && texts.translated(translation),
    attempts && attempts !== "1" && texts.attempts(attempts),
    dropped && texts.dropped(dropped),
  ]
  return (
    <div className={styles.receipt}>
      <Text size="xs" c="dimmed">
        {facts.filter(Boolean).join(" · ")}
      </Text>
      <Group gap="sm">
        {id && (
          <Anchor size="sm" href={placeUrl(`/requests/${encodeURIComponent(id)}`)}>
            {texts.log}
          </Anchor>
        )}
        <Button variant="default" size="compact-xs" onClick={() => setOpen(true)}>
          {texts.raw}
        </Button>
      </Group>
      <Drawer
        opened={isOpen}
        onClose={() => setOpen(false)}
        title={texts.raw}
        size="min(56rem, 100%)"
        closeButtonProps={{ "aria-label": texts.close }}
      >
        <Raw exchange={exchange} readKey={readKey} />
      </Drawer>
    </div>
  )
}

function Raw({ exchange, readKey }: ReceiptProps) {
  const texts = useTexts()
  const { request, headers, raw, status } = exchange
  const id = headers["x-request-id"]
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return (
    <Tabs defaultValue="request" keepMounted={false}>
      <Tabs.List mb="sm">
        <Tabs.Tab value="request">{texts.request}</Tabs.Tab>
        <Tabs.Tab value="response">{texts.response}</Tabs.Tab>
        {id && exchange.isOver && <Tabs.Tab value="legs">{texts.legs}</Tabs.Tab>}
        <Tabs.Tab value="curl">curl</Tabs.Tab>
        <Tabs.Tab value="python">Python</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="request">
        <Text size="sm" mb="xs" className={styles.code}>
          {`POST ${request.path}`}
        </Text>
        <Body text={JSON.stringify(request.body)} label={texts.request} />
      </Tabs.Panel>
      <Tabs.Panel value="response">
        <Body text={`${status ?? ""}\n${head.join("\n")}\n\n${raw}`} label={texts.response} />
      </Tabs.Panel>
      {id && (
        <Tabs.Panel value="legs">
          <Legs id={id} />
        </Tabs.Panel>
      )}
      {(
        [
          ["curl", asCurl],
          ["python", asPython],
        ] as const
      ).map(([name, write]) => (
        <Tabs.Panel key={name} value={name}>
          <Text size="sm" c="dimmed" mb="xs">
            {texts.keyAbout}
          </Text>
          <CopyBlock
            shown={write(baseUrl, "…", request)}
            text={async () => write(baseUrl, await readKey(), request)}
          />
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}

function Legs({ id }: { id: string }) {
  const query = useRequest(id)
  return <Loaded query={query}>{(request) => <Bodies bodies={request.bodies} />}</Loaded>
}
