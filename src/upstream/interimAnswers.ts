/**
 * Takes interim answers (1xx) out of what an upstream sends before its answer. A server may send a 100 that nobody asked
 * for (RFC 9110 section 15.2), which undici takes for a broken answer; none of them says anything that is used here.
 */

import type { Socket } from 'node:net'
import { buildConnector } from 'undici'

/** `POST /v1/chat HTTP/1.1`: undici writes a request's head in one text. */
const REQUEST_HEAD = /^[A-Z]+ \S+ HTTP\/1\.1\r\n/
/** 101 is no interim answer: the protocol changes, and what follows is not HTTP. */
const INTERIM = /^HTTP\/1\.[01] 1(?!01)\d\d[ \r]/
const INTERIM_BYTES = 'HTTP/1.1 100 '.length
const HEAD_END = Buffer.from('\r\n\r\n')
/** As long as the head of an answer may be (`transport.ts`). */
const MOST_HEAD_BYTES = 32_768

/** The option `connect` of undici's agents. `timeout`: as there. */
export function interimTolerant(options: { readonly timeout: number }): buildConnector.connector {
  const connect = buildConnector({ ...options, allowH2: false })
  return (target, done) =>
    connect(target, (...[error, socket]) => {
      if (error !== null) return done(error, null)
      withoutInterim(socket)
      done(null, socket)
    })
}

/** undici reads a socket by `read`, one answer after the other. */
function withoutInterim(socket: Socket): void {
  const filter = new InterimFilter()
  const read = socket.read.bind(socket)
  const write = socket.write.bind(socket)
  socket.read = (size?: number) => {
    for (;;) {
      const chunk: Buffer | null = read(size)
      if (chunk === null || !filter.isBefore) return chunk
      const rest = filter.push(chunk)
      if (rest.length > 0) return rest
    }
  }
  // The overloads of `write` cannot be told to the compiler at once.
  socket.write = ((data: unknown, ...rest: []) => {
    if (typeof data === 'string' && REQUEST_HEAD.test(data)) filter.expect()
    return write(data as string, ...rest)
  }) as Socket['write']
}

export class InterimFilter {
  /** A request was sent, and its answer has not begun. */
  isBefore = false
  #held: Buffer = EMPTY

  /** An answer is to come. */
  expect(): void {
    this.isBefore = true
    this.#held = EMPTY
  }

  /** What of the bytes belongs to the answer; empty while that is not known. */
  push(chunk: Buffer): Buffer {
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    for (;;) {
      if (bytes.length < INTERIM_BYTES && couldBe(bytes)) return this.#hold(bytes)
      if (!INTERIM.test(bytes.toString('latin1', 0, INTERIM_BYTES))) return this.#release(bytes)
      const end = bytes.indexOf(HEAD_END)
      if (end < 0) return bytes.length > MOST_HEAD_BYTES ? this.#release(bytes) : this.#hold(bytes)
      bytes = bytes.subarray(end + HEAD_END.length)
    }
  }

  #hold(bytes: Buffer): Buffer {
    this.#held = bytes
    return EMPTY
  }

  #release(bytes: Buffer): Buffer {
    this.isBefore = false
    this.#held = EMPTY
    return bytes
  }
}

const EMPTY: Buffer = Buffer.alloc(0)

/** Whether the bytes are the beginning of one. */
function couldBe(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return (
    INTERIM.test(text + 'HTTP/1.1 100 '.slice(text.length)) || INTERIM.test(text + 'HTTP/1.0 199 '.slice(text.length))
  )
}
