/** Where keys were seen to do something else than is published, for people. */

import type { Difference } from '../views/differences.ts'

/** More are only counted. */
const MOST_LINES = 20

/** Empty when there are none. */
export function differenceLines(differences: readonly Difference[]): readonly string[] {
  if (differences.length === 0) return []
  const lines = differences.slice(0, MOST_LINES).map(({ target, text }) => `  ${target}: ${text}`)
  const more = differences.length - lines.length
  return ['', 'Other than published:', ...lines, ...(more > 0 ? [`  and ${more} more; --json has all`] : [])]
}
