/** Live events for the dashboard and for scripts: `GET /api/events` as server-sent events. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { sseText } from '../../dialects/stream/sse.ts'
import type { Engine } from '../../engine/engine.ts'
import type { EventMap } from '../../observe/events.ts'

const NAMES = [
  'attempt',
  'decision',
  'exhausted',
  'recovered',
  'budget',
  'alert',
] as const satisfies readonly (keyof EventMap)[]
/** Comments as keep-alives, so that proxies do not close a quiet stream. */
const PULSE_MS = 15_000

export function streamEvents(engine: Engine, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
  if (request.method === 'HEAD') return void response.end()
  response.write(': keywise\n\n')
  const { events } = engine
  const stops = NAMES.map((name) => {
    // A slow reader misses events instead of filling the memory.
    const listener = (news: EventMap[typeof name]) =>
      void (response.writableNeedDrain || response.write(sseText(JSON.stringify(news), name)))
    events.on(name, listener)
    return () => events.off(name, listener)
  })
  const pulse = setInterval(() => response.write(': pulse\n\n'), PULSE_MS)
  pulse.unref()
  response.on('close', () => {
    clearInterval(pulse)
    for (const stop of stops) stop()
  })
}
