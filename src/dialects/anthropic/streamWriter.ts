/** A streamed Messages answer to a client: https://platform.claude.com/docs/en/build-with-claude/streaming */

import type { ChatChunk, ChunkOf, MediaPart, Usage } from '../../domain/chat.ts'
import type { AnswerFacts, ClientError, StreamWriter } from '../dialect.ts'
import { UNSPEAKABLE } from '../fields/media.ts'
import { ownFields } from '../fields/requestFields.ts'
import { signatureForClient } from '../fields/signature.ts'
import { objectText } from '../fields/toolArguments.ts'
import { WaitingChunks } from '../stream/waitingChunks.ts'
import { UNKNOWN_ID } from './answer.ts'
import { DIRECT_CALL, mediaBlockText, textBlock } from './answerBlock.ts'
import { writeAnthropicError } from './error.ts'
import { writeStopDetails, writeStopReason } from './finishReason.ts'
import { writeAnthropicUsage, writeDeltaUsage } from './usage.ts'

/** The wire has no stop reason for it, and any other would call the answer whole or ask for a longer one. */
const GAVE_UP: ClientError = { status: 502, message: 'the model gave up', code: 'server' }

type Content = ChunkOf<'text-delta' | 'media' | 'reasoning-delta' | 'tool-call-start' | 'tool-call-delta' | 'tool-call'>

/** The block that is open; `hasArguments` once a piece of a call's arguments was written. */
type Open =
  | { readonly kind: 'text' | 'reasoning' }
  | { readonly kind: 'tool-call'; readonly call: number; hasArguments: boolean }

/**
 * Blocks follow each other and never overlap, so what arrives for another block while a call is open waits. The head of
 * the message waits for the first content and its foot for the end, because usage may be known only then.
 */
export class AnthropicStreamWriter implements StreamWriter {
  readonly #fallbackId: string
  #head: ChunkOf<'start'> | undefined
  #usage: Usage | undefined
  #finish: ChunkOf<'finish'> | undefined
  #open: Open | undefined
  #index = -1
  readonly #waiting = new WaitingChunks<Content>()
  #hasAnswered = false
  /** There is something that has no words. */
  #hasMore = false
  #begun = false
  #over = false

  constructor(facts: AnswerFacts = {}) {
    this.#fallbackId = facts.id ?? UNKNOWN_ID
  }

  write(chunk: ChatChunk): string {
    if (this.#over) return ''
    switch (chunk.type) {
      case 'start':
        this.#head ??= chunk
        return ''
      case 'usage':
        this.#usage = chunk.usage
        return ''
      case 'finish':
        this.#finish = chunk
        return ''
      case 'opaque':
        this.#hasMore = true
        return ''
      case 'other':
        return '' // its clients cannot ask for several answers
      case 'citations':
        // Its clients send them back, and they are refused when they are not the service's own.
        return ''
      case 'error':
        return '' // `fail` says it, with what the client may know of it
      case 'end':
        return this.#end()
      default:
        return this.#begin() + this.#content(chunk) + this.#resume()
    }
  }

  fail(error: ClientError): string {
    if (this.#over) return ''
    this.#over = true
    return event('error', writeAnthropicError(error))
  }

  #begin(): string {
    if (this.#begun) return ''
    this.#begun = true
    const message = {
      id: this.#head?.id ?? this.#fallbackId,
      type: 'message',
      role: 'assistant',
      model: this.#head?.model ?? '',
      content: [],
      container: null,
      diagnostics: null,
      stop_details: null,
      stop_reason: null,
      stop_sequence: null,
      usage: writeAnthropicUsage(this.#usage),
    }
    return event('message_start', { type: 'message_start', message })
  }

  #content(chunk: Content): string {
    this.#hasAnswered ||= chunk.type !== 'reasoning-delta'
    const open = this.#open
    if (open?.kind === 'tool-call' && !('index' in chunk && chunk.index === open.call)) {
      this.#waiting.add(chunk)
      return ''
    }
    switch (chunk.type) {
      case 'text-delta':
        return chunk.text === '' ? '' : this.#text(chunk.text)
      case 'media':
        return this.#media(chunk.part)
      case 'reasoning-delta':
        return this.#reasoning(chunk)
      case 'tool-call-start':
        return open?.kind === 'tool-call' ? '' : this.#startCall(chunk)
      case 'tool-call-delta':
        return this.#arguments(chunk.arguments)
      case 'tool-call':
        return this.#wholeCall(chunk)
    }
  }

  #text(text: string): string {
    const start = this.#open?.kind === 'text' ? '' : this.#start({ kind: 'text' }, textBlock(''))
    // As `#delta` would write it, at a third of the time: it is nearly all that a stream says.
    return `${start}${DELTA}${this.#index},"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`
  }

  /** A block of its own. */
  #media(part: MediaPart): string {
    return this.#stop() + this.#text(mediaBlockText(part)) + this.#stop()
  }

  #reasoning(chunk: ChunkOf<'reasoning-delta'>): string {
    const signature = signatureForClient('anthropic', chunk)
    if (chunk.redacted) {
      if (signature === undefined) return ''
      return this.#start({ kind: 'reasoning' }, { type: 'redacted_thinking', data: signature }) + this.#stop()
    }
    return chunk.text === '' && signature === undefined ? '' : this.#thinking(chunk.text, signature)
  }

  #thinking(text: string, signature: string | undefined): string {
    let out = ''
    if (this.#open?.kind !== 'reasoning') {
      out = this.#start({ kind: 'reasoning' }, { type: 'thinking', thinking: '', signature: '' })
    }
    if (text !== '') out += this.#delta({ type: 'thinking_delta', thinking: text })
    if (signature === undefined) return out
    // A signature seals its block; thoughts after it are a new one.
    return out + this.#delta({ type: 'signature_delta', signature }) + this.#stop()
  }

  /** A call's signature goes into a block of its own before it: see `withSignature` in anthropicContent.ts. */
  #startCall(chunk: ChunkOf<'tool-call-start' | 'tool-call'>): string {
    const signature = signatureForClient('anthropic', chunk)
    const sealed = signature === undefined ? '' : this.#stop() + this.#thinking('', signature)
    const call: Open = { kind: 'tool-call', call: chunk.index, hasArguments: false }
    return sealed + this.#start(call, { ...DIRECT_CALL, type: 'tool_use', id: chunk.id, name: chunk.name, input: {} })
  }

  #arguments(text: string): string {
    if (this.#open?.kind !== 'tool-call' || text === '') return ''
    this.#open.hasArguments = true
    return this.#delta({ type: 'input_json_delta', partial_json: text })
  }

  #wholeCall(chunk: ChunkOf<'tool-call'>): string {
    let out = this.#open?.kind === 'tool-call' ? '' : this.#startCall(chunk)
    if (this.#open?.kind === 'tool-call' && !this.#open.hasArguments)
      out += this.#arguments(objectText(chunk.arguments))
    return out + this.#stop()
  }

  /** Writes what has waited, up to a call whose end has not come. */
  #resume(): string {
    let out = ''
    while (this.#open?.kind !== 'tool-call') {
      const group = this.#waiting.take()
      if (group === undefined) break
      for (const chunk of group) out += this.#content(chunk)
    }
    return out
  }

  #end(): string {
    let out = this.#begin()
    if (this.#hasMore && !this.#hasAnswered && this.#finish?.blocked === undefined) out += this.#text(UNSPEAKABLE)
    do out += this.#stop() + this.#resume()
    while (this.#open)
    if (this.#finish?.finishReason === 'error') return out + this.fail(GAVE_UP)
    this.#over = true
    const stopSequence = this.#finish?.stopSequence
    const reason = writeStopReason(this.#finish?.finishReason ?? 'other', stopSequence)
    const blocked = this.#finish?.blocked
    const delta = {
      container: ownFields(this.#finish?.extra, 'anthropic')['container'] ?? null,
      stop_details: blocked === undefined ? null : writeStopDetails(blocked),
      stop_reason: reason,
      stop_sequence: stopSequence ?? null,
    }
    out += event('message_delta', { type: 'message_delta', delta, usage: writeDeltaUsage(this.#usage) })
    return out + event('message_stop', { type: 'message_stop' })
  }

  #start(open: Open, content_block: Record<string, unknown>): string {
    const stop = this.#stop()
    this.#open = open
    this.#index++
    return stop + event('content_block_start', { type: 'content_block_start', index: this.#index, content_block })
  }

  #delta(delta: Record<string, unknown>): string {
    return event('content_block_delta', { type: 'content_block_delta', index: this.#index, delta })
  }

  #stop(): string {
    if (!this.#open) return ''
    this.#open = undefined
    return event('content_block_stop', { type: 'content_block_stop', index: this.#index })
  }
}

const DELTA = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":'

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
