/** What a reminder says: that an incident goes on, for how long, and what has changed since it was told last. */

import { type Alert, moment } from './alert.ts'

const DAY_MS = 86_400_000

/** What the reminder before it added. */
const STILL = /, still after \d+ (?:hours|days)$/

/** `groq key 1 is refused, still after 24 hours` */
export const stillText = (what: string, ms: number): string => `${what.replace(STILL, '')}, still after ${daysText(ms)}`

/** `24 hours`, `3 days` */
function daysText(ms: number): string {
  const hours = Math.round(ms / 3_600_000)
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}

/** What is other than in the last report. */
export function changesText(before: Alert, after: Pick<Alert, 'why' | 'works'>): string {
  const changes: string[] = []
  if (before.why !== after.why && before.why !== null) changes.push(`it was ${before.why}`)
  if (before.works !== after.works && before.works !== null) changes.push(`what still worked was ${before.works}`)
  return changes.length === 0 ? `nothing since ${moment(before.at, before.at + DAY_MS)}` : changes.join('; ')
}
