// Talking to models through the gateway as its clients do: over any protocol, two side by side.

import { Anchor, Button, Loader, Select, Text } from "@mantine/core"
import { useQueryClient } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { api, take } from "../../api/client"
import { useModels } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { placeUrl, usePlace } from "../../router"
import { Notice } from "../../ui/notice"
import { Empty, Failure, Page } from "../../ui/page"
import { modelOf } from "../requests/detail"
import { layOut } from "../requests/diff"
import { readRequest } from "../requests/log"
import { Composer } from "./composer"
import { PLAIN, PROTOCOLS, type Protocol, type Setup, type Turn } from "./conversation"
import { send, type Exchange } from "./exchange"
import styles from "./playground.module.css"
import { Receipt } from "./receipt"
import { address, buildRequest } from "./request"
import { SetupPanel } from "./setup"
import { Results, Transcript, TurnView } from "./transcript"

const useTexts = defineTexts({
  en: {
    title: "Playground",
    about: "Sends what your clients would send, with the default key.",
    model: "Model",
    second: "Second model",
    compare: "Compare with a second model",
    alone: "One model only",
    clear: "Start over",
    begin: "Choose a model and write something",
    noModels: "There are no models yet",
    add: "Add a provider first",
    replayed:
      "This is a request of the log. What was cut short or redacted there has to be filled in; then send it to any model.",
  },
  zh: {
    title: "试用",
    about: "用默认密钥发送与客户端相同的请求。",
    model: "模型",
    second: "第二个模型",
    compare: "与另一个模型对比",
    alone: "只用一个模型",
    clear: "重新开始",
    begin: "选择模型,然后输入消息",
    noModels: "还没有模型",
    add: "请先添加服务商",
    replayed: "这是日志中的请求。被截断或隐去的内容需要补全,之后可发送给任何模型。",
  },
})

interface Column {
  model: string
  turns: Turn[]
  exchange: Exchange | null
}

export default function Playground() {
  const texts = useTexts()
  const { query } = usePlace()
  const names = useModelNames()
  const readKey = useKeyReader()
  const [protocol, setProtocol] = useState<Protocol>("chat")
  const [setup, setSetup] = useState(PLAIN)
  const [body, setBody] = useState<string | null>(null)
  const [columns, setColumns] = useState<Column[]>([newColumn(query.get("model") ?? "")])
  const [problem, setProblem] = useState<unknown>(null)
  const running = useRef(new AbortController())
  useEffect(() => () => running.current.abort(), [])

  const replayed = query.get("replay")
  useEffect(() => {
    if (!replayed) return
    readRequest(replayed).then((request) => {
      const spoken = PROTOCOLS.find((each) => each === request.protocol) ?? "chat"
      setProtocol(spoken)
      setSetup((known) => ({ ...known, stream: request.stream }))
      setBody(layOut(request.bodies?.client_request ?? "{}"))
      setColumns([newColumn(request.asked ?? modelOf(request))])
    }, setProblem)
  }, [replayed])

  const models = columns.map((column) => column.model || names?.[0] || "")
  const isBusy = columns.some((column) => column.exchange && !column.exchange.isOver)

  function change(index: number, more: (column: Column) => Partial<Column>) {
    setColumns((known) =>
      known.map((column, at) => (at === index ? { ...column, ...more(column) } : column)),
    )
  }

  /** Sends the conversation of a column, with `turn` at its end, and keeps the answer in it. */
  async function ask(index: number, turn: Turn) {
    const turns = body === null ? [...answered(columns[index]!.turns), turn] : []
    try {
      const model = models[index]!
      const request =
        body === null
          ? buildRequest(protocol, model, setup, turns)
          : address(protocol, model, setup.stream, JSON.parse(body) as Record<string, unknown>)
      const key = await readKey()
      const { signal } = running.current
      const exchange = await send(protocol, request, key, signal, (exchange) =>
        change(index, () => ({ turns, exchange })),
      )
      if (!exchange.answer.error && hasWords(exchange))
        change(index, () => ({ turns: [...turns, exchange.answer] }))
    } catch (error) {
      setProblem(error)
    }
  }

  function askAll(turn: Turn) {
    setProblem(null)
    running.current = new AbortController()
    columns.forEach((_, index) => void ask(index, turn))
  }

  if (names?.length === 0) {
    return (
      <Page title={texts.title}>
        <Empty title={texts.noModels}>
          <Anchor href={placeUrl("/providers/+")}>{texts.add}</Anchor>
        </Empty>
      </Page>
    )
  }
  return (
    <Page
      title={texts.title}
      about={texts.about}
      actions={
        <>
          <Button
            variant="default"
            disabled={isBusy}
            onClick={() =>
              setColumns(columns.length === 1 ? [columns[0]!, newColumn("")] : columns.slice(0, 1))
            }
          >
            {columns.length === 1 ? texts.compare : texts.alone}
          </Button>
          <Button
            variant="default"
            disabled={isBusy}
            onClick={() => setColumns(columns.map(({ model }) => newColumn(model)))}
          >
            {texts.clear}
          </Button>
        </>
      }
    >
      {replayed && <Notice tone="quiet">{texts.replayed}</Notice>}
      <div className={styles.room}>
        <div className={styles.talk}>
          <div className={styles.columns}>
            {columns.map((column, index) => (
              <section key={index} className={styles.column}>
                <Select
                  aria-label={index === 0 ? texts.model : texts.second}
                  data={names ?? []}
                  value={models[index]!}
                  onChange={(model) => change(index, () => ({ model: model ?? "" }))}
                  searchable
                  limit={200}
                  disabled={isBusy}
                />
                <Talk
                  column={column}
                  readKey={readKey}
                  onResults={(turn) => {
                    running.current = new AbortController()
                    void ask(index, turn)
                  }}
                />
              </section>
            ))}
          </div>
          {problem !== null && <Failure error={problem} />}
          <Composer
            isBusy={isBusy}
            canSend={models.every(Boolean)}
            body={body}
            onBody={setBody}
            onSend={askAll}
            onStop={() => running.current.abort()}
          />
        </div>
        <SetupPanel
          protocol={protocol}
          onProtocol={setProtocol}
          setup={setup}
          onChange={(changed: Partial<Setup>) => setSetup({ ...setup, ...changed })}
          isByHand={body !== null}
          onByHand={(byHand) => setBody(byHand ? bodyOf(protocol, setup, columns[0]!) : null)}
        />
      </div>
    </Page>
  )
}

function newColumn(model: string): Column {
  return { model, turns: [], exchange: null }
}

/** `turns` without a last one that got no answer: it is said anew. */
function answered(turns: Turn[]): Turn[] {
  return turns.slice(0, turns.findLastIndex((turn) => turn.role === "assistant") + 1)
}

/** The body of the conversation so far, to go on with by hand. */
function bodyOf(protocol: Protocol, setup: Setup, column: Column): string {
  const turns: Turn[] = column.turns.length
    ? column.turns
    : [{ role: "user", text: "", images: [] }]
  const readable = { ...setup, tools: orNothing(setup.tools), extra: orNothing(setup.extra) }
  const { model: _, stream: __, ...body } = buildRequest(protocol, "", readable, turns).body
  return JSON.stringify(body, null, 2)
}

function orNothing(json: string): string {
  try {
    JSON.parse(json)
    return json
  } catch {
    return ""
  }
}

interface TalkProps {
  column: Column
  readKey: () => Promise<string>
  onResults: (turn: Turn) => void
}

function Talk({ column, readKey, onResults }: TalkProps) {
  const texts = useTexts()
  const { turns, exchange } = column
  const last = turns.at(-1)
  const isKept = last?.role === "assistant"
  const isRunning = exchange !== null && !exchange.isOver
  return (
    <>
      {turns.length === 0 && !exchange && (
        <Text c="dimmed" ta="center" my="auto">
          {texts.begin}
        </Text>
      )}
      <div aria-live="polite" aria-busy={isRunning} className={styles.talk}>
        <Transcript turns={turns} />
        {exchange && !isKept && hasWords(exchange) && <TurnView turn={exchange.answer} />}
        {isRunning && !hasWords(exchange) && <Loader size="xs" />}
      </div>
      {exchange?.answer.error && <Failure error={new Error(exchange.answer.error)} />}
      {isKept && !isRunning && last.calls.length > 0 && (
        <Results
          key={turns.length}
          calls={last.calls}
          onSend={(results) => onResults({ role: "tool", results })}
        />
      )}
      {exchange && <Receipt exchange={exchange} readKey={readKey} />}
    </>
  )
}

function hasWords({ answer }: Exchange): boolean {
  return answer.text !== "" || answer.reasoning !== "" || answer.calls.length > 0
}

/** Aliases and models as clients name them; undefined until they are known. */
function useModelNames(): string[] | undefined {
  const { data } = useModels()
  return data && [...data.aliases.map(({ name }) => name), ...data.models.map(({ id }) => id)]
}

/** The default key, asked for when it is needed and kept in memory alone. */
function useKeyReader(): () => Promise<string> {
  const client = useQueryClient()
  return () =>
    client.fetchQuery({
      queryKey: ["default-secret"],
      queryFn: async () => (await take(api.GET("/admin/keys/default/secret"))).key,
    })
}
