/** The budgets of the configuration: those of the settings, and those that stand beside a key. */

import type { Config } from '../config/config.ts'
import { ConfigError } from '../domain/errors.ts'
import type { Seat } from '../engine/targets/targetRegistry.ts'
import { type Budget, budgetFrom, budgetId } from '../money/budgetRule.ts'

/** A budget, and where the user wrote it. */
interface Placed {
  readonly budget: Budget
  readonly path: string
}

/** Throws ConfigError when two of them mean the same: they would share one count. */
export function budgetsOf(config: Config, seats: readonly Seat[]): readonly Budget[] {
  const placed = [...fromSettings(config, seats), ...fromKeys(seats)]
  const byId = new Map<string, Placed>()
  for (const one of placed) {
    const twin = byId.get(budgetId(one.budget))
    if (twin !== undefined)
      throw new ConfigError(`"${one.path}" is the same kind of budget as "${twin.path}"; keep one`, {
        file: config.file,
        path: one.path,
      })
    byId.set(budgetId(one.budget), one)
  }
  return placed.map(({ budget }) => budget)
}

function fromSettings({ settings }: Config, seats: readonly Seat[]): Placed[] {
  return settings.budgets.map((setting, index) => {
    // `google#2` follows the key, not its place in the file.
    const fingerprint = seats.find((seat) => scopeOf(seat) === setting.scope)?.fingerprint ?? null
    return { budget: budgetFrom(setting, fingerprint), path: `settings.budgets[${index}]` }
  })
}

function fromKeys(seats: readonly Seat[]): Placed[] {
  return seats.flatMap((seat) => {
    const { budget: setting } = seat.key
    if (setting === undefined) return []
    const budget = budgetFrom({ ...setting, scope: scopeOf(seat) }, seat.fingerprint)
    return [{ budget, path: `${scopeOf(seat)} budget` }]
  })
}

const scopeOf = ({ provider, key }: Seat) => `${provider.id}#${key.index}`
