// A conversation as it reads. Whatever a model writes is shown as text, never as markup.

import { Button, Text, Textarea } from "@mantine/core"
import { useState } from "react"
import { defineTexts } from "../../i18n"
import type { AnswerTurn, ToolCall, ToolResult, Turn } from "./conversation"
import styles from "./playground.module.css"

const useTexts = defineTexts({
  en: {
    user: "You",
    assistant: "Model",
    tool: "Tool results",
    reasoning: "Reasoning",
    image: "Attached image",
    calls: (name: string) => `Calls ${name}`,
    result: (name: string) => `Result of ${name}`,
    send: "Send the results",
  },
  zh: {
    user: "你",
    assistant: "模型",
    tool: "工具结果",
    reasoning: "推理过程",
    image: "附带的图片",
    calls: (name: string) => `调用 ${name}`,
    result: (name: string) => `${name} 的结果`,
    send: "发送结果",
  },
})

export function Transcript({ turns }: { turns: Turn[] }) {
  return turns.map((turn, index) => <TurnView key={index} turn={turn} />)
}

export function TurnView({ turn }: { turn: Turn }) {
  const texts = useTexts()
  return (
    <article className={styles.turn} data-role={turn.role} aria-label={texts[turn.role]}>
      <Text size="xs" fw={600} c="dimmed">
        {texts[turn.role]}
      </Text>
      {turn.role === "user" && (
        <>
          {turn.images.map((url, index) => (
            <img key={index} src={url} alt={texts.image} className={styles.image} />
          ))}
          <p className={styles.words}>{turn.text}</p>
        </>
      )}
      {turn.role === "tool" &&
        turn.results.map((result) => (
          <p key={result.id} className={styles.words}>
            {`${result.name}: ${result.text}`}
          </p>
        ))}
      {turn.role === "assistant" && <AnswerView answer={turn} />}
    </article>
  )
}

function AnswerView({ answer }: { answer: AnswerTurn }) {
  const texts = useTexts()
  return (
    <>
      {answer.reasoning && (
        <details className={styles.reasoning} open={!answer.text}>
          <summary>{texts.reasoning}</summary>
          <p className={styles.words}>{answer.reasoning}</p>
        </details>
      )}
      {answer.text && <p className={styles.words}>{answer.text}</p>}
      {answer.calls.map((call, index) => (
        <div key={index} className={styles.call}>
          <Text size="sm" fw={600}>
            {texts.calls(call.name)}
          </Text>
          <pre>{call.arguments}</pre>
        </div>
      ))}
    </>
  )
}

interface ResultsProps {
  calls: ToolCall[]
  onSend: (results: ToolResult[]) => void
}

/** Where a person plays the tools. */
export function Results({ calls, onSend }: ResultsProps) {
  const texts = useTexts()
  const [written, setWritten] = useState<string[]>([])
  const results = calls.map(({ id, name }, index) => ({ id, name, text: written[index] ?? "" }))
  return (
    <form
      className={styles.results}
      onSubmit={(event) => {
        event.preventDefault()
        onSend(results)
      }}
    >
      {results.map(({ name, text }, index) => (
        <Textarea
          key={index}
          label={texts.result(name)}
          autosize
          maxRows={8}
          value={text}
          onChange={(event) =>
            setWritten(
              calls.map((_, at) => (at === index ? event.target.value : (written[at] ?? ""))),
            )
          }
        />
      ))}
      <Button type="submit" variant="default" size="xs">
        {texts.send}
      </Button>
    </form>
  )
}
