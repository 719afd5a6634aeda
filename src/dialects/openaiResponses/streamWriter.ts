/** Writes a streamed answer as the events of a Responses answer, in the order the official client checks. */

import type { ChatChunk, ChatRequest, ChunkOf, Citation, FinishReason, MediaPart, Usage } from '../../domain/chat.ts'
import type { AnswerFacts, ClientError, StreamWriter } from '../dialect.ts'
import { blockedText } from '../fields/blocked.ts'
import { mediaText, UNSPEAKABLE } from '../fields/media.ts'
import type { Fields } from '../fields/requestFields.ts'
import { responsesEnvelope, secondsOf } from '../openai/fields.ts'
import { writeResponsesUsage, writeServiceTier } from '../openai/usage.ts'
import { sseText } from '../stream/sse.ts'
import { WaitingChunks } from '../stream/waitingChunks.ts'
import { callKind, itemId, responseId, responseObject, writeStatus } from './answer.ts'
import { annotationsIn, isDrawn } from './answerMedia.ts'
import { sealOf } from './items.ts'
import { callInGroup } from './namespaces.ts'
import {
  CallItem,
  type Emit,
  ImageItem,
  MessageItem,
  type OutputItem,
  ReasoningItem,
  RefusalItem,
} from './outputItems.ts'
import { asSearchCall } from './toolSearch.ts'

const GAVE_UP: ClientError = { status: 502, message: 'the model gave up', code: 'server' }

/** Chunks of what an answer says. */
const BEGINS_ITEMS: ReadonlySet<ChatChunk['type']> = new Set([
  ...(['text-delta', 'reasoning-delta', 'media'] as const),
  ...(['tool-call-start', 'tool-call-delta', 'tool-call'] as const),
])

/** Nothing is written before the first content, so that another target may still take over. */
export class ResponsesStreamWriter implements StreamWriter {
  readonly #request: ChatRequest
  readonly #facts: AnswerFacts
  #id: string
  #model: string
  #started = false
  #sequence = 0
  /** What was written since `write` was called. */
  #text = ''
  #items: OutputItem[] = []
  /** The message or the reasoning item that the next delta continues. */
  #open: MessageItem | ReasoningItem | undefined
  #calls = new Map<number, CallItem>()
  /** The call that is open, and what came for other items meanwhile. */
  #openCall: number | undefined
  readonly #waiting = new WaitingChunks<ChatChunk>()
  /** Characters of text in the messages before the open one. */
  #lengthBefore = 0
  /** There is something that has no words. */
  #hasMore = false
  #usage: Usage | undefined
  #finishReason: FinishReason = 'other'

  constructor(request: ChatRequest, facts: AnswerFacts = {}) {
    this.#request = request
    this.#facts = facts
    this.#id = responseId(undefined, facts)
    this.#model = request.model
  }

  write(chunk: ChatChunk): string {
    this.#text = ''
    this.#write(chunk)
    this.#resume()
    return this.#text
  }

  /** The official client throws at `error` but not at `response.failed`, which others wait for: both are said. */
  fail(error: ClientError): string {
    this.#text = ''
    this.#fail(error)
    return this.#text
  }

  #fail(error: ClientError): void {
    this.#start()
    // A text in this protocol, whoever asks.
    const details = responsesEnvelope({ ...error, numericCode: false }).error
    const { code, message, param } = details
    this.#emit('error', { code, message, param, error: details })
    // A closed list of words in the official schema.
    const usual = error.status === 429 ? 'rate_limit_exceeded' : 'server_error'
    // Not on that list, but what the vendor sends and what codex acts on.
    const word = error.tooLong === undefined ? usual : code
    const failed = { status: 'failed', error: { code: word, message } }
    this.#emit('response.failed', { response: { ...this.#answer(), ...failed } })
  }

  #write(chunk: ChatChunk): void {
    if (this.#mustWait(chunk)) {
      this.#waiting.add(chunk)
      return
    }
    switch (chunk.type) {
      case 'start':
        this.#name(chunk)
        break
      case 'text-delta':
        if (chunk.text !== '' || chunk.logprobs !== undefined) this.#message().add(chunk.text, chunk.logprobs)
        break
      case 'reasoning-delta':
        this.#reason(chunk)
        break
      case 'tool-call-start':
        this.#startCall(chunk)
        break
      case 'tool-call-delta':
        this.#calls.get(chunk.index)?.add(chunk.arguments)
        break
      case 'tool-call':
        this.#finishCall(chunk)
        break
      case 'media':
        this.#media(chunk.part)
        break
      case 'citations':
        this.#cite(chunk.citations)
        break
      case 'opaque':
        this.#hasMore = true
        break
      case 'usage':
        this.#usage = chunk.usage
        break
      case 'finish':
        this.#finishReason = chunk.finishReason
        if (chunk.blocked !== undefined) this.#refuse(blockedText(chunk.blocked))
        else if (this.#hasMore && this.#isSilent) this.#message().add(UNSPEAKABLE)
        this.#closeAll()
        break
      case 'end':
        this.#end()
        break
      case 'error':
        break
    }
  }

  /**
   * The vendor begins an item when the one before is done, and pi 0.73.1 takes every event for the item that was added
   * last. Chat completions say only at the end that their calls are whole.
   */
  #mustWait(chunk: ChatChunk): boolean {
    if (this.#openCall === undefined || !BEGINS_ITEMS.has(chunk.type)) return false
    return !('index' in chunk && chunk.index === this.#openCall)
  }

  /** Writes what has waited, up to a call whose end has not come. */
  #resume(): void {
    while (this.#openCall === undefined) {
      const group = this.#waiting.take()
      if (group === undefined) return
      for (const chunk of group) this.#write(chunk)
    }
  }

  /** Nothing but thoughts was said. */
  get #isSilent(): boolean {
    return this.#items.every((item) => item instanceof ReasoningItem)
  }

  #media(part: MediaPart): void {
    this.#closeOpen()
    const index = this.#nextIndex()
    if (isDrawn(part)) this.#items.push(new ImageItem(this.#emit, index, itemId('ig', this.#id, index), part))
    else this.#message().add(mediaText(part))
    this.#closeOpen()
  }

  /** Of the text that is still open: what was closed has been said whole. */
  #cite(citations: readonly Citation[]): void {
    const open = this.#open
    if (!(open instanceof MessageItem)) return
    const place = { start: this.#lengthBefore, length: open.length, isLast: true }
    for (const annotation of annotationsIn(citations, place)) open.cite(annotation)
  }

  /** Of an answer that was withheld before it said anything. */
  #refuse(text: string): void {
    if (!this.#isSilent) return
    this.#closeOpen()
    const index = this.#nextIndex()
    this.#items.push(new RefusalItem(this.#emit, index, itemId('msg', this.#id, index), text))
  }

  #name(chunk: ChunkOf<'start'>): void {
    if (this.#started) return
    this.#id = responseId(chunk.id, this.#facts)
    this.#model = chunk.model ?? this.#model
  }

  #message(): MessageItem {
    if (this.#open instanceof MessageItem) return this.#open
    this.#closeOpen()
    const index = this.#nextIndex()
    const item = new MessageItem(this.#emit, index, itemId('msg', this.#id, index))
    this.#items.push(item)
    this.#open = item
    return item
  }

  #reason(chunk: ChunkOf<'reasoning-delta'>): void {
    if (chunk.text === '' && chunk.signature === undefined) return
    if (!(this.#open instanceof ReasoningItem) || chunk.redacted) this.#openReasoning(chunk)
    const item = this.#open
    if (!(item instanceof ReasoningItem)) return
    item.add(chunk.text)
    if (chunk.signature !== undefined) {
      item.sign(chunk)
      this.#closeOpen()
    }
  }

  #openReasoning(chunk: ChunkOf<'reasoning-delta'>): void {
    this.#closeOpen()
    const index = this.#nextIndex()
    const item = new ReasoningItem(this.#emit, index, itemId('rs', this.#id, index), chunk)
    this.#items.push(item)
    this.#open = item
  }

  #startCall(chunk: ChunkOf<'tool-call-start'> | ChunkOf<'tool-call'>): CallItem {
    this.#closeOpen()
    const seal = sealOf(chunk)
    if (seal !== undefined) this.#reason({ ...seal, type: 'reasoning-delta' })
    const index = this.#nextIndex()
    const call = asSearchCall(callInGroup(chunk, this.#request), this.#request)
    const item = new CallItem(this.#emit, index, itemId(callKind(call), this.#id, index), call)
    this.#items.push(item)
    this.#calls.set(chunk.index, item)
    this.#openCall = chunk.index
    return item
  }

  #finishCall(chunk: ChunkOf<'tool-call'>): void {
    const item = this.#calls.get(chunk.index) ?? this.#startCall(chunk)
    item.finish(chunk)
    this.#openCall = undefined
  }

  /** The place of an item that is about to begin; the first one begins the answer. */
  #nextIndex(): number {
    this.#start()
    return this.#items.length
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    const response = this.#answer()
    this.#emit('response.created', { response })
    this.#emit('response.in_progress', { response })
  }

  #closeOpen(): void {
    if (this.#open instanceof MessageItem) this.#lengthBefore += this.#open.length
    this.#open?.close()
    this.#open = undefined
  }

  #closeAll(): void {
    for (;;) {
      this.#resume()
      this.#closeOpen()
      if (this.#openCall === undefined) return
      this.#calls.get(this.#openCall)?.close()
      this.#openCall = undefined
    }
  }

  #end(): void {
    this.#start()
    this.#closeAll()
    if (this.#finishReason === 'error') this.#fail(GAVE_UP)
    else this.#complete()
  }

  #complete(): void {
    const status = writeStatus(this.#finishReason, secondsOf(this.#facts.clock?.() ?? this.#facts.now))
    const usage =
      this.#usage === undefined
        ? undefined
        : { ...writeServiceTier(this.#usage), usage: writeResponsesUsage(this.#usage) }
    const response = { ...this.#answer(), ...status, ...usage }
    this.#emit(`response.${status.status}`, { response })
  }

  #answer(): Record<string, unknown> {
    const answer = { id: this.#id, model: this.#model, createdAt: secondsOf(this.#facts.now) }
    return { ...responseObject(this.#request, answer), output: this.#items.map((item) => item.item) }
  }

  /** A field, so that items can be handed it. */
  readonly #emit: Emit = (type: string, fields: Fields): void => {
    this.#text += sseText(JSON.stringify({ type, sequence_number: this.#sequence, ...fields }), type)
    this.#sequence += 1
  }
}
