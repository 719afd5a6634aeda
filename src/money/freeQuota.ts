/** Usage that an account is not billed: so many tokens, requests or USD a day or a month. */

import { matchesPattern } from '../domain/pattern.ts'
import { usdToNano } from './amount.ts'

/** A calendar hour is too short: a call may last longer. */
export const FREE_PERIODS = ['day', 'week', 'month', 'total'] as const

export const FREE_UNITS = ['tokens', 'requests', 'usd'] as const

/** As written in a contract: one of the three amounts. */
export interface FreeTerms {
  /** Input and output together. */
  readonly tokens?: number | undefined
  readonly requests?: number | undefined
  /** Of what the usage would cost. */
  readonly usd?: number | undefined
  readonly per: (typeof FREE_PERIODS)[number]
  /** Where the days and months begin. */
  readonly timezone: string
  /** Patterns of the models that share it; absent: all. */
  readonly models?: readonly string[] | undefined
}

export interface FreeQuota {
  readonly unit: (typeof FREE_UNITS)[number]
  /** Tokens, requests or nano-USD. */
  readonly limit: number
  readonly per: FreeTerms['per']
  readonly timeZone: string
  readonly models: readonly string[] | null
  /** Who shares it. */
  readonly provider: string
  readonly account: string
}

/** The first that covers the model; undefined for none. */
export function freeQuotaFor(
  all: readonly FreeTerms[],
  { provider, account, model }: { readonly provider: string; readonly account: string; readonly model: string },
): FreeQuota | undefined {
  const terms = all.find(({ models }) => models === undefined || fits(models, model))
  const unit = FREE_UNITS.find((one) => terms?.[one] !== undefined)
  if (terms === undefined || unit === undefined) return undefined
  const amount = terms[unit] ?? 0
  const limit = unit === 'usd' ? (usdToNano(amount) ?? 0) : amount
  const { per, timezone, models = null } = terms
  return { unit, limit, per, timeZone: timezone, models, provider, account }
}

/** Whether an attempt is counted in it. */
export function isCounted({ account, models }: FreeQuota, payee: { account: string; model: string }): boolean {
  return payee.account === account && (models === null || fits(models, payee.model))
}

const fits = (patterns: readonly string[], model: string) => patterns.some((one) => matchesPattern(one, model))

/**
 * The name under which it is counted across processes. It leaves out the limit: one that was raised keeps what was used.
 */
export function freeQuotaId({ unit, per, timeZone, models, account }: FreeQuota): string {
  return `${account}|${unit}|${per}|${timeZone}|${models?.join(',') ?? '*'}`
}
