// The management API, typed by the gateway's own OpenAPI document. Every failure is an ApiError.

import createClient from "openapi-fetch"
import type { components, paths } from "../../generated/api"

export type Schemas = components["schemas"]

/** A refusal in the gateway's own words; `status` is 0 where no answer came at all. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly param: string | null,
  ) {
    super(message)
  }
}

/** Where the gateway is, without a slash at the end: a proxy may have put a prefix in front. */
export const baseUrl = new URL(".", document.baseURI).href.replace(/\/$/, "")

// `fetch` is looked up at each call, so that tests can put another in its place.
export const api = createClient<paths>({ baseUrl, fetch: (request) => fetch(request) })

api.use({
  async onResponse({ response }) {
    if (!response.ok) throw await readFailure(response)
  },
  onError({ error }) {
    return error instanceof ApiError ? error : new ApiError(String(error), 0, "unreachable", null)
  },
})

/** The body of a successful answer; failures were thrown before. */
export async function take<Body>(answer: Promise<{ data?: Body }>): Promise<Body> {
  return (await answer).data as Body
}

/** Exchanges an admin key for a session cookie. */
export async function logIn(key: string): Promise<void> {
  await api.POST("/admin/login", { headers: { authorization: `Bearer ${key}` } })
}

export async function readFailure(response: Response): Promise<ApiError> {
  const text = await response.text()
  try {
    const { error } = JSON.parse(text) as { error: Partial<ApiError> }
    return new ApiError(
      error.message ?? text,
      response.status,
      error.code ?? "",
      error.param ?? null,
    )
  } catch {
    return new ApiError(text || response.statusText, response.status, "", null)
  }
}
