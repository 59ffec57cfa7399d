// What was said on both legs of a request, and how what went upstream differs from what came in.

import { Tabs, Text } from "@mantine/core"
import { useMemo } from "react"
import type { Schemas } from "../../api/client"
import { defineTexts } from "../../i18n"
import { CopyButton } from "../../ui/copy"
import { diffLines, layOut } from "./diff"
import styles from "./requests.module.css"

const useTexts = defineTexts({
  en: {
    none: "Bodies are not kept. Switch on log_bodies in the section [server] of the configuration file to see them.",
    client_request: "Client's request",
    upstream_request: "Request upstream",
    upstream_response: "Provider's answer",
    client_response: "Answer to the client",
    diff: "Difference",
    diffAbout: "Of the client's request and what was sent upstream",
    same: "Nothing was translated: between gateway and provider the same was said, but for the model's name.",
  },
  zh: {
    none: "未保存内容。在配置文件的 [server] 中打开 log_bodies 即可查看。",
    client_request: "客户端请求",
    upstream_request: "上游请求",
    upstream_response: "上游响应",
    client_response: "返回客户端的响应",
    diff: "差异",
    diffAbout: "客户端请求与上游请求的差异",
    same: "无需转换:网关与服务商之间的内容相同,仅模型名称不同。",
  },
})

type BodySet = Schemas["BodiesAnswer"]

const VIEWS = [
  "client_request",
  "upstream_request",
  "upstream_response",
  "client_response",
] as const

export function Bodies({ bodies }: { bodies: BodySet | null | undefined }) {
  const texts = useTexts()
  if (!bodies) return <Text c="dimmed">{texts.none}</Text>
  const present = VIEWS.filter((view) => bodies[view] !== null)
  const { client_request: before, upstream_request: after } = bodies
  return (
    <>
      {after === null && (
        <Text size="sm" c="dimmed" mb="xs">
          {texts.same}
        </Text>
      )}
      <Tabs defaultValue={present[0]} keepMounted={false}>
        <Tabs.List mb="sm">
          {present.map((view) => (
            <Tabs.Tab key={view} value={view}>
              {texts[view]}
            </Tabs.Tab>
          ))}
          {before !== null && after !== null && <Tabs.Tab value="diff">{texts.diff}</Tabs.Tab>}
        </Tabs.List>
        {present.map((view) => (
          <Tabs.Panel key={view} value={view}>
            <Body text={bodies[view] ?? ""} label={texts[view]} />
          </Tabs.Panel>
        ))}
        {before !== null && after !== null && (
          <Tabs.Panel value="diff">
            <Diff before={before} after={after} label={texts.diffAbout} />
          </Tabs.Panel>
        )}
      </Tabs>
    </>
  )
}

export function Body({ text, label }: { text: string; label: string }) {
  const shown = useMemo(() => layOut(text), [text])
  return (
    <div className={styles.body}>
      <pre tabIndex={0} aria-label={label} role="region">
        {shown}
      </pre>
      <span className={styles.copy}>
        <CopyButton text={text} />
      </span>
    </div>
  )
}

function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => diffLines(layOut(before), layOut(after)), [before, after])
  return (
    <div className={styles.body}>
      <pre tabIndex={0} aria-label={label} role="region">
        {lines.map((line, index) => (
          <span key={index} className={styles.line} data-mark={line.mark}>
            {`${line.mark} ${line.text}\n`}
          </span>
        ))}
      </pre>
    </div>
  )
}
