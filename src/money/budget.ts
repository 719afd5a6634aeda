/**
 * Budgets that hold. Before a call its worst case is reserved in every budget that covers it; afterwards the actual
 * cost replaces the reservation.
 *
 * The shared counters decide whether there is room (see `lease.ts`), the ledger's rows say what was spent. Money
 * belongs to the period in which its attempt began.
 */

import type { CostRange } from '../domain/attempt.ts'
import { wasCutOff } from '../domain/cutOff.ts'
import type { AttemptEvent } from '../domain/store.ts'
import { addAmounts, MOST_NANO_USD } from './amount.ts'
import {
  amountIn,
  BudgetCounter,
  type BudgetShortage,
  type BudgetView,
  type Crossing,
  type KnownAmount,
  type Outlook,
  type SpendNeed,
} from './budgetCounter.ts'
import type { Budget } from './budgetRule.ts'
import { BUDGET_LEASE_MS, type Counters, type LeaseSlot } from './lease.ts'
import {
  type Abandoned,
  abandonedLeases,
  isAlive,
  isCountedByRows,
  type Ledger,
  markGone,
  rebuild,
  sweepBeats,
} from './ledger.ts'
import { RecentSpend } from './recent.ts'
import { isTargetScope, type Payee, scopeCovers } from './scope.ts'

/** A requested reservation. */
export interface SpendRequest {
  readonly target: Payee
  readonly labels?: Readonly<Record<string, string>> | null
  /** Name of the gateway token; null for the library. */
  readonly token?: string | null
  readonly worstCase: SpendNeed
}

export interface BudgetRefusal {
  readonly granted: false
  /** The budget that has no room. */
  readonly scope: string
  /** For display. */
  readonly reason: string
  /** Epoch milliseconds at which there is more room; null when unknown. */
  readonly resetsAt: number | null
  readonly onExceeded: 'fallback' | 'reject'
}

/** What is short, by refusal: worked out only for the few that a person is told of. */
const SHORTAGES = new WeakMap<BudgetRefusal, () => BudgetShortage>()

/** What was short for a call just refused; undefined where a price is not known, or the count is not. */
export const shortageBehind = (refusal: BudgetRefusal): BudgetShortage | undefined => SHORTAGES.get(refusal)?.()

/** A reservation; end it exactly once with `settle` or `release` (a second time has no effect). */
export interface BudgetHold {
  readonly granted: true
  readonly wanted: SpendRequest
  readonly startedAt: number
  readonly parts: readonly HoldPart[]
  open: boolean
}

interface HoldPart {
  readonly budgetCounter: BudgetCounter
  readonly slot: LeaseSlot | null
  readonly amount: number
  /** The price was unknown when it was reserved, so nothing was reserved. */
  readonly unpriced: boolean
}

/**
 * Whether the length of the answer must be limited to what was reserved, because a hard budget counts its cost or its
 * tokens; requests count the same whatever their length.
 */
export function bindsLength({ parts }: BudgetHold): boolean {
  return parts.some(
    ({ budgetCounter, slot, amount }) => slot !== null && amount > 0 && budgetCounter.budget.unit !== 'requests',
  )
}

/** What an attempt actually cost. */
interface Spent {
  /** Null when unknown: then what was reserved stays committed. */
  readonly nanoUsd: number | null
  /** What is known of an unknown cost. */
  readonly range?: CostRange | undefined
  /** Input and output tokens; null when not counted: then what was reserved is charged. */
  readonly tokens: number | null
}

interface BudgetsOptions {
  readonly budgets: readonly Budget[]
  /** The store, or anything else with counters. */
  readonly counters: Counters
  /** This process, as recorded in its events. */
  readonly origin: string
  /** `block`: a call of unknown price is refused by every budget in USD that covers it. Default `allow`. */
  readonly unknownPrice?: 'allow' | 'block'
  /** Why the counters cannot be relied on now; null while they can. Meanwhile hard budgets allow free calls only. */
  readonly trouble?: () => string | null
}

/** How often one looks for what killed processes left. */
const LOOK_MS = 5_000

export class Budgets {
  readonly #budgetCounters: readonly BudgetCounter[]
  /** Budgets whose scope depends on labels or the token. */
  readonly #personal: readonly BudgetCounter[]
  readonly #byTarget = new WeakMap<Payee, readonly BudgetCounter[]>()
  readonly #counters: Counters
  readonly #origin: string
  readonly #blocksUnknown: boolean
  readonly #trouble: () => string | null
  #folded = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #beatAt = 0
  #successor: Budgets | null = null
  #closed = false

  constructor({ budgets, counters, origin, unknownPrice = 'allow', trouble = () => null }: BudgetsOptions) {
    // Those that reject come first, so that a request that must fail does not look for another target.
    const ordered = budgets.toSorted((a, b) => Number(b.onExceeded === 'reject') - Number(a.onExceeded === 'reject'))
    this.#budgetCounters = ordered.map((budget) => new BudgetCounter(budget, counters, origin))
    this.#personal = this.#budgetCounters.filter((budgetCounter) => !isTargetScope(budgetCounter.budget.covers))
    this.#counters = counters
    this.#origin = origin
    this.#blocksUnknown = unknownPrice === 'block'
    this.#trouble = trouble
  }

  get isEmpty(): boolean {
    return this.#budgetCounters.length === 0
  }

  get rules(): readonly Budget[] {
    return this.#budgetCounters.map(({ budget }) => budget)
  }

  /** Reserves the worst case in every budget that covers the call, or in none. */
  reserve(wanted: SpendRequest, now: number): BudgetHold | BudgetRefusal {
    const parts: HoldPart[] = []
    try {
      this.#beat(now)
      for (const budgetCounter of this.#covering(wanted)) {
        const part = this.#put(budgetCounter, wanted, now)
        if ('budgetCounter' in part) parts.push(part)
        else return this.#undo(parts, part)
      }
      // Last, because only using the counters shows whether they work.
      const uncounted = this.#uncounted(parts)
      if (uncounted !== null) return this.#undo(parts, uncounted)
    } catch (error) {
      return this.#undo(parts, unreachable(error))
    }
    return { granted: true, wanted, startedAt: now, parts, open: true }
  }

  /** What `reserve` would refuse, as far as known without reading the store; for excluding targets beforehand. */
  peek(wanted: SpendRequest, now: number): BudgetRefusal | null {
    for (const budgetCounter of this.#covering(wanted)) {
      const amount = this.#amount(budgetCounter, wanted)
      if (amount === null) return this.#unknownPrice(budgetCounter, wanted)
      if (budgetCounter.lease === null) continue
      if (!budgetCounter.lease.fits(amount, now)) return refused(budgetCounter, wanted, amount, now)
      if (amount > 0 || isUnpriced(budgetCounter, wanted)) {
        const why = this.#trouble()
        if (why !== null) return inTrouble(budgetCounter, why)
      }
    }
    return null
  }

  /** Replaces the reservation by the cost of the attempt. Returns the thresholds it reached. */
  settle(hold: BudgetHold, spent: Spent): readonly Crossing[] {
    if (!hold.open) return NONE
    hold.open = false
    let crossings = NONE
    for (const part of hold.parts) {
      const { budgetCounter, slot, amount } = part
      const { charged, known } = amountsOf(budgetCounter, spent, amount)
      retryLater(() =>
        budgetCounter.settle(slot, amount, charged ?? (part.unpriced ? 0 : amount), known, hold.startedAt),
      )
      crossings = joined(crossings, budgetCounter.crossings())
    }
    if (!this.#closed) return crossings
    this.close(this.#successor)
    return this.#successor?.count(hold.wanted, spent, hold.startedAt) ?? crossings
  }

  /** Ends the reservation of a call that was never made: nothing was spent, and no request is counted. */
  release(hold: BudgetHold): void {
    if (!hold.open) return
    hold.open = false
    for (const { budgetCounter, slot, amount } of hold.parts) retryLater(() => budgetCounter.release(slot, amount))
    if (this.#closed) this.close(this.#successor)
  }

  /** Counts spending without a reservation here: by calls that began under the previous budgets. */
  count(wanted: Omit<SpendRequest, 'worstCase'>, spent: Spent, startedAt: number): readonly Crossing[] {
    let crossings = NONE
    for (const budgetCounter of this.#covering(wanted)) {
      budgetCounter.count(startedAt, amountsOf(budgetCounter, spent, 0).known)
      crossings = joined(crossings, budgetCounter.crossings())
    }
    return crossings
  }

  /** Counts an attempt of another process. Its own (by `origin`) and those that `open` has read already are skipped. */
  fold(event: AttemptEvent & { readonly seq?: number }): readonly Crossing[] {
    if (event.origin === this.#origin || (event.seq ?? Number.POSITIVE_INFINITY) <= this.#folded) return NONE
    let crossings = NONE
    for (const budgetCounter of this.#budgetCounters) {
      const { covers: scope, fingerprint } = budgetCounter.budget
      if (!scopeCovers(scope, fingerprint, event.target, event.labels, event.token)) continue
      const range = wasCutOff(event) ? undefined : event.costRange
      const spent = { nanoUsd: event.costNanoUsd, range, tokens: tokensOf(event) }
      budgetCounter.count(event.startedAt, amountsOf(budgetCounter, spent, 0).known)
      crossings = joined(crossings, budgetCounter.crossings())
    }
    return crossings
  }

  /**
   * Reads from the ledger what was spent in the current periods; call it once at startup, before the first `reserve`,
   * and after a change of the configuration.
   */
  open(ledger: Ledger, now: number): void {
    this.#folded = rebuild(this.#budgetCounters, ledger, now)
    sweepBeats(this.#counters, now)
    this.#beat(now)
  }

  /** The log was replaced by an empty one, whose positions start again: nothing in it has been read yet. */
  logRestarted(): void {
    this.#folded = 0
  }

  /**
   * Called every few seconds: records that this process is alive, returns what it leased and does not use, and what
   * processes left that have given no sign of life for a minute. Returns the list of those, for a person to read.
   */
  tick(now: number, ledger: Ledger): readonly Abandoned[] {
    this.#beat(now, 0)
    for (const { tally, lease } of this.#budgetCounters) {
      tally.roll(now)
      lease?.tick(now)
    }
    if (Math.abs(now - this.#lookedAt) < LOOK_MS) return []
    this.#lookedAt = now
    return this.forgive(ledger, now)
  }

  /**
   * Before the process ends, or when other budgets take over: returns everything that is leased but neither spent nor
   * in flight. Calls still in flight may be settled afterwards and are counted in the successor too, which must be
   * opened on a flushed ledger.
   */
  close(successor: Budgets | null = null): void {
    this.#closed = true
    this.#successor = successor
    for (const budgetCounter of this.#budgetCounters) retryLater(() => budgetCounter.lease?.returnIdle())
  }

  /** Spent in the current period of the first budget with that scope, in its unit; null when there is none. */
  spent(scope: string, now: number): number | null {
    const budgetCounter = this.#budgetCounters.find(({ budget }) => budget.scope === scope)
    budgetCounter?.tally.roll(now)
    return budgetCounter?.tally.spent ?? null
  }

  /**
   * How strongly soft budgets push towards targets cheaper than this one: 0 while spending is within its pace (see
   * `BudgetCounter.pressure`).
   */
  pressure(wanted: Omit<SpendRequest, 'worstCase'>): number {
    let sum = 0
    for (const budgetCounter of this.#covering(wanted)) sum += budgetCounter.pressure
    return sum
  }

  /** The earliest ledger rows, and hourly sums, needed to recount the budgets; Infinity for none. */
  needsSince(now: number): { readonly rows: number; readonly sums: number } {
    let rows = Number.POSITIVE_INFINITY
    let sums = Number.POSITIVE_INFINITY
    for (const { budget, slots } of this.#budgetCounters) {
      // The pace needs a day, whatever the period.
      const start = Math.min(slots.windowStart(slots.at(now).start), RecentSpend.since(now))
      sums = Math.min(sums, start)
      if (isCountedByRows(budget)) rows = Math.min(rows, start)
    }
    return { rows, sums }
  }

  view(now: number): readonly BudgetView[] {
    return this.#budgetCounters.map((budgetCounter) => budgetCounter.view(now))
  }

  /** The forecasts of all budgets for which there is one. */
  outlooks(now: number): readonly Outlook[] {
    return this.#budgetCounters.flatMap((budgetCounter) => budgetCounter.outlook(now) ?? [])
  }

  /** What killed processes had reserved and never settled. */
  #abandoned(ledger: Ledger, now: number): readonly Abandoned[] {
    const isDead = (origin: string) => !isAlive(this.#counters, origin, now, BUDGET_LEASE_MS)
    return abandonedLeases(this.#budgetCounters, ledger, isDead, now)
  }

  /**
   * Returns what processes left that were killed at least a minute ago, minus what they spent by the ledger: no process
   * settles it any more, and a budget must not stay closed for a month because of it. Returns the list of what was
   * returned, so that it can be said: a call in flight when its process was killed may have been billed.
   */
  forgive(ledger: Ledger, now: number): readonly Abandoned[] {
    const given: Abandoned[] = []
    for (const left of this.#abandoned(ledger, now)) {
      if (!markGone(this.#counters, left.origin, now, BUDGET_LEASE_MS)) continue
      left.giveBack()
      if (left.amount > 0) given.push(left)
    }
    return given
  }

  #covering(wanted: Omit<SpendRequest, 'worstCase'>): readonly BudgetCounter[] {
    const { target } = wanted
    let budgetCounters = this.#byTarget.get(target)
    if (budgetCounters === undefined) {
      budgetCounters = this.#budgetCounters.filter(({ budget }) =>
        scopeCovers(budget.covers, budget.fingerprint, target, null, null),
      )
      this.#byTarget.set(target, budgetCounters)
    }
    if (this.#personal.length === 0) return budgetCounters
    const personal = this.#personal.filter(({ budget }) =>
      scopeCovers(budget.covers, null, target, wanted.labels, wanted.token),
    )
    return personal.length === 0 ? budgetCounters : [...personal, ...budgetCounters]
  }

  #put(budgetCounter: BudgetCounter, wanted: SpendRequest, now: number): HoldPart | BudgetRefusal {
    const amount = this.#amount(budgetCounter, wanted)
    if (amount === null) return this.#unknownPrice(budgetCounter, wanted)
    const slot = budgetCounter.reserve(amount, now)
    if (slot === false) return refused(budgetCounter, wanted, amount, now)
    return { budgetCounter, slot, amount, unpriced: isUnpriced(budgetCounter, wanted) }
  }

  /** The amount to reserve; null when the price is unknown and that is not allowed. */
  #amount(budgetCounter: BudgetCounter, wanted: SpendRequest): number | null {
    const { nanoUsd, inputTokens, outputTokens } = wanted.worstCase
    const { unit, hard, limit } = budgetCounter.budget
    const amount = amountIn(unit, amountOrNull(nanoUsd), amountOrNull(inputTokens + outputTokens) ?? MOST_NANO_USD)
    if (amount !== null) return amount
    return this.#blocksUnknown || (hard && limit === 0) ? null : 0
  }

  #unknownPrice({ budget }: BudgetCounter, { target }: SpendRequest): BudgetRefusal {
    const why = this.#blocksUnknown ? 'settings.unknown_price is "block"' : 'nothing may be spent'
    const reason = `budget ${budget.scope}: the price of ${target.provider}/${target.model} is unknown and ${why}; give it a "price" in the configuration`
    return { granted: false, scope: budget.scope, reason, resetsAt: null, onExceeded: budget.onExceeded }
  }

  /** A hard budget holds only if other processes see its count; a free call needs no count. */
  #uncounted(parts: readonly HoldPart[]): BudgetRefusal | null {
    const paid = parts.find(({ slot, amount, unpriced }) => slot !== null && (amount > 0 || unpriced))
    const why = paid === undefined ? null : this.#trouble()
    return paid === undefined || why === null ? null : inTrouble(paid.budgetCounter, why)
  }

  #undo(parts: readonly HoldPart[], refusal: BudgetRefusal): BudgetRefusal {
    for (const { budgetCounter, slot, amount } of parts) retryLater(() => budgetCounter.release(slot, amount))
    return refusal
  }

  /** Renews this process's sign of life when it is due; after being suspended, checks whether it was taken for dead. */
  #beat(now: number, every = BUDGET_LEASE_MS / 3): void {
    if (now - this.#beatAt < every) return
    const late = now - this.#beatAt >= BUDGET_LEASE_MS
    const beat = `budget-beat:${this.#origin}`
    this.#counters.addToCounter(beat, now - this.#counters.counter(beat))
    this.#beatAt = now
    const gone = `budget-gone:${this.#origin}`
    if (!late || this.#counters.counter(gone) === 0) return
    this.#counters.deleteCounter(gone)
    for (const budgetCounter of this.#budgetCounters) budgetCounter.lease?.forfeit()
  }
}

function refused(
  budgetCounter: BudgetCounter,
  { worstCase }: SpendRequest,
  amount: number,
  now: number,
): BudgetRefusal {
  const { scope, onExceeded } = budgetCounter.budget
  const why = budgetCounter.refusal(amount, worstCase, now)
  const refusal: BudgetRefusal = { granted: false, scope, ...why, onExceeded }
  SHORTAGES.set(refusal, () => budgetCounter.shortage(amount, now))
  return refusal
}

function isUnpriced({ budget }: BudgetCounter, { worstCase }: SpendRequest): boolean {
  return budget.unit === 'usd' && worstCase.nanoUsd === null
}

function inTrouble({ budget }: BudgetCounter, why: string): BudgetRefusal {
  const { scope, onExceeded } = budget
  const reason = `budget ${scope} cannot be counted now, so only what costs nothing is called: ${why}`
  return { granted: false, scope, reason, resetsAt: null, onExceeded }
}

function unreachable(error: unknown): BudgetRefusal {
  const why = error instanceof Error ? error.message : String(error)
  return {
    granted: false,
    scope: 'all',
    reason: `budgets cannot be checked: ${why}`,
    resetsAt: null,
    onExceeded: 'reject',
  }
}

/**
 * What an attempt takes from the limit (null: unknown), and what is shown of it. A hard budget takes the most that a cost
 * known in part can be; a soft one, and what it tells, the least.
 */
function amountsOf(
  { budget: { unit, hard } }: BudgetCounter,
  { nanoUsd, range, tokens }: Spent,
  uncounted: number,
): { readonly charged: number | null; readonly known: KnownAmount } {
  if (unit !== 'usd' || range === undefined) {
    const amount = amountIn(unit, amountOrNull(nanoUsd), amountOrNull(tokens) ?? uncounted)
    return { charged: amount, known: { amount: amount ?? 0, unpriced: amount === null ? 1 : 0 } }
  }
  const amount = amountOrNull(hard ? range.atMost : range.atLeast)
  return { charged: amount, known: { amount: amount ?? 0, unpriced: 1 } }
}

/** NaN and negative amounts count as unknown; fractions are rounded up. */
function amountOrNull(value: number | null): number | null {
  return value !== null && value >= 0 ? addAmounts(Math.ceil(value), 0) : null
}

/**
 * Memory is settled before the shared counter; when the counter cannot be reached the difference stays in the lease,
 * where the next tick or reservation finds it. The store reports its own failures.
 */
function retryLater(settle: () => void): void {
  try {
    settle()
  } catch {
    // See above: nothing is lost, and the counter is too high rather than too low.
  }
}

function tokensOf({ usage }: AttemptEvent): number {
  return usage === null ? 0 : usage.inputTokens + usage.outputTokens
}

function joined(a: readonly Crossing[], b: readonly Crossing[]): readonly Crossing[] {
  if (b.length === 0) return a
  return a.length === 0 ? b : [...a, ...b]
}

const NONE: readonly Crossing[] = []
