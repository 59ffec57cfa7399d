// The state of a provider, or of one of its keys, in words.

import type { Schemas } from "../../api/client"
import { defineTexts } from "../../i18n"
import { State, type Tone } from "../../ui/state"

const useTexts = defineTexts({
  en: {
    ready: "ready",
    disabled: "switched off",
    failing: "failing",
    limited: "resting",
    refused: "refused",
  },
  zh: {
    ready: "可用",
    disabled: "已停用",
    failing: "异常",
    limited: "限流中",
    refused: "被拒绝",
  },
})

type Name = Schemas["ProviderState"] | Schemas["KeyState"]

const TONES: Record<Name, Tone> = {
  ready: "good",
  disabled: "off",
  failing: "bad",
  limited: "warn",
  refused: "bad",
}

export function ProviderState({ state }: { state: Name }) {
  const texts = useTexts()
  return <State tone={TONES[state]}>{texts[state]}</State>
}
