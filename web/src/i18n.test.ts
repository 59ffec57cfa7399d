import { act, renderHook } from "@testing-library/react"
import { afterEach, expect, test } from "vitest"
import { defineTexts, setLanguage } from "./i18n"

afterEach(() => setLanguage("en"))

const useTexts = defineTexts({
  en: { hello: "Hello", greet: (name: string) => `Hello, ${name}` },
  zh: { hello: "你好", greet: (name: string) => `你好,${name}` },
})

test("texts follow the language, and so does the document", () => {
  const { result } = renderHook(() => useTexts())
  expect(result.current.greet("A")).toBe("Hello, A")
  act(() => setLanguage("zh"))
  expect(result.current.greet("A")).toBe("你好,A")
  expect(document.documentElement.lang).toBe("zh-CN")
  expect(localStorage.getItem("dragoman-language")).toBe("zh")
})

test("a text that is missing does not compile", () => {
  // @ts-expect-error "bye" has no translation
  defineTexts({ en: { hello: "Hello", bye: "Bye" }, zh: { hello: "你好" } })
  // @ts-expect-error the translation takes another value
  defineTexts({ en: { greet: (name: string) => name }, zh: { greet: (n: number) => String(n) } })
})
