// What every test begins with: an empty page, English, and no gateway but the one that it makes.

import { cleanup } from "@testing-library/react"
import { afterEach, beforeEach, vi } from "vitest"

beforeEach(() => {
  vi.stubGlobal("fetch", () => Promise.reject(new Error("this test has no gateway")))
})

afterEach(() => {
  cleanup()
  localStorage.clear()
  location.hash = ""
})
