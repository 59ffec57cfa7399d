// How a provider answered when it was tried, in its own words.

import { Badge, Group, Text } from "@mantine/core"
import type { Schemas } from "../../api/client"
import { countOf, formatNumber } from "../../format"
import { defineTexts } from "../../i18n"
import { Notice } from "../../ui/notice"

const useTexts = defineTexts({
  en: {
    works: "It answers",
    fails: "It refuses, or does not answer",
    time: (milliseconds: string) => `${milliseconds} ms`,
    models: (count: number) => countOf(count, "model", "models"),
    speaks: "Speaks",
  },
  zh: {
    works: "连接正常",
    fails: "被拒绝,或没有响应",
    time: (milliseconds: string) => `${milliseconds} 毫秒`,
    models: (count: number) => `${formatNumber(count)} 个模型`,
    speaks: "原生协议",
  },
})

export function Outcome({ result }: { result: Schemas["TestAnswer"] }) {
  const texts = useTexts()
  return (
    <Notice
      tone={result.ok ? "good" : "bad"}
      title={result.ok ? texts.works : texts.fails}
      role="status"
    >
      <Text>{result.message}</Text>
      <Group gap={6} mt={6}>
        <Badge color="gray">{texts.time(formatNumber(result.milliseconds))}</Badge>
        {result.models !== null && <Badge color="gray">{texts.models(result.models)}</Badge>}
        {result.protocols.length > 0 && (
          <Text size="xs" c="dimmed">
            {texts.speaks}: {result.protocols.join(", ")}
          </Text>
        )}
      </Group>
    </Notice>
  )
}
