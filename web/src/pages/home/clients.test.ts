import { expect, test } from "vitest"
import { CLIENTS, quoteShell, type Step } from "./clients"

const TARGET = { base: "http://127.0.0.1:23333", key: "sk-dragoman-KEY", model: "my-openai:gpt-4o" }

function textOf(step: Step): string {
  return step.kind === "code" ? step.code : step.fields.map(([, value]) => value).join("\n")
}

test.each(CLIENTS)("$name is told address and key", (client) => {
  const text = client.steps(TARGET).map(textOf).join("\n")
  expect(text).toContain(TARGET.base)
  expect(text).toContain(TARGET.key)
})

test("Anthropic's clients add the version themselves", () => {
  for (const id of ["anthropic", "claude-code"]) {
    const client = CLIENTS.find((each) => each.id === id)!
    expect(client.steps(TARGET).map(textOf).join("\n")).not.toContain("/v1")
  }
})

test("opencode's settings are JSON that names the model", () => {
  const [step] = CLIENTS.find((each) => each.id === "opencode")!.steps(TARGET)
  const settings = JSON.parse(textOf(step!)) as { model: string }
  expect(settings.model).toBe("dragoman/my-openai:gpt-4o")
})

test.each([
  ["abc", "abc"],
  ["a b", "'a b'"],
  ["it's", "'it'\\''s'"],
  ["$(rm -rf ~)", "'$(rm -rf ~)'"],
  ["", "''"],
])("%s as a word of a shell", (text, word) => expect(quoteShell(text)).toBe(word))

test("a model's name cannot break out of a command", () => {
  const evil = { ...TARGET, model: "a:'; rm -rf ~ #" }
  const [step] = CLIENTS.find((each) => each.id === "curl")!.steps(evil)
  const body = textOf(step!).split("-d ")[1]!
  expect(body.startsWith("'")).toBe(true)
  expect(body.slice(1, -1).replaceAll("'\\''", "")).not.toContain("'")
})
