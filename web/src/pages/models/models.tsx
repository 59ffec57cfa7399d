// Every model that clients can ask for, under the name that they use.

import { Badge, Select, Text, TextInput } from "@mantine/core"
import { useDeferredValue, useMemo } from "react"
import type { Schemas } from "../../api/client"
import { useModels, usePrices } from "../../api/queries"
import { formatNumber, formatPrice, formatTokens } from "../../format"
import { defineTexts } from "../../i18n"
import { go, placeUrl, usePlace } from "../../router"
import { CopyLine } from "../../ui/copy"
import { SearchIcon } from "../../ui/icons"
import { Empty, Loaded, Page, Panel } from "../../ui/page"
import { Table, type Column } from "../../ui/table"
import styles from "./models.module.css"

const useTexts = defineTexts({
  en: {
    title: "Models",
    about: "The names in the first column are what clients send as model.",
    search: "Search models",
    provider: "Provider",
    everyProvider: "Every provider",
    id: "Model",
    name: "Name",
    abilities: "Abilities",
    context: "Context",
    output: "Output",
    price: "Price",
    priceAbout: "US dollars per million tokens, input and output",
    protocols: "Without translation",
    shown: (shown: string, all: string) => `${shown} of ${all}`,
    aliases: "Aliases",
    aliasesAbout: "Names of your own, from the configuration file.",
    order: "tried in this order",
    weighted: "drawn by weight",
    least_latency: "the quickest first",
    nothing: "There are no models yet",
    nothingBody: "They come with the providers.",
    noMatch: "No model matches",
  },
  zh: {
    title: "模型",
    about: "第一列是客户端作为 model 发送的名称。",
    search: "搜索模型",
    provider: "服务商",
    everyProvider: "全部服务商",
    id: "模型",
    name: "名称",
    abilities: "能力",
    context: "上下文",
    output: "输出",
    price: "价格",
    priceAbout: "每百万 token 的美元价格,输入与输出",
    protocols: "无需转换",
    shown: (shown: string, all: string) => `${shown} / ${all}`,
    aliases: "别名",
    aliasesAbout: "来自配置文件的自定义名称。",
    order: "按此顺序尝试",
    weighted: "按权重抽取",
    least_latency: "最快者优先",
    nothing: "还没有模型",
    nothingBody: "模型随服务商而来。",
    noMatch: "没有匹配的模型",
  },
})

type Model = Schemas["ModelAnswer"]
type Alias = Schemas["AliasAnswer"]

export default function Models() {
  const texts = useTexts()
  const models = useModels()
  return (
    <Page title={texts.title} about={texts.about}>
      <Loaded query={models}>
        {(data) => (
          <>
            {data.aliases.length > 0 && <Aliases aliases={data.aliases} />}
            {data.models.length > 0 ? (
              <ModelList models={data.models} />
            ) : (
              <Panel>
                <Empty title={texts.nothing}>{texts.nothingBody}</Empty>
              </Panel>
            )}
          </>
        )}
      </Loaded>
    </Page>
  )
}

/** Whether every word of `search` is somewhere in what is known of the model. */
export function matches(model: Model, search: string): boolean {
  const text = [model.id, model.name, model.owned_by, ...model.abilities].join(" ").toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function ModelList({ models }: { models: Model[] }) {
  const texts = useTexts()
  const { query } = usePlace()
  const search = query.get("search") ?? ""
  const provider = query.get("provider") ?? ""
  const settled = useDeferredValue(search)
  const found = useMemo(
    () =>
      models.filter(
        (model) => (!provider || model.provider === provider) && matches(model, settled),
      ),
    [models, provider, settled],
  )
  const providers = useMemo(() => [...new Set(models.map((model) => model.provider))], [models])
  const columns = useColumns()

  function filter(changed: { search?: string; provider?: string }) {
    go(placeUrl("/models", { search, provider, ...changed }), { replace: true })
  }

  return (
    <>
      <div className={styles.filters}>
        <TextInput
          aria-label={texts.search}
          placeholder={texts.search}
          leftSection={<SearchIcon size={15} />}
          value={search}
          onChange={(event) => filter({ search: event.currentTarget.value })}
          className={styles.search}
        />
        <Select
          aria-label={texts.provider}
          data={[{ value: "", label: texts.everyProvider }, ...providers]}
          value={provider}
          onChange={(value) => filter({ provider: value ?? "" })}
          searchable
        />
        <Text size="sm" c="dimmed" aria-live="polite">
          {texts.shown(formatNumber(found.length), formatNumber(models.length))}
        </Text>
      </div>
      {found.length > 0 ? (
        <Table
          label={texts.title}
          columns={columns}
          rows={found}
          rowKey={(model) => model.id}
          rowHeight={52}
        />
      ) : (
        <Panel>
          <Empty title={texts.noMatch} />
        </Panel>
      )}
    </>
  )
}

function useColumns(): Column<Model>[] {
  const texts = useTexts()
  const { data: prices } = usePrices()
  return [
    {
      key: "id",
      title: texts.id,
      width: "minmax(0, 2.4fr)",
      value: (model) => model.id,
      render: (model) => (
        <div className={styles.names}>
          <CopyLine text={model.id} />
          {model.name !== model.model && (
            <Text size="sm" c="dimmed" truncate>
              {model.name}
            </Text>
          )}
        </div>
      ),
    },
    {
      key: "abilities",
      title: texts.abilities,
      width: "minmax(0, 1.3fr)",
      isMinor: true,
      render: (model) => <Badges values={model.abilities} />,
    },
    {
      key: "protocols",
      title: texts.protocols,
      width: "minmax(0, 1.5fr)",
      isMinor: true,
      render: (model) => (
        <Text size="sm" c="dimmed" truncate title={model.protocols.join(", ")}>
          {model.protocols.join(", ")}
        </Text>
      ),
    },
    {
      key: "context",
      title: texts.context,
      width: "5rem",
      align: "end",
      value: (model) => model.context_length ?? 0,
      render: (model) => (model.context_length ? formatTokens(model.context_length) : "–"),
    },
    {
      key: "output",
      title: texts.output,
      width: "5rem",
      align: "end",
      isMinor: true,
      value: (model) => model.max_output ?? 0,
      render: (model) => (model.max_output ? formatTokens(model.max_output) : "–"),
    },
    {
      key: "price",
      title: texts.price,
      width: "7.5rem",
      align: "end",
      isMinor: true,
      value: (model) => prices?.get(model.id)?.output ?? -1,
      render: (model) => {
        const price = prices?.get(model.id)
        if (!price) return "–"
        return (
          <span title={texts.priceAbout}>
            {`${formatPrice(price.input)} / ${formatPrice(price.output)}`}
          </span>
        )
      },
    },
  ]
}

function Badges({ values }: { values: string[] }) {
  return (
    <span className={styles.badges}>
      {values.map((value) => (
        <Badge key={value} color="gray">
          {value}
        </Badge>
      ))}
    </span>
  )
}

function Aliases({ aliases }: { aliases: Alias[] }) {
  const texts = useTexts()
  return (
    <Panel title={texts.aliases} about={texts.aliasesAbout}>
      <ul className={styles.aliases}>
        {aliases.map((alias) => (
          <li key={alias.name}>
            <CopyLine text={alias.name} />
            <span className={styles.targets} data-strategy={alias.strategy}>
              {alias.targets.map((target) => (
                <code key={target}>{target}</code>
              ))}
              {alias.targets.length > 1 && <Badge color="gray">{texts[alias.strategy]}</Badge>}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
