/** Lengths of time in Go's notation, in ISO 8601 and in words: `1m47.5s`, `PT30S`, `5 days 22 hours 11 minutes`. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const UNITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ns: 1e-6,
    nanoseconds: 1e-6,
    us: 1e-3,
    µs: 1e-3,
    microseconds: 1e-3,
    ms: 1,
    msec: 1,
    millis: 1,
    millisecond: 1,
    milliseconds: 1,
    毫秒: 1,
    s: SECOND,
    sec: SECOND,
    secs: SECOND,
    second: SECOND,
    seconds: SECOND,
    秒: SECOND,
    秒钟: SECOND,
    m: MINUTE,
    min: MINUTE,
    mins: MINUTE,
    minute: MINUTE,
    minutes: MINUTE,
    分: MINUTE,
    分钟: MINUTE,
    分鐘: MINUTE,
    h: HOUR,
    hr: HOUR,
    hrs: HOUR,
    hour: HOUR,
    hours: HOUR,
    时: HOUR,
    小时: HOUR,
    小時: HOUR,
    个小时: HOUR,
    d: DAY,
    day: DAY,
    days: DAY,
    天: DAY,
    日: DAY,
    w: 7 * DAY,
    week: 7 * DAY,
    weeks: 7 * DAY,
  }),
)

const STEP =
  /\s{0,3}(?:(?:,|and|&)\s{1,3})?(\d{1,15}(?:\.\d{1,12})?|\ban?\b|\bone\b)\s{0,3}(?:more )?([a-zµ]{1,12}|[毫秒钟分鐘小时時个天日]{1,3})(\(s\))?/iy
const ISO = /^P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d{1,9})?)S)?)?$/i
const CLOCK = /(\d{1,3}):([0-5]\d):([0-5]\d)(?![\d:])/y
const MOST_STEPS = 6

interface DurationFound {
  readonly ms: number
  /** The index behind the duration. */
  readonly end: number
}

/** The run of `7m`, `12.5s`, `2 seconds`, `an hour` that begins at `start`; undefined when there is none. */
export function durationAt(text: string, start: number): DurationFound | undefined {
  let ms = 0
  let end = start
  for (let step = 0; step < MOST_STEPS; step++) {
    STEP.lastIndex = end
    const match = STEP.exec(text)
    const unit = UNITS.get(match?.[2]?.toLowerCase() ?? '')
    if (match === null || unit === undefined) break
    const count = Number(match[1])
    ms += (Number.isNaN(count) ? 1 : count) * unit
    end = STEP.lastIndex
  }
  return end > start ? { ms, end } : undefined
}

/** `01:30:00`, read as a length of time and not as a time of day. */
export function clockDurationAt(text: string, start: number): DurationFound | undefined {
  CLOCK.lastIndex = start
  const match = CLOCK.exec(text)
  if (match === null) return undefined
  const [, hours, minutes, seconds] = match.map(Number)
  return { ms: (hours ?? 0) * HOUR + (minutes ?? 0) * MINUTE + (seconds ?? 0) * SECOND, end: CLOCK.lastIndex }
}

/** A text that is nothing but a duration. */
export function wholeDuration(text: string): number | undefined {
  const iso = ISO.exec(text)
  if (iso !== null && text.length > 2) {
    const [days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0))
    return (days ?? 0) * DAY + (hours ?? 0) * HOUR + (minutes ?? 0) * MINUTE + (seconds ?? 0) * SECOND
  }
  const duration = durationAt(text, 0)
  return duration?.end === text.length ? duration.ms : undefined
}
