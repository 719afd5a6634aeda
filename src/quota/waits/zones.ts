/** Time zones as people and servers write them, as the offset from UTC that holds at a given time. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The wall clock of a zone: a fixed offset in milliseconds, or a zone whose offset depends on the date. */
export type Zone = number | Intl.DateTimeFormat

export const UTC: Zone = 0

/** Abbreviations that APIs use. Those of the United States are read as their region, which knows its summer time. */
const NAMES: ReadonlyMap<string, number | string> = new Map<string, number | string>([
  ['z', 0],
  ['utc', 0],
  ['gmt', 0],
  ['pt', 'America/Los_Angeles'],
  ['pst', 'America/Los_Angeles'],
  ['pdt', 'America/Los_Angeles'],
  ['pacific', 'America/Los_Angeles'],
  ['mt', 'America/Denver'],
  ['mst', 'America/Denver'],
  ['mdt', 'America/Denver'],
  ['cdt', 'America/Chicago'],
  ['et', 'America/New_York'],
  ['est', 'America/New_York'],
  ['edt', 'America/New_York'],
  ['eastern', 'America/New_York'],
  ['bst', 1 * HOUR_MS],
  ['cet', 1 * HOUR_MS],
  ['cest', 2 * HOUR_MS],
  ['msk', 3 * HOUR_MS],
  ['ist', 5.5 * HOUR_MS],
  ['hkt', 8 * HOUR_MS],
  ['sgt', 8 * HOUR_MS],
  ['beijing', 8 * HOUR_MS],
  ['北京时间', 8 * HOUR_MS],
  ['北京時間', 8 * HOUR_MS],
  ['jst', 9 * HOUR_MS],
  ['kst', 9 * HOUR_MS],
])

const OFFSET = /[\s(（]{0,2}(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?(?![\d:])[)）]?/iy
const NAME =
  /[\s(（]{0,2}([a-z]{1,30}(?:\/[a-z_]{1,30}(?:[+-]\d{1,2})?){0,2}|北京时间|北京時間)(?: standard| daylight)?(?: time)?[)）]?/iy

/** The zone written at `start`, and where it ends; undefined when there is none that is known. */
export function zoneAt(text: string, start: number): { readonly zone: Zone; readonly end: number } | undefined {
  OFFSET.lastIndex = start
  const offset = OFFSET.exec(text)
  if (offset !== null) {
    const ms = Number(offset[2]) * HOUR_MS + Number(offset[3] ?? 0) * MINUTE_MS
    if (ms <= 14 * HOUR_MS) return { zone: offset[1] === '-' ? -ms : ms, end: OFFSET.lastIndex }
  }
  NAME.lastIndex = start
  const name = NAME.exec(text)?.[1]
  const zone = name === undefined ? undefined : zoneNamed(name)
  return zone === undefined ? undefined : { zone, end: NAME.lastIndex }
}

/** `+08:00`, `UTC`, `PST`, `Asia/Shanghai`; undefined for an unknown name. */
export function zoneNamed(name: string): Zone | undefined {
  if (/^[+-]/.test(name)) return zoneAt(name, 0)?.zone
  const known = NAMES.get(name.toLowerCase())
  if (typeof known === 'number') return known
  if (known === undefined && !name.includes('/')) return undefined
  return clockOf(known ?? name)
}

/** The instant at which the wall clock of the zone shows these fields; the fields are an instant of UTC. */
export function instantOf(wallClock: number, zone: Zone): number {
  if (typeof zone === 'number') return wallClock - zone
  const near = wallClock - offsetOf(zone, wallClock)
  // The clocks may change between the two, so the offset that holds at the instant itself counts.
  return wallClock - offsetOf(zone, near)
}

/** What the wall clock of the zone shows at `at`, as an instant of UTC. */
export function wallClockOf(at: number, zone: Zone): number {
  return at + (typeof zone === 'number' ? zone : offsetOf(zone, at))
}

/** Making one takes about a millisecond; hostile texts can name only regions that exist. */
const clocks = new Map<string, Intl.DateTimeFormat | undefined>()
const MOST_CLOCKS = 64

function clockOf(region: string): Intl.DateTimeFormat | undefined {
  const key = region.toLowerCase()
  if (clocks.has(key)) return clocks.get(key)
  if (clocks.size >= MOST_CLOCKS) clocks.clear()
  const clock = newClock(region)
  clocks.set(key, clock)
  return clock
}

function newClock(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
}

function offsetOf(clock: Intl.DateTimeFormat, at: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of clock.formatToParts(at)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}
