import { expect, test } from "vitest"
import { diffLines, layOut } from "./diff"
import { identify, putBefore, type LoggedRequest, type LogPage } from "./log"
import { divideTime, formatMs } from "./timing"

function request(id: string, more: Partial<LoggedRequest> = {}): LoggedRequest {
  return { id, at: `2026-11-24T08:00:0${id}Z`, failures: [], ...more } as LoggedRequest
}

function page(ids: string[], next: string | null): LogPage {
  return { requests: ids.map((id) => request(id)), next }
}

const ids = (pages: LogPage[]) => pages.map((each) => each.requests.map(({ id }) => id).join(""))

test("what is new stands before what is known, once", () => {
  const known = { pages: [page(["3", "2"], "a"), page(["1"], null)], pageParams: [null, "a"] }
  const merged = putBefore(known, page(["5", "4", "3"], "b"))
  expect(ids(merged.pages)).toEqual(["5432", "1"])
  expect(merged.pages[0]!.next).toBe("a")
  expect(putBefore(merged, page(["5", "4", "3"], "b"))).toBe(merged)
})

test("where more came than a page holds, what is known is read again", () => {
  const known = { pages: [page(["2", "1"], "a")], pageParams: [null] }
  expect(ids(putBefore(known, page(["9", "8"], "b")).pages)).toEqual(["98"])
})

test("the first requests of an empty log appear", () => {
  const known = { pages: [page([], null)], pageParams: [null] }
  expect(ids(putBefore(known, page(["1"], null)).pages)).toEqual(["1"])
})

test("requests that share an id are told apart by their time", () => {
  expect(identify(request("1"))).not.toBe(identify(request("1", { at: "2026-11-24T09:00:00Z" })))
})

test.each([
  [{ duration_ms: 900, first_byte_ms: 300 }, ["waiting 300", "answering 600"]],
  [{ duration_ms: 50, first_byte_ms: null }, ["waiting 50"]],
  [
    { duration_ms: 900, first_byte_ms: 700, failures: [{ target: "a:m", ms: 400 }] },
    ["failed 400", "waiting 300", "answering 200"],
  ],
  [
    { duration_ms: 100, first_byte_ms: null, failures: [{ target: "a:m", ms: 130 }] },
    ["failed 100"],
  ],
  [{ duration_ms: 0, first_byte_ms: 0 }, []],
])("the time of %j", (times, phases) => {
  const whole = request("1", times as Partial<LoggedRequest>)
  expect(divideTime(whole).map(({ kind, ms }) => `${kind} ${ms}`)).toEqual(phases)
})

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1_240, "1.24 s"],
  [12_340, "12.3 s"],
  [95_400, "95 s"],
])("%i milliseconds are %s", (ms, text) => expect(formatMs(ms)).toBe(text))

const show = (one: string, other: string) =>
  diffLines(one, other)
    .map(({ mark, text }) => mark + text)
    .join("|")

test.each([
  ["a\nb\nc", "a\nb\nc", " a| b| c"],
  ["a\nb\nc", "a\nx\nc", " a|-b|+x| c"],
  ["a\nb", "a\nb\nc", " a| b|+c"],
  ["a\nb\nc\nd", "b\nd\ne", "-a| b|-c| d|+e"],
  ["a", "", "-a|+"],
])("from %j to %j", (one, other, lines) => expect(show(one, other)).toBe(lines))

test("a difference gives back both texts", () => {
  const one = Array.from({ length: 60 }, (_, n) => `${(n * 7) % 11}`).join("\n")
  const other = Array.from({ length: 70 }, (_, n) => `${(n * 5) % 13}`).join("\n")
  const lines = diffLines(one, other)
  const side = (mark: string) =>
    lines
      .filter((line) => line.mark !== mark)
      .map((line) => line.text)
      .join("\n")
  expect([side("+"), side("-")]).toEqual([one, other])
})

test("texts too large to compare still show both", () => {
  const lines = (from: number) => Array.from({ length: 3_000 }, (_, n) => `${from + n}`).join("\n")
  expect(diffLines(lines(0), lines(10_000))).toHaveLength(6_000)
})

test("JSON is laid out; a body that was cut short stays as it is", () => {
  expect(layOut('{"a":1}')).toBe('{\n  "a": 1\n}')
  expect(layOut('{"a":\n[cut: 9 bytes in all]')).toBe('{"a":\n[cut: 9 bytes in all]')
})
