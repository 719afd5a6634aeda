/**
 * Passes an upstream's events through byte for byte, but only complete ones: what keywise appends starts a new event.
 */

import { ByteBuffer } from '../../domain/byteBuffer.ts'
import type { UsageFilter } from './usageFilter.ts'

const EMPTY = Buffer.alloc(0)
/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
const EVENT_ENDS = ['\n\n', '\r\n\r\n', '\r\r']
const LONGEST_END = 4
const END = Buffer.from('\n\n')

export class EventAligner {
  readonly #filter: UsageFilter | null
  /** The event that has not ended. */
  readonly #rest = new ByteBuffer()

  /** `filter`: for what keywise requested and the client did not. */
  constructor(filter: UsageFilter | null) {
    this.#filter = filter
  }

  /** The events completed by these bytes. */
  push(bytes: Buffer): Buffer {
    const whole = this.#rest.length === 0 ? this.#first(bytes) : this.#further(bytes)
    return this.#filter === null ? whole : this.#filter.pass(whole)
  }

  #first(bytes: Buffer): Buffer {
    const end = endOfEvents(bytes)
    if (end === bytes.length) return bytes
    this.#rest.append(bytes.subarray(end))
    return bytes.subarray(0, end)
  }

  #further(bytes: Buffer): Buffer {
    // What came before holds no end, but may hold the beginning of one.
    const from = Math.max(0, this.#rest.length - LONGEST_END + 1)
    this.#rest.append(bytes)
    const all = this.#rest.view()
    const found = endOfEvents(all.subarray(from))
    if (found === 0) return EMPTY
    const end = from + found
    this.#rest.clear()
    if (end < all.length) this.#rest.append(all.subarray(end))
    return all.subarray(0, end)
  }

  /** Terminates an event the upstream left open: only for an answer that was complete without it. */
  end(): Buffer {
    if (this.#rest.length > 0) this.#rest.append(END)
    const last = this.#rest.take()
    return this.#filter === null ? last : Buffer.concat([this.#filter.pass(last), this.#filter.end()])
  }
}

function endOfEvents(bytes: Buffer): number {
  const last = bytes.length - 1
  // Nearly every chunk of a stream ends with an event; then there is nothing to search.
  if (bytes[last] === 0x0a && bytes[last - 1] === 0x0a) return bytes.length
  let end = 0
  for (const mark of EVENT_ENDS) {
    const at = bytes.lastIndexOf(mark)
    if (at >= 0) end = Math.max(end, at + mark.length)
  }
  return end
}
