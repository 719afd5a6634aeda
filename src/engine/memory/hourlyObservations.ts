/** Cost so far and distribution of latencies of every target, folded from the events; shown, not used for routing. */

import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { StoreEvent } from '../../domain/store.ts'

interface ObservedTarget {
  /** Integer nano-USD, over all known costs. */
  readonly costNanoUsd: number
  /** Attempts whose price is unknown; they are not in `costNanoUsd`. */
  readonly unpriced: number
}

interface ObservedHour {
  costNanoUsd: number
  unpriced: number
  /** Answers by the logarithm of their latency. */
  readonly times: Float64Array
  count: number
}

/** Four buckets per doubling: a percentile is off by at most 9 %. */
const PER_DOUBLING = 4
/** Up to 2^21 ms, 35 minutes. */
const BUCKETS = 21 * PER_DOUBLING
/** Beyond this many answers all counts are halved, so that about the last thousand are shown. */
const MEMORY = 1000
const VERSION = 1

export class HourlyObservations {
  readonly #rows = new Map<string, ObservedHour>()

  /** Folds one event; only attempts count. */
  fold(event: StoreEvent): void {
    if (event.kind !== 'attempt') return
    const row = this.#row(event.target.stateId)
    if (event.costNanoUsd === null) row.unpriced++
    row.costNanoUsd += event.costNanoUsd ?? event.costRange?.atLeast ?? 0
    if (!event.ok || !(event.latencyMs >= 0)) return
    const bucket = bucketOf(event.latencyMs)
    row.times[bucket] = (row.times[bucket] ?? 0) + 1
    if (++row.count >= 2 * MEMORY) halve(row)
  }

  of(stateId: string): ObservedTarget | undefined {
    return this.#rows.get(stateId)
  }

  /** The 95th percentile of recent latencies in milliseconds; null without an answer. */
  p95Ms(stateId: string): number | null {
    const row = this.#rows.get(stateId)
    return row === undefined || row.count === 0 ? null : percentile(row, 0.95)
  }

  toJson(): Json {
    const rows = [...this.#rows].map(([stateId, { costNanoUsd, unpriced, times }]) => {
      const filled = [...times].flatMap((count, bucket) => (count > 0 ? [[bucket, count]] : []))
      return [stateId, costNanoUsd, unpriced, filled]
    })
    return { version: VERSION, rows }
  }

  /** Reads what `toJson` wrote; invalid entries are dropped. */
  static fromJson(json: unknown): HourlyObservations {
    const observed = new HourlyObservations()
    const record = asRecord(json)
    if (record?.['version'] !== VERSION) return observed
    for (const entry of asArray(record['rows']) ?? []) observed.#restore(asArray(entry) ?? [])
    return observed
  }

  #restore([id, cost, unpriced, filled]: readonly unknown[]): void {
    const stateId = asString(id)
    if (stateId === undefined) return
    const row = this.#row(stateId)
    row.costNanoUsd = asNumber(cost) ?? 0
    row.unpriced = asNumber(unpriced) ?? 0
    for (const pair of asArray(filled) ?? []) {
      const [bucket, count] = asArray(pair) ?? []
      if (typeof bucket !== 'number' || !(bucket in row.times) || !((asNumber(count) ?? 0) > 0)) continue
      const times = asNumber(count) ?? 0
      row.times[bucket] = times
      row.count += times
    }
  }

  #row(stateId: string): ObservedHour {
    const known = this.#rows.get(stateId)
    if (known !== undefined) return known
    const row = { costNanoUsd: 0, unpriced: 0, times: new Float64Array(BUCKETS), count: 0 }
    this.#rows.set(stateId, row)
    return row
  }
}

function bucketOf(ms: number): number {
  return Math.min(BUCKETS - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, ms)) * PER_DOUBLING)))
}

function halve(row: ObservedHour): void {
  row.count = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const half = (row.times[bucket] ?? 0) / 2
    row.times[bucket] = half
    row.count += half
  }
}

/** Interpolates the percentile within its bucket by rank. */
function percentile({ times, count }: ObservedHour, share: number): number {
  let below = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const here = times[bucket] ?? 0
    if (here > 0 && below + here >= share * count) {
      const part = (share * count - below) / here
      return Math.round(2 ** ((bucket + part) / PER_DOUBLING))
    }
    below += here
  }
  return Math.round(2 ** (BUCKETS / PER_DOUBLING))
}
