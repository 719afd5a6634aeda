/** Writes a request for one target and starts the call: dialect, the provider's quirks, learned repairs, deadlines. */

import type { Dialect } from '../dialects/dialect.ts'
import { dialectOf } from '../dialects/dialects.ts'
import type { Target } from '../domain/target.ts'
import { type Call, startCall } from '../upstream/call.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'
import type { Seat } from './roster.ts'
import { spliceRequest } from './splice.ts'

/**
 * `mostOutputTokens`: a limit to send along, because a hard budget needs one and the request has none; null for none.
 * `allowedMs`: the target's own time to its first content; default what was learned of it.
 */
export function writeCall(
  engine: Engine,
  target: Target,
  seat: Seat,
  ask: Ask,
  mostOutputTokens: number | null,
  allowedMs = allowance(engine, target, seat, ask),
): Call {
  const { connection } = seat
  const dialect = ask.dialectFor?.(connection.dialect) ?? dialectOf(connection.dialect)
  const leftMs = ask.deadlineAt - engine.parts.tools.monotonic()
  return startCall(
    {
      connection,
      dialect,
      model: target.model,
      ...written(engine, target, seat, ask, dialect, mostOutputTokens),
      headers: ask.wire?.dialect === dialect.id ? ask.wire.headers : NO_HEADERS,
      stream: ask.request.stream,
      firstContentMs: Math.max(1, Math.min(leftMs, allowedMs)),
      allowance: leftMs < allowedMs ? 'total' : 'first-token',
      idleMs: engine.roster.config.settings.timeouts.idleMs,
    },
    engine.parts.tools,
  )
}

const NO_HEADERS: readonly string[] = []

function allowance({ parts, roster }: Engine, target: Target, { connection }: Seat, ask: Ask): number {
  const { firstTokenMs } = roster.config.settings.timeouts
  return parts.mind.patience.firstContentMs(target, ask, firstTokenMs, connection.spec.firstTokenMs)
}

/** The client's own bytes where nothing but the model has to change, else the request written anew. */
function written(
  engine: Engine,
  target: Target,
  seat: Seat,
  ask: Ask,
  dialect: Dialect,
  maxTokens: number | null,
): { path: string; body: string | Buffer } {
  const { settings } = engine.roster.config
  const change = seat.connection.spec.quirks?.body
  if (ask.wire?.dialect === dialect.id && change === undefined && !engine.parts.repairs.has(target)) {
    const spliced = spliceRequest(ask.wire, ask.request, target.model, maxTokens)
    if (spliced !== null) return spliced
  }
  const request = maxTokens === null ? ask.whole() : { ...ask.whole(), maxTokens }
  const { path, body } = dialect.upstream.writeRequest(request, target.model)
  const facts = {
    model: target.model,
    stream: ask.request.stream,
    freeOnly: settings.freeOnly,
    noTraining: settings.privacy === 'no_training',
  }
  const changed = change?.(body, facts) ?? body
  return { path, body: JSON.stringify(engine.parts.repairs.apply(target, changed)) }
}
