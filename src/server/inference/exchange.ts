/**
 * One inference request through the gateway: read it, run it, answer in the client's own protocol. One object per
 * request; it is also the sink of the upstream's stream, so that nothing sits between the two sockets.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AnswerFacts, Dialect, StreamWriter } from '../../dialects/dialect.ts'
import { dialectOf } from '../../dialects/dialects.ts'
import { type AttemptReport, failureWithoutAnswer } from '../../domain/attempt.ts'
import type { ChatChunk, ChatRequest, ChatResponse, DialectId } from '../../domain/chat.ts'
import type { ContextOverflow } from '../../domain/errors.ts'
import type { Failure, FailureOf } from '../../domain/failure.ts'
import { asRecord } from '../../domain/json.ts'
import type { Answered } from '../../engine/cascade.ts'
import { cascade } from '../../engine/cascade.ts'
import type { Enrolment } from '../../engine/experiments/experiments.ts'
import { statedOverflow } from '../../engine/overflow.ts'
import { prepareRequest, type RequestOptions, requestId } from '../../engine/prepareRequest.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { WireBody } from '../../engine/request/wireBody.ts'
import { mayRescue, rescue } from '../../engine/rescue.ts'
import { decimalOf } from '../../money/amount.ts'
import { ownClientOf } from '../../providers/ownClients.ts'
import type { OwnClient } from '../../providers/provider.ts'
import type { CallEnd, CallSink } from '../../upstream/call.ts'
import { jsonBody, parseBody, type ReadBody, readBody, SLICED_BODY } from '../body.ts'
import { clientFailure, headerText, trailOf, vendorFacts } from '../clientError.ts'
import { clientHeaders, forwardedHeaders } from '../clientHeaders.ts'
import { clientKind } from '../clientKind.ts'
import type { GatewayParts, RunningExchange } from '../handler.ts'
import { viaOf } from '../loopGuard.ts'
import { sendFailedStream, sendFailure } from '../sendFailure.ts'
import type { Token } from '../tokens.ts'
import { LONG_BODY, outlineBody } from './bodyOutline.ts'
import { EventAligner } from './eventAligner.ts'
import { endingIn, HeldEnding } from './heldEnding.ts'
import { holdingAccount, recordHolders } from './heldObjects.ts'
import { onceListed } from './onceListed.ts'
import { memoryField, recordOwner, responseOwners } from './responseOwners.ts'
import { continuedThread, threadHolders, withoutHolder } from './threads.ts'
import { type UsageFilter, UsageInFinish, withoutUsage } from './usageFilter.ts'

export interface ExchangeRoute {
  readonly dialect: DialectId
  /** Gemini's and Azure's clients send the model in the path. */
  readonly model?: string | undefined
  readonly stream?: boolean
  /** Gemini without `alt=sse` streams a JSON array. */
  readonly asArray?: boolean
  /** Another form of requests and answers than the dialect's own; its bytes never pass through. */
  readonly form?: Dialect
}

const EMPTY = Buffer.alloc(0)
const NO_BYTES: readonly Buffer[] = []
interface ParsedBody {
  /** Of a long body the outline. */
  readonly body: unknown
  readonly wireBody: WireBody
  /** Bytes that are not in the outline; null where the whole was parsed. */
  readonly leftOut: number | null
}

/** Caused by keywise alone, so nothing is learned from it. */
const SHUTTING_DOWN: Failure = { kind: 'client_gone', status: 503, message: 'keywise is shutting down' }

const GOING = { status: 503, code: 'shutting_down', message: SHUTTING_DOWN.message, retryAfterMs: 1000 } as const

/**
 * A comment without its end. @google/generative-ai 0.24.1, also inside LangChain JS, overlooks an error in a stream that
 * ends well, and throws at one that breaks or leaves text behind (`getResponseStream` in
 * https://github.com/google-gemini/deprecated-generative-ai-js, read 2026-11-29); no other client reads comments.
 */
const OPEN_LINE = ': the answer broke off'

export class Exchange implements CallSink, RunningExchange {
  readonly id = requestId()
  readonly #parts: GatewayParts
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #route: ExchangeRoute
  readonly #token: Token
  readonly #dialect: Dialect
  readonly #startedAt: number
  #pending: PendingRequest | null = null
  #answered: Answered | null = null
  /** Set if the client speaks the upstream's dialect: then the bytes pass through unchanged. */
  #raw: EventAligner | null = null
  #writer: StreamWriter | null = null
  /** Set when the end of a stream is there, and held until the attempt is recorded and kept. */
  #ending: HeldEnding | null = null
  #left = false
  #shuttingDown = false

  constructor(
    parts: GatewayParts,
    request: IncomingMessage,
    response: ServerResponse,
    route: ExchangeRoute,
    token: Token,
  ) {
    this.#parts = parts
    this.#request = request
    this.#response = response
    this.#route = route
    this.#token = token
    this.#dialect = route.form ?? dialectOf(route.dialect)
    this.#startedAt = performance.now()
    parts.underWay.add(this)
    response.on('close', () => this.#onClose())
  }

  /** `body`: where it was read already. */
  async run(body: ReadBody | null = null): Promise<void> {
    try {
      const { engine, maxBodyBytes, ready } = this.#parts
      const preparing = ready()
      if (preparing !== null) await preparing
      const parsing = this.#parse(body ?? (await readBody(this.#request, maxBodyBytes)))
      const parsed = parsing instanceof Promise ? await parsing : parsing
      const prepared = onceListed(engine, () => this.#pendingOf(parsed))
      const pending = prepared instanceof Promise ? await prepared : prepared
      this.#pending = pending
      if (this.#left) pending.cancellation.cancel()
      this.#answered = await cascade(engine, pending)
      const sent = this.#answer(this.#answered, pending)
      if (sent !== null) await sent
    } catch (error) {
      const kept = this.#parts.engine.store.kept()
      if (kept !== null) await kept
      this.#fail(error)
    }
  }

  /** Of a long body only an outline is parsed, the rest when needed; one that has no short outline in slices. */
  #parse({ bytes, headroom }: ReadBody): ParsedBody | Promise<ParsedBody> {
    const cut = bytes.length < LONG_BODY || this.#route.form !== undefined ? null : outlineBody(bytes)
    const outline = cut !== null && cut.bytes.length <= SLICED_BODY ? cut : null
    const wireBody = new WireBody(bytes, headroom, outline)
    const leftOut = outline?.leftOut ?? null
    if (leftOut !== null) this.#parts.onLongBody(bytes.length)
    const body = jsonBody(outline?.bytes ?? bytes)
    return body instanceof Promise
      ? body.then((fields: unknown) => ({ body: fields, wireBody, leftOut }))
      : { body, wireBody, leftOut }
  }

  #pendingOf({ body, wireBody, leftOut }: ParsedBody): PendingRequest {
    const { dialect, form } = this.#route
    const { engine, name } = this.#parts
    const { headers } = this.#request
    const request = this.#requestOf(body)
    const options: RequestOptions = {
      ...clientHeaders(headers, body),
      token: this.#token.name,
      tokenId: this.#token.id,
      clientKind: clientKind(headers['user-agent']),
      via: viaOf(headers, name),
      needs: this.#holdersOf(request),
      heldBy: holdingAccount(engine, request, this.#token.name),
      whole: leftOut === null ? undefined : this.#wholeOf(wireBody),
      leftOutTokens: Math.ceil((leftOut ?? 0) / 4),
      ...(form === undefined && {
        wire: { dialect, body: wireBody, headers: forwardedHeaders(headers, dialect) },
      }),
    }
    return prepareRequest(engine, request, options, this.id)
  }

  /** Only those that hold what the request relies on; undefined for nearly all requests. */
  #holdersOf(request: ChatRequest): RequestOptions['needs'] {
    const { engine } = this.#parts
    const field = memoryField(request)
    if (field !== null) return { among: responseOwners(engine, request, field, this.#token.name) }
    const thread = continuedThread(request)
    return thread === null ? undefined : { among: threadHolders(engine, request, thread, this.#token.name) }
  }

  #wholeOf(wireBody: WireBody): () => ChatRequest {
    let whole: ChatRequest | undefined
    return () => {
      whole ??= this.#requestOf(parseBody(wireBody.original()))
      return whole
    }
  }

  #requestOf(body: unknown): ChatRequest {
    const request = this.#dialect.client.readRequest(withModel(body, this.#route), this.#route)
    return this.#route.asArray ? asArray(request) : request
  }

  /** Null where the answer was sent, or begun, at once. */
  #answer(answered: Answered, pending: PendingRequest): Promise<void> | null {
    const sameDialect = this.#isOwnDialect(answered)
    if (!pending.request.stream) return this.#answerWhole(answered, pending, sameDialect)
    // A rescued answer continues in the same events, so keywise must write them from the start.
    const { outcome } = answered.call.ended ?? {}
    const isHealed = outcome?.ok === true && outcome.healed === true
    const hasPieces = this.#ownClient?.wholeCalls === true && (pending.request.tools?.length ?? 0) > 0
    const isReadable = !isHealed && !answered.call.isForeign && !hasPieces
    if (sameDialect && isReadable && !this.#route.asArray && !mayRescue(this.#parts.engine, pending))
      this.#raw = new EventAligner(this.#usageFilter(pending.request))
    this.#writer = this.#dialect.client.streamWriter(pending.request, this.#facts)
    const type = this.#route.asArray ? 'application/json' : 'text/event-stream; charset=utf-8'
    this.#response.writeHead(200, this.#headers(answered, ['content-type', type, 'cache-control', 'no-cache']))
    this.#response.on('drain', () => this.#onDrain())
    answered.call.attach(this)
    return null
  }

  /** Whether the answer's own words are those of the client. */
  #isOwnDialect({ call }: Answered): boolean {
    return this.#route.form === undefined && call.dialect === this.#route.dialect
  }

  /** For a client of chat completions that did not ask for what keywise has asked for. */
  #usageFilter({ wantsUsage }: ChatRequest): UsageFilter | null {
    if (this.#route.dialect !== 'openai' || wantsUsage === true) return null
    const place = this.#ownClient?.usageInFinish
    return place === undefined ? withoutUsage : new UsageInFinish(place)
  }

  get #ownClient(): OwnClient | undefined {
    return ownClientOf(this.#request.headers['user-agent'])
  }

  /** No byte leaves before the row of the answer and its holders are kept, which they are at once as a rule. */
  #answerWhole(answered: Answered, pending: PendingRequest, sameDialect: boolean): Promise<void> | null {
    const { report } = answered
    const end = answered.call.ended
    const response = end?.outcome.response
    if (end === null || report === null || response === undefined)
      throw new TypeError('a plain call was answered before it ended')
    this.#recordHolders(pending, response, answered)
    const body = sameDialect && end.raw !== null ? end.raw : this.#written(response, pending)
    const kept = this.#parts.engine.store.kept()
    if (kept !== null) return kept.then(() => this.#sendWhole(answered, report, body))
    this.#sendWhole(answered, report, body)
    return null
  }

  #sendWhole(answered: Answered, report: AttemptReport, body: Buffer | string): void {
    if (this.#left) return this.#told(answered.trail.attempts, 499)
    const first = ['content-type', 'application/json', 'content-length', String(body.length)]
    if (report.costUsd !== null) first.push('x-keywise-cost-usd', decimalOf(report.costUsd))
    else if (report.costAtLeastUsd !== undefined)
      first.push('x-keywise-cost-at-least-usd', decimalOf(report.costAtLeastUsd))
    this.#response.writeHead(200, this.#headers(answered, first))
    // A string leaves in one piece with the headers; it is ASCII.
    if (typeof body === 'string') this.#response.end(body, 'latin1')
    else this.#response.end(body)
    if (this.#response.writableLength > 0) this.#waitForClient()
    this.#told(answered.trail.attempts, 200)
  }

  /** Who holds the answer, and what the request named. */
  #recordHolders({ request }: PendingRequest, response: ChatResponse, { winner: { target } }: Answered): void {
    const { engine } = this.#parts
    const { dialect: client, form } = this.#route
    const caller = this.#token.name
    recordOwner(engine, request, response, target, caller)
    if (form === undefined) recordHolders(engine, { request, response, client, target, caller })
  }

  /** A string where it is ASCII. */
  #written(response: ChatResponse, pending: PendingRequest): Buffer | string {
    const text = JSON.stringify(this.#dialect.client.writeResponse(response, pending.request, this.#facts))
    return Buffer.byteLength(text) === text.length ? text : Buffer.from(text)
  }

  get #facts(): AnswerFacts {
    const { engine } = this.#parts
    const { usageInFinish, wholeCalls } = this.#ownClient ?? {}
    return { now: engine.now, clock: () => engine.now, id: this.id, usageInFinish, wholeCalls }
  }

  /** Name, value, name, value …, as node writes them: `first`, then the answering target and the trail. */
  #headers(answered: Answered, first: string[]): string[] {
    const { pending, winner, trail, report } = answered
    const target = headerText(winner.target.id)
    const { attempts } = trail
    // The attempt of a stream that is still coming is not among the attempts yet.
    const before = report === null ? attempts.length : attempts.length - 1
    const isFirst = before === 0 && (report === null || (report.ok && !report.healed))
    first.push('x-keywise-request-id', this.id, 'x-keywise-target', target)
    first.push('x-keywise-attempts', String(before + 1))
    first.push('x-keywise-trail', isFirst ? `${target}=ok` : trailTo(answered))
    if (winner.leftOut.length > 0) first.push('x-keywise-left-out', headerText(winner.leftOut.join(', ')))
    if (pending.enrolment !== null) first.push('x-keywise-experiment', placeIn(pending.enrolment))
    if (pending.enrolment?.reason != null) first.push('x-keywise-experiment-reason', pending.enrolment.reason)
    return first
  }

  onChunks(chunks: readonly ChatChunk[], bytes: readonly Buffer[]): boolean {
    if (this.#left) return true
    this.#ending ??= this.#endingIn(chunks, bytes)
    const wantsMore = this.#raw !== null ? this.#passOn(this.#raw, bytes) : this.#write(chunks)
    if (!wantsMore) this.#waitForClient()
    return wantsMore
  }

  #endingIn(chunks: readonly ChatChunk[], bytes: readonly Buffer[]): HeldEnding | null {
    const ending = endingIn(chunks, this.#raw === null ? NO_BYTES : bytes, this.#route.dialect)
    return ending === null ? null : new HeldEnding(ending, (part) => this.#response.write(part))
  }

  #write(chunks: readonly ChatChunk[]): boolean {
    let text = ''
    for (const chunk of chunks) text += this.#writer?.write(chunk) ?? ''
    return text === '' || this.#send(text)
  }

  #send(part: Buffer | string): boolean {
    return this.#ending === null ? this.#response.write(part) : this.#ending.hold(part)
  }

  /** node closes a connection idle for this long; a client reading part of a long write counts as activity. */
  #waitForClient(): void {
    this.#request.socket.setTimeout(this.#parts.clientStallMs)
  }

  #onDrain(): void {
    this.#request.socket.setTimeout(0)
    this.#answered?.call.resume()
  }

  #passOn(raw: EventAligner, bytes: readonly Buffer[]): boolean {
    let wantsMore = true
    for (const part of bytes) {
      const whole = raw.push(part)
      if (whole.length > 0) wantsMore = this.#send(whole)
    }
    return wantsMore
  }

  onEnd(end: CallEnd): void {
    void this.#finishStream(end)
  }

  async #finishStream(end: CallEnd): Promise<void> {
    const answered = this.#answered
    const pending = this.#pending
    if (answered === null || pending === null) return
    const last = this.#mayRescue(pending, end) ? await this.#rescue(answered, end) : end
    await answered.recorded
    const failure = failureWithoutAnswer(last.outcome)
    const { response } = last.outcome
    if (response !== undefined) this.#recordHolders(pending, response, answered)
    const kept = this.#parts.engine.store.kept()
    if (kept !== null) await kept
    const ending = this.#endingOf(response !== undefined)
    const status = this.#left ? 499 : failure === null ? 200 : statusOf(failure)
    if (failure === null || this.#left) this.#response.end(ending)
    else {
      if (ending.length > 0) this.#response.write(ending)
      await this.#endBroken(failure, last, last === end && this.#isOwnDialect(answered))
    }
    this.#told(answered.trail.attempts, status)
  }

  /** What was held of the answer's end, and what the upstream left open of a whole one. */
  #endingOf(isWhole: boolean): Buffer {
    const held = this.#ending?.take() ?? EMPTY
    const rest = isWhole ? (this.#raw?.end() ?? EMPTY) : EMPTY
    return rest.length === 0 ? held : Buffer.concat([held, rest])
  }

  #mayRescue(pending: PendingRequest, { outcome }: CallEnd): boolean {
    return (
      failureWithoutAnswer(outcome) !== null &&
      !this.#left &&
      !this.#shuttingDown &&
      mayRescue(this.#parts.engine, pending)
    )
  }

  /** Another target continues the answer; the seam is marked by a comment that no client shows. */
  #rescue(answered: Answered, end: CallEnd): Promise<CallEnd> {
    return rescue(this.#parts.engine, answered, end, {
      seam: (target) => {
        // A JSON array has no room for comments.
        if (!this.#route.asArray) this.#response.write(`: keywise: continued by ${headerText(target.id)}\n\n`)
      },
      onChunks: (chunks) => this.onChunks(chunks, []),
      waitForDrain: () => new Promise((resolve) => this.#response.once('drain', resolve)),
    })
  }

  /** An answer that broke off never ends like a complete one. */
  async #endBroken(failure: Failure, { saidError }: CallEnd, isOwnDialect: boolean): Promise<void> {
    const isTooLong = failure.kind === 'context_too_long' && !this.#shuttingDown
    const overflow = isTooLong ? this.#overflowOf(failure) : null
    const message = `the answer broke off: ${failure.message}`
    const tooLong = isTooLong ? { overflow, words: overflow === null ? message : 'the answer broke off' } : undefined
    const text = this.#writer?.fail({
      status: tooLong ? 400 : statusOf(failure),
      message,
      code: this.#shuttingDown ? 'shutting_down' : failure.kind,
      requestId: this.id,
      numericCode: this.#ownClient?.numericErrorCodes,
      ...(tooLong && { tooLong }),
      ...(isOwnDialect && vendorFacts(failure)),
    })
    if (this.#route.dialect !== 'google') return void this.#response.end(text ?? '')
    // An error that the upstream has said ends as the upstream ended it, but for the open line.
    if (saidError) return void this.#response.end(`${text ?? ''}${this.#route.asArray ? '' : OPEN_LINE}`)
    // What broke, breaks; first the event has to arrive.
    if (text) await this.#flushed(text)
    this.#response.destroy()
  }

  /** Resolves when the text has left for the client, or when the client has. */
  #flushed(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#response.write(text, () => resolve())) this.#waitForClient()
    })
  }

  /** For a stream that the provider ended because it is too long. */
  #overflowOf(failure: FailureOf<'context_too_long'>): ContextOverflow | null {
    if (this.#answered === null) return null
    const { pending, winner } = this.#answered
    return statedOverflow(failure, { ...pending.needs, contextTokens: winner.target.profile.contextTokens })
  }

  /** Called when the drain times out. */
  breakOff(): void {
    this.#shuttingDown = true
    if (this.#answered !== null && this.#response.headersSent) this.#pending?.cancellation.cancel(SHUTTING_DOWN)
    else this.#pending?.cancellation.cancel()
  }

  #fail(error: unknown): void {
    const { engine } = this.#parts
    const failure = clientFailure(withoutHolder(engine, this.#pending, error), this.id, engine.now)
    if (failure.code === 'internal')
      this.#parts.logger.error(
        `request ${this.id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
    if (this.#left || this.#response.destroyed) return this.#told(failure.attempts, 499)
    if (this.#response.headersSent) return void this.#response.destroy()
    const told = this.#shuttingDown ? { ...failure, ...GOING } : failure
    if (this.#pending?.request.stream && this.#dialect.client.failsInStream?.(told))
      sendFailedStream(this.#response, this.#dialect, this.#pending.request, told, engine.now)
    else sendFailure(this.#response, this.#dialect, told)
    this.#told(failure.attempts, told.status)
  }

  /** The socket closed before the answer was complete: cancels the upstream at once. */
  #onClose(): void {
    this.#parts.underWay.delete(this)
    if (this.#response.writableFinished) return
    this.#left = true
    this.#pending?.cancellation.cancel()
  }

  /** `attempts`: the last one answered, or was the last to fail. */
  #told(attempts: readonly AttemptReport[], status: number): void {
    this.#parts.observe({
      id: this.id,
      dialect: this.#route.dialect,
      model: this.#pending?.request.model ?? '',
      token: this.#token.name,
      status,
      report: attempts.at(-1) ?? null,
      attempts,
      totalMs: performance.now() - this.#startedAt,
    })
  }
}

/** The trail up to the attempt whose answer is passed on. */
function trailTo({ report, trail, winner }: Answered): string {
  const recorded = trailOf(trail.attempts)
  return report === null ? `${recorded}; ${headerText(winner.target.id)}=ok` : recorded
}

/** The body with the model of an Azure client's path in it; Gemini's bodies have no place for it. */
function withModel(body: unknown, { model, dialect }: ExchangeRoute): unknown {
  const fields = model === undefined || dialect === 'google' ? undefined : asRecord(body)
  return fields === undefined ? body : { ...fields, model }
}

function asArray(request: ChatRequest): ChatRequest {
  return { ...request, extra: { dialect: 'google', fields: { ...request.extra?.fields, $alt: 'json' } } }
}

/** For an answer that began with 200 and broke off: the upstream's status if it is an error status. */
function statusOf({ status }: Failure): number {
  return status !== null && status >= 400 ? status : 502
}

/** `greeting@2/short`; without the variant if the request is not part of the comparison. */
function placeIn({ name, version, variant }: Enrolment): string {
  return variant === null ? `${name}@${version}` : `${name}@${version}/${variant}`
}
