import { expect, test } from "vitest"
import {
  changedSpec,
  draftOf,
  draftOfSpec,
  findFreeId,
  specOf,
  type Preset,
  type Spec,
} from "./draft"

const DEEPSEEK: Preset = {
  id: "deepseek",
  name: "DeepSeek",
  type: "openai-compatible",
  base_url: "https://api.deepseek.com/v1",
  example: "",
  base_urls: {},
  protocols: ["chat"],
  needs_key: true,
  environment_keys: ["DEEPSEEK_API_KEY"],
  key_url: "",
  docs_url: "",
  note: "",
}
const { type: _, ...OLLAMA } = { ...DEEPSEEK, id: "ollama", needs_key: false }

test("a preset is named and not repeated", () => {
  const draft = { ...draftOf(DEEPSEEK, []), keys: [" sk-1 ", ""] }
  expect(specOf(draft, DEEPSEEK)).toEqual({
    id: "deepseek",
    preset: "deepseek",
    api_keys: ["sk-1"],
  })
})

test("what differs from the preset is said", () => {
  const draft = {
    ...draftOf(DEEPSEEK, ["deepseek"]),
    baseUrl: "http://lab:1",
    name: "Lab",
    models: ["m"],
    proxy: "http://proxy:1",
  }
  expect(specOf(draft, DEEPSEEK)).toEqual({
    id: "deepseek-2",
    preset: "deepseek",
    name: "Lab",
    base_url: "http://lab:1",
    api_keys: [],
    models: ["m"],
    proxy: "http://proxy:1",
  })
})

test("a kind of server is a type, and asks for no key where it needs none", () => {
  const draft = draftOf(OLLAMA, [])
  expect(draft.keys).toEqual([])
  expect(specOf(draft, OLLAMA)).toMatchObject({ id: "ollama", type: "ollama" })
})

test("what the form does not show stays as it is stored", () => {
  const stored: Spec = {
    id: "lab",
    type: "openai-compatible",
    base_url: "http://lab:1",
    api_key: "sk-a…1111",
    api_keys: ["sk-b…2222"],
    headers: { "x-team": "…" },
    models: ["one", { id: "two", context_length: 8000 }],
    retries: 3,
  }
  const draft = draftOfSpec(stored)
  expect(draft.keys).toEqual(["sk-a…1111", "sk-b…2222"])
  expect(changedSpec(stored, { ...draft, name: "Lab" })).toEqual({
    ...stored,
    name: "Lab",
    api_key: null,
    api_keys: ["sk-a…1111", "sk-b…2222"],
    proxy: null,
  })
  expect(changedSpec(stored, { ...draft, models: [], baseUrl: "" })).toMatchObject({
    models: null,
    base_url: null,
  })
})

test.each([
  [[], "a"],
  [["b"], "a"],
  [["a"], "a-2"],
  [["a", "a-2"], "a-3"],
])("a free id beside %j", (taken, id) => expect(findFreeId("a", taken)).toBe(id))
