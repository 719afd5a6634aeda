/** The rules about what is written down, checked when a simulated world is over: the ledger against the providers' own. */

import type { AttemptEvent, Store } from '../../domain/store.ts'
import type { Budgets } from '../../money/budget.ts'
import { type Budget, budgetId } from '../../money/budgetRule.ts'
import { calendarPeriod } from '../../money/period.ts'
import { scopeCovers } from '../../money/scope.ts'
import { nameOf, rowName } from './checks.ts'
import type { ClientRequest } from './clients.ts'
import type { MachineProcess } from './eventHeap.ts'
import type { History } from './history.ts'
import type { SimulatedCall } from './simulatedNetwork.ts'

interface LedgerOptions {
  readonly history: History
  readonly store: Store
  readonly calls: readonly SimulatedCall[]
  readonly requests: readonly ClientRequest[]
  /** By the origin of its store. */
  readonly processes: ReadonlyMap<string, MachineProcess>
  /** Processes that ended while the disk failed, and said that rows were lost. */
  readonly lostRows: ReadonlySet<MachineProcess>
  readonly budgets: readonly Budget[]
  /** No process was killed, which leaves what it had put aside, and no clock was set. */
  readonly isEven: boolean
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
  demandNoOverspend(options, rows)
  demandEvenCounters(options, rows)
}

const firstOf = (call: SimulatedCall): SimulatedCall => (call.repeats === null ? call : firstOf(call.repeats))

type Rows = ReadonlyMap<string, readonly AttemptEvent[]>
type Calls = ReadonlyMap<string, readonly SimulatedCall[]>

/**
 * Rule 4. Every call is one row of the ledger: no row without a call, no call with two rows. A process that was killed
 * may have lost what it had told nobody, and one that ended while nothing could be written what it says is lost.
 */
function demandEachOnce({ history, requests, lostRows }: LedgerOptions, rowsOf: Rows, callsOf: Calls): void {
  for (const [key, rows] of rowsOf) {
    const calls = callsOf.get(key)?.length ?? 0
    // A process that is to end ends what it begins before it is sent.
    const unsent = rows.filter(({ failure }) => failure?.kind === 'client_gone').length
    if (rows.length - (calls === 0 ? unsent : 0) > calls)
      history.violated(
        'recorded-once',
        `${rows.length} rows for ${calls} calls: ${key} (${rows.map(({ failure }) => failure?.kind ?? 'ok').join(', ')})`,
        { target: rowName(rows[0]!) },
      )
  }
  const acknowledged = new Set(requests.filter(isAcknowledged).flatMap(({ calls }) => calls))
  for (const [key, calls] of callsOf) {
    const missing = calls.length - (rowsOf.get(key)?.length ?? 0)
    const mayMiss = calls.filter(
      (call) => lostRows.has(call.process) || (!call.process.isAlive && !acknowledged.has(call)),
    ).length
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
 * Rule 1. In no period a hard budget is exceeded by what the ledger holds. What was under way in a process that was
 * killed may have been billed beyond that (docs/decisions/leases.md).
 */
function demandNoOverspend({ history, budgets }: LedgerOptions, rows: readonly AttemptEvent[]): void {
  for (const budget of budgets.filter(({ hard }) => hard))
    for (const [start, amount] of spentOf(budget, rows))
      if (amount > budget.limit)
        history.violated(
          'overspend',
          `budget ${budget.scope} of ${budget.limit} per ${budget.per} has ${amount} ${budget.unit} from ${new Date(start).toISOString()}`,
        )
}

/** What the rows say was spent, by the start of the period. */
function spentOf(budget: Budget, rows: readonly AttemptEvent[]): ReadonlyMap<number, number> {
  const spent = new Map<number, number>()
  for (const row of rows) {
    if (!scopeCovers(budget.covers, budget.fingerprint, row.target, row.labels, row.token)) continue
    const { start } = calendarPeriod(budget.per, row.startedAt, budget.timeZone)
    spent.set(start, (spent.get(start) ?? 0) + (budget.unit === 'usd' ? (row.costNanoUsd ?? 0) : 1))
  }
  return spent
}

/**
 * Rule 7. What a budget says was spent is the sum of its rows, in every process, and when all have ended in an orderly
 * way the counter that they share holds that and nothing else.
 */
export function checkSpent(history: History, name: string, budgets: Budgets, store: Store, now: number): void {
  const rows = store.attempts({ order: 'oldest' })
  const views = budgets.view(now)
  budgets.rules.forEach((budget, place) => {
    const { start } = calendarPeriod(budget.per, now, budget.timeZone)
    const booked = spentOf(budget, rows).get(start) ?? 0
    const spent = views[place]?.spent
    if (spent !== booked)
      history.violated(
        'spent',
        `${name} says that ${spent} ${budget.unit} of the budget ${budget.scope} per ${budget.per} are spent, its rows say ${booked}`,
        { process: name },
      )
  })
}

function demandEvenCounters({ history, budgets, store, isEven }: LedgerOptions, rows: readonly AttemptEvent[]): void {
  if (!isEven) return
  for (const budget of budgets.filter(({ hard }) => hard)) {
    const spent = spentOf(budget, rows)
    const prefix = `budget:${budgetId(budget)}:`
    for (const [name, value] of store.listCounters(prefix)) {
      const start = name.slice(prefix.length)
      if (!/^\d+$/.test(start)) continue
      const booked = spent.get(Number(start)) ?? 0
      if (value !== booked)
        history.violated(
          'spent',
          `the counter of the budget ${budget.scope} per ${budget.per} from ${new Date(Number(start)).toISOString()} holds ${value} when all have ended, its rows say ${booked}`,
        )
    }
  }
}
