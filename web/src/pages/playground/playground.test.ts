import { expect, test } from "vitest"
import { emptyAnswer, readEvent, readWhole, splitEvents } from "./answer"
import { PLAIN, PROTOCOLS, type Protocol, type Turn } from "./conversation"
import { address, buildRequest, readTools } from "./request"
import { asCurl, asPython } from "./snippets"

const PIXEL = "data:image/png;base64,AAAA"
const COUNTED = { stream_options: { include_usage: true } }
const TOOL = { name: "weather", description: "d", parameters: { type: "object" } }
const TURNS: Turn[] = [
  { role: "user", text: "Weather?", images: [PIXEL] },
  {
    role: "assistant",
    text: "",
    reasoning: "Hm",
    signature: "sig",
    calls: [{ id: "c1", name: "weather", arguments: '{"city":"Ulm"}' }],
  },
  { role: "tool", results: [{ id: "c1", name: "weather", text: "rain" }] },
]
const SETUP = { ...PLAIN, system: "Be brief.", maxTokens: 9, tools: JSON.stringify([TOOL]) }

function body(protocol: Protocol) {
  return buildRequest(protocol, "p:m", SETUP, TURNS).body
}

test("chat carries images, calls and results", () => {
  const { messages, tools, ...rest } = body("chat")
  expect(messages).toEqual([
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: PIXEL } },
        { type: "text", text: "Weather?" },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Ulm"}' } },
      ],
    },
    { role: "tool", tool_call_id: "c1", content: "rain" },
  ])
  expect(tools).toEqual([{ type: "function", function: TOOL }])
  expect(rest).toEqual({ ...COUNTED, max_tokens: 9, model: "p:m", stream: true })
})

test("responses carry the same as items", () => {
  expect(body("responses")).toMatchObject({
    instructions: "Be brief.",
    input: [
      { role: "user", content: [{ type: "input_image" }, { type: "input_text" }] },
      { type: "function_call", call_id: "c1", arguments: '{"city":"Ulm"}' },
      { type: "function_call_output", call_id: "c1", output: "rain" },
    ],
    tools: [{ type: "function", ...TOOL }],
    max_output_tokens: 9,
  })
})

test("messages give reasoning back with its signature", () => {
  expect(body("messages")).toMatchObject({
    system: "Be brief.",
    max_tokens: 9,
    messages: [
      { content: [{ source: { media_type: "image/png", data: "AAAA" } }, { text: "Weather?" }] },
      {
        content: [
          { type: "thinking", thinking: "Hm", signature: "sig" },
          { type: "tool_use", id: "c1", input: { city: "Ulm" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "rain" }] },
    ],
    tools: [{ name: "weather", input_schema: { type: "object" } }],
  })
})

test("gemini names the model in the path alone", () => {
  const { path, body: sent } = buildRequest("gemini", "p:m", SETUP, TURNS)
  expect(path).toBe("/v1beta/models/p:m:streamGenerateContent?alt=sse")
  expect(sent).toMatchObject({
    contents: [
      { role: "user", parts: [{ inlineData: { mimeType: "image/png" } }, { text: "Weather?" }] },
      { role: "model", parts: [{ functionCall: { name: "weather", args: { city: "Ulm" } } }] },
      { role: "user", parts: [{ functionResponse: { response: { result: "rain" } } }] },
    ],
    generationConfig: { maxOutputTokens: 9 },
  })
  expect(sent).not.toHaveProperty("model")
})

test("what is not set is not sent, and extras win", () => {
  const turns: Turn[] = [{ role: "user", text: "Hi", images: [] }]
  expect(buildRequest("chat", "p:m", PLAIN, turns).body).toEqual({
    ...COUNTED,
    messages: [{ role: "user", content: "Hi" }],
    model: "p:m",
    stream: true,
  })
  const setup = { ...PLAIN, temperature: 0, extra: '{"seed": 1, "temperature": 2}' }
  expect(buildRequest("chat", "p:m", setup, turns).body).toMatchObject({ seed: 1, temperature: 2 })
  expect(() => buildRequest("chat", "p:m", { ...PLAIN, extra: "{" }, turns)).toThrow(SyntaxError)
})

test("a replayed body keeps all but its model and stream", () => {
  const sent = address("messages", "q:n", false, { model: "old", stream: true, thinking: { x: 1 } })
  expect(sent.body).toEqual({ model: "q:n", stream: false, thinking: { x: 1 } })
})

test.each([
  ["neutral", [TOOL]],
  ["chat's", [{ type: "function", function: TOOL }]],
  ["responses'", { type: "function", ...TOOL }],
  ["messages'", [{ name: "weather", description: "d", input_schema: { type: "object" } }]],
])("%s form of a tool is understood", (_, tools) => {
  expect(readTools(JSON.stringify(tools))).toEqual([TOOL])
})

test("a provider's own tool stays as it is", () => {
  const tool = { type: "web_search_20250305", name: "web_search" }
  expect(readTools(JSON.stringify([tool]))).toEqual([tool])
})

const STREAMS: Record<Protocol, object[]> = {
  chat: [
    { choices: [{ delta: { reasoning_content: "Hm" } }] },
    { choices: [{ delta: { content: "Hel" } }] },
    { choices: [{ delta: { content: "lo" } }] },
    {
      choices: [
        { delta: { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "{" } }] } },
      ],
    },
    {
      choices: [
        {
          delta: { tool_calls: [{ index: 0, function: { arguments: "}" } }] },
          finish_reason: "stop",
        },
      ],
    },
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } },
  ],
  responses: [
    { type: "response.reasoning_summary_text.delta", delta: "Hm" },
    { type: "response.output_text.delta", delta: "Hello" },
    {
      type: "response.output_item.done",
      output_index: 1,
      item: { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    },
    {
      type: "response.completed",
      response: { status: "stop", usage: { input_tokens: 3, output_tokens: 2 } },
    },
  ],
  messages: [
    { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
    { type: "content_block_delta", index: 0, delta: { thinking: "Hm" } },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { text: "Hello" } },
    {
      type: "content_block_start",
      index: 2,
      content_block: { type: "tool_use", id: "c", name: "f", input: {} },
    },
    { type: "content_block_delta", index: 2, delta: { partial_json: "{}" } },
    { type: "message_delta", delta: { stop_reason: "stop" }, usage: { output_tokens: 2 } },
  ],
  gemini: [
    { candidates: [{ content: { parts: [{ text: "Hm", thought: true }, { text: "Hel" }] } }] },
    {
      candidates: [
        {
          content: { parts: [{ text: "lo" }, { functionCall: { id: "c", name: "f", args: {} } }] },
          finishReason: "stop",
        },
      ],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2 },
    },
  ],
}

const SAID = {
  text: "Hello",
  reasoning: "Hm",
  calls: [{ id: "c", name: "f", arguments: "{}" }],
  inputTokens: 3,
  outputTokens: 2,
  finish: "stop",
  error: null,
}

test.each(PROTOCOLS)("a stream of %s is read, cut anywhere", (protocol) => {
  const wire = STREAMS[protocol].map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join("")
  for (const size of [1, 7, wire.length]) {
    let buffer = ""
    let answer = emptyAnswer()
    for (let at = 0; at < wire.length; at += size) {
      const { events, rest } = splitEvents(buffer + wire.slice(at, at + size))
      buffer = rest
      answer = events.reduce((known, data) => readEvent(protocol, known, data), answer)
    }
    expect(answer).toMatchObject(SAID)
  }
})

test.each([
  ["chat", { choices: [{ message: { content: "Hello" } }] }],
  ["responses", { output: [{ type: "message", content: [{ text: "Hello" }] }] }],
  ["messages", { content: [{ type: "text", text: "Hello" }] }],
  ["gemini", { candidates: [{ content: { parts: [{ text: "Hello" }] } }] }],
] as const)("a whole answer of %s is read", (protocol, whole) => {
  expect(readWhole(protocol, JSON.stringify(whole)).text).toBe("Hello")
})

test("errors are told, and nonsense breaks nothing", () => {
  const failed = readEvent("chat", emptyAnswer(), '{"error":{"message":"gone"}}')
  expect(failed.error).toBe("gone")
  for (const protocol of PROTOCOLS) {
    for (const data of [
      "",
      "[]",
      "null",
      "7",
      '{"choices":[]}',
      '{"type":"content_block_delta"}',
    ]) {
      expect(readEvent(protocol, emptyAnswer(), data).text).toBe("")
    }
  }
  expect(readWhole("chat", "<html>").error).toBe("<html>")
})

test("snippets survive quotes", () => {
  const turns: Turn[] = [{ role: "user", text: `it's "so"`, images: [] }]
  const request = buildRequest("messages", "p:m", PLAIN, turns)
  const curl = asCurl("http://h", "sk-k", request)
  expect(curl).toContain(`it'\\''s`)
  expect(curl).toContain("anthropic-version: 2023-06-01")
  expect(asPython("http://h", "sk-k", request)).toContain(`it's \\\\\\"so\\\\\\"`)
})
