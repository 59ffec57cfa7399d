// Every request as it arrives, the newest first; a click shows it in full.

import { Button, Drawer, Loader, Select, Switch, Text, TextInput } from "@mantine/core"
import { useEffect, useMemo, useRef, useState } from "react"
import { useKeys, useModels, useProviders } from "../../api/queries"
import { formatCost, formatNumber, formatShort } from "../../format"
import { defineTexts, languageTag } from "../../i18n"
import { go, placeUrl, usePlace } from "../../router"
import { SearchIcon } from "../../ui/icons"
import { Empty, Failure, Page, Panel } from "../../ui/page"
import { State } from "../../ui/state"
import { Table, type Column } from "../../ui/table"
import { Detail, modelOf } from "./detail"
import { FILTERS, identify, readFilters, useLog, type Filters, type LoggedRequest } from "./log"
import styles from "./requests.module.css"
import { formatMs } from "./timing"

const useTexts = defineTexts({
  en: {
    title: "Requests",
    about: "Every request leaves a line here, failed and abandoned ones too.",
    live: "Live",
    text: "Search in errors",
    status: "Outcome",
    everyStatus: "Every outcome",
    failed: "Failed",
    provider: "Provider",
    everyProvider: "Every provider",
    model: "Model",
    everyModel: "Every model",
    key: "Key",
    everyKey: "Every key",
    since: "Time",
    always: "All times",
    hour: "Last hour",
    day: "Last day",
    week: "Last week",
    time: "Time",
    client: "Protocol",
    tokens: "Tokens",
    tokensAbout: "Input and output, with what came from a cache and what was thought",
    cost: "Cost",
    duration: "Duration",
    unknown: "unknown",
    count: (shown: string, more: boolean) =>
      more ? `${shown} shown, there are more` : `${shown} shown`,
    nothing: "There are no requests yet",
    nothingBody: "They appear here as soon as a client sends one.",
    noMatch: "No request matches",
    detail: "Request",
    close: "Close",
    open: (time: string) => `Open the request of ${time}`,
    tryOut: "Try a model in the playground",
  },
  zh: {
    title: "请求",
    about: "每个请求都会留下一行记录,失败和中断的也不例外。",
    live: "实时",
    text: "搜索错误",
    status: "结果",
    everyStatus: "全部结果",
    failed: "失败",
    provider: "服务商",
    everyProvider: "全部服务商",
    model: "模型",
    everyModel: "全部模型",
    key: "密钥",
    everyKey: "全部密钥",
    since: "时间",
    always: "全部时间",
    hour: "最近一小时",
    day: "最近一天",
    week: "最近一周",
    time: "时间",
    client: "协议",
    tokens: "Token",
    tokensAbout: "输入与输出,包括缓存与推理",
    cost: "费用",
    duration: "耗时",
    unknown: "未知",
    count: (shown: string, more: boolean) => (more ? `已显示 ${shown} 条,还有更多` : `${shown} 条`),
    nothing: "还没有请求",
    nothingBody: "客户端一发送请求,就会显示在这里。",
    noMatch: "没有匹配的请求",
    detail: "请求",
    close: "关闭",
    open: (time: string) => `打开 ${time} 的请求`,
    tryOut: "试用模型",
  },
})

export default function Requests() {
  const texts = useTexts()
  const { path, query } = usePlace()
  const [isLive, setLive] = useState(true)
  const filters = useMemo(() => readFilters(query), [query])
  const opened = decodeURIComponent(path.split("/").slice(2).join("/"))
  return (
    <Page
      title={texts.title}
      about={texts.about}
      actions={
        <Switch
          label={texts.live}
          checked={isLive}
          onChange={(event) => setLive(event.currentTarget.checked)}
        />
      }
    >
      <FilterRow filters={filters} />
      <Log filters={filters} isLive={isLive} />
      <Drawer
        opened={opened !== ""}
        onClose={() => go(placeUrl("/requests", { ...filters }))}
        title={texts.detail}
        size="min(56rem, 100%)"
        closeButtonProps={{ "aria-label": texts.close }}
      >
        {opened && <Detail id={opened} />}
      </Drawer>
    </Page>
  )
}

function FilterRow({ filters }: { filters: Filters }) {
  const texts = useTexts()
  const providers = useProviders()
  const models = useModels()
  const keys = useKeys()

  function filter(changed: Partial<Filters>) {
    go(placeUrl("/requests", { ...filters, ...changed }), { replace: true })
  }

  const choose = (name: keyof Filters, label: string, every: string, data: Choice[]) => (
    <Select
      aria-label={label}
      data={[{ value: "", label: every }, ...data]}
      value={filters[name]}
      onChange={(value) => filter({ [name]: value ?? "" })}
      searchable
      limit={200}
    />
  )

  return (
    <div className={styles.filters}>
      {choose("since", texts.since, texts.always, [
        { value: "1h", label: texts.hour },
        { value: "1d", label: texts.day },
        { value: "7d", label: texts.week },
      ])}
      {choose("status", texts.status, texts.everyStatus, [
        { value: "failed", label: texts.failed },
        ...["2xx", "4xx", "5xx", "429", "499"].map(alike),
      ])}
      {choose(
        "provider",
        texts.provider,
        texts.everyProvider,
        (providers.data?.providers ?? []).map(({ id }) => alike(id)),
      )}
      {choose(
        "model",
        texts.model,
        texts.everyModel,
        (models.data?.models ?? []).map(({ id }) => alike(id)),
      )}
      {choose(
        "key",
        texts.key,
        texts.everyKey,
        (keys.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
      )}
      <TextInput
        aria-label={texts.text}
        placeholder={texts.text}
        leftSection={<SearchIcon size={15} />}
        value={filters.text}
        onChange={(event) => filter({ text: event.currentTarget.value })}
      />
    </div>
  )
}

interface Choice {
  value: string
  label: string
}

function alike(value: string): Choice {
  return { value, label: value }
}

function Log({ filters, isLive }: { filters: Filters; isLive: boolean }) {
  const texts = useTexts()
  const log = useLog(filters, isLive)
  const rows = useMemo(() => log.data?.pages.flatMap((page) => page.requests) ?? [], [log.data])
  const columns = useColumns(filters)
  if (log.isError) return <Failure error={log.error} onRetry={() => void log.refetch()} />
  if (log.isPending) return <Loader size="sm" m="xl" />
  if (rows.length === 0) {
    const isFiltered = FILTERS.some((name) => filters[name])
    return (
      <Panel>
        <Empty title={isFiltered ? texts.noMatch : texts.nothing}>
          {!isFiltered && (
            <>
              <p>{texts.nothingBody}</p>
              <Button component="a" href={placeUrl("/playground")} variant="default">
                {texts.tryOut}
              </Button>
            </>
          )}
        </Empty>
      </Panel>
    )
  }
  return (
    <>
      <Table
        label={texts.title}
        columns={columns}
        rows={rows}
        rowKey={identify}
        onOpen={(row) => go(requestUrl(row, filters))}
      />
      <div className={styles.more}>
        {log.hasNextPage && <WhenSeen key={rows.length} onSeen={() => void log.fetchNextPage()} />}
        <Text size="sm" c="dimmed" aria-live="polite">
          {texts.count(formatNumber(rows.length), log.hasNextPage)}
        </Text>
      </div>
    </>
  )
}

/** Calls `onSeen` when it comes near the part of the page that is in sight. */
function WhenSeen({ onSeen }: { onSeen: () => void }) {
  const mark = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && onSeen(),
      { rootMargin: "800px" },
    )
    if (mark.current) observer.observe(mark.current)
    return () => observer.disconnect()
    // It is made anew with every change of what is shown, and then looks again.
  }, [])
  return <span ref={mark} />
}

function requestUrl(request: LoggedRequest, filters: Filters): string {
  return placeUrl(`/requests/${encodeURIComponent(request.id)}`, { ...filters })
}

function useColumns(filters: Filters): Column<LoggedRequest>[] {
  const texts = useTexts()
  const tag = languageTag()
  return useMemo(() => {
    const format = new Intl.DateTimeFormat(tag, {
      month: "short",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    })
    return [
      {
        key: "time",
        title: texts.time,
        width: "8.5rem",
        render: (row) => {
          const time = format.format(new Date(row.at))
          return (
            <a
              className={styles.time}
              href={requestUrl(row, filters)}
              aria-label={texts.open(time)}
            >
              {time}
            </a>
          )
        },
      },
      {
        key: "status",
        title: texts.status,
        width: "4.5rem",
        render: (row) => <State tone={toneOf(row)}>{String(row.status)}</State>,
      },
      {
        key: "model",
        title: texts.model,
        width: "minmax(0, 1.6fr)",
        render: (row) => (
          <span className={`${styles.mono} ${styles.clip}`} title={row.error ?? undefined}>
            {modelOf(row) || row.asked || row.error || "–"}
          </span>
        ),
      },
      {
        key: "protocol",
        title: texts.client,
        width: "minmax(0, 1fr)",
        isMinor: true,
        render: (row) => (
          <span className={styles.clip}>
            {row.upstream_protocol && row.upstream_protocol !== row.protocol
              ? `${row.protocol} → ${row.upstream_protocol}`
              : row.protocol}
          </span>
        ),
      },
      {
        key: "key",
        title: texts.key,
        width: "6rem",
        isMinor: true,
        render: (row) => <span className={styles.clip}>{row.key ?? "–"}</span>,
      },
      {
        key: "tokens",
        title: texts.tokens,
        width: "6.5rem",
        align: "end",
        isMinor: true,
        render: (row) => <span title={texts.tokensAbout}>{formatTokenPair(row)}</span>,
      },
      {
        key: "cost",
        title: texts.cost,
        width: "5rem",
        align: "end",
        isMinor: true,
        render: (row) => (row.cost_usd === null ? texts.unknown : formatCost(row.cost_usd)),
      },
      {
        key: "duration",
        title: texts.duration,
        width: "4.5rem",
        align: "end",
        render: (row) => formatMs(row.duration_ms),
      },
    ]
  }, [texts, tag, filters])
}

function toneOf(row: LoggedRequest): "good" | "warn" | "bad" {
  if (row.status >= 500) return "bad"
  return row.status >= 400 || row.error !== null ? "warn" : "good"
}

function formatTokenPair(row: LoggedRequest): string {
  if (row.input_tokens === null && row.output_tokens === null) return "–"
  const input =
    (row.input_tokens ?? 0) +
    (row.cache_read_tokens ?? 0) +
    (row.cache_write_tokens ?? 0) +
    (row.cache_write_long_tokens ?? 0)
  const output = (row.output_tokens ?? 0) + (row.reasoning_tokens ?? 0)
  return `${formatShort(input)} / ${formatShort(output)}`
}
