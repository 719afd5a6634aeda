/** The inference routes: a table of method, path and dialect, with one handler behind it. */

import type { IncomingMessage } from 'node:http'
import { googleEmbedding, googleEmbeddings, openaiEmbeddings } from '../dialects/embeddings/client.ts'
import type { DialectId } from '../domain/chat.ts'
import { UNIT_ABILITIES } from '../domain/target.ts'
import { USUAL_UNIT_PATHS } from '../domain/units.ts'
import { dialectOfHeaders } from './foreignPaths.ts'
import type { Handler, Route } from './handler.ts'
import { complete } from './inference/completions.ts'
import { countTokens } from './inference/countTokens.ts'
import { embed } from './inference/embeddings.ts'
import { Exchange, type ExchangeRoute } from './inference/exchange.ts'
import { feedback } from './inference/feedback.ts'
import { serveModel, serveModels } from './inference/models.ts'
import { passThrough } from './inference/passThrough.ts'
import { storedResponse } from './inference/storedResponses.ts'
import { plainPath } from './paths.ts'

const infer =
  (route: ExchangeRoute): Handler =>
  (parts, request, response, token) =>
    new Exchange(parts, request, response, route, token).run()

const post = (dialect: DialectId, handle: Handler): Route => ({ method: 'POST', dialect, handle })
const get = (dialect: DialectId, handle: Handler): Route => ({ method: 'GET', dialect, handle })

/** OpenAI's endpoints by what follows the version; `model`: the one that Azure's clients name in the path. */
const OPENAI: Readonly<Record<string, (model?: string) => Route>> = {
  '/chat/completions': (model) => post('openai', infer({ dialect: 'openai', model })),
  '/completions': (model) => post('openai', complete(model)),
  '/responses': (model) => post('openai-responses', infer({ dialect: 'openai-responses', model })),
  ...Object.fromEntries(
    UNIT_ABILITIES.map((ability) => [
      USUAL_UNIT_PATHS[ability],
      (model?: string) => post('openai', passThrough(ability, model)),
    ]),
  ),
  '/embeddings': (model) => post('openai', embed(openaiEmbeddings, model)),
}
const OPENAI_ROUTES: readonly (readonly [tail: string, Route])[] = [
  ...Object.entries(OPENAI).map(([tail, route]) => [tail, route()] as const),
  ['/models', get('openai', serveModels)],
]

/** By exact path. `//v1/models`, `/v1/../x` and the like do not match. */
const ROUTES: ReadonlyMap<string, Route> = new Map([
  ...OPENAI_ROUTES.map(([tail, route]) => [`/v1${tail}`, route] as const),
  ...OPENAI_ROUTES.map(([tail, route]) => [`/openai/v1${tail}`, route] as const),
  ['/v1/responses/input_tokens', post('openai-responses', countTokens('openai-responses'))],
  // Cohere's second version differs in nothing that is read here.
  ['/v2/rerank', post('openai', passThrough('rerank'))],
  ['/v1/messages', post('anthropic', infer({ dialect: 'anthropic' }))],
  ['/v1/messages/count_tokens', post('anthropic', countTokens('anthropic'))],
  ['/v1/feedback', { ...post('openai', feedback), scopes: ['inference', 'admin'] }],
  ['/anthropic/v1/models', get('anthropic', serveModels)],
  ['/v1beta/models', get('google', serveModels)],
])

const GEMINI =
  /^\/v1(?:beta|alpha)?\/models\/(.{1,300})(?::|%3[Aa])(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/
const ONE_MODEL = /^(?:\/openai|\/anthropic)?\/v1(beta)?\/models\/(.{1,300})$/
const STORED = /^\/v1\/responses\/(?!compact$)([\w.:-]{1,200})(\/cancel|\/input_items)?$/
/** What follows a model that is no name of one: a method of Gemini's that is not served. */
const METHOD = /(?::|%3[Aa])(?:[a-z]+[A-Z]\w*|predict)$/

interface RoutePattern {
  /** Paths that it takes, one of every method and every form. */
  readonly examples: readonly string[]
  readonly find: (path: string, headers: IncomingMessage['headers'], query: string) => Route | undefined
}

/** What takes many paths; the first that knows one counts. */
const PATTERNS: readonly RoutePattern[] = [
  {
    examples: [
      '/v1/models/MODEL:generateContent',
      '/v1beta/models/MODEL:generateContent',
      '/v1alpha/models/MODEL:generateContent',
      '/v1beta/models/MODEL:streamGenerateContent',
      '/v1beta/models/MODEL:countTokens',
      '/v1beta/models/MODEL:embedContent',
      '/v1beta/models/MODEL:batchEmbedContents',
    ],
    find: (path, _headers, query) => gemini(path, query),
  },
  {
    examples: ['/v1/models/MODEL', '/v1beta/models/MODEL', '/openai/v1/models/MODEL', '/anthropic/v1/models/MODEL'],
    find: oneModel,
  },
  {
    examples: ['/v1/responses/ID', '/v1/responses/ID/cancel', '/v1/responses/ID/input_items'],
    find: stored,
  },
]
/** Spellings that `otherwise` reads. */
const OTHER_EXAMPLES = [
  '/chat/completions',
  '/v1/v1/chat/completions',
  '/v1beta/openai/chat/completions',
  '/anthropic/v1/messages',
  ...Object.keys(OPENAI).map((tail) => `/openai/deployments/MODEL${tail}`),
]

/** A path of every route that there is. */
export const EXAMPLE_PATHS: readonly string[] = [
  ...ROUTES.keys(),
  ...PATTERNS.flatMap(({ examples }) => examples),
  ...OTHER_EXAMPLES,
]

/** The route of a request target; undefined when there is none. */
export function findRoute(target: string, headers: IncomingMessage['headers']): Route | undefined {
  const query = target.indexOf('?')
  const path = query < 0 ? target : target.slice(0, query)
  const queryText = query < 0 ? '' : target.slice(query + 1)
  return known(path, headers, queryText) ?? otherwise(path, queryText, headers)
}

/** As the tables spell it. */
function known(path: string, headers: IncomingMessage['headers'], query: string): Route | undefined {
  const route = exact(path, headers)
  if (route !== undefined) return route
  for (const { find } of PATTERNS) {
    const found = find(path, headers, query)
    if (found !== undefined) return found
  }
  return undefined
}

function exact(path: string, headers: IncomingMessage['headers']): Route | undefined {
  const route = ROUTES.get(path)
  if (route === undefined || !path.endsWith('/models')) return route
  return { ...route, dialect: modelsDialect(path, headers) }
}

/** The path in another spelling. */
function otherwise(path: string, query: string, headers: IncomingMessage['headers']): Route | undefined {
  const plain = plainPath(path)
  if (plain.deployment !== null) return deployed(plain.path, plain.deployment)
  if (plain.path === path) return undefined
  return known(plain.path, headers, query)
}

function deployed(path: string, deployment: string): Route | undefined {
  const model = decoded(deployment)
  return model === null ? undefined : OPENAI[path.slice('/v1'.length)]?.(model)
}

function gemini(path: string, query: string): Route | undefined {
  const match = GEMINI.exec(path)
  const model = decoded(match?.[1])
  if (match === null || model === null) return undefined
  if (match[2] === 'countTokens') return post('google', countTokens('google'))
  if (match[2] === 'embedContent') return post('google', embed(googleEmbedding, model))
  if (match[2] === 'batchEmbedContents') return post('google', embed(googleEmbeddings, model))
  const stream = match[2] === 'streamGenerateContent'
  return post(
    'google',
    infer({ dialect: 'google', model, stream, asArray: stream && !/(?:^|&)alt=sse(?:&|$)/.test(query) }),
  )
}

function oneModel(path: string, headers: IncomingMessage['headers']): Route | undefined {
  const match = ONE_MODEL.exec(path)
  const model = decoded(match?.[2])
  if (match === null || model === null || path.endsWith('/') || METHOD.test(path)) return undefined
  return get(modelsDialect(path, headers), serveModel(model))
}

/** A response that an upstream holds. */
function stored(path: string): Route | undefined {
  const match = STORED.exec(path)
  if (match === null) return undefined
  const [, id = '', part = ''] = match
  const route = (method: Route['method']): Route => ({
    method,
    dialect: 'openai-responses',
    handle: storedResponse(method, id, part),
  })
  if (part !== '') return route(part === '/cancel' ? 'POST' : 'GET')
  return { ...route('GET'), other: route('DELETE') }
}

/** Models are listed in the client's protocol: by path, then by headers that only one kind of client sends. */
function modelsDialect(path: string, headers: IncomingMessage['headers']): DialectId {
  if (path.startsWith('/openai')) return 'openai'
  if (path.startsWith('/anthropic')) return 'anthropic'
  return path.startsWith('/v1beta') ? 'google' : dialectOfHeaders(headers)
}

function decoded(text: string | undefined): string | null {
  if (text === undefined) return null
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
