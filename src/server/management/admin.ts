/**
 * The management routes, for scripts and the dashboard: thin reads of the engine's views, and the few changes allowed.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  AllTargetsFailedError,
  BudgetExceededError,
  InvalidRequestError,
  ModelNotFoundError,
} from '../../domain/errors.ts'
import { asRecord } from '../../domain/json.ts'
import { withPlainNumbers } from '../../domain/parseJson.ts'
import { retest } from '../../manager/retest.ts'
import { testApiKeys } from '../../tester/apiKeyTester.ts'
import { alertsView } from '../../views/alerts.ts'
import { budgetsView } from '../../views/budgets.ts'
import { experimentsView } from '../../views/experiments.ts'
import { hoursView } from '../../views/hours.ts'
import { keysView } from '../../views/keys.ts'
import { membershipView } from '../../views/membership.ts'
import { modelsView } from '../../views/models.ts'
import { readTime } from '../../views/readTime.ts'
import { type SpendQuestion, spendView } from '../../views/spend.ts'
import { statusView } from '../../views/status.ts'
import { whyRequestView, whyView } from '../../views/why.ts'
import { parseBody, readBody } from '../body.ts'
import type { GatewayParts } from '../handler.ts'
import { flagIn, textIn, wholeIn, wrongParameter } from '../query.ts'
import { sendJson } from '../send.ts'
import type { TokenScope } from '../tokens.ts'
import { streamEvents } from './liveEvents.ts'

type AdminHandler = (
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => unknown

const ADMIN: readonly TokenScope[] = ['admin']

/** Rows of `/api/requests` unless the query says how many. */
const ROWS = 100
const MOST_ROWS = 1000

export interface AdminRoute {
  /** The scopes whose tokens may use it. */
  readonly scopes: readonly TokenScope[]
  /** A value that it returns is sent as JSON. */
  readonly handle: AdminHandler
}

const read = (handle: AdminHandler): AdminRoute => ({ scopes: ['admin', 'read'], handle })
const change = (handle: AdminHandler): AdminRoute => ({ scopes: ADMIN, handle })

/** By method and path. */
export const ADMIN_ROUTES: Readonly<Record<string, AdminRoute>> = {
  'GET /api/status': read(({ engine, eventLoop }) => statusView(engine, engine.summary.view(), eventLoop.status())),
  'GET /api/why': read(({ engine }, _request, _response, query) => {
    const request = textIn(query, 'request')
    return request === null ? whyView(engine, textIn(query, 'model') ?? 'auto') : whyRequestView(engine, request)
  }),
  'GET /api/keys': read(({ engine }) => keysView(engine)),
  'GET /api/models': read(({ engine }, _request, _response, query) => {
    const name = textIn(query, 'explain')
    return name === null ? modelsView(engine) : membershipView(engine, name)
  }),
  'GET /api/budgets': read(({ engine }) => budgetsView(engine)),
  'GET /api/hours': read(({ engine }) => hoursView(engine)),
  'GET /api/experiments': read(({ engine }) => experimentsView(engine)),
  'GET /api/alerts': read(({ engine }) => alertsView(engine)),
  'GET /api/spend': read(({ engine }, _request, _response, query) =>
    spendView(engine, spendQuestion(query, engine.now)),
  ),
  'GET /api/requests': read(({ engine }, _request, _response, query) => ({
    generatedAt: new Date(engine.now).toISOString(),
    requests: engine.store.attempts({ limit: wholeIn(query, 'limit', { least: 1, most: MOST_ROWS }) ?? ROWS }),
  })),
  'GET /api/events': read(({ engine }, request, response) => streamEvents(engine, request, response)),
  'POST /api/test': change(async (parts, request) => {
    const body = await optionalBody(parts, request)
    const provider = nameIn(body, 'provider')
    const model = nameIn(body, 'model')
    return testApiKeys({
      engine: parts.engine,
      ...(provider !== undefined && { provider }),
      ...(model !== undefined && { model }),
    })
  }),
  'POST /api/targets/retest': change(async (parts, request) => {
    const body = await optionalBody(parts, request)
    return retest(parts.engine, nameIn(body, 'target') ?? null)
  }),
}

function spendQuestion(query: URLSearchParams, now: number): SpendQuestion {
  const by = textIn(query, 'by')
  const since = timeIn(query, 'since', now)
  const until = timeIn(query, 'until', now)
  return {
    ...(by !== null && { by: by.split(',') }),
    ...(since !== null && { since }),
    ...(until !== null && { until }),
    caches: flagIn(query, 'caches'),
  }
}

function timeIn(query: URLSearchParams, name: string, now: number): number | null {
  const text = textIn(query, name)
  if (text === null) return null
  const at = readTime(text, now)
  if (at !== null) return at
  throw wrongParameter(name, 'must be a time such as 2026-11-23 or 7d')
}

const ADMIN_PATHS: ReadonlySet<string> = new Set(Object.keys(ADMIN_ROUTES).map((route) => route.split(' ')[1] ?? ''))

/** Whether the path, without its query, is one of the management routes. */
export function isAdminPath(path: string): boolean {
  return ADMIN_PATHS.has(path)
}

/** Who may use a method of a management path; what is not in the table is the administrator's to ask for in vain. */
export function adminScopes(method: string | undefined, path: string): readonly TokenScope[] {
  return adminRow(method, path)?.scopes ?? ADMIN
}

function adminRow(method: string | undefined, path: string): AdminRoute | undefined {
  const row = `${method === 'HEAD' ? 'GET' : method} ${path}`
  return Object.hasOwn(ADMIN_ROUTES, row) ? ADMIN_ROUTES[row] : undefined
}

export async function adminRoute(
  parts: GatewayParts,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(target, 'http://keywise.invalid')
  const route = adminRow(request.method, url.pathname)
  if (route === undefined)
    return sendJson(response, 404, { error: `there is nothing at ${request.method} ${url.pathname.slice(0, 120)}` })
  try {
    await parts.ready()
    const value = await route.handle(parts, request, response, url.searchParams)
    if (value !== undefined && !response.headersSent) sendJson(response, 200, value)
  } catch (error) {
    sendError(parts, url.pathname, response, error)
  }
}

/**
 * Only what was wrong with the request is said to its sender. Errors of the store and of the configuration name files of
 * this machine, all others may say anything: they are for the log.
 */
function sendError({ logger }: GatewayParts, path: string, response: ServerResponse, error: unknown): void {
  const isSenders = SENDERS_OWN.some((kind) => error instanceof kind)
  if (!isSenders) logger.error(`${path}: ${error instanceof Error ? error.message : String(error)}`)
  if (response.headersSent || response.destroyed) return
  const status = error instanceof InvalidRequestError ? error.status : isSenders ? 400 : 500
  const message = isSenders && error instanceof Error ? error.message : 'keywise failed on this request; see its log'
  // The rest of an unread body would be parsed as the next request.
  sendJson(response, status, { error: message }, status === 413 || status === 415 ? { connection: 'close' } : {})
}

const SENDERS_OWN = [InvalidRequestError, ModelNotFoundError, BudgetExceededError, AllTargetsFailedError] as const

/** Nothing, or an object. */
async function optionalBody(
  { maxBodyBytes }: GatewayParts,
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>>> {
  const { bytes } = await readBody(request, Math.min(maxBodyBytes, 1_048_576))
  if (bytes.length === 0) return {}
  const body = asRecord(withPlainNumbers(parseBody(bytes)))
  if (body === undefined) throw new InvalidRequestError('the body must be a JSON object')
  return body
}

/** A field that narrows what is done: what is no name must not count as all. */
function nameIn(body: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = Object.hasOwn(body, field) ? body[field] : undefined
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw wrongParameter(field, 'must be a text')
  return value
}
