/** What budgets read from the ledger: what was spent, and what killed processes left unaccounted for. */

import { wasCutOff } from '../domain/cutOff.ts'
import type { AttemptEvent, LedgerFilter, LedgerSum, Store } from '../domain/store.ts'
import { amountIn, type BudgetCounter } from './budgetCounter.ts'
import type { Budget } from './budgetRule.ts'
import { type Counters, lastBeat } from './lease.ts'
import type { Period } from './period.ts'
import { RecentSpend } from './recent.ts'
import { isAccount, scopeCovers } from './scope.ts'

export type Ledger = Pick<Store, 'attempts' | 'sums' | 'lastSeq'>

/** Money that a process had reserved when it was killed. */
export interface Abandoned {
  readonly scope: string
  readonly origin: string
  /** In the budget's unit; 0 where it had spent all that it leased. */
  readonly amount: number
  readonly unit: Budget['unit']
  /** Called only by `Budgets.forgive`. */
  giveBack(): void
}

/**
 * Fills the tallies from the ledger, and raises the counters of budgets that are newer than their period. Returns the
 * position in the log up to which everything is counted; repeats while other processes write, so no row is counted
 * twice or lost. Sums go by the time an attempt ended; one that crossed the end of a period counts in the later one
 * until that ends.
 */
export function rebuild(budgetCounters: readonly BudgetCounter[], ledger: Ledger, now: number): number {
  let seq = ledger.lastSeq()
  for (let round = 0; round < 5; round++) {
    for (const budgetCounter of budgetCounters) rebuildPurse(budgetCounter, ledger, now)
    const after = ledger.lastSeq()
    if (after === seq) break
    seq = after
  }
  for (const budgetCounter of budgetCounters) budgetCounter.crossings()
  return seq
}

function rebuildPurse(budgetCounter: BudgetCounter, ledger: Ledger, now: number): void {
  rebuildRecent(budgetCounter, ledger, now)
  budgetCounter.tally.clear()
  budgetCounter.tally.roll(now)
  for (const slot of windowOf(budgetCounter, now)) {
    const spent = spentIn(budgetCounter, ledger, slot)
    budgetCounter.tally.add(slot.start, spent.amount, spent.unpriced)
    budgetCounter.lease?.raiseTo(slot.start, spent.amount)
  }
}

const HOUR_MS = 3_600_000

/** By whole hours, which the ledger has sums of. */
function rebuildRecent(budgetCounter: BudgetCounter, ledger: Ledger, now: number): void {
  const { recent } = budgetCounter
  recent.clear()
  let isFirst = true
  for (const [start, { amount, calls }] of hoursSince(RecentSpend.since(now), budgetCounter, ledger)) {
    recent.add(isFirst && amount > 0 ? firstIn(budgetCounter, ledger, start) : start, amount, calls)
    isFirst &&= amount === 0
  }
}

/** What was spent in each hour, oldest first. */
function hoursSince(
  since: number,
  budgetCounter: BudgetCounter,
  ledger: Ledger,
): readonly (readonly [start: number, spending: SlotSpending])[] {
  const { budget } = budgetCounter
  const filter = filterOf(budgetCounter, { start: since, end: Number.POSITIVE_INFINITY })
  const parts = new Map<number, SlotSpending[]>()
  const add = (start: number, part: SlotSpending) => parts.set(start, [...(parts.get(start) ?? []), part])
  if (namesPlace(budget)) {
    for (const row of ledger.attempts(filter))
      if (isCovered(budgetCounter, row)) add(row.at - (row.at % HOUR_MS), spendingOf(row, budget))
  } else {
    const { covers: scope } = budget
    for (const sum of ledger.sums(filter, ['hour', scope.kind === 'account' ? 'account' : 'source'])) {
      const [hour = '', account = ''] = sum.group
      if (scope.kind !== 'account' || isAccount(scope.account, account))
        add(Date.parse(hour), spendingOfSum(sum, budget))
    }
  }
  return [...parts].map(([start, all]) => [start, addUp(all)] as const).sort(([one], [other]) => one - other)
}

/** The first rows of an hour that are looked at for one that cost something. */
const FIRST_ROWS = 100

/** When the first call of the hour began that cost something; the hour's beginning where that is not soon found. */
function firstIn(budgetCounter: BudgetCounter, ledger: Ledger, start: number): number {
  const filter = filterOf(budgetCounter, { start, end: start + HOUR_MS })
  const first = ledger
    .attempts({ ...filter, order: 'oldest', limit: FIRST_ROWS })
    .find((row) => isCovered(budgetCounter, row) && spendingOf(row, budgetCounter.budget).amount > 0)
  return Math.max(first?.startedAt ?? start, start)
}

/** The slots of the window that ends with the current one, oldest first. */
function windowOf({ slots }: BudgetCounter, now: number): readonly Period[] {
  const current = slots.at(now)
  const window: Period[] = []
  for (let step = -slots.back; step < 0; step++) window.push(slots.at(slots.shifted(current.start, step)))
  window.push(current)
  return window
}

/** The ledger finds keys by fingerprint only; a budget that names an index in the file must read the rows. */
function namesPlace({ covers: scope, fingerprint }: Budget): boolean {
  return scope.kind === 'target' && scope.keyIndex !== null && fingerprint === null
}

/** Whether hourly sums cannot give what was spent: they have no labels, and only UTC hours. */
export function isCountedByRows(budget: Budget): boolean {
  return budget.covers.kind === 'label' || namesPlace(budget) || budget.rolling || budget.timeZone !== 'UTC'
}

interface SlotSpending {
  readonly amount: number
  readonly calls: number
  readonly unpriced: number
}

function spentIn(budgetCounter: BudgetCounter, ledger: Ledger, slot: Period): SlotSpending {
  const { budget } = budgetCounter
  const { covers: scope } = budget
  const filter = filterOf(budgetCounter, slot)
  if (namesPlace(budgetCounter.budget)) {
    return addUp(
      ledger
        .attempts(filter)
        .filter((row) => isCovered(budgetCounter, row))
        .map((row) => spendingOf(row, budget)),
    )
  }
  const sums = ledger.sums(filter, [scope.kind === 'account' ? 'account' : 'source'])
  const mine = scope.kind === 'account' ? sums.filter((sum) => isAccount(scope.account, sum.group[0] ?? '')) : sums
  return addUp(mine.map((sum) => spendingOfSum(sum, budget)))
}

function filterOf({ budget }: BudgetCounter, { start, end }: Period): LedgerFilter {
  const time = { since: start, ...(Number.isFinite(end) ? { until: end } : {}) }
  const scope = budget.covers
  switch (scope.kind) {
    case 'all':
    case 'account':
      return time
    case 'label':
      return { ...time, label: { key: scope.key, value: scope.value } }
    case 'token':
      return { ...time, token: scope.token }
    case 'target':
      return {
        ...time,
        provider: scope.provider,
        ...(scope.model === null ? {} : { model: scope.model }),
        ...(budget.fingerprint === null ? {} : { fingerprint: budget.fingerprint }),
      }
  }
}

function isCovered({ budget }: BudgetCounter, row: AttemptEvent): boolean {
  return scopeCovers(budget.covers, budget.fingerprint, row.target, row.labels, row.token)
}

function spendingOf(row: AttemptEvent, { unit, hard }: Budget): SlotSpending {
  const range = row.costNanoUsd === null ? row.costRange : undefined
  const nanoUsd = hard && !wasCutOff(row) ? range?.atMost : range?.atLeast
  const tokens = (row.usage?.inputTokens ?? 0) + (row.usage?.outputTokens ?? 0)
  const amount = amountIn(unit, nanoUsd ?? row.costNanoUsd, tokens)
  return { amount: amount ?? 0, calls: 1, unpriced: unit === 'usd' && row.costNanoUsd === null ? 1 : 0 }
}

function spendingOfSum(sum: LedgerSum, { unit, hard }: Budget): SlotSpending {
  const calls = sum.attempts
  if (unit === 'requests') return { amount: calls, calls, unpriced: 0 }
  if (unit === 'tokens') return { amount: sum.inputTokens + sum.outputTokens, calls, unpriced: 0 }
  return { amount: sum.costNanoUsd + (hard ? sum.unsureNanoUsd : 0), calls, unpriced: sum.unpriced }
}

function addUp(parts: readonly SlotSpending[]): SlotSpending {
  let amount = 0
  let calls = 0
  let unpriced = 0
  for (const part of parts) {
    amount += part.amount
    calls += part.calls
    unpriced += part.unpriced
  }
  return { amount, calls, unpriced }
}

/** Leases of dead processes, minus what the ledger's rows account for: 0 where they account for all of it. */
export function abandonedLeases(
  budgetCounters: readonly BudgetCounter[],
  ledger: Ledger,
  isDead: (origin: string) => boolean,
  now: number,
): readonly Abandoned[] {
  const found: Abandoned[] = []
  for (const budgetCounter of budgetCounters) {
    const { lease } = budgetCounter
    if (lease === null) continue
    for (const slot of windowOf(budgetCounter, now)) {
      const leases = [...lease.leasesOfOthers(slot.start)].filter(([origin]) => isDead(origin))
      if (leases.length === 0) continue
      const explained = spentByOrigin(budgetCounter, ledger, slot)
      for (const [origin, leased] of leases) {
        const amount = Math.max(0, leased - (explained.get(origin) ?? 0))
        const giveBack = () => budgetCounter.lease?.giveBackFor(origin, slot.start, amount)
        found.push({ scope: budgetCounter.budget.scope, unit: budgetCounter.budget.unit, origin, amount, giveBack })
      }
    }
  }
  return found
}

function spentByOrigin(budgetCounter: BudgetCounter, ledger: Ledger, slot: Period): Map<string, number> {
  const byOrigin = new Map<string, number>()
  for (const row of ledger.attempts(filterOf(budgetCounter, { start: slot.start, end: Number.POSITIVE_INFINITY }))) {
    if (row.startedAt < slot.start || row.startedAt >= slot.end || !isCovered(budgetCounter, row)) continue
    const { amount } = spendingOf(row, budgetCounter.budget)
    byOrigin.set(row.origin, (byOrigin.get(row.origin) ?? 0) + amount)
  }
  return byOrigin
}

/** Deletes the signs of life of processes that ended long ago; a missing one means the same. */
export function sweepBeats(counters: Counters, now: number): void {
  for (const [name, beatAt] of counters.listCounters('budget-beat:'))
    if (now - beatAt > 86_400_000) {
      counters.deleteCounter(name)
      counters.deleteCounter(name.replace('budget-beat:', 'budget-gone:'))
    }
}

/** Whether the process showed a sign of life within `leaseMs`. */
export function isAlive(counters: Counters, origin: string, now: number, leaseMs: number): boolean {
  return now - lastBeat(counters, origin) <= leaseMs
}

/**
 * Declares a process dead, unless it shows a sign of life at the same moment: it writes its beat before it reads the
 * mark, and here the mark is written before the beat is read, so at least one of the two notices the other.
 */
export function markGone(counters: Counters, origin: string, now: number, leaseMs: number): boolean {
  counters.addToCounter(`budget-gone:${origin}`, 1)
  if (!isAlive(counters, origin, now, leaseMs)) return true
  counters.deleteCounter(`budget-gone:${origin}`)
  return false
}
