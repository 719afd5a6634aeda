/** Where an engine finds its configuration and keeps its state, by its options and the environment. */

import { homedir } from 'node:os'
import { join } from 'node:path'
import type { LoadOptions } from '../config/config.ts'
import { type EnvironmentVariables, ownVariables, readEnvironment } from '../config/environment.ts'
import { stateFolder } from '../config/paths.ts'
import type { EngineOptions } from './engineOptions.ts'

export function variablesOf({ env }: EngineOptions): EnvironmentVariables {
  return env ?? ownVariables()
}

export function loadOptions(options: EngineOptions): LoadOptions {
  const env = variablesOf(options)
  return {
    ...(options.config !== undefined && { config: options.config }),
    env,
    cwd: options.cwd ?? process.cwd(),
    home: env['HOME'] ?? homedir(),
    platform: process.platform,
    ...(options.providers !== undefined && { providers: options.providers }),
    ...(options.settings !== undefined && { settings: options.settings }),
    ...(options.vault !== undefined && { vault: options.vault }),
  }
}

/** A path or `memory:`; for a store passed as an object, its own location. */
export function storeLocation(options: EngineOptions): string {
  if (typeof options.store === 'object') return options.store.location
  const env = variablesOf(options)
  const environment = readEnvironment(env)
  const named = options.store ?? environment.store ?? (typeof options.config === 'object' ? 'memory:' : null)
  if (named !== null) return named
  return join(stateFolder({ environment, home: env['HOME'] ?? homedir(), platform: process.platform }), 'keywise.db')
}
