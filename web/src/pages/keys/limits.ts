// What a key may use, between the API's words and the fields of a form.

import type { Schemas } from "../../api/client"

export const PERIODS = ["day", "week", "month", "total"] as const
export type Period = (typeof PERIODS)[number]

/** Counts are null where there is no limit; budgets are US dollars, empty where there is none. */
export interface Limits {
  rpm: number | null
  tpm: number | null
  concurrency: number | null
  budgets: Record<Period, string>
}

export const NO_LIMITS: Limits = {
  rpm: null,
  tpm: null,
  concurrency: null,
  budgets: { day: "", week: "", month: "", total: "" },
}

type Written = Pick<Schemas["KeyAnswer"], "rpm" | "tpm" | "concurrency" | "budgets">

export function readLimits(key: Written): Limits {
  const budgets = { ...NO_LIMITS.budgets }
  for (const { amount, period } of key.budgets.map(readBudget)) budgets[period] = amount
  return { rpm: key.rpm, tpm: key.tpm, concurrency: key.concurrency, budgets }
}

export function writeLimits({ rpm, tpm, concurrency, budgets }: Limits): Written {
  const given = PERIODS.filter((period) => budgets[period].trim())
  return {
    rpm,
    tpm,
    concurrency,
    budgets: given.map((period) => `${budgets[period].trim()}/${period}`),
  }
}

/** `5/day` in its parts. */
export function readBudget(text: string): { amount: string; period: Period } {
  const [amount = "", period] = text.split("/", 2)
  return { amount, period: PERIODS.find((each) => each === period) ?? "total" }
}
