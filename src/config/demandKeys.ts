/** Nothing can be called without a key: the error says how to give one. */

import { ConfigError } from '../domain/errors.ts'
import { catalog } from '../providers/catalog.ts'
import type { Config } from './config.ts'

/** Throws ConfigError, with instructions, when no key is configured anywhere. */
export function demandKeys({ file, providers }: Pick<Config, 'file' | 'providers'>): void {
  if (providers.length > 0) return
  const names = catalog.flatMap(({ env }) => env.slice(0, 1)).slice(0, 3)
  throw new ConfigError(
    `${file ?? 'config/api-keys.json'}: no API key yet; write { "groq": { "api_key": "..." } } into it, or set one of ${names.join(', ')} …`,
    { file },
  )
}
