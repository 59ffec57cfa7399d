// English and Simplified Chinese. Each page keeps its own texts beside it; a text that is missing in
// one of the languages does not compile.

import { useSyncExternalStore } from "react"

export type Language = "en" | "zh"

export const LANGUAGES: Record<Language, string> = { en: "English", zh: "简体中文" }

type Text = string | ((...values: never[]) => string)
type Texts = Record<string, Text>
/** The same names, with any words. */
type Translated<T extends Texts> = { [Name in keyof T]: T[Name] extends string ? string : T[Name] }

const STORED = "dragoman-language"
const listeners = new Set<() => void>()
let current: Language = readLanguage()
document.documentElement.lang = languageTag()

/** What is asked for, else what the browser prefers. */
function readLanguage(): Language {
  const stored = localStorage.getItem(STORED)
  if (stored === "en" || stored === "zh") return stored
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"
}

export function setLanguage(language: Language): void {
  current = language
  localStorage.setItem(STORED, language)
  document.documentElement.lang = languageTag()
  listeners.forEach((listener) => listener())
}

/** The language as `Intl` and HTML want it. */
export function languageTag(): string {
  return current === "zh" ? "zh-CN" : "en"
}

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, () => current)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A hook that gives the texts in the language of the moment. */
export function defineTexts<const T extends Texts>(texts: {
  en: T
  zh: NoInfer<Translated<T>>
}): () => Translated<T> {
  return () => texts[useLanguage()] as Translated<T>
}
