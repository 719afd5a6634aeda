/** The budgets of the configuration: those of the settings, and those that stand beside a key. */

import type { Config, KeyBudget, Budget as SettingsBudget } from '../config/config.ts'
import { ConfigError } from '../domain/errors.ts'
import { type Budget, readBudget } from '../money/budgetRule.ts'
import type { Seat } from './roster.ts'

/** Throws ConfigError when one of them cannot be meant. */
export function budgetsOf(config: Config, seats: readonly Seat[]): readonly Budget[] {
  const fromSettings = config.settings.budgets.map((budget, index) =>
    read(budget, `settings.budgets[${index}]`, fingerprintOf(budget.scope, seats)),
  )
  const fromKeys = seats.flatMap(({ provider, key, fingerprint }) =>
    key.budget === undefined
      ? []
      : [read({ ...key.budget, scope: `${provider.id}#${key.index}` }, `${key.source} budget`, fingerprint)],
  )
  return [...fromSettings, ...fromKeys]
}

/** `google#2` follows the key, not its place in the file. */
function fingerprintOf(scope: string, seats: readonly Seat[]): string | undefined {
  const seat = seats.find(({ provider, key }) => `${provider.id}#${key.index}` === scope)
  return seat?.fingerprint
}

function read(
  budget: SettingsBudget | (KeyBudget & { readonly scope: string }),
  path: string,
  fingerprint: string | undefined,
): Budget {
  const { onExceeded, rolling, ...rest } = budget
  const entry = { ...rest, window: rolling ? 'rolling' : 'calendar', on_exceeded: onExceeded }
  const defined = Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
  const result = readBudget(defined, path, fingerprint === undefined ? {} : { fingerprint })
  if (typeof result === 'string') throw new ConfigError(result, { path })
  return result
}
