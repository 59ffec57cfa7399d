// What an answer says, read from its events or from its whole body, in each of the protocols.

import type { AnswerTurn, Protocol, ToolCall } from "./conversation"

// Answers come from anywhere: nothing is taken for granted about their shape.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = any

export interface Answer extends AnswerTurn {
  /** Calls that are being written, by their place in the answer. */
  open: Record<string, ToolCall>
  inputTokens: number | null
  outputTokens: number | null
  finish: string | null
  error: string | null
}

export function emptyAnswer(): Answer {
  return {
    role: "assistant",
    text: "",
    reasoning: "",
    calls: [],
    open: {},
    inputTokens: null,
    outputTokens: null,
    finish: null,
    error: null,
  }
}

/** The data of the complete events in `buffer`, and what is left of it. */
export function splitEvents(buffer: string): { events: string[]; rest: string } {
  const blocks = buffer.replace(/\r\n/g, "\n").split("\n\n")
  const rest = blocks.pop() ?? ""
  const events = blocks
    .map((block) =>
      block
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).replace(/^ /, ""))
        .join("\n"),
    )
    .filter((data) => data !== "" && data !== "[DONE]")
  return { events, rest }
}

/** `answer` and what one event adds to it. */
export function readEvent(protocol: Protocol, answer: Answer, data: string): Answer {
  const event = parse(data)
  if (event === null) return answer
  const next = { ...answer, open: { ...answer.open } }
  if (event.error) next.error = String(event.error.message ?? event.error)
  else EVENTS[protocol](next, event)
  next.calls = Object.values(next.open)
  return next
}

/** What a whole body says. */
export function readWhole(protocol: Protocol, body: string): Answer {
  const answer = emptyAnswer()
  const whole = parse(body)
  if (whole === null) return { ...answer, error: body.slice(0, 500) || "The answer is empty." }
  if (whole.error) return { ...answer, error: String(whole.error.message ?? whole.error) }
  WHOLES[protocol](answer, whole)
  answer.calls = Object.values(answer.open)
  return answer
}

function parse(text: string): Loose {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" ? value : null
  } catch {
    return null
  }
}

const EVENTS: Record<Protocol, (answer: Answer, event: Loose) => void> = {
  chat: (answer, event) => takeChat(answer, event, event.choices?.[0]?.delta),
  responses: takeResponsesEvent,
  messages: takeMessagesEvent,
  gemini: takeGemini,
}

const WHOLES: Record<Protocol, (answer: Answer, whole: Loose) => void> = {
  chat: (answer, whole) => takeChat(answer, whole, whole.choices?.[0]?.message),
  responses: (answer, whole) => {
    for (const [place, item] of (whole.output ?? []).entries()) takeItem(answer, item, place)
    endResponse(answer, whole)
  },
  messages: (answer, whole) => {
    for (const [place, block] of (whole.content ?? []).entries()) openBlock(answer, block, place)
    countMessages(answer, whole.usage)
    answer.finish = whole.stop_reason ?? null
  },
  gemini: takeGemini,
}

/** Chat's deltas and messages have the same members. */
function takeChat(answer: Answer, event: Loose, said: Loose): void {
  answer.text += said?.content ?? ""
  answer.text += said?.refusal ?? ""
  answer.reasoning += said?.reasoning_content ?? said?.reasoning ?? ""
  for (const [place, call] of (said?.tool_calls ?? []).entries()) {
    extendCall(answer, String(call.index ?? place), {
      id: call.id,
      name: call.function?.name,
      arguments: call.function?.arguments,
    })
  }
  answer.finish = event.choices?.[0]?.finish_reason ?? answer.finish
  answer.inputTokens = event.usage?.prompt_tokens ?? answer.inputTokens
  answer.outputTokens = event.usage?.completion_tokens ?? answer.outputTokens
}

function takeResponsesEvent(answer: Answer, event: Loose): void {
  switch (event.type) {
    case "response.output_text.delta":
    case "response.refusal.delta":
      answer.text += event.delta ?? ""
      break
    case "response.reasoning_text.delta":
    case "response.reasoning_summary_text.delta":
      answer.reasoning += event.delta ?? ""
      break
    case "response.output_item.done":
      if (event.item?.type === "function_call") takeItem(answer, event.item, event.output_index)
      break
    case "error":
      answer.error = String(event.message ?? "The provider reported an error.")
      break
    case "response.completed":
    case "response.incomplete":
    case "response.failed":
      endResponse(answer, event.response)
  }
}

function takeItem(answer: Answer, item: Loose, place: number): void {
  if (item.type === "function_call") {
    const { call_id: id, name, arguments: written } = item
    answer.open[String(place)] = { id, name, arguments: written ?? "" }
  } else if (item.type === "reasoning") {
    answer.reasoning += join([...(item.summary ?? []), ...(item.content ?? [])])
  } else {
    answer.text += join(item.content ?? [])
  }
}

function endResponse(answer: Answer, response: Loose): void {
  answer.inputTokens = response?.usage?.input_tokens ?? null
  answer.outputTokens = response?.usage?.output_tokens ?? null
  answer.finish = response?.incomplete_details?.reason ?? response?.status ?? null
  if (response?.error) answer.error = String(response.error.message ?? "The answer failed.")
}

function takeMessagesEvent(answer: Answer, event: Loose): void {
  switch (event.type) {
    case "message_start":
      countMessages(answer, event.message?.usage)
      break
    case "content_block_start":
      openBlock(answer, event.content_block ?? {}, event.index)
      break
    case "content_block_delta":
      takeDelta(answer, event.delta ?? {}, String(event.index))
      break
    case "message_delta":
      countMessages(answer, event.usage)
      answer.finish = event.delta?.stop_reason ?? answer.finish
  }
}

function openBlock(answer: Answer, block: Loose, place: number): void {
  answer.text += block.text ?? ""
  answer.reasoning += block.thinking ?? ""
  if (block.signature) answer.signature = block.signature
  if (block.type === "tool_use") {
    const isWhole = Object.keys(block.input ?? {}).length > 0
    const written = isWhole ? JSON.stringify(block.input) : ""
    answer.open[String(place)] = { id: block.id, name: block.name, arguments: written }
  }
}

function takeDelta(answer: Answer, delta: Loose, place: string): void {
  answer.text += delta.text ?? ""
  answer.reasoning += delta.thinking ?? ""
  if (delta.signature) answer.signature = (answer.signature ?? "") + String(delta.signature)
  if (delta.partial_json) extendCall(answer, place, { arguments: delta.partial_json })
}

function countMessages(answer: Answer, usage: Loose): void {
  if (typeof usage?.input_tokens === "number") {
    answer.inputTokens =
      usage.input_tokens +
      (usage.cache_read_input_tokens ?? 0) +
      (usage.cache_creation_input_tokens ?? 0)
  }
  answer.outputTokens = usage?.output_tokens ?? answer.outputTokens
}

/** Gemini's events are whole answers with the parts that are new. */
function takeGemini(answer: Answer, event: Loose): void {
  const candidate = event.candidates?.[0]
  for (const part of candidate?.content?.parts ?? []) {
    if (part.thought) answer.reasoning += part.text ?? ""
    else answer.text += part.text ?? ""
    if (part.functionCall) {
      const { id, name, args } = part.functionCall
      const place = String(Object.keys(answer.open).length)
      answer.open[place] = {
        id: id ?? `call_${place}`,
        name,
        arguments: JSON.stringify(args ?? {}),
        ...(part.thoughtSignature ? { signature: part.thoughtSignature } : {}),
      }
    }
  }
  const usage = event.usageMetadata
  answer.inputTokens = usage?.promptTokenCount ?? answer.inputTokens
  if (usage)
    answer.outputTokens = (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0)
  answer.finish = candidate?.finishReason ?? answer.finish
}

function extendCall(answer: Answer, place: string, more: Partial<ToolCall>): void {
  const known = answer.open[place] ?? { id: "", name: "", arguments: "" }
  answer.open[place] = {
    ...known,
    id: more.id || known.id,
    name: more.name || known.name,
    arguments: known.arguments + (more.arguments ?? ""),
  }
}

function join(parts: { text?: string; refusal?: string }[]): string {
  return parts.map((part) => part.text ?? part.refusal ?? "").join("")
}
