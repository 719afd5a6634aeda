/**
 * The end of a streamed answer, held until the row of its attempt is kept: a client that has read `[DONE]`,
 * `message_stop`, `response.completed` or Gemini's finish reason has an answer that no kill of keywise takes from the
 * ledger.
 */

import type { ChatChunk, DialectId } from '../../domain/chat.ts'

/** More than this is no end of an answer; it goes on, and only the end of the HTTP answer is held. */
const MOST_BYTES = 256 * 1024

const FINISH_REASON = Buffer.from('"finishReason"')

/** `likely`: another part may follow, which shows that it was not the end. */
type Ending = 'certain' | 'likely'

/**
 * Whether this part of a stream has its end; null for no. `bytes`: those that are passed on. Gemini's streams have no
 * last event, only a finish reason, which stands in each when there are several answers, or when the model is an old one.
 */
export function endingIn(chunks: readonly ChatChunk[], bytes: readonly Buffer[], dialect: DialectId): Ending | null {
  for (let place = chunks.length - 1; place >= 0; place--) if (chunks[place]?.type === 'end') return 'certain'
  // Inside a text the quotes are escaped.
  return dialect === 'google' && bytes.some((part) => part.includes(FINISH_REASON)) ? 'likely' : null
}

export class HeldEnding {
  readonly #ending: Ending
  readonly #write: (part: Buffer) => boolean
  #parts: Buffer[] = []
  #bytes = 0

  /** `write`: for what turns out to be no end. */
  constructor(ending: Ending, write: (part: Buffer) => boolean) {
    this.#ending = ending
    this.#write = write
  }

  /** Whether the client can take more. */
  hold(part: Buffer | string): boolean {
    const wantsMore = this.#ending === 'certain' || this.#bytes === 0 || this.#write(this.take())
    // Copied, because the socket may reuse its buffer.
    const bytes = Buffer.from(part as Buffer) // a string or a buffer, to the same function
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    return this.#bytes <= MOST_BYTES ? wantsMore : this.#write(this.take())
  }

  take(): Buffer {
    const [only, ...more] = this.#parts
    this.#parts = []
    this.#bytes = 0
    if (only === undefined) return Buffer.alloc(0)
    return more.length === 0 ? only : Buffer.concat([only, ...more])
  }
}

/** Whether an event of a stream that is no chat is its last one. */
const LAST_EVENT = /^data: ?(?:\[DONE\]|\{.*"type": ?"[a-z_.]+\.(?:done|completed)")/m

/** The same for the events of audio and pictures, which are not read. */
export const endsEvents = (events: Buffer): boolean => LAST_EVENT.test(events.toString('latin1'))
