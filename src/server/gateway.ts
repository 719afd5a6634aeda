/** The inference routes: rows of method, path and dialect, one handler behind them. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AttemptReport } from '../domain/attempt.ts'
import type { Bag } from '../domain/bag.ts'
import type { DialectId } from '../domain/chat.ts'
import type { Logger } from '../domain/logger.ts'
import type { Engine } from '../manager/engine.ts'
import { countTokens } from './countTokens.ts'
import { embed } from './embeddings.ts'
import { Exchange, type ExchangeRoute } from './exchange.ts'
import { feedback } from './feedback.ts'
import { listModels, showModel } from './models.ts'
import type { Token } from './tokens.ts'

/** What was done for one request, for metrics and the access log; never contents. */
export interface Observed {
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
export interface UnderWay {
  breakOff(): void
}

export interface GatewayParts {
  readonly underWay: Bag<UnderWay>
  readonly engine: Engine
  readonly logger: Logger
  readonly maxBodyBytes: number
  /** Most milliseconds in which a client takes nothing of an answer that waits for it. */
  readonly clientStallMs: number
  /** Told the bytes of every body that is only sketched. */
  readonly onLongBody: (bytes: number) => void
  /** Null once the lists of models have been read. */
  readonly ready: () => Promise<void> | null
  observe(seen: Observed): void
}

export type Handler = (
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  token: Token,
) => void | Promise<void>

export interface Route {
  readonly method: 'GET' | 'POST'
  /** The protocol in which errors of this path are told. */
  readonly dialect: DialectId
  readonly handle: Handler
}

const infer =
  (route: ExchangeRoute): Handler =>
  (parts, request, response, token) =>
    new Exchange(parts, request, response, route, token).run()

const post = (dialect: DialectId, handle: Handler): Route => ({ method: 'POST', dialect, handle })
const get = (dialect: DialectId, handle: Handler): Route => ({ method: 'GET', dialect, handle })

const OPENAI_ROUTES: Readonly<Record<string, Route>> = {
  '/v1/chat/completions': post('openai', infer({ dialect: 'openai' })),
  '/v1/responses': post('openai-responses', infer({ dialect: 'openai-responses' })),
  '/v1/embeddings': post('openai', embed),
  '/v1/models': get('openai', listModels),
}

/** By exact path. `//v1/models`, `/v1/../x` and other spellings are no path of ours. */
const ROUTES: ReadonlyMap<string, Route> = new Map([
  ...Object.entries(OPENAI_ROUTES),
  ...Object.entries(OPENAI_ROUTES).map(([path, route]) => [`/openai${path}`, route] as const),
  ['/v1/messages', post('anthropic', infer({ dialect: 'anthropic' }))],
  ['/v1/messages/count_tokens', post('anthropic', countTokens('anthropic'))],
  ['/v1/feedback', post('openai', feedback)],
  ['/v1beta/models', get('google', listModels)],
])

const GEMINI = /^\/v1(?:beta)?\/models\/(.{1,300}):(generateContent|streamGenerateContent|countTokens)$/
const ONE_MODEL = /^(?:\/openai)?\/v1(beta)?\/models\/(.{1,300})$/

/** The route of a request target; undefined when there is none. */
export function findRoute(target: string, headers: IncomingMessage['headers']): Route | undefined {
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  const route = ROUTES.get(path)
  if (route !== undefined) return path.endsWith('/models') ? { ...route, dialect: modelsDialect(path, headers) } : route
  return gemini(path, query < 0 ? '' : target.slice(query + 1)) ?? oneModel(path, headers)
}

function gemini(path: string, query: string): Route | undefined {
  const match = GEMINI.exec(path)
  const model = decoded(match?.[1])
  if (match === null || model === null) return undefined
  if (match[2] === 'countTokens') return post('google', countTokens('google'))
  const stream = match[2] === 'streamGenerateContent'
  return post(
    'google',
    infer({ dialect: 'google', model, stream, asArray: stream && !/(?:^|&)alt=sse(?:&|$)/.test(query) }),
  )
}

function oneModel(path: string, headers: IncomingMessage['headers']): Route | undefined {
  const match = ONE_MODEL.exec(path)
  const model = decoded(match?.[2])
  if (match === null || model === null) return undefined
  return get(modelsDialect(path, headers), showModel(model))
}

/** Models are listed in the protocol asked for: by path, then by the headers that only one kind of client sends. */
function modelsDialect(path: string, headers: IncomingMessage['headers']): DialectId {
  if (path.startsWith('/v1beta') || headers['x-goog-api-key'] !== undefined) return 'google'
  return headers['anthropic-version'] !== undefined && !path.startsWith('/openai') ? 'anthropic' : 'openai'
}

function decoded(text: string | undefined): string | null {
  if (text === undefined) return null
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** The protocol in which somebody who asked for an unknown path is most likely to understand the answer. */
export function dialectOfPath(target: string): DialectId {
  if (target.startsWith('/v1beta')) return 'google'
  return target.startsWith('/v1/messages') ? 'anthropic' : 'openai'
}
