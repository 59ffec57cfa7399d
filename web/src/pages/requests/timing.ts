// Where the time of a request went.

import type { LoggedRequest } from "./log"

export interface Phase {
  kind: "failed" | "waiting" | "answering"
  ms: number
  /** What was tried, of a failed attempt. */
  target?: string
}

/** The phases of a request in their order: attempts that failed, the wait for the answer's first
 * byte, the answer. They add up to its duration. */
export function divideTime(request: LoggedRequest): Phase[] {
  const whole = request.duration_ms
  let left = whole
  const phases: Phase[] = []
  for (const failure of request.failures) {
    const ms = Math.min(failure.ms, left)
    left -= ms
    phases.push({ kind: "failed", ms, target: failure.target })
  }
  const answering = request.first_byte_ms === null ? 0 : Math.max(0, whole - request.first_byte_ms)
  const answer = Math.min(answering, left)
  if (left - answer > 0) phases.push({ kind: "waiting", ms: left - answer })
  if (answer > 0) phases.push({ kind: "answering", ms: answer })
  return phases
}

/** Milliseconds as a person reads them: 87 ms, 1.24 s, 95 s. */
export function formatMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = ms / 1_000
  return `${seconds.toFixed(seconds < 10 ? 2 : seconds < 60 ? 1 : 0)} s`
}
