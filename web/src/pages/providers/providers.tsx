// Providers: what is connected, and how well it does.

import { Badge, Button, Group, Switch, Text } from "@mantine/core"
import { api, take, type Schemas } from "../../api/client"
import { useChange, useProviders } from "../../api/queries"
import { countOf, formatNumber } from "../../format"
import { defineTexts } from "../../i18n"
import { Link, placeUrl, usePlace } from "../../router"
import { Confirm } from "../../ui/confirm"
import { LockIcon, PlusIcon } from "../../ui/icons"
import { Empty, Failure, Loaded, Page, Panel } from "../../ui/page"
import { ADD_PLACE, AddProvider } from "./add"
import { Detail } from "./detail"
import styles from "./providers.module.css"
import { ProviderState } from "./state"

const useTexts = defineTexts({
  en: {
    title: "Providers",
    about: "Every provider's models can be asked through this gateway, in any of its protocols.",
    add: "Add a provider",
    models: (count: number) => countOf(count, "model", "models"),
    keys: (count: number) => countOf(count, "key", "keys"),
    enabled: (name: string) => `${name} is switched on`,
    file: "from the file",
    environment: "from the environment",
    local: "embedded",
    database: "",
    nothing: "No provider yet",
    nothingBody:
      "Choose a service and paste its key. Its models are there at once, for every client.",
    unusable: "Stored, but unusable",
    remove: "Remove",
    removeQuestion: (id: string) => `Remove ${id}?`,
    removeExplanation: "Its address and keys are forgotten.",
  },
  zh: {
    title: "服务商",
    about: "通过本网关,可用任一协议调用每个服务商的模型。",
    add: "添加服务商",
    models: (count: number) => `${formatNumber(count)} 个模型`,
    keys: (count: number) => `${formatNumber(count)} 个密钥`,
    enabled: (name: string) => `${name} 已启用`,
    file: "来自配置文件",
    environment: "来自环境变量",
    local: "内置",
    database: "",
    nothing: "还没有服务商",
    nothingBody: "选择一个服务并粘贴密钥,它的模型立即可供所有客户端使用。",
    unusable: "已保存但无法使用",
    remove: "移除",
    removeQuestion: (id: string) => `移除 ${id}?`,
    removeExplanation: "它的地址和密钥会被删除。",
  },
})

type Provider = Schemas["ProviderAnswer"]

export default function Providers() {
  const { path } = usePlace()
  if (path === ADD_PLACE) return <AddProvider />
  const id = path.split("/")[2]
  return id ? <Detail key={id} id={id} /> : <ProviderList />
}

function ProviderList() {
  const texts = useTexts()
  const providers = useProviders()
  return (
    <Page
      title={texts.title}
      about={texts.about}
      actions={
        <Button component="a" href={placeUrl(ADD_PLACE)} leftSection={<PlusIcon size={15} />}>
          {texts.add}
        </Button>
      }
    >
      <Loaded query={providers}>
        {(data) => (
          <>
            {data.providers.length > 0 ? (
              <ul className={styles.cards}>
                {data.providers.map((provider) => (
                  <Card key={provider.id} provider={provider} />
                ))}
              </ul>
            ) : (
              <Panel>
                <Empty title={texts.nothing}>{texts.nothingBody}</Empty>
              </Panel>
            )}
            {Object.keys(data.problems).length > 0 && <Problems problems={data.problems} />}
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Card({ provider }: { provider: Provider }) {
  const texts = useTexts()
  const path = { params: { path: { provider: provider.id } } }
  const toggle = useChange((on: boolean) =>
    take(
      on
        ? api.POST("/admin/providers/{provider}/enable", path)
        : api.POST("/admin/providers/{provider}/disable", path),
    ),
  )
  return (
    <li className={styles.card} data-off={!provider.enabled || undefined}>
      <div className={styles.cardHead}>
        <Link to={placeUrl(`/providers/${provider.id}`)} className={styles.cardName}>
          {provider.name}
        </Link>
        {provider.source === "database" ? (
          <Switch
            size="xs"
            aria-label={texts.enabled(provider.name)}
            checked={provider.enabled}
            disabled={toggle.isPending}
            onChange={(event) => toggle.mutate(event.currentTarget.checked)}
          />
        ) : (
          <Badge color="gray" leftSection={<LockIcon size={11} />}>
            {texts[provider.source]}
          </Badge>
        )}
      </div>
      <code className={styles.cardId}>{provider.id}</code>
      <Group gap={4}>
        {provider.protocols.map((protocol) => (
          <Badge key={protocol} color="gray">
            {protocol}
          </Badge>
        ))}
      </Group>
      <div className={styles.cardFoot}>
        <ProviderState state={provider.state} />
        <Text size="sm" c="dimmed">
          {texts.models(provider.model_count)}
          {provider.key_count > 1 && ` · ${texts.keys(provider.key_count)}`}
        </Text>
      </div>
      {provider.enabled && provider.error && (
        <Text size="sm" c="red" lineClamp={2} title={provider.error}>
          {provider.error}
        </Text>
      )}
      {toggle.isError && <Failure error={toggle.error} />}
    </li>
  )
}

function Problems({ problems }: { problems: Record<string, string> }) {
  const texts = useTexts()
  const remove = useChange((id: string) =>
    api.DELETE("/admin/providers/{provider}", { params: { path: { provider: id } } }),
  )
  return (
    <Panel title={texts.unusable}>
      <ul className={styles.problems}>
        {Object.entries(problems).map(([id, why]) => (
          <li key={id}>
            <div>
              <code>{id}</code>
              <Text size="sm" c="dimmed">
                {why}
              </Text>
            </div>
            <Confirm
              question={texts.removeQuestion(id)}
              explanation={texts.removeExplanation}
              action={texts.remove}
              onConfirm={() => remove.mutateAsync(id)}
            >
              {(ask) => (
                <Button variant="default" size="xs" onClick={ask}>
                  {texts.remove}
                </Button>
              )}
            </Confirm>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
