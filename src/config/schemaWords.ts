/** What several parts of the configuration's schema are made of. */

import { z } from 'zod'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type CamelKeys<T> = { readonly [K in keyof T as K extends string ? Camel<K> : K]: T[K] }

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([name, field]) => [
    name.replace(/_([a-z])/g, (_, c) => c.toUpperCase()),
    field,
  ])
  return Object.fromEntries(entries) as CamelKeys<T> // the same rename, which the compiler cannot follow
}

/** An object of the file. Strict, so that unknown names come up; they become warnings (see `check.ts`). */
export function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape).transform((value) => camelKeys(value))
}

export const ms = z.number().min(0).max(86_400_000)
export const share = z.number().min(0).max(1)
export const amount = z.number().min(0).max(1e12)
export const name = z.string().min(1).max(200)
export const timezone = z.string().refine(isTimeZone, 'expected an IANA time zone such as "UTC" or "Europe/Madrid"')
export const ignored = (what: string) => z.unknown().optional().describe(`${what}; kept, not used`)

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined
  } catch {
    return false
  }
}

const HOURS =
  /^(?:[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?){0,6} )?\d{1,2}(?::\d\d)?-\d{1,2}(?::\d\d)?(?: (\S{1,64}))?$/i

const hoursRule = z
  .string()
  .max(120)
  .refine((rule) => HOURS.test(rule), 'expected hours such as "22-06 Europe/Madrid" or "mon-fri 09:00-18:30 UTC"')
  .refine((rule) => isTimeZone(HOURS.exec(rule)?.[1] ?? 'UTC'), 'names an unknown time zone')

export const hours = z
  .union([hoursRule, z.array(hoursRule)])
  .transform((rules): readonly string[] => (typeof rules === 'string' ? [rules] : rules))
  .describe('When it may be used, such as "22-06 Europe/Madrid"; always when absent')

export const limitShape = {
  usd: amount.optional().describe('USD'),
  requests: amount.optional(),
  tokens: amount.optional(),
  per: z.enum(['minute', 'hour', 'day', 'week', 'month', 'total']).default('month'),
  hard: z.boolean().default(true).describe('Never exceeded; a soft budget warns and prefers what is cheaper'),
  rolling: z.boolean().default(false).describe('The last 24 hours, say, rather than the calendar day'),
  timezone: timezone.default('UTC'),
  on_exceeded: z.enum(['fallback', 'reject']).default('fallback').describe('Go elsewhere, or fail'),
}

export const hasAmount = (budget: { usd?: unknown; requests?: unknown; tokens?: unknown }) =>
  budget.usd !== undefined || budget.requests !== undefined || budget.tokens !== undefined
export const NO_AMOUNT = 'needs an amount: "usd", "requests" or "tokens"'
