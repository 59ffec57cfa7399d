// A request of the playground as something to run elsewhere.

import { quoteShell } from "../home/clients"
import type { Outgoing } from "./request"

export function asCurl(base: string, key: string, request: Outgoing): string {
  const headers = Object.entries({
    Authorization: `Bearer ${key}`,
    "Content-Type": "application/json",
    ...request.headers,
  })
  return [
    `curl ${request.body.stream || request.path.includes("stream") ? "-N " : ""}${quoteShell(base + request.path)} \\`,
    ...headers.map(([name, value]) => `  -H ${quoteShell(`${name}: ${value}`)} \\`),
    `  -d ${quoteShell(JSON.stringify(request.body))}`,
  ].join("\n")
}

/** Python with nothing but its standard library. */
export function asPython(base: string, key: string, request: Outgoing): string {
  const headers = {
    Authorization: `Bearer ${key}`,
    "Content-Type": "application/json",
    ...request.headers,
  }
  return `import json
import urllib.request

body = json.loads(${quotePython(JSON.stringify(request.body))})
request = urllib.request.Request(
    ${quotePython(base + request.path)},
    data=json.dumps(body).encode(),
    headers=${JSON.stringify(headers)},
)
with urllib.request.urlopen(request) as answer:
    for line in answer:
        print(line.decode(), end="")
`
}

/** A JSON string is a Python string too. */
function quotePython(text: string): string {
  return JSON.stringify(text)
}
