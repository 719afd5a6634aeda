/**
 * Calendar periods in a time zone: exact across daylight-saving changes, month ends and midnights that do not exist.
 */

export const BUDGET_PERIODS = ['minute', 'hour', 'day', 'week', 'month', 'total'] as const
export type BudgetPer = (typeof BUDGET_PERIODS)[number]

/** `[start, end)` in epoch milliseconds; `end` is Infinity for `total`. */
export interface Period {
  readonly start: number
  readonly end: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const EVER: Period = { start: 0, end: Number.POSITIVE_INFINITY }

/** The calendar minute, hour, day, week (from Monday, ISO 8601) or month that contains `at`, or all time. */
export function calendarPeriod(per: BudgetPer, at: number, timeZone: string): Period {
  if (per === 'total') return EVER
  if (per === 'minute') return fixed(at, MINUTE_MS, 0)
  // Zone offsets include half and quarter hours, so the hours of such zones are shifted.
  if (per === 'hour') return fixed(at, HOUR_MS, offsetMs(at, timeZone))
  const local = new Date(at + offsetMs(at, timeZone))
  const year = local.getUTCFullYear()
  const month = local.getUTCMonth()
  const day = local.getUTCDate()
  if (per === 'month') return between(Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1), timeZone)
  const monday = day - ((local.getUTCDay() + 6) % 7)
  return per === 'week'
    ? between(Date.UTC(year, month, monday), Date.UTC(year, month, monday + 7), timeZone)
    : between(Date.UTC(year, month, day), Date.UTC(year, month, day + 1), timeZone)
}

function fixed(at: number, length: number, offset: number): Period {
  const start = Math.floor((at + offset) / length) * length - offset
  return { start, end: start + length }
}

function between(localStart: number, localEnd: number, timeZone: string): Period {
  return { start: firstInstant(localStart, timeZone), end: firstInstant(localEnd, timeZone) }
}

/**
 * The first instant at which the zone's wall clock shows that local time or a later one. Local midnight may be skipped
 * or occur twice, so it is searched for rather than computed: 27 bisections of the 28 hours by which zones differ.
 */
function firstInstant(localTime: number, timeZone: string): number {
  let before = localTime - 15 * HOUR_MS
  let after = localTime + 13 * HOUR_MS
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (middle + offsetMs(middle, timeZone) >= localTime) after = middle
    else before = middle
  }
  return after
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far the zone's wall clock is ahead of UTC at that instant, in milliseconds. */
function offsetMs(at: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0
  const whole = Math.floor(at / 1_000) * 1_000
  const field: Record<string, number> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(whole)) field[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = field
  return Date.UTC(year, month - 1, day, hour, minute, second) - whole
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const digits = 'numeric'
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: digits,
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
    })
    formats.set(timeZone, format)
  }
  return format
}

/** Lengths of rolling windows; a rolling month is 30 days. */
const ROLLING_MS: { readonly [P in Exclude<BudgetPer, 'total'>]: number } = {
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
}

/** Number of slots of a rolling window; an amount stays in it for up to one slot longer than the window. */
const SLOTS = 30

/**
 * The slots that a budget counts in: one per calendar period, or thirty per rolling window. A window is the current
 * slot plus the `back` slots before it.
 */
export class Slots {
  /** How many slots before the current one still count. */
  readonly back: number
  readonly #per: BudgetPer
  readonly #timeZone: string
  readonly #length: number
  #last: Period = { start: 0, end: 0 }

  constructor(per: BudgetPer, rolling: boolean, timeZone: string) {
    this.#per = per
    this.#timeZone = timeZone
    this.#length = rolling && per !== 'total' ? ROLLING_MS[per] / SLOTS : 0
    this.back = this.#length === 0 ? 0 : SLOTS
  }

  /** The slot that contains a time. Cheap while consecutive times fall into one slot. */
  at(time: number): Period {
    const last = this.#last
    if (time >= last.start && time < last.end) return last
    this.#last = this.#length === 0 ? calendarPeriod(this.#per, time, this.#timeZone) : fixed(time, this.#length, 0)
    return this.#last
  }

  /** The start of the slot `steps` after that one (before it when negative); only for rolling windows. */
  shifted(slotStart: number, steps: number): number {
    return slotStart + steps * this.#length
  }

  /** The start of the oldest slot that counts together with the slot that starts at that time. */
  windowStart(slotStart: number): number {
    return slotStart - this.back * this.#length
  }

  /** How long a rolling window is, in milliseconds; 0 for the periods of the calendar. */
  get windowMs(): number {
    return this.#length * this.back
  }

  /** When spending in that slot stops counting; Infinity for `total`. */
  expiry(slot: Period): number {
    return this.#length === 0 ? slot.end : slot.end + this.back * this.#length
  }
}
