// A table that stays quick with ten thousand rows: only those in sight are drawn, the page itself
// scrolls. On narrow screens the columns that can be missed give way.

import { useWindowVirtualizer } from "@tanstack/react-virtual"
import {
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type CSSProperties,
  type ReactNode,
} from "react"
import { DownIcon, SortIcon, UpIcon } from "./icons"
import styles from "./table.module.css"

export interface Column<Row> {
  key: string
  title: string
  /** A track of CSS grid, such as `minmax(12rem, 2fr)`. */
  width: string
  render: (row: Row) => ReactNode
  /** What rows are sorted by; a column without it cannot be sorted. */
  value?: (row: Row) => string | number
  align?: "end"
  /** Whether the column is left out on narrow screens. */
  isMinor?: boolean
}

interface TableProps<Row> {
  label: string
  columns: Column<Row>[]
  rows: Row[]
  rowKey: (row: Row) => string
  /** The height of most rows in pixels; taller ones are measured. */
  rowHeight?: number
  onOpen?: (row: Row) => void
}

interface Order {
  key: string
  descending: boolean
}

export function Table<Row>({
  label,
  columns,
  rows,
  rowKey,
  rowHeight = 44,
  onOpen,
}: TableProps<Row>) {
  const [order, setOrder] = useState<Order | null>(null)
  const sorted = useMemo(() => sortRows(rows, columns, order), [rows, columns, order])
  const body = useRef<HTMLDivElement>(null)
  const [offset, setOffset] = useState(0)
  useLayoutEffect(() => {
    setOffset((body.current?.getBoundingClientRect().top ?? 0) + window.scrollY)
  }, [rows])
  const virtual = useWindowVirtualizer({
    count: sorted.length,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rowKey(sorted[index]!),
    scrollMargin: offset,
    overscan: 8,
  })
  const tracks = {
    "--tracks": columns.map((column) => column.width).join(" "),
    "--tracks-narrow": columns
      .filter((column) => !column.isMinor)
      .map((column) => column.width)
      .join(" "),
  } as CSSProperties

  return (
    <div
      className={styles.table}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      style={tracks}
    >
      <div className={styles.head} role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <Header key={column.key} column={column} order={order} onSort={setOrder} />
        ))}
      </div>
      <div
        ref={body}
        role="rowgroup"
        style={{ height: virtual.getTotalSize(), position: "relative" }}
      >
        {virtual.getVirtualItems().map((item) => {
          const row = sorted[item.index]!
          return (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              role="row"
              aria-rowindex={item.index + 2}
              className={styles.row}
              data-opens={onOpen ? true : undefined}
              style={{ transform: `translateY(${item.start - offset}px)` }}
              onClick={onOpen && (() => onOpen(row))}
            >
              {columns.map((column) => (
                <div
                  key={column.key}
                  role="cell"
                  className={styles.cell}
                  data-minor={column.isMinor}
                  data-align={column.align}
                >
                  {column.render(row)}
                </div>
              ))}
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface HeaderProps<Row> {
  column: Column<Row>
  order: Order | null
  onSort: (order: Order | null) => void
}

function Header<Row>({ column, order, onSort }: HeaderProps<Row>) {
  const isSorted = order?.key === column.key
  const direction = isSorted ? (order.descending ? "descending" : "ascending") : "none"
  return (
    <div
      role="columnheader"
      className={styles.cell}
      data-minor={column.isMinor}
      data-align={column.align}
      aria-sort={column.value ? direction : undefined}
    >
      {column.value ? (
        <button
          type="button"
          className={styles.sort}
          onClick={() => onSort({ key: column.key, descending: isSorted && !order.descending })}
        >
          {column.title}
          {direction === "none" && <SortIcon size={13} />}
          {direction === "ascending" && <UpIcon size={13} />}
          {direction === "descending" && <DownIcon size={13} />}
        </button>
      ) : (
        column.title
      )}
    </div>
  )
}

function sortRows<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
  const value = columns.find((column) => column.key === order?.key)?.value
  if (!value || !order) return rows
  const sign = order.descending ? -1 : 1
  return [...rows].sort((one, other) => sign * compare(value(one), value(other)))
}

function compare(one: string | number, other: string | number): number {
  if (typeof one === "number" && typeof other === "number") return one - other
  return String(one).localeCompare(String(other))
}
