import { expect, test } from "vitest"
import { measure, MOST_GROUPS, plotCourse, roundUp, sum, type Series, type Sums } from "./course"

const NONE: Sums = {
  requests: 0,
  errors: 0,
  input_tokens: 0,
  cached_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  cache_write_tokens: 0,
  searches: 0,
  duration_ms: 0,
  cost_usd: 0,
  known_cost_usd: 0,
  unpriced_requests: 0,
  unmetered_requests: 0,
}

const TIMES = ["t0", "t1", "t2"]

function series(group: string, points: Record<string, Partial<Sums>>): Series {
  return {
    group,
    points: Object.entries(points).map(([at, more]) => ({ ...NONE, ...more, at })),
  }
}

test("tokens are all that went over the wire, each once", () => {
  const sums = {
    ...NONE,
    input_tokens: 1,
    cache_write_tokens: 1, // a part of the input
    cached_tokens: 10,
    output_tokens: 100,
    reasoning_tokens: 1000,
  }
  expect(measure(sums, "tokens")).toBe(1111)
})

test("times without a point are nothing", () => {
  const { groups } = plotCourse(TIMES, [series("a", { t1: { requests: 4 } })], "requests")
  expect(groups).toEqual([{ name: "a", values: [0, 4, 0], isRest: false }])
})

test("an unknown cost is marked, and hides nothing that is known", () => {
  const point = { cost_usd: null, known_cost_usd: 2, unpriced_requests: 1 }
  const course = plotCourse(TIMES, [series("a", { t2: point })], "cost")
  expect(course.groups[0]!.values).toEqual([0, 0, 2])
  expect(course.isPartial).toEqual([false, false, true])
  expect(plotCourse(TIMES, [series("a", { t2: point })], "tokens").isPartial).not.toContain(true)
})

test("small groups are drawn together, and nothing is lost", () => {
  const many = Array.from({ length: 9 }, (_, n) => series(`g${n}`, { t0: { requests: n + 1 } }))
  const { groups } = plotCourse(TIMES, many, "requests")
  expect(groups.map((group) => group.name)).toEqual(["g8", "g7", "g6", "g5", "g4", ""])
  expect(groups).toHaveLength(MOST_GROUPS)
  expect(groups.at(-1)!.isRest).toBe(true)
  expect(sum(groups.map((group) => sum(group.values)))).toBe(45)
})

test.each([
  [0, 1],
  [0.003, 0.005],
  [1, 1],
  [11, 20],
  [1000, 1000],
  [5001, 10_000],
])("an axis for %d ends at %d", (value, top) => expect(roundUp(value)).toBeCloseTo(top, 9))
