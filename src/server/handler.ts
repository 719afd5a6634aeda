/** What a route is, and what every handler of one is given. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AttemptReport } from '../domain/attempt.ts'
import type { Bag } from '../domain/bag.ts'
import type { DialectId } from '../domain/chat.ts'
import type { Logger } from '../domain/logger.ts'
import type { Engine } from '../engine/engine.ts'
import type { Token } from './tokens.ts'

/** What was done for one request, for metrics and the access log; never contents. */
export interface ObservedRequest {
  readonly id: string
  readonly dialect: DialectId
  readonly model: string
  readonly token: string
  readonly status: number
  /** The attempt that answered, or the last that failed. */
  readonly report: AttemptReport | null
  readonly attempts: readonly AttemptReport[]
  readonly totalMs: number
}

/** Something under way that can be broken off when the drain has run out of time. */
export interface RunningExchange {
  breakOff(): void
}

export interface GatewayParts {
  readonly underWay: Bag<RunningExchange>
  readonly engine: Engine
  readonly logger: Logger
  readonly maxBodyBytes: number
  /** Most milliseconds in which a client takes nothing of an answer that waits for it. */
  readonly clientStallMs: number
  /** Told the bytes of every body that is only read in outline. */
  readonly onLongBody: (bytes: number) => void
  /** Null once the lists of models have been read. */
  readonly ready: () => Promise<void> | null
  observe(seen: ObservedRequest): void
}

export type Handler = (
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  token: Token,
  dialect: DialectId,
) => void | Promise<void>

export interface Route {
  readonly method: 'GET' | 'POST'
  /** The protocol in which errors of this path are told. */
  readonly dialect: DialectId
  readonly handle: Handler
}
