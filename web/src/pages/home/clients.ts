// How each client is pointed at the gateway: pure text, made of an address, a key and a model.

export interface Target {
  /** The gateway's address, without a slash at the end. */
  base: string
  key: string
  model: string
}

/** What to do in a client: run or save something, or fill in the fields of its settings. */
export type Step =
  | { kind: "code"; file?: string; code: string }
  | { kind: "fields"; place: string; fields: [name: string, value: string][] }

export interface Client {
  id: string
  name: string
  /** A text in connect.tsx that says what is special. */
  note?: "cursor" | "openWebui"
  steps: (target: Target) => Step[]
}

export const CLIENTS: Client[] = [
  { id: "curl", name: "curl", steps: curlSteps },
  { id: "openai", name: "OpenAI SDK", steps: openaiSteps },
  { id: "anthropic", name: "Anthropic SDK", steps: anthropicSteps },
  { id: "claude-code", name: "Claude Code", steps: claudeCodeSteps },
  { id: "codex", name: "Codex", steps: codexSteps },
  { id: "opencode", name: "opencode", steps: opencodeSteps },
  { id: "cursor", name: "Cursor", note: "cursor", steps: cursorSteps },
  { id: "cherry-studio", name: "Cherry Studio", steps: cherryStudioSteps },
  { id: "open-webui", name: "Open WebUI", note: "openWebui", steps: openWebuiSteps },
]

/** `text` as one word of a shell. */
export function quoteShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function curlSteps({ base, key, model }: Target): Step[] {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Say hello." }] })
  return [
    {
      kind: "code",
      code: [
        `curl ${quoteShell(`${base}/v1/chat/completions`)} \\`,
        `  -H ${quoteShell(`Authorization: Bearer ${key}`)} \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d ${quoteShell(body)}`,
      ].join("\n"),
    },
  ]
}

// A JSON string is a Python string too.
const quote = JSON.stringify

function openaiSteps({ base, key, model }: Target): Step[] {
  return [
    {
      kind: "code",
      code: `from openai import OpenAI

client = OpenAI(base_url=${quote(`${base}/v1`)}, api_key=${quote(key)})
answer = client.chat.completions.create(
    model=${quote(model)},
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)`,
    },
  ]
}

function anthropicSteps({ base, key, model }: Target): Step[] {
  return [
    {
      kind: "code",
      code: `from anthropic import Anthropic

client = Anthropic(base_url=${quote(base)}, api_key=${quote(key)})
message = client.messages.create(
    model=${quote(model)},
    max_tokens=500,
    messages=[{"role": "user", "content": "Say hello."}],
)
print(message.content[0].text)`,
    },
  ]
}

function claudeCodeSteps({ base, key, model }: Target): Step[] {
  return [
    {
      kind: "code",
      code: [
        `ANTHROPIC_BASE_URL=${quoteShell(base)} \\`,
        `ANTHROPIC_AUTH_TOKEN=${quoteShell(key)} \\`,
        `ANTHROPIC_MODEL=${quoteShell(model)} \\`,
        `ANTHROPIC_DEFAULT_HAIKU_MODEL=${quoteShell(model)} claude`,
      ].join("\n"),
    },
  ]
}

function codexSteps({ base, key, model }: Target): Step[] {
  return [
    {
      kind: "code",
      file: "~/.codex/config.toml",
      code: `model = ${quote(model)}
model_provider = "dragoman"

[model_providers.dragoman]
name = "Dragoman"
base_url = ${quote(`${base}/v1`)}
env_key = "DRAGOMAN_KEY"
wire_api = "responses"`,
    },
    { kind: "code", code: `DRAGOMAN_KEY=${quoteShell(key)} codex` },
  ]
}

function opencodeSteps({ base, key, model }: Target): Step[] {
  const settings = {
    $schema: "https://opencode.ai/config.json",
    provider: {
      dragoman: {
        npm: "@ai-sdk/openai-compatible",
        name: "Dragoman",
        options: { baseURL: `${base}/v1`, apiKey: key },
        models: { [model]: { name: model } },
      },
    },
    model: `dragoman/${model}`,
  }
  return [
    {
      kind: "code",
      file: "~/.config/opencode/opencode.json",
      code: JSON.stringify(settings, null, 2),
    },
    { kind: "code", code: "opencode" },
  ]
}

function cursorSteps({ base, key, model }: Target): Step[] {
  return [
    {
      kind: "fields",
      place: "Cursor Settings → Models → API Keys",
      fields: [
        ["OpenAI API Key", key],
        ["Override OpenAI Base URL", `${base}/v1`],
        ["Add Custom Model", model],
      ],
    },
  ]
}

function cherryStudioSteps({ base, key, model }: Target): Step[] {
  return [
    {
      kind: "fields",
      place: "Settings → Model Provider → Add → OpenAI",
      fields: [
        ["API Key", key],
        ["API Host", base],
        ["Model ID", model],
      ],
    },
  ]
}

function openWebuiSteps({ base, key }: Target): Step[] {
  return [
    {
      kind: "fields",
      place: "Admin Panel → Settings → Connections → OpenAI API",
      fields: [
        ["URL", `${base}/v1`],
        ["API Key", key],
      ],
    },
  ]
}
