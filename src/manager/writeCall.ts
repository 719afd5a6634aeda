/** Writes a request for one target and starts the call: dialect, the provider's quirks, learned repairs, deadlines. */

import { dialectOf } from '../dialects/dialects.ts'
import type { Target } from '../domain/target.ts'
import { type Call, startCall } from '../upstream/call.ts'
import type { Ask } from './ask.ts'
import type { Engine } from './engine.ts'
import type { Seat } from './roster.ts'

export function writeCall(engine: Engine, target: Target, seat: Seat, ask: Ask): Call {
  const dialect = dialectOf(seat.connection.dialect)
  const settings = engine.roster.config.settings
  const written = dialect.upstream.writeRequest(ask.request, target.model)
  const facts = {
    model: target.model,
    stream: ask.request.stream,
    freeOnly: settings.freeOnly,
    noTraining: settings.privacy === 'no_training',
  }
  const quirky = seat.connection.spec.quirks?.body?.(written.body, facts) ?? written.body
  const body = engine.parts.repairs.apply(target, quirky)
  const leftMs = ask.deadlineAt - engine.parts.tools.monotonic()
  const allowedMs = engine.parts.mind.patience.firstContentMs(target, ask, settings.timeouts.firstTokenMs)
  return startCall(
    {
      connection: seat.connection,
      dialect,
      model: target.model,
      path: written.path,
      body: JSON.stringify(body),
      stream: ask.request.stream,
      firstContentMs: Math.max(1, Math.min(leftMs, allowedMs)),
      allowance: leftMs < allowedMs ? 'total' : 'first-token',
      idleMs: settings.timeouts.idleMs,
    },
    engine.parts.tools,
  )
}
