/** What a person or a program says of one request: how good its answer was, and numbers for its experiment. */

import { InvalidRequestError } from '../domain/errors.ts'
import { printable } from '../domain/printable.ts'
import type { AttemptEvent, QualityEvent } from '../domain/store.ts'
import type { Engine } from './engine.ts'
import { checkScore } from './rate.ts'
import { mayRate, type Rater, sourceOf } from './rater.ts'

/** At least one of the two; `quality` among the metrics is the score. */
export interface Feedback {
  readonly requestId: string
  /** 0..1 */
  readonly score?: number | undefined
  readonly metrics?: readonly (readonly [name: string, value: number])[]
}

/** No id of a request is longer; nothing that is needs looking for. */
const LONGEST_ID = 100
/** Attempts of one request that are looked at. */
const MOST_ATTEMPTS = 50

/**
 * Records the score and the numbers, or none of them. A number about a request without an experiment is accepted and not
 * stored. Throws InvalidRequestError for a value or a metric that cannot be, and with status 404 for a request that is
 * unknown or that the rater did not make: nobody learns which.
 */
export function giveFeedback(engine: Engine, rater: Rater, { requestId, score: given, metrics = [] }: Feedback): void {
  const score = scoreIn(given, metrics)
  if (score !== undefined) checkScore(score)
  const numbers = metrics.filter(([metric]) => metric !== 'quality')
  for (const [metric, value] of numbers) checkMetric(metric, value)
  const attempts = attemptsOf(engine, rater, requestId)
  const rated = score === undefined ? attempts[0] : attempts.find(({ ok }) => ok)
  if (rated === undefined) throw unknownRequest(rater, requestId)
  const { trial } = rated
  if (trial !== undefined) for (const [metric] of numbers) engine.experiments.demandMetric(trial, metric)
  // From here on nothing is refused any more.
  const source = sourceOf(rater)
  if (score !== undefined) {
    rate(engine, rater, rated, score)
    if (trial !== undefined) engine.experiments.report(trial, requestId, source, 'quality', score)
  }
  if (trial === undefined) return
  for (const [metric, value] of numbers) engine.experiments.report(trial, requestId, source, metric, value)
}

/** The last score of a rater counts; one that says the same again says nothing new. */
function rate(engine: Engine, rater: Rater, { requestId, target, task }: AttemptEvent, score: number): void {
  const { learned, store } = engine
  const source = sourceOf(rater)
  // What another process rated is known before it is replaced.
  learned.sync()
  const turnOf = ({ turn = 1 }: QualityEvent) => turn
  const before = store
    .ratings(requestId)
    .filter((event) => event.rater === source)
    .reduce<QualityEvent | null>((last, one) => (last === null || turnOf(one) >= turnOf(last) ? one : last), null)
  if (before?.score === score) return
  learned.record({
    kind: 'quality',
    at: engine.now,
    origin: store.origin,
    id: learned.eventId(),
    target: before?.target ?? target,
    requestId,
    score,
    task: before === null ? task : before.task,
    source: 'user',
    rater: source,
    ...(rater.kind === 'token' && { raterName: rater.name, ...(rater.isShared && { shared: true }) }),
    ...(before !== null && { turn: turnOf(before) + 1, replaces: scoreOf(before) }),
  })
}

const scoreOf = ({ at, score, shared }: QualityEvent) => ({ at, score, ...(shared && { shared }) })

/** The score, wherever it stands. */
function scoreIn(score: number | undefined, metrics: NonNullable<Feedback['metrics']>): number | undefined {
  const quality = metrics.find(([metric]) => metric === 'quality')?.[1]
  const given = score ?? quality
  // -0 is 0.
  if (score === undefined || quality === undefined || score === quality) return given === undefined ? given : given + 0
  throw new InvalidRequestError('"score" and the metric "quality" are the same number; send one of them', {
    parameter: 'metrics',
  })
}

/** Newest first; none where the rater may not know of the request. */
function attemptsOf({ store }: Engine, rater: Rater, requestId: string): readonly AttemptEvent[] {
  if (requestId === '' || requestId.length > LONGEST_ID) return []
  const who = rater.kind === 'token' ? { token: rater.name } : {}
  return store.attempts({ requestId, ...who, limit: MOST_ATTEMPTS }).filter((made) => mayRate(rater, made))
}

/** Throws InvalidRequestError for a value that is not a number. */
function checkMetric(metric: string, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value)) return
  const [name, said] = [metric, typeof value === 'string' ? `the text "${value}"` : shown(value)].map((text) =>
    printable(text.slice(0, 60)),
  )
  throw new InvalidRequestError(`the value of "${name}" must be a number, not ${said}`, { parameter: 'metrics' })
}

const shown = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))

/** Through the gateway the answer is the same for every id, so that it tells nobody which requests there are. */
function unknownRequest(rater: Rater, requestId: string): InvalidRequestError {
  const message =
    rater.kind === 'library'
      ? `no answered request "${requestId.slice(0, 60)}" is known; use the requestId of a result`
      : 'no answered request of this token has that id; take it from the header x-keywise-request-id of an answer'
  const parameter = rater.kind === 'library' ? 'requestId' : 'request_id'
  return new InvalidRequestError(message, { parameter, status: 404 })
}
