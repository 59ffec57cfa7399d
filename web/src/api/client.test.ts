import { expect, test, vi } from "vitest"
import { api, ApiError, readFailure, take } from "./client"

test("a refusal is told in the gateway's words", async () => {
  const error = { message: "The id is taken.", type: "x", param: "id", code: "conflict" }
  const failure = await readFailure(Response.json({ error }, { status: 409 }))
  expect(failure).toMatchObject({
    message: "The id is taken.",
    status: 409,
    code: "conflict",
    param: "id",
  })
})

test.each(["", "<html>", '{"error":"text"}', "null", "{}"])(
  "an answer of something in between is a failure too: %s",
  async (text) => {
    const failure = await readFailure(new Response(text, { status: 502, statusText: "Bad" }))
    expect(failure).toBeInstanceOf(ApiError)
    expect(failure.status).toBe(502)
  },
)

test("a refused request throws", async () => {
  vi.stubGlobal("fetch", () =>
    Promise.resolve(Response.json({ error: { message: "no" } }, { status: 403 })),
  )
  await expect(take(api.GET("/admin/status"))).rejects.toMatchObject({ message: "no", status: 403 })
})

test("a gateway that does not answer is status 0", async () => {
  await expect(take(api.GET("/admin/status"))).rejects.toMatchObject({ status: 0 })
})
