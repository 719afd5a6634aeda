/** `keywise status --hours`: a table of target x hour of the day, with the evidence behind each cell. */

import { aheadOfUtcMs } from '../../domain/hoursRule.ts'
import type { HourRow, HoursView, TargetHours } from '../../views/hours.ts'
import type { Printer } from '../output.ts'

const LEGEND = [
  'first: seconds to the first token as expected at that hour; seen: observations that still count for it',
  '(half after 14 days; without any the target’s average is shown); ok %: attempts of the last 28 days that worked.',
]

interface HoursOptions {
  /** By whose clock the hours are shown; the JSON has those of UTC. */
  readonly zone: string
  readonly asJson: boolean
  /** It is shown again, in the place of the last one. */
  readonly again: boolean
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

export function showHours(view: HoursView, out: Printer, { zone, asJson, again }: HoursOptions): void {
  if (asJson) return out.json(view)
  if (again) out.clear()
  const aheadMs = aheadOfUtcMs(zone, Date.parse(view.generatedAt))
  out.line(`Hours by the clock of ${zone}${aheadMs === 0 ? '' : `, today ${offsetText(aheadMs)}`}`)
  out.line()
  const clock = (hour: number) => (hour * 60 + aheadMs / MINUTE_MS + DAY_MINUTES) % DAY_MINUTES
  // The hours of UTC in the order of the local clock, from midnight.
  const order = Array.from({ length: 24 }, (_, hour) => hour).sort((a, b) => clock(a) - clock(b))
  out.table(
    ['target', '', ...order.map((hour) => dialText(clock(hour)))],
    view.targets.flatMap((target) =>
      linesOf({ ...target, hours: order.flatMap((hour) => target.hours[hour] ?? []) }, out),
    ),
  )
  out.line()
  for (const line of LEGEND) out.line(line)
  for (const { target, zone: followed } of view.targets)
    if (followed !== null) out.line(`${target}: its hours follow the clock of ${followed}`)
  for (const { target, rules, closed } of view.targets) {
    if (rules.length === 0) continue
    const text = rules.map((group) => group.join(' or ')).join(', and ')
    out.line(`${target}: only ${text}${closed === null ? '' : `; ${closed.reason}`}`)
  }
}

/** One line each for times, evidence and successes; prices and closed hours get a line only where they exist. */
function linesOf({ target, hours }: TargetHours, out: Printer): string[][] {
  const line = (name: string, cell: (hour: HourRow) => string) => ['', name, ...hours.map(cell)]
  const lines = [
    line('first', ({ expectedMs, observations }) =>
      observations < 0.5 ? out.paint('dim', seconds(expectedMs)) : seconds(expectedMs),
    ),
    line('seen', ({ observations }) => (observations < 0.5 ? '.' : String(Math.round(observations)))),
    line('ok %', ({ successRate }) => (successRate === null ? '.' : String(Math.round(successRate * 100)))),
  ]
  if (new Set(hours.map(({ price }) => JSON.stringify(price))).size > 1)
    lines.push(line('$/M', ({ price }) => (price === null ? '?' : String(Number(price.output.toPrecision(3))))))
  if (hours.some(({ open }) => !open)) lines.push(line('open', ({ open }) => (open ? 'yes' : out.paint('dim', 'no'))))
  const [first = [], ...others] = lines
  return [[target, ...first.slice(1)], ...others]
}

/** `09`, or `09:30` where the zone is not a whole number of hours from UTC. */
function dialText(minute: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return minute % 60 === 0 ? two(minute / 60) : `${two(minute / 60)}:${two(minute % 60)}`
}

/** `UTC+1`, `UTC-3:30` */
function offsetText(aheadMs: number): string {
  const minutes = Math.abs(aheadMs) / MINUTE_MS
  const rest = minutes % 60 === 0 ? '' : `:${String(minutes % 60).padStart(2, '0')}`
  return `UTC${aheadMs < 0 ? '-' : '+'}${Math.floor(minutes / 60)}${rest}`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0)
}
