/**
 * A multipart form as received, for upstreams that take the same: its bytes go on as they came, however often, and only
 * the model's name is replaced.
 */

import type { IncomingMessage } from 'node:http'
import type { BodySource } from '../../domain/bodySource.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import type { PassedBody } from '../../engine/request/unitOperation.ts'
import { bodyChunks, FORM_ONLY } from '../body.ts'
import { type FormOutline, FormScanner } from './formScanner.ts'
import { Spool } from './spool.ts'

/** Reads a form to its end. Throws InvalidRequestError (400, 413, 415); what is returned has to be closed. */
export async function readFormBody(request: IncomingMessage, maxBytes: number): Promise<FormBody> {
  const chunks = bodyChunks(request, maxBytes, FORM_ONLY)
  const contentType = request.headers['content-type'] ?? ''
  const boundary = boundaryIn(contentType)
  const scanner = new FormScanner(boundary)
  const spool = new Spool()
  try {
    for await (const chunk of chunks) {
      scanner.push(chunk)
      // What is wrong is read to its end, so that the client hears why, but not kept.
      if (!scanner.isWrong) await spool.write(chunk)
    }
    return new FormBody(spool, scanner.end(), { contentType, boundary })
  } catch (error) {
    await spool.close()
    throw error
  }
}

class FormBody implements PassedBody {
  readonly contentType: string
  readonly #boundary: string
  readonly #spool: Spool
  readonly #outline: FormOutline

  constructor(
    spool: Spool,
    outline: FormOutline,
    { contentType, boundary }: { readonly contentType: string; readonly boundary: string },
  ) {
    this.contentType = contentType
    this.#boundary = boundary
    this.#spool = spool
    this.#outline = outline
  }

  /** Of the whole form. */
  get bytes(): number {
    return this.#spool.bytes
  }

  has(name: string): boolean {
    return this.#outline.fields.has(name)
  }

  /** The text of a field; undefined when it is absent. Throws InvalidRequestError for one that is no short text. */
  text(name: string): string | undefined {
    const field = this.#outline.fields.get(name)
    if (field?.text === null) throw new InvalidRequestError(`"${name}" is too long`, { parameter: name })
    return field?.text
  }

  /** The form with another model, or with one where it names none. */
  withModel(model: string): Buffer | BodySource {
    const { firstPart, fields } = this.#outline
    const named = fields.get('model')
    const { start, end } = named ?? { start: firstPart, end: firstPart }
    const part = `--${this.#boundary}\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n`
    const middle = Buffer.from(named === undefined ? part : model)
    const whole = this.#spool.whole()
    if (whole !== null) return Buffer.concat([whole.subarray(0, start), middle, whole.subarray(end)])
    const spool = this.#spool
    const all = spool.bytes
    return {
      bytes: all - (end - start) + middle.length,
      async *[Symbol.asyncIterator]() {
        yield* spool.read(0, start)
        yield middle
        yield* spool.read(end, all)
      },
    }
  }

  /** Frees its bytes. */
  close(): Promise<void> {
    return this.#spool.close()
  }
}

function boundaryIn(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))\s*(?:;|$)/i.exec(contentType)
  const boundary = match?.[1] ?? match?.[2]
  if (boundary !== undefined) return boundary
  throw new InvalidRequestError('the content-type of the form has no usable "boundary"')
}
