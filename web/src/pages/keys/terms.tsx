// The terms of a key, alike for a new one and for one that is changed: which models, and how much.

import { Fieldset, NumberInput, SimpleGrid, Stack, TagsInput, TextInput } from "@mantine/core"
import { useModels, useProviders } from "../../api/queries"
import { defineTexts } from "../../i18n"
import { PERIODS, type Limits } from "./limits"

const useTexts = defineTexts({
  en: {
    models: "Models",
    modelsAbout: "Patterns such as anthropic:*, or aliases. None means every model.",
    rates: "Limits",
    rpm: "Requests a minute",
    tpm: "Tokens a minute",
    concurrency: "Requests at once",
    none: "no limit",
    budgets: "Budget in US dollars",
    day: "a day",
    week: "a week",
    month: "a month",
    total: "in total",
  },
  zh: {
    models: "模型",
    modelsAbout: "模式如 anthropic:*,或别名。留空表示全部模型。",
    rates: "限额",
    rpm: "每分钟请求数",
    tpm: "每分钟 token 数",
    concurrency: "并发请求数",
    none: "不限",
    budgets: "预算(美元)",
    day: "每天",
    week: "每周",
    month: "每月",
    total: "总计",
  },
})

export interface Terms {
  models: string[]
  limits: Limits
}

interface TermsFieldsProps {
  terms: Terms
  onChange: (terms: Terms) => void
  /** What the gateway refused of the member of this name, if it did. */
  faultAt: (name: string) => string | undefined
}

export function TermsFields({ terms, onChange, faultAt }: TermsFieldsProps) {
  const texts = useTexts()
  const patterns = usePatterns()
  const { limits } = terms

  function limit(changed: Partial<Limits>) {
    onChange({ ...terms, limits: { ...limits, ...changed } })
  }

  return (
    <Stack gap="md">
      <TagsInput
        label={texts.models}
        description={texts.modelsAbout}
        data={patterns}
        limit={100}
        value={terms.models}
        onChange={(models) => onChange({ ...terms, models })}
        error={faultAt("models")}
      />
      <Fieldset legend={texts.rates}>
        <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
          {(["rpm", "tpm", "concurrency"] as const).map((name) => (
            <NumberInput
              key={name}
              label={texts[name]}
              placeholder={texts.none}
              value={limits[name] ?? ""}
              onChange={(value) => limit({ [name]: value === "" ? null : Number(value) })}
              error={faultAt(name)}
              min={1}
              allowDecimal={false}
              allowNegative={false}
              thousandSeparator=","
            />
          ))}
        </SimpleGrid>
      </Fieldset>
      <Fieldset legend={texts.budgets}>
        <SimpleGrid cols={{ base: 2, xs: 4 }} spacing="sm">
          {PERIODS.map((period) => (
            <TextInput
              key={period}
              label={texts[period]}
              placeholder={texts.none}
              value={limits.budgets[period]}
              onChange={(event) =>
                limit({ budgets: { ...limits.budgets, [period]: event.currentTarget.value } })
              }
              error={limits.budgets[period] ? faultAt("budgets") : undefined}
              inputMode="decimal"
            />
          ))}
        </SimpleGrid>
      </Fieldset>
    </Stack>
  )
}

/** What a key may be kept to: whole providers, aliases, single models. */
function usePatterns(): string[] {
  const providers = useProviders()
  const models = useModels()
  return [
    ...(providers.data?.providers ?? []).map((provider) => `${provider.id}:*`),
    ...(models.data?.aliases ?? []).map((alias) => alias.name),
    ...(models.data?.models ?? []).map((model) => model.id),
  ]
}
