import { screen } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { expect, test } from "vitest"
import { App } from "./app"
import { refusal, show } from "./stage"

const UNKNOWN = refusal(401, "Management needs a key.")

test("whoever is not logged in sees the way in, and what is wrong with a key", async () => {
  const asked = show(<App />, {
    "GET /admin/status": UNKNOWN,
    "POST /admin/login": refusal(403, "The key `laptop` has not the scope `admin`."),
  })
  await userEvent.type(await screen.findByLabelText("Admin key"), " sk-wrong ")
  await userEvent.click(screen.getByRole("button", { name: "Log in" }))
  expect(await screen.findByText(/has not the scope/)).toBeTruthy()
  expect(asked.at(-1)).toMatchObject({ method: "POST", path: "/admin/login" })
})

test("a link that was used before is told of", async () => {
  location.hash = "#/?link=used"
  show(<App />, { "GET /admin/status": UNKNOWN })
  expect(await screen.findByText(/used before/)).toBeTruthy()
})

test("a gateway that has gone is told of", async () => {
  show(<App />, { "GET /admin/status": () => Response.error() })
  expect(await screen.findByRole("alert")).toBeTruthy()
})
