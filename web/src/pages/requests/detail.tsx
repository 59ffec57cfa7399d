// One request in full: what became of it, where its time went, what it used and what was said.

import { Button, Text } from "@mantine/core"
import { formatCost, formatNumber, formatTime } from "../../format"
import { defineTexts } from "../../i18n"
import { placeUrl } from "../../router"
import { CopyLine } from "../../ui/copy"
import { Notice } from "../../ui/notice"
import { Fact, Facts, Loaded, Panel } from "../../ui/page"
import { Bodies } from "./bodies"
import { useRequest, type WholeRequest } from "./log"
import styles from "./requests.module.css"
import { divideTime, formatMs } from "./timing"

const useTexts = defineTexts({
  en: {
    time: "Time",
    failed: (target: string) => `Failed: ${target}`,
    waiting: "Until the first byte",
    answering: "Answer",
    bar: (whole: string) => `${whole} in all`,
    attempts: "Failed attempts",
    noStatus: "no answer",
    receipt: "Translation",
    direct: (protocol: string) => `None: client and provider both speak ${protocol}.`,
    translated: (from: string, to: string) => `From ${from} to ${to}.`,
    unasked: "No provider was asked.",
    dropped: "Could not be carried over",
    nothingDropped: "Nothing was lost.",
    usage: "Usage",
    input: "Input",
    cacheRead: "Input out of the cache",
    cacheWrite: "Input into the cache",
    output: "Output",
    reasoning: "Reasoning",
    searches: "Searches",
    cost: "Cost",
    unknown: "unknown",
    untold: "not told",
    price: (source: string) => `price: ${source}`,
    request: "Request",
    id: "Id",
    at: "At",
    status: "Status",
    model: "Model",
    asked: "Asked for as",
    key: "Key",
    client: "Client",
    operation: "Operation",
    streamed: "streamed",
    said: "What was said",
    replay: "Replay",
    replayAbout: "Opens the playground with this request, for any model",
  },
  zh: {
    time: "耗时",
    failed: (target: string) => `失败:${target}`,
    waiting: "首字节之前",
    answering: "响应",
    bar: (whole: string) => `共 ${whole}`,
    attempts: "失败的尝试",
    noStatus: "无响应",
    receipt: "转换",
    direct: (protocol: string) => `无:客户端与服务商都使用 ${protocol}。`,
    translated: (from: string, to: string) => `从 ${from} 转换为 ${to}。`,
    unasked: "未请求任何服务商。",
    dropped: "无法传递的内容",
    nothingDropped: "没有丢失任何内容。",
    usage: "用量",
    input: "输入",
    cacheRead: "缓存读取",
    cacheWrite: "缓存写入",
    output: "输出",
    reasoning: "推理",
    searches: "搜索",
    cost: "费用",
    unknown: "未知",
    untold: "未提供",
    price: (source: string) => `价格来源:${source}`,
    request: "请求",
    id: "编号",
    at: "时间",
    status: "状态",
    model: "模型",
    asked: "请求的名称",
    key: "密钥",
    client: "客户端",
    operation: "操作",
    streamed: "流式",
    said: "内容",
    replay: "重放",
    replayAbout: "在试用页中打开此请求,可换用任何模型",
  },
})

export function Detail({ id }: { id: string }) {
  const query = useRequest(id)
  return <Loaded query={query}>{(request) => <Shown request={request} />}</Loaded>
}

function Shown({ request }: { request: WholeRequest }) {
  const texts = useTexts()
  return (
    <div className={styles.detail}>
      {request.error !== null && (
        <Notice tone="bad" title={String(request.status)}>
          {request.error}
        </Notice>
      )}
      <Panel title={texts.time}>
        <Timing request={request} />
        {request.failures.length > 0 && <Failures request={request} />}
      </Panel>
      <Panel title={texts.request}>
        <What request={request} />
      </Panel>
      <Panel title={texts.receipt}>
        <Receipt request={request} />
      </Panel>
      <Panel title={texts.usage}>
        <Used request={request} />
      </Panel>
      <Panel
        title={texts.said}
        actions={
          request.bodies?.client_request && (
            <Button
              component="a"
              href={placeUrl("/playground", { replay: request.id })}
              variant="default"
              size="xs"
              title={texts.replayAbout}
            >
              {texts.replay}
            </Button>
          )
        }
      >
        <Bodies bodies={request.bodies} />
      </Panel>
    </div>
  )
}

function Timing({ request }: { request: WholeRequest }) {
  const texts = useTexts()
  const phases = divideTime(request)
  const name = (phase: (typeof phases)[number]) =>
    phase.kind === "failed" ? texts.failed(phase.target ?? "") : texts[phase.kind]
  return (
    <>
      <div className={styles.bar} role="img" aria-label={texts.bar(formatMs(request.duration_ms))}>
        {phases.map((phase, index) => (
          <span key={index} data-kind={phase.kind} style={{ flexGrow: phase.ms }} />
        ))}
      </div>
      <ul className={styles.legend}>
        {phases.map((phase, index) => (
          <li key={index} data-kind={phase.kind}>
            {name(phase)} <strong>{formatMs(phase.ms)}</strong>
          </li>
        ))}
        <Text component="span" size="sm" c="dimmed">
          {texts.bar(formatMs(request.duration_ms))}
        </Text>
      </ul>
    </>
  )
}

function Failures({ request }: { request: WholeRequest }) {
  const texts = useTexts()
  return (
    <>
      <Text size="sm" c="dimmed" mt="sm">
        {texts.attempts}
      </Text>
      <ul className={styles.list}>
        {request.failures.map((failure, index) => (
          <li key={index}>
            <span className={styles.mono}>{failure.target}</span>
            {` · ${failure.status ?? texts.noStatus} · ${formatMs(failure.ms)} · ${failure.error}`}
          </li>
        ))}
      </ul>
    </>
  )
}

function What({ request }: { request: WholeRequest }) {
  const texts = useTexts()
  return (
    <Facts>
      <Fact name={texts.id}>
        <CopyLine text={request.id} />
      </Fact>
      <Fact name={texts.at}>{formatTime(request.at)}</Fact>
      <Fact name={texts.status}>{request.status}</Fact>
      <Fact name={texts.model}>
        <span className={styles.mono}>{modelOf(request) || "–"}</span>
      </Fact>
      {request.asked && (
        <Fact name={texts.asked}>
          <span className={styles.mono}>{request.asked}</span>
        </Fact>
      )}
      <Fact name={texts.operation}>
        {request.operation}
        {request.stream && `, ${texts.streamed}`}
      </Fact>
      <Fact name={texts.key}>{request.key ?? "–"}</Fact>
      <Fact name={texts.client}>{request.client || "–"}</Fact>
    </Facts>
  )
}

function Receipt({ request }: { request: WholeRequest }) {
  const texts = useTexts()
  const { protocol, upstream_protocol: upstream, dropped } = request
  if (!upstream) return <Text>{texts.unasked}</Text>
  return (
    <>
      <Text>
        {upstream === protocol ? texts.direct(protocol) : texts.translated(protocol, upstream)}
      </Text>
      {dropped.length === 0 ? (
        <Text c="dimmed">{texts.nothingDropped}</Text>
      ) : (
        <>
          <Text mt="xs">{texts.dropped}</Text>
          <ul className={styles.list}>
            {dropped.map((path) => (
              <li key={path} className={styles.mono}>
                {path}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

function Used({ request }: { request: WholeRequest }) {
  const texts = useTexts()
  const written = addKnown(request.cache_write_tokens, request.cache_write_long_tokens)
  const counts: [name: string, count: number | null][] = [
    [texts.input, request.input_tokens],
    [texts.cacheRead, request.cache_read_tokens],
    [texts.cacheWrite, written],
    [texts.output, request.output_tokens],
    [texts.reasoning, request.reasoning_tokens],
    [texts.searches, request.searches],
  ]
  return (
    <Facts>
      {counts
        .filter(([, count], row) => row === 0 || row === 3 || count)
        .map(([name, count]) => (
          <Fact key={name} name={name}>
            {count === null ? texts.untold : formatNumber(count)}
          </Fact>
        ))}
      <Fact name={texts.cost}>
        {request.cost_usd === null ? texts.unknown : formatCost(request.cost_usd)}
        {request.price && (
          <Text component="span" size="sm" c="dimmed">
            {` (${texts.price(request.price)})`}
          </Text>
        )}
      </Fact>
    </Facts>
  )
}

function addKnown(one: number | null, other: number | null): number | null {
  return one === null && other === null ? null : (one ?? 0) + (other ?? 0)
}

/** The model as clients name it; empty where no target was found. */
export function modelOf(request: { provider: string | null; model: string | null }): string {
  return request.provider && request.model ? `${request.provider}:${request.model}` : ""
}
