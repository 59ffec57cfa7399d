// The numbers behind the charts of usage: pure arithmetic on what the gateway sums up.

import type { Schemas } from "../../api/client"

export type Sums = Omit<Schemas["PointAnswer"], "at">
export type Series = Schemas["SeriesAnswer"]

export const MEASURES = ["cost", "tokens", "requests", "errors"] as const
export type Measure = (typeof MEASURES)[number]

/** What a chart draws: for each group a value at each time. */
export interface Course {
  times: string[]
  groups: { name: string; values: number[]; isRest: boolean }[]
  /** Whether the value at a time lacks requests of unknown price. */
  isPartial: boolean[]
}

/** So many groups have a colour of their own. */
export const MOST_GROUPS = 6

/** A cost is that of the requests whose price is known. */
export function measure(sums: Sums, what: Measure): number {
  switch (what) {
    case "cost":
      return sums.known_cost_usd
    case "tokens":
      return sums.input_tokens + sums.cached_tokens + sums.output_tokens + sums.reasoning_tokens
    case "requests":
      return sums.requests
    case "errors":
      return sums.errors
  }
}

/** The largest groups with a value at every time, and the others together as the last. */
export function plotCourse(times: string[], series: Series[], what: Measure): Course {
  const place = new Map(times.map((time, index) => [time, index]))
  const isPartial = times.map(() => false)
  const rows = series.map(({ group, points }) => {
    const values = times.map(() => 0)
    for (const point of points) {
      const at = place.get(point.at)
      if (at === undefined) continue
      values[at] = measure(point, what)
      if (what === "cost" && point.unpriced_requests > 0) isPartial[at] = true
    }
    return { name: group, values, isRest: false }
  })
  const ranked = rows
    .filter(({ values }) => values.some((value) => value > 0))
    .sort((one, other) => sum(other.values) - sum(one.values))
  if (ranked.length <= MOST_GROUPS) return { times, groups: ranked, isPartial }
  const rest = ranked.slice(MOST_GROUPS - 1)
  const values = times.map((_, at) => sum(rest.map((row) => row.values[at] ?? 0)))
  const groups = [...ranked.slice(0, MOST_GROUPS - 1), { name: "", values, isRest: true }]
  return { times, groups, isPartial }
}

export function sum(values: number[]): number {
  return values.reduce((known, value) => known + value, 0)
}

/** The next of 1, 2 and 5 times a power of ten that is not below `value`. */
export function roundUp(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10
  return step * power
}
