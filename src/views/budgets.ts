/** `GET /api/budgets`: every budget with what is spent, reserved and abandoned. */

import type { EngineReader } from '../engine/reader.ts'
import type { BudgetView } from '../money/budgetCounter.ts'

export interface BudgetsView {
  readonly generatedAt: string
  readonly budgets: readonly BudgetView[]
}

export function budgetsView(engine: EngineReader): BudgetsView {
  const { now } = engine
  return { generatedAt: new Date(now).toISOString(), budgets: engine.learned.budgets.view(now) }
}
