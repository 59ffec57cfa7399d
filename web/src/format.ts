// Numbers, spans and times as a person reads them, in the language of the moment.

import { languageTag } from "./i18n"

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(languageTag()).format(value)
}

/** A count and what is counted, in English: `1 model`, `2,000 models`. */
export function countOf(count: number, one: string, many: string): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** 1,234,567 becomes 1.2M (123万 in Chinese). */
export function formatShort(value: number): string {
  return new Intl.NumberFormat(languageTag(), {
    notation: "compact",
    maximumFractionDigits: 1,
  }).format(value)
}

/** A count of tokens in thousands or millions, alike in every language: 128K, 1M. */
export function formatTokens(value: number): string {
  if (value >= 1_000_000) return `${trim(value / 1_000_000)}M`
  if (value >= 1_000) return `${trim(value / 1_000)}K`
  return String(value)
}

function trim(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0).replace(/\.0$/, "")
}

/** The two largest units of a span: `3 d 4 h`, `12 min 5 s`. */
export function formatSpan(seconds: number): string {
  const units: [string, number][] = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
    ["second", 1],
  ]
  const parts: string[] = []
  let left = Math.max(0, Math.floor(seconds))
  for (const [unit, size] of units) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0 || (unit === "second" && parts.length === 0)) {
      parts.push(
        new Intl.NumberFormat(languageTag(), { style: "unit", unit, unitDisplay: "short" }).format(
          count,
        ),
      )
    }
    if (parts.length === 2) break
  }
  return parts.join(" ")
}

export function formatTime(iso: string): string {
  return new Intl.DateTimeFormat(languageTag(), { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(iso),
  )
}

/** How long ago, or in how long: `3 minutes ago`, `in 5 days`. */
export function formatRelative(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000
  const format = new Intl.RelativeTimeFormat(languageTag(), { numeric: "auto" })
  const size = Math.abs(seconds)
  if (size < 60) return format.format(Math.round(seconds), "second")
  if (size < 3_600) return format.format(Math.round(seconds / 60), "minute")
  if (size < 86_400) return format.format(Math.round(seconds / 3_600), "hour")
  return format.format(Math.round(seconds / 86_400), "day")
}

/** US dollars with as many places as it takes to see anything: $0.0042, $1.20. */
export function formatCost(dollars: number): string {
  const places = dollars > 0 && dollars < 0.01 ? 4 : 2
  return new Intl.NumberFormat(languageTag(), {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  }).format(dollars)
}

/** A price in US dollars, without cents where there are none: $3, $2.50, $0.0375. */
export function formatPrice(dollars: number): string {
  return new Intl.NumberFormat(languageTag(), {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: Number.isInteger(dollars) ? 0 : 2,
    maximumFractionDigits: 4,
  }).format(dollars)
}
