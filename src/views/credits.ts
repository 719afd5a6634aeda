/** What accounts have left, as their providers told it, and how long that lasts: `credits` of `status --json`. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { EngineReader } from '../engine/reader.ts'
import { creditOutlook } from '../engine/targets/creditOutlook.ts'
import type { BalanceQuestion, KnownBalance, KnownCredit } from '../engine/targets/credits.ts'
import { nanoToUsd } from '../money/amount.ts'
import { decimalCredit } from '../money/credit.ts'

/** Amounts are exact decimals in the currency: `4.20`. Times are ISO 8601 UTC. */
export interface CreditStatus {
  readonly provider: string
  /** 1-based: the key with which it is asked. */
  readonly keyIndex: number
  /** As the configuration names it; null when the key stands alone. */
  readonly account: string | null
  /** `account`: the credit of the account, which its keys share. `key`: what the limit of this key alone leaves. */
  readonly of: 'key' | 'account'
  readonly left: string
  /** ISO 4217: `USD`. */
  readonly currency: string
  /** Null where there is none, or it is not told. */
  readonly limit: string | null
  /** When it is the whole limit again; null when it never is, and when that has been since it was told. */
  readonly resetsAt: string | null
  /** Whether the provider says that calls are paid; null when it does not say. */
  readonly available: boolean | null
  /** When it was told. */
  readonly asOf: string
  /** At the pace of the last day; null when nothing was spent. */
  readonly perHour: string | null
  /** The same in USD; null for other currencies. */
  readonly perHourUsd: number | null
  /** Null where nothing is predicted, beyond a year, and where it begins anew before. */
  readonly runsOutAt: string | null
  /** Why nothing was told when it was asked last; null when it was. */
  readonly trouble: string | null
  /** When it was asked last. */
  readonly askedAt: string
}

interface Known {
  readonly question: BalanceQuestion
  readonly balance: KnownBalance
  readonly credit: KnownCredit
}

/** Every credit that was told, in the order of the keys. */
export function knownCredits({ credits, registry }: Pick<EngineReader, 'credits' | 'registry'>): readonly Known[] {
  return credits.questions(registry.credentials).flatMap((question) => {
    const balance = credits.last(question)
    return balance === null ? [] : balance.credits.map((credit) => ({ question, balance, credit }))
  })
}

export function creditsView(engine: EngineReader): readonly CreditStatus[] {
  return knownCredits(engine).map((known) => statusOf(engine, known))
}

function statusOf(engine: EngineReader, { question, balance, credit }: Known): CreditStatus {
  const { source, credential } = question
  const { perHour, goneAt } = creditOutlook(engine, question, credit)
  const { currency, limit } = credit
  return {
    provider: credential.provider.id,
    keyIndex: credential.key.index,
    account: credential.key.account ?? null,
    of: source.of,
    left: decimalCredit(credit.left),
    currency,
    limit: limit === null ? null : decimalCredit(limit),
    resetsAt: credit.resetsAt !== null && credit.resetsAt > engine.now ? isoOrNull(credit.resetsAt) : null,
    available: balance.available,
    asOf: new Date(balance.at ?? balance.askedAt).toISOString(),
    perHour: perHour === null ? null : decimalCredit(perHour),
    perHourUsd: perHour === null || currency !== 'USD' ? null : nanoToUsd(perHour),
    runsOutAt: isoOrNull(goneAt),
    trouble: balance.trouble,
    askedAt: new Date(balance.askedAt).toISOString(),
  }
}
