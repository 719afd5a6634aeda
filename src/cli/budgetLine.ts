/** The line of a budget, the same in `keywise budget` and `keywise status`. */

import { formatUsd } from '../money/amount.ts'
import type { BudgetView } from '../money/budgetCounter.ts'
import { forecastText } from '../money/forecastText.ts'
import { clockText, type Printer, plural } from './output.ts'

/** `Budget all: $4.10 of $10.00 per month, until 2026-12-01 00:00 UTC; spent by Thu 14:00 UTC at this pace ($0.12 an hour)` */
export function budgetLine(budget: BudgetView, now: number, out: Printer): string {
  const { scope, per, unit, limit, spent, reserved, resetsAt, hard, unpricedAttempts, share } = budget
  const show = (amount: number) => unitText(amount, unit)
  const parts = [
    `${ofText(spent, limit, unit)} ${perText(per)}`,
    ...(reserved > 0 ? [`${show(reserved)} set aside`] : []),
    ...(resetsAt === null ? [] : [`until ${clockText(resetsAt)}`]),
    ...(share === null ? [] : [`paced: ${show(share.allowed)} until ${clockText(share.until)}`]),
    ...(unpricedAttempts > 0 ? [`${plural(unpricedAttempts, 'call')} whose cost is not wholly known`] : []),
    ...(hard ? [] : ['soft']),
  ]
  const colour = spent >= limit ? 'red' : spent >= limit * 0.8 ? 'yellow' : 'green'
  const forecast = forecastText(budget, now)
  return `Budget ${out.paint(colour, scope)}: ${parts.join(', ')}${forecast === null ? '' : `; ${forecast}`}`
}

/** `$1.20`, `1,000,000 tokens`, `1 request`; amounts of money in nano-USD. */
export function unitText(amount: number, unit: string): string {
  if (unit === 'usd') return formatUsd(amount)
  return `${amount.toLocaleString('en-US')} ${amount === 1 ? unit.replace(/s$/, '') : unit}`
}

/** `$1.20 of $5.00`, `3 of 1,000 requests` */
export function ofText(amount: number, limit: number, unit: string): string {
  const first = unit === 'usd' ? formatUsd(amount) : amount.toLocaleString('en-US')
  return `${first} of ${unitText(limit, unit)}`
}

export const perText = (per: string) => (per === 'total' ? 'in total' : `per ${per}`)
