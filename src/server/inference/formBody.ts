/**
 * A multipart form as received, for upstreams that take the same: the fields that are read are found in its bytes, and
 * only the model's name is replaced (https://www.rfc-editor.org/rfc/rfc7578).
 */

import { InvalidRequestError } from '../../domain/errors.ts'
import type { PassedBody } from '../../engine/request/unitOperation.ts'

interface Span {
  readonly start: number
  readonly end: number
}

const LINE = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')
/** No form of a real client has more parts, nor longer names and values where a value is read. */
const MOST_PARTS = 200
const LONGEST_VALUE = 1000

export class FormBody implements PassedBody {
  readonly contentType: string
  readonly #bytes: Buffer
  readonly #fields: ReadonlyMap<string, Span>
  readonly #boundary: string

  /** Throws InvalidRequestError for bytes that are no such form. */
  constructor(bytes: Buffer, contentType: string) {
    this.contentType = contentType
    this.#bytes = bytes
    this.#boundary = boundaryIn(contentType)
    this.#fields = fieldsIn(bytes, this.#boundary)
  }

  has(name: string): boolean {
    return this.#fields.has(name)
  }

  /** The text of a field; undefined when it is absent or no short text. */
  text(name: string): string | undefined {
    const span = this.#fields.get(name)
    if (span === undefined || span.end - span.start > LONGEST_VALUE) return undefined
    return this.#bytes.toString('utf8', span.start, span.end)
  }

  /** The form with another model, or with one where it names none. */
  withModel(model: string): Buffer {
    const span = this.#fields.get('model')
    if (span !== undefined)
      return Buffer.concat([this.#bytes.subarray(0, span.start), Buffer.from(model), this.#bytes.subarray(span.end)])
    const part = `--${this.#boundary}\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n`
    return Buffer.concat([Buffer.from(part), this.#bytes])
  }
}

function boundaryIn(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary !== undefined) return boundary
  throw new InvalidRequestError('the content-type names no "boundary" of the form', { status: 415 })
}

/** By name; of two with the same name the last one, as servers take it. */
function fieldsIn(bytes: Buffer, boundary: string): ReadonlyMap<string, Span> {
  const opening = Buffer.from(`--${boundary}`)
  const delimiter = Buffer.concat([LINE, opening])
  const fields = new Map<string, Span>()
  let at = bytes.indexOf(opening)
  if (at > 0 && bytes.indexOf(delimiter) + LINE.length !== at) at = -1
  for (let parts = 0; at >= 0 && parts <= MOST_PARTS; parts++) {
    const after = at + opening.length
    if (bytes.toString('latin1', after, after + 2) === '--') return fields
    const head = bytes.indexOf(HEAD_END, after)
    const end = head < 0 ? -1 : bytes.indexOf(delimiter, head + HEAD_END.length - LINE.length)
    if (head < 0 || end < 0) break
    const name = nameIn(bytes.toString('utf8', after, Math.min(head, after + 4000)))
    const start = head + HEAD_END.length
    if (name !== null) fields.set(name, { start, end: Math.max(start, end) })
    at = end + LINE.length
  }
  throw new InvalidRequestError('the body is not a complete multipart form')
}

function nameIn(head: string): string | null {
  const match = /^content-disposition:[^\r\n]*?;\s*name=(?:"([^"\r\n]*)"|([^\s;"]+))/im.exec(head)
  return match?.[1] ?? match?.[2] ?? null
}
