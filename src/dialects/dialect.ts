/** One wire language, read and written in both directions. Wire -> canonical -> wire; never a pair of dialects. */

import type { ChatChunk, ChatRequest, ChatResponse, DialectId } from '../domain/chat.ts'
import type { ContextOverflow, ErrorDetails } from '../domain/errors.ts'
import type { ModelWire } from '../domain/wireFacts.ts'

export interface Dialect {
  readonly id: DialectId
  readonly client: ClientSide
  readonly upstream: UpstreamSide
}

/** We are the server: a client of this dialect talks to us. */
interface ClientSide {
  /** Parses a body; throws InvalidRequestError naming the field. Google takes model and streaming from the path. */
  readRequest(body: unknown, path?: { readonly model?: string | undefined; readonly stream?: boolean }): ChatRequest
  writeResponse(response: ChatResponse, request: ChatRequest, facts?: AnswerFacts): unknown
  /** A writer of one streamed answer. */
  streamWriter(request: ChatRequest, facts?: AnswerFacts): StreamWriter
  /** The body of an error answer in the shape this dialect's clients understand. */
  writeError(error: ClientError): unknown
  /** Whether the vendor says this error inside a stream that has begun with 200. Default: never. */
  failsInStream?(error: ClientError): boolean
}

/** What an answer must state and this floor cannot know. */
export interface AnswerFacts {
  /** Epoch milliseconds, for dialects that date their answers; without it the answer is dated 1970. */
  readonly now?: number
  /** The time when it is asked, for dialects that also date an answer's end; `now` without it. */
  readonly clock?: () => number
  /** The id of an answer whose upstream gave none: the request's own id. */
  readonly id?: string
  /** Where in the chunk with the finish reason a client reads usage that never asks for it (chat completions). */
  readonly usageInFinish?: readonly string[]
  /** The client understands streamed calls only in one piece (chat completions). */
  readonly wholeCalls?: boolean
}

export interface StreamWriter {
  /** The bytes (SSE text) for one chunk; may be empty. */
  write(chunk: ChatChunk): string
  /** The bytes that end a broken stream so that no client takes it for complete. */
  fail(error: ClientError): string
}

/** An error as a client may see it: true status, redacted message. */
export interface ClientError {
  readonly status: number
  readonly message: string
  /** A failure kind or error code of keywise, such as `rate_minute` or `ALL_TARGETS_FAILED`. */
  readonly code: string
  readonly retryAfterMs?: number | null
  readonly requestId?: string
  readonly parameter?: string | null
  /** The client understands an error only by its HTTP status as a number (chat completions). */
  readonly numericCode?: boolean
  /** The request fits no context window: the dialect says so in its vendor's words, which clients act on. */
  readonly tooLong?: {
    readonly overflow: ContextOverflow | null
    /** What keywise says behind the vendor's sentence. */
    readonly words: string
  }
  /** What the upstream said beside its message, for clients of its own dialect. */
  readonly details?: ErrorDetails | null
  /** The upstream's own code and type, for clients of its own dialect. */
  readonly vendorCode?: string | null | undefined
  readonly vendorType?: string | null | undefined
}

/** We are the client: we call an upstream of this dialect. */
export interface UpstreamSide {
  /**
   * Path below the base URL (`/chat/completions`, `/models/x:generateContent`) and body for `model` as the upstream
   * names it. `wire`: what the service takes, where the dialect's spelling depends on it.
   */
  writeRequest(
    request: ChatRequest,
    model: string,
    wire?: ModelWire,
  ): { readonly path: string; readonly body: Record<string, unknown> }
  /** How a whole answer is parsed; default: `parseJson`. */
  readonly parse?: (text: string) => unknown
  /** A whole answer. An error inside HTTP 200, and an answer that is none, come back as `error`. */
  readResponse(body: unknown): ReadResponse
  streamReader(): StreamReader
  /** What is read differs from what the upstream's bytes say, so that they are not for a client. */
  readonly changesAnswers?: true
}

export type ReadResponse =
  /** `unfinished`: the provider still works on it, and the answer says under which id. */
  | { readonly ok: true; readonly response: ChatResponse; readonly unfinished?: true }
  /**
   * `body` is to be classified like an error body; `status` where the body states one; `malformed` when it is not an
   * answer at all.
   */
  | { readonly ok: false; readonly body: unknown; readonly status?: number; readonly malformed?: boolean }

/** Fed one SSE event at a time; no I/O, no clock. */
export interface StreamReader {
  /**
   * `event` is the SSE event name ('' when absent), `data` its data. Malformed JSON yields an `error` chunk, but is
   * dropped when `incomplete` says that the input stopped inside this event.
   */
  push(event: string, data: string, incomplete?: boolean): readonly ChatChunk[]
  /**
   * For bytes that begin with a new event: the text they add when they are whole events like the last one, with other
   * text, and nothing else. Null when they have to be cut into events and pushed, which is always right.
   */
  readRun?(bytes: Buffer): string | null
  /** What was read was not written as the dialect demands, so that its bytes are not for a client. */
  readonly isForeign?: boolean
  /** The answer is complete, whatever the upstream still writes. */
  readonly isOver?: boolean
  /** The input ended. Yields what was held back, and `end` only when the dialect's own end was seen. */
  end(): readonly ChatChunk[]
}
