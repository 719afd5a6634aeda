/** A budget: what it covers, how much it allows, and for how long. */

import { MOST_NANO_USD, NANO_PER_USD, usdToNano } from './amount.ts'
import { BUDGET_PERIODS, type BudgetPer } from './period.ts'
import { type BudgetScope, readBudgetScope } from './scope.ts'

export type BudgetUnit = 'usd' | 'requests' | 'tokens'

export interface Budget {
  /** As written: `all`, `openrouter`, `groq/x`, `google#2`, `account:work`, `label:team=a`, `token:ci`. */
  readonly scope: string
  readonly covers: BudgetScope
  readonly unit: BudgetUnit
  /** Nano-USD, upstream calls, or tokens. 0 allows no spending. */
  readonly limit: number
  readonly per: BudgetPer
  /** Counts the last minute, hour, … instead of the calendar's. */
  readonly rolling: boolean
  readonly timeZone: string
  /** Whether the limit grows over the calendar period (see `Shares`) instead of being there at once. */
  readonly pace: boolean
  /** Hard: no call is made that could exceed it. Soft: alerts, and cheaper targets are preferred. */
  readonly hard: boolean
  /** Whether a request falls back to another target or fails when this budget is used up. */
  readonly onExceeded: 'fallback' | 'reject'
  /** The key meant by `provider#key`, so that the budget follows the key and not its index in the file. */
  readonly fingerprint: string | null
}

/** A budget as validated by the configuration's schema, which reports where a problem is. */
interface BudgetSetting {
  readonly scope: string
  /** Exactly one of the three amounts is set. */
  readonly usd?: number | undefined
  readonly requests?: number | undefined
  readonly tokens?: number | undefined
  readonly per: BudgetPer
  readonly rolling: boolean
  readonly timezone: string
  /** Only of a period of the calendar. Default false. */
  readonly pace?: boolean
  readonly hard: boolean
  readonly onExceeded: 'fallback' | 'reject'
}

export const BUDGET_UNITS = ['usd', 'requests', 'tokens'] as const satisfies readonly BudgetUnit[]

/** Larger amounts of USD cannot be counted exactly. */
export const MOST_BUDGET_USD = Math.floor(MOST_NANO_USD / NANO_PER_USD)

/** `fingerprint`: the key meant by `provider#key`. Throws TypeError for what the schema rejects. */
export function budgetFrom(setting: BudgetSetting, fingerprint: string | null = null): Budget {
  const { scope, per, rolling, timezone, pace = false, hard, onExceeded } = setting
  const covers = readBudgetScope(scope)
  const unit = BUDGET_UNITS.find((one) => setting[one] !== undefined)
  const amount = unit === undefined ? null : (setting[unit] ?? null)
  const limit = unit === 'usd' && amount !== null ? usdToNano(amount) : amount
  const isSpread = !pace || isSpreadable(setting)
  if (covers === undefined || unit === undefined || limit === null || !isSpread)
    throw new TypeError(`no budget: ${scope}`)
  const manner = { rolling: rolling && per !== 'total', timeZone: timezone, pace, hard, onExceeded }
  return { scope, covers, unit, limit, per, ...manner, fingerprint }
}

/** Whether the period has a beginning and an end, over which its limit can grow. */
export const isSpreadable = ({ per, rolling }: Pick<BudgetSetting, 'per' | 'rolling'>) => per !== 'total' && !rolling

/**
 * The name under which a budget is counted across processes. It leaves out the limit and its pace, so changing them in
 * the middle of a month keeps what was spent.
 */
export function budgetId(budget: Budget): string {
  const scope = budget.fingerprint === null ? budget.scope : `${budget.scope.split('#')[0]}@${budget.fingerprint}`
  return `${scope}|${budget.unit}|${budget.per}|${budget.rolling ? 'rolling' : budget.timeZone}`
}

/**
 * Whether the budget can never be the binding one, because `other` has the same scope and allows no more over a longer
 * period. Every budget that covers a call must have room for it, so budgets may overlap freely.
 */
export function isIdleBeside(budget: Budget, other: Budget): boolean {
  return (
    budget.scope === other.scope &&
    budget.unit === other.unit &&
    BUDGET_PERIODS.indexOf(budget.per) < BUDGET_PERIODS.indexOf(other.per) &&
    other.limit <= budget.limit
  )
}
