// The first page: whether all is well, and how to use the gateway.

import { ActionIcon, Anchor, Button, Text, Tooltip } from "@mantine/core"
import { useQueryClient } from "@tanstack/react-query"
import { useState, type ReactNode } from "react"
import { api, baseUrl, take, type Schemas } from "../../api/client"
import { useChange, useDefaultSecret, useKeys, useStatus, useUsageToday } from "../../api/queries"
import { formatCost, formatNumber, formatShort, formatSpan } from "../../format"
import { defineTexts } from "../../i18n"
import { placeUrl } from "../../router"
import { Confirm } from "../../ui/confirm"
import { CopyButton, CopyLine } from "../../ui/copy"
import { EyeIcon, EyeOffIcon, RotateIcon } from "../../ui/icons"
import { Notice } from "../../ui/notice"
import { Fact, Facts, Failure, Loaded, Page, Panel } from "../../ui/page"
import { State } from "../../ui/state"
import { Connect } from "./connect"
import styles from "./home.module.css"

const useTexts = defineTexts({
  en: {
    title: "Home",
    running: "Running",
    serving: (count: string) => `Serving ${count} now`,
    refused: (why: string) => `A change of the configuration file was refused: ${why}`,
    restart: (names: string) => `These settings changed in the file and need a restart: ${names}`,
    records: (why: string) => `Requests are not being recorded: ${why}`,
    since: (span: string, version: string) => `Version ${version}, up for ${span}`,
    requests: "Requests",
    input: "Input tokens",
    output: "Output tokens",
    cost: "Cost",
    today: "today",
    failed: (count: string) => `${count} failed`,
    cached: (count: string) => `${count} from a cache`,
    reasoning: (count: string) => `${count} for reasoning`,
    unpriced: (count: string) => `${count} of unknown price`,
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
    failing: (id: string) => `The provider ${id} fails: its page says why.`,
    problem: (id: string, why: string) => `The provider ${id} cannot be used: ${why}`,
    see: "See all",
    seeProviders: "See providers",
    welcome: "Nothing is connected yet",
    welcomeBody: "Add a provider, and every client can use its models through the address below.",
    add: "Add a provider",
  },
  zh: {
    title: "首页",
    running: "运行中",
    serving: (count: string) => `正在处理 ${count} 个请求`,
    refused: (why: string) => `配置文件的改动被拒绝:${why}`,
    restart: (names: string) => `以下设置已在文件中修改,需要重启:${names}`,
    records: (why: string) => `请求未被记录:${why}`,
    since: (span: string, version: string) => `版本 ${version},已运行 ${span}`,
    requests: "请求",
    input: "输入 token",
    output: "输出 token",
    cost: "费用",
    today: "今天",
    failed: (count: string) => `${count} 个失败`,
    cached: (count: string) => `其中缓存 ${count}`,
    reasoning: (count: string) => `其中推理 ${count}`,
    unpriced: (count: string) => `${count} 个价格未知`,
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
    failing: (id: string) => `服务商 ${id} 出现异常,原因见其页面。`,
    problem: (id: string, why: string) => `服务商 ${id} 无法使用:${why}`,
    see: "查看全部",
    seeProviders: "查看服务商",
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
            <State tone="good">
              {status.data.load.served > 0
                ? texts.serving(formatNumber(status.data.load.served))
                : texts.running}
            </State>
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

/** Today in numbers. */
function Figures({ status }: { status: Status }) {
  const texts = useTexts()
  const { data: used } = useUsageToday()
  const input = used && used.input_tokens + used.cached_tokens
  const output = used && used.output_tokens + used.reasoning_tokens
  return (
    <dl className={styles.figures}>
      <Figure name={texts.requests} value={used && formatShort(used.requests)}>
        {used && used.errors > 0 ? texts.failed(formatNumber(used.errors)) : texts.today}
      </Figure>
      <Figure name={texts.input} value={input !== undefined ? formatShort(input) : undefined}>
        {used && used.cached_tokens > 0
          ? texts.cached(formatShort(used.cached_tokens))
          : texts.today}
      </Figure>
      <Figure name={texts.output} value={output !== undefined ? formatShort(output) : undefined}>
        {used && used.reasoning_tokens > 0
          ? texts.reasoning(formatShort(used.reasoning_tokens))
          : texts.today}
      </Figure>
      <Cost used={used} />
      <Figure name={texts.models} value={formatShort(status.models)}>
        <Anchor href={placeUrl("/models")} inherit>
          {texts.see}
        </Anchor>
      </Figure>
      <Figure name={texts.providers} value={formatShort(Object.keys(status.providers).length)}>
        <Anchor href={placeUrl("/providers")} inherit>
          {texts.see}
        </Anchor>
      </Figure>
    </dl>
  )
}

/** What today's requests cost; without a single known price that is unknown, and not nothing. */
function Cost({ used }: { used: Schemas["UsedAnswer"] | undefined }) {
  const texts = useTexts()
  const unpriced = used?.unpriced_requests ?? 0
  const isKnown = used && (unpriced === 0 || unpriced < used.requests)
  return (
    <Figure name={texts.cost} value={isKnown ? formatCost(used.known_cost_usd) : undefined}>
      {unpriced > 0 ? texts.unpriced(formatNumber(unpriced)) : texts.today}
    </Figure>
  )
}

interface FigureProps {
  name: string
  value: string | undefined
  children: ReactNode
}

function Figure({ name, value, children }: FigureProps) {
  return (
    <div className={styles.figure}>
      <dt>{name}</dt>
      <dd>{value ?? "–"}</dd>
      <dd className={styles.detail}>{children}</dd>
    </div>
  )
}

/** What may surprise the owner, and what does not work. */
function Warnings({ status }: { status: Status }) {
  const texts = useTexts()
  const failing = Object.entries(status.providers).filter(([, state]) => state === "failing")
  const { configuration, records } = status
  const warnings = [
    ...(configuration.refusal ? [texts.refused(configuration.refusal)] : []),
    ...(configuration.needs_restart.length
      ? [texts.restart(configuration.needs_restart.join(", "))]
      : []),
    ...(records.failure ? [texts.records(records.failure)] : []),
    ...status.warnings,
    ...Object.entries(status.problems).map(([id, why]) => texts.problem(id, why)),
    ...failing.map(([id]) => texts.failing(id)),
  ]
  if (warnings.length === 0) return null
  return (
    <Notice tone="warn" title={texts.attention}>
      <ul className={styles.warnings}>
        {warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
      {failing.length > 0 && <Anchor href={placeUrl("/providers")}>{texts.seeProviders}</Anchor>}
    </Notice>
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
