/** Opens the engine for one command and closes it afterwards, even when the command fails. */

import { resolve } from 'node:path'
import { demandKeys } from '../config/demandKeys.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineOptions } from '../manager/engineOptions.ts'
import { openEngine } from '../manager/openEngine.ts'
import { consoleLogger, quietLogger } from '../observe/log.ts'
import type { CommandContext, ExitCode } from './command.ts'

/** How long a command waits for models lists, in milliseconds: where targets depend on an unread one, and otherwise. */
const FIRST_LISTS_MS = 5000
const NEWER_LISTS_MS = 1000

/** Options from `--config`, `--store` and the environment; warnings and errors go to stderr, call lines are dropped. */
export function engineOptions({ options, env, cwd, stderr }: CommandContext): EngineOptions {
  const { config, store } = options
  return {
    ...(typeof config === 'string' && { config }),
    ...(typeof store === 'string' && { store: storeAt(store, cwd) }),
    env,
    cwd,
    logger: quietLogger(consoleLogger((text) => void stderr.write(text))),
  }
}

function storeAt(location: string, cwd: string): string {
  return /^:?[a-z]+:/i.test(location) && !/^[a-z]:[\\/]/i.test(location) ? location : resolve(cwd, location)
}

/** Throws ConfigError when there is no key to work with. */
export async function withEngine(
  context: CommandContext,
  use: (engine: Engine) => Promise<ExitCode>,
): Promise<ExitCode> {
  const opened = openEngine(engineOptions(context))
  try {
    demandKeys(opened.engine.registry.config)
    await opened.ready()
    await opened.engine.lists.settled(listPatienceMs(opened.engine))
    return await use(opened.engine)
  } finally {
    await opened.close()
  }
}

function listPatienceMs({ registry, lists }: Engine): number {
  const lacking = registry.credentials.some(
    (credential) => typeof credential.provider.models === 'string' && lists.of(credential) === null,
  )
  return lacking ? FIRST_LISTS_MS : NEWER_LISTS_MS
}
