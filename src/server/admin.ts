/** The management routes, for scripts and the dashboard: thin reads of the engine's views, and the few things that change. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { KeywiseError } from '../domain/errors.ts'
import { asRecord, asString } from '../domain/json.ts'
import { refOf } from '../manager/record.ts'
import { parseBody, readBody } from './body.ts'
import type { GatewayParts } from './gateway.ts'
import { streamEvents } from './live.ts'
import { sendJson } from './send.ts'

type AdminHandler = (
  parts: GatewayParts,
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
) => unknown

/** A handler that returns a value has it sent as JSON. */
export const ADMIN_ROUTES: Readonly<Record<string, AdminHandler>> = {
  'GET /api/requests': ({ engine }, _request, _response, query) => ({
    generatedAt: new Date(engine.now).toISOString(),
    requests: engine.parts.store.attempts({ limit: Math.min(1000, Number(query.get('limit')) || 100) }),
  }),
  'GET /api/events': ({ engine }, request, response) => streamEvents(engine, request, response),
  'POST /api/targets/retest': async (parts, request) => {
    const body = asRecord(await optionalBody(parts, request))
    return retest(parts, asString(body?.['target']))
  },
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
        error: known ? error.message : 'keywise failed on this request; its log says why',
      })
  }
}

async function optionalBody({ maxBodyBytes }: GatewayParts, request: IncomingMessage): Promise<unknown> {
  const { bytes } = await readBody(request, Math.min(maxBodyBytes, 1_048_576))
  return bytes.length === 0 ? {} : parseBody(bytes)
}

/** Lifts the parks of one target, or every park. */
function retest({ engine }: GatewayParts, id: string | undefined): unknown {
  const { mind, store } = engine.parts
  const target = id === undefined ? null : engine.roster.targets.find((one) => one.id === id || one.stateId === id)
  if (target === undefined) return { lifted: 0, error: `no target "${id?.slice(0, 120)}"` }
  const lifted = mind.parks
    .list(engine.now)
    .filter((park) => target === null || park.target.stateId === target.stateId).length
  mind.remember({
    kind: 'lift',
    at: engine.now,
    origin: store.origin,
    id: mind.eventId(),
    target: target === null ? null : refOf(target),
  })
  return { lifted }
}
