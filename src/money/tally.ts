/** What was spent in a budget's window, by slot, and which thresholds that reached. */

import type { Leaving } from './forecast.ts'
import type { Period, Slots } from './period.ts'

/** Percentages of the limit that are reported. */
const THRESHOLDS = [50, 80, 100] as const

interface SlotSpend {
  readonly period: Period
  spent: number
  unpriced: number
}

export class BudgetSpend {
  /** Spent in the window, in the budget's unit. */
  spent = 0
  /** Attempts of unknown price in the window; their cost is not in `spent`. */
  unpriced = 0
  readonly #slots: Slots
  readonly #limit: number
  readonly #bySlot = new Map<number, SlotSpend>()
  #current: Period = { start: Number.NEGATIVE_INFINITY, end: Number.NEGATIVE_INFINITY }
  #told = 0

  constructor(slots: Slots, limit: number) {
    this.#slots = slots
    this.#limit = limit
  }

  /** The start of the newest slot. */
  get start(): number {
    return this.#current.start
  }

  /** Moves the window to the present, also back where the clock was set back. */
  roll(now: number): void {
    const { start, end } = this.#current
    if (now >= start && now < end) return
    this.#current = this.#slots.at(now)
    // What is left behind may be the present again, once the clock is set back.
    const oldest = this.#slots.windowStart(this.#slots.windowStart(Math.min(start, this.#current.start)))
    for (const slot of this.#bySlot.keys()) if (slot < oldest) this.#bySlot.delete(slot)
    const counted = this.#counted()
    this.spent = counted.reduce((sum, slot) => sum + slot.spent, 0)
    this.unpriced = counted.reduce((sum, slot) => sum + slot.unpriced, 0)
    this.#told = Math.min(this.#told, this.#reached())
  }

  /** Adds the cost of attempts that began then, and how many have an unknown price. */
  add(startedAt: number, amount: number, unpriced: number): void {
    if (startedAt >= this.#current.end) this.roll(startedAt)
    const period = startedAt >= this.#current.start ? this.#current : this.#slots.at(startedAt)
    let slot = this.#bySlot.get(period.start)
    if (slot === undefined) {
      slot = { period, spent: 0, unpriced: 0 }
      this.#bySlot.set(period.start, slot)
    }
    slot.spent += amount
    slot.unpriced += unpriced
    if (!this.#isCounted(period)) return
    this.spent += amount
    this.unpriced += unpriced
  }

  /** Thresholds reached since the last call, in per cent; each is reported once per window. */
  crossed(): readonly number[] {
    const reached = this.#reached()
    if (reached <= this.#told) return NONE
    const crossed = THRESHOLDS.slice(this.#told, reached)
    this.#told = reached
    return crossed
  }

  clear(): void {
    this.#bySlot.clear()
    this.spent = 0
    this.unpriced = 0
    this.#told = 0
  }

  /** When so much of the spending stops counting; null when that never happens or nothing was spent. */
  relief(amount = 1): number | null {
    let left = amount
    let at: number | null = null
    for (const { spent, leavesAt } of this.leaving()) {
      if (left <= 0) break
      left -= spent
      at = leavesAt
    }
    return at
  }

  /** What was spent in each slot of the window, and when it stops counting, soonest first; empty where it never does. */
  leaving(): readonly Leaving[] {
    return this.#counted()
      .map(({ period, spent }) => ({ spent, leavesAt: this.#slots.expiry(period) }))
      .filter(({ spent, leavesAt }) => spent > 0 && Number.isFinite(leavesAt))
      .sort((one, other) => one.leavesAt - other.leavesAt)
  }

  #counted(): readonly SlotSpend[] {
    return [...this.#bySlot.values()].filter(({ period }) => this.#isCounted(period))
  }

  #isCounted({ start }: Period): boolean {
    return start >= this.#slots.windowStart(this.#current.start) && start <= this.#current.start
  }

  #reached(): number {
    let reached = 0
    for (const percent of THRESHOLDS) if (this.#limit > 0 && this.spent >= (this.#limit * percent) / 100) reached++
    return reached
  }
}

const NONE: readonly number[] = []
