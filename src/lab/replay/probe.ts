/** One measurement of one target, read from a line of a trace. */

import type { FailureKind } from '../../domain/failure.ts'
import type { CsvRow } from './csv.ts'
import type { Conditions } from './world.ts'

export interface Probe {
  /** Epoch milliseconds. */
  readonly at: number
  readonly provider: string
  readonly model: string
  readonly conditions: Conditions
}

/** Where a trace measured no quality, all its answers are taken to be this good. */
const QUALITY = 0.8
/** Of a failure whose time was not recorded. */
const FAILURE_MS = 1000
const TIMEOUT_MS = 60_000

/** The failure kinds that correspond to the trace's own classes. */
const KINDS: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['rate_limit', 'rate_minute'],
  ['auth', 'auth_invalid'],
  ['payment', 'billing'],
  ['not_found', 'model_not_found'],
  // Every probe of these traces was the same small chat request: refusing it says what the model lacks.
  ['bad_request', 'unsupported'],
  ['server', 'server'],
  ['network', 'network'],
  ['timeout', 'timeout'],
  ['401', 'auth_invalid'],
  ['402', 'billing'],
  ['403', 'auth_forbidden'],
  ['404', 'model_not_found'],
  ['400', 'unsupported'],
  ['429', 'rate_minute'],
  ['503', 'overloaded'],
  ['529', 'overloaded'],
])

/** Null for a line without a time, or a success that took none. */
export function probeOf(row: CsvRow): Probe | null {
  const seconds = row.number('t_unix')
  const ok = row.text('ok') === '1'
  const total = firstNumber(row, 'total_ms', 'ttft_ms')
  if (!(seconds > 0) || (ok && !(total > 0))) return null
  const failure = KINDS.get(row.text('err_class')) ?? 'server'
  const quality = row.number('quality_0_100') / 100
  return {
    at: seconds * 1000,
    provider: row.text('provider') || 'unnamed',
    model: row.text('model'),
    conditions: {
      works: ok ? 1 : 0,
      firstTokenMs: ok ? Math.max(1, total) : FAILURE_MS,
      tokenMs: 0,
      quality: quality >= 0 && quality <= 1 ? quality : QUALITY,
      failure,
      failureMs: total > 0 ? total : failure === 'timeout' ? TIMEOUT_MS : FAILURE_MS,
      costUsd: ok ? Math.max(0, row.number('cost_usd') || 0) : 0,
    },
  }
}

/** A trace of times only, where a total of 0 means that no answer came. */
export function latencyProbe(row: CsvRow): Probe | null {
  const seconds = row.number('t_unix')
  const total = row.number('total_ms')
  if (!(seconds > 0)) return null
  return {
    at: seconds * 1000,
    provider: row.text('provider') || 'unnamed',
    model: row.text('model'),
    conditions: {
      works: total > 0 ? 1 : 0,
      firstTokenMs: total > 0 ? total : FAILURE_MS,
      tokenMs: 0,
      quality: QUALITY,
      failure: 'server',
      failureMs: FAILURE_MS,
      costUsd: 0,
    },
  }
}

function firstNumber(row: CsvRow, ...columns: readonly string[]): number {
  for (const column of columns) if (row.number(column) > 0) return row.number(column)
  return Number.NaN
}
