import { expect, test } from "vitest"
import { groupSettings, writeValue } from "./settings"

test("settings are grouped by their table, in their order", () => {
  const setting = (name: string) => ({ name, value: 1, origin: "default" })
  const groups = groupSettings(["server.port", "local.enabled", "server.host"].map(setting))
  expect([...groups.keys()]).toEqual(["server", "local"])
  expect(groups.get("server")!.map(({ name }) => name)).toEqual(["server.port", "server.host"])
})

test.each([
  ["127.0.0.1", "127.0.0.1"],
  [15, "15"],
  [true, "true"],
  [["a", "b"], '["a","b"]'],
])("the value %j on one line", (value, written) => expect(writeValue(value)).toBe(written))
