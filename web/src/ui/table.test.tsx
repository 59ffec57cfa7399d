import { screen, within } from "@testing-library/react"
import userEvent from "@testing-library/user-event"
import { beforeEach, expect, test, vi } from "vitest"
import { show } from "../stage"
import { Table, type Column } from "./table"

interface Row {
  id: string
  size: number
}

const COLUMNS: Column<Row>[] = [
  { key: "id", title: "Id", width: "1fr", render: (row) => row.id },
  {
    key: "size",
    title: "Size",
    width: "1fr",
    value: (row) => row.size,
    render: (row) => String(row.size),
  },
]

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(40)
})

function shownIds(): string[] {
  return screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getAllByRole("cell")[0]!.textContent)
}

test("a click on a heading sorts, a second one the other way round", async () => {
  const rows = [3, 1, 2].map((size) => ({ id: `r${size}`, size }))
  show(<Table label="Rows" columns={COLUMNS} rows={rows} rowKey={(row) => row.id} />)
  expect(shownIds()).toEqual(["r3", "r1", "r2"])
  const sort = screen.getByRole("button", { name: "Size" })
  await userEvent.click(sort)
  expect(shownIds()).toEqual(["r1", "r2", "r3"])
  expect(screen.getByRole("columnheader", { name: "Size" }).getAttribute("aria-sort")).toBe(
    "ascending",
  )
  await userEvent.click(sort)
  expect(shownIds()).toEqual(["r3", "r2", "r1"])
})

test("of ten thousand rows only those in sight are drawn", () => {
  const rows = Array.from({ length: 10_000 }, (_, size) => ({ id: `r${size}`, size }))
  show(<Table label="Rows" columns={COLUMNS} rows={rows} rowKey={(row) => row.id} />)
  expect(screen.getAllByRole("row").length).toBeLessThan(100)
  expect(screen.getByRole("table").getAttribute("aria-rowcount")).toBe("10001")
})
