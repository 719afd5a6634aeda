/** `POST /v1/feedback`: how good the answer of a request was, 0..1. */

import { dialectOf } from '../dialects/dialects.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { asNumber, asRecord, asString } from '../domain/json.ts'
import { rateRequest } from '../manager/rate.ts'
import { parseBody, readBody } from './body.ts'
import { clientFailure } from './clientError.ts'
import { sendFailure } from './exchange.ts'
import type { Handler } from './gateway.ts'
import { sendJson } from './send.ts'

export const feedback: Handler = async ({ engine, maxBodyBytes }, request, response) => {
  try {
    const body = asRecord(parseBody((await readBody(request, maxBodyBytes)).bytes))
    const id = asString(body?.['request_id'])
    const score = asNumber(body?.['score'])
    if (id === undefined || score === undefined)
      throw new InvalidRequestError(
        'send { "request_id": "…", "score": 0..1 }; the id is in the header x-keywise-request-id of the answer',
        { parameter: id === undefined ? 'request_id' : 'score' },
      )
    rateRequest(engine, id, score)
    sendJson(response, 200, { request_id: id, score })
  } catch (error) {
    sendFailure(response, dialectOf('openai'), clientFailure(error, '', engine.now))
  }
}
