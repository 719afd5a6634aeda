/**
 * An upstream's streamed answer: complete GenerateContentResponse objects, each with the next parts, and no end but the
 * connection's.
 */

import type { Blocked, ChatChunk, ChunkOf } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'
import type { StreamReader } from '../dialect.ts'
import type { Fields } from '../fields/requestFields.ts'
import { beginsObject } from '../fields/toolArguments.ts'
import { modelOf, responseIdOf } from './answer.ts'
import { readCode } from './answerParts.ts'
import { callIdInAnswer } from './callIds.ts'
import { isBare, readGoogleSignature, readMedia } from './content.ts'
import { errorIn, googleErrorStatus } from './error.ts'
import { field } from './field.ts'
import { readCandidateBlock, readFinishReason, readPromptBlock } from './finishReason.ts'
import { readGrounding } from './grounding.ts'
import { readLogprobsResult } from './logprobs.ts'
import { PartialArguments } from './partialArguments.ts'
import { ServerToolUses } from './serverTools.ts'
import { readGoogleTier, readGoogleUsage } from './usage.ts'

interface OpenFunctionCall {
  readonly index: number
  readonly id: string
  readonly name: string
  readonly signature: string | undefined
  readonly arguments: PartialArguments
}

const NONE: readonly ChatChunk[] = []

export class GoogleStreamReader implements StreamReader {
  #out: ChatChunk[] = []
  #responseId: string | undefined
  #started = false
  #calls = 0
  #openCall: OpenFunctionCall | undefined
  #answered = false
  /** What was said so far, in which sources have their places; null once other text is among it. */
  #said: string | null = ''
  /** As the wire said it last; older models say STOP in every piece, so it counts only when the input has ended. */
  #finishReason: string | undefined
  /** The candidate that said so. */
  #last: Fields | undefined
  /** The last candidate that named its sources. */
  #grounded: Fields | undefined
  #promptBlock: Blocked | undefined
  readonly #toolUses = new ServerToolUses()
  /** The counts that came last. */
  #metadata: unknown
  /** Whether they were passed on with all searches. */
  #usesAreTold = true
  /** Older models say in every piece that it is the last. */
  #garbageAfterFinish: string | undefined
  /** After an error or the end nothing counts. */
  #over = false
  /** Further answers, by their index: each is read like the first. */
  readonly #others = new Map<number, GoogleStreamReader>()

  push(_event: string, data: string, incomplete = false): readonly ChatChunk[] {
    if (this.#over) return NONE
    this.#out = []
    this.#read(parse(data), data, incomplete)
    return this.#out
  }

  end(): readonly ChatChunk[] {
    if (this.#over || (this.#finishReason === undefined && this.#promptBlock === undefined)) return NONE
    for (const reader of this.#others.values()) if (reader.#finishReason === undefined) return NONE
    this.#out = []
    this.#closeCall()
    this.#over = true
    const citations = readGrounding(this.#grounded, this.#said)
    if (citations.length > 0) this.#out.push({ type: 'citations', citations })
    for (const [index, reader] of this.#others) this.#pass(index, reader.end())
    // Sources may come behind the last count.
    if (!this.#usesAreTold) this.#usage(this.#metadata)
    this.#out.push(this.#finish(), { type: 'end' })
    return this.#out
  }

  #read(body: unknown, data: string, incomplete: boolean): void {
    const error = errorIn(body)
    const fields = asRecord(body)
    if (error) this.#fail(error, googleErrorStatus(error))
    else if (fields) this.#piece(fields)
    else if (!incomplete) this.#garbage(data)
  }

  /** What follows the finish can no longer spoil the answer, unless the answer goes on behind it. */
  #garbage(data: string): void {
    if (this.#finishReason === undefined) this.#fail(data, undefined)
    else this.#garbageAfterFinish ??= data
  }

  #piece(fields: Fields): void {
    this.#start(fields)
    const { first: candidate, others } = candidatesOf(fields)
    if (this.#garbageAfterFinish !== undefined && candidate?.['content'] != null)
      return this.#fail(this.#garbageAfterFinish, undefined)
    if (candidate) this.#candidate(candidate)
    for (const [index, other] of others) {
      this.#further(index, other)
      this.#toolUses.add(other)
    }
    this.#promptBlock = readPromptBlock(fields) ?? this.#promptBlock
    const metadata = field(fields, 'usageMetadata', 'usage_metadata')
    this.#metadata = metadata ?? this.#metadata
    this.#usage(metadata)
  }

  #usage(metadata: unknown): void {
    const usage = readGoogleUsage(metadata, this.#toolUses.counts)
    if (usage === undefined) return this.#tier(readGoogleTier(metadata))
    this.#usesAreTold = true
    this.#out.push({ type: 'usage', usage })
  }

  #tier(serviceTier: string | undefined): void {
    if (serviceTier !== undefined) this.#out.push({ type: 'start', serviceTier })
  }

  #further(index: number, candidate: Fields): void {
    const known = this.#others.get(index)
    const reader = known ?? new GoogleStreamReader()
    reader.#responseId = `${this.#responseId ?? ''}_${index}`
    this.#others.set(index, reader)
    this.#answered = true
    reader.#out = []
    reader.#candidate(candidate)
    this.#pass(index, reader.#out)
  }

  #pass(index: number, chunks: readonly ChatChunk[]): void {
    for (const chunk of chunks) if (chunk.type !== 'end') this.#out.push({ type: 'other', index, chunk })
  }

  #start(fields: Fields): void {
    if (this.#started) return
    this.#started = true
    this.#responseId = responseIdOf(fields)
    this.#out.push({ type: 'start', id: this.#responseId, model: modelOf(fields) })
  }

  #candidate(candidate: Fields): void {
    for (const raw of asArray(asRecord(candidate['content'])?.['parts']) ?? []) {
      const part = asRecord(raw)
      if (part) this.#part(part)
    }
    const logprobs = readLogprobsResult(candidate)
    if (logprobs !== undefined) this.#out.push({ type: 'text-delta', text: '', logprobs })
    if (field(candidate, 'groundingMetadata', 'grounding_metadata') != null) this.#ground(candidate)
    const reason = asString(field(candidate, 'finishReason', 'finish_reason'))
    if (reason === undefined) return
    this.#finishReason = reason
    this.#last = candidate
  }

  #ground(candidate: Fields): void {
    this.#grounded = candidate
    this.#toolUses.add(candidate)
    this.#usesAreTold = false
  }

  #part(part: Fields): void {
    const call = asRecord(field(part, 'functionCall', 'function_call'))
    const signature = readGoogleSignature(part)
    const text = asString(part['text']) ?? ''
    if (call) this.#call(call, signature)
    else if (part['thought'] === true) this.#thought(text, signature)
    else {
      if (text !== '') this.#text(text)
      else if (part['text'] == null && !isBare(part)) this.#other(part)
      this.#thought('', signature)
    }
  }

  /** A signature beside text or nothing is an empty thought: see `readParts`. */
  #thought(text: string, signature: string | undefined): void {
    if (text !== '' || signature !== undefined) this.#out.push({ type: 'reasoning-delta', text, signature })
  }

  /** Pictures, recordings, code that ran; what we have no word for is part of an answer all the same. */
  #other(part: Fields): void {
    const media = readMedia(part)
    const code = readCode(part)
    if (media === undefined) this.#opaque()
    else this.#out.push({ type: 'media', part: media })
    if (code !== undefined) this.#out.push({ type: 'text-delta', text: code.text, extra: code.extra })
    if (code !== undefined) this.#said = null
    this.#answered = true
  }

  #opaque(): void {
    this.#answered = true
    this.#out.push({ type: 'opaque' })
  }

  #text(text: string): void {
    this.#answered = true
    if (this.#said !== null) this.#said += text
    this.#out.push({ type: 'text-delta', text })
  }

  /** Whole in one piece, or (Vertex) a name, then pieces of arguments, then an empty call that closes it. */
  #call(call: Fields, signature: string | undefined): void {
    const name = asString(call['name'])
    if (name) {
      this.#closeCall()
      this.#startCall(name, call, signature)
    }
    this.#openCall?.arguments.add(field(call, 'partialArgs', 'partial_args'))
    if (field(call, 'willContinue', 'will_continue') !== true) this.#closeCall()
  }

  #startCall(name: string, call: Fields, signature: string | undefined): void {
    this.#answered = true
    const index = this.#calls++
    const id = asString(call['id']) || callIdInAnswer(this.#responseId, index, name)
    this.#openCall = { index, id, name, signature, arguments: new PartialArguments(call['args']) }
    this.#out.push({ type: 'tool-call-start', index, id, name, signature })
  }

  #closeCall(): void {
    const call = this.#openCall
    if (!call) return
    this.#openCall = undefined
    const { index, id, name, signature } = call
    const text = call.arguments.text()
    if (beginsObject(text)) this.#out.push({ type: 'tool-call-delta', index, arguments: text })
    this.#out.push({ type: 'tool-call', index, id, name, arguments: text, signature })
  }

  #finish(): ChunkOf<'finish'> {
    const reason = this.#finishReason
    if (this.#promptBlock !== undefined && (!this.#answered || reason === undefined))
      return { type: 'finish', finishReason: 'content_filter', blocked: this.#promptBlock }
    const finishReason = readFinishReason(reason, this.#calls > 0)
    if (finishReason !== 'content_filter') return { type: 'finish', finishReason }
    return { type: 'finish', finishReason, blocked: readCandidateBlock(reason ?? '', this.#last) }
  }

  #fail(body: unknown, status: number | undefined): void {
    this.#over = true
    this.#out.push({ type: 'error', body, status })
  }
}

/** By their own index where they have one; the first is 0. */
function candidatesOf(fields: Fields): {
  readonly first?: Fields
  readonly others: readonly (readonly [number, Fields])[]
} {
  const all = (asArray(fields['candidates']) ?? []).flatMap((value, place): (readonly [number, Fields])[] => {
    const candidate = asRecord(value)
    return candidate === undefined ? [] : [[asNumber(candidate['index']) ?? place, candidate]]
  })
  const first = all.find(([index]) => index === 0)?.[1]
  return { ...(first !== undefined && { first }), others: all.filter(([index]) => index > 0) }
}

function parse(data: string): unknown {
  try {
    return parseJson(data)
  } catch {
    return undefined // not JSON: reported as an error of the upstream
  }
}
