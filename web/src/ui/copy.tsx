// Things that a person takes elsewhere: ids, addresses, keys, commands.

import { ActionIcon, Tooltip } from "@mantine/core"
import { useEffect, useState } from "react"
import { defineTexts } from "../i18n"
import styles from "./copy.module.css"
import { CheckIcon, CopyIcon } from "./icons"

const useTexts = defineTexts({
  en: { copy: "Copy", copied: "Copied", failed: "Select the text and copy it by hand" },
  zh: { copy: "复制", copied: "已复制", failed: "请手动选中并复制" },
})

/** Puts `text` on the clipboard; says whether that worked. Browsers offer the clipboard only to
 * pages from this machine or over HTTPS, so the older way stands in elsewhere. */
export async function writeClipboard(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text)
      return true
    } catch {
      // not allowed: the older way may be
    }
  }
  const area = document.createElement("textarea")
  area.value = text
  area.style.position = "fixed"
  area.style.opacity = "0"
  document.body.append(area)
  area.select()
  const done = document.execCommand("copy")
  area.remove()
  return done
}

interface CopyProps {
  /** What to copy, or where to get it from: secrets are asked for only when they are wanted. */
  text: string | (() => Promise<string>)
  label?: string
}

export function CopyButton({ text, label }: CopyProps) {
  const texts = useTexts()
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle")
  useEffect(() => {
    if (state === "idle") return
    const timer = setTimeout(() => setState("idle"), 2_000)
    return () => clearTimeout(timer)
  }, [state])

  async function copy() {
    try {
      const value = typeof text === "string" ? text : await text()
      setState((await writeClipboard(value)) ? "copied" : "failed")
    } catch {
      setState("failed")
    }
  }

  const told = state === "idle" ? (label ?? texts.copy) : texts[state]
  return (
    <Tooltip label={told} opened={state === "idle" ? undefined : true}>
      <ActionIcon
        variant="subtle"
        color={state === "copied" ? "jade" : "gray"}
        size="sm"
        aria-label={told}
        onClick={(event) => {
          event.stopPropagation()
          void copy()
        }}
      >
        {state === "copied" ? <CheckIcon size={15} /> : <CopyIcon size={15} />}
      </ActionIcon>
    </Tooltip>
  )
}

/** One line in the machine's own writing, with a button that copies it. */
export function CopyLine({ text, label }: { text: string; label?: string }) {
  return (
    <span className={styles.line}>
      <code className={styles.value}>{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  )
}

/** Several lines to copy; `shown` may stand in for a text with secrets in it. */
export function CopyBlock({ text, shown }: { text: CopyProps["text"]; shown?: string }) {
  return (
    <div className={styles.block}>
      <pre className={styles.code} tabIndex={0}>
        {shown ?? (typeof text === "string" ? text : "")}
      </pre>
      <CopyButton text={text} />
    </div>
  )
}
