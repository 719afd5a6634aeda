/** A streamed answer for the library's callers: an async iterable with the result at its end. */

import { failureWithoutAnswer } from '../domain/attempt.ts'
import type { ChatChunk } from '../domain/chat.ts'
import { AbortedError, AllTargetsFailedError } from '../domain/errors.ts'
import type { Answered } from '../engine/cascade.ts'
import type { CallEnd } from '../upstream/call.ts'
import type { CallStream, StreamEvent } from './callStream.ts'
import { mediaOutput } from './mediaOutput.ts'

interface Begun<Result> {
  readonly answered: Answered
  readonly finish: (end: CallEnd) => Promise<Result>
  readonly cancel: () => void
}

/** Events waiting for a slow reader before the upstream is paused. */
const HIGH_WATER = 64
/** Once the manager closes, a reader that takes nothing for this long has left. */
const UNREAD_MS = 1000

/** Starts at once, even without iteration: `result` alone can be used. */
export function streamOf<Result>(begin: (stream: Closing) => Promise<Begun<Result>>): CallStream<Result> {
  return new LibraryStream(begin)
}

/** What a manager that closes does with a stream. */
export interface Closing {
  /** Cancels it if it is no longer read. */
  cancelUnread(): void
}

class LibraryStream<Result> implements CallStream<Result>, Closing {
  readonly result: Promise<Result>
  readonly #queue: StreamEvent[] = []
  #ended = false
  #error: unknown = null
  #cancel: () => void = () => {}
  #resume: () => void = () => {}
  #left = false
  #iterated = false
  #taken = 0
  /** Looks, while the manager closes, whether the reader still reads. */
  #unread: NodeJS.Timeout | undefined
  #wake: () => void = () => {}

  constructor(begin: (stream: Closing) => Promise<Begun<Result>>) {
    this.result = this.#run(begin)
    // Iteration throws the error as well; an ignored `result` must not end the process.
    this.result.catch(() => {})
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamEvent> {
    this.#iterated = true
    try {
      for (;;) {
        const event = this.#queue.shift()
        if (event !== undefined) {
          this.#taken++
          if (this.#queue.length === HIGH_WATER / 2) this.#resume()
          yield event
        } else if (this.#ended) break
        else await new Promise<void>((resolve) => (this.#wake = resolve))
      }
      if (this.#error !== null) throw this.#error
    } finally {
      this.#left = true
      if (!this.#ended) this.#cancel()
    }
  }

  cancelUnread(): void {
    // Without a reader its `result` is awaited.
    if (!this.#iterated) return
    const taken = this.#taken
    this.#unread = setTimeout(() => {
      if (!this.#ended && this.#taken === taken && this.#queue.length >= HIGH_WATER / 2) this.#cancel()
    }, UNREAD_MS)
    this.#unread.unref()
  }

  async #run(begin: (stream: Closing) => Promise<Begun<Result>>): Promise<Result> {
    try {
      const { answered, finish, cancel } = await begin(this)
      this.#cancel = cancel
      this.#resume = () => answered.call.resume()
      if (this.#left) cancel()
      const end = await this.#pump(answered)
      const failure = failureWithoutAnswer(end.outcome)
      if (failure !== null) {
        const report = await answered.recorded
        if (failure.kind === 'client_gone') throw new AbortedError({ attempts: answered.trail.attempts })
        throw new AllTargetsFailedError(`the answer of ${report.target} broke off: ${failure.message}`, {
          attempts: answered.trail.attempts,
          retryAt: null,
        })
      }
      const result = await finish(end)
      // Only now: an answer that broke off after its finish reason never ends like a complete one.
      this.#queue.push({ type: 'end', finishReason: end.partial?.finishReason ?? 'other' })
      this.#finish(null)
      return result
    } catch (error) {
      this.#finish(error)
      throw error
    }
  }

  #pump(answered: Answered): Promise<CallEnd> {
    return new Promise((resolve) => {
      answered.call.attach({
        onChunks: (chunks) => {
          for (const chunk of chunks) this.#take(chunk)
          this.#wake()
          // Without a reader (only `result` is awaited) nothing waits.
          return !this.#iterated || this.#queue.length < HIGH_WATER
        },
        onEnd: resolve,
      })
    })
  }

  #take(chunk: ChatChunk): void {
    const event = eventOf(chunk)
    if (event !== null) this.#queue.push(event)
  }

  #finish(error: unknown): void {
    this.#error = error
    this.#ended = true
    clearTimeout(this.#unread)
    this.#wake()
  }
}

function eventOf(chunk: ChatChunk): StreamEvent | null {
  switch (chunk.type) {
    case 'text-delta':
      return chunk.text === '' ? null : { type: 'text-delta', text: chunk.text }
    case 'reasoning-delta':
      return chunk.text === '' ? null : { type: 'reasoning-delta', text: chunk.text }
    case 'tool-call':
      return { type: 'tool-call', id: chunk.id, name: chunk.name, arguments: chunk.arguments }
    case 'media':
      return { type: 'media', media: mediaOutput(chunk.part) }
    case 'usage':
      return { type: 'usage', usage: chunk.usage }
    default:
      return null
  }
}
