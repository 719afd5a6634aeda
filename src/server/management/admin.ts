/**
 * The management routes, for scripts and the dashboard: thin reads of the engine's views, and the few changes allowed.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidRequestError, KeywiseError } from '../../domain/errors.ts'
import { asRecord, asString } from '../../domain/json.ts'
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
import { sendJson } from '../send.ts'
import { streamEvents } from './liveEvents.ts'

type AdminHandler = (
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => unknown

/** A handler that returns a value has it sent as JSON. */
const ADMIN_ROUTES: Readonly<Record<string, AdminHandler>> = {
  'GET /api/status': ({ engine, eventLoop }) => statusView(engine, engine.summary.view(), eventLoop.status()),
  'GET /api/why': ({ engine }, _request, _response, query) => {
    const request = query.get('request')
    return request === null ? whyView(engine, query.get('model') ?? 'auto') : whyRequestView(engine, request)
  },
  'GET /api/keys': ({ engine }) => keysView(engine),
  'GET /api/models': ({ engine }, _request, _response, query) => {
    const name = query.get('explain')
    return name === null ? modelsView(engine) : membershipView(engine, name)
  },
  'GET /api/budgets': ({ engine }) => budgetsView(engine),
  'GET /api/hours': ({ engine }) => hoursView(engine),
  'GET /api/experiments': ({ engine }) => experimentsView(engine),
  'GET /api/alerts': ({ engine }) => alertsView(engine),
  'GET /api/spend': ({ engine }, _request, _response, query) => spendView(engine, spendQuestion(query, engine.now)),
  'GET /api/requests': ({ engine }, _request, _response, query) => ({
    generatedAt: new Date(engine.now).toISOString(),
    requests: engine.store.attempts({ limit: Math.min(1000, Number(query.get('limit')) || 100) }),
  }),
  'GET /api/events': ({ engine }, request, response) => streamEvents(engine, request, response),
  'POST /api/test': async (parts, request) => {
    const body = asRecord(await optionalBody(parts, request)) ?? {}
    const provider = asString(body['provider'])
    const model = asString(body['model'])
    return testApiKeys({
      engine: parts.engine,
      ...(provider !== undefined && { provider }),
      ...(model !== undefined && { model }),
    })
  },
  'POST /api/targets/retest': async (parts, request) => {
    const body = asRecord(await optionalBody(parts, request))
    return retest(parts.engine, asString(body?.['target']) ?? null)
  },
}

function spendQuestion(query: URLSearchParams, now: number): SpendQuestion {
  const by = query.get('by')
  const since = timeIn(query, 'since', now)
  const until = timeIn(query, 'until', now)
  return {
    ...(by !== null && { by: by.split(',') }),
    ...(since !== null && { since }),
    ...(until !== null && { until }),
    caches: query.get('caches') === 'true',
  }
}

function timeIn(query: URLSearchParams, name: string, now: number): number | null {
  const text = query.get(name)
  if (text === null) return null
  const at = readTime(text, now)
  if (at !== null) return at
  throw new InvalidRequestError(`"${name}" must be a time such as 2026-11-23 or 7d`, { parameter: name })
}

const ADMIN_PATHS: ReadonlySet<string> = new Set(Object.keys(ADMIN_ROUTES).map((route) => route.split(' ')[1] ?? ''))

/** Whether the path, without its query, is one of the management routes. */
export function isAdminPath(path: string): boolean {
  return ADMIN_PATHS.has(path)
}

export async function adminRoute(
  parts: GatewayParts,
  target: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(target, 'http://keywise.invalid')
  const handler = ADMIN_ROUTES[`${request.method === 'HEAD' ? 'GET' : request.method} ${url.pathname}`]
  if (handler === undefined)
    return sendJson(response, 404, { error: `there is nothing at ${request.method} ${url.pathname.slice(0, 120)}` })
  try {
    await parts.ready()
    const value = await handler(parts, request, response, url.searchParams)
    if (value !== undefined && !response.headersSent) sendJson(response, 200, value)
  } catch (error) {
    const known = error instanceof KeywiseError
    if (!known) parts.logger.error(`${url.pathname}: ${error instanceof Error ? error.message : String(error)}`)
    if (!response.headersSent)
      sendJson(response, known ? 400 : 500, {
        error: known ? error.message : 'keywise failed on this request; see its log',
      })
  }
}

async function optionalBody({ maxBodyBytes }: GatewayParts, request: IncomingMessage): Promise<unknown> {
  const { bytes } = await readBody(request, Math.min(maxBodyBytes, 1_048_576))
  return bytes.length === 0 ? {} : withPlainNumbers(parseBody(bytes))
}
