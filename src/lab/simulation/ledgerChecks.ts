/** The rules about what is written down, checked when a simulated world is over: the ledger against the providers' own. */

import type { AttemptEvent, Store } from '../../domain/store.ts'
import type { Budget } from '../../money/budgetRule.ts'
import { calendarPeriod } from '../../money/period.ts'
import { scopeCovers } from '../../money/scope.ts'
import { nameOf, rowName } from './checks.ts'
import type { ClientRequest } from './clients.ts'
import type { MachineProcess } from './eventHeap.ts'
import type { History } from './history.ts'
import type { SimulatedCall } from './simulatedNetwork.ts'

export interface LedgerOptions {
  readonly history: History
  readonly store: Store
  readonly calls: readonly SimulatedCall[]
  readonly requests: readonly ClientRequest[]
  /** By the origin of its store. */
  readonly processes: ReadonlyMap<string, MachineProcess>
  readonly budgets: readonly Budget[]
}

/** A row and a call are one when target, process and time are. */
const keyOf = (process: string, target: string, at: number) => `${process} ${target} ${at}`

export function checkLedger(options: LedgerOptions): void {
  const rows = options.store.attempts({ order: 'oldest' })
  const rowsOf = new Map<string, AttemptEvent[]>()
  for (const row of rows) {
    const key = keyOf(options.processes.get(row.origin)?.name ?? row.origin, rowName(row), row.startedAt)
    rowsOf.set(key, [...(rowsOf.get(key) ?? []), row])
  }
  const callsOf = new Map<string, SimulatedCall[]>()
  // Of an attempt that was sent twice the second call counts.
  const replaced = new Set(options.calls.flatMap(({ repeats }) => repeats ?? []))
  for (const call of options.calls) {
    if (replaced.has(call)) continue
    const key = keyOf(call.process.name, nameOf(call), firstOf(call).clockAt)
    callsOf.set(key, [...(callsOf.get(key) ?? []), call])
  }
  demandEachOnce(options, rowsOf, callsOf)
  demandTrueCosts(options, rowsOf, callsOf)
  demandNoOverspend(options, rows, rowsOf, callsOf)
}

const firstOf = (call: SimulatedCall): SimulatedCall => (call.repeats === null ? call : firstOf(call.repeats))

type Rows = ReadonlyMap<string, readonly AttemptEvent[]>
type Calls = ReadonlyMap<string, readonly SimulatedCall[]>

/**
 * Rule 4. Every call is one row of the ledger: no row without a call, no call with two rows. A process that was killed
 * may have lost what it had told nobody.
 */
function demandEachOnce({ history, requests }: LedgerOptions, rowsOf: Rows, callsOf: Calls): void {
  for (const [key, rows] of rowsOf) {
    const calls = callsOf.get(key)?.length ?? 0
    // A process that is to end ends what it begins before it is sent.
    const unsent = rows.filter(({ failure }) => failure?.kind === 'client_gone').length
    if (rows.length - (calls === 0 ? unsent : 0) > calls)
      history.violated('recorded-once', `${rows.length} rows for ${calls} calls: ${key} (${rows.map(({ failure }) => failure?.kind ?? 'ok').join(', ')})`, { target: rowName(rows[0]!) })
  }
  const acknowledged = new Set(requests.filter(isAcknowledged).flatMap(({ calls }) => calls))
  for (const [key, calls] of callsOf) {
    const missing = calls.length - (rowsOf.get(key)?.length ?? 0)
    const mayMiss = calls.filter((call) => !call.process.isAlive && !acknowledged.has(call)).length
    if (missing > mayMiss) {
      const [call] = calls
      history.violated('recorded-once', `${missing} of ${calls.length} calls have no row: ${key}`, {
        request: call?.request ?? null,
        target: nameOf(call!),
      })
    }
  }
}

/** A plain answer is given when its row is safe. */
function isAcknowledged({ outcome, stream }: ClientRequest): boolean {
  return outcome?.kind === 'answer' && !stream && !outcome.wasDegraded
}

/** Rule 7. What an answer cost that arrived whole is what its provider bills for it, to the billionth. */
function demandTrueCosts({ history }: LedgerOptions, rowsOf: Rows, callsOf: Calls): void {
  for (const [key, [call, ...others]] of callsOf) {
    const [row] = rowsOf.get(key) ?? []
    if (call === undefined || row === undefined || others.length > 0 || !row.ok || call.answer === null) continue
    if (row.costNanoUsd !== call.answer.nanoUsd)
      history.violated('true-cost', `${key} cost ${call.answer.nanoUsd} and is booked as ${row.costNanoUsd}`, {
        request: call.request,
        target: nameOf(call),
      })
  }
}

/**
 * Rule 1. In no period a hard budget is exceeded: by what the ledger holds, together with what was billed for calls
 * whose process was killed before it wrote them down.
 */
function demandNoOverspend(
  { history, budgets, requests }: LedgerOptions,
  rows: readonly AttemptEvent[],
  rowsOf: Rows,
  callsOf: Calls,
): void {
  const teamOf = new Map(requests.map(({ number, team }) => [number, team]))
  for (const budget of budgets.filter(({ hard }) => hard)) {
    const spent = new Map<number, number>()
    const add = (at: number, amount: number) => {
      const { start } = calendarPeriod(budget.per, at, budget.timeZone)
      spent.set(start, (spent.get(start) ?? 0) + amount)
    }
    for (const row of rows)
      if (scopeCovers(budget.covers, budget.fingerprint, row.target, row.labels, row.token))
        add(row.startedAt, budget.unit === 'usd' ? (row.costNanoUsd ?? 0) : 1)
    for (const [key, calls] of callsOf)
      for (const call of calls.slice(rowsOf.get(key)?.length ?? 0)) {
        const team = call.request === null ? undefined : teamOf.get(call.request)
        const payee = { provider: call.provider, model: call.model, keyIndex: call.key, fingerprint: '', account: '' }
        if (scopeCovers(budget.covers, budget.fingerprint, payee, team === undefined ? {} : { team }, null))
          add(call.clockAt, budget.unit === 'usd' ? (call.answer?.nanoUsd ?? 0) : 1)
      }
    for (const [start, amount] of spent)
      if (amount > budget.limit)
        history.violated(
          'overspend',
          `budget ${budget.scope} of ${budget.limit} per ${budget.per} has ${amount} ${budget.unit} from ${new Date(start).toISOString()}`,
        )
  }
}
