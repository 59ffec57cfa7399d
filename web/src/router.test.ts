import { act, renderHook } from "@testing-library/react"
import { expect, test } from "vitest"
import { go, placeUrl, readPlace, usePlace } from "./router"

test.each([
  ["", "/", ""],
  ["#", "/", ""],
  ["#/models", "/models", ""],
  ["#/models/", "/models", ""],
  ["#//providers//a", "/providers//a", ""],
  ["#/models?search=a+b&provider=x", "/models", "search=a+b&provider=x"],
  ["#/?link=used", "/", "link=used"],
])("the place of %s", (hash, path, query) => {
  const place = readPlace(hash)
  expect(place.path).toBe(path)
  expect(place.query.toString()).toBe(query)
})

test("an address leaves out what is empty, and is read back the same", () => {
  const url = placeUrl("/models", { search: "a&b=c #?", provider: "", other: undefined })
  expect(url.startsWith("#/models?search=")).toBe(true)
  const { path, query } = readPlace(url)
  expect(path).toBe("/models")
  expect([...query]).toEqual([["search", "a&b=c #?"]])
})

test("whoever watches the place is told of a new one", () => {
  const { result } = renderHook(() => usePlace())
  act(() => go(placeUrl("/keys", { a: "1" }), { replace: true }))
  expect(result.current.path).toBe("/keys")
  expect(result.current.query.get("a")).toBe("1")
  act(() => go("#/models", { replace: true }))
  expect(result.current.path).toBe("/models")
})
