/** The manager: sends every call to the best target that can answer it now, and learns from all of them. */

import { demandKeys } from '../config/demandKeys.ts'
import type { AttemptReport } from '../domain/attempt.ts'
import { Bag } from '../domain/bag.ts'
import type { Blocked, ChatRequest, FinishReason, ToolCallPart, Usage } from '../domain/chat.ts'
import { ClosedError, KeywiseError } from '../domain/errors.ts'
import { present } from '../domain/present.ts'
import { Trail } from '../engine/attempt/trail.ts'
import { type Answered, cascade } from '../engine/cascade.ts'
import type { Engine } from '../engine/engine.ts'
import type { AsUsualReason } from '../engine/experiments/asUsual.ts'
import type { Enrolment } from '../engine/experiments/experiments.ts'
import { giveFeedback } from '../engine/feedback.ts'
import type { SessionSummary } from '../engine/memory/summary.ts'
import { prepareRequest } from '../engine/prepareRequest.ts'
import { findRated, rateTarget } from '../engine/rate.ts'
import { LIBRARY } from '../engine/rater.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import {
  type CallContext,
  type CallOptions,
  modelInSituation,
  type ReadContext,
  readContext,
  type Template,
} from '../engine/request/readContext.ts'
import { type CallStory, logCall } from '../observe/callLog.ts'
import type { EventMap, Listener } from '../observe/events.ts'
import type { RankedTarget } from '../routing/explain.ts'
import type { CallEnd } from '../upstream/call.ts'
import { type ExperimentRow, experimentView, resumeExperiment, startExperiments } from '../views/experiments.ts'
import type { CallStream } from './callStream.ts'
import type { EngineOptions } from './engineOptions.ts'
import { type Closing, streamOf } from './libraryStream.ts'
import { type MediaOutput, mediaOutput } from './mediaOutput.ts'
import { type OpenedEngine, openEngine } from './openEngine.ts'
import { ScoreBoard } from './scoreMoves.ts'

/** Options of a manager; all may be left out. */
export type APIManagerOptions = EngineOptions

/** The result of a call. */
export interface CallResult {
  /**
   * The answer's text; empty for an answer of tool calls or pictures alone, for one that was blocked, and when no target said
   * anything (`attempts` then ends with `empty`).
   */
  readonly content: string
  /** Id of the provider that answered. */
  readonly provider: string
  /** The model's id at that provider. */
  readonly model: string
  /** 1-based. */
  readonly keyIndex: number
  /** Milliseconds from the call to the answer, the whole cascade included. */
  readonly responseTime: number
  /** ISO 8601. */
  readonly timestamp: string
  /** For `rate`, `report` and `keywise why --request`. */
  readonly requestId: string
  /** Why the answer ended; `content_filter` when the provider withheld it or its rest. */
  readonly finishReason: FinishReason
  /** Why the provider withheld it, in its own words; only beside the finish reason `content_filter`. */
  readonly blocked?: Blocked
  /** The calls the model wants made; `arguments` is JSON text. */
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[]
  /** The pictures and recordings of the answer; absent when there are none. */
  readonly media?: readonly MediaOutput[]
  /** What the model thought, where the provider shows it. */
  readonly reasoning?: string
  /** Tokens of the attempt that answered. */
  readonly usage: Usage
  /** Null when the price, or that of a part (audio, a tool of the provider, a tier), is unknown. */
  readonly costUsd: number | null
  /** What is known of a cost that is null; absent where it is known, or nothing of it. */
  readonly costAtLeastUsd?: number
  /** The target's score when it was chosen, 0..1. */
  readonly score: number
  /** Every attempt, the one that answered last. */
  readonly attempts: readonly AttemptReport[]
  /** The experiment it was enrolled in; `variant` is null when it ran as usual and is not compared, `reason` says why. */
  readonly experiment?: {
    readonly name: string
    readonly version: number
    readonly variant: string | null
    readonly reason?: AsUsualReason
  }
}

/** A row of `rankTargets`. */
export interface RankedRow {
  /** Target id: `groq/openai/gpt-oss-120b#1`. */
  readonly target: string
  /** Id of the provider. */
  readonly provider: string
  /** The model's id at that provider. */
  readonly model: string
  /** 1-based. */
  readonly keyIndex: number
  /** 1-based; the first is tried first. */
  readonly rank: number
  /** 0..1: the weighted sum of the terms. */
  readonly score: number
  /** The four terms of the score, 0..1 each. */
  readonly terms: RankedTarget['terms']
  /** 0..1: the expected worth of an answer, by which the learned strategy orders. */
  readonly value: number
  /** Whether it can be tried now. */
  readonly eligible: boolean
  /** Why it is ranked there, or is out; null when the numbers explain it. */
  readonly reason: string | null
}

/** Sends every call to the best target that can answer it now, and learns from all of them. */
export class APIManager {
  /** @internal The tester, the gateway and the command line build on it. */
  readonly engine: Engine
  readonly #opened: OpenedEngine
  readonly #board: ScoreBoard
  readonly #running = new Bag<PendingRequest>()
  readonly #streams = new Bag<Closing>()
  #becameIdle: () => void = () => {}
  /** Models that were rated and not served, which is said once. */
  readonly #notServed = new Set<string>()
  #closed: Promise<void> | null = null

  /** Throws ConfigError when the configuration cannot be used. Opens no network connection. */
  constructor(options: APIManagerOptions = {}) {
    this.#opened = openEngine(options ?? {})
    this.engine = this.#opened.engine
    this.#board = new ScoreBoard(this.engine)
  }

  /** Resolves when models lists and prices are loaded; calls wait for it by themselves. */
  ready(): Promise<void> {
    return this.#closed === null ? this.#opened.ready() : Promise.reject(new ClosedError())
  }

  /**
   * Calls the best target, and the next best when it fails, up to five. An answer that the provider blocked is a
   * result, with `finishReason: 'content_filter'`.
   * Throws AllTargetsFailedError, BudgetExceededError, InvalidRequestError or ModelNotFoundError, each with its
   * attempts.
   */
  callWithFallback(context: CallContext): Promise<CallResult> {
    return this.callDescribed(context)
  }

  /** @internal The same with a template for situations. */
  async callDescribed(context: CallContext, template?: Template): Promise<CallResult> {
    const read = this.#read(context, false, template)
    const { request, options } = read instanceof Promise ? await read : read
    return this.callPrepared(request, options)
  }

  /** @internal The same for a request that was already read. */
  async callPrepared(request: ChatRequest, options: CallOptions): Promise<CallResult> {
    const startedAt = this.engine.tools.monotonic()
    const { pending, release } = await this.#begin(request, options)
    try {
      const answered = await this.#cascade(pending)
      const report = await answered.recorded
      const end = answered.call.ended
      if (end?.outcome.response === undefined) throw new TypeError('a plain call was answered before it ended')
      const result = this.#resultOf(answered, end, report, startedAt)
      await this.engine.store.flushed()
      return result
    } finally {
      release()
    }
  }

  /**
   * The same as a stream: `{ type: 'text-delta', text }`, `reasoning-delta`, `tool-call`, `media`, `usage`, `end`. Targets
   * change freely until the first content; after it a broken stream throws. Leaving the loop early cancels the
   * upstream.
   */
  streamWithFallback(context: CallContext): CallStream<CallResult> {
    const startedAt = this.engine.tools.monotonic()
    return streamOf(async (stream) => {
      const { request, options } = await this.#read(context, true)
      const { pending, release } = await this.#begin(request, options, stream)
      try {
        const answered = await this.#cascade(pending)
        void answered.recorded.finally(release)
        return {
          answered,
          finish: async (end: CallEnd) => {
            const result = this.#resultOf(answered, end, await answered.recorded, startedAt)
            await this.engine.store.flushed()
            return result
          },
          cancel: () => pending.cancellation.cancel(),
        }
      } catch (error) {
        release()
        throw error
      }
    })
  }

  /**
   * Rates the answers of a target, 0..1. `model` may be an unambiguous end of the id (`claude-3-haiku`), in any case.
   * The rating of a model that is not served now is kept for when it is, with one warning.
   * Throws InvalidRequestError for another score, an unknown provider or key, or an ambiguous model.
   */
  updateQualityScore(provider: string, model: string, keyIndex: number | string, score: number): void {
    this.#demandOpen()
    const { ref, isServed } = findRated(this.engine, { provider, model, keyIndex })
    rateTarget(this.engine, ref, score)
    const name = `${ref.provider}/${ref.model}`
    if (isServed || this.#notServed.has(name)) return
    this.#notServed.add(name)
    this.engine.logger.warn(`${name} is not served now; its ratings are kept for when it is`)
  }

  /**
   * The same for the answer of one request, whoever made it. Rated again, its last score counts. Throws
   * InvalidRequestError when the request is unknown.
   */
  rate(requestId: string, score: number): void {
    this.#demandOpen()
    giveFeedback(this.engine, LIBRARY, { requestId, score })
  }

  /**
   * Reports a number about one request (clicks, minutes saved, …) for the experiment it took part in; `quality` is the
   * same as `rate`. Reported again, the last number counts. Without an experiment nothing is stored. Throws InvalidRequestError.
   */
  report(requestId: string, metric: string, value: number): void {
    this.#demandOpen()
    giveFeedback(this.engine, LIBRARY, { requestId, metrics: [[metric, value]] })
  }

  /** The current state of an experiment. Throws InvalidRequestError for an unknown name. */
  experiment(name: string): ExperimentRow {
    return experimentView(this.engine, name)
  }

  /** Starts an experiment, written as in `settings.experiments`; changing a running one creates a new version. */
  startExperiment(definition: object): ExperimentRow {
    return present(startExperiments(this.engine, { experiments: [definition] })[0])
  }

  /**
   * Starts an experiment again by its name, after a stop by a person or by the guard; the variants that the guard stopped
   * are assigned again. Throws InvalidRequestError for an unknown name.
   */
  resumeExperiment(name: string): ExperimentRow {
    return resumeExperiment(this.engine, name)
  }

  /** Stops an experiment; with `keep` every request gets that variant from now on. Throws InvalidRequestError. */
  stopExperiment(name: string, options: { readonly keep?: string } = {}): ExperimentRow {
    this.engine.experiments.stop(name, options?.keep ?? null)
    return experimentView(this.engine, name)
  }

  /** Counts of this process: calls, not attempts. */
  getSessionSummary(): SessionSummary {
    return this.engine.summary.view()
  }

  /** Every target in the order in which it would be tried for the context now, with the reasons. */
  rankTargets(context: CallContext = { prompt: '-' }): readonly RankedRow[] {
    const { request, options } = readContext(context ?? { prompt: '-' }, false, undefined, this.#isModel)
    return this.engine.rank(prepareRequest(this.engine, request, options)).map(rowOf)
  }

  /** Calls the listener for every such event of this process. */
  on<E extends keyof EventMap>(event: E, listener: Listener<E>): this {
    this.engine.events.on(event, listener)
    return this
  }

  /** Removes a listener. */
  off<E extends keyof EventMap>(event: E, listener: Listener<E>): this {
    this.engine.events.off(event, listener)
    return this
  }

  /**
   * Lets running calls end for at most 30 seconds, then cancels them; a stream that is not read is cancelled after one
   * second. Writes pending changes and releases all resources. Later calls throw ClosedError; may be called twice.
   */
  close(): Promise<void> {
    this.#closed ??= this.#drain().then(() => this.#opened.close())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly #isModel = (name: string) => this.engine.registry.names.has(name)

  /** Waits only where it takes the models lists to tell an order from a field of a situation. */
  #read(context: CallContext, stream: boolean, template?: Template): ReadContext | Promise<ReadContext> {
    const model = modelInSituation(context)
    if (model === null) return readContext(context, stream, template)
    return this.#lookUp(model).then(() => readContext(context, stream, template, this.#isModel))
  }

  /** An unknown model may be in a list that is still being read. */
  async #lookUp(model: string): Promise<void> {
    await this.ready()
    const { registry, lists } = this.engine
    if (!registry.names.has(model)) await lists.settled(registry.config.settings.timeouts.connectMs + 5000)
  }

  #demandOpen(): void {
    if (this.#closed !== null) throw new ClosedError()
  }

  async #drain(): Promise<void> {
    if (this.#running.size === 0) return
    const idle = new Promise<void>((resolve) => (this.#becameIdle = resolve))
    const timer = setTimeout(() => {
      for (const { cancellation } of [...this.#running]) cancellation.cancel()
    }, DRAIN_MS)
    for (const stream of this.#streams) stream.cancelUnread()
    await idle
    clearTimeout(timer)
  }

  async #begin(
    request: ChatRequest,
    options: CallOptions,
    stream: Closing | null = null,
  ): Promise<{ pending: PendingRequest; release: () => void }> {
    await this.#lookUp(request.model)
    this.#demandOpen()
    demandKeys(this.engine.registry.config)
    const pending = prepareRequest(this.engine, request, options)
    const unlisten = listen(options, pending)
    this.#running.add(pending)
    if (stream !== null) this.#streams.add(stream)
    return {
      pending,
      release: () => {
        unlisten()
        this.#running.delete(pending)
        if (stream !== null) this.#streams.delete(stream)
        if (this.#running.size === 0) this.#becameIdle()
      },
    }
  }

  async #cascade(pending: PendingRequest): Promise<Answered> {
    const before = this.#board.before()
    const trail = new Trail(pending, before !== null)
    try {
      const answered = await cascade(this.engine, pending, trail)
      void answered.recorded.then((report) => this.#log(pending, answered.trail, report, before, null))
      return answered
    } catch (error) {
      const attempts = error instanceof KeywiseError ? error.attempts : []
      const text = error instanceof Error ? error.message : String(error)
      this.#log(pending, { attempts, passed: trail.passed }, null, before, text)
      throw error
    }
  }

  #log(
    pending: PendingRequest,
    { attempts, passed }: Pick<CallStory, 'attempts' | 'passed'>,
    report: AttemptReport | null,
    before: ReturnType<ScoreBoard['before']>,
    failed: string | null,
  ): void {
    this.engine.summary.add(attempts, failed === null && report !== null && isAnswer(report))
    if (before === null) return
    const first = attempts[0]
    const story: CallStory = {
      cycle: this.engine.summary.cycles,
      selected:
        first === undefined
          ? null
          : { provider: first.provider, model: first.model, score: before.scoreOf(first.target) },
      maxAttempts: pending.maxAttempts,
      attempts,
      passed,
      moves: this.#board.moves(before, attempts),
      failed,
    }
    logCall(this.engine.logger, story)
  }

  #resultOf({ winner, trail, pending }: Answered, end: CallEnd, report: AttemptReport, startedAt: number): CallResult {
    const response = end.partial
    const content = response?.content ?? []
    const media = content.flatMap((part) => (part.type === 'image' || part.type === 'file' ? [mediaOutput(part)] : []))
    const reasoning = content.map((part) => (part.type === 'reasoning' ? part.text : '')).join('')
    return {
      content: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      provider: winner.target.provider,
      model: winner.target.model,
      keyIndex: winner.target.keyIndex,
      responseTime: Math.round(this.engine.tools.monotonic() - startedAt),
      timestamp: new Date(this.engine.now).toISOString(),
      requestId: pending.id,
      finishReason: response?.finishReason ?? 'other',
      ...(response?.blocked !== undefined && { blocked: response.blocked }),
      toolCalls: content
        .filter((part): part is ToolCallPart => part.type === 'tool-call')
        .map(({ id, name, arguments: args }) => ({ id, name, arguments: args })),
      ...(media.length > 0 && { media }),
      ...(reasoning !== '' && { reasoning }),
      usage: report.usage ?? NO_USAGE,
      costUsd: report.costUsd,
      ...(report.costAtLeastUsd !== undefined && { costAtLeastUsd: report.costAtLeastUsd }),
      score: this.#board.scoreOf(winner.target),
      attempts: trail.attempts,
      ...(pending.enrolment !== null && { experiment: partIn(pending.enrolment) }),
    }
  }
}

/** A blocked answer is one: the provider has said what it had to say. */
const isAnswer = ({ ok, failureKind }: AttemptReport) => ok || failureKind === 'content_filter'

const partIn = ({ name, version, variant, reason }: Enrolment) => ({
  name,
  version,
  variant,
  ...(reason !== null && { reason }),
})

/** As long as the gateway lets running answers finish. */
const DRAIN_MS = 30_000

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, estimated: true }

/** Ends the request when the caller's signal does. */
function listen({ signal }: CallOptions, pending: PendingRequest): () => void {
  if (signal === undefined) return () => {}
  const abort = () => pending.cancellation.cancel()
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => signal.removeEventListener('abort', abort)
}

function rowOf(ranked: RankedTarget): RankedRow {
  const { target, rank, score, terms, value, eligible, reason } = ranked
  return {
    target: target.id,
    provider: target.provider,
    model: target.model,
    keyIndex: target.keyIndex,
    rank,
    score,
    terms,
    value,
    eligible,
    reason,
  }
}
