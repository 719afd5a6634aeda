/** The ranking of an ordinary request, which every view of the targets stands on. */

import type { RankedTarget } from '../routing/explain.ts'
import { prepareRequest } from './prepareRequest.ts'
import type { EngineReader } from './reader.ts'
import { readContext } from './request/readContext.ts'

/** Every target as it would be tried now for a short prompt to `model`. Throws ModelNotFoundError. */
export function rankingNow(engine: EngineReader, model = 'auto'): readonly RankedTarget[] {
  const { request, options } = readContext({ prompt: '-', model }, false)
  return engine.rank(prepareRequest(engine, request, options))
}
