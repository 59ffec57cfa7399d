// A conversation as the playground holds it, whichever protocol carries it.

export interface ToolCall {
  id: string
  name: string
  /** JSON, as the model wrote it. */
  arguments: string
  /** What Gemini wants back with the call. */
  signature?: string
}

export interface ToolResult {
  id: string
  name: string
  text: string
}

export interface UserTurn {
  role: "user"
  text: string
  /** `data:` URLs. */
  images: string[]
}

export interface AnswerTurn {
  role: "assistant"
  text: string
  reasoning: string
  /** What Anthropic wants back with the reasoning. */
  signature?: string
  calls: ToolCall[]
}

export interface ResultsTurn {
  role: "tool"
  results: ToolResult[]
}

export type Turn = UserTurn | AnswerTurn | ResultsTurn

export const PROTOCOLS = ["chat", "responses", "messages", "gemini"] as const
export type Protocol = (typeof PROTOCOLS)[number]

/** What holds for every request; empty texts and numbers are left to the provider. */
export interface Setup {
  system: string
  temperature: number | ""
  topP: number | ""
  maxTokens: number | ""
  stream: boolean
  /** A JSON list of tools. */
  tools: string
  /** A JSON object of whatever else the body is to hold. */
  extra: string
}

export const PLAIN: Setup = {
  system: "",
  temperature: "",
  topP: "",
  maxTokens: "",
  stream: true,
  tools: "",
  extra: "",
}
