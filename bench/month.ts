/**
 * A month in simulated time: twenty healthy targets, each of which meets every kind of refusal once, one a day. A line
 * per kind: how long the target stayed unused although it was well.
 */

import { type Absence, absenceText, liveMonth, tooLong } from '../test/support/month/month.ts'

export async function benchMonth(): Promise<string[]> {
  const absences = await liveMonth()
  const late = tooLong(absences)
  if (late.length > 0) process.exitCode = 1
  const verdict = `goal: 0, ${late.length === 0 ? 'met' : 'missed'}`
  const kinds = Map.groupBy(absences, ({ refusal }) => refusal.name)
  for (const absence of late) console.error(absenceText(absence))
  return [
    `${absences.length} refusals of ${kinds.size} kinds: ${late.length} left a healthy target unused for too long (${verdict})`,
    ...[...kinds].sort(([one], [other]) => one.localeCompare(other)).map(([name, all]) => kindLine(name, all)),
  ]
}

function kindLine(name: string, all: readonly Absence[]): string {
  const worst = all.reduce((longest, one) => (unusedOf(one) > unusedOf(longest) ? one : longest))
  const late = tooLong(all).length
  const unused = worst.unusedMs === null ? 'never used again' : `unused for at most ${durationText(worst.unusedMs)}`
  return `${name}: ${all.length} times, ${unused}, allowed ${durationText(worst.allowedMs)}${late > 0 ? `; ${late} too long` : ''}`
}

const unusedOf = ({ unusedMs }: Absence) => unusedMs ?? Number.POSITIVE_INFINITY

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 600) return `${seconds} s`
  return seconds < 36_000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
