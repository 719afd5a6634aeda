/**
 * Passes an upstream's events through byte for byte, but only complete ones: what keywise appends starts a new event.
 */

import type { UsageFilter } from './usageFilter.ts'

const EMPTY = Buffer.alloc(0)
/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
const EVENT_ENDS = ['\n\n', '\r\n\r\n', '\r\r']

export class EventAligner {
  readonly #filter: UsageFilter | null
  #rest = EMPTY

  /** `filter`: for what keywise requested and the client did not. */
  constructor(filter: UsageFilter | null) {
    this.#filter = filter
  }

  /** The events completed by these bytes. */
  push(bytes: Buffer): Buffer {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const end = endOfEvents(all)
    // Copied, because the socket may reuse its buffer.
    this.#rest = end === all.length ? EMPTY : Buffer.from(all.subarray(end))
    const whole = end === all.length ? all : all.subarray(0, end)
    return this.#filter === null ? whole : this.#filter.pass(whole)
  }

  /** Terminates an event the upstream left open: only for an answer that was complete without it. */
  end(): Buffer {
    const rest = this.#rest
    this.#rest = EMPTY
    const last = rest.length === 0 ? rest : Buffer.concat([rest, Buffer.from('\n\n')])
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
