/** Dates and times of day as upstreams write them in fields and sentences, with and without a zone. */

import { instantOf, UTC, wallClockOf, type Zone, zoneAt } from './zones.ts'

const DAY_MS = 86_400_000

interface DateContext {
  /** Epoch milliseconds; a date without a year and a time without a date are the next such ones. */
  readonly now: number
  /** The zone of dates that name none. Default: UTC. */
  readonly zone?: Zone | undefined
}

export interface DateFound {
  /** Epoch milliseconds. */
  readonly at: number
  /** The index behind the date. */
  readonly end: number
}

/**
 * Milliseconds from `now` to a date of the upstream's, whose clock is `skewMs` ahead of ours by its `Date` header. A
 * date that is more than a day over by that clock was not written by it, and is taken as it stands.
 */
export function untilDate(at: number, now: number, skewMs: number): number {
  const byItsClock = at - skewMs - now
  return byItsClock < -DAY_MS ? at - now : byItsClock
}

const WEEKDAY = '(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\\.?,? +)?'
const MONTH = '((?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})'
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

const YEAR_FIRST = /(\d{4})(?:[-/.]|年)\s?(\d{1,2})(?:[-/.]|月)\s?(\d{1,2})日?(?!\d)/y
const MONTH_FIRST = new RegExp(
  `${WEEKDAY}${MONTH}\\.? +(\\d{1,2})(?:st|nd|rd|th)?(?![\\d:])(?:,? +(\\d{4})(?!\\d))?`,
  'iy',
)
const DAY_FIRST = new RegExp(
  `${WEEKDAY}(\\d{1,2})(?:st|nd|rd|th)?[ -](?:of )?${MONTH}\\.?(?:,?[ -](\\d{4})(?!\\d))?`,
  'iy',
)
/** As `toLocaleString` writes it in the United States. */
const SLASHED = /(\d{1,2})\/(\d{1,2})\/(\d{4})(?!\d)/y

const GAP = /(?:t|,? (?:at |@ )?|\s{0,2})/iy
const TIME = /(\d{1,2})(?:[:：时](\d{2})(?:[:：分](\d{2}(?:[.,]\d{1,9})?))?)?[分秒]?(?:\s?([ap])\.?m\b\.?)?(?!\d)/iy
const MIDNIGHT = /midnight\b/iy
const EPOCH = /(\d{13}|\d{10})(?!\d)/y

/** The date that begins at `start`; undefined when there is none. A time of day alone is its next occurrence. */
export function dateAt(text: string, start: number, { now, zone = UTC }: DateContext): DateFound | undefined {
  const epoch = exec(EPOCH, text, start)
  if (epoch !== null) return { at: Number(epoch[1]) * (epoch[1]?.length === 10 ? 1000 : 1), end: EPOCH.lastIndex }
  const day = dayAt(text, start)
  if (day === undefined) return timeOfDay(text, start, now, zone)
  const time = timeAfter(text, day.end)
  const stated = zoneAt(text, time?.end ?? day.end)
  const used = stated?.zone ?? zone
  const at =
    day.year === undefined ? nextYearly(day, time?.ms ?? 0, used, now) : instant(day.year, day, time?.ms ?? 0, used)
  return at === undefined ? undefined : { at, end: stated?.end ?? time?.end ?? day.end }
}

interface DayFound {
  readonly year: number | undefined
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly end: number
}

function dayAt(text: string, start: number): DayFound | undefined {
  const iso = exec(YEAR_FIRST, text, start)
  if (iso !== null) return checked(iso[1], Number(iso[2]), iso[3], YEAR_FIRST.lastIndex)
  const named = exec(MONTH_FIRST, text, start)
  if (named !== null) return checked(named[3], monthOf(named[1]), named[2], MONTH_FIRST.lastIndex)
  const turned = exec(DAY_FIRST, text, start)
  if (turned !== null) return checked(turned[3], monthOf(turned[2]), turned[1], DAY_FIRST.lastIndex)
  const slashed = exec(SLASHED, text, start)
  if (slashed === null) return undefined
  const [, first, second, year] = slashed
  const isDayFirst = Number(first) > 12
  return checked(year, Number(isDayFirst ? second : first), isDayFirst ? first : second, SLASHED.lastIndex)
}

/** 0 for a word that only begins like a month. */
function monthOf(word = ''): number {
  const lower = word.toLowerCase()
  return MONTHS.findIndex((month) => month.startsWith(lower) || lower === 'sept') + 1 || 0
}

function checked(year: string | undefined, month: number, day: string | undefined, end: number): DayFound | undefined {
  const isReal = month >= 1 && month <= 12 && Number(day) >= 1 && Number(day) <= 31
  return isReal ? { year: year === undefined ? undefined : Number(year), month, day: Number(day), end } : undefined
}

interface TimeFound {
  /** Milliseconds since midnight. */
  readonly ms: number
  readonly end: number
}

function timeAfter(text: string, start: number): TimeFound | undefined {
  exec(GAP, text, start)
  return timeAt(text, Math.max(start, GAP.lastIndex))
}

/** `17:00`, `5pm`, `05:00:30 PM`; a bare number is none. */
function timeAt(text: string, start: number): TimeFound | undefined {
  const midnight = exec(MIDNIGHT, text, start)
  if (midnight !== null) return { ms: 0, end: MIDNIGHT.lastIndex }
  const time = exec(TIME, text, start)
  if (time === null || (time[2] === undefined && time[4] === undefined)) return undefined
  const half = time[4]?.toLowerCase()
  const hour = half === undefined ? Number(time[1]) : (Number(time[1]) % 12) + (half === 'p' ? 12 : 0)
  const minute = Number(time[2] ?? 0)
  const second = Number(time[3]?.replace(',', '.') ?? 0)
  if (hour > 24 || minute > 59 || second > 60) return undefined
  return { ms: Math.floor(((hour * 60 + minute) * 60 + second) * 1000), end: TIME.lastIndex }
}

function timeOfDay(text: string, start: number, now: number, zone: Zone): DateFound | undefined {
  const time = timeAt(text, start)
  if (time === undefined) return undefined
  const stated = zoneAt(text, time.end)
  const used = stated?.zone ?? zone
  const midnight = Math.floor(wallClockOf(now, used) / DAY_MS) * DAY_MS
  const today = instantOf(midnight + time.ms, used)
  const at = today >= now ? today : instantOf(midnight + DAY_MS + time.ms, used)
  return { at, end: stated?.end ?? time.end }
}

/** This year's, or next year's when this year's is over by more than a day. */
function nextYearly(day: DayFound, ms: number, zone: Zone, now: number): number | undefined {
  const year = new Date(now).getUTCFullYear()
  const at = instant(year, day, ms, zone)
  return at !== undefined && at >= now - DAY_MS ? at : instant(year + 1, day, ms, zone)
}

function instant(year: number, { month, day }: DayFound, ms: number, zone: Zone): number | undefined {
  const midnight = Date.UTC(year, month - 1, day)
  // The 31st of a shorter month would silently be another day.
  return new Date(midnight).getUTCDate() === day ? instantOf(midnight + ms, zone) : undefined
}

function exec(pattern: RegExp, text: string, start: number): RegExpExecArray | null {
  pattern.lastIndex = start
  return pattern.exec(text)
}
