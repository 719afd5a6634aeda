/** `GET /v1/models`: the models the caller may request, in the caller's protocol; aliases first. */

import type { ServerResponse } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import type { DialectId } from '../../domain/chat.ts'
import { KeywiseError, ModelNotFoundError } from '../../domain/errors.ts'
import { requestId } from '../../engine/prepareRequest.ts'
import { withoutListPrefix } from '../../engine/request/likeness.ts'
import { clientFailure } from '../clientError.ts'
import type { GatewayParts, Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'
import { modelRow } from './modelFields.ts'
import { modelsPage } from './modelPages.ts'
import { servedModel, servedModels } from './servedModels.ts'

export const serveModels: Handler = async (parts, request, response, _token, dialect) => {
  await listsRead(parts)
  const [, query = ''] = (request.url ?? '').split('?', 2)
  answer(parts, response, dialect, () => modelsPage(servedModels(parts.engine), dialect, new URLSearchParams(query)))
}

/** Of every name that a request may have. */
export const serveModel =
  (id: string): Handler =>
  async (parts, _request, response, _token, dialect) => {
    await listsRead(parts)
    answer(parts, response, dialect, () => {
      const model = servedModel(parts.engine, id) ?? servedModel(parts.engine, withoutListPrefix(id))
      if (model === null) throw new ModelNotFoundError(id.slice(0, 200), parts.engine.registry.names.nearest(id))
      return modelRow(model, dialect)
    })
  }

/** Longest wait for lists of which nothing is known yet. */
const FIRST_READING_MS = 3000

/** Clients ask once, when they start, and keep the windows that they read then. */
async function listsRead({ ready, engine }: GatewayParts): Promise<void> {
  await ready()
  if (engine.lists.isReadingFirst) await engine.lists.settled(FIRST_READING_MS)
}

function answer(parts: GatewayParts, response: ServerResponse, dialect: DialectId, bodyOf: () => unknown): void {
  try {
    sendJson(response, 200, bodyOf())
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    sendFailure(response, dialectOf(dialect), clientFailure(error, requestId(), parts.engine.now))
  }
}
