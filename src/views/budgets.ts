/** `GET /api/budgets`: every budget with what is spent, reserved and abandoned, and what contracts give for nothing. */

import type { EngineReader } from '../engine/reader.ts'
import type { BudgetView } from '../money/budgetCounter.ts'
import { type FreeQuotaView, freeQuotasView } from './freeQuotas.ts'

export interface BudgetsView {
  readonly generatedAt: string
  readonly budgets: readonly BudgetView[]
  readonly freeQuotas: readonly FreeQuotaView[]
}

export function budgetsView(engine: EngineReader): BudgetsView {
  const { now } = engine
  const budgets = engine.learned.budgets.view(now)
  return { generatedAt: new Date(now).toISOString(), budgets, freeQuotas: freeQuotasView(engine) }
}
