/** The keys of incidents about budgets. They hold the limit: a budget that is changed is another one to tell of. */

import { type Budget, budgetId } from '../money/budgetRule.ts'

export type Named = Pick<Budget, 'scope' | 'limit' | 'unit'> & { readonly per: string }

/** The incident of a budget that refuses some calls in its present period. */
export const refusalKey = (budget: Named): string => `${prefixOf(budget)}refused`

export const crossingKey = (budget: Named, percent: number): string => `${prefixOf(budget)}${percent}`

/** The incident of a budget that will be spent before its period ends. */
export const forecastKey = (budget: Budget): string => `forecast:${budgetId(budget)}:${budget.limit}`

/** Whether the incident is one of the budget, with the limit that it has. */
export const isAbout = (incident: string, budget: Budget): boolean =>
  incident === forecastKey(budget) || incident.startsWith(prefixOf(budget))

const prefixOf = ({ scope, per, limit, unit }: Named) => `budget:${scope}:${per}:${limit} ${unit}:`
