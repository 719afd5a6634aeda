/** Suggestions for a mistyped name, by edit distance where swapped neighbours count as one edit (Damerau). */

/** Names are cut to this length before they are compared; the cost is quadratic in the length. */
const LOOK = 64

/**
 * Candidates within a few edits of `name`, nearest first, ties in the order given; at most `most`. Letter case is
 * ignored, and a candidate that contains the name (or the reverse) is near.
 */
export function nearest(name: string, candidates: readonly string[], most = 3): string[] {
  const wanted = name.slice(0, LOOK).toLowerCase()
  if (wanted === '') return []
  const allowed = Math.max(1, Math.floor(wanted.length / 3))
  return candidates
    .map((candidate) => ({ candidate, slips: slipsBetween(wanted, candidate.slice(0, LOOK).toLowerCase()) }))
    .filter(({ slips }) => slips <= allowed)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, most)
    .map(({ candidate }) => candidate)
}

function slipsBetween(a: string, b: string): number {
  const slips = distance(a, b)
  const contained = Math.min(a.length, b.length) >= 3 && (a.includes(b) || b.includes(a))
  return contained ? Math.min(slips, 1) : slips
}

/** Optimal string alignment distance; only three rows of the table are kept. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let least = Math.min(
        cell(last, column) + 1,
        cell(current, column - 1) + 1,
        cell(last, column - 1) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) least = Math.min(least, cell(beforeLast, column - 2) + 1)
      current.push(least)
    }
    beforeLast = last
    last = current
  }
  return cell(last, b.length)
}

const cell = (row: readonly number[], column: number) => row[column] ?? 0
