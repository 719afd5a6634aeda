/** `keywise status --hours`: a table of target x hour of the day, with the evidence behind each cell. */

import type { HourRow, HoursView, TargetHours } from '../../views/hours.ts'
import type { Printer } from '../output.ts'

const HEAD = ['target', '', ...Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'))]
const LEGEND = [
  'Hours are UTC. first: seconds to the first token as expected at that hour; seen: observations that still count for it',
  '(half after 14 days; without any the target’s average is shown); ok %: attempts of the last 28 days that worked.',
]

export function showHours(view: HoursView, out: Printer, asJson: boolean, again: boolean): void {
  if (asJson) return out.json(view)
  if (again) out.clear()
  out.table(
    HEAD,
    view.targets.flatMap((target) => linesOf(target, out)),
  )
  out.line()
  for (const line of LEGEND) out.line(line)
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

function seconds(ms: number): string {
  return (ms / 1000).toFixed(ms < 10_000 ? 1 : 0)
}
