/** Checks the vault, and where its keys stand outside of it as well. */

import { existsSync } from 'node:fs'
import type { Config } from '../../config/config.ts'
import type { EngineReader } from '../../engine/reader.ts'
import { keysView } from '../../views/keys.ts'
import { type Finding, fine, warning } from './finding.ts'
import { checkSecrecy } from './machine.ts'

/** Nothing where there is no vault; that it opens is shown by the configuration, which was read before. */
export function checkVault({ vault, providers }: Config, env: Readonly<Record<string, string | undefined>>): Finding[] {
  if (!existsSync(vault)) return []
  const keys = providers.flatMap((provider) => provider.keys).filter((key) => key.vault !== undefined)
  const secrets = new Set(keys.map(({ secret }) => secret.reveal()))
  const variables = Object.entries(env).flatMap(([name, value]) => (secrets.has(value?.trim() ?? '') ? [name] : []))
  const used = keys.length === 1 ? '1 key' : `${keys.length} keys`
  return [
    fine('vault', `${vault} gives ${used} to this configuration`),
    ...checkSecrecy('vault', vault, '600'),
    ...variables.map((name) =>
      warning(
        'vault',
        `${name} holds a key of the vault in the clear`,
        'take it out of the environment and of what sets it',
      ),
    ),
  ]
}

/** Keys that stand in the configuration more than once, under several providers. */
export function checkTwins(engine: EngineReader): Finding[] {
  const { keys } = keysView(engine)
  const nameOf = (key: (typeof keys)[number]) => `${key.provider}#${key.keyIndex}`
  return keys
    .filter(
      (key) =>
        key.sameKeyAs.length > 0 && keys.find((one) => [nameOf(key), ...key.sameKeyAs].includes(nameOf(one))) === key,
    )
    .map((key) =>
      warning(
        'key',
        `${[nameOf(key), ...key.sameKeyAs].join(' and ')} are the same key, whose limits are counted for each`,
        'keep one of them',
      ),
    )
}
