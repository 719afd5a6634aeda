/** Reads the event stream of a Responses answer: https://platform.openai.com/docs/api-reference/responses-streaming */

import type { ChatChunk, Citation, Extra, FinishReason, TokenLogprob, ToolCallPart } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'
import type { StreamReader } from '../dialect.ts'
import { extraOf, type Fields } from '../fields/requestFields.ts'
import { beginsObject } from '../fields/toolArguments.ts'
import { namedTier } from '../fields/usageFields.ts'
import { readLogprobs } from '../openai/logprobs.ts'
import { readResponsesUsage } from '../openai/usage.ts'
import { embeddedError, malformed } from '../stream/embeddedError.ts'
import { HeldArguments } from '../stream/heldArguments.ts'
import {
  answerError,
  isOther,
  logprobsIn,
  type ResponsesAnswerPart,
  readOutput,
  readResponsesBlock,
  readStatus,
} from './answer.ts'
import { readMessageAnnotations } from './answerMedia.ts'
import { isRefusal } from './items.ts'
import { besideUsage, isServerTool, outputOf } from './serverTools.ts'

type ErrorChunk = Extract<ChatChunk, { type: 'error' }>

interface OpenItem {
  /** What the deltas said so far, as far as it was passed on: text, thoughts or arguments. */
  streamed: string
  /** The arguments that the deltas said so far. */
  held: HeldArguments
  /** Where its text begins in the text of the answer. */
  start: number
  /** Summary or content; the first kind of thought that an item streams is the one that is read. */
  thoughts: string | undefined
  /** The part of the summary that the last delta belonged to. */
  summaryIndex: number
  call: ToolCallPart | undefined
  /** Our own count of calls; it has no meaning where `call` is undefined. */
  callIndex: number
  isDone: boolean
  /** An `opaque` chunk was made for it. */
  isOther: boolean
}

const NOTHING: readonly ChatChunk[] = []

export class ResponsesStreamReader implements StreamReader {
  #started = false
  #items = new Map<number, OpenItem>()
  #callCount = 0
  #hasContent = false
  #refusal = ''
  /** Characters of text so far. */
  #length = 0
  #citations: Citation[] = []
  /** What ran at the service. */
  readonly #toolItems: Fields[] = []
  /** After an error or the end nothing more is said. */
  #closed = false

  push(event: string, data: string, incomplete = false): readonly ChatChunk[] {
    if (this.#closed || data === '' || data === '[DONE]') return NOTHING
    let body: unknown
    try {
      body = parseJson(data)
    } catch {
      return incomplete ? NOTHING : this.#fail(malformed('an event that is not JSON'))
    }
    const fields = asRecord(body)
    if (fields === undefined) return NOTHING
    const chunks: ChatChunk[] = []
    this.#read(asString(fields['type']) ?? event, fields, chunks)
    return chunks
  }

  /** The end is said by `response.completed`, which was passed on when it came. */
  end(): readonly ChatChunk[] {
    return NOTHING
  }

  #read(type: string, event: Fields, chunks: ChatChunk[]): void {
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        this.#start(event, chunks)
        break
      case 'response.output_text.delta':
        this.#addText(event, chunks)
        break
      case 'response.refusal.delta':
        this.#refusal += asString(event['delta']) ?? ''
        this.#addText(event, chunks)
        break
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        this.#addThoughts(type, event, chunks)
        break
      case 'response.output_item.added':
        this.#addItem(event, chunks)
        break
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        this.#addArguments(event, chunks)
        break
      case 'response.output_item.done':
        this.#finishItem(event, chunks)
        break
      case 'response.completed':
      case 'response.incomplete':
        this.#finish(type, event, chunks)
        break
      case 'response.failed':
      case 'response.cancelled':
        chunks.push(...this.#fail(failure(event)))
        break
      default:
        if (type === 'error' || asRecord(event['error']) !== undefined) chunks.push(...this.#fail(eventError(event)))
    }
  }

  #start(event: Fields, chunks: ChatChunk[]): void {
    if (this.#started) return
    this.#started = true
    const response = asRecord(event['response'])
    const id = asString(response?.['id'])
    const model = asString(response?.['model'])
    const serviceTier = namedTier(response?.['service_tier'])
    chunks.push({ type: 'start', ...(id && { id }), ...(model && { model }), ...(serviceTier && { serviceTier }) })
    // The job runs on without the stream, and must not be given to another target as well.
    if (id && response?.['background'] === true) chunks.push({ type: 'opaque' })
  }

  #addText(event: Fields, chunks: ChatChunk[]): void {
    const text = asString(event['delta'])
    if (!text) return
    const item = this.#item(event)
    if (item.streamed === '') item.start = this.#length
    item.streamed += text
    this.#say(text, chunks, readLogprobs(event['logprobs']))
  }

  #say(text: string, chunks: ChatChunk[], logprobs?: readonly TokenLogprob[]): void {
    this.#hasContent = true
    this.#length += text.length
    chunks.push({ type: 'text-delta', text, ...(logprobs !== undefined && { logprobs }) })
  }

  #addThoughts(type: string, event: Fields, chunks: ChatChunk[]): void {
    const item = this.#item(event)
    const delta = asString(event['delta'])
    item.thoughts ??= type
    if (!delta || item.thoughts !== type) return
    const summaryIndex = asNumber(event['summary_index']) ?? 0
    const isFirst = item.streamed === ''
    const text = summaryIndex !== item.summaryIndex && !isFirst ? `\n\n${delta}` : delta
    item.summaryIndex = summaryIndex
    item.streamed += text
    this.#hasContent = true
    chunks.push({ type: 'reasoning-delta', text, ...(isFirst && itemExtra(event)) })
  }

  #addItem(event: Fields, chunks: ChatChunk[]): void {
    const item = asRecord(event['item'])
    if (isCall(item)) this.#startCall(this.#item(event), item, chunks)
    else if (isOther(item)) {
      this.#item(event).isOther = true
      chunks.push({ type: 'opaque' })
    }
  }

  #startCall(open: OpenItem, item: Fields | undefined, chunks: ChatChunk[]): void {
    const [call] = readOutput([item])
    if (call?.type !== 'tool-call' || open.call !== undefined) return
    open.call = call
    open.held = new HeldArguments(isCustom(item))
    open.callIndex = this.#callCount
    this.#callCount += 1
    this.#hasContent = true
    const { arguments: _, ...begun } = call
    chunks.push({ ...begun, type: 'tool-call-start', index: open.callIndex })
  }

  #addArguments(event: Fields, chunks: ChatChunk[]): void {
    const open = this.#item(event)
    const text = asString(event['delta'])
    if (!text || open.call === undefined || open.isDone) return
    const passed = open.held.add(text)
    open.streamed += passed
    chunks.push({ type: 'tool-call-delta', index: open.callIndex, arguments: passed })
  }

  /** What the item holds is the truth; deltas that did not come are made up for. */
  #finishItem(event: Fields, chunks: ChatChunk[]): void {
    const item = asRecord(event['item'])
    const open = this.#item(event)
    if (item === undefined || open.isDone) return
    if (isServerTool(item)) this.#toolItems.push(item)
    if (isCall(item)) this.#startCall(open, item, chunks)
    else if (isOther(item) && !open.isOther) chunks.push({ type: 'opaque' })
    const parts = readOutput([item])
    if (open.streamed === '') open.start = this.#length
    this.#citations.push(...readMessageAnnotations(item, open.start))
    this.#finishText(parts, open, chunks, open.streamed === '' ? logprobsIn([item]).logprobs : undefined)
    for (const part of parts) this.#finishPart(part, open, chunks)
    open.isDone = true
  }

  #finishText(
    parts: readonly ResponsesAnswerPart[],
    open: OpenItem,
    chunks: ChatChunk[],
    logprobs: readonly TokenLogprob[] | undefined,
  ): void {
    let whole = ''
    for (const part of parts) {
      if (part.type !== 'text') continue
      whole += part.text
      if (isRefusal(part) && this.#refusal === '') this.#refusal = part.text
    }
    const text = rest(open.streamed, whole)
    if (text !== '') this.#say(text, chunks, logprobs)
  }

  #finishPart(part: ResponsesAnswerPart, open: OpenItem, chunks: ChatChunk[]): void {
    if (part.type === 'reasoning') {
      const text = rest(open.streamed, part.text)
      if (text === '' && part.signature === undefined) return
      this.#hasContent = true
      chunks.push({ ...part, type: 'reasoning-delta', text })
    } else if (part.type === 'image') {
      this.#hasContent = true
      chunks.push({ type: 'media', part })
    } else if (part.type === 'tool-call') {
      open.call = part
      this.#finishCall(open, chunks)
    }
  }

  /** An item that lost its arguments on the way keeps those of its deltas. */
  #finishCall(open: OpenItem, chunks: ChatChunk[]): void {
    if (open.call === undefined || open.isDone) return
    open.isDone = true
    const stated = open.call.arguments
    const whole = stated === '{}' && open.held.text !== '' ? open.held.whole() : stated
    const text = rest(open.streamed, whole)
    if (text !== '' && (open.streamed !== '' || beginsObject(whole)))
      chunks.push({ type: 'tool-call-delta', index: open.callIndex, arguments: text })
    chunks.push({ ...open.call, index: open.callIndex, arguments: whole })
  }

  #finish(type: string, event: Fields, chunks: ChatChunk[]): void {
    const response = asRecord(event['response']) ?? {}
    const error = answerError(response)
    if (error !== undefined) {
      chunks.push(...this.#fail({ type: 'error', ...error }))
      return
    }
    this.#start(event, chunks)
    if (!this.#hasContent) this.#readWhole(asArray(response['output']) ?? [], chunks)
    for (const open of this.#items.values()) this.#finishCall(open, chunks)
    if (this.#citations.length > 0) chunks.push({ type: 'citations', citations: this.#citations })
    const usage = readResponsesUsage(response['usage'], besideUsage(response, outputOf(response, this.#toolItems)))
    if (usage !== undefined) chunks.push({ type: 'usage', usage })
    const status = type === 'response.incomplete' ? 'incomplete' : 'completed'
    const finishReason = this.#finishReason(readStatus({ ...response, status }))
    const blocked = finishReason === 'content_filter' ? readResponsesBlock(response, this.#refusal) : undefined
    chunks.push({ type: 'finish', finishReason, ...(blocked !== undefined && { blocked }) })
    chunks.push({ type: 'end' })
    this.#closed = true
  }

  /** Servers that stream nothing put everything into the last event. */
  #readWhole(output: readonly unknown[], chunks: ChatChunk[]): void {
    for (const [index, item] of output.entries()) this.#finishItem({ output_index: index, item }, chunks)
  }

  #finishReason(reason: FinishReason | undefined): FinishReason {
    if (reason !== 'stop') return reason ?? 'other'
    if (this.#callCount > 0) return 'tool_calls'
    return this.#refusal !== '' ? 'content_filter' : 'stop'
  }

  #item(event: Fields): OpenItem {
    const index = asNumber(event['output_index']) ?? 0
    let item = this.#items.get(index)
    if (item === undefined) {
      item = {
        streamed: '',
        held: new HeldArguments(),
        start: 0,
        thoughts: undefined,
        summaryIndex: 0,
        call: undefined,
        callIndex: -1,
        isDone: false,
        isOther: false,
      }
      this.#items.set(index, item)
    }
    return item
  }

  #fail(error: ErrorChunk): readonly ChatChunk[] {
    this.#closed = true
    return [error]
  }
}

/** The id that the item's encrypted content is bound to; a client must receive it from the beginning. */
function itemExtra(event: Fields): { extra?: Extra } {
  const id = asString(event['item_id'])
  return id ? extraOf('openai-responses', { id }) : {}
}

/** What of the whole was not streamed; nothing where the stream said something else. */
function rest(streamed: string, whole: string): string {
  return whole.startsWith(streamed) ? whole.slice(streamed.length) : ''
}

const isCustom = (item: Fields | undefined) => item?.['type'] === 'custom_tool_call'

const isCall = (item: Fields | undefined) => item?.['type'] === 'function_call' || isCustom(item)

/** `error` events come with the error below `error` or flat. */
function eventError(event: Fields): ErrorChunk {
  const found = embeddedError(event)
  if (found !== undefined) return { type: 'error', ...found, body: { error: event['error'] } }
  return { type: 'error', body: { error: event } }
}

function failure(event: Fields): ErrorChunk {
  const response = asRecord(event['response'])
  const found = answerError({ ...response, status: 'failed' })
  const error = response?.['error'] ?? undefined
  return { type: 'error', ...found, body: error === undefined ? found?.body : { error } }
}
