/** A model that nothing is known of may be in a list that is still being read. */

import { ModelNotFoundError } from '../../domain/errors.ts'
import type { Engine } from '../../engine/engine.ts'

/** Longest wait for the lists, beyond the time that a connection may take. */
const READING_MS = 5000

/** Prepares a request: at once, or again once the lists are read if it names a model that is unknown before. */
export function onceListed<T>(engine: Pick<Engine, 'lists' | 'registry'>, prepare: () => T): T | Promise<T> {
  try {
    return prepare()
  } catch (error) {
    if (!(error instanceof ModelNotFoundError) || !engine.lists.isReading) throw error
    return whenListed(engine, prepare)
  }
}

async function whenListed<T>({ lists, registry }: Pick<Engine, 'lists' | 'registry'>, prepare: () => T): Promise<T> {
  await lists.settled(registry.config.settings.timeouts.connectMs + READING_MS)
  return prepare()
}
