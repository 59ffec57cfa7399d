// What every page is made of: a heading with actions, panels, and the states of what is asked for.

import { Button, Loader, Text, Title } from "@mantine/core"
import type { UseQueryResult } from "@tanstack/react-query"
import type { ReactNode } from "react"
import { ApiError } from "../api/client"
import { defineTexts } from "../i18n"
import { Notice } from "./notice"
import styles from "./page.module.css"

const useTexts = defineTexts({
  en: {
    loading: "Loading",
    retry: "Try again",
    unreachable: "The gateway does not answer. Is it still running?",
  },
  zh: { loading: "加载中", retry: "重试", unreachable: "网关没有响应,它还在运行吗?" },
})

interface PageProps {
  title: string
  about?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

export function Page({ title, about, actions, children }: PageProps) {
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <div className={styles.heading}>
          <Title order={1} size="1.25rem">
            {title}
          </Title>
          {about && (
            <Text c="dimmed" mt={2}>
              {about}
            </Text>
          )}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

interface PanelProps {
  title?: ReactNode
  about?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

export function Panel({ title, about, actions, children }: PanelProps) {
  return (
    <section className={styles.panel}>
      {(title || actions) && (
        <div className={styles.panelHeader}>
          <div>
            <Title order={2} size="0.9375rem">
              {title}
            </Title>
            {about && (
              <Text size="sm" c="dimmed">
                {about}
              </Text>
            )}
          </div>
          {actions}
        </div>
      )}
      {children}
    </section>
  )
}

/** A name and what belongs to it, as a row of a list. */
export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>
}

/** What to show where there is nothing yet, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <Text fw={600} size="md">
        {title}
      </Text>
      {children && <div className={styles.emptyBody}>{children}</div>}
    </div>
  )
}

/** A failure in the words of whoever failed. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const texts = useTexts()
  const isSilent = error instanceof ApiError && error.status === 0
  return (
    <Notice tone="bad" role="alert">
      <Text>{isSilent ? texts.unreachable : describe(error)}</Text>
      {onRetry && (
        <Button size="xs" variant="default" mt="xs" onClick={onRetry}>
          {texts.retry}
        </Button>
      )}
    </Notice>
  )
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `children` of the answer, once it is there. */
export function Loaded<Data>({
  query,
  children,
}: {
  query: UseQueryResult<Data>
  children: (data: Data) => ReactNode
}) {
  const texts = useTexts()
  if (query.data !== undefined) return children(query.data)
  if (query.isError) return <Failure error={query.error} onRetry={() => void query.refetch()} />
  return (
    <div className={styles.empty} aria-busy="true">
      <Loader size="sm" role="status" aria-label={texts.loading} />
    </div>
  )
}
