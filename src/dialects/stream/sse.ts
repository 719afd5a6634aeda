/**
 * Server-sent events, cut out of the bytes of a body: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

import { ByteBuffer } from '../../domain/byteBuffer.ts'

export interface SseEvent {
  /** '' when the event has no name. */
  readonly event: string
  readonly data: string
  readonly id?: string
  /** True when the body ended before the blank line that closes an event; the data may be cut off. */
  readonly incomplete?: true
}

/** Most UTF-8 bytes of an unfinished line plus characters of an unfinished event that are kept. */
export const MAX_EVENT_SIZE = 4 * 1024 * 1024

/** An upstream sends an event that never ends, or one too large to be an answer. */
export class SseEventTooLargeError extends Error {
  readonly limit = MAX_EVENT_SIZE

  constructor() {
    super(`an event of the stream is larger than ${MAX_EVENT_SIZE} bytes`)
    this.name = 'SseEventTooLargeError'
  }
}

/** Lines of data that are joined at a time. */
const LINES_AT_ONCE = 1024
const LINE_END = /\r\n|\n|\r/
const LF = 10
const CR = 13
const NO_EVENTS: readonly SseEvent[] = []

/**
 * Turns chunks of bytes, cut anywhere, into events. Only whole lines are decoded, and a line end is never inside a
 * character, so a character cut between two chunks needs no care.
 */
export class SseReader {
  /** The line that has not ended. */
  readonly #line = new ByteBuffer(MAX_EVENT_SIZE)
  #atStart = true
  #afterCr = false
  #data: string | undefined
  /** Further lines of the data: a text that grows by single characters would take memory for each. */
  #more: string[] = []
  #moreLength = 0
  #event = ''
  #id: string | undefined
  #comments = 0

  /** Comment lines seen so far; upstreams send them to say that they are alive. */
  get comments(): number {
    return this.#comments
  }

  /** Whether the next byte begins a new event. */
  get isBetweenEvents(): boolean {
    return (
      !this.#atStart &&
      !this.#afterCr &&
      this.#line.length === 0 &&
      this.#data === undefined &&
      this.#event === '' &&
      this.#id === undefined
    )
  }

  /** The events completed by these bytes. Throws SseEventTooLargeError beyond MAX_EVENT_SIZE. */
  push(bytes: Uint8Array): readonly SseEvent[] {
    let from = 0
    if (this.#afterCr && bytes.length > 0) {
      this.#afterCr = false
      if (bytes[0] === LF) from = 1
    }
    const end = lastLineEnd(bytes) + 1
    if (end <= from) {
      this.#keep(bytes, from)
      return NO_EVENTS
    }
    const text = this.#take(bytes, from, end)
    this.#afterCr = end === bytes.length && bytes[end - 1] === CR
    this.#keep(bytes, end)
    return this.#readLines(text)
  }

  /** The body ended. The event that was not closed, if there is one with data, comes back marked `incomplete`. */
  end(): readonly SseEvent[] {
    const rest = this.#take(new Uint8Array(0), 0, 0)
    const events: SseEvent[] = []
    if (rest !== '') this.#readLine(rest, 0, rest.length, events)
    const last = this.#close()
    if (last !== undefined) events.push({ ...last, incomplete: true })
    return events
  }

  #keep(bytes: Uint8Array, from: number): void {
    if (from >= bytes.length) return
    if (this.#line.length + bytes.length - from > MAX_EVENT_SIZE) throw new SseEventTooLargeError()
    // A copy, because the caller may use its buffer again.
    this.#line.append(bytes.subarray(from))
    this.#checkSize()
  }

  /** Everything kept plus these bytes, as text. */
  #take(bytes: Uint8Array, from: number, end: number): string {
    let text: string
    if (this.#line.length === 0) text = decode(bytes, from, end)
    else {
      this.#line.append(bytes.subarray(from, end))
      text = this.#line.view().toString('utf8')
      this.#line.clear()
    }
    if (this.#atStart && text !== '') {
      this.#atStart = false
      if (text.charCodeAt(0) === 0xfeff) return text.slice(1)
    }
    return text
  }

  /** Whole lines: the text ends with a line end. */
  #readLines(text: string): readonly SseEvent[] {
    const events: SseEvent[] = []
    // One loop that searches for both kinds of line end was quadratic: compiled by V8 (13.6), it searched for the kind
    // that the text does not have again at every line, to the end of the text, whatever its condition said.
    if (text.includes('\r')) {
      for (const line of text.split(LINE_END).slice(0, -1)) this.#readLine(line, 0, line.length, events)
      return events
    }
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf('\n', start)
      this.#readLine(text, start, end, events)
      start = end + 1
    }
    return events
  }

  #readLine(text: string, start: number, end: number, events: SseEvent[]): void {
    if (start === end) {
      const event = this.#close()
      if (event !== undefined) events.push(event)
    } else if (text.startsWith('data:', start)) this.#addData(fieldValue(text, start + 5, end))
    else if (text.charCodeAt(start) === 58 /* : */) this.#comments += 1
    else this.#readField(text.slice(start, end))
  }

  #readField(line: string): void {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : fieldValue(line, colon + 1, line.length)
    if (name === 'event') this.#event = value
    else if (name === 'data') this.#addData(value)
    else if (name === 'id' && !value.includes('\0')) this.#id = value
  }

  #addData(value: string): void {
    if (this.#data === undefined) this.#data = value
    else {
      this.#more.push(value)
      this.#moreLength += value.length + 1
      if (this.#more.length === LINES_AT_ONCE) this.#join()
    }
    this.#checkSize()
  }

  /** The further lines as one piece of text. */
  #join(): void {
    if (this.#more.length === 0) return
    this.#data += `\n${this.#more.join('\n')}`
    this.#more = []
    this.#moreLength = 0
  }

  /** The event so far, if it has data; the next line begins a new one. */
  #close(): SseEvent | undefined {
    this.#join()
    const data = this.#data
    const event = this.#event
    const id = this.#id
    this.#data = undefined
    this.#event = ''
    this.#id = undefined
    if (data === undefined) return undefined
    return id === undefined ? { event, data } : { event, data, id }
  }

  #checkSize(): void {
    if (this.#line.length + (this.#data?.length ?? 0) + this.#moreLength > MAX_EVENT_SIZE)
      throw new SseEventTooLargeError()
  }
}

/** One event as bytes of a stream; `data` must be without line ends, which JSON text always is. */
export function sseText(data: string, event = ''): string {
  return event === '' ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`
}

function lastLineEnd(bytes: Uint8Array): number {
  const lf = bytes.lastIndexOf(LF)
  // Nearly every chunk ends with a line feed; then there is nothing behind it to search.
  return lf === bytes.length - 1 ? lf : Math.max(lf, bytes.lastIndexOf(CR))
}

function fieldValue(text: string, start: number, end: number): string {
  return text.slice(text.charCodeAt(start) === 32 && start < end ? start + 1 : start, end)
}

function decode(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('utf8')
}
