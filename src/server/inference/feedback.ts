/** `POST /v1/feedback`: how good the answer to a request was, 0..1, and the user's own metrics about it. */

import { dialectOf } from '../../dialects/dialects.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { withPlainNumbers } from '../../domain/parseJson.ts'
import { type Feedback, giveFeedback } from '../../engine/feedback.ts'
import type { Rater } from '../../engine/rater.ts'
import { jsonBody, readBody } from '../body.ts'
import { clientFailure } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'
import type { Token } from '../tokens.ts'

export const feedback: Handler = async ({ engine, maxBodyBytes, isShared }, request, response, token) => {
  try {
    const body = asRecord(withPlainNumbers(await jsonBody((await readBody(request, maxBodyBytes)).bytes)))
    const given = readFeedback(body)
    giveFeedback(engine, raterOf(token, isShared(token)), given)
    // What another gateway of the same store is told next must find what this one was told.
    engine.store.flushNow()
    const { requestId, score, metrics = [] } = given
    sendJson(response, 200, {
      request_id: requestId,
      ...(score !== undefined && { score }),
      ...(metrics.length > 0 && { metrics: Object.fromEntries(metrics) }),
    })
  } catch (error) {
    sendFailure(response, dialectOf('openai'), clientFailure(error, '', engine.now))
  }
}

function raterOf({ scope, id, name, createdAt }: Token, isShared: boolean): Rater {
  return scope === 'admin' ? { kind: 'admin' } : { kind: 'token', id, name, createdAt, isShared }
}

const MOST_METRICS = 20

/** `giveFeedback` checks the values. */
function readFeedback(body: Record<string, unknown> | undefined): Feedback {
  const { request_id: given, score, metrics: named } = body ?? {}
  const requestId = asString(given)
  const record = named == null ? {} : asRecord(named)
  const metrics = Object.entries(record ?? {}) as [string, number][]
  if (requestId === undefined) throw wrongFeedback('request_id')
  if (record === undefined || metrics.length > MOST_METRICS) throw wrongFeedback('metrics')
  const isScored = score !== undefined
  if ((isScored && typeof score !== 'number') || (!isScored && metrics.length === 0)) throw wrongFeedback('score')
  return { requestId, metrics, ...(isScored && { score: score as number }) } // a number, as seen above
}

function wrongFeedback(parameter: string): InvalidRequestError {
  return new InvalidRequestError(
    'send { "request_id": "…", "score": 0..1 }, or "metrics": { name: number } of an experiment in place of the score or beside it; the id is in the header x-keywise-request-id of the answer',
    { parameter },
  )
}
