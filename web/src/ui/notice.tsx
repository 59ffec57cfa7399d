// Something that a reader should know: calm, with a mark that says how grave it is.

import type { ReactNode } from "react"
import { BookIcon, CheckIcon, LockIcon, WarningIcon } from "./icons"
import styles from "./notice.module.css"

const ICONS = {
  good: CheckIcon,
  warn: WarningIcon,
  bad: WarningIcon,
  quiet: BookIcon,
  locked: LockIcon,
}

interface NoticeProps {
  tone: keyof typeof ICONS
  title?: string
  /** `alert` is read out at once, `status` when there is a pause. */
  role?: "alert" | "status"
  children?: ReactNode
}

export function Notice({ tone, title, role, children }: NoticeProps) {
  const Icon = ICONS[tone]
  return (
    <div className={styles.notice} data-tone={tone} role={role}>
      <span className={styles.icon}>
        <Icon size={18} />
      </span>
      <div className={styles.body}>
        {title && <strong className={styles.title}>{title}</strong>}
        {children}
      </div>
    </div>
  )
}
