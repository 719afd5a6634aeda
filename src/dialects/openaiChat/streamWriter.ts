/** Writes a streamed answer as the stream of a chat completion. */

import type { ChatChunk, ChatRequest, ChunkOf, MediaPart, Usage } from '../../domain/chat.ts'
import type { AnswerFacts, ClientError, StreamWriter } from '../dialect.ts'
import { blockedText } from '../fields/blocked.ts'
import { mediaText, UNSPEAKABLE } from '../fields/media.ts'
import type { Fields } from '../fields/requestFields.ts'
import { errorEnvelope, secondsOf } from '../openai/fields.ts'
import { writeLogprobs } from '../openai/logprobs.ts'
import { writeChatUsage, writeServiceTier } from '../openai/usage.ts'
import { sseText } from '../stream/sse.ts'
import { writeChatFinishReason } from './answer.ts'
import { isAudio, writeAnnotation, writeImage, writeRecording } from './answerMedia.ts'
import { signatureFields, writeDetail } from './message.ts'

interface BegunCall {
  readonly custom: boolean
  arguments: string
  signed: boolean
}

/** Nothing is written before the first content, so that another target may still take over. */
export class ChatStreamWriter implements StreamWriter {
  readonly #created: number
  readonly #wantsUsage: boolean
  readonly #usageInFinish: readonly string[] | undefined
  readonly #wholeCalls: boolean
  readonly #request: ChatRequest
  readonly #facts: AnswerFacts
  /** Which of several answers it writes. */
  readonly #index: number
  readonly #others = new Map<number, ChatStreamWriter>()
  #id: string
  #model: string
  /** The start of every chunk up to its choices, made once. */
  #head = ''
  #calls = new Map<number, BegunCall>()
  #hasAnswered = false
  /** There is something that has no words. */
  #hasMore = false
  #imageCount = 0
  #usage: Usage | undefined
  /** The choices of the last chunk, where it waits for the usage. */
  #waitingFinish = ''

  constructor(request: ChatRequest, facts: AnswerFacts = {}, index = 0) {
    this.#request = request
    this.#facts = facts
    this.#index = index
    this.#created = secondsOf(facts.now)
    this.#wantsUsage = request.wantsUsage === true
    this.#usageInFinish = this.#wantsUsage ? undefined : facts.usageInFinish
    this.#wholeCalls = facts.wholeCalls === true
    this.#id = facts.id ?? 'chatcmpl-0'
    this.#model = request.model
  }

  write(chunk: ChatChunk): string {
    switch (chunk.type) {
      case 'start':
        if (this.#head !== '') return ''
        this.#id = chunk.id ?? this.#id
        this.#model = chunk.model ?? this.#model
        return ''
      case 'text-delta':
        return this.#text(chunk)
      case 'reasoning-delta':
        return this.#reasoning(chunk)
      case 'tool-call-start':
        return this.#wholeCalls ? '' : this.#startCall(chunk, '')
      case 'tool-call-delta':
        return this.#arguments(chunk.index, chunk.arguments)
      case 'tool-call':
        return this.#finishCall(chunk)
      case 'media':
        return this.#media(chunk.part)
      case 'other':
        return this.#other(chunk)
      case 'citations':
        return this.#delta(`"annotations":${JSON.stringify(chunk.citations.map(writeAnnotation))}`)
      case 'usage':
        this.#usage = chunk.usage
        return ''
      case 'finish':
        return this.#finish(chunk)
      case 'end':
        return this.#end()
      case 'opaque':
        this.#hasMore = true
        return ''
      case 'error':
        return ''
    }
  }

  /**
   * Without `[DONE]` and without a finish reason: the official clients throw at an error object. Clients of OpenRouter and
   * Groq turn the code into a number (LiteLLM's `int(code)`), so that it is the status and our own word stands in
   * `metadata`, where OpenRouter has its: https://openrouter.ai/docs/api-reference/errors (read 2026-11-29). A chunk
   * around the error is for OpenRouter's own client; others would read the chunk and overlook the error.
   */
  fail(error: ClientError): string {
    // The one word of the vendor that clients act on.
    if (error.tooLong !== undefined && !error.numericCode) return sseText(JSON.stringify(errorEnvelope(error)))
    const said = errorEnvelope({ ...error, numericCode: true }).error
    if (error.numericCode !== true)
      return sseText(JSON.stringify({ error: { ...said, code: error.vendorCode ?? String(error.status) } }))
    if (this.#head === '') this.#head = this.#makeHead()
    return sseText(`${this.#head}[],"error":${JSON.stringify(said)}}`)
  }

  #text({ text, logprobs }: ChunkOf<'text-delta'>): string {
    if (logprobs === undefined) return text === '' ? '' : this.#content(text)
    if (text !== '') this.#hasAnswered = true
    const said = { content: writeLogprobs(logprobs), refusal: null }
    return this.#delta(`"content":${JSON.stringify(text)}`, `"logprobs":${JSON.stringify(said)},`)
  }

  /** A further answer has chunks of its own, under the same id. */
  #other({ index, chunk }: ChunkOf<'other'>): string {
    const known = this.#others.get(index)
    // Usage comes once, and not with the finish of one of several.
    const writer = known ?? new ChatStreamWriter(this.#request, { ...this.#facts, usageInFinish: undefined }, index)
    writer.#id = this.#id
    writer.#model = this.#model
    this.#others.set(index, writer)
    return chunk.type === 'end' || chunk.type === 'usage' ? '' : writer.write(chunk)
  }

  #content(text: string): string {
    this.#hasAnswered = true
    return this.#delta(`"content":${JSON.stringify(text)}`)
  }

  #media(part: MediaPart): string {
    this.#hasAnswered = true
    if (part.type === 'image') return this.#delta(`"images":[${JSON.stringify(writeImage(part, this.#imageCount++))}]`)
    if (!isAudio(part)) return this.#content(mediaText(part))
    return this.#delta(`"audio":${JSON.stringify(writeRecording(part.data, this.#id, this.#created))}`)
  }

  #reasoning(chunk: ChunkOf<'reasoning-delta'>): string {
    const { text, signature } = chunk
    const content = text === '' ? '' : `"reasoning_content":${JSON.stringify(text)}`
    if (signature === undefined) return content === '' ? '' : this.#delta(content)
    const details = `"reasoning_details":${JSON.stringify([writeDetail({ ...chunk, text: '' })])}`
    return this.#delta(content === '' ? details : `${content},${details}`)
  }

  #startCall(chunk: ChunkOf<'tool-call-start'> | ChunkOf<'tool-call'>, text: string): string {
    const custom = chunk.custom === true
    this.#calls.set(chunk.index, { custom, arguments: text, signed: chunk.signature !== undefined })
    const target = custom
      ? { type: 'custom', custom: { name: chunk.name, input: text } }
      : { type: 'function', function: { name: chunk.name, arguments: text } }
    return this.#call({ index: chunk.index, id: chunk.id, ...target, ...signatureFields(chunk.signature) })
  }

  #arguments(index: number, text: string): string {
    const call = this.#calls.get(index)
    if (call === undefined || text === '') return ''
    call.arguments += text
    return this.#call({ index, ...(call.custom ? { custom: { input: text } } : { function: { arguments: text } }) })
  }

  /** Writes what start and deltas did not: the whole call, all of its arguments, a signature that came late. */
  #finishCall(chunk: ChunkOf<'tool-call'>): string {
    const call = this.#calls.get(chunk.index)
    if (call === undefined) return this.#startCall(chunk, chunk.arguments)
    const rest = call.arguments === '' ? this.#arguments(chunk.index, chunk.arguments) : ''
    if (call.signed || chunk.signature === undefined) return rest
    call.signed = true
    return rest + this.#call({ index: chunk.index, function: {}, ...signatureFields(chunk.signature) })
  }

  #call(call: Fields): string {
    return this.#delta(`"tool_calls":[${JSON.stringify(call)}]`)
  }

  /** One delta; the first of all says the role. */
  #delta(fields: string, beside = ''): string {
    const role = this.#head === '' ? '"role":"assistant",' : ''
    return this.#chunk(`[{"index":${this.#index},"delta":{${role}${fields}},${beside}"finish_reason":null}]`)
  }

  #finish({ finishReason, blocked }: ChunkOf<'finish'>): string {
    const isSilent = !this.#hasAnswered && this.#calls.size === 0
    const isWithheld = isSilent && blocked !== undefined
    const words = isSilent && !isWithheld && this.#hasMore ? this.#content(UNSPEAKABLE) : ''
    const refusal = isWithheld ? this.#delta(`"refusal":${JSON.stringify(blockedText(blocked))}`) : ''
    const delta = this.#head === '' ? '{"role":"assistant","content":""}' : '{}'
    const choices = `[{"index":${this.#index},"delta":${delta},"finish_reason":"${writeChatFinishReason(finishReason)}"}]`
    if (this.#usageInFinish === undefined) return words + refusal + this.#chunk(choices)
    this.#waitingFinish = choices
    return words + refusal
  }

  #chunk(choices: string): string {
    if (this.#head === '') this.#head = this.#makeHead()
    return sseText(`${this.#head}${choices}${this.#wantsUsage ? ',"usage":null}' : '}'}`)
  }

  #finishWithUsage([first = '', ...rest]: readonly string[]): string {
    if (this.#waitingFinish === '') return ''
    if (this.#head === '') this.#head = this.#makeHead()
    if (this.#usage === undefined) return sseText(`${this.#head}${this.#waitingFinish}}`)
    const usage = rest.reduceRight<unknown>((value, name) => ({ [name]: value }), writeChatUsage(this.#usage))
    return sseText(`${this.#head}${this.#waitingFinish},${this.#tier()}"${first}":${JSON.stringify(usage)}}`)
  }

  /** The tier stands in the chunk of the usage, with which it is known. */
  #tier(): string {
    const fields = JSON.stringify(writeServiceTier(this.#usage)).slice(1, -1)
    return fields === '' ? '' : `${fields},`
  }

  #makeHead(): string {
    const head = { id: this.#id, object: 'chat.completion.chunk', created: this.#created, model: this.#model }
    return `${JSON.stringify(head).slice(0, -1)},"choices":`
  }

  #end(): string {
    if (this.#usageInFinish !== undefined) return this.#finishWithUsage(this.#usageInFinish) + sseText('[DONE]')
    if (!this.#wantsUsage || this.#usage === undefined) return sseText('[DONE]')
    if (this.#head === '') this.#head = this.#makeHead()
    const usage = JSON.stringify(writeChatUsage(this.#usage))
    return sseText(`${this.#head}[],${this.#tier()}"usage":${usage}}`) + sseText('[DONE]')
  }
}
