import { screen } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { expect, test, vi } from "vitest"
import { show } from "../stage"
import { CopyButton, CopyLine } from "./copy"

function watchClipboard() {
  vi.stubGlobal("isSecureContext", true)
  return vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue()
}

test("a line is copied as it stands", async () => {
  show(<CopyLine text="my-openai:gpt-4o" />)
  const user = userEvent.setup()
  const write = watchClipboard()
  await user.click(screen.getByRole("button", { name: "Copy" }))
  expect(write).toHaveBeenCalledWith("my-openai:gpt-4o")
  expect(await screen.findByRole("button", { name: "Copied" })).toBeTruthy()
})

test("a secret is asked for when it is copied, and a failure is told", async () => {
  const read = vi.fn().mockRejectedValue(new Error("logged out"))
  show(<CopyButton text={read} />)
  expect(read).not.toHaveBeenCalled()
  await userEvent.click(screen.getByRole("button", { name: "Copy" }))
  expect(await screen.findByRole("button", { name: /by hand/ })).toBeTruthy()
})
