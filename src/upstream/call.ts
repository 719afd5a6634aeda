/**
 * One call of one upstream: write, dispatch, time, read. It never throws for the upstream's sins: whatever happens ends
 * in a `CallEnd` whose outcome says what it was. Streaming is a property of the call: `first` resolves at the first
 * content (or at the end, when none came), then a sink receives what arrives until `done`.
 */

import { isAscii } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Dialect, StreamReader } from '../dialects/dialect.ts'
import { type SseEvent, SseReader } from '../dialects/stream/sse.ts'
import type { Outcome } from '../domain/attempt.ts'
import type { BodySource } from '../domain/bodySource.ts'
import { ByteBuffer } from '../domain/byteBuffer.ts'
import type { ChatChunk, ChatResponse, DialectId, Usage } from '../domain/chat.ts'
import { cutText } from '../domain/cutText.ts'
import type { Failure, LimitFact } from '../domain/failure.ts'
import { ownShortageOf } from '../domain/ownShortage.ts'
import { parseJson, withPlainNumbers } from '../domain/parseJson.ts'
import { printable } from '../domain/printable.ts'
import { FirstContent } from './answers/firstContent.ts'
import { type Demand, readAnswer, readBegun } from './answers/readAnswer.ts'
import { SpelledKey } from './answers/spelledKey.ts'
import { KeyFilter, withoutKey } from './answers/withoutKey.ts'
import { Assembler } from './assembler.ts'
import { chunksOf } from './chunksOf.ts'
import { type Connection, resolvePath } from './connection.ts'
import type { Deadlines, Expirable } from './deadlines.ts'
import { bodyDecoder, type Decoder } from './decoding.ts'
import { classify } from './failures/classify.ts'
import { classifyError, type Phase } from './failures/transportError.ts'
import { type FlatHeaders, flatHeaders } from './headers.ts'
import { nextTurn } from './inTurns.ts'
import { readLimits, withWait } from './limits/limits.ts'
import { parseAnswer } from './parseAnswer.ts'

export interface CallInput {
  readonly connection: Connection
  readonly dialect: Dialect
  /** The upstream's own id of the model, for classification. */
  readonly model: string
  /** It is asked for something else than a chat, which it is not known to do. */
  readonly isTrial?: boolean
  /** Below the connection's base path. */
  readonly path: string
  readonly body: string | Buffer | BodySource
  /** Name, value …: beside those of the connection. */
  readonly headers: readonly string[]
  /** Further calls that belong to this one, each sent when the one before was answered, and what joins the answers. */
  readonly parts?:
    | {
        readonly more: readonly string[]
        /** Null when the answers are not what was asked for. */
        readonly join: (answers: readonly ChatResponse[]) => ChatResponse | null
      }
    | undefined
  /**
   * The content type of a body that is passed through, like its answer: JSON is read when it is whole, anything else
   * (audio, text, events) goes on as it comes.
   */
  readonly passes?: string | undefined
  readonly stream: boolean
  readonly demand: Demand
  /** Maximum milliseconds until the first content of a stream, or until a plain answer is complete. */
  readonly firstTokenMs: number
  /** What is left of the caller's time in milliseconds. */
  readonly leftMs: number
  /** Maximum milliseconds between two signs of life after the first content. */
  readonly idleMs: number
}

export interface CallTools {
  readonly deadlines: Deadlines
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly redact: (text: string) => string
  /** Removes known secrets and nothing else, from a text of any length. */
  readonly hide: (text: string) => string
}

export interface CallEnd {
  readonly outcome: Outcome
  readonly usage: Usage | null
  readonly limits: readonly LimitFact[]
  readonly status: number | null
  readonly latencyMs: number
  readonly firstTokenMs: number | null
  /** Content had reached us before it ended. */
  readonly hadContent: boolean
  /**
   * A plain answer as the upstream sent it, for a client of the same dialect: a text where it is all ASCII. Null for an
   * answer that was healed.
   */
  readonly raw: Buffer | string | null
  /** The calls it took; absent for one. */
  readonly calls?: number
  /** The upstream said in the stream that it failed; the connection did not just break. */
  readonly saidError?: true
  /** What a broken-off answer had said so far; equals the outcome's response when it has one. */
  readonly partial: ChatResponse | null
}

export interface CallSink {
  /** What arrived: as chunks, and as the upstream's bytes. False asks for a pause until `Call.resume`. */
  onChunks(chunks: readonly ChatChunk[], bytes: readonly Buffer[]): boolean
  onEnd(end: CallEnd): void
}

/** A plain answer may not be longer than this, nor what a streamed one says. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
/** Around each token a stream writes some hundred bytes, with all alternatives to it 3 KB. */
const MAX_STREAM_BYTES = 512 * 1024 * 1024
/** As long as any message of a failure. */
const MAX_MESSAGE = 300
/** More of an error body is never needed to understand it. */
const MAX_ERROR_BYTES = 64 * 1024
/**
 * Thoughts reach the client after this many milliseconds even if no answer has begun. Until then an answer of thoughts
 * alone can still be replaced; held any longer, thoughts could not be followed as they come.
 */
const THOUGHTS_HELD_MS = 400
/**
 * A stream is held for its whole answer to be judged up to this size. One that has said nothing of an answer by then
 * (comments, pings, events that nobody knows) has failed: dropping them would leave the client with half an event.
 */
const MAX_HELD_BYTES = 4 * 1024 * 1024
/** Between the tries of a request for which this machine has no connection. */
const SHORTAGE_WAITS_MS = [50, 100, 200, 400]
/** Bytes of a decompressed answer that are read between two turns of the event loop. */
const DECODED_AT_ONCE = 256 * 1024
/** How an event stream begins: a field's name or a comment. */
const STREAM_STARTS = new Set(['d', 'e', 'i', 'r', ':'])
/** How long a connection may stay open after the protocol's last event; the answer is complete without its end. */
const LAST_WORD_MS = 500
/** Comments and pings count as life only this long after the last real event. */
const PING_LIFE_MS = 120_000

/** Starts the call. The returned object is the undici handler itself: one object per call, no closures. */
export function startCall(input: CallInput, tools: CallTools): Call {
  const call = new Call(input, tools)
  call.start()
  return call
}

/** `whole`: a body of JSON in the place of a stream, which is an error or a whole answer. */
type State = 'waiting' | 'error' | 'plain' | 'whole' | 'held' | 'live' | 'done'

export class Call implements Dispatcher.DispatchHandler, Expirable {
  /** Resolves at the first content of a stream, or when the call ended without one. */
  readonly first: Promise<void>
  /** Resolves when the call is over. */
  readonly done: Promise<CallEnd>
  /** Set once the call is over. */
  ended: CallEnd | null = null
  deadlineAt: number

  readonly #input: CallInput
  readonly #tools: CallTools
  readonly #startedAt: number
  #state: State = 'waiting'
  #controller: Dispatcher.DispatchController | undefined
  #status: number | null = null
  #headers: FlatHeaders = {}
  readonly #body = new ByteBuffer(MAX_BODY_BYTES)
  /** Of a stream so far. */
  #streamBytes = 0
  #decoder: Decoder | null = null
  /** Of a body that is passed on as it comes. */
  #keyFilter: KeyFilter | null = null
  /** Of a stream of events. */
  #spelledKey: SpelledKey | null = null
  #sse: SseReader | undefined
  #reader: StreamReader | undefined
  #assembler: Assembler | undefined
  #firstContent: FirstContent | undefined
  /** Thoughts alone are held, and let go when the deadline that was set for them passes. */
  #holdsThoughts = false
  #heldChunks: ChatChunk[] = []
  readonly #heldBytes = new ByteBuffer()
  #sink: CallSink | null = null
  #firstTokenMs: number | null = null
  #lastEventAt = 0
  #complete = false
  #redispatched = false
  /** How often our own machine had no room for the connection. */
  #shortages = 0
  /** Of a request in parts: the answers so far. */
  readonly #answers: ChatResponse[] = []
  #hasSniffed = false
  /** The answer goes on as it comes, whatever it is. */
  #isRaw = false
  #abortWith: Failure | null = null
  #saidError = false
  #resolveFirst: () => void = () => {}
  #resolveDone: (end: CallEnd) => void = () => {}

  constructor(input: CallInput, tools: CallTools) {
    this.#input = input
    this.#tools = tools
    this.#startedAt = tools.monotonic()
    this.deadlineAt = this.#startedAt + Math.min(input.firstTokenMs, input.leftMs)
    this.first = new Promise((resolve) => {
      this.#resolveFirst = resolve
    })
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve
    })
  }

  /** Watched here and unwatched in `#end`, each once, however often the request is sent in between. */
  start(): void {
    this.#tools.deadlines.watch(this)
    if (this.ended === null) this.#send()
  }

  #send(): void {
    const { connection, path, stream, headers, passes } = this.#input
    const body = this.#input.parts?.more[this.#answers.length - 1] ?? this.#input.body
    const type = passes ?? 'application/json'
    const accept = passes !== undefined ? '*/*' : stream ? 'text/event-stream' : 'application/json'
    try {
      connection.dispatcher.dispatch(
        {
          ...resolvePath(connection, path),
          method: 'POST',
          body: isSource(body) ? Readable.from(body, { objectMode: false }) : body,
          headers: ['content-type', type, 'accept', accept, ...lengthOf(body), ...connection.headers, ...headers],
        },
        this,
      )
    } catch (error) {
      this.#fail(classifyError(error, this.#phase('connect')))
    }
  }

  /** The dialect in which the upstream was asked. */
  get dialect(): DialectId {
    return this.#input.dialect.id
  }

  /** The upstream's bytes are not what a client of its dialect understands; known once the answer has begun. */
  get isForeign(): boolean {
    return this.#reader?.isForeign === true
  }

  /** A header of the answer; undefined when it has none of that name. */
  header(name: string): string | undefined {
    const value = this.#headers[name]
    return value === undefined ? undefined : this.#tools.hide(value)
  }

  /** Whether `first` has resolved. */
  get hasBegun(): boolean {
    return this.#state === 'live' || this.#state === 'done'
  }

  /** Ends the call from our side; `client_gone` when the caller left. Aborts the upstream at once. */
  abort(failure: Failure = CLIENT_GONE): void {
    if (this.#state === 'done') return
    this.#abortWith = failure
    this.#controller?.abort(new Error('keywise: call aborted'))
    this.#fail(failure)
  }

  expire(): void {
    if (this.#complete) return this.#endEarly()
    if (this.#state === 'held' && this.#holdsThoughts) return this.#goLive()
    const afterMs = Math.round(this.#tools.monotonic() - this.#startedAt)
    const { firstTokenMs, leftMs, idleMs } = this.#input
    const phase = this.#state === 'live' ? 'idle' : leftMs < firstTokenMs ? 'total' : 'first-token'
    const waited = phase === 'idle' ? idleMs : afterMs
    this.abort({ kind: 'timeout', phase, afterMs: waited, status: this.#status, message: TIMEOUT_TEXT[phase](waited) })
  }

  /** Hands over what arrived and everything to come. Call it once, after `first`. */
  attach(sink: CallSink): void {
    this.#sink = sink
    const chunks = this.#heldChunks
    const bytes = this.#heldBytes.length === 0 ? [] : [this.#heldBytes.take()]
    this.#heldChunks = []
    const wantsMore = (chunks.length === 0 && bytes.length === 0) || sink.onChunks(chunks, bytes)
    if (this.ended !== null) sink.onEnd(this.ended)
    else if (wantsMore) this.resume()
    else this.#pause()
  }

  /** The sink can take more. */
  resume(): void {
    if (this.#state === 'live')
      this.deadlineAt = this.#tools.monotonic() + (this.#complete ? LAST_WORD_MS : this.#input.idleMs)
    this.#controller?.resume()
  }

  /** Time the client makes us wait is not the upstream's silence. */
  #pause(): void {
    this.deadlineAt = Number.POSITIVE_INFINITY
    this.#controller?.pause()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#abortWith !== null) controller.abort(new Error('keywise: call aborted'))
  }

  onRequestUpgrade(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
    this.#fail({ kind: 'server', status, message: `unexpected protocol switch (HTTP ${status})` })
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#state === 'done') return
    this.#controller = controller
    this.#status = status
    this.#headers = flatHeaders(headers)
    this.#decoder = bodyDecoder(headers['content-encoding'], MAX_BODY_BYTES)
    if (status >= 300) this.#state = 'error'
    else if (this.#input.passes !== undefined && !isJson(headers)) this.#isRaw = true
    else if (this.#input.passes !== undefined) this.#state = 'plain'
    else if (!this.#input.stream) this.#state = 'plain'
    else if (isJson(headers)) this.#state = 'whole'
    else this.#startStream()
    const { traces } = this.#input.connection
    if (traces !== null && this.#comesInPieces)
      this.#keyFilter = new KeyFilter(traces, this.#isRaw && !isEvents(headers))
  }

  get #comesInPieces(): boolean {
    return this.#isRaw || this.#state === 'held' || this.#state === 'whole'
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'done') return
    try {
      if (this.#decoder === null) this.#take(chunk)
      else this.#decoder.push(chunk)
    } catch (error) {
      this.#failAndAbort(this.#unreadable(error))
    }
  }

  onResponseEnd(): void {
    if (this.#state === 'done') return
    if (this.#decoder !== null) return void this.#finishDecoded(this.#decoder)
    try {
      this.#finishBody()
    } catch (error) {
      this.#fail(this.#unreadable(error))
    }
  }

  /** A small body may become a large one, and others are served while it does. */
  async #finishDecoded(decoder: Decoder): Promise<void> {
    try {
      const bytes = await decoder.end()
      for (let at = 0; at < bytes.length && this.ended === null; at += DECODED_AT_ONCE) {
        if (at > 0) await nextTurn()
        this.#take(bytes.subarray(at, at + DECODED_AT_ONCE))
      }
      if (this.ended === null) this.#finishBody()
    } catch (error) {
      this.#fail(this.#unreadable(error))
    }
  }

  #finishBody(): void {
    this.#takeClean(this.#keyFilter?.end() ?? NO_BYTES)
    // What was held of the stream may have ended it.
    if (this.ended === null) this.#finish()
  }

  #unreadable(error: unknown): Failure {
    const words = this.#tools.redact(error instanceof Error ? error.message : String(error))
    return { kind: 'server', status: this.#status, message: `unreadable answer: ${words}` }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#state === 'done') return
    if (this.#abortWith !== null) return this.#fail(this.#abortWith)
    const failure = classifyError(error, this.#phase(this.#state === 'live' ? 'idle' : 'first-token'))
    if (this.#state === 'waiting' && isStaleSocket(failure) && !this.#redispatched) {
      // A kept-alive socket the other side had closed: one new connection, and it is no attempt of its own (F5).
      this.#redispatched = true
      return this.#send()
    }
    if (this.#state === 'waiting' && this.#waitForRoom(failure)) return
    this.#readRest()
    this.#fail(failure)
  }

  /** Our own machine has no room for a connection: in a moment it may have, and another target would meet the same. */
  #waitForRoom(failure: Failure): boolean {
    if (ownShortageOf(failure) === null || isSource(this.#input.body)) return false
    const waitMs = SHORTAGE_WAITS_MS[this.#shortages++]
    if (waitMs === undefined || this.#tools.monotonic() + waitMs >= this.deadlineAt) return false
    setTimeout(() => this.ended === null && this.#send(), waitMs)
    return true
  }

  #phase(name: Phase['name']): Phase {
    return { name, afterMs: this.#tools.monotonic() - this.#startedAt, started: this.#status !== null }
  }

  #startStream(): void {
    this.#state = 'held'
    this.#sse = new SseReader()
    this.#reader = this.#input.dialect.upstream.streamReader()
    this.#assembler = new Assembler()
    this.#firstContent = new FirstContent(this.#input.demand)
    const { traces } = this.#input.connection
    this.#spelledKey = traces === null ? null : new SpelledKey(traces.whole)
  }

  #take(chunk: Buffer): void {
    this.#takeClean(this.#keyFilter?.push(chunk) ?? chunk)
  }

  #takeClean(chunk: Buffer): void {
    if (chunk.length === 0) return
    if (this.#isRaw) return this.#passOn(chunk)
    if (!this.#hasSniffed && (this.#state === 'held' || this.#state === 'whole')) this.#sniff(chunk)
    if (this.#state === 'held' || this.#state === 'live') return this.#takeStream(chunk)
    const limit = this.#state === 'error' ? MAX_ERROR_BYTES : MAX_BODY_BYTES
    if (this.#body.length + chunk.length <= limit) this.#body.hold(chunk)
    else if (this.#state === 'error') this.#failAndAbort(this.#classifyBody())
    else this.#failTooLong()
  }

  #failTooLong(): void {
    this.#failAndAbort({ kind: 'server', status: this.#status, message: 'the answer is longer than 64 MiB' })
  }

  #passOn(chunk: Buffer): void {
    this.#firstTokenMs ??= this.#tools.monotonic() - this.#startedAt
    if (this.#sink === null) this.#heldBytes.hold(chunk)
    if (this.#state !== 'live') return this.#goLive()
    this.#keepAlive(true)
    if (this.#sink?.onChunks([], [chunk]) === false) this.#pause()
  }

  /** What the body is shows in its first character; servers that imitate others name the wrong type. */
  #sniff(chunk: Buffer): void {
    const [first] = chunk.toString('latin1').trimStart()
    if (first === undefined) return
    this.#hasSniffed = true
    if (first === '{') this.#state = 'whole'
    else if (this.#state === 'whole' && STREAM_STARTS.has(first)) this.#startStream()
  }

  #takeStream(chunk: Buffer): void {
    this.#streamBytes += chunk.length
    if (this.#streamBytes > MAX_STREAM_BYTES || (this.#assembler?.size ?? 0) > MAX_BODY_BYTES)
      return this.#failTooLong()
    const startsEvent = this.#sse?.isBetweenEvents === true
    const run = startsEvent ? this.#reader?.readRun?.(chunk) : null
    if (run != null) return this.#deliver([{ type: 'text-delta', text: run }], chunk, startsEvent)
    const chunks: ChatChunk[] = []
    for (const event of this.#sse?.push(chunk) ?? []) this.#readEvent(event, chunks)
    this.#deliver(chunks, chunk, startsEvent)
    if (this.#reader?.isOver && this.ended === null) this.#endEarly()
  }

  /**
   * The answer is complete, and what the upstream would still write is not asked for. The end comes first: aborting tells
   * of an error at once.
   */
  #endEarly(): void {
    this.#succeed(this.#assembler?.response() ?? EMPTY, null)
    this.#abortWith = CLIENT_GONE
    this.#controller?.abort(new Error('keywise: the answer is complete'))
  }

  #readEvent(event: SseEvent, into: ChatChunk[]): void {
    for (const chunk of this.#reader?.push(event.event, event.data, event.incomplete) ?? []) into.push(chunk)
  }

  #deliver(chunks: readonly ChatChunk[], bytes: Buffer | null, startsEvent: boolean): void {
    if (this.#spelledKey === null) return this.#deliverClean(chunks, bytes)
    const piece = this.#spelledKey.push({ chunks, bytes }, startsEvent)
    if (piece !== null) this.#deliverClean(piece.chunks, piece.bytes)
    else this.#keepAlive(chunks.length > 0)
  }

  /** Moves the stream on by what was read: error, first content, or more of it. */
  #deliverClean(chunks: readonly ChatChunk[], bytes: Buffer | null): void {
    let failed: Extract<ChatChunk, { type: 'error' }> | undefined
    for (const chunk of chunks) {
      if (chunk.type === 'error') {
        failed = chunk
        break
      }
      this.#assembler?.push(chunk)
      if (chunk.type === 'end') this.#complete = true
    }
    if (failed !== undefined) return this.#endWith(failed, chunks)
    this.#keepAlive(chunks.length > 0)
    if (this.#complete) this.deadlineAt = Math.min(this.deadlineAt, this.#tools.monotonic() + LAST_WORD_MS)
    if (this.#sink === null) this.#hold(chunks, bytes)
    else if (this.#sink.onChunks(chunks, bytes === null ? [] : [bytes]) === false) this.#pause()
  }

  /**
   * The bytes of an error are never passed on: they can repeat the key. What was said before it is, then our own words.
   */
  #endWith(failed: Extract<ChatChunk, { type: 'error' }>, chunks: readonly ChatChunk[]): void {
    this.#saidError = true
    const before = chunks.slice(0, chunks.indexOf(failed))
    if (this.#sink === null) this.#heldChunks.push(...before)
    else if (before.length > 0) this.#sink.onChunks(before, [])
    this.#failAndAbort(this.#classifyStreamError(failed))
  }

  /** Until a sink attaches, nothing is lost. Once an answer has begun nothing more is read, so that memory is bounded. */
  #hold(chunks: readonly ChatChunk[], bytes: Buffer | null): void {
    for (const chunk of chunks) this.#heldChunks.push(chunk)
    if (bytes !== null) this.#heldBytes.hold(bytes)
    if (this.#state === 'live') return
    const sight = this.#firstContent?.look(chunks) ?? 'content'
    const isFull = this.#heldBytes.length > MAX_HELD_BYTES
    if (sight === 'nothing') return isFull ? this.#failSilent() : undefined
    const now = this.#tools.monotonic()
    this.#firstTokenMs ??= now - this.#startedAt
    if (sight === 'content' || isFull) return this.#goLive()
    if (sight === 'doubt') this.#holdAll(now, chunks.length > 0)
    else if (!this.#holdsThoughts) this.#holdThoughts(now)
  }

  #failSilent(): void {
    const message = 'the stream wrote 4 MiB and nothing of an answer'
    this.#failAndAbort({ kind: 'server', status: this.#status, message })
  }

  #holdThoughts(now: number): void {
    this.#holdsThoughts = true
    this.deadlineAt = Math.min(this.deadlineAt, now + THOUGHTS_HELD_MS)
  }

  /** Only the whole answer can be judged: as long as it moves on it has all of the caller's time. */
  #holdAll(now: number, movesOn: boolean): void {
    this.#holdsThoughts = false
    if (!movesOn) return
    const { leftMs, idleMs } = this.#input
    this.deadlineAt = Math.min(this.#startedAt + leftMs, now + idleMs)
  }

  /** From now on everything is passed on as it comes. */
  #goLive(): void {
    this.#state = 'live'
    this.#lastEventAt = this.#tools.monotonic()
    this.#pause()
    this.#resolveFirst()
  }

  #keepAlive(realEvent: boolean): void {
    if (this.#state !== 'live') return
    const now = this.#tools.monotonic()
    if (realEvent) this.#lastEventAt = now
    this.deadlineAt = Math.min(now + this.#input.idleMs, this.#lastEventAt + PING_LIFE_MS)
  }

  #finish(): void {
    if (this.#state === 'error') return this.#fail(this.#classifyBody())
    if (this.#isRaw) return this.#succeed(this.#state === 'live' ? { ...EMPTY, opaque: true } : EMPTY, null)
    if (this.#state === 'plain') return this.#finishPlain()
    if (this.#state === 'whole') return this.#finishWhole()
    this.#finishStream()
  }

  #finishStream(): void {
    this.#readRest()
    // What was read may have been an error, which ended the call.
    if (this.ended !== null) return
    if (!this.#complete) {
      return this.#fail({
        kind: 'server',
        status: this.#status,
        message: 'the stream ended before the answer was complete',
      })
    }
    this.#succeed(this.#assembler?.response() ?? EMPTY, null)
  }

  /** What the framing still held when the input ended. */
  #readRest(): void {
    if (this.#reader === undefined) return
    const chunks: ChatChunk[] = []
    for (const event of this.#sse?.end() ?? []) this.#readEvent(event, chunks)
    for (const chunk of this.#reader.end()) chunks.push(chunk)
    this.#deliver(chunks, null, false)
    const rest = this.#spelledKey?.end() ?? null
    if (rest !== null && this.ended === null) this.#deliverClean(rest.chunks, rest.bytes)
  }

  #finishPlain(): void {
    const { connection, dialect } = this.#input
    const { upstream } = dialect
    const raw = withoutKey(this.#body.view(), connection.traces)
    const isText = isAscii(raw)
    const text = raw.toString(isText ? 'latin1' : 'utf8')
    const sent = upstream.changesAnswers ? null : isText ? text : raw
    this.#parse(text, upstream.parse ?? parseJson, (body) => {
      if (body === undefined) return this.#fail(this.#classifyBody(200))
      const read = upstream.readResponse(body)
      if (read.ok && (!read.unfinished || this.#isBackground)) this.#answered(read.response, sent)
      else if (read.ok || read.malformed) this.#failMalformed()
      else this.#fail(this.#classify(read.body, read.status ?? this.#status ?? 200))
    })
  }

  /** A short text at once, a long one while others are served; undefined for what is none, or of too many parts. */
  #parse(text: string, parse: (text: string) => unknown, then: (body: unknown) => void): void {
    let body: unknown
    try {
      body = parseAnswer(text, parse)
    } catch {
      // Left undefined.
    }
    if (body instanceof Promise) void this.#parseLong(body, then)
    else then(body)
  }

  async #parseLong(parsing: Promise<unknown>, then: (body: unknown) => void): Promise<void> {
    const body = await parsing.catch(() => undefined)
    // It may have been aborted, or its time have passed.
    if (this.ended !== null) return
    try {
      then(body)
    } catch (error) {
      this.#fail(this.#unreadable(error))
    }
  }

  #failMalformed(): void {
    this.#fail({ kind: 'server', status: this.#status, message: 'the answer does not match its protocol' })
  }

  #answered(response: ChatResponse, raw: Buffer | string | null): void {
    const { parts } = this.#input
    if (parts === undefined) return this.#succeed(response, raw)
    this.#answers.push(response)
    if (this.#answers.length <= parts.more.length) return this.#sendNext()
    const whole = parts.join(this.#answers)
    if (whole === null) this.#failMalformed()
    else this.#succeed(whole, null)
  }

  /** Each part has the time that a request of its own would have, within what the caller has left. */
  #sendNext(): void {
    const { firstTokenMs, leftMs } = this.#input
    this.#state = 'waiting'
    this.#status = null
    this.#decoder = null
    this.#body.clear()
    this.#redispatched = false
    this.deadlineAt = Math.min(this.#tools.monotonic() + firstTokenMs, this.#startedAt + leftMs)
    this.#send()
  }

  /** The request started a job and does not wait for its end. */
  get #isBackground(): boolean {
    return this.#input.demand.request.extra?.fields['background'] === true
  }

  /** Writes a whole answer as the stream that was asked for, and reads that. */
  #finishWhole(): void {
    this.#parse(this.#body.view().toString('utf8'), parseJson, (body) => {
      if (!this.#streamWhole(body)) return this.#fail(this.#classifyBody())
      // What was read may have been an error, which ended the call.
      if (this.ended === null) this.#finishStream()
    })
  }

  /** False when it is no answer. */
  #streamWhole(body: unknown): boolean {
    const { dialect, model } = this.#input
    const read = dialect.upstream.readResponse(body)
    // What only its own dialect can say has no place in a stream that we write.
    if (!read.ok || read.response.opaque) return false
    const asked = { model, messages: [], stream: true, wantsUsage: true }
    const writer = dialect.client.streamWriter(asked, { now: this.#tools.now() })
    this.#startStream()
    this.#takeStream(
      Buffer.from(
        chunksOf(read.response)
          .map((chunk) => writer.write(chunk))
          .join(''),
      ),
    )
    return true
  }

  /** The answer is whole; whether it is one is another matter. */
  #succeed(response: ChatResponse, raw: Buffer | string | null): void {
    const { demand } = this.#input
    const read = this.#state === 'live' ? readBegun(response, demand) : readAnswer(response, demand)
    if (!read.ok) {
      const message = cutText(printable(this.#tools.redact(read.message)), MAX_MESSAGE)
      const { kind, gaveUp } = read
      const failure: Failure = { kind, status: this.#status, message, ...(gaveUp && { gaveUp }) }
      return this.#end({ ok: false, failure, ...(!gaveUp && { response }) }, response, raw)
    }
    if (!read.healed) return this.#end({ ok: true, response }, response, raw)
    this.#heldChunks = withText(this.#heldChunks, read.response)
    this.#end({ ok: true, response: read.response, healed: true }, read.response, null)
  }

  #failAndAbort(failure: Failure): void {
    this.#abortWith = failure
    this.#controller?.abort(new Error('keywise: answer refused'))
    this.#fail(failure)
  }

  #fail(failure: Failure): void {
    this.#end({ ok: false, failure }, this.#assembler?.response() ?? this.#partsSoFar(), null)
  }

  get #calls(): number {
    return Math.min(this.#answers.length, this.#input.parts?.more.length ?? 0) + 1
  }

  /** What the answered parts of a request used is used, whatever becomes of the rest. */
  #partsSoFar(): ChatResponse | null {
    return this.#answers.length === 0 ? null : (this.#input.parts?.join(this.#answers) ?? null)
  }

  #end(outcome: Outcome, partial: ChatResponse | null, raw: Buffer | string | null): void {
    if (this.ended !== null) return
    const latencyMs = this.#tools.monotonic() - this.#startedAt
    const hadContent = this.#state === 'live' || this.#firstTokenMs !== null
    this.#state = 'done'
    this.#tools.deadlines.unwatch(this)
    const firstTokenMs = this.#firstTokenMs ?? (outcome.ok ? latencyMs : null)
    this.ended = {
      outcome,
      usage: partial?.usage ?? null,
      limits: this.#limits(outcome),
      status: this.#status,
      latencyMs,
      firstTokenMs,
      hadContent,
      ...(this.#saidError && { saidError: true }),
      raw,
      ...(this.#calls > 1 && { calls: this.#calls }),
      partial,
    }
    this.#resolveFirst()
    this.#sink?.onEnd(this.ended)
    this.#resolveDone(this.ended)
  }

  /** What the headers of a good answer state, while it goes on. */
  get statedLimits(): readonly LimitFact[] {
    return readLimits(this.#headers, null, this.#input.connection.spec, this.#tools.now())
  }

  #limits(outcome: Outcome): readonly LimitFact[] {
    const { spec } = this.#input.connection
    const now = this.#tools.now()
    if (outcome.ok || outcome.response !== undefined) return readLimits(this.#headers, null, spec, now)
    const { failure } = outcome
    const waitMs = 'retryAfterMs' in failure ? failure.retryAfterMs : undefined
    return withWait(readLimits(this.#headers, this.#parsedBody(), spec, now), waitMs, now)
  }

  #classifyBody(status = this.#status ?? 0): Failure {
    return this.#classify(this.#parsedBody() ?? this.#tools.hide(this.#bodyText()), status)
  }

  #classifyStreamError(chunk: Extract<ChatChunk, { type: 'error' }>): Failure {
    this.#errorBody = withPlainNumbers(chunk.body)
    return this.#classify(chunk.body, chunk.status ?? this.#status ?? 200)
  }

  #classify(error: unknown, status: number): Failure {
    const body = this.#body.length > MAX_ERROR_BYTES ? error : withPlainNumbers(error)
    this.#errorBody ??= body
    return classify({
      status,
      headers: this.#headers,
      body,
      provider: this.#input.connection.spec,
      model: this.#input.model,
      isTrial: this.#input.isTrial === true,
      now: this.#tools.now(),
      redact: this.#tools.redact,
    })
  }

  #errorBody: unknown

  /** Undefined for what is no JSON, and for more than is needed to understand an error. */
  #parsedBody(): unknown {
    if (this.#errorBody !== undefined) return this.#errorBody
    if (this.#body.length === 0 || this.#body.length > MAX_ERROR_BYTES) return undefined
    try {
      // Of an error nothing is passed on as it is, so that nothing of it needs to be whole.
      return JSON.parse(this.#tools.hide(this.#bodyText()))
    } catch {
      return undefined
    }
  }

  #bodyText(): string {
    return this.#body.view().toString('utf8', 0, MAX_ERROR_BYTES)
  }
}

const NO_BYTES = Buffer.alloc(0)

const EMPTY: ChatResponse = { model: '', content: [], finishReason: 'stop' }

const isEvents = (headers: IncomingHttpHeaders) => String(headers['content-type'] ?? '').includes('event-stream')

const isJson = (headers: IncomingHttpHeaders) => String(headers['content-type'] ?? '').includes('json')

const CLIENT_GONE: Failure = { kind: 'client_gone', status: null, message: 'the caller left before the answer' }

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`
const TIMEOUT_TEXT = {
  connect: (ms: number) => `no connection within ${seconds(ms)}`,
  'first-token': (ms: number) => `no content within ${seconds(ms)}`,
  idle: (ms: number) => `the stream stood still for ${seconds(ms)}`,
  total: (ms: number) => `no answer within the caller's ${seconds(ms)}`,
}

/** The chunks with the answer's healed text in the place of the one that came. */
function withText(chunks: readonly ChatChunk[], { content }: ChatResponse): ChatChunk[] {
  const text = content.find((part) => part.type === 'text')?.text ?? ''
  const first = chunks.findIndex((chunk) => chunk.type === 'text-delta')
  return chunks.flatMap((chunk, index): ChatChunk[] => {
    if (index === first) return [{ type: 'text-delta', text }]
    return chunk.type === 'text-delta' ? [] : [chunk]
  })
}

const NO_LENGTH: readonly string[] = []

/** Services refuse audio of an unknown length, so that of what is read while it is sent has to be said. */
function lengthOf(body: CallInput['body']): readonly string[] {
  return isSource(body) ? ['content-length', String(body.bytes)] : NO_LENGTH
}

function isSource(body: CallInput['body']): body is BodySource {
  return typeof body !== 'string' && !Buffer.isBuffer(body)
}

function isStaleSocket(failure: Failure): boolean {
  return failure.kind === 'network' && failure.started !== true && STALE.has(failure.code)
}

const STALE = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'])
