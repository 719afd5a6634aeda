/** The ranking of an ordinary request, which every view of the targets stands on. */

import type { Favourite } from '../routing/choose.ts'
import type { RankedTarget } from '../routing/explain.ts'
import { prepareRequest } from './prepareRequest.ts'
import type { EngineReader } from './reader.ts'
import type { PendingRequest } from './request/pendingRequest.ts'
import { readContext } from './request/readContext.ts'

/** Every target as it would be tried now for a short prompt to `model`. Throws ModelNotFoundError. */
export function rankingNow(engine: EngineReader, model = 'auto'): readonly RankedTarget[] {
  return engine.rank(ordinary(engine, model))
}

/** The target that would be tried first now for the same, and why. Throws ModelNotFoundError. */
export function favouriteNow(engine: EngineReader, model = 'auto'): Favourite {
  return engine.favourite(ordinary(engine, model))
}

function ordinary(engine: EngineReader, model: string): PendingRequest {
  const { request, options } = readContext({ prompt: '-', model }, false)
  return prepareRequest(engine, request, options)
}
