/** A budget as the user wrote it, checked, with a message for everything that cannot be one. */

import { asRecord, asString } from '../domain/json.ts'
import { MOST_NANO_USD, usdToNano } from './amount.ts'
import { BUDGET_PERIODS, type BudgetPer, isTimeZone } from './period.ts'
import { readScope, type Scope } from './scope.ts'

export type BudgetUnit = 'usd' | 'requests' | 'tokens'

export interface Budget {
  /** As written: `all`, `openrouter`, `groq/x`, `google#2`, `account:work`, `label:team=a`, `token:ci`. */
  readonly scope: string
  readonly covers: Scope
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

export interface BudgetReading {
  readonly budgets: readonly Budget[]
  /** What is wrong and must be mended; the budgets concerned are left out. */
  readonly problems: readonly string[]
  /** What is allowed but worth knowing (budgets that overlap). */
  readonly notes: readonly string[]
}

/** Reads `settings.budgets`. `path` is where it stands, for the messages. */
export function readBudgets(value: unknown, path = 'settings.budgets'): BudgetReading {
  if (!Array.isArray(value)) return { budgets: [], problems: [`"${path}" must be a list of budgets`], notes: [] }
  const budgets: Budget[] = []
  const problems: string[] = []
  for (const [index, entry] of value.entries()) {
    const read = readBudget(entry, `${path}[${index}]`)
    if (typeof read === 'string') problems.push(read)
    else if (budgets.some((other) => budgetId(other) === budgetId(read)))
      problems.push(`"${path}[${index}]" is a second ${read.per} budget in ${read.unit} for "${read.scope}"; keep one`)
    else budgets.push(read)
  }
  return { budgets, problems, notes: overlaps(budgets) }
}

const UNITS = ['usd', 'requests', 'tokens'] as const
const FIELDS = new Set(['scope', 'per', 'window', 'timezone', 'hard', 'on_exceeded', ...UNITS])
const CURRENCIES = /^(?:eur|gbp|jpy|cny|inr|chf|cad|aud|brl|krw|dollars?|euros?|cents?|credits?|amount)$/i

/**
 * One budget, or the sentence that says what is wrong with it. A budget that stands beside a key has no `scope` of its
 * own and takes `owner`'s.
 */
export function readBudget(
  value: unknown,
  path: string,
  owner: { readonly scope?: string; readonly fingerprint?: string } = {},
): Budget | string {
  const entry = asRecord(value)
  if (entry === undefined) return `"${path}" must be an object such as { "scope": "all", "usd": 10, "per": "day" }`
  for (const field of Object.keys(entry)) if (!FIELDS.has(field)) return unknownField(path, field)
  const scope = asString(entry['scope']) ?? owner.scope ?? ''
  const covers = readScope(scope)
  if (covers === undefined)
    return `"${path}.scope" "${scope}" is no scope; use all, provider, provider/model, provider#key, account:NAME, label:K=V or token:NAME`
  const amount = readAmount(entry, path)
  if (typeof amount === 'string') return amount
  const when = readWhen(entry, path)
  if (typeof when === 'string') return when
  const manner = readManner(entry, path)
  if (typeof manner === 'string') return manner
  return { scope, covers, ...amount, ...when, ...manner, fingerprint: owner.fingerprint ?? null }
}

function unknownField(path: string, field: string): string {
  return CURRENCIES.test(field)
    ? `"${path}.${field}" is not a unit keywise counts in; use usd, requests or tokens`
    : `"${path}.${field}" is not known; use ${[...FIELDS].join(', ')}`
}

function readAmount(entry: Record<string, unknown>, path: string): Pick<Budget, 'unit' | 'limit'> | string {
  const given = UNITS.filter((unit) => entry[unit] !== undefined)
  const unit = given[0]
  if (unit === undefined) return `"${path}" names no amount; give one of usd, requests, tokens`
  if (given.length > 1) return `"${path}" has both ${given.join(' and ')}; write one budget for each`
  const amount = entry[unit]
  if (typeof amount !== 'number' || Number.isNaN(amount)) return `"${path}.${unit}" must be a number`
  if (amount < 0) return `"${path}.${unit}" is negative; 0 means that nothing may be spent`
  const limit = unit === 'usd' ? usdToNano(amount) : Number.isSafeInteger(amount) ? amount : null
  if (limit !== null) return { unit, limit }
  return unit === 'usd'
    ? `"${path}.usd" is more than keywise can count ($${Math.floor(MOST_NANO_USD / 1e9)}); leave the budget out instead`
    : `"${path}.${unit}" must be a whole number up to ${Number.MAX_SAFE_INTEGER}`
}

function readWhen(entry: Record<string, unknown>, path: string): Pick<Budget, 'per' | 'rolling' | 'timeZone'> | string {
  const per = BUDGET_PERIODS.find((period) => period === entry['per'])
  if (per === undefined) return `"${path}.per" must be one of ${BUDGET_PERIODS.join(', ')}`
  const window = entry['window'] ?? 'calendar'
  if (window !== 'calendar' && window !== 'rolling') return `"${path}.window" must be calendar or rolling`
  const timeZone = entry['timezone'] ?? 'UTC'
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone))
    return `"${path}.timezone" "${String(timeZone)}" is no time zone; use an IANA name such as Europe/Madrid, or UTC`
  return { per, rolling: window === 'rolling' && per !== 'total', timeZone }
}

function readManner(entry: Record<string, unknown>, path: string): Pick<Budget, 'hard' | 'onExceeded'> | string {
  const hard = entry['hard'] ?? true
  if (typeof hard !== 'boolean') return `"${path}.hard" must be true or false`
  const onExceeded = entry['on_exceeded'] ?? 'fallback'
  if (onExceeded !== 'fallback' && onExceeded !== 'reject') return `"${path}.on_exceeded" must be fallback or reject`
  return { hard, onExceeded }
}

/**
 * The name under which a budget is counted over all processes. Without the limit, so that raising it in the middle of a
 * month forgets nothing.
 */
export function budgetId(budget: Budget): string {
  const scope = budget.fingerprint === null ? budget.scope : `${budget.scope.split('#')[0]}@${budget.fingerprint}`
  return `${scope}|${budget.unit}|${budget.per}|${budget.rolling ? 'rolling' : budget.timeZone}`
}

function overlaps(budgets: readonly Budget[]): string[] {
  const notes: string[] = []
  for (const [index, budget] of budgets.entries())
    for (const other of budgets.slice(index + 1))
      if (budget.scope === other.scope && budget.unit === other.unit && budget.hard && other.hard)
        notes.push(`"${budget.scope}" has budgets per ${budget.per} and per ${other.per}: both must have room`)
  return notes
}
