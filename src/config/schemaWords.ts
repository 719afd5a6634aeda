/** Building blocks shared by several parts of the configuration's schema. */

import { z } from 'zod'
import { timeZoneProblem } from '../domain/timeZone.ts'
import { BUDGET_UNITS, isSpreadable, MOST_BUDGET_USD } from '../money/budgetRule.ts'
import { BUDGET_PERIODS, type BudgetPer } from '../money/period.ts'
import { isPrice } from '../money/price.ts'
import { readBudgetScope } from '../money/scope.ts'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type CamelKeys<T> = { readonly [K in keyof T as K extends string ? Camel<K> : K]: T[K] }

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([name, field]) => [
    name.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase()),
    field,
  ])
  return Object.fromEntries(entries) as CamelKeys<T> // the same rename, which the compiler cannot follow
}

/** An object in the file. Strict, so that unknown names are noticed; they become warnings (see `check.ts`). */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape).transform((value) => camelKeys(value))
}

export const ms = z.number().min(0).max(86_400_000)
export const share = z.number().min(0).max(1)
export const amount = z.number().min(0).max(1e12)
export const name = z.string().min(1).max(200)

/** A text that must pass a check; `problem` returns what is wrong with it and what to write. */
function checked(text: z.ZodString, problem: (text: string) => string | null) {
  return text.superRefine((value, context) => {
    const message = problem(value)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })
}

/** The message follows the name of the setting. */
const zoneProblem = (name: string) => {
  const problem = timeZoneProblem(name)
  return problem === null ? null : `is wrong: ${problem}`
}

export const timezone = checked(z.string(), zoneProblem)
export const ignored = (what: string) => z.unknown().optional().describe(`${what}; kept, not used`)

const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)'
const DAYS = `${DAY}(?:-${DAY})?(?:,${DAY}(?:-${DAY})?){0,6}`
const ONLY_DAYS = new RegExp(`^${DAYS}$`, 'i')
const FROM = '(?:[01]?\\d|2[0-3])(?::[0-5]\\d)?'
const HOURS = new RegExp(`^(?:${DAYS} )?${FROM}-(?:${FROM}|24(?::00)?)(?: (\\S.{0,63}))?$`, 'i')

const hoursRule = checked(z.string().max(120), hoursProblem)

/** Why a text is no rule of hours, and what to write; null for a rule. */
function hoursProblem(rule: string): string | null {
  const match = HOURS.exec(rule)
  if (match === null) return 'expected hours such as "22-06 Europe/Madrid" or "mon-fri 09:00-18:30 UTC"'
  const zone = match[1] ?? 'UTC'
  if (ONLY_DAYS.test(zone)) return `is wrong: days come first: "${zone} ${rule.slice(0, -zone.length).trim()}"`
  return zoneProblem(zone)
}

export const hours = z
  .union([hoursRule, z.array(hoursRule)])
  .transform((rules): readonly string[] => (typeof rules === 'string' ? [rules] : rules))
  .describe('When it may be used, such as "22-06 Europe/Madrid"; always when absent')

export const times = z.number().min(0).max(1000)

/** By rule, so that the name is checked like a rule of `hours`. */
export const hourTimes = z
  .record(z.string(), times)
  .superRefine((byRule, context) => {
    for (const rule of Object.keys(byRule)) {
      const wrong = hoursRule.safeParse(rule).error?.issues[0]
      if (wrong !== undefined) context.addIssue({ code: 'custom', path: [rule], message: wrong.message })
    }
  })
  .describe(
    'By hours such as "16:30-00:30 UTC" or "mon-fri 9-18 Asia/Shanghai": how many times the price while they last; of several at once the last counts',
  )

const NEGATIVE = 'is negative; 0 means that nothing may be spent'
const WHOLE = 'must be a whole number'

export const limitShape = {
  usd: z
    .number()
    .min(0, NEGATIVE)
    .max(MOST_BUDGET_USD, `is more than keywise can count ($${MOST_BUDGET_USD}); leave the budget out instead`)
    .optional()
    .describe('Amount of money in USD'),
  requests: z.int(WHOLE).min(0, NEGATIVE).optional().describe('Instead of usd: a number of requests'),
  tokens: z.int(WHOLE).min(0, NEGATIVE).optional().describe('Instead of usd: a number of tokens'),
  per: z.enum(BUDGET_PERIODS).default('month').describe('The period it is counted in'),
  hard: z.boolean().default(true).describe('Never exceeded; a soft budget warns and prefers what is cheaper'),
  rolling: z.boolean().default(false).describe('The last 24 hours instead of the calendar day, and so on'),
  timezone: timezone.default('UTC').describe('Where its days and months begin'),
  pace: z
    .boolean()
    .default(false)
    .describe('Spread over the period: a month and a week by the day, a day by the hour; what is not used stays'),
  on_exceeded: z.enum(['fallback', 'reject']).default('fallback').describe('Use other targets, or fail'),
}

type Amounts = { readonly [U in (typeof BUDGET_UNITS)[number]]?: number | undefined }
const amountsIn = (budget: Amounts) => BUDGET_UNITS.filter((unit) => budget[unit] !== undefined).length

export const hasAmount = (budget: Amounts) => amountsIn(budget) > 0
export const NO_AMOUNT = 'needs an amount: "usd", "requests" or "tokens"; no other currency is counted'
export const hasOneAmount = (budget: Amounts) => amountsIn(budget) <= 1
export const TWO_AMOUNTS = 'has more than one of "usd", "requests" and "tokens"; write one budget for each'

interface Spread {
  readonly per: BudgetPer
  readonly rolling: boolean
  readonly pace: boolean
}

export const isSpreadOverPeriod = (budget: Spread) => !budget.pace || isSpreadable(budget)
export const NO_PERIOD = {
  message:
    'spreads a budget over a period of the calendar, which "per": "total" and "rolling": true do not have; leave one of them out',
  path: ['pace'],
}

export const scope = name
  .refine(
    (text) => readBudgetScope(text) !== undefined,
    'is not a scope; use all, provider, provider/model, provider#key, account:NAME, label:K=V or token:NAME',
  )
  .describe('What it counts: all, provider, provider/model, provider#key, account:NAME, label:K=V or token:NAME')

export const price = z.number().refine(isPrice, 'must be an amount of USD from 0 to 100000')
