/** The user's hours (`"22-06 Europe/Madrid"`, `"mon-fri 09:00-18:30 UTC"`) as a reason to leave a target out. */

import type { Target } from '../domain/target.ts'
import type { Ineligible } from '../routing/eligible.ts'
import type { Roster } from './roster.ts'
import { matches } from './selection.ts'

/** A rule as read; minutes of the local day, `to` before `from` goes over midnight. */
export interface HoursRule {
  readonly text: string
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

const clocks = new Map<string, Intl.DateTimeFormat>()
const remembered = new Map<string, { minuteOfEpoch: number; day: number; minute: number }>()

/** Local weekday (0 Sunday) and minute of the day; a minute is computed once per time zone. */
function localTime(timeZone: string, at: number): { day: number; minute: number } {
  const minuteOfEpoch = Math.floor(at / 60_000)
  const known = remembered.get(timeZone)
  if (known?.minuteOfEpoch === minuteOfEpoch) return known
  let clock = clocks.get(timeZone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    clocks.set(timeZone, clock)
  }
  const parts = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, value]))
  const time = {
    minuteOfEpoch,
    day: DAYS.indexOf(String(parts['weekday']).toLowerCase().slice(0, 3)),
    minute: Number(parts['hour']) * 60 + Number(parts['minute']),
  }
  remembered.set(timeZone, time)
  return time
}

/** How far ahead the end of a closed time is looked for. */
const LOOK_AHEAD_MINUTES = 8 * 24 * 60

/** The next minute at which one of the rules holds; null when none ever does within eight days. */
export function opensAt(rules: readonly HoursRule[], at: number): number | null {
  for (let minute = 1; minute <= LOOK_AHEAD_MINUTES; minute++) {
    const moment = (Math.floor(at / 60_000) + minute) * 60_000
    if (rules.some((rule) => holdsAt(rule, moment))) return moment
  }
  return null
}

/** Why the user's hours keep a target out; rules of its key and rules of `settings.hours` must both hold. */
export function hoursOf(roster: Roster): (target: Target, now: number) => Ineligible | null {
  const patterns = Object.entries(roster.config.settings.hours).map(([pattern, rules]) => ({
    pattern,
    rules: readAll(rules),
  }))
  const byTarget = new Map<string, readonly (readonly HoursRule[])[]>()
  for (const target of roster.targets) {
    const key = roster.seatOf(target).key.hours
    const groups = patterns.filter(({ pattern }) => concerns(pattern, target)).map(({ rules }) => rules)
    if (key !== undefined) groups.push(readAll(key))
    if (groups.length > 0) byTarget.set(target.stateId, groups)
  }
  if (byTarget.size === 0) return () => null
  return (target, now) => {
    for (const rules of byTarget.get(target.stateId) ?? []) {
      if (!rules.some((rule) => holdsAt(rule, now))) return closed(rules, now)
    }
    return null
  }
}

const readAll = (rules: readonly string[]) => rules.flatMap((rule) => readHours(rule) ?? [])

function concerns(pattern: string, target: Target): boolean {
  return (
    pattern === target.provider || matches(pattern, `${target.provider}/${target.model}`) || matches(pattern, target.id)
  )
}

function closed(rules: readonly HoursRule[], now: number): Ineligible {
  return {
    code: 'hours',
    reason: `outside its hours (${rules.map((rule) => rule.text).join(', ')})`,
    until: opensAt(rules, now),
  }
}
