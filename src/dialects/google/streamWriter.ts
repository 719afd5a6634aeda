/**
 * A streamed answer to a Gemini client: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
 */

import type { ChatChunk, Part, Usage } from '../../domain/chat.ts'
import type { AnswerFacts, ClientError, StreamWriter } from '../dialect.ts'
import { writeAnswer, writeEnd } from './answer.ts'
import { writeGoogleAnswer } from './content.ts'
import { writeGoogleError } from './error.ts'
import { writeGoogleUsage } from './usage.ts'

/** Calls are written whole, when they are complete. Finish and usage wait for the end: there is no other end to see. */
export class GoogleStreamWriter implements StreamWriter {
  readonly #asArray: boolean
  #id: string | undefined
  #model: string | undefined
  #usage: Usage | undefined
  #finish: Extract<ChatChunk, { type: 'finish' }> | undefined
  #begun = false
  #over = false

  /** `asArray`: the client asked without `alt=sse` and gets one JSON array instead of events. */
  constructor(asArray: boolean, facts: AnswerFacts = {}) {
    this.#asArray = asArray
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
        return this.#part({ type: 'text', text: chunk.text })
      case 'reasoning-delta':
        return this.#part({ ...chunk, type: 'reasoning' })
      case 'tool-call':
        return this.#part(chunk)
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
    return this.#piece(writeGoogleError(error)) + this.#close()
  }

  #part(part: Part): string {
    const wire = writeGoogleAnswer(part)
    return wire === undefined ? '' : this.#piece(writeAnswer([wire], undefined, this.#model, this.#id))
  }

  #end(): string {
    this.#over = true
    const finish = this.#finish ?? { finishReason: 'other' }
    const parts = finish.finishReason === 'content_filter' ? [] : [{ text: '' }]
    const last = writeEnd(parts, finish, this.#model, this.#id)
    if (this.#usage) last['usageMetadata'] = writeGoogleUsage(this.#usage)
    return this.#piece(last) + this.#close()
  }

  #piece(body: Record<string, unknown>): string {
    const json = JSON.stringify(body)
    if (!this.#asArray) return `data: ${json}\n\n`
    const before = this.#begun ? ',\n' : '['
    this.#begun = true
    return before + json
  }

  #close(): string {
    return this.#asArray ? ']' : ''
  }
}
