// What differs between two texts, line by line.

export interface DiffLine {
  /** `-` stands in the first text alone, `+` in the second, ` ` in both. */
  mark: "-" | "+" | " "
  text: string
}

/** So many pairs of lines are compared at most; beyond it all that differs is one block. */
const MOST_PAIRS = 4_000_000

/** The fewest lines to take out of `one` and to put in to get `other`. */
export function diffLines(one: string, other: string): DiffLine[] {
  const before = one.split("\n")
  const after = other.split("\n")
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end++
  }
  return [
    ...mark(" ", before.slice(0, start)),
    ...compare(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...mark(" ", before.slice(before.length - end)),
  ]
}

function mark(sign: DiffLine["mark"], lines: string[]): DiffLine[] {
  return lines.map((text) => ({ mark: sign, text }))
}

/** By the longest common subsequence: `longest[i][j]` is its length in what follows i and j. */
function compare(before: string[], after: string[]): DiffLine[] {
  if (before.length * after.length > MOST_PAIRS) return [...mark("-", before), ...mark("+", after)]
  const width = after.length + 1
  const longest = new Uint32Array((before.length + 1) * width)
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        before[i] === after[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
    }
  }
  const lines: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push({ mark: " ", text: before[i++]! })
      j++
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) {
      lines.push({ mark: "-", text: before[i++]! })
    } else {
      lines.push({ mark: "+", text: after[j++]! })
    }
  }
  return [...lines, ...mark("-", before.slice(i)), ...mark("+", after.slice(j))]
}

/** JSON with a line for each member; other texts, and JSON that was cut short, as they are. */
export function layOut(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
