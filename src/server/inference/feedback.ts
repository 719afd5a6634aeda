/** `POST /v1/feedback`: how good the answer to a request was, 0..1, and the user's own metrics about it. */

import { dialectOf } from '../../dialects/dialects.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import { withPlainNumbers } from '../../domain/parseJson.ts'
import { checkMetric, rateRequest, reportMetric } from '../../engine/rate.ts'
import { parseBody, readBody } from '../body.ts'
import { clientFailure } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'

export const feedback: Handler = async ({ engine, maxBodyBytes }, request, response) => {
  try {
    const body = asRecord(withPlainNumbers(parseBody((await readBody(request, maxBodyBytes)).bytes)))
    const { id, score, metrics } = readFeedback(body)
    for (const [metric, value] of metrics) checkMetric(metric, value)
    if (score !== undefined) rateRequest(engine, id, score)
    for (const [metric, value] of metrics) reportMetric(engine, id, metric, value)
    sendJson(response, 200, {
      request_id: id,
      ...(score !== undefined && { score }),
      ...(metrics.length > 0 && { metrics: Object.fromEntries(metrics) }),
    })
  } catch (error) {
    sendFailure(response, dialectOf('openai'), clientFailure(error, '', engine.now))
  }
}

interface Feedback {
  readonly id: string
  readonly score: number | undefined
  readonly metrics: readonly (readonly [name: string, value: number])[]
}

const MOST_METRICS = 20

function readFeedback(body: Record<string, unknown> | undefined): Feedback {
  const id = asString(body?.['request_id'])
  const score = asNumber(body?.['score'])
  const metrics = Object.entries(asRecord(body?.['metrics']) ?? {}) as [string, number][] // `checkMetric` checks each
  const isScoreWrong = score === undefined && (metrics.length === 0 || body?.['score'] !== undefined)
  if (id !== undefined && !isScoreWrong && metrics.length <= MOST_METRICS) return { id, score, metrics }
  throw new InvalidRequestError(
    'send { "request_id": "…", "score": 0..1 }, or "metrics": { name: number } of an experiment in place of the score or beside it; the id is in the header x-keywise-request-id of the answer',
    { parameter: id === undefined ? 'request_id' : metrics.length > MOST_METRICS ? 'metrics' : 'score' },
  )
}
