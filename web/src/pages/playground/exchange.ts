// One request to the gateway, as any client would send it, and all that came back.

import { baseUrl, readFailure } from "../../api/client"
import { emptyAnswer, readEvent, readWhole, splitEvents, type Answer } from "./answer"
import type { Protocol } from "./conversation"
import type { Outgoing } from "./request"

/** What went over the wire, and what it meant so far. */
export interface Exchange {
  protocol: Protocol
  request: Outgoing
  status: number | null
  headers: Record<string, string>
  raw: string
  answer: Answer
  isOver: boolean
}

/** Sends `request` and reports what has arrived, at each piece and at the end. Every failure is
 * told in the answer; an abort leaves what was there. */
export async function send(
  protocol: Protocol,
  request: Outgoing,
  key: string,
  signal: AbortSignal,
  report: (exchange: Exchange) => void,
): Promise<Exchange> {
  let current: Exchange = {
    protocol,
    request,
    status: null,
    headers: {},
    raw: "",
    answer: emptyAnswer(),
    isOver: false,
  }
  const change = (more: Partial<Exchange>) => report((current = { ...current, ...more }))
  try {
    const response = await fetch(
      new Request(baseUrl + request.path, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${key}`,
          ...request.headers,
        },
        body: JSON.stringify(request.body),
        signal,
      }),
    )
    change({ status: response.status, headers: Object.fromEntries(response.headers) })
    if (!response.ok) await takeRefusal(response, current, change)
    else if (response.headers.get("content-type")?.includes("event-stream")) {
      await follow(response, () => current, change)
    } else {
      const raw = await response.text()
      change({ raw, answer: readWhole(protocol, raw) })
    }
  } catch (error) {
    const text = signal.aborted ? null : error instanceof Error ? error.message : String(error)
    change({ answer: { ...current.answer, error: text } })
  }
  change({ isOver: true })
  return current
}

type Change = (more: Partial<Exchange>) => void

async function takeRefusal(response: Response, current: Exchange, change: Change): Promise<void> {
  const raw = await response.clone().text()
  const { message } = await readFailure(response)
  change({ raw, answer: { ...current.answer, error: message } })
}

async function follow(response: Response, now: () => Exchange, change: Change): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const { events, rest } = splitEvents(buffer + value)
    buffer = rest
    const { protocol, answer, raw } = now()
    change({
      raw: raw + value,
      answer: events.reduce((known, data) => readEvent(protocol, known, data), answer),
    })
  }
}
