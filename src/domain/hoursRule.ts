/**
 * A rule of the user's hours (`"22-06 Europe/Madrid"`, `"mon-fri 09:00-18:30 UTC"`): whether it holds, and when next.
 */

/** Minutes of the local day; `to` before `from` goes over midnight, `to` at `from` is the whole day. */
export interface HoursRule {
  readonly text: string
  /** 0 is Sunday; null for every day. */
  readonly days: ReadonlySet<number> | null
  readonly from: number
  readonly to: number
  readonly timeZone: string
}

const SHAPE = /^(?:([a-z,-]+) )?(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?(?: (\S+))?$/i
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Null for a text that is no rule; the configuration refuses those beforehand. */
export function readHours(text: string): HoursRule | null {
  const match = SHAPE.exec(text.trim())
  if (match === null) return null
  const [, days, fromHour, fromMinute, toHour, toMinute, timeZone] = match
  return {
    text,
    days: days === undefined ? null : readDays(days),
    from: Number(fromHour) * 60 + Number(fromMinute ?? 0),
    to: Number(toHour) * 60 + Number(toMinute ?? 0),
    timeZone: timeZone ?? 'UTC',
  }
}

function readDays(text: string): ReadonlySet<number> {
  const days = new Set<number>()
  for (const part of text.toLowerCase().split(',')) {
    const [first = '', last = first] = part.split('-')
    const from = DAYS.indexOf(first)
    const to = DAYS.indexOf(last)
    if (from < 0 || to < 0) continue
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === to) break
    }
  }
  return days
}

/** Whether the rule holds at that moment. A rule over midnight belongs to the day on which it began. */
export function holdsAt(rule: HoursRule, at: number): boolean {
  const { day, minute } = localTime(rule.timeZone, at)
  if (rule.from === rule.to) return onDay(rule, day)
  if (rule.from < rule.to) return onDay(rule, day) && minute >= rule.from && minute < rule.to
  return (onDay(rule, day) && minute >= rule.from) || (onDay(rule, (day + 6) % 7) && minute < rule.to)
}

const onDay = (rule: HoursRule, day: number) => rule.days === null || rule.days.has(day)

interface LocalTime {
  /** 0 is Sunday. */
  readonly day: number
  /** Of the day. */
  readonly minute: number
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60
/** Clocks shift at whole quarters of an hour. */
const QUARTER_MINUTES = 15
/** 1970-01-01 was a Thursday. */
const FIRST_DAY = 4

/** Local weekday and minute of the day. */
function localTime(timeZone: string, at: number): LocalTime {
  const utc = Math.floor(at / MINUTE_MS)
  const local = utc + aheadOfUtcMs(timeZone, at) / MINUTE_MS
  const day = Math.floor(local / DAY_MINUTES)
  return { day: (((day + FIRST_DAY) % 7) + 7) % 7, minute: local - day * DAY_MINUTES }
}

/** How many milliseconds the zone's clock is ahead of UTC at that moment. */
export function aheadOfUtcMs(timeZone: string, at: number): number {
  if (timeZone === 'UTC' || !(Math.abs(at) < LATEST_MS)) return 0
  return aheadOfUtc(timeZone, Math.floor(at / MINUTE_MS / QUARTER_MINUTES)) * MINUTE_MS
}

/** Beyond what a date can be, as damaged data may have it. */
const LATEST_MS = 8e15

const remembered = new Map<string, Map<number, number>>()
/** Offsets kept per time zone: those of a day. */
const MOST_REMEMBERED = 96

/** How many minutes the zone's clock is ahead of UTC in that quarter of an hour, counted from 1970. */
function aheadOfUtc(timeZone: string, quarter: number): number {
  const known = remembered.get(timeZone) ?? new Map<number, number>()
  if (known.size === 0) remembered.set(timeZone, known)
  let ahead = known.get(quarter)
  if (ahead === undefined) {
    ahead = readOffset(timeZone, quarter * QUARTER_MINUTES)
    if (known.size >= MOST_REMEMBERED) known.clear()
    known.set(quarter, ahead)
  }
  return ahead
}

function readOffset(timeZone: string, utcMinute: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of clockOf(timeZone).formatToParts(utcMinute * MINUTE_MS)) parts[type] = Number(value)
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute) / MINUTE_MS - utcMinute
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  })
  clocks.set(timeZone, clock)
  return clock
}

/** Whether rules of which one is enough leave no minute of a week free. */
export function holdAlways(rules: readonly HoursRule[]): boolean {
  for (let minute = 0; minute < 7 * DAY_MINUTES; minute++)
    if (!rules.some((rule) => holdsAt(rule, A_MONDAY + minute * MINUTE_MS))) return false
  return true
}

/** Of a week in which no clock is put forward or back. */
const A_MONDAY = Date.UTC(2026, 0, 12)

/** A week, and the day on which it may begin or end. */
const LOOK_AHEAD_DAYS = 8
/** Clocks are put forward and back by at most two hours. */
const MOST_SHIFT_MINUTES = 120

/**
 * The next moment at which every group has a rule that holds; null when there is none within eight days. Groups are
 * rules of one place in the configuration, of which one is enough.
 */
export function opensAt(groups: readonly (readonly HoursRule[])[], at: number): number | null {
  const until = at + LOOK_AHEAD_DAYS * DAY_MINUTES * MINUTE_MS
  for (let moment: number | null = at; moment !== null && moment <= until; ) {
    const now: number = moment
    const closed = groups.find((rules) => !rules.some((rule) => holdsAt(rule, now)))
    if (closed === undefined) return moment
    moment = soonest(closed.map((rule) => beginsAt(rule, now)))
  }
  return null
}

function soonest(moments: readonly (number | null)[]): number | null {
  return moments.reduce(
    (first, moment) => (first === null || (moment !== null && moment < first) ? moment : first),
    null,
  )
}

/**
 * The first minute after `at` at which the rule holds: near the beginning of one of its days, wherever clocks shift.
 */
function beginsAt(rule: HoursRule, at: number): number | null {
  const now = Math.floor(at / MINUTE_MS)
  const begin = rule.from === rule.to ? 0 : rule.from
  const { minute } = localTime(rule.timeZone, at)
  const first = now + ((begin - minute + DAY_MINUTES) % DAY_MINUTES) - DAY_MINUTES
  for (let day = 0; day <= LOOK_AHEAD_DAYS + 1; day++) {
    const centre = first + day * DAY_MINUTES
    const from = Math.max(now + 1, centre - MOST_SHIFT_MINUTES)
    for (let one = from; one <= centre + MOST_SHIFT_MINUTES; one++)
      if (holdsAt(rule, one * MINUTE_MS)) return one * MINUTE_MS
  }
  return null
}
