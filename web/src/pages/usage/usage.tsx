// What was used and what it cost, over time and by model, key or provider.

import { Button, SegmentedControl, Text } from "@mantine/core"
import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { api, baseUrl, take, type Schemas } from "../../api/client"
import { useKeys } from "../../api/queries"
import { formatCost, formatNumber, formatShort } from "../../format"
import { defineTexts, languageTag } from "../../i18n"
import { go, placeUrl, usePlace } from "../../router"
import { Empty, Loaded, Page, Panel } from "../../ui/page"
import { Table, type Column } from "../../ui/table"
import { formatMs } from "../requests/timing"
import { Chart } from "./chart"
import { MEASURES, plotCourse, type Course, type Measure } from "./course"
import styles from "./usage.module.css"

const useTexts = defineTexts({
  en: {
    title: "Usage",
    about: "Sums are kept by the hour, in UTC.",
    span: "Span",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    by: "By",
    model: "Model",
    key: "Key",
    provider: "Provider",
    measure: "Measure",
    cost: "Cost",
    tokens: "Tokens",
    requests: "Requests",
    errors: "Errors",
    others: "Others",
    none: "(none)",
    unknown: "unknown",
    atLeast: (cost: string) => `more than ${cost}`,
    partial: "without requests of unknown price",
    input: "Input",
    cached: "Cached",
    output: "Output",
    reasoning: "Reasoning",
    latency: "Latency",
    latencyAbout: "Of successful requests, as percentiles that are at most an eighth too high",
    duration: "Whole duration",
    first_byte: "Until the first byte",
    what: "What",
    csv: "Download CSV",
    nothing: "Nothing was used in this span",
    nothingHere: "There is nothing to draw for this measure",
    sums: "Sums",
  },
  zh: {
    title: "用量",
    about: "按小时统计(UTC)。",
    span: "时间范围",
    "24h": "24 小时",
    "7d": "7 天",
    "30d": "30 天",
    "90d": "90 天",
    by: "分组",
    model: "模型",
    key: "密钥",
    provider: "服务商",
    measure: "指标",
    cost: "费用",
    tokens: "Token",
    requests: "请求",
    errors: "错误",
    others: "其他",
    none: "(无)",
    unknown: "未知",
    atLeast: (cost: string) => `超过 ${cost}`,
    partial: "不含价格未知的请求",
    input: "输入",
    cached: "缓存",
    output: "输出",
    reasoning: "推理",
    latency: "延迟",
    latencyAbout: "成功请求的百分位数,最多偏高八分之一",
    duration: "总耗时",
    first_byte: "首字节之前",
    what: "项目",
    csv: "下载 CSV",
    nothing: "此时间范围内没有用量",
    nothingHere: "该指标没有数据",
    sums: "合计",
  },
})

const SPANS = ["24h", "7d", "30d", "90d"] as const
const GROUPINGS = ["model", "key", "provider"] as const

interface Question {
  since: (typeof SPANS)[number]
  by: (typeof GROUPINGS)[number]
  measure: Measure
}

type Group = Schemas["GroupAnswer"]
type Latency = Schemas["LatencyAnswer"]

export default function Usage() {
  const texts = useTexts()
  const { query } = usePlace()
  const question: Question = {
    since: SPANS.find((each) => each === query.get("since")) ?? "7d",
    by: GROUPINGS.find((each) => each === query.get("by")) ?? "model",
    measure: MEASURES.find((each) => each === query.get("measure")) ?? "tokens",
  }
  const { since, by } = question
  const sums = useQuery({
    queryKey: ["usage", "sums", since, by],
    queryFn: () => take(api.GET("/admin/usage", { params: { query: { since, by } } })),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  })
  const csv = `${baseUrl}/admin/usage.csv?${new URLSearchParams({ since, by }).toString()}`
  return (
    <Page
      title={texts.title}
      about={texts.about}
      actions={
        <Button component="a" href={csv} download={`usage-by-${by}.csv`} variant="default">
          {texts.csv}
        </Button>
      }
    >
      <Controls question={question} />
      <Loaded query={sums}>
        {(data) =>
          data.groups.length === 0 ? (
            <Panel>
              <Empty title={texts.nothing} />
            </Panel>
          ) : (
            <>
              <CoursePanel question={question} />
              <SumTable by={by} groups={data.groups} />
              {by !== "key" && <LatencyPanel since={since} by={by} />}
            </>
          )
        }
      </Loaded>
    </Page>
  )
}

function Controls({ question }: { question: Question }) {
  const texts = useTexts()
  const choose = (
    name: keyof Question,
    label: string,
    data: { value: string; label: string }[],
  ) => (
    <SegmentedControl
      aria-label={label}
      data={data}
      value={question[name]}
      onChange={(value) =>
        go(placeUrl("/usage", { ...question, [name]: value }), { replace: true })
      }
    />
  )
  return (
    <div className={styles.controls}>
      {choose(
        "measure",
        texts.measure,
        MEASURES.map((value) => ({ value, label: texts[value] })),
      )}
      {choose(
        "by",
        texts.by,
        GROUPINGS.map((value) => ({ value, label: texts[value] })),
      )}
      {choose(
        "since",
        texts.span,
        SPANS.map((value) => ({ value, label: texts[value] })),
      )}
    </div>
  )
}

function CoursePanel({ question: { since, by, measure } }: { question: Question }) {
  const texts = useTexts()
  const nameGroup = useGroupName(by)
  const step = since === "24h" ? "hour" : "day"
  const course = useQuery({
    queryKey: ["usage", "course", since, by],
    queryFn: () => take(api.GET("/admin/usage/series", { params: { query: { since, by, step } } })),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  })
  const time = new Intl.DateTimeFormat(
    languageTag(),
    step === "hour"
      ? { weekday: "short", hour: "2-digit", minute: "2-digit" }
      : { dateStyle: "medium", timeZone: "UTC" },
  )
  return (
    <Panel title={texts[measure]}>
      <Loaded query={course}>
        {(data) => {
          const drawn = plotCourse(data.times, data.series, measure)
          const isEmpty = drawn.groups.length === 0 && !drawn.isPartial.some(Boolean)
          if (isEmpty) return <Text c="dimmed">{texts.nothingHere}</Text>
          return (
            <Chart
              course={drawn}
              label={texts[measure]}
              format={measure === "cost" ? formatCost : formatShort}
              formatTime={(iso) => (iso ? time.format(new Date(iso)) : "")}
              nameOf={(group: Course["groups"][number]) =>
                group.isRest ? texts.others : nameGroup(group.name)
              }
              partial={texts.partial}
            />
          )
        }}
      </Loaded>
    </Panel>
  )
}

/** Requests without a key, provider or model are summed under an empty name; keys go by their id
 * or their name. */
function useGroupName(by: Question["by"]): (group: string) => string {
  const texts = useTexts()
  const keys = useKeys()
  return (group) => {
    if (!group) return texts.none
    if (by !== "key") return group
    return keys.data?.find((key) => key.id === group)?.name ?? group
  }
}

function SumTable({ by, groups }: { by: Question["by"]; groups: Group[] }) {
  const texts = useTexts()
  const nameGroup = useGroupName(by)
  const count = (
    key:
      | "requests"
      | "errors"
      | "input_tokens"
      | "cached_tokens"
      | "output_tokens"
      | "reasoning_tokens",
    title: string,
    isMinor = false,
  ): Column<Group> => ({
    key,
    title,
    width: "minmax(0, 1fr)",
    align: "end",
    isMinor,
    value: (row) => row[key],
    render: (row) => formatNumber(row[key]),
  })
  const columns: Column<Group>[] = [
    {
      key: "group",
      title: texts[by],
      width: "minmax(0, 2.5fr)",
      value: (row) => nameGroup(row.group),
      render: (row) => <span className={styles.group}>{nameGroup(row.group)}</span>,
    },
    count("requests", texts.requests),
    count("errors", texts.errors, true),
    count("input_tokens", texts.input, true),
    count("cached_tokens", texts.cached, true),
    count("output_tokens", texts.output, true),
    count("reasoning_tokens", texts.reasoning, true),
    {
      key: "cost",
      title: texts.cost,
      width: "minmax(0, 1.3fr)",
      align: "end",
      value: (row) => row.known_cost_usd,
      render: (row) => <Cost row={row} />,
    },
  ]
  return <Table label={texts.sums} columns={columns} rows={groups} rowKey={(row) => row.group} />
}

function Cost({ row }: { row: Group }) {
  const texts = useTexts()
  if (row.cost_usd !== null) return formatCost(row.cost_usd)
  return row.known_cost_usd > 0 ? texts.atLeast(formatCost(row.known_cost_usd)) : texts.unknown
}

function LatencyPanel({ since, by }: { since: string; by: "model" | "provider" }) {
  const texts = useTexts()
  const latency = useQuery({
    queryKey: ["usage", "latency", since, by],
    queryFn: () => take(api.GET("/admin/usage/latency", { params: { query: { since, by } } })),
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  })
  const nameGroup = useGroupName(by)
  const columns = useMemo(() => {
    const percentile = (key: "p50_ms" | "p90_ms" | "p95_ms" | "p99_ms"): Column<Latency> => ({
      key,
      title: key.slice(0, 3),
      width: "minmax(0, 1fr)",
      align: "end",
      isMinor: key === "p90_ms" || key === "p99_ms",
      value: (row) => row[key],
      render: (row) => formatMs(row[key]),
    })
    return [percentile("p50_ms"), percentile("p90_ms"), percentile("p95_ms"), percentile("p99_ms")]
  }, [])
  return (
    <Panel title={texts.latency} about={texts.latencyAbout}>
      <Loaded query={latency}>
        {({ latencies }) => (
          <Table
            label={texts.latency}
            columns={[
              {
                key: "group",
                title: texts[by],
                width: "minmax(0, 2.5fr)",
                value: (row) => nameGroup(row.group),
                render: (row) => <span className={styles.group}>{nameGroup(row.group)}</span>,
              },
              {
                key: "measure",
                title: texts.what,
                width: "minmax(0, 1.5fr)",
                value: (row) => row.measure,
                render: (row) => texts[row.measure],
              },
              ...columns,
            ]}
            rows={latencies}
            rowKey={(row) => `${row.group} ${row.measure}`}
          />
        )}
      </Loaded>
    </Panel>
  )
}
