// A state as a coloured dot and a word, so that it can be told without colours too.

import styles from "./state.module.css"

export type Tone = "good" | "bad" | "warn" | "off"

export function State({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={styles.state} data-tone={tone}>
      {children}
    </span>
  )
}
