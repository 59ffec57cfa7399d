// A page as a test sees it: with the theme, and with a gateway that answers from a table.

import { QueryClientProvider } from "@tanstack/react-query"
import { render } from "@testing-library/react"
import type { ReactNode } from "react"
import { vi } from "vitest"
import { makeQueryClient } from "./api/queries"
import { Themed } from "./theme"

export interface Asked {
  method: string
  path: string
  body: unknown
}

/** What the gateway answers, by method and path: a body, or a status and a body. */
export type Answers = Record<string, unknown | (() => Response)>

export function refusal(status: number, message: string, param: string | null = null) {
  const error = { message, type: "invalid_request_error", param, code: "invalid_request" }
  return () => Response.json({ error }, { status })
}

/** Shows `page` in front of a gateway that has `answers`; gives what it was asked. */
export function show(page: ReactNode, answers: Answers = {}): Asked[] {
  const asked: Asked[] = []
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname
    const text = await request.text()
    asked.push({ method: request.method, path, body: text ? JSON.parse(text) : null })
    const answer = answers[`${request.method} ${path}`]
    if (answer === undefined) return refusal(404, `nothing at ${request.method} ${path}`)()
    return typeof answer === "function" ? (answer as () => Response)() : Response.json(answer)
  })
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <Themed>{page}</Themed>
    </QueryClientProvider>,
  )
  return asked
}
