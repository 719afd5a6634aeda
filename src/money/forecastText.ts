/** What a budget's forecast says, for people. */

import { formatUsd } from './amount.ts'
import type { BudgetView } from './budgetCounter.ts'
import type { ForecastView } from './forecast.ts'

/** `spent by Thu 14:00 UTC at this pace ($0.32 an hour)`; null where there is no forecast. */
export function forecastText(budget: BudgetView, now: number): string | null {
  const { forecast, spent, limit, resetsAt } = budget
  if (forecast === null) return null
  if (spent >= limit)
    return resetsAt === null ? 'spent, and nothing resets it' : `spent; opens again ${when(resetsAt, now)}`
  const { perHour, spentAt } = forecast
  if (perHour === 0) return `${lasts(budget)}: nothing was spent in the last 24 hours`
  const sooner = isPartlyKnown(budget) ? ' or sooner' : ''
  if (spentAt !== null)
    return `spent by ${when(spentAt, now)}${sooner} at this pace (${amountText(budget.unit, perHour)} an hour)`
  return lasting(budget, forecast)
}

const isPartlyKnown = ({ unpricedAttempts }: BudgetView) => unpricedAttempts > 0

const lasts = ({ per, window }: BudgetView) => (per === 'total' || window === 'rolling' ? 'lasts' : `lasts its ${per}`)

function lasting(budget: BudgetView, { perHour, atEnd }: ForecastView): string {
  const { unit, limit, per, window, share, hard } = budget
  if (atEnd === null) return `lasts for years at this pace (${amountText(unit, perHour)} an hour)`
  const most = unit === 'usd' ? formatUsd(atEnd) : atEnd.toLocaleString('en-US')
  const pace = share !== null && hard ? 'as it is paced' : 'at this pace'
  const what = `${isPartlyKnown(budget) ? 'at least' : 'about'} ${most} of ${amountText(unit, limit)}`
  return `${lasts(budget)} ${pace}: ${what}${window === 'rolling' ? ` in any ${per}` : ''}`
}

/** `$0.32`, `1.4 requests`: what is less than ten of something with two digits. */
export function amountText(unit: string, amount: number): string {
  if (unit === 'usd') return formatUsd(Math.round(amount))
  return `${amount >= 10 ? Math.round(amount).toLocaleString('en-US') : Number(amount.toPrecision(2))} ${unit}`
}

const DAY_MS = 86_400_000
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const

/** `14:00 UTC` of the same day, `Thu 14:00 UTC` of the next five, else with the date. */
function when(iso: string, now: number): string {
  const at = new Date(iso)
  const time = `${iso.slice(11, 16)} UTC`
  const days = Math.floor(at.getTime() / DAY_MS) - Math.floor(now / DAY_MS)
  if (days === 0) return time
  return days > 0 && days <= 5 ? `${DAYS[at.getUTCDay()]} ${time}` : `${iso.slice(0, 10)} ${time}`
}
