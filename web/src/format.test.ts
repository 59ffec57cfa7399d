import { afterEach, expect, test } from "vitest"
import { setLanguage } from "./i18n"
import {
  countOf,
  formatCost,
  formatPrice,
  formatRelative,
  formatShort,
  formatSpan,
  formatTokens,
} from "./format"

afterEach(() => setLanguage("en"))

test.each([
  [0, "0 sec"],
  [59.9, "59 sec"],
  [60, "1 min"],
  [3_725, "1 hr 2 min"],
  [90_061, "1 day 1 hr"],
  [-5, "0 sec"],
])("a span of %d seconds", (seconds, written) => {
  setLanguage("en")
  expect(formatSpan(seconds)).toBe(written)
})

test.each([
  [512, "512"],
  [8_192, "8.2K"],
  [128_000, "128K"],
  [131_072, "131K"],
  [1_000_000, "1M"],
  [1_048_576, "1M"],
])("%d tokens", (count, written) => expect(formatTokens(count)).toBe(written))

test.each([
  [0, "$0.00"],
  [0.0042, "$0.0042"],
  [1.2, "$1.20"],
  [1234.5, "$1,234.50"],
])("%d dollars", (dollars, written) => {
  setLanguage("en")
  expect(formatCost(dollars)).toBe(written)
})

test("a price has no needless zeros", () => {
  expect([3, 2.5, 0.15, 0.0375].map(formatPrice)).toEqual(["$3", "$2.50", "$0.15", "$0.0375"])
})

test("counts are written in the language of the moment", () => {
  expect(formatShort(12_345)).toBe("12.3K")
  expect(countOf(1, "model", "models")).toBe("1 model")
  expect(countOf(2_000, "model", "models")).toBe("2,000 models")
  setLanguage("zh")
  expect(formatShort(12_345)).toBe("1.2万")
})

test("a moment is told by its distance", () => {
  const now = Date.parse("2026-11-24T12:00:00Z")
  expect(formatRelative("2026-11-24T11:57:00Z", now)).toBe("3 minutes ago")
  expect(formatRelative("2026-12-24T12:00:00Z", now)).toBe("in 30 days")
})
