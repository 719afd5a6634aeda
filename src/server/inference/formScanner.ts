/**
 * Reads the outline of a multipart form from its bytes as they come (https://www.rfc-editor.org/rfc/rfc7578): where each
 * field is, and what short ones say. It keeps no more of them than it needs to find the next boundary.
 */

import { ByteBuffer } from '../../domain/byteBuffer.ts'
import { InvalidRequestError } from '../../domain/errors.ts'

interface FormField {
  /** Of its value, in bytes from the beginning of the form. */
  readonly start: number
  readonly end: number
  /** Null when it is longer than any value that is read. */
  readonly text: string | null
}

export interface FormOutline {
  /** By name; of two with the same name the last one, as servers take it. */
  readonly fields: ReadonlyMap<string, FormField>
  /** Where the first part begins. */
  readonly firstPart: number
}

/** No form of a real client has more parts, nor longer heads, nor longer values where a value is read. */
const MOST_PARTS = 200
const LONGEST_HEAD = 16_384
const LONGEST_VALUE = 1000
const LINE = '\r\n'
const HEAD_END = Buffer.from(LINE + LINE)

/** `wrong`: it is no such form, and nothing more of it is read. */
type State = 'preamble' | 'head' | 'value' | 'epilogue' | 'wrong'

export class FormScanner {
  readonly #delimiter: Buffer
  readonly #fields = new Map<string, FormField>()
  #state: State = 'preamble'
  /** A line that ended before the form, so that the first boundary is found like the others. */
  #rest: Buffer = Buffer.from(LINE)
  /** Place of the first byte of `#rest` in the form. */
  #at = -LINE.length
  #firstPart = 0
  #parts = 0
  #why = 'it ends before its closing boundary'
  #name: string | null = null
  #start = 0
  readonly #value = new ByteBuffer()
  #valueBytes = 0

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`${LINE}--${boundary}`)
  }

  get isWrong(): boolean {
    return this.#state === 'wrong'
  }

  push(chunk: Buffer): void {
    if (this.#state === 'epilogue' || this.#state === 'wrong') return
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (this.#step());
  }

  /** The form has ended. Throws InvalidRequestError when it was none, or not all of one. */
  end(): FormOutline {
    if (this.#state === 'epilogue') return { fields: this.#fields, firstPart: this.#firstPart }
    throw new InvalidRequestError(`the body is not a complete multipart form: ${this.#why}`)
  }

  /** False when more bytes are needed. */
  #step(): boolean {
    if (this.#state === 'head') return this.#head()
    if (this.#state !== 'preamble' && this.#state !== 'value') return false
    const found = this.#rest.indexOf(this.#delimiter)
    if (found < 0) {
      // The end may be the beginning of a boundary.
      this.#skip(Math.max(0, this.#rest.length - this.#delimiter.length + 1))
      return false
    }
    this.#skip(found)
    if (this.#state === 'preamble') this.#firstPart = this.#at + LINE.length
    else this.#endField()
    this.#take(this.#delimiter.length)
    this.#state = 'head'
    return true
  }

  #head(): boolean {
    if (this.#rest.length < 2) return false
    if (this.#rest.toString('latin1', 0, 2) === '--') return this.#stop('epilogue')
    const end = this.#rest.indexOf(HEAD_END)
    if (end > LONGEST_HEAD || (end < 0 && this.#rest.length > LONGEST_HEAD)) return this.#fail('a part has no value')
    if (end < 0) return false
    if (++this.#parts > MOST_PARTS) return this.#fail(`it has more than ${MOST_PARTS} parts`)
    this.#name = nameIn(this.#rest.toString('utf8', 0, end))
    this.#start = this.#at + end + HEAD_END.length
    // The line's end before the next boundary may be the one behind the head.
    this.#take(end + HEAD_END.length - LINE.length)
    this.#value.clear()
    this.#valueBytes = -LINE.length
    this.#state = 'value'
    return true
  }

  #endField(): void {
    const text = this.#valueBytes > LONGEST_VALUE ? null : this.#value.view().toString('utf8', LINE.length)
    if (this.#name !== null)
      this.#fields.set(this.#name, { start: this.#start, end: Math.max(this.#start, this.#at), text })
    this.#value.clear()
  }

  /** Bytes of a value, or of nothing. */
  #skip(count: number): void {
    if (this.#state === 'value' && this.#valueBytes <= LONGEST_VALUE) {
      this.#valueBytes += count
      if (this.#valueBytes > LONGEST_VALUE) this.#value.clear()
      else this.#value.append(this.#rest.subarray(0, count))
    }
    this.#take(count)
  }

  #take(count: number): void {
    this.#rest = this.#rest.subarray(count)
    this.#at += count
  }

  #fail(why: string): false {
    this.#why = why
    return this.#stop('wrong')
  }

  #stop(state: 'epilogue' | 'wrong'): false {
    this.#state = state
    this.#rest = Buffer.alloc(0)
    this.#value.clear()
    return false
  }
}

function nameIn(head: string): string | null {
  const match = /^content-disposition:[^\r\n]*?;\s*name=(?:"([^"\r\n]*)"|([^\s;"]+))/im.exec(head)
  return match?.[1] ?? match?.[2] ?? null
}
