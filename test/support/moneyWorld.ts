/** Calls, rows and processes for the tests of budgets. */

import { settingsSchema } from '../../src/config/settingsSchema.ts'
import type { AttemptEvent } from '../../src/domain/store.ts'
import { type BudgetHold, type BudgetRefusal, Budgets, type SpendRequest } from '../../src/money/budget.ts'
import { budgetFrom } from '../../src/money/budgetRule.ts'
import { makeSuccess } from './makeEvents.ts'
import type { MoneyStore } from './moneyStore.ts'

export const NOW = Date.parse('2026-11-23T12:00:00Z')
export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const CENT = 10_000_000

export const target = { provider: 'groq', model: 'm', fingerprint: 'f1', keyIndex: 1, account: 'groq@f1' }
export const other = { ...target, provider: 'google', account: 'google@f1' }

export function ask(nanoUsd: number | null, more: Partial<SpendRequest> = {}): SpendRequest {
  return { target, worstCase: { nanoUsd, inputTokens: 10, outputTokens: 20 }, ...more }
}

let nextOrigin = 0

/** A process with those budgets on that store. */
export function startProcess(
  store: MoneyStore,
  budgets: unknown,
  more: { unknownPrice?: 'allow' | 'block'; now?: number } = {},
) {
  const read = settingsSchema.parse({ budgets }).budgets.map((budget) => budgetFrom(budget))
  const origin = `p${++nextOrigin}`
  const tracker = new Budgets({ budgets: read, counters: store, origin, unknownPrice: more.unknownPrice })
  tracker.open(store, more.now ?? NOW)
  return Object.assign(tracker, { origin })
}

export function held(result: BudgetHold | BudgetRefusal): BudgetHold {
  if (!result.granted) throw new Error(result.reason)
  return result
}

/** The row of a finished attempt, as the manager writes it. */
export function row(
  origin: string,
  startedAt: number,
  costNanoUsd: number | null,
  more: Partial<AttemptEvent> = {},
): AttemptEvent {
  return makeSuccess({ stateId: 's', ...target }, startedAt + 500, {
    origin,
    id: `${origin}-${Math.abs(startedAt)}-${costNanoUsd}`,
    startedAt,
    latencyMs: 500,
    firstTokenMs: null,
    usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30, estimated: false },
    costNanoUsd,
    priceSource: 'config',
    ...more,
  })
}

export const spent = (nanoUsd: number | null) => ({ nanoUsd, tokens: 30 })
