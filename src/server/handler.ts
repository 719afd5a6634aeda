/** What a route is, and what every handler receives. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AttemptReport } from '../domain/attempt.ts'
import type { Bag } from '../domain/bag.ts'
import type { DialectId } from '../domain/chat.ts'
import type { Logger } from '../domain/logger.ts'
import type { Engine } from '../engine/engine.ts'
import type { EventLoopWatch } from './eventLoopWatch.ts'
import type { Token, TokenScope } from './tokens.ts'

/** The record of one request, for metrics and the access log; never contents. */
export interface ObservedRequest {
  readonly id: string
  readonly dialect: DialectId
  readonly model: string
  readonly token: string
  readonly status: number
  /** The attempt that answered, or the last one that failed. */
  readonly report: AttemptReport | null
  readonly attempts: readonly AttemptReport[]
  readonly totalMs: number
}

/** An exchange in progress that can be aborted when the drain times out. */
export interface RunningExchange {
  breakOff(): void
}

export interface GatewayParts {
  readonly underWay: Bag<RunningExchange>
  readonly engine: Engine
  readonly logger: Logger
  readonly maxBodyBytes: number
  /** What this gateway calls itself to servers on its own network (`loopGuard.ts`). */
  readonly name: string
  /** Maximum milliseconds a client may leave a pending answer unread. */
  readonly clientStallMs: number
  /** Called with the size in bytes of every body of which only an outline is parsed. */
  readonly onLongBody: (bytes: number) => void
  /** Null once the model lists have been read. */
  readonly ready: () => Promise<void> | null
  /** Whether requests are made with other tokens than this one too. */
  readonly isShared: (token: Token) => boolean
  observe(seen: ObservedRequest): void
  /** How late this process gets to what is due. */
  readonly eventLoop: Pick<EventLoopWatch, 'status'>
}

export type Handler = (
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  token: Token,
  dialect: DialectId,
) => void | Promise<void>

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** The protocol in which errors on this path are reported. */
  readonly dialect: DialectId
  readonly handle: Handler
  /** The scopes whose tokens may use it; default: `inference` alone. */
  readonly scopes?: readonly TokenScope[]
  /** The same path with another method. */
  readonly other?: Route
}
