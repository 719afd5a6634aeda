/**
 * One hard limit shared by several processes without a disk access per request.
 *
 * The shared counter of a slot holds what all processes together have *committed*: spent, reserved, or leased for
 * later. The limit is checked against this counter only, and a process lowers it only by what it certainly did not use.
 * A killed process lowers nothing: what it had leased counts as spent until another one sees that it has given no sign of
 * life for `BUDGET_LEASE_MS`, and returns what the ledger does not have as spent. So while processes live, actual spending
 * is never above the counter, nor the counter above the limit; beyond it can only be what calls in flight cost when their
 * process was killed.
 *
 * A lease starts with exactly what the first request needs and grows with what this process has used, up to a sixteenth
 * of what is left; near the limit it is exact again and returned at each settlement. So little is ever left behind.
 */

import type { CounterResult } from '../domain/store.ts'
import type { Period, Slots } from './period.ts'
import type { Shares } from './shares.ts'

/** The part of `Store` that budgets count with; every call is atomic across processes. */
export interface Counters {
  addToCounter(name: string, amount: number, limit?: number): CounterResult
  counter(name: string): number
  listCounters(prefix: string): readonly (readonly [name: string, value: number])[]
  deleteCounter(name: string): void
}

/** After this time without a sign of life from its process, in milliseconds, a lease is returned. */
export const BUDGET_LEASE_MS = 60_000

/** This process's part of one slot. */
export interface LeaseSlot {
  readonly period: Period
  readonly name: string
  /** Committed by this process; `used` and `reserved` are parts of it. */
  leased: number
  used: number
  reserved: number
  /** What all processes had committed in the window when the counter was last read. */
  committed: number
}

interface LeaseOptions {
  /** Names the budget in all processes. */
  readonly id: string
  readonly limit: number
  readonly slots: Slots
  /** How the limit of a paced budget grows; null for others. */
  readonly shares?: Shares | null
}

const LOOK_MS = 1_000

/** A lease takes at most one part in this many of what is left. */
const LARGEST_SHARE = 16

export class Lease {
  readonly #counters: Counters
  readonly #origin: string
  readonly #prefix: string
  /** What all processes may have committed now: of a paced budget its shares so far. */
  #limit: number
  readonly #shares: Shares | null
  readonly #slots: Slots
  #slot: LeaseSlot | null = null
  #reservedSinceTick = false
  #othersFreeAt: number | null = null
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(counters: Counters, origin: string, { id, limit, slots, shares = null }: LeaseOptions) {
    this.#counters = counters
    this.#origin = origin
    this.#prefix = `budget:${id}:`
    this.#limit = limit
    this.#slots = slots
    this.#shares = shares
  }

  /** Reserves the amount, or returns null when it could exceed the limit. Usually without reading the counter. */
  reserve(amount: number, now: number): LeaseSlot | null {
    const slot = this.#current(now)
    const missing = amount - idle(slot)
    if (amount > 0 && missing > 0 && !this.#borrow(slot, missing)) return null
    slot.reserved += amount
    this.#reservedSinceTick = true
    return slot
  }

  /** Replaces the reserved amount by the actual one; any excess is counted too, even above the limit. */
  settle(slot: LeaseSlot, held: number, actual: number): void {
    slot.reserved -= held
    slot.used += actual
    const left = idle(slot)
    if (left < 0) this.#commit(slot, -left)
    else if (left > 0 && (slot !== this.#slot || this.#isTight(slot, held))) this.#giveBack(slot, left)
  }

  /** Whether the amount would fit, as far as known without reading the counter. */
  fits(amount: number, now: number): boolean {
    const slot = this.#current(now)
    const free = idle(slot)
    return amount <= 0 || amount <= free || amount - free <= this.#limit - slot.committed
  }

  /** What would be committed with that amount, as far as known without reading the counter. */
  committedWith(amount: number, now: number): number {
    const slot = this.#current(now)
    return slot.committed - idle(slot) + amount
  }

  /** What all processes have committed in the window, except what this one leased and does not need now. */
  committed(now: number): number {
    const slot = this.#current(now)
    slot.committed = this.#counters.counter(slot.name) + this.#others(slot)
    return slot.committed - idle(slot)
  }

  /** Returns what was leased and not needed since the last tick, and deletes counters of slots long past. */
  tick(now: number): void {
    const slot = this.#current(now)
    slot.committed = this.#counters.counter(slot.name) + this.#others(slot)
    if (!this.#reservedSinceTick) this.returnIdle()
    this.#reservedSinceTick = false
  }

  /** Returns everything leased and unused. */
  returnIdle(): void {
    const slot = this.#slot
    if (slot === null) return
    const left = idle(slot)
    if (left > 0) this.#giveBack(slot, left)
    else if (left < 0) this.#commit(slot, -left)
  }

  /**
   * For a process that was taken for dead while it was suspended: its lease was already returned, except what the
   * ledger has as spent. Idle amounts are dropped, and what calls in flight need is committed again.
   */
  forfeit(): void {
    const slot = this.#slot
    if (slot === null) return
    slot.leased = slot.used
    if (slot.reserved > 0) this.#commit(slot, slot.reserved)
  }

  /**
   * Raises the counter of a slot to what was spent there by the ledger, for a budget that is new within its period.
   * Only the first process does it; for the others there is nothing left to add.
   */
  raiseTo(slotStart: number, spent: number): void {
    const name = this.#nameOf(slotStart)
    if (spent <= 0 || !this.#counters.addToCounter(`${name}:seeded`, 1, 1).granted) return
    const missing = spent - this.#counters.counter(name)
    if (missing > 0) this.#counters.addToCounter(name, missing)
  }

  /** What each other process has leased in the slot, by origin. */
  leasesOfOthers(slotStart: number): Map<string, number> {
    const prefix = `${this.#nameOf(slotStart)}@`
    const leases = new Map<string, number>()
    for (const [name, value] of this.#counters.listCounters(prefix))
      if (value > 0 && name.slice(prefix.length) !== this.#origin) leases.set(name.slice(prefix.length), value)
    return leases
  }

  /**
   * When what other processes hold is free again if they were killed, epoch milliseconds; null where none holds
   * anything. Looked up once a second, because every refusal asks.
   */
  othersFreeAt(now: number): number | null {
    if (Math.abs(now - this.#lookedAt) < LOOK_MS) return this.#othersFreeAt
    this.#lookedAt = now
    const { start } = this.#slotAt(now).period
    let freeAt = Number.POSITIVE_INFINITY
    for (let step = -this.#slots.back; step <= 0; step++)
      for (const origin of this.leasesOfOthers(this.#slots.back > 0 ? this.#slots.shifted(start, step) : start).keys())
        freeAt = Math.min(freeAt, Math.max(now, lastBeat(this.#counters, origin) + BUDGET_LEASE_MS))
    this.#othersFreeAt = Number.isFinite(freeAt) ? freeAt : null
    return this.#othersFreeAt
  }

  /** Returns, for a process that ended, what it had leased and what the ledger does not have as spent. */
  giveBackFor(origin: string, slotStart: number, amount: number): void {
    const name = this.#nameOf(slotStart)
    this.#counters.deleteCounter(`${name}@${origin}`)
    if (amount > 0) this.#counters.addToCounter(name, -amount)
  }

  #current(now: number): LeaseSlot {
    const slot = this.#slotAt(now)
    if (this.#shares !== null) this.#allow(this.#shares.at(now).allowed)
    return slot
  }

  /** The share shrinks when the clock is set back: then what is leased for later must be asked for again. */
  #allow(limit: number): void {
    if (limit < this.#limit) this.returnIdle()
    this.#limit = limit
  }

  #slotAt(now: number): LeaseSlot {
    const period = this.#slots.at(now)
    const last = this.#slot
    if (last !== null && last.period.start === period.start) return last
    if (last !== null) this.#retire(last, period)
    const name = this.#nameOf(period.start)
    this.#slot = { period, name, leased: 0, used: 0, reserved: 0, committed: this.#counters.counter(name) }
    return this.#slot
  }

  /** A slot's idle lease is not carried into the next slot: later spending must be committed later. */
  #retire(slot: LeaseSlot, next: Period): void {
    this.returnIdle()
    // After the clock is set back, the period it is set back to must still be known.
    const kept = Math.min(slot.period.start, next.start)
    const oldest = this.#slots.windowStart(this.#slots.windowStart(kept))
    for (const [name] of this.#counters.listCounters(this.#prefix)) {
      const start = Number.parseInt(name.slice(this.#prefix.length), 10)
      if (start < oldest) this.#counters.deleteCounter(name)
    }
  }

  #borrow(slot: LeaseSlot, missing: number): boolean {
    const share = Math.floor((this.#limit - slot.committed) / LARGEST_SHARE)
    const chunk = Math.min(slot.used + slot.reserved, share)
    return (chunk > missing && this.#take(slot, chunk)) || this.#take(slot, missing)
  }

  #take(slot: LeaseSlot, amount: number): boolean {
    const others = this.#others(slot)
    const { granted, value } = this.#counters.addToCounter(slot.name, amount, this.#limit - others)
    slot.committed = value + others
    if (!granted) return false
    // A process whose clock is in the next slot may have added in between; the later reader sees both and backs off.
    if (this.#slots.back > 0 && value + this.#others(slot) > this.#limit) {
      slot.committed = this.#counters.addToCounter(slot.name, -amount).value + others
      return false
    }
    this.#own(slot, amount)
    return true
  }

  #commit(slot: LeaseSlot, amount: number): void {
    slot.committed = this.#counters.addToCounter(slot.name, amount).value + this.#others(slot)
    this.#own(slot, amount)
  }

  #giveBack(slot: LeaseSlot, amount: number): void {
    slot.committed = this.#counters.addToCounter(slot.name, -amount).value + this.#others(slot)
    this.#own(slot, -amount)
  }

  #own(slot: LeaseSlot, amount: number): void {
    slot.leased += amount
    this.#counters.addToCounter(`${slot.name}@${this.#origin}`, amount)
  }

  #others(slot: LeaseSlot): number {
    let sum = 0
    for (let step = -this.#slots.back; step <= 1 && this.#slots.back > 0; step++)
      if (step !== 0) sum += this.#counters.counter(this.#nameOf(this.#slots.shifted(slot.period.start, step)))
    return sum
  }

  #isTight(slot: LeaseSlot, amount: number): boolean {
    return (this.#limit - slot.committed) / LARGEST_SHARE < amount
  }

  #nameOf(slotStart: number): string {
    return `${this.#prefix}${slotStart}`
  }
}

function idle(slot: LeaseSlot): number {
  return slot.leased - slot.used - slot.reserved
}

/** When a process gave its last sign of life, epoch milliseconds; 0 for never, or long ago. */
export const lastBeat = (counters: Counters, origin: string) => counters.counter(`budget-beat:${origin}`)
