/** `GET /api/budgets`: every budget with what is spent, put aside and left behind. */

import type { Engine } from '../engine/engine.ts'
import type { BudgetView } from '../money/budgetCounter.ts'

export interface BudgetsView {
  readonly generatedAt: string
  readonly budgets: readonly BudgetView[]
}

export function budgetsView(engine: Engine): BudgetsView {
  const { now } = engine
  return { generatedAt: new Date(now).toISOString(), budgets: engine.parts.learned.budgets.view(now) }
}
