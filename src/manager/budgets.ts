/** The budgets of the configuration: those of the settings, and those given with a key. */

import type { Config } from '../config/config.ts'
import { ConfigError } from '../domain/errors.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { type Budget, budgetFrom, budgetId } from '../money/budgetRule.ts'

/** A budget and its place in the configuration. */
interface Placed {
  readonly budget: Budget
  readonly path: string
}

/** Throws ConfigError when two of them mean the same: they would share one counter. */
export function budgetsOf(config: Config, credentials: readonly Credential[]): readonly Budget[] {
  const placed = [...fromSettings(config, credentials), ...fromKeys(credentials)]
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

function fromSettings({ settings }: Config, credentials: readonly Credential[]): Placed[] {
  return settings.budgets.map((setting, index) => {
    // `google#2` follows the key, not its index in the file.
    const fingerprint = credentials.find((credential) => scopeOf(credential) === setting.scope)?.fingerprint ?? null
    return { budget: budgetFrom(setting, fingerprint), path: `settings.budgets[${index}]` }
  })
}

function fromKeys(credentials: readonly Credential[]): Placed[] {
  return credentials.flatMap((credential) => {
    const { budget: setting } = credential.key
    if (setting === undefined) return []
    const budget = budgetFrom({ ...setting, scope: scopeOf(credential) }, credential.fingerprint)
    return [{ budget, path: `${scopeOf(credential)} budget` }]
  })
}

const scopeOf = ({ provider, key }: Credential) => `${provider.id}#${key.index}`
