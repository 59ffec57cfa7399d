// A provider's state in words.

import type { Schemas } from "../../api/client"
import { defineTexts } from "../../i18n"
import { State, type Tone } from "../../ui/state"

const useTexts = defineTexts({
  en: { ready: "ready", disabled: "switched off", failing: "failing" },
  zh: { ready: "可用", disabled: "已停用", failing: "异常" },
})

type Name = Schemas["ProviderState"]

const TONES: Record<Name, Tone> = { ready: "good", disabled: "off", failing: "bad" }

export function ProviderState({ state }: { state: Name }) {
  const texts = useTexts()
  return <State tone={TONES[state]}>{texts[state]}</State>
}
