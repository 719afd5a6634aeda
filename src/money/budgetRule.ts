/** A budget: what it covers, how much it allows, and for how long. */

import { MOST_NANO_USD, NANO_PER_USD, usdToNano } from './amount.ts'
import { BUDGET_PERIODS, type BudgetPer } from './period.ts'
import { type BudgetScope, readBudgetScope } from './scope.ts'

type BudgetUnit = 'usd' | 'requests' | 'tokens'

export interface Budget {
  /** As written: `all`, `openrouter`, `groq/x`, `google#2`, `account:work`, `label:team=a`, `token:ci`. */
  readonly scope: string
  readonly covers: BudgetScope
  readonly unit: BudgetUnit
  /** Nano-USD, upstream calls, or tokens. 0 means that nothing may be spent. */
  readonly limit: number
  readonly per: BudgetPer
  /** Counts the last minute, hour, … instead of the calendar's. */
  readonly rolling: boolean
  readonly timeZone: string
  /** Hard: no call is made that could exceed it. Soft: alerts, and cheaper targets are preferred. */
  readonly hard: boolean
  /** Whether a request goes to another target when this one's budget is spent, or fails. */
  readonly onExceeded: 'fallback' | 'reject'
  /** The key that `provider#key` means, so that the budget follows the key and not its place in the file. */
  readonly fingerprint: string | null
}

/** A budget as the configuration's schema hands it over: checked there, with the place of whatever is wrong. */
interface BudgetSetting {
  readonly scope: string
  /** Exactly one of the three amounts is given. */
  readonly usd?: number | undefined
  readonly requests?: number | undefined
  readonly tokens?: number | undefined
  readonly per: BudgetPer
  readonly rolling: boolean
  readonly timezone: string
  readonly hard: boolean
  readonly onExceeded: 'fallback' | 'reject'
}

export const BUDGET_UNITS = ['usd', 'requests', 'tokens'] as const satisfies readonly BudgetUnit[]

/** More USD cannot be counted exactly. */
export const MOST_BUDGET_USD = Math.floor(MOST_NANO_USD / NANO_PER_USD)

/** `fingerprint`: the key that `provider#key` means. Throws TypeError for what the schema does not let through. */
export function budgetFrom(setting: BudgetSetting, fingerprint: string | null = null): Budget {
  const { scope, per, rolling, timezone, hard, onExceeded } = setting
  const covers = readBudgetScope(scope)
  const unit = BUDGET_UNITS.find((one) => setting[one] !== undefined)
  const amount = unit === undefined ? null : (setting[unit] ?? null)
  const limit = unit === 'usd' && amount !== null ? usdToNano(amount) : amount
  if (covers === undefined || unit === undefined || limit === null) throw new TypeError(`no budget: ${scope}`)
  const manner = { rolling: rolling && per !== 'total', timeZone: timezone, hard, onExceeded }
  return { scope, covers, unit, limit, per, ...manner, fingerprint }
}

/**
 * The name under which a budget is counted over all processes. Without the limit, so that raising it in the middle of a
 * month forgets nothing.
 */
export function budgetId(budget: Budget): string {
  const scope = budget.fingerprint === null ? budget.scope : `${budget.scope.split('#')[0]}@${budget.fingerprint}`
  return `${scope}|${budget.unit}|${budget.per}|${budget.rolling ? 'rolling' : budget.timeZone}`
}

/**
 * Whether the budget can never be the one that binds, because `other` covers the same and allows no more in a longer
 * time. Every budget that covers a call must have room for it, so budgets may overlap as they like.
 */
export function isIdleBeside(budget: Budget, other: Budget): boolean {
  return (
    budget.scope === other.scope &&
    budget.unit === other.unit &&
    BUDGET_PERIODS.indexOf(budget.per) < BUDGET_PERIODS.indexOf(other.per) &&
    other.limit <= budget.limit
  )
}
