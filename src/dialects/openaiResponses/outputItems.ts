/**
 * The items of a streamed Responses answer: each announces itself, streams its deltas and says itself whole at the end.
 */

import type { ChunkOf, ImagePart, ReasoningPart, TokenLogprob, ToolCallPart } from '../../domain/chat.ts'
import { type Fields, ownFields } from '../fields/requestFields.ts'
import { writeLogprobs } from '../openai/logprobs.ts'
import { callItem, messageItem, outputPart, reasoningItem } from './answer.ts'
import { imageItem } from './answerMedia.ts'
import { nameInGroup } from './namespaces.ts'
import { isSearchCall } from './toolSearch.ts'

/** Writes one event of the answer. */
export type Emit = (type: string, fields: Fields) => void

export interface OutputItem {
  /** The item as it stands. */
  readonly item: Fields
  /** Says the item whole; once. */
  close(): void
}

export class MessageItem implements OutputItem {
  readonly #emit: Emit
  readonly #index: number
  readonly #id: string
  #text = ''
  readonly #logprobs: Fields[] = []
  #annotations: Fields[] = []
  #closed = false

  constructor(emit: Emit, index: number, id: string) {
    this.#emit = emit
    this.#index = index
    this.#id = id
    const item = { ...messageItem([], id, {}), status: 'in_progress' }
    emit('response.output_item.added', { output_index: index, item })
    emit('response.content_part.added', { ...this.#place(), part: outputPart({ type: 'text', text: '' }) })
  }

  get item(): Fields {
    const status = this.#closed ? 'completed' : 'incomplete'
    return { ...messageItem([this.#part()], this.#id, {}), status }
  }

  add(text: string, tokens: readonly TokenLogprob[] = []): void {
    const logprobs = writeLogprobs(tokens)
    this.#text += text
    this.#logprobs.push(...logprobs)
    this.#emit('response.output_text.delta', { ...this.#place(), delta: text, logprobs })
  }

  get length(): number {
    return this.#text.length
  }

  cite(annotation: Fields): void {
    const annotation_index = this.#annotations.push(annotation) - 1
    this.#emit('response.output_text.annotation.added', { ...this.#place(), annotation_index, annotation })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#emit('response.output_text.done', { ...this.#place(), text: this.#text, logprobs: [...this.#logprobs] })
    this.#emit('response.content_part.done', { ...this.#place(), part: this.#part() })
    this.#emit('response.output_item.done', { output_index: this.#index, item: this.item })
  }

  #place(): Fields {
    return { item_id: this.#id, output_index: this.#index, content_index: 0 }
  }

  #part(): Fields {
    const part = outputPart({ type: 'text', text: this.#text }, [...this.#annotations])
    return { ...part, logprobs: [...this.#logprobs] }
  }
}

/** A picture, which arrives whole: its item goes through all of its states at once. */
export class ImageItem implements OutputItem {
  readonly item: Fields

  constructor(emit: Emit, index: number, id: string, part: ImagePart & { readonly data: string }) {
    const place = { item_id: id, output_index: index }
    this.item = imageItem(part, id)
    const begun = { type: 'image_generation_call', id, status: 'in_progress', result: null }
    emit('response.output_item.added', { output_index: index, item: begun })
    emit('response.image_generation_call.in_progress', place)
    emit('response.image_generation_call.generating', place)
    emit('response.image_generation_call.completed', place)
    emit('response.output_item.done', { output_index: index, item: this.item })
  }

  close(): void {}
}

/** A message that only refuses, said at once. */
export class RefusalItem implements OutputItem {
  readonly item: Fields

  constructor(emit: Emit, index: number, id: string, text: string) {
    const place = { item_id: id, output_index: index, content_index: 0 }
    const part = { type: 'refusal', refusal: text }
    this.item = messageItem([part], id, {})
    emit('response.output_item.added', {
      output_index: index,
      item: { ...messageItem([], id, {}), status: 'in_progress' },
    })
    emit('response.content_part.added', { ...place, part: { ...part, refusal: '' } })
    emit('response.refusal.delta', { ...place, delta: text })
    emit('response.refusal.done', { ...place, refusal: text })
    emit('response.content_part.done', { ...place, part })
    emit('response.output_item.done', { output_index: index, item: this.item })
  }

  close(): void {}
}

/** Thoughts are given as a summary, which is the form every client of this dialect shows. */
export class ReasoningItem implements OutputItem {
  readonly #emit: Emit
  readonly #index: number
  readonly #id: string
  #part: ReasoningPart
  #closed = false

  constructor(emit: Emit, index: number, id: string, first: ChunkOf<'reasoning-delta'>) {
    this.#emit = emit
    this.#index = index
    this.#part = { type: 'reasoning', text: '', extra: first.extra }
    // An id that the upstream gave belongs to its encrypted content.
    const own = ownFields(first.extra, 'openai-responses')['id']
    this.#id = typeof own === 'string' ? own : id
    emit('response.output_item.added', { output_index: index, item: { type: 'reasoning', id: this.#id, summary: [] } })
  }

  get item(): Fields {
    return { ...reasoningItem(this.#part, this.#id), id: this.#id }
  }

  add(text: string): void {
    if (text === '') return
    const isFirst = this.#part.text === ''
    this.#part = { ...this.#part, text: this.#part.text + text }
    if (isFirst) this.#emit('response.reasoning_summary_part.added', { ...this.#place(), part: summaryPart('') })
    this.#emit('response.reasoning_summary_text.delta', { ...this.#place(), delta: text })
  }

  sign({ signature, redacted, extra }: ChunkOf<'reasoning-delta'>): void {
    this.#part = { ...this.#part, signature, redacted, extra }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { text } = this.#part
    if (text !== '') {
      this.#emit('response.reasoning_summary_text.done', { ...this.#place(), text })
      this.#emit('response.reasoning_summary_part.done', { ...this.#place(), part: summaryPart(text) })
    }
    this.#emit('response.output_item.done', { output_index: this.#index, item: this.item })
  }

  #place(): Fields {
    return { item_id: this.#id, output_index: this.#index, summary_index: 0 }
  }
}

const summaryPart = (text: string): Fields => ({ type: 'summary_text', text })

/** A call of a function, or of a custom tool, whose input is free text in place of the arguments. */
export class CallItem implements OutputItem {
  readonly #emit: Emit
  readonly #index: number
  readonly #id: string
  readonly #isCustom: boolean
  #part: ToolCallPart
  #closed = false

  constructor(emit: Emit, index: number, id: string, call: ChunkOf<'tool-call-start'> | ChunkOf<'tool-call'>) {
    const own = ownFields(call.extra, 'openai-responses')
    this.#emit = emit
    this.#index = index
    this.#id = typeof own['id'] === 'string' ? own['id'] : id
    this.#isCustom = call.custom === true
    this.#part = {
      type: 'tool-call',
      id: call.id,
      name: call.name,
      arguments: '',
      custom: call.custom,
      extra: call.extra,
    }
    emit('response.output_item.added', { output_index: index, item: { ...this.item, status: 'in_progress' } })
  }

  get item(): Fields {
    const status = this.#closed ? 'completed' : 'incomplete'
    return { ...callItem(this.#part, this.#id), id: this.#id, status }
  }

  add(text: string): void {
    if (this.#closed || text === '') return
    this.#part = { ...this.#part, arguments: this.#part.arguments + text }
    if (!this.#isSearch) this.#emit(`${this.#events()}.delta`, { ...this.#place(), delta: text })
  }

  /** The whole call is known: says the arguments that no delta said, and closes. */
  finish(call: ChunkOf<'tool-call'>): void {
    if (this.#closed) return
    if (this.#part.arguments === '') this.add(call.arguments)
    this.#part = { ...this.#part, arguments: call.arguments }
    this.close()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const text = this.#part.arguments
    const said = this.#isCustom ? { input: text } : { name: nameInGroup(this.#part), arguments: text }
    if (!this.#isSearch) this.#emit(`${this.#events()}.done`, { ...this.#place(), ...said })
    this.#emit('response.output_item.done', { output_index: this.#index, item: this.item })
  }

  /** It has no events of its own. */
  get #isSearch(): boolean {
    return isSearchCall(this.#part)
  }

  #events(): string {
    return this.#isCustom ? 'response.custom_tool_call_input' : 'response.function_call_arguments'
  }

  #place(): Fields {
    return { item_id: this.#id, output_index: this.#index }
  }
}
