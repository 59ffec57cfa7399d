import { expect, test } from "vitest"
import { NO_LIMITS, readLimits, writeLimits } from "./limits"

test("no limits are written as none", () => {
  expect(writeLimits(NO_LIMITS)).toEqual({ rpm: null, tpm: null, concurrency: null, budgets: [] })
})

test("limits come back as they were", () => {
  const written = { rpm: 60, tpm: null, concurrency: 2, budgets: ["0.5/day", "100/total"] }
  expect(writeLimits(readLimits(written))).toEqual(written)
})

test("a budget of white space is none", () => {
  const budgets = { ...NO_LIMITS.budgets, week: " ", month: " 20 " }
  expect(writeLimits({ ...NO_LIMITS, budgets }).budgets).toEqual(["20/month"])
})
