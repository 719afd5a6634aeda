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
  readonly minuteOfEpoch: number
  readonly day: number
  readonly minute: number
}

const clocks = new Map<string, Intl.DateTimeFormat>()
const remembered = new Map<string, LocalTime>()

/** Local weekday (0 Sunday) and minute of the day; the last one asked for is kept per time zone. */
function localTime(timeZone: string, at: number): LocalTime {
  const minuteOfEpoch = Math.floor(at / MINUTE_MS)
  const known = remembered.get(timeZone)
  if (known?.minuteOfEpoch === minuteOfEpoch) return known
  const parts = Object.fromEntries(
    clockOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  const time = {
    minuteOfEpoch,
    day: DAYS.indexOf(String(parts['weekday']).toLowerCase().slice(0, 3)),
    minute: Number(parts['hour']) * 60 + Number(parts['minute']),
  }
  remembered.set(timeZone, time)
  return time
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  clocks.set(timeZone, clock)
  return clock
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60
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
