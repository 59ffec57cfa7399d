// The request that carries a conversation, in each of the protocols.

import type { AnswerTurn, Protocol, Setup, Turn, UserTurn } from "./conversation"

type Json = Record<string, unknown>

export interface Outgoing {
  /** Relative to the gateway's address. */
  path: string
  headers: Record<string, string>
  body: Json
}

/** Anthropic has no default of its own. */
const MAX_TOKENS = 4096

/** The request for the next answer. Throws SyntaxError where the tools or extras are no JSON. */
export function buildRequest(
  protocol: Protocol,
  model: string,
  setup: Setup,
  turns: Turn[],
): Outgoing {
  const tools = setup.tools.trim() ? readTools(setup.tools) : []
  const extra = setup.extra.trim() ? (JSON.parse(setup.extra) as Json) : {}
  const body = BUILDERS[protocol](setup, turns, tools)
  return address(protocol, model, setup.stream, { ...body, ...extra })
}

/** A body, with the path and the members that say which model is asked and whether it streams. */
export function address(protocol: Protocol, model: string, stream: boolean, body: Json): Outgoing {
  if (protocol === "gemini") {
    const method = stream ? "streamGenerateContent?alt=sse" : "generateContent"
    return { path: `/v1beta/models/${encodeURI(model)}:${method}`, headers: {}, body }
  }
  const headers: Record<string, string> =
    protocol === "messages" ? { "anthropic-version": "2023-06-01" } : {}
  return { path: PATHS[protocol], headers, body: { ...body, model, stream } }
}

const PATHS = {
  chat: "/v1/chat/completions",
  responses: "/v1/responses",
  messages: "/v1/messages",
}

const BUILDERS: Record<Protocol, (setup: Setup, turns: Turn[], tools: Json[]) => Json> = {
  chat: buildChat,
  responses: buildResponses,
  messages: buildMessages,
  gemini: buildGemini,
}

function buildChat(setup: Setup, turns: Turn[], tools: Json[]): Json {
  const system = setup.system ? [{ role: "system", content: setup.system }] : []
  return given({
    messages: [...system, ...turns.flatMap(chatMessages)],
    tools: tools.map((tool) => (isCustom(tool) ? { type: "function", function: tool } : tool)),
    temperature: setup.temperature,
    top_p: setup.topP,
    max_tokens: setup.maxTokens,
    // Without this the gateway keeps the counts to itself.
    stream_options: setup.stream ? { include_usage: true } : {},
  })
}

function chatMessages(turn: Turn): Json[] {
  if (turn.role === "tool") {
    return turn.results.map(({ id, text }) => ({ role: "tool", tool_call_id: id, content: text }))
  }
  if (turn.role === "user") {
    const images = turn.images.map((url) => ({ type: "image_url", image_url: { url } }))
    const content = images.length ? [...images, { type: "text", text: turn.text }] : turn.text
    return [{ role: "user", content }]
  }
  const tool_calls = turn.calls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.arguments },
  }))
  return [{ role: "assistant", content: turn.text || null, ...given({ tool_calls }) }]
}

function buildResponses(setup: Setup, turns: Turn[], tools: Json[]): Json {
  return given({
    instructions: setup.system,
    input: turns.flatMap(responsesItems),
    tools: tools.map((tool) => (isCustom(tool) ? { type: "function", ...tool } : tool)),
    temperature: setup.temperature,
    top_p: setup.topP,
    max_output_tokens: setup.maxTokens,
  })
}

function responsesItems(turn: Turn): Json[] {
  if (turn.role === "tool") {
    return turn.results.map(({ id, text }) => ({
      type: "function_call_output",
      call_id: id,
      output: text,
    }))
  }
  if (turn.role === "user") {
    const images = turn.images.map((url) => ({ type: "input_image", image_url: url }))
    return [{ role: "user", content: [...images, { type: "input_text", text: turn.text }] }]
  }
  const calls = turn.calls.map((call) => ({
    type: "function_call",
    call_id: call.id,
    name: call.name,
    arguments: call.arguments,
  }))
  return [...(turn.text ? [{ role: "assistant", content: turn.text }] : []), ...calls]
}

function buildMessages(setup: Setup, turns: Turn[], tools: Json[]): Json {
  return given({
    max_tokens: setup.maxTokens || MAX_TOKENS,
    system: setup.system,
    messages: turns.map(anthropicMessage),
    tools: tools.map(({ parameters, ...tool }) =>
      "type" in tool ? tool : { ...tool, input_schema: parameters },
    ),
    temperature: setup.temperature,
    top_p: setup.topP,
  })
}

function anthropicMessage(turn: Turn): Json {
  if (turn.role === "tool") {
    const content = turn.results.map(({ id, text }) => ({
      type: "tool_result",
      tool_use_id: id,
      content: text,
    }))
    return { role: "user", content }
  }
  if (turn.role === "user") {
    const images = turn.images.map((url) => {
      const { type: media_type, data } = splitDataUrl(url)
      return { type: "image", source: { type: "base64", media_type, data } }
    })
    return { role: "user", content: [...images, { type: "text", text: turn.text }] }
  }
  return { role: "assistant", content: anthropicBlocks(turn) }
}

/** Reasoning goes back only with its signature: without one it would be refused. */
function anthropicBlocks(turn: AnswerTurn): Json[] {
  const thinking = turn.signature
    ? [{ type: "thinking", thinking: turn.reasoning, signature: turn.signature }]
    : []
  const text = turn.text ? [{ type: "text", text: turn.text }] : []
  const calls = turn.calls.map((call) => ({
    type: "tool_use",
    id: call.id,
    name: call.name,
    input: readObject(call.arguments),
  }))
  return [...thinking, ...text, ...calls]
}

function buildGemini(setup: Setup, turns: Turn[], tools: Json[]): Json {
  const declared = tools.filter(isCustom)
  const others = tools.filter((tool) => !isCustom(tool))
  return given({
    systemInstruction: setup.system ? { parts: [{ text: setup.system }] } : "",
    contents: turns.map(geminiContent),
    tools: [...(declared.length ? [{ functionDeclarations: declared }] : []), ...others],
    generationConfig: given({
      temperature: setup.temperature,
      topP: setup.topP,
      maxOutputTokens: setup.maxTokens,
    }),
  })
}

function geminiContent(turn: Turn): Json {
  if (turn.role === "tool") {
    const parts = turn.results.map(({ id, name, text }) => ({
      functionResponse: { id, name, response: { result: text } },
    }))
    return { role: "user", parts }
  }
  if (turn.role === "user") return { role: "user", parts: geminiParts(turn) }
  const text = turn.text ? [{ text: turn.text }] : []
  const calls = turn.calls.map((call) => ({
    functionCall: { id: call.id, name: call.name, args: readObject(call.arguments) },
    ...given({ thoughtSignature: call.signature ?? "" }),
  }))
  return { role: "model", parts: [...text, ...calls] }
}

function geminiParts(turn: UserTurn): Json[] {
  const images = turn.images.map((url) => {
    const { type: mimeType, data } = splitDataUrl(url)
    return { inlineData: { mimeType, data } }
  })
  return [...images, { text: turn.text }]
}

/** Tools in any protocol's own form, brought to name, description and parameters; a tool that the
 * provider has itself (with a `type` of its own) stays as it is. */
export function readTools(text: string): Json[] {
  const listed: unknown = JSON.parse(text)
  return (Array.isArray(listed) ? listed : [listed]).map((tool: Json) => {
    const nested = tool.type === "function" && "function" in tool ? (tool.function as Json) : tool
    const { type, input_schema, ...rest } = nested
    if (type !== undefined && type !== "function") return tool
    return input_schema ? { ...rest, parameters: input_schema } : rest
  })
}

function isCustom(tool: Json): boolean {
  return !("type" in tool) && "name" in tool
}

/** Without members that say nothing: empty texts, lists and objects. */
function given(members: Json): Json {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) =>
      typeof value === "object" && value !== null ? Object.keys(value).length > 0 : value !== "",
    ),
  )
}

function splitDataUrl(url: string): { type: string; data: string } {
  const [, type = "", data = ""] = /^data:([^;,]*);base64,(.*)$/s.exec(url) ?? []
  return { type, data }
}

function readObject(text: string): Json {
  try {
    return JSON.parse(text || "{}") as Json
  } catch {
    return {}
  }
}
