// One conversation with the vendors' Node SDKs: node sdks.mjs SCENARIO URL KEY MODEL
// Run where node_modules has them; prints what the client understood, as JSON.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(pathToFileURL(`${process.env.NODE_PACKAGES}/x.js`));
const OpenAI = require("openai").default;
const Anthropic = require("@anthropic-ai/sdk").default;
const { betaTool } = require("@anthropic-ai/sdk/helpers/beta/json-schema");
const { jsonSchemaOutputFormat } = require("@anthropic-ai/sdk/helpers/json-schema");

const [scenario, url, key, model] = process.argv.slice(2);
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });

const messages = [{ role: "user", content: "Is there rain?" }];
const asked = { model, messages, max_tokens: 4000 };
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const schema = {
  type: "object",
  properties: { city: { type: "string" }, rain: { type: "boolean" } },
  required: ["city", "rain"],
  additionalProperties: false,
};
const weather = ({ city }) => `Rain in ${city}.`;
const textOf = (message) =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

const chatTools = (stream) => {
  const declared = { name: "get_weather", parameters, parse: JSON.parse, function: weather };
  const tools = [{ type: "function", function: declared }];
  return openai.chat.completions.runTools({ model, messages, tools, stream }).finalContent();
};

const messagesTools = async (stream) => {
  const run = weather;
  const tools = [
    betaTool({ name: "get_weather", description: "Tells it.", inputSchema: parameters, run }),
  ];
  // On a relay a thread would be the provider's business.
  const options = model.startsWith("by-messages:") ? { thread: false } : {};
  const runner = anthropic.beta.messages.toolRunner({ ...asked, ...options, tools, stream });
  return textOf(await runner.runUntilDone());
};

const scenarios = {
  "chat-tools": () => chatTools(false),
  "chat-tools-streamed": () => chatTools(true),
  "chat-parsed": async () => {
    const json_schema = { name: "forecast", schema, strict: true };
    const response_format = { type: "json_schema", json_schema };
    const told = await openai.chat.completions.parse({ model, messages, response_format });
    return JSON.parse(told.choices[0].message.content);
  },
  "chat-streamed": async () => {
    const stream = openai.chat.completions.stream({ model, messages });
    return (await stream.finalChatCompletion()).choices[0].message.content;
  },
  "responses-streamed": async () => {
    const stream = openai.responses.stream({ model, input: messages });
    return (await stream.finalResponse()).output_text;
  },
  "responses-parsed": async () => {
    const format = { type: "json_schema", name: "forecast", schema, strict: true };
    const told = await openai.responses.parse({ model, input: messages, text: { format } });
    return JSON.parse(told.output_text);
  },
  "messages-tools": () => messagesTools(false),
  "messages-tools-streamed": () => messagesTools(true),
  "messages-parsed": async () => {
    const output_config = { format: jsonSchemaOutputFormat(schema) };
    return (await anthropic.messages.parse({ ...asked, output_config })).parsed_output;
  },
  "messages-streamed": async () =>
    textOf(await anthropic.messages.stream({ ...asked }).finalMessage()),
};

let told;
try {
  told = { answer: await scenarios[scenario]() };
} catch (error) {
  told = { error: error.constructor.name, status: error.status ?? null, message: error.message };
}
console.log(JSON.stringify(told));
