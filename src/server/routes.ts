/** The inference routes: a table of method, path and dialect, with one handler behind it. */

import type { IncomingMessage } from 'node:http'
import type { DialectId } from '../domain/chat.ts'
import type { Handler, Route } from './handler.ts'
import { countTokens } from './inference/countTokens.ts'
import { embed } from './inference/embeddings.ts'
import { Exchange, type ExchangeRoute } from './inference/exchange.ts'
import { feedback } from './inference/feedback.ts'
import { serveModel, serveModels } from './inference/models.ts'

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
  '/v1/models': get('openai', serveModels),
}

/** By exact path. `//v1/models`, `/v1/../x` and other spellings do not match. */
const ROUTES: ReadonlyMap<string, Route> = new Map([
  ...Object.entries(OPENAI_ROUTES),
  ...Object.entries(OPENAI_ROUTES).map(([path, route]) => [`/openai${path}`, route] as const),
  ['/v1/messages', post('anthropic', infer({ dialect: 'anthropic' }))],
  ['/v1/messages/count_tokens', post('anthropic', countTokens('anthropic'))],
  ['/v1/feedback', post('openai', feedback)],
  ['/v1beta/models', get('google', serveModels)],
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
  return get(modelsDialect(path, headers), serveModel(model))
}

/** Models are listed in the client's protocol: by path, then by headers that only one kind of client sends. */
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

/** The protocol a client that requested an unknown path is most likely to understand. */
export function dialectOfPath(target: string): DialectId {
  if (target.startsWith('/v1beta')) return 'google'
  return target.startsWith('/v1/messages') ? 'anthropic' : 'openai'
}
