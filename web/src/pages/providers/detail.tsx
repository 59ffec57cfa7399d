// One provider: what is known of it, tried, changed, removed.

import { Anchor, Badge, Button, Group, Text } from "@mantine/core"
import { useQueryClient } from "@tanstack/react-query"
import { useState, type FormEvent } from "react"
import { api, ApiError, take, type Schemas } from "../../api/client"
import { useChange, usePresets, useProvider, useTypes } from "../../api/queries"
import { countOf, formatNumber, formatRelative } from "../../format"
import { defineTexts } from "../../i18n"
import { go, placeUrl } from "../../router"
import { Confirm } from "../../ui/confirm"
import { CopyLine } from "../../ui/copy"
import { BackIcon } from "../../ui/icons"
import { Notice } from "../../ui/notice"
import { Fact, Facts, Failure, Loaded, Page, Panel } from "../../ui/page"
import { changedSpec, draftOfSpec, type Spec } from "./draft"
import { Fields } from "./fields"
import { Outcome } from "./outcome"
import styles from "./providers.module.css"
import { ProviderState } from "./state"

const useTexts = defineTexts({
  en: {
    back: "All providers",
    test: "Test",
    fetch: "Fetch models",
    fetched: (count: number) => `It lists ${countOf(count, "model", "models")}.`,
    enable: "Switch on",
    disable: "Switch off",
    remove: "Remove",
    removeQuestion: (name: string) => `Remove ${name}?`,
    removeExplanation:
      "Its address and keys are forgotten, and its models cannot be asked for any more. Requests under way are finished.",
    state: "State",
    failure: "Last failure",
    protocols: "Speaks",
    addresses: "Addresses",
    keys: "Keys",
    noKeys: "none",
    models: "Models",
    known: (count: number) => countOf(count, "model", "models"),
    asked: (when: string) => `asked ${when}`,
    seeModels: "See them",
    change: "Change",
    save: "Save",
    saved: "Saved.",
    file: "It stands in the configuration file: change it there.",
    environment: "It comes from an environment variable: change it there.",
    local: "It offers the models that run on this machine.",
  },
  zh: {
    back: "全部服务商",
    test: "测试",
    fetch: "获取模型",
    fetched: (count: number) => `共列出 ${formatNumber(count)} 个模型。`,
    enable: "启用",
    disable: "停用",
    remove: "移除",
    removeQuestion: (name: string) => `移除 ${name}?`,
    removeExplanation: "它的地址和密钥会被删除,模型不再可用。进行中的请求会完成。",
    state: "状态",
    failure: "上次失败",
    protocols: "原生协议",
    addresses: "地址",
    keys: "密钥",
    noKeys: "无",
    models: "模型",
    known: (count: number) => `${formatNumber(count)} 个模型`,
    asked: (when: string) => `${when}查询`,
    seeModels: "查看",
    change: "修改",
    save: "保存",
    saved: "已保存。",
    file: "它写在配置文件中,请在那里修改。",
    environment: "它来自环境变量,请在那里修改。",
    local: "它提供在本机运行的模型。",
  },
})

type ProviderDetail = Schemas["ProviderDetail"]

export function Detail({ id }: { id: string }) {
  const texts = useTexts()
  const provider = useProvider(id)
  return (
    <Page
      title={provider.data?.name ?? id}
      actions={
        <Anchor href={placeUrl("/providers")} className={styles.back}>
          <BackIcon size={15} />
          {texts.back}
        </Anchor>
      }
    >
      <Loaded query={provider}>
        {(data) => (
          <>
            {data.source !== "database" && <Notice tone="locked">{texts[data.source]}</Notice>}
            <Overview provider={data} />
            {data.source === "database" && data.spec && (
              <ChangeForm provider={data} spec={data.spec} />
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Overview({ provider }: { provider: ProviderDetail }) {
  const texts = useTexts()
  const path = { params: { path: { provider: provider.id } } }
  const test = useChange(() => take(api.POST("/admin/providers/{provider}/test", path)))
  const fetched = useChange(() => take(api.POST("/admin/providers/{provider}/models", path)))
  return (
    <Panel
      title={<CopyLine text={provider.id} />}
      actions={
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            loading={test.isPending}
            onClick={() => test.mutate(undefined)}
          >
            {texts.test}
          </Button>
          {provider.source !== "local" && (
            <Button
              size="xs"
              variant="default"
              loading={fetched.isPending}
              onClick={() => fetched.mutate(undefined)}
            >
              {texts.fetch}
            </Button>
          )}
          {provider.source === "database" && <Switches provider={provider} />}
        </Group>
      }
    >
      <ProviderFacts provider={provider} />
      <div className={styles.answers}>
        {test.data && <Outcome result={test.data} />}
        {test.isError && <Failure error={test.error} />}
        {fetched.data && (
          <Notice tone="good" role="status">
            {texts.fetched(fetched.data.models)}
          </Notice>
        )}
        {fetched.isError && <Failure error={fetched.error} />}
      </div>
    </Panel>
  )
}

function ProviderFacts({ provider }: { provider: ProviderDetail }) {
  const texts = useTexts()
  return (
    <Facts>
      <Fact name={texts.state}>
        <ProviderState state={provider.state} />
      </Fact>
      {provider.error && (
        <Fact name={texts.failure}>
          <Text c="red">{provider.error}</Text>
        </Fact>
      )}
      <Fact name={texts.models}>
        {texts.known(provider.model_count)}
        {provider.fetched_at && (
          <Text span c="dimmed">{` · ${texts.asked(formatRelative(provider.fetched_at))}`}</Text>
        )}{" "}
        {provider.enabled && provider.model_count > 0 && (
          <Anchor href={placeUrl("/models", { provider: provider.id })}>{texts.seeModels}</Anchor>
        )}
      </Fact>
      <Fact name={texts.protocols}>
        <Group gap={4}>
          {provider.protocols.map((protocol) => (
            <Badge key={protocol} color="gray">
              {protocol}
            </Badge>
          ))}
        </Group>
      </Fact>
      {provider.source !== "local" && (
        <>
          <Fact name={texts.addresses}>
            {[...new Set(Object.values(provider.base_urls))].map((url) => (
              <CopyLine key={url} text={url} />
            ))}
          </Fact>
          <Fact name={texts.keys}>
            {provider.keys
              .filter(({ key }) => key)
              .map(({ key, state, reason }, position) => (
                <div key={position} className={styles.key}>
                  <code>{key}</code>
                  <ProviderState state={state} />
                  {reason && (
                    <Text span size="sm" c="dimmed">
                      {reason}
                    </Text>
                  )}
                </div>
              ))}
            {provider.key_count === 0 && texts.noKeys}
          </Fact>
        </>
      )}
    </Facts>
  )
}

/** On, off, and away. */
function Switches({ provider }: { provider: ProviderDetail }) {
  const texts = useTexts()
  const client = useQueryClient()
  const path = { params: { path: { provider: provider.id } } }
  const toggle = useChange(() =>
    take(
      provider.enabled
        ? api.POST("/admin/providers/{provider}/disable", path)
        : api.POST("/admin/providers/{provider}/enable", path),
    ),
  )

  async function remove() {
    await api.DELETE("/admin/providers/{provider}", path)
    go(placeUrl("/providers"))
    await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] !== provider.id })
  }

  return (
    <>
      <Button
        size="xs"
        variant="default"
        loading={toggle.isPending}
        onClick={() => toggle.mutate(undefined)}
      >
        {provider.enabled ? texts.disable : texts.enable}
      </Button>
      <Confirm
        question={texts.removeQuestion(provider.name)}
        explanation={texts.removeExplanation}
        action={texts.remove}
        onConfirm={remove}
      >
        {(ask) => (
          <Button size="xs" variant="default" c="red" onClick={ask}>
            {texts.remove}
          </Button>
        )}
      </Confirm>
    </>
  )
}

function ChangeForm({ provider, spec }: { provider: ProviderDetail; spec: Spec }) {
  const texts = useTexts()
  const presets = usePresets()
  const types = useTypes()
  const origin =
    presets.data?.find((row) => row.id === provider.preset) ??
    types.data?.find((row) => row.id === provider.type)
  const [draft, setDraft] = useState(() => draftOfSpec(spec))
  const save = useChange((body: Spec) =>
    take(
      api.PUT("/admin/providers/{provider}", {
        params: { path: { provider: provider.id } },
        body,
      }),
    ),
  )
  const fault = save.error instanceof ApiError ? save.error : null

  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(changedSpec(spec, draft), {
      onSuccess: (saved) => saved.spec && setDraft(draftOfSpec(saved.spec)),
    })
  }

  return (
    <Panel title={texts.change}>
      <form onSubmit={submit} className={styles.form}>
        <Fields
          draft={draft}
          onChange={(changed) => {
            save.reset()
            setDraft({ ...draft, ...changed })
          }}
          isNew={false}
          example={origin?.base_url || origin?.example || ""}
          usualName={origin?.name ?? provider.id}
          fault={fault}
        />
        {save.isError && !fault?.param && <Failure error={save.error} />}
        {save.isSuccess && (
          <Text c="dimmed" role="status">
            {texts.saved}
          </Text>
        )}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            {texts.save}
          </Button>
        </Group>
      </form>
    </Panel>
  )
}
