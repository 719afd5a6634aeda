/** Folds the chunks of a streamed answer into the answer. */

import type {
  Blocked,
  ChatChunk,
  ChatResponse,
  ChunkOf,
  Citation,
  Extra,
  FinishReason,
  MediaPart,
  OtherAnswer,
  ReasoningPart,
  TextPart,
  TokenLogprob,
  ToolCallPart,
  Usage,
} from '../domain/chat.ts'
import { mergeUsage } from './mergeUsage.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Piece = Writable<TextPart> | Writable<ReasoningPart> | Writable<ToolCallPart> | MediaPart

/** Bytes of a part that says nothing, with what its readers and writers keep of it. */
const PART_SIZE = 400
/** Bytes of a further answer that says nothing: each has an assembler, a reader and a writer of its own. */
const ANSWER_SIZE = 4096
/** Bytes of a token with its likelihood. */
const TOKEN_SIZE = 100
/** Bytes of a chunk of a further answer beside its text. */
const CHUNK_SIZE = 100

/** Takes chunks as they come and has the answer so far at any time. */
export class Assembler {
  #id: string | undefined
  #model = ''
  #pieces: Piece[] = []
  #calls = new Map<number, Writable<ToolCallPart>>()
  #usage: Usage | undefined
  #tier: string | undefined
  #finishReason: FinishReason | undefined
  #stopSequence: string | undefined
  #blocked: Blocked | undefined
  #extra: Extra | undefined
  readonly #citations: Citation[] = []
  #logprobs: TokenLogprob[] = []
  readonly #others = new Map<number, Assembler>()
  #opaque = false
  #ended = false
  #size = 0

  /** Whether the stream came to its own end; an answer that did not must not pass for whole. */
  get isComplete(): boolean {
    return this.#ended
  }

  /** Characters that are kept, and for each part of the answer what a part takes without any. */
  get size(): number {
    return this.#size + PART_SIZE * this.#pieces.length + ANSWER_SIZE * this.#others.size
  }

  push(chunk: ChatChunk): void {
    this.#size += lengthOf(chunk)
    switch (chunk.type) {
      case 'start':
        this.#id = chunk.id ?? this.#id
        this.#model = chunk.model ?? this.#model
        this.#tier = chunk.serviceTier ?? this.#tier
        break
      case 'text-delta':
        this.#addText(chunk.text, chunk.extra)
        for (const token of chunk.logprobs ?? []) this.#logprobs.push(token)
        break
      case 'other':
        this.#addOther(chunk)
        break
      case 'reasoning-delta':
        this.#addReasoning(chunk)
        break
      case 'tool-call-start':
        this.#startCall(chunk)
        break
      case 'tool-call-delta':
        this.#addArguments(chunk)
        break
      case 'tool-call':
        this.#finishCall(chunk)
        break
      case 'media':
        this.#pieces.push(chunk.part)
        break
      case 'citations':
        for (const citation of chunk.citations) this.#citations.push(citation)
        break
      case 'usage':
        this.#usage = mergeUsage(this.#usage ?? null, chunk.usage)
        break
      case 'opaque':
        this.#opaque = true
        break
      case 'finish':
        this.#finishReason = chunk.finishReason
        this.#blocked = chunk.blocked
        this.#stopSequence = chunk.stopSequence
        this.#extra = chunk.extra
        break
      case 'end':
        this.#ended = true
        break
      case 'error':
        break
    }
  }

  response(): ChatResponse {
    return {
      ...(this.#id !== undefined && { id: this.#id }),
      model: this.#model,
      content: this.#pieces.map((piece) =>
        piece.type === 'tool-call' && piece.arguments === '' && !piece.custom
          ? { ...piece, arguments: '{}' }
          : { ...piece },
      ),
      finishReason: this.#finishReason ?? 'other',
      ...(this.#citations.length > 0 && { citations: this.#citations }),
      ...(this.#blocked !== undefined && { blocked: this.#blocked }),
      ...(this.#logprobs.length > 0 && { logprobs: this.#logprobs }),
      ...(this.#others.size > 0 && { others: this.#otherAnswers(), opaque: true }),
      ...(this.#opaque && { opaque: true }),
      ...(this.#stopSequence !== undefined && { stopSequence: this.#stopSequence }),
      ...(this.#usage !== undefined && { usage: this.#usage }),
      ...(this.#tier !== undefined && { serviceTier: this.#tier }),
      ...(this.#extra !== undefined && { extra: this.#extra }),
    }
  }

  #addOther({ index, chunk }: ChunkOf<'other'>): void {
    const other = this.#others.get(index) ?? new Assembler()
    this.#others.set(index, other)
    other.push(chunk)
  }

  #otherAnswers(): readonly OtherAnswer[] {
    const inOrder = [...this.#others].toSorted(([one], [other]) => one - other)
    return inOrder.map(([, other]) => {
      const { content, finishReason, citations, blocked, logprobs } = other.response()
      return {
        content,
        finishReason,
        ...(citations !== undefined && { citations }),
        ...(blocked !== undefined && { blocked }),
        ...(logprobs !== undefined && { logprobs }),
      }
    })
  }

  #addText(text: string, extra: Extra | undefined): void {
    if (text === '') return
    const last = this.#pieces.at(-1)
    if (extra !== undefined) this.#pieces.push({ type: 'text', text, extra })
    else if (last?.type === 'text' && last.extra === undefined) last.text += text
    else this.#pieces.push({ type: 'text', text })
  }

  #addReasoning(chunk: ChunkOf<'reasoning-delta'>): void {
    const piece = this.#openReasoning(chunk)
    piece.text += chunk.text
    if (chunk.signature !== undefined) piece.signature = chunk.signature
    if (chunk.redacted !== undefined) piece.redacted = chunk.redacted
    if (chunk.extra !== undefined) piece.extra = chunk.extra
  }

  /** A signature closes a piece of reasoning, and a redacted one stands alone. */
  #openReasoning(chunk: ChunkOf<'reasoning-delta'>): Writable<ReasoningPart> {
    const last = this.#pieces.at(-1)
    if (last?.type === 'reasoning' && last.signature === undefined && !last.redacted && !chunk.redacted) return last
    const piece: Writable<ReasoningPart> = { type: 'reasoning', text: '' }
    this.#pieces.push(piece)
    return piece
  }

  #startCall(chunk: ChunkOf<'tool-call-start'> | ChunkOf<'tool-call'>): Writable<ToolCallPart> {
    const call: Writable<ToolCallPart> = { type: 'tool-call', id: chunk.id, name: chunk.name, arguments: '' }
    if (chunk.custom) call.custom = true
    if (chunk.signature !== undefined) call.signature = chunk.signature
    if (chunk.extra !== undefined) call.extra = chunk.extra
    this.#calls.set(chunk.index, call)
    this.#pieces.push(call)
    return call
  }

  #addArguments(chunk: ChunkOf<'tool-call-delta'>): void {
    const call = this.#calls.get(chunk.index)
    if (call !== undefined) call.arguments += chunk.arguments
  }

  #finishCall(chunk: ChunkOf<'tool-call'>): void {
    const call = this.#calls.get(chunk.index) ?? this.#startCall(chunk)
    call.id = chunk.id
    call.name = chunk.name
    call.arguments = chunk.arguments
    if (chunk.signature !== undefined) call.signature = chunk.signature
    if (chunk.extra !== undefined) call.extra = chunk.extra
  }
}

/** A whole call repeats its pieces. */
function lengthOf(chunk: ChatChunk): number {
  switch (chunk.type) {
    case 'text-delta':
      return chunk.text.length + ofTokens(chunk.logprobs) + ofExtra(chunk.extra)
    case 'reasoning-delta':
      return chunk.text.length + (chunk.signature?.length ?? 0) + ofExtra(chunk.extra)
    case 'tool-call-start':
      return chunk.id.length + chunk.name.length + (chunk.signature?.length ?? 0) + ofExtra(chunk.extra)
    case 'tool-call-delta':
      return chunk.arguments.length
    case 'media':
      return chunk.part.data?.length ?? 0
    case 'other':
      return CHUNK_SIZE + lengthOf(chunk.chunk)
    default:
      return 0
  }
}

function ofTokens(tokens: readonly TokenLogprob[] | undefined): number {
  let size = 0
  for (const { top } of tokens ?? []) size += TOKEN_SIZE * (1 + top.length)
  return size
}

/** Few pieces have one. */
const ofExtra = (extra: Extra | undefined) => (extra === undefined ? 0 : JSON.stringify(extra).length)
