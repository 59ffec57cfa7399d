// A new provider: first which service it is, then its key.

import { Anchor, Button, Group, Text, TextInput } from "@mantine/core"
import { useState, type FormEvent } from "react"
import { api, ApiError, take } from "../../api/client"
import { useChange, usePresets, useProviders, useTypes } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { go, Link, placeUrl, usePlace } from "../../router"
import { BackIcon, SearchIcon } from "../../ui/icons"
import { Notice } from "../../ui/notice"
import { Empty, Failure, Loaded, Page, Panel } from "../../ui/page"
import { draftOf, specOf, type Preset, type ServerType, type Spec } from "./draft"
import { Fields } from "./fields"
import { Outcome } from "./outcome"
import styles from "./providers.module.css"

export const ADD_PLACE = "/providers/+" // no id of a provider begins so

const useTexts = defineTexts({
  en: {
    title: "Add a provider",
    search: "Search services",
    services: "Services",
    servers: "Any other server",
    noMatch:
      "No service of this name is known. If it has an OpenAI-compatible API, choose that below.",
    back: "All services",
    docs: "Its documentation",
    test: "Test",
    add: "Add",
    noKey: "needs no key",
  },
  zh: {
    title: "添加服务商",
    search: "搜索服务",
    services: "服务",
    servers: "其他服务器",
    noMatch: "没有这个名称的服务。若它提供 OpenAI 兼容 API,请在下方选择。",
    back: "全部服务",
    docs: "官方文档",
    test: "测试",
    add: "添加",
    noKey: "无需密钥",
  },
})

export function AddProvider() {
  const { query } = usePlace()
  const presets = usePresets()
  const types = useTypes()
  const chosen =
    presets.data?.find((preset) => preset.id === query.get("preset")) ??
    types.data?.find((type) => type.id === query.get("type"))
  return chosen ? <AddForm key={chosen.id} origin={chosen} /> : <Choose />
}

function Choose() {
  const texts = useTexts()
  const presets = usePresets()
  const types = useTypes()
  const [search, setSearch] = useState("")
  const matches = (row: Preset | ServerType) =>
    `${row.id} ${row.name}`.toLowerCase().includes(search.trim().toLowerCase())

  return (
    <Page title={texts.title}>
      <TextInput
        aria-label={texts.search}
        placeholder={texts.search}
        leftSection={<SearchIcon size={15} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        size="md"
        autoFocus
      />
      <Panel title={texts.services}>
        <Loaded query={presets}>
          {(rows) => {
            const found = rows.filter(matches)
            return found.length > 0 ? (
              <Choices rows={found} kind="preset" />
            ) : (
              <Empty title={texts.noMatch} />
            )
          }}
        </Loaded>
      </Panel>
      <Panel title={texts.servers}>
        <Loaded query={types}>{(rows) => <Choices rows={rows} kind="type" />}</Loaded>
      </Panel>
    </Page>
  )
}

function Choices({ rows, kind }: { rows: (Preset | ServerType)[]; kind: "preset" | "type" }) {
  const texts = useTexts()
  return (
    <ul className={styles.choices}>
      {rows.map((row) => (
        <li key={row.id}>
          <Link to={placeUrl(ADD_PLACE, { [kind]: row.id })} className={styles.choice}>
            <span className={styles.choiceName}>{row.name}</span>
            <span className={styles.choiceDetail}>
              {row.needs_key ? row.protocols.join(", ") : texts.noKey}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}

function AddForm({ origin }: { origin: Preset | ServerType }) {
  const texts = useTexts()
  const providers = useProviders()
  const taken = (providers.data?.providers ?? []).map((provider) => provider.id)
  const [draft, setDraft] = useState(() => draftOf(origin, taken))
  const test = useChange((body: Spec) => take(api.POST("/admin/providers/test", { body })))
  const add = useChange((body: Spec) => take(api.POST("/admin/providers", { body })))
  const failed = add.error ?? test.error
  const preset = "type" in origin ? origin : null

  function submit(event: FormEvent) {
    event.preventDefault()
    test.reset()
    add.mutate(specOf(draft, origin), {
      onSuccess: (provider) => go(placeUrl(`/providers/${provider.id}`)),
    })
  }

  return (
    <Page
      title={`${texts.title}: ${origin.name}`}
      actions={
        <Anchor href={placeUrl(ADD_PLACE)} className={styles.back}>
          <BackIcon size={15} />
          {texts.back}
        </Anchor>
      }
    >
      <Panel>
        <form onSubmit={submit} className={styles.form}>
          {preset?.note && <Notice tone="quiet">{preset.note}</Notice>}
          <Fields
            draft={draft}
            onChange={(changed) => setDraft({ ...draft, ...changed })}
            isNew
            example={origin.example || (origin.base_url ?? "")}
            usualName={origin.name}
            keyUrl={preset?.key_url || undefined}
            fault={failed instanceof ApiError ? failed : null}
          />
          {test.data && <Outcome result={test.data} />}
          {failed && !(failed instanceof ApiError && failed.param) && <Failure error={failed} />}
          <Group justify="space-between">
            {preset?.docs_url ? (
              <Anchor size="sm" href={preset.docs_url} target="_blank" rel="noreferrer">
                {texts.docs}
              </Anchor>
            ) : (
              <Text />
            )}
            <Group gap="xs">
              <Button
                variant="default"
                loading={test.isPending}
                onClick={() => {
                  add.reset()
                  test.mutate(specOf(draft, origin))
                }}
              >
                {texts.test}
              </Button>
              <Button type="submit" loading={add.isPending}>
                {texts.add}
              </Button>
            </Group>
          </Group>
        </form>
      </Panel>
    </Page>
  )
}
