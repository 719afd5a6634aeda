/** The only reader of wait times: every form in which an upstream says "come back later". */

import { dateAt, untilDate } from './waits/dates.ts'
import { wholeDuration } from './waits/durations.ts'
import { type TextContext, waitsIn } from './waits/waitText.ts'
import { zoneNamed } from './waits/zones.ts'

const SECOND = 1000
const DAY = 24 * 3600 * SECOND

/** A longer wait is a mistake or an attack: no provider's quota lasts longer than a month. */
export const LONGEST_WAIT_MS = 31 * DAY

/** Bare numbers of at least this size are dates: seconds since 1970, then milliseconds since 1970. */
const EPOCH_SECONDS = 1e9
const EPOCH_MILLISECONDS = 1e12

const NUMBER = /^\d{1,20}(?:\.\d{1,20})?$/
// https://www.rfc-editor.org/rfc/rfc3339 and https://www.rfc-editor.org/rfc/rfc9110#name-date-time-formats
const RFC3339 = /^\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:z|[+-]\d\d:?\d\d)$/i
const HTTP_DATE = /^[a-z]{3}, \d{1,2} [a-z]{3} \d{4} \d\d:\d\d:\d\d gmt$/i

/**
 * Milliseconds to wait from `now` (epoch ms), or undefined when the value is unusable: unreadable, in the past, or more
 * than 31 days away. A bare number is seconds, unless it is large enough to be a date. `skewMs` is how far the
 * upstream's clock is ahead of ours; it corrects dates only. `zone`: that of dates which name none; default: UTC.
 */
export function parseWait(value: string | number, now: number, skewMs = 0, zone?: string): number | undefined {
  if (typeof value === 'number') return plausible(bareNumber(value, now, skewMs))
  if (value.length > 64) return undefined
  const text = unquoted(value.trim())
  if (NUMBER.test(text)) return plausible(bareNumber(Number(text), now, skewMs))
  if (RFC3339.test(text) || HTTP_DATE.test(text)) return plausible(untilDate(Date.parse(text), now, skewMs))
  return plausible(wholeDuration(text)) ?? plausible(dateWait(text, now, skewMs, zone))
}

/** What a sentence states: the wait in milliseconds, and whether it was a date. */
interface StatedInText {
  readonly ms: number
  readonly isDate: boolean
}

/** The first usable wait stated in a text (`try again in 7m12.5s`, `will reset at 2026-11-05 17:00:00`). */
export function waitInText(text: string, context: TextContext): StatedInText | undefined {
  for (const wait of waitsIn(text, context)) if (plausible(wait.ms) !== undefined) return wait
  return undefined
}

/**
 * How far the upstream's clock is ahead of ours, by its `Date` header; negative when it is behind. Differences below
 * two seconds are due to the header's resolution and the network and count as 0, as does nonsense.
 */
export function clockSkewMs(dateHeader: string | undefined, now: number): number {
  if (dateHeader === undefined || !HTTP_DATE.test(dateHeader.slice(0, 64))) return 0
  const skew = Date.parse(dateHeader) - now
  return Math.abs(skew) >= 2 * SECOND && Math.abs(skew) <= LONGEST_WAIT_MS ? skew : 0
}

function bareNumber(value: number, now: number, skewMs: number): number {
  if (value >= EPOCH_MILLISECONDS) return untilDate(value, now, skewMs)
  if (value >= EPOCH_SECONDS) return untilDate(value * SECOND, now, skewMs)
  return value * SECOND
}

function plausible(waitMs: number | undefined): number | undefined {
  return waitMs !== undefined && waitMs >= 0 && waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/** A value that is nothing but a date in another form than the standards'. */
function dateWait(text: string, now: number, skewMs: number, zone: string | undefined): number | undefined {
  const date = dateAt(text, 0, { now, zone: zone === undefined ? undefined : zoneNamed(zone) })
  return date?.end === text.length ? untilDate(date.at, now, skewMs) : undefined
}
