// Gateway keys: who may use the gateway, for what, and until when.

import { ActionIcon, Badge, Button, Group, Switch, Text, Tooltip } from "@mantine/core"
import { useState } from "react"
import { api, take, type Schemas } from "../../api/client"
import { useChange, useKeys } from "../../api/queries"
import { formatNumber, formatRelative, formatTime } from "../../format"
import { defineTexts } from "../../i18n"
import { Confirm } from "../../ui/confirm"
import { LockIcon, PlusIcon, RotateIcon, SettingsIcon, TrashIcon } from "../../ui/icons"
import { Empty, Loaded, Page, Panel } from "../../ui/page"
import { State, type Tone } from "../../ui/state"
import { Table, type Column } from "../../ui/table"
import { ChangeKey } from "./change"
import { CreateKey } from "./create"
import { readBudget } from "./limits"
import styles from "./keys.module.css"
import { Secret } from "./secret"

const useTexts = defineTexts({
  en: {
    title: "Keys",
    about: "Clients show one of these keys. It is the gateway's own and never reaches a provider.",
    create: "Create a key",
    ended: "Show ended keys",
    name: "Name",
    scopes: "Opens",
    models: "Models",
    every: "every model",
    state: "State",
    live: "live",
    expired: "expired",
    revoked: "revoked",
    created: "Created",
    until: (when: string) => `ends ${when}`,
    limits: "Limits",
    unlimited: "none",
    rpm: (count: string) => `${count} requests/min`,
    tpm: (count: string) => `${count} tokens/min`,
    concurrency: (count: string) => `${count} at once`,
    day: (dollars: string) => `$${dollars} a day`,
    week: (dollars: string) => `$${dollars} a week`,
    month: (dollars: string) => `$${dollars} a month`,
    total: (dollars: string) => `$${dollars} in total`,
    change: "Change its limits",
    rotate: "New secret",
    rotateQuestion: (name: string) => `Give ${name} a new secret?`,
    rotateExplanation: "The old secret opens nothing from now on. The new one is shown once.",
    rotateAction: "New secret",
    revoke: "Revoke",
    revokeQuestion: (name: string) => `Revoke ${name}?`,
    revokeExplanation:
      "Its users are refused from now on, and are told why. A revoked key does not come back.",
    revokeAction: "Revoke",
    pinned: (place: string) => `Pinned by ${place}: change it there`,
    nothing: "There are no keys",
  },
  zh: {
    title: "密钥",
    about: "客户端出示其中一个密钥。密钥只属于网关,绝不会发给服务商。",
    create: "创建密钥",
    ended: "显示已失效的密钥",
    name: "名称",
    scopes: "权限",
    models: "模型",
    every: "全部模型",
    state: "状态",
    live: "有效",
    expired: "已过期",
    revoked: "已吊销",
    created: "创建于",
    until: (when: string) => `${when}到期`,
    limits: "限额",
    unlimited: "不限",
    rpm: (count: string) => `${count} 请求/分`,
    tpm: (count: string) => `${count} token/分`,
    concurrency: (count: string) => `并发 ${count}`,
    day: (dollars: string) => `$${dollars}/天`,
    week: (dollars: string) => `$${dollars}/周`,
    month: (dollars: string) => `$${dollars}/月`,
    total: (dollars: string) => `共 $${dollars}`,
    change: "修改限额",
    rotate: "换新密钥",
    rotateQuestion: (name: string) => `为 ${name} 换新密钥?`,
    rotateExplanation: "旧密钥立即失效。新密钥只显示一次。",
    rotateAction: "换新",
    revoke: "吊销",
    revokeQuestion: (name: string) => `吊销 ${name}?`,
    revokeExplanation: "使用者从此被拒绝,并会得知原因。吊销后无法恢复。",
    revokeAction: "吊销",
    pinned: (place: string) => `由 ${place} 固定,请在那里修改`,
    nothing: "没有密钥",
  },
})

type Key = Schemas["KeyAnswer"]
type IssuedKey = Schemas["IssuedKeyAnswer"]

const TONES: Record<Key["state"], Tone> = { live: "good", expired: "warn", revoked: "off" }

export default function Keys() {
  const texts = useTexts()
  const keys = useKeys()
  const [isCreating, setCreating] = useState(false)
  const [issued, setIssued] = useState<IssuedKey | null>(null)
  const [isEndedShown, setEndedShown] = useState(false)
  const [changed, setChanged] = useState<Key | null>(null)
  const columns = useColumns(setIssued, setChanged)
  const hasEnded = keys.data?.some((key) => key.state !== "live")

  return (
    <Page
      title={texts.title}
      about={texts.about}
      actions={
        <Button leftSection={<PlusIcon size={15} />} onClick={() => setCreating(true)}>
          {texts.create}
        </Button>
      }
    >
      <CreateKey
        isOpen={isCreating}
        onClose={() => setCreating(false)}
        onCreated={(key) => {
          setCreating(false)
          setIssued(key)
        }}
      />
      <ChangeKey changed={changed} onClose={() => setChanged(null)} />
      <Secret issued={issued} onClose={() => setIssued(null)} />
      {hasEnded && (
        <Switch
          label={texts.ended}
          checked={isEndedShown}
          onChange={(event) => setEndedShown(event.currentTarget.checked)}
        />
      )}
      <Loaded query={keys}>
        {(all) => {
          const shown = all.filter((key) => isEndedShown || key.state === "live")
          return shown.length > 0 ? (
            <Table
              label={texts.title}
              columns={columns}
              rows={shown}
              rowKey={(key) => key.id}
              rowHeight={56}
            />
          ) : (
            <Panel>
              <Empty title={texts.nothing} />
            </Panel>
          )
        }}
      </Loaded>
    </Page>
  )
}

function useColumns(
  onIssued: (key: IssuedKey) => void,
  onChange: (key: Key) => void,
): Column<Key>[] {
  const texts = useTexts()
  const describeLimits = useLimits()
  return [
    {
      key: "name",
      title: texts.name,
      width: "minmax(0, 1.6fr)",
      value: (key) => key.name,
      render: (key) => (
        <div className={styles.name}>
          <Text fw={550} truncate>
            {key.name}
          </Text>
          <code>{key.hint}</code>
        </div>
      ),
    },
    {
      key: "state",
      title: texts.state,
      width: "minmax(0, 1fr)",
      value: (key) => key.state,
      render: (key) => (
        <div>
          <State tone={TONES[key.state]}>{texts[key.state]}</State>
          {key.state === "live" && key.expires_at && (
            <Text size="xs" c="dimmed" title={formatTime(key.expires_at)}>
              {texts.until(formatRelative(key.expires_at))}
            </Text>
          )}
        </div>
      ),
    },
    {
      key: "scopes",
      title: texts.scopes,
      width: "minmax(0, 0.9fr)",
      isMinor: true,
      render: (key) => (
        <Group gap={4}>
          {key.scopes.map((scope) => (
            <Badge key={scope} color={scope === "admin" ? "orange" : "gray"}>
              {scope}
            </Badge>
          ))}
        </Group>
      ),
    },
    {
      key: "models",
      title: texts.models,
      width: "minmax(0, 1.5fr)",
      isMinor: true,
      render: (key) => (
        <Text size="sm" c={key.models.length ? undefined : "dimmed"} truncate>
          {key.models.join(", ") || texts.every}
        </Text>
      ),
    },
    {
      key: "limits",
      title: texts.limits,
      width: "minmax(0, 1.5fr)",
      isMinor: true,
      render: (key) => (
        <Text size="sm" c={hasLimits(key) ? undefined : "dimmed"} lineClamp={2}>
          {describeLimits(key)}
        </Text>
      ),
    },
    {
      key: "created",
      title: texts.created,
      width: "7.5rem",
      isMinor: true,
      value: (key) => key.created_at ?? "",
      render: (key) => (
        <Text size="sm" c="dimmed">
          {key.created_at && formatRelative(key.created_at)}
        </Text>
      ),
    },
    {
      key: "actions",
      title: "",
      width: "6.5rem",
      align: "end",
      render: (key) => <Actions gatewayKey={key} onIssued={onIssued} onChange={onChange} />,
    },
  ]
}

function hasLimits(key: Key): boolean {
  return key.rpm !== null || key.tpm !== null || key.concurrency !== null || key.budgets.length > 0
}

/** A key's limits in a few words. */
function useLimits(): (key: Key) => string {
  const texts = useTexts()
  return (key) => {
    const rates = (["rpm", "tpm", "concurrency"] as const).flatMap((name) => {
      const count = key[name]
      return count === null ? [] : [texts[name](formatNumber(count))]
    })
    const budgets = key.budgets.map((text) => {
      const { amount, period } = readBudget(text)
      return texts[period](amount)
    })
    return [...rates, ...budgets].join(", ") || texts.unlimited
  }
}

interface ActionsProps {
  gatewayKey: Key
  onIssued: (key: IssuedKey) => void
  onChange: (key: Key) => void
}

function Actions({ gatewayKey: key, onIssued, onChange }: ActionsProps) {
  const texts = useTexts()
  const path = { params: { path: { key: key.id } } }
  const rotate = useChange(() => take(api.POST("/admin/keys/{key}/rotate", path)))
  const revoke = useChange(() => take(api.DELETE("/admin/keys/{key}", path)))
  if (key.pinned_by) {
    return (
      <Tooltip label={texts.pinned(key.pinned_by)}>
        <span
          className={styles.pin}
          tabIndex={0}
          role="img"
          aria-label={texts.pinned(key.pinned_by)}
        >
          <LockIcon size={16} />
        </span>
      </Tooltip>
    )
  }
  if (key.state === "revoked") return null
  return (
    <Group gap={2} wrap="nowrap" justify="flex-end">
      <Tooltip label={texts.change}>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`${texts.change}: ${key.name}`}
          onClick={() => onChange(key)}
        >
          <SettingsIcon size={16} />
        </ActionIcon>
      </Tooltip>
      <Confirm
        question={texts.rotateQuestion(key.name)}
        explanation={texts.rotateExplanation}
        action={texts.rotateAction}
        onConfirm={async () => onIssued(await rotate.mutateAsync(undefined))}
      >
        {(ask) => (
          <Tooltip label={texts.rotate}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`${texts.rotate}: ${key.name}`}
              onClick={ask}
            >
              <RotateIcon size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Confirm>
      {key.id !== "default" && (
        <Confirm
          question={texts.revokeQuestion(key.name)}
          explanation={texts.revokeExplanation}
          action={texts.revokeAction}
          onConfirm={() => revoke.mutateAsync(undefined)}
        >
          {(ask) => (
            <Tooltip label={texts.revoke}>
              <ActionIcon
                variant="subtle"
                color="red"
                aria-label={`${texts.revoke}: ${key.name}`}
                onClick={ask}
              >
                <TrashIcon size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </Confirm>
      )}
    </Group>
  )
}
