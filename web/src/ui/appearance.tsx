// Language and colours, both remembered by this browser alone.

import { Group, SegmentedControl, useMantineColorScheme, VisuallyHidden } from "@mantine/core"
import { defineTexts, LANGUAGES, setLanguage, useLanguage, type Language } from "../i18n"
import { MoonIcon, ScreenIcon, SunIcon } from "./icons"

const useTexts = defineTexts({
  en: {
    language: "Language",
    scheme: "Colours",
    light: "Light",
    dark: "Dark",
    auto: "As the system",
  },
  zh: { language: "语言", scheme: "配色", light: "浅色", dark: "深色", auto: "跟随系统" },
})

export function Appearance() {
  return (
    <Group gap="xs" p="0.5rem" wrap="nowrap" justify="space-between">
      <LanguageControl isShort />
      <SchemeControl />
    </Group>
  )
}

export function LanguageControl({ isShort = false }: { isShort?: boolean }) {
  const texts = useTexts()
  const language = useLanguage()
  const names = isShort ? { en: "EN", zh: "中文" } : LANGUAGES
  return (
    <SegmentedControl
      aria-label={texts.language}
      value={language}
      onChange={(value) => setLanguage(value as Language)}
      data={Object.entries(names).map(([value, label]) => ({ value, label }))}
    />
  )
}

export function SchemeControl() {
  const texts = useTexts()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const choices = [
    { value: "light", name: texts.light, icon: <SunIcon size={14} /> },
    { value: "dark", name: texts.dark, icon: <MoonIcon size={14} /> },
    { value: "auto", name: texts.auto, icon: <ScreenIcon size={14} /> },
  ]
  return (
    <SegmentedControl
      aria-label={texts.scheme}
      value={colorScheme}
      onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
      data={choices.map(({ value, name, icon }) => ({
        value,
        label: (
          <span title={name} style={{ display: "flex", padding: "1px 0" }}>
            {icon}
            <VisuallyHidden>{name}</VisuallyHidden>
          </span>
        ),
      }))}
    />
  )
}
