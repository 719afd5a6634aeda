/** The delay of the event loop of every running gateway, as each leaves it in the store once a minute. */

import { asNumber, asRecord } from '../domain/json.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { EventLoopReading } from '../observe/eventLoopDelay.ts'

export interface EventLoopStatus extends EventLoopReading {
  /** The id of the gateway's process. */
  readonly process: number
  /** ISO 8601. */
  readonly measuredAt: string
  /** For people. */
  readonly text: string
}

/** Where gateways leave their readings, by process id. */
export const EVENT_LOOPS = 'eventLoops'
/** A gateway that left none for this long does not run any more. */
export const STALE_MS = 180_000

export function eventLoopStatus(process: number, reading: EventLoopReading, at: number): EventLoopStatus {
  return {
    process,
    ...reading,
    measuredAt: new Date(at).toISOString(),
    text: `${reading.degraded ? 'degraded: ' : ''}the gateway's event loop (process ${process}) ran late by ${reading.p50Ms} ms (median), ${reading.p99Ms} ms (99 %), at most ${reading.maxMs} ms`,
  }
}

/** `own`: the reading of the process that asks, in place of the one it left. */
export function eventLoopsView({ store, now }: Pick<EngineReader, 'store' | 'now'>, own?: EventLoopStatus) {
  const others = store.listDocs(EVENT_LOOPS).flatMap(([key, value]): EventLoopStatus[] => {
    const found = asRecord(value)
    const [at, p50Ms, p99Ms, maxMs] = ['at', 'p50Ms', 'p99Ms', 'maxMs'].map((name) => asNumber(found?.[name]))
    if (at === undefined || p50Ms === undefined || p99Ms === undefined || maxMs === undefined) return []
    if (Number(key) === own?.process || at < now - STALE_MS) return []
    const degraded = found?.['degraded'] === true
    return [eventLoopStatus(Number(key), { p50Ms, p99Ms, maxMs, degraded }, at)]
  })
  return own === undefined ? others : [own, ...others]
}
