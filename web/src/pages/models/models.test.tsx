import { screen } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { expect, test, vi } from "vitest"
import type { Schemas } from "../../api/client"
import { go } from "../../router"
import { show } from "../../stage"
import Models, { matches } from "./models"

function model(id: string, more: Partial<Schemas["ModelAnswer"]> = {}): Schemas["ModelAnswer"] {
  const [provider = "", name = ""] = id.split(":")
  return {
    id,
    provider,
    model: name,
    name,
    owned_by: "",
    created: 0,
    context_length: null,
    max_output: null,
    abilities: [],
    protocols: ["chat"],
    ...more,
  }
}

const MODELS = [
  model("anthropic:claude-opus-4-5", { context_length: 200_000, abilities: ["vision"] }),
  model("openai:gpt-4o"),
]

test.each([
  ["", true],
  ["opus", true],
  ["OPUS anthropic", true],
  ["vision claude", true],
  ["opus openai", false],
])("a search for %j", (search, found) => expect(matches(MODELS[0]!, search)).toBe(found))

test("a search narrows the list, and stands in the address", async () => {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(40)
  show(<Models />, {
    "GET /admin/models": { models: MODELS, aliases: [] },
    "GET /admin/prices": { file: [], database: [], models: [] },
  })
  expect(await screen.findByText("2 of 2")).toBeTruthy()
  await userEvent.type(screen.getByLabelText("Search models"), "gpt")
  expect(await screen.findByText("1 of 2")).toBeTruthy()
  expect(location.hash).toBe("#/models?search=gpt")
  go("#/models?search=nothing", { replace: true })
  expect(await screen.findByText("No model matches")).toBeTruthy()
})

test("aliases tell their targets in order", async () => {
  const alias = { name: "fast", targets: ["openai:gpt-4o", "anthropic:x"], strategy: "order" }
  show(<Models />, {
    "GET /admin/models": { models: MODELS, aliases: [alias] },
    "GET /admin/prices": { file: [], database: [], models: [] },
  })
  const targets = (await screen.findByText("fast")).closest("li")!
  expect(targets.textContent).toMatch(/openai:gpt-4o.*anthropic:x/)
})
