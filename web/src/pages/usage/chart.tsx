// Stacked bars over time, drawn as SVG; the numbers stand in a table below for whoever cannot see
// them or wants them exactly.

import { useState } from "react"
import { MOST_GROUPS, roundUp, sum, type Course } from "./course"
import styles from "./usage.module.css"

interface ChartProps {
  course: Course
  label: string
  format: (value: number) => string
  formatTime: (time: string) => string
  nameOf: (group: Course["groups"][number]) => string
  /** Told of a bar that lacks requests of unknown price. */
  partial: string
}

const WIDTH = 1000
const HEIGHT = 220

export function Chart({ course, label, format, formatTime, nameOf, partial }: ChartProps) {
  const { times, groups, isPartial } = course
  const [pointed, setPointed] = useState<number | null>(null)
  const totals = times.map((_, at) => sum(groups.map((group) => group.values[at] ?? 0)))
  const top = roundUp(Math.max(...totals, 0))
  const slot = WIDTH / Math.max(1, times.length)
  const shown = pointed !== null && pointed < times.length ? pointed : null
  return (
    <figure className={styles.chart}>
      <ul className={styles.legend}>
        {groups.map((group, index) => (
          <li key={index} data-colour={index % MOST_GROUPS}>
            {nameOf(group)}
            {shown !== null && <strong> {format(group.values[shown] ?? 0)}</strong>}
          </li>
        ))}
      </ul>
      <div className={styles.plot} onMouseLeave={() => setPointed(null)}>
        <span className={styles.top}>{format(top)}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={label}
        >
          {[0, 0.5, 1].map((part) => (
            <line
              key={part}
              x1={0}
              x2={WIDTH}
              y1={part * HEIGHT}
              y2={part * HEIGHT}
              className={styles.grid}
            />
          ))}
          {times.map((time, at) => (
            <g key={time} onMouseEnter={() => setPointed(at)} data-pointed={at === shown}>
              <rect x={at * slot} y={0} width={slot} height={HEIGHT} className={styles.slot} />
              <Bar
                heights={groups.map((group) => ((group.values[at] ?? 0) / top) * HEIGHT)}
                x={at * slot + slot * 0.12}
                width={slot * 0.76}
              />
              {isPartial[at] && (
                <line
                  x1={at * slot + slot * 0.12}
                  x2={at * slot + slot * 0.88}
                  y1={Math.max(3, HEIGHT - ((totals[at] ?? 0) / top) * HEIGHT - 4)}
                  y2={Math.max(3, HEIGHT - ((totals[at] ?? 0) / top) * HEIGHT - 4)}
                  className={styles.partial}
                />
              )}
            </g>
          ))}
        </svg>
      </div>
      <figcaption className={styles.caption}>
        {shown === null ? (
          <>
            <span>{formatTime(times[0] ?? "")}</span>
            <span>{formatTime(times.at(-1) ?? "")}</span>
          </>
        ) : (
          <span>
            {`${formatTime(times[shown]!)}: ${format(totals[shown]!)}`}
            {isPartial[shown] && ` (${partial})`}
          </span>
        )}
      </figcaption>
    </figure>
  )
}

function Bar({ heights, x, width }: { heights: number[]; x: number; width: number }) {
  return heights.map((height, index) => {
    const below = sum(heights.slice(0, index))
    return (
      height > 0 && (
        <rect
          key={index}
          x={x}
          width={width}
          y={HEIGHT - below - height}
          height={height}
          className={styles.bar}
          data-colour={index % MOST_GROUPS}
        />
      )
    )
  })
}
