/** The known word that a misspelt one is closest to. */

const FARTHEST = 2

/** Null when none is within two letters; of equally close ones the first by the alphabet. */
export function closest(word: string, known: readonly string[]): string | null {
  const near = known
    .filter((other) => Math.abs(other.length - word.length) <= FARTHEST)
    .map((other) => ({ other, letters: distance(word, other) }))
    .filter(({ letters }) => letters <= FARTHEST)
    .sort((left, right) => left.letters - right.letters || (left.other < right.other ? -1 : 1))
  return near[0]?.other ?? null
}

/** How many letters have to be added, taken away or changed. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...to].entries())
      next.push(
        Math.min((row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1, (row[column] ?? 0) + (letter === other ? 0 : 1)),
      )
    row = next
  }
  return row[to.length] ?? 0
}
