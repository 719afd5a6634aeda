/**
 * How much of a free quota was used before an attempt, over all processes on one store. A provider counts an attempt
 * somewhere between its beginning and its end, so of attempts at the same time nobody knows which was free, and the
 * answer has two ends: what was certainly counted before, and what may have been.
 *
 * Two shared counters per period: `used` is what attempts that ended have used, `held` the most that those under way
 * can use, and what killed processes left. Who begins reads `used`: all of that was counted before. Who ends reads
 * `held` and then adds itself to `used`, and lowers `held` last, so that whoever may have been counted before is seen
 * in one of the two.
 */

import type { AttemptEvent, LedgerSum, Store } from '../domain/store.ts'
import { type FreeQuota, freeQuotaId, isCounted } from './freeQuota.ts'
import type { Counters } from './lease.ts'
import { type Period, Slots } from './period.ts'

/** What an attempt used, or what of it was free, in the quota's unit: at least and at most. */
export interface FreeAmount {
  readonly least: number
  readonly most: number
}

/** An attempt under way; end it exactly once with `settle`. */
export interface FreeHold {
  readonly quota: FreeQuota
  /** Null while the counters cannot be read. */
  readonly slot: Slot | null
  /** What is held for it. */
  readonly most: number
  /** Certainly counted before it began. */
  readonly usedBefore: number
}

/** One period of one quota, as this process sees it. */
interface Slot {
  readonly period: Period
  readonly name: string
  /** The slot before it, while an attempt of that may still end in this one; null for none. */
  previous: string | null
  /** Nothing is left, and nothing will come back. */
  isSpent: boolean
}

interface FreeCountsOptions {
  readonly counters: Counters
  readonly ledger: Pick<Store, 'attempts' | 'sums'>
  /** Why the counters of other processes cannot be seen now; null while they can. */
  readonly trouble: () => string | null
}

/** How much of a quota is used now, in its unit. */
interface FreeUse {
  readonly used: number
  /** What attempts under way, and those of killed processes, may use beside it. */
  readonly held: number
  /** Epoch milliseconds; Infinity for never. */
  readonly resetsAt: number
}

const NONE: FreeAmount = { least: 0, most: 0 }

export class FreeCounts {
  readonly #counters: Counters
  readonly #ledger: FreeCountsOptions['ledger']
  readonly #trouble: () => string | null
  readonly #calendars = new Map<string, Slots>()
  /** The current slot of each quota. */
  readonly #slots = new Map<string, Slot>()

  constructor({ counters, ledger, trouble }: FreeCountsOptions) {
    this.#counters = counters
    this.#ledger = ledger
    this.#trouble = trouble
  }

  /** Before the call is sent. `most`: all that it can use. */
  begin(quota: FreeQuota, most: number, now: number): FreeHold {
    try {
      const slot = this.#slotAt(quota, now)
      // Towards the end of the period it may use of the next one.
      const isPaid = slot.isSpent && now < slot.period.end - LONG_ATTEMPT_MS
      if (isPaid) return { quota, slot, most: 0, usedBefore: quota.limit }
      this.#counters.addToCounter(`${slot.name}held`, most)
      const usedBefore = this.#counters.counter(`${slot.name}used`)
      slot.isSpent = usedBefore >= quota.limit
      return { quota, slot, most, usedBefore }
    } catch {
      // The store says so itself; meanwhile nothing is known to be free or billed.
      return { quota, slot: null, most: 0, usedBefore: 0 }
    }
  }

  /** Counts what it used, and returns how much was free of the most that it was. */
  settle(hold: FreeHold, amount: FreeAmount, now: number): FreeAmount {
    const unsure = { least: 0, most: Math.min(amount.most, hold.quota.limit) }
    if (hold.slot === null) return unsure
    try {
      const current = this.#slotAt(hold.quota, now)
      if (current.name !== hold.slot.name) return this.#cross(hold, hold.slot, current, amount)
      if (hold.usedBefore >= hold.quota.limit) return this.#paid(hold, hold.slot)
      return this.#count(hold, hold.slot, amount)
    } catch {
      return unsure
    }
  }

  /** What is used of it now. Throws StoreError when the store cannot be read. */
  use(quota: FreeQuota, now: number): FreeUse {
    const { name, period } = this.#slotAt(quota, now)
    const used = this.#counters.counter(`${name}used`)
    return { used, held: this.#counters.counter(`${name}held`), resetsAt: period.end }
  }

  /** Looks into the ledger again: another configuration may have made calls that were not counted. */
  recount(): void {
    this.#slots.clear()
  }

  #count({ quota, most, usedBefore }: FreeHold, slot: Slot, amount: FreeAmount): FreeAmount {
    const others = this.#heldBefore(slot) + this.#counters.counter(`${slot.name}held`) - most
    const used = this.#counters.addToCounter(`${slot.name}used`, amount.least).value - amount.least
    this.#counters.addToCounter(`${slot.name}held`, amount.most - amount.least - most)
    const mostFree = within(quota.limit - usedBefore, amount.most)
    if (this.#trouble() !== null) return { least: 0, most: mostFree }
    return { least: within(quota.limit - used - others, amount.most), most: mostFree }
  }

  /** Nothing was left when it began. */
  #paid({ most }: FreeHold, slot: Slot): FreeAmount {
    if (most > 0) this.#counters.addToCounter(`${slot.name}held`, -most)
    return NONE
  }

  /** It began in one period and ended in the next, and nobody knows in which of them it was counted. */
  #cross({ quota, most }: FreeHold, began: Slot, current: Slot, amount: FreeAmount): FreeAmount {
    this.#counters.addToCounter(`${current.name}held`, amount.most)
    if (most > 0) this.#counters.addToCounter(`${began.name}held`, -most)
    return { least: 0, most: Math.min(amount.most, quota.limit) }
  }

  /** What attempts of the period before may still use of this one. It only becomes less. */
  #heldBefore(slot: Slot): number {
    if (slot.previous === null) return 0
    const held = this.#counters.counter(`${slot.previous}held`)
    if (held <= 0) slot.previous = null
    return Math.max(0, held)
  }

  #slotAt(quota: FreeQuota, now: number): Slot {
    const id = freeQuotaId(quota)
    // Another limit is spent at another moment.
    const key = `${id} ${quota.limit}`
    const known = this.#slots.get(key)
    if (known !== undefined && now >= known.period.start && now < known.period.end) return known
    const calendar = this.#calendarOf(quota)
    const period = calendar.at(now)
    const before = period.start > 0 ? calendar.at(period.start - 1).start : null
    const previous = before === null ? null : nameOf(id, before)
    const slot: Slot = { period, name: nameOf(id, period.start), previous, isSpent: false }
    this.#catchUp(quota, slot)
    this.#forget(id, before ?? period.start)
    this.#slots.set(key, slot)
    return slot
  }

  #calendarOf({ per, timeZone }: FreeQuota): Slots {
    const key = `${per} ${timeZone}`
    const calendar = this.#calendars.get(key) ?? new Slots(per, false, timeZone)
    this.#calendars.set(key, calendar)
    return calendar
  }

  /**
   * Takes over what the ledger has of the period and the counters do not: a quota that is new within it, or that a
   * configuration did not have for a while. Held until it is decided who of several processes adds it.
   */
  #catchUp(quota: FreeQuota, { name, period }: Slot): void {
    const counters = this.#counters
    const { used, maybe } = this.#inLedger(quota, period)
    if (counters.counter(`${name}seeded`) > 0) {
      const missing = used - counters.counter(`${name}used`) - counters.counter(`${name}held`)
      if (missing > 0) counters.addToCounter(`${name}held`, missing)
      return
    }
    counters.addToCounter(`${name}held`, used + maybe)
    const isFirst = counters.addToCounter(`${name}seeded`, 1, 1).granted
    if (isFirst) counters.addToCounter(`${name}used`, used)
    counters.addToCounter(`${name}held`, isFirst ? -used : -used - maybe)
  }

  /** `maybe`: by attempts that began before the period, and by requests that failed. */
  #inLedger(quota: FreeQuota, { start }: Period): { readonly used: number; readonly maybe: number } {
    const { provider } = quota
    let used = 0
    let maybe = 0
    for (const sum of this.#ledger.sums({ since: start, provider }, ['account', 'model'])) {
      const [account = '', model = ''] = sum.group
      if (!isCounted(quota, { account, model })) continue
      used += ofSum(quota, sum)
      if (quota.unit === 'requests') maybe += sum.attempts - sum.successes
    }
    for (const row of this.#ledger.attempts({ since: start, until: start + LONG_ATTEMPT_MS, provider })) {
      if (row.startedAt >= start || !isCounted(quota, row.target)) continue
      used -= ofRow(quota, row)
      maybe += ofRow(quota, row)
    }
    return { used: Math.max(0, used), maybe }
  }

  /** Deletes the counters of periods long past. */
  #forget(id: string, before: number): void {
    const prefix = `free:${id}:`
    for (const [name] of this.#counters.listCounters(prefix))
      if (Number.parseInt(name.slice(prefix.length), 10) < before) this.#counters.deleteCounter(name)
  }
}

/** No attempt lasts longer. */
const LONG_ATTEMPT_MS = 3_600_000

const nameOf = (id: string, start: number) => `free:${id}:${start}:`

const within = (left: number, amount: number) => Math.min(Math.max(0, left), amount)

function ofSum({ unit }: FreeQuota, sum: LedgerSum): number {
  if (unit === 'requests') return sum.successes
  return unit === 'tokens' ? sum.inputTokens + sum.outputTokens : sum.costNanoUsd
}

function ofRow({ unit }: FreeQuota, { ok, usage, costNanoUsd }: AttemptEvent): number {
  if (unit === 'requests') return ok ? 1 : 0
  return unit === 'tokens' ? (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0) : (costNanoUsd ?? 0)
}
