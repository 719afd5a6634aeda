/**
 * A streamed answer to a Gemini client: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */

import type { ChatChunk, ChunkOf, Citation, TokenLogprob, Usage } from '../../domain/chat.ts'
import type { AnswerFacts, ClientError, StreamWriter } from '../dialect.ts'
import { UNSPEAKABLE } from '../fields/media.ts'
import { ground, weigh, writeAnswer, writeEnd } from './answer.ts'
import { type AnswerPart, writeAnswerPart } from './answerParts.ts'
import type { WirePart } from './content.ts'
import { writeGoogleError } from './error.ts'
import { writeGoogleUsage } from './usage.ts'

/**
 * Calls are written whole, when they are complete. Finish and usage wait for the end: there is no other end to see.
 *
 * The last piece has to hold a part. The official Python client sends an empty text back as a turn of its own (behind a
 * call, in automatic function calling), and takes a turn whose last piece has no part for invalid, so that its chats
 * forget it: https://github.com/googleapis/python-genai/blob/main/google/genai/chats.py (`_validate_response`), read
 * 2026-11-29. So the last part waits for the end, and of a text its last character does.
 */
export class GoogleStreamWriter implements StreamWriter {
  readonly #asArray: boolean
  readonly #facts: AnswerFacts
  /** Which of several answers it writes. */
  readonly #index: number
  /** The writer of the first answer, for the others. */
  readonly #first: GoogleStreamWriter
  readonly #others = new Map<number, GoogleStreamWriter>()
  #id: string | undefined
  #model: string | undefined
  #usage: Usage | undefined
  #finish: Extract<ChatChunk, { type: 'finish' }> | undefined
  readonly #citations: Citation[] = []
  /** What was said, in which the citations have their places. */
  #said = ''
  /** The part that is not yet written. */
  #waiting: WirePart | undefined
  /** Of the tokens that were said since the last piece. */
  #logprobs: TokenLogprob[] = []
  #hasAnswered = false
  #hasMore = false
  #begun = false
  #over = false

  /** `asArray`: the client asked without `alt=sse` and gets one JSON array instead of events. */
  constructor(asArray: boolean, facts: AnswerFacts = {}, first?: GoogleStreamWriter, index = 0) {
    this.#asArray = asArray
    this.#facts = facts
    this.#first = first ?? this
    this.#index = index
    this.#id = facts.id
  }

  write(chunk: ChatChunk): string {
    if (this.#over) return ''
    switch (chunk.type) {
      case 'start':
        this.#id = chunk.id ?? this.#id
        this.#model = chunk.model
        return ''
      case 'text-delta':
        return this.#text(chunk)
      case 'other':
        return this.#other(chunk)
      case 'reasoning-delta':
        return this.#part({ ...chunk, type: 'reasoning' })
      case 'tool-call':
        return this.#part(chunk)
      case 'media':
        return this.#part(chunk.part)
      case 'citations':
        for (const citation of chunk.citations) this.#citations.push(citation)
        return ''
      case 'opaque':
        this.#hasMore = true
        return ''
      case 'usage':
        this.#usage = chunk.usage
        return ''
      case 'finish':
        this.#finish = chunk
        return ''
      case 'end':
        return this.#end()
      default:
        return '' // pieces of calls; errors are said by `fail`, with what the client may know of them
    }
  }

  fail(error: ClientError): string {
    if (this.#over) return ''
    this.#over = true
    const rest = this.#waiting === undefined ? '' : this.#parts([this.#waiting])
    return rest + this.#piece(writeGoogleError(error)) + this.#close()
  }

  #text({ logprobs = [], ...chunk }: ChunkOf<'text-delta'>): string {
    for (const token of logprobs) this.#logprobs.push(token)
    if (chunk.text === '' && chunk.extra === undefined) return ''
    this.#said += chunk.text
    return this.#part({ ...chunk, type: 'text' })
  }

  /** A further answer has pieces of its own. */
  #other({ index, chunk }: ChunkOf<'other'>): string {
    const writer = this.#others.get(index) ?? new GoogleStreamWriter(this.#asArray, this.#facts, this, index)
    writer.#id = this.#id
    writer.#model = this.#model
    this.#others.set(index, writer)
    return chunk.type === 'end' || chunk.type === 'usage' ? '' : writer.write(chunk)
  }

  #part(part: AnswerPart): string {
    const wire = writeAnswerPart(part)
    if (wire === undefined) return ''
    this.#hasAnswered ||= part.type !== 'reasoning'
    const before = this.#waiting
    const now = before !== undefined && continues(before, wire) ? { ...wire, text: before.text + wire.text } : wire
    const [said, waiting] = isPlain(now) ? splitLast(now) : [undefined, now]
    this.#waiting = waiting
    const parts = [before !== undefined && now === wire ? before : undefined, said].filter((one) => one !== undefined)
    return parts.length === 0 ? '' : this.#parts(parts)
  }

  #parts(parts: readonly WirePart[]): string {
    return this.#piece(this.#weighed(writeAnswer(parts, undefined, this.#model, this.#id, this.#index)))
  }

  /** With the probabilities that have come since the last piece. */
  #weighed(body: Record<string, unknown>): Record<string, unknown> {
    weigh(body, this.#logprobs)
    this.#logprobs = []
    return body
  }

  #end(): string {
    this.#over = true
    const others = [...this.#others.values()].map((writer) => writer.#end()).join('')
    const finish = this.#finish ?? { finishReason: 'other' }
    const isUnspeakable = this.#hasMore && !this.#hasAnswered && finish.finishReason !== 'content_filter'
    const parts = [...(this.#waiting === undefined ? [] : [this.#waiting]), ...(isUnspeakable ? [SORRY] : [])]
    const last = this.#weighed(writeEnd(parts, finish, this.#model, this.#id, this.#index))
    ground(last, this.#citations, () => this.#said)
    if (this.#usage) last['usageMetadata'] = writeGoogleUsage(this.#usage)
    return others + this.#piece(last) + (this.#first === this ? this.#close() : '')
  }

  #piece(body: Record<string, unknown>): string {
    const json = JSON.stringify(body)
    if (!this.#asArray) return `data: ${json}\n\n`
    const before = this.#first.#begun ? ',\n' : '['
    this.#first.#begun = true
    return before + json
  }

  #close(): string {
    return this.#asArray ? ']' : ''
  }
}

const SORRY: WirePart = { text: UNSPEAKABLE }

type PlainPart = WirePart & { readonly text: string }

/** Text or thoughts and nothing besides. */
function isPlain(part: WirePart): part is PlainPart {
  const { text, thought, ...more } = part
  return typeof text === 'string' && text !== '' && Object.keys(more).length === 0
}

function continues(before: WirePart, part: WirePart): before is PlainPart {
  return isPlain(before) && isPlain(part) && before['thought'] === part['thought']
}

/** All but the last character, where there is more than one, and that. */
function splitLast(part: PlainPart): readonly [PlainPart | undefined, PlainPart] {
  const { text } = part
  const isPair = /[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text)
  const end = text.length - (isPair ? 2 : 1)
  const waiting = { ...part, text: text.slice(end) }
  return end === 0 ? [undefined, waiting] : [{ ...part, text: text.slice(0, end) }, waiting]
}
