/** Reads the stream of a chat completion, one event at a time. */

import type { ChatChunk, Citation, FinishReason, MediaPart, TokenLogprob, Usage } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'
import type { StreamReader } from '../dialect.ts'
import type { Fields } from '../fields/requestFields.ts'
import { namedTier } from '../fields/usageFields.ts'
import { readLogprobs } from '../openai/logprobs.ts'
import { readChatUsage } from '../openai/usage.ts'
import { embeddedError, malformed } from '../stream/embeddedError.ts'
import { HeldArguments } from '../stream/heldArguments.ts'
import { TextFastPath } from '../stream/textFastPath.ts'
import { finishReasonOf, isOpaque, madeCallId, readChatBlock, readPieces } from './answer.ts'
import { readAnnotations, readImages, readRecording } from './answerMedia.ts'
import { addExecutedTools, usesOf } from './executedTools.ts'
import { argumentsText, detailSignature, detailText, reasoningText, thoughtSignature } from './message.ts'

interface OpenToolCall {
  readonly index: number
  readonly id: string
  readonly name: string
  readonly custom: boolean
  signature: string | undefined
  readonly arguments: HeldArguments
  /** Its name came again, alone, behind arguments that are whole. */
  isNamedAgain: boolean
}

const NOTHING: readonly ChatChunk[] = []

export class ChatStreamReader implements StreamReader {
  #started = false
  #id: string | undefined
  /** By the upstream's own index, which may begin at 1. */
  #calls = new Map<number, OpenToolCall>()
  #unfinished: OpenToolCall[] = []
  readonly #callIds = new Set<string>()
  #callCount = 0
  #hasContent = false
  #refusal = ''
  /** The pieces of a recording, in base64. */
  #audio: string[] = []
  #citations: Citation[] = []
  #finish: FinishReason | undefined
  /** After an error or the end nothing more is said. */
  #closed = false
  /** A chunk with a `delta` came: a `message` beside or after it repeats what was said. */
  #hasDeltas = false
  isForeign = false
  /** As the chunks named it last. */
  #tier: unknown
  /** Kinds of tools that ran at the service, by their index. */
  readonly #executed = new Map<number, string>()
  /** Further answers, by their index: each is read like the first. */
  readonly #others = new Map<number, ChatStreamReader>()
  readonly #run = new TextFastPath(/"content": ?"/, contentOf)

  push(event: string, data: string, incomplete = false): readonly ChatChunk[] {
    const chunks = this.#push(event, data, incomplete)
    const [only] = chunks
    if (chunks.length === 1 && only?.type === 'text-delta' && only.logprobs === undefined && event === '')
      this.#run.learn(data, only.text)
    else this.#run.forget()
    return chunks
  }

  readRun(bytes: Buffer): string | null {
    return this.#run.read(bytes)
  }

  #push(event: string, data: string, incomplete: boolean): readonly ChatChunk[] {
    if (this.#closed || data === '') return NOTHING
    if (data === '[DONE]') return this.#done()
    let body: unknown
    try {
      body = parseJson(data)
    } catch {
      // What follows the finish can no longer spoil the answer.
      return incomplete || this.#finish !== undefined ? NOTHING : this.#fail(malformed('a chunk that is not JSON'))
    }
    const error = embeddedError(body)
    if (error !== undefined) return this.#fail({ type: 'error', ...error })
    if (event === 'error') return this.#fail({ type: 'error', body: { error: body } })
    const chunk = asRecord(body)
    return chunk === undefined ? NOTHING : this.#read(chunk)
  }

  /** Without `[DONE]` the answer is whole when each of its choices has finished. */
  end(): readonly ChatChunk[] {
    const all: readonly ChatStreamReader[] = [this, ...this.#others.values()]
    if (this.#closed || all.some((reader) => reader.#finish === undefined)) return NOTHING
    return this.#close([])
  }

  #read(chunk: Fields): readonly ChatChunk[] {
    const chunks: ChatChunk[] = []
    this.#readStart(chunk, chunks)
    this.#readTier(chunk, chunks)
    for (const value of asArray(chunk['choices']) ?? []) {
      const choice = asRecord(value)
      const index = asNumber(choice?.['index']) ?? 0
      if (choice !== undefined && index === 0) this.#readChoice(choice, chunks)
      else if (choice !== undefined) this.#readOther(index, choice, chunks)
    }
    const usage = this.#usage(chunk)
    if (usage !== undefined) chunks.push({ type: 'usage', usage })
    return chunks
  }

  #usage(chunk: Fields): Usage | undefined {
    const { usage } = chunk
    const inOwnField = asRecord(chunk['x_groq'])?.['usage']
    // Moonshot counts in the choice that ends the stream: https://github.com/northes/go-moonshot/issues/17 (2026-11-30)
    const ofChoice = asRecord(asArray(chunk['choices'])?.[0])?.['usage']
    if (usage == null && inOwnField == null && ofChoice == null) return undefined
    const beside = { serviceTier: this.#tier, serverTools: usesOf(this.#executed) }
    return readChatUsage(usage, beside) ?? readChatUsage(inOwnField, beside) ?? readChatUsage(ofChoice, beside)
  }

  /** At once: a stream that breaks off has no usage that would tell it. */
  #readTier({ service_tier: tier }: Fields, chunks: ChatChunk[]): void {
    if (tier == null || tier === this.#tier) return
    this.#tier = tier
    const serviceTier = namedTier(tier)
    if (serviceTier !== undefined) chunks.push({ type: 'start', serviceTier })
  }

  /** Azure's first chunk has an empty id and model; they come with the next one. */
  #readStart(chunk: Fields, chunks: ChatChunk[]): void {
    if (this.#started) return
    const id = asString(chunk['id'])
    const model = asString(chunk['model'])
    if (!id && !model) return
    this.#started = true
    this.#id = id
    chunks.push({ type: 'start', ...(id && { id }), ...(model && { model }) })
  }

  #readOther(index: number, choice: Fields, chunks: ChatChunk[]): void {
    const known = this.#others.get(index)
    const reader = known ?? new ChatStreamReader()
    reader.#id = `${this.#id ?? ''}_${index}`
    this.#others.set(index, reader)
    this.#hasContent = true
    const said: ChatChunk[] = []
    reader.#readChoice(choice, said)
    chunks.push(...said.map((chunk): ChatChunk => ({ type: 'other', index, chunk })))
  }

  #readChoice(choice: Fields, chunks: ChatChunk[]): void {
    const before = chunks.length
    const delta = this.#deltaOf(choice)
    if (delta !== undefined) this.#readDelta(delta, chunks)
    const logprobs = readLogprobs(asRecord(choice['logprobs'])?.['content'])
    if (logprobs !== undefined) addLogprobs(logprobs, chunks, before)
    const reason = asString(choice['finish_reason'])
    if (!reason || this.#finish !== undefined) return
    this.#finishContent(chunks)
    this.#finish = finishReasonOf(reason, { hasCalls: this.#callCount > 0, refused: this.#refusal !== '' })
    const blocked = this.#finish === 'content_filter' ? readChatBlock(this.#refusal, choice, undefined) : undefined
    chunks.push({ type: 'finish', finishReason: this.#finish, ...(blocked !== undefined && { blocked }) })
  }

  /** Servers that only imitate a stream say a whole `message` where a `delta` belongs. */
  #deltaOf(choice: Fields): Fields | undefined {
    const delta = asRecord(choice['delta'])
    this.#hasDeltas ||= delta !== undefined
    if (this.#hasDeltas) return delta
    const message = asRecord(choice['message'])
    this.isForeign ||= message !== undefined
    return message
  }

  #readDelta(delta: Fields, chunks: ChatChunk[]): void {
    this.#readReasoning(delta, chunks)
    const content = delta['content']
    if (typeof content === 'string') this.#addText(content, chunks)
    else for (const piece of readPieces(content)) this.#addPiece(piece, chunks)
    const refusal = asString(delta['refusal'])
    if (refusal) {
      this.#refusal += refusal
      this.#addText(refusal, chunks)
    }
    for (const part of readImages(delta)) this.#addMedia(part, chunks)
    this.#readAudio(asRecord(delta['audio']), chunks)
    this.#citations.push(...readAnnotations(delta['annotations']))
    if (isOpaque(delta)) this.#addOpaque(chunks)
    if (delta['executed_tools'] != null) addExecutedTools(this.#executed, delta['executed_tools'])
    for (const value of asArray(delta['tool_calls']) ?? []) {
      const call = asRecord(value)
      if (call !== undefined) this.#readCall(call, chunks)
    }
  }

  #addMedia(part: MediaPart, chunks: ChatChunk[]): void {
    this.#hasContent = true
    chunks.push({ type: 'media', part })
  }

  /** Its words come as text, its sound whole at the end; until then it is known that there is some. */
  #readAudio(audio: Fields | undefined, chunks: ChatChunk[]): void {
    this.#addText(asString(audio?.['transcript']) ?? '', chunks)
    const data = asString(audio?.['data'])
    if (!data) return
    if (this.#audio.length === 0) this.#addOpaque(chunks)
    this.#audio.push(data)
  }

  #addOpaque(chunks: ChatChunk[]): void {
    this.#hasContent = true
    chunks.push({ type: 'opaque' })
  }

  #addText(text: string, chunks: ChatChunk[]): void {
    if (text === '') return
    this.#hasContent = true
    chunks.push({ type: 'text-delta', text })
  }

  #addPiece(piece: { readonly type: 'text' | 'reasoning'; readonly text: string }, chunks: ChatChunk[]): void {
    if (piece.type === 'text') this.#addText(piece.text, chunks)
    else this.#addReasoning(piece.text, undefined, chunks)
  }

  /** OpenRouter says its thoughts twice: as `reasoning` and as `reasoning_details`, which may carry a signature. */
  #readReasoning(delta: Fields, chunks: ChatChunk[]): void {
    let text = reasoningText(delta)
    let signature: string | undefined
    const details = asArray(delta['reasoning_details'])
    if (details !== undefined) {
      if (text === '') text = details.map(detailText).join('')
      signature = details.map(detailSignature).find((value) => value !== undefined)
    }
    this.#addReasoning(text, signature, chunks)
  }

  #addReasoning(text: string, signature: string | undefined, chunks: ChatChunk[]): void {
    if (text === '' && signature === undefined) return
    this.#hasContent = true
    chunks.push({ type: 'reasoning-delta', text, ...(signature !== undefined && { signature }) })
  }

  #readCall(call: Fields, chunks: ChatChunk[]): void {
    const target = asRecord(call['function']) ?? asRecord(call['custom'])
    if (target === undefined) return
    const text = argumentsText(target)
    const open = this.#callOf(call, target, text, chunks)
    if (open === undefined) return
    open.signature ??= thoughtSignature(call)
    if (text === '') return
    chunks.push({ type: 'tool-call-delta', index: open.index, arguments: open.arguments.add(text) })
  }

  /** The call this delta continues, or the new one it starts; undefined when it belongs to none. */
  #callOf(call: Fields, target: Fields, text: string, chunks: ChatChunk[]): OpenToolCall | undefined {
    const name = asString(target['name'])
    const id = asString(call['id'])
    // Whole calls may come without an index, each in its own delta.
    const wireIndex = asNumber(call['index']) ?? (name ? this.#calls.size : this.#calls.size - 1)
    const known = this.#calls.get(wireIndex)
    const begun = known === undefined ? name : nameOfAnother(known, name, id, text)
    return begun ? this.#startCall(wireIndex, id, begun, target === call['custom'], chunks) : known
  }

  #startCall(
    wireIndex: number,
    id: string | undefined,
    name: string,
    custom: boolean,
    chunks: ChatChunk[],
  ): OpenToolCall {
    const index = this.#callCount
    this.#callCount += 1
    this.#hasContent = true
    const open: OpenToolCall = {
      index,
      id: id && !this.#callIds.has(id) ? id : madeCallId(this.#id, index),
      name,
      custom,
      signature: undefined,
      arguments: new HeldArguments(custom),
      isNamedAgain: false,
    }
    this.#callIds.add(open.id)
    this.#calls.set(wireIndex, open)
    this.#unfinished.push(open)
    chunks.push({ type: 'tool-call-start', index, id: open.id, name, ...(custom && { custom }) })
    return open
  }

  /** What comes whole, and behind the text. */
  #finishContent(chunks: ChatChunk[]): void {
    this.#finishCalls(chunks)
    for (const part of readRecording(this.#audio)) this.#addMedia(part, chunks)
    if (this.#citations.length > 0) chunks.push({ type: 'citations', citations: this.#citations })
    this.#audio = []
    this.#citations = []
  }

  #finishCalls(chunks: ChatChunk[]): void {
    for (const { index, id, name, custom, signature, arguments: held } of this.#unfinished) {
      chunks.push({
        type: 'tool-call',
        index,
        id,
        name,
        arguments: held.whole(),
        ...(custom && { custom }),
        ...(signature !== undefined && { signature }),
      })
    }
    this.#unfinished = []
  }

  /** `[DONE]` without a finish reason closes an answer of a server that never gives one, but not a stream of nothing. */
  #done(): readonly ChatChunk[] {
    const chunks: ChatChunk[] = []
    if (this.#finish === undefined) {
      if (!this.#hasContent && !this.#started) return NOTHING
      this.#finishContent(chunks)
      this.#finish = finishReasonOf(undefined, { hasCalls: this.#callCount > 0, refused: this.#refusal !== '' })
      const blocked = this.#finish === 'content_filter' ? readChatBlock(this.#refusal, {}, undefined) : undefined
      chunks.push({ type: 'finish', finishReason: this.#finish, ...(blocked !== undefined && { blocked }) })
    }
    return this.#close(chunks)
  }

  #close(chunks: ChatChunk[]): readonly ChatChunk[] {
    this.#closed = true
    this.#finishCalls(chunks)
    for (const [index, reader] of this.#others) {
      const rest = reader.#done().filter(({ type }) => type !== 'end')
      chunks.push(...rest.map((chunk): ChatChunk => ({ type: 'other', index, chunk })))
    }
    chunks.push({ type: 'end' })
    return chunks
  }

  #fail(error: Extract<ChatChunk, { type: 'error' }>): readonly ChatChunk[] {
    this.#closed = true
    return [error]
  }
}

/** To the text that came with them, from `before` on. */
function addLogprobs(logprobs: readonly TokenLogprob[], chunks: ChatChunk[], before: number): void {
  const at = chunks.findLastIndex(({ type }) => type === 'text-delta')
  const text = at < before ? undefined : chunks[at]
  if (text?.type === 'text-delta') chunks[at] = { ...text, logprobs }
  else chunks.push({ type: 'text-delta', text: '', logprobs })
}

function contentOf(body: unknown): unknown {
  return asRecord(asRecord(asArray(asRecord(body)?.['choices'])?.[0])?.['delta'])?.['content']
}

/**
 * The name of the call that a delta begins although there is one with its index; undefined when it continues that one.
 * Servers that give every call the index 0 mark a new call by a new id together with a name, or, without ids, by a name
 * behind arguments that are already whole: https://github.com/LibreChat-AI/agents/pull/260 (read 2026-11-29).
 */
function nameOfAnother(known: OpenToolCall, name: string | undefined, id: string | undefined, text: string) {
  if (id) return id === known.id ? undefined : name
  if (known.custom || !(name || known.isNamedAgain) || !known.arguments.isWholeObject) return undefined
  const addsNothing = text.trim() === ''
  // The same name alone may be said with every piece; what comes behind it tells.
  if (name === known.name && addsNothing) known.isNamedAgain = true
  return addsNothing && (!name || name === known.name) ? undefined : name || known.name
}
