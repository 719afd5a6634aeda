/** The only reader of wait times: every form in which an upstream says "come back later". */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A longer wait is a mistake or an attack: no provider's quota lasts longer than a month. */
export const LONGEST_WAIT_MS = 31 * DAY

/** Bare numbers of at least this size are dates: seconds since 1970, then milliseconds since 1970. */
const EPOCH_SECONDS = 1e9
const EPOCH_MILLISECONDS = 1e12

const NUMBER = /^\d{1,20}(?:\.\d{1,20})?$/
// https://www.rfc-editor.org/rfc/rfc3339 and https://www.rfc-editor.org/rfc/rfc9110#name-date-time-formats
const RFC3339 = /^\d{4}-\d\d-\d\d[t ]\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:z|[+-]\d\d:?\d\d)$/i
const HTTP_DATE = /^[a-z]{3}, \d{1,2} [a-z]{3} \d{4} \d\d:\d\d:\d\d gmt$/i
const DURATION_STEP = /\s*(\d{1,15}(?:\.\d{1,12})?)\s*([a-zµ]{1,12})/iy
const WAIT_WORDS = /\b(?:try again|retry(?:ing)?|wait)(?: again)? (?:(?:in|after|for|at least|about) )*(?=\d)/gi

const UNITS: ReadonlyMap<string, number> = new Map([
  ...['ns', 'nanoseconds'].map((name) => [name, 1e-6] as const),
  ...['us', 'µs', 'microseconds'].map((name) => [name, 1e-3] as const),
  ...['ms', 'msec', 'millisecond', 'milliseconds'].map((name) => [name, 1] as const),
  ...['s', 'sec', 'secs', 'second', 'seconds'].map((name) => [name, SECOND] as const),
  ...['m', 'min', 'mins', 'minute', 'minutes'].map((name) => [name, MINUTE] as const),
  ...['h', 'hr', 'hrs', 'hour', 'hours'].map((name) => [name, HOUR] as const),
  ...['d', 'day', 'days'].map((name) => [name, DAY] as const),
])

/**
 * Milliseconds to wait from `now` (epoch ms), or undefined when the value is unusable: unreadable, in the past, or more
 * than 31 days away. A bare number is seconds, unless it is large enough to be a date. `skewMs` is how far the
 * upstream's clock is ahead of ours; it corrects dates only.
 */
export function parseWait(value: string | number, now: number, skewMs = 0): number | undefined {
  if (typeof value === 'number') return plausible(bareNumber(value, now, skewMs))
  if (value.length > 64) return undefined
  const text = unquoted(value.trim())
  if (NUMBER.test(text)) return plausible(bareNumber(Number(text), now, skewMs))
  if (RFC3339.test(text) || HTTP_DATE.test(text)) return plausible(Date.parse(text) - skewMs - now)
  return plausible(wholeDuration(text))
}

/** The first wait stated in a text (`try again in 7m12.5s`, `retry after 2 seconds`), in milliseconds. */
export function waitInText(text: string): number | undefined {
  for (const match of text.slice(0, 16_384).matchAll(WAIT_WORDS)) {
    const wait = plausible(durationAt(text, match.index + match[0].length)?.ms)
    if (wait !== undefined) return wait
  }
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
  if (value >= EPOCH_MILLISECONDS) return value - skewMs - now
  if (value >= EPOCH_SECONDS) return value * SECOND - skewMs - now
  return value * SECOND
}

function plausible(waitMs: number | undefined): number | undefined {
  return waitMs !== undefined && waitMs >= 0 && waitMs <= LONGEST_WAIT_MS ? waitMs : undefined
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

function wholeDuration(text: string): number | undefined {
  const duration = durationAt(text, 0)
  return duration?.end === text.length ? duration.ms : undefined
}

/** The run of `7m`, `12.5s`, `2 seconds` that begins at `start`, in Go's notation or in words. */
function durationAt(text: string, start: number): { readonly ms: number; readonly end: number } | undefined {
  let ms = 0
  let end = start
  for (let step = 0; step < 6; step++) {
    DURATION_STEP.lastIndex = end
    const match = DURATION_STEP.exec(text)
    const unit = UNITS.get(match?.[2]?.toLowerCase() ?? '')
    if (match === null || unit === undefined) break
    ms += Number(match[1]) * unit
    end = DURATION_STEP.lastIndex
  }
  return end > start ? { ms, end } : undefined
}
