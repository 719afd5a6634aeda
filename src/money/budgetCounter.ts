/** The state of one budget: what is spent and reserved, when it resets, and its pressure towards cheaper targets. */

import { counted } from '../domain/counted.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import { decimalUsd, formatUsd, nanoToUsd } from './amount.ts'
import { type Budget, budgetId } from './budgetRule.ts'
import type { WorstCase } from './cost.ts'
import {
  calendarForecast,
  type Forecast,
  type ForecastView,
  forecastView,
  rollingForecast,
  shortPace,
} from './forecast.ts'
import { type Counters, Lease, type LeaseSlot } from './lease.ts'
import { Slots } from './period.ts'
import { RecentSpend } from './recent.ts'
import { Shares } from './shares.ts'
import { BudgetSpend } from './tally.ts'

/** A threshold just reached; reported once per period by each process, so alerts must deduplicate it. */
export interface Crossing {
  readonly scope: string
  readonly per: string
  readonly unit: Budget['unit']
  /** 50, 80 or 100. */
  readonly percent: number
  /** In the budget's unit: nano-USD, requests or tokens. */
  readonly spent: number
  readonly limit: number
  /** Epoch milliseconds; null when nothing resets it. */
  readonly resetsAt: number | null
  readonly hard: boolean
}

/** What a hard budget lacks for a call; amounts in its unit. */
export interface BudgetShortage {
  readonly budget: Budget
  /** The most that the call may need. */
  readonly needed: number
  readonly spent: number
  /** For calls under way in this process. */
  readonly reserved: number
  /** What a paced budget allows so far, where only its pace leaves no room. */
  readonly paced: { readonly allowed: number; readonly until: number } | null
  /** Epoch milliseconds at which the present period, or a window from now, ends; null for a budget in total. */
  readonly endsAt: number | null
}

/** A budget as shown by `budget --json`. USD fields are null for budgets that count something else. */
export interface BudgetView {
  readonly scope: string
  readonly per: string
  readonly limitUsd: number | null
  readonly spentUsd: number | null
  readonly reservedUsd: number | null
  /** ISO 8601; null for a budget that never resets, or a rolling one that is empty. */
  readonly resetsAt: string | null
  readonly hard: boolean
  readonly unit: string
  readonly limit: number
  readonly spent: number
  /**
   * Reserved for calls in flight; under a hard budget also what other processes hold or left behind when they were
   * killed.
   */
  readonly reserved: number
  /** Attempts of unknown price; they are not in `spent`. */
  readonly unpricedAttempts: number
  readonly window: 'calendar' | 'rolling'
  readonly timezone: string
  readonly onExceeded: 'fallback' | 'reject'
  /** What a paced budget allows so far; null for one that allows everything at once. */
  readonly share: ShareView | null
  /** Null while nothing was spent. */
  readonly forecast: ForecastView | null
}

interface ShareView {
  /** From the beginning of the period, in the budget's unit. */
  readonly allowed: number
  readonly allowedUsd: number | null
  /** ISO 8601 time at which the next share is added. */
  readonly until: string
}

/** A budget's forecast with what it rests on. */
export interface Outlook {
  readonly budget: Budget
  readonly spent: number
  /** Epoch milliseconds; null when nothing resets it. */
  readonly resetsAt: number | null
  /** The end of the period, or of a window of which nothing is over yet; null for a budget in total. */
  readonly endsAt: number | null
  readonly forecast: Forecast
  /** In the last 24 hours. */
  readonly calls: number
  /** Hours of the clock in which something was spent, of the last 24. */
  readonly hours: number
}

/** Learning rate and maximum of the pressure (dual ascent, see `BudgetCounter.pressure`). */
const PRESSURE_STEP = 0.05
const MOST_PRESSURE = 10
/** At the start of a period this share of the limit may be spent without pressure. */
const FREE_SHARE = 0.05

/** What is known of what one attempt spent, in the budget's unit. */
export interface KnownAmount {
  readonly amount: number
  /** 1 for an attempt whose cost is not, or not wholly, known. */
  readonly unpriced: number
}

/** The most that a call may need. */
export type SpendNeed = Pick<WorstCase, 'nanoUsd' | 'inputTokens' | 'outputTokens' | 'toolsNanoUsd'>

export class BudgetCounter {
  readonly budget: Budget
  readonly slots: Slots
  readonly tally: BudgetSpend
  readonly lease: Lease | null
  readonly recent = new RecentSpend()
  /** Of a paced budget. */
  readonly #shares: Shares | null
  #reserved = 0
  #pressure = 0
  #periodStart = Number.NEGATIVE_INFINITY

  constructor(budget: Budget, counters: Counters, origin: string) {
    this.budget = budget
    this.slots = new Slots(budget.per, budget.rolling, budget.timeZone)
    this.tally = new BudgetSpend(this.slots, budget.limit)
    this.#shares = budget.pace ? new Shares(budget) : null
    const shared = { id: budgetId(budget), limit: budget.limit, slots: this.slots, shares: this.#shares }
    this.lease = budget.hard ? new Lease(counters, origin, shared) : null
  }

  /** Reserves the amount: false when the hard limit leaves no room. A soft budget always has room. */
  reserve(amount: number, now: number): LeaseSlot | null | false {
    const slot = this.lease === null ? null : this.lease.reserve(amount, now)
    if (this.lease !== null && slot === null) return false
    this.#reserved += amount
    return slot
  }

  /** Ends a reservation: `charged` is taken from the limit, `spent` is what is displayed. */
  settle(slot: LeaseSlot | null, held: number, charged: number, spent: KnownAmount, startedAt: number): void {
    this.#reserved -= held
    this.count(startedAt, spent)
    if (slot !== null) this.lease?.settle(slot, held, charged)
  }

  release(slot: LeaseSlot | null, held: number): void {
    this.#reserved -= held
    if (slot !== null) this.lease?.settle(slot, held, 0)
  }

  /** Counts an attempt that ended, in this or another process. */
  count(startedAt: number, { amount, unpriced }: KnownAmount): void {
    this.tally.add(startedAt, amount, unpriced)
    this.recent.add(startedAt, amount)
    if (!this.budget.hard) this.#press(startedAt)
  }

  /**
   * The current price of spending one more unit, for ranking: lambda <- max(0, lambda + step * (spent / allowed - 1)),
   * where `allowed` is the limit's share for the elapsed part of the period, or what a paced budget allows so far. 0
   * while spending is within its pace.
   */
  get pressure(): number {
    return this.#pressure
  }

  crossings(): readonly Crossing[] {
    const percents = this.tally.crossed()
    return percents.length === 0 ? NONE : percents.map((percent) => this.#crossing(percent))
  }

  /** What is short where the amount does not fit. */
  shortage(amount: number, now: number): BudgetShortage {
    const { budget, slots, tally } = this
    const { end } = slots.at(now)
    const endsAt = slots.back > 0 ? now + slots.windowMs : Number.isFinite(end) ? end : null
    const share = this.#pacedBy(amount, now)
    const paced = share === null ? null : { allowed: share.allowed, until: share.end }
    return { budget, needed: amount, spent: tally.spent, reserved: this.#reserved, paced, endsAt }
  }

  /**
   * Why the amount does not fit, for display, and when there is room for it (epoch milliseconds; null: unknown).
   */
  refusal(
    amount: number,
    worst: SpendNeed,
    now: number,
  ): { readonly reason: string; readonly resetsAt: number | null } {
    const { scope, per, limit } = this.budget
    this.tally.roll(now)
    const budget = `budget ${scope}: ${this.#show(limit)} ${per === 'total' ? 'in total' : `per ${per}`}`
    const call = `this call may need ${this.#show(amount)}`
    if (amount > limit && limit > 0) {
      // Two amounts that look the same would be no reason.
      const exactly = this.#show(amount) === this.#show(limit) ? ` ($${decimalUsd(amount)})` : ''
      return {
        reason: `${budget}; ${call}${exactly}, which is more than all of it: raise the budget${lessening(worst, this.budget)}`,
        resetsAt: null,
      }
    }
    const spent = `${this.#show(this.tally.spent)} spent`
    const reserved = this.#reserved > 0 ? `, ${this.#show(this.#reserved)} reserved` : ''
    const others = this.#heldByOthers(now)
    const held = others === null ? '' : `, ${heldText(this.#show(others.amount), others.freeAt)}`
    const reason = `${budget}${this.#paced(amount, now)}, ${spent}${reserved}${held}; ${call}`
    if (amount > limit) return { reason, resetsAt: null }
    const roomAt = this.#roomAt(amount, now)
    // Without what others hold there would be room.
    const most = this.#shares?.at(now).allowed ?? limit
    const isHeld = others !== null && this.tally.spent + this.#reserved + amount <= most
    return { reason, resetsAt: isHeld ? Math.min(others.freeAt, roomAt ?? others.freeAt) : roomAt }
  }

  /** What other processes have set aside, as far as known, and when that of killed ones is free again. */
  #heldByOthers(now: number): { readonly amount: number; readonly freeAt: number } | null {
    const amount = this.lease === null ? 0 : this.lease.committedWith(0, now) - this.tally.spent - this.#reserved
    const freeAt = amount > 0 ? this.lease?.othersFreeAt(now) : null
    return freeAt == null ? null : { amount, freeAt }
  }

  /** For display, where it is only the pace that leaves no room. */
  #paced(amount: number, now: number): string {
    const share = this.#pacedBy(amount, now)
    return share === null ? '' : `, paced: ${this.#show(share.allowed)} until ${timeText(share.end)}`
  }

  #pacedBy(amount: number, now: number): { readonly allowed: number; readonly end: number } | null {
    const share = this.#shares?.at(now)
    const isRoom = this.lease === null || this.lease.committedWith(amount, now) <= this.budget.limit
    return share === undefined || !isRoom ? null : share
  }

  #roomAt(amount: number, now: number): number | null {
    const committed = this.lease === null ? 0 : this.lease.committedWith(0, now)
    if (this.#shares !== null) return this.#shares.roomAt(amount, committed, now)
    if (this.slots.back > 0) return this.tally.relief(committed + amount - this.budget.limit)
    return this.resetsAt(now)
  }

  /** When there is more room: the end of the period, or when the oldest spending leaves a rolling window. */
  resetsAt(now: number): number | null {
    if (this.slots.back > 0) return this.tally.relief()
    const { end } = this.slots.at(now)
    return Number.isFinite(end) ? end : null
  }

  view(now: number): BudgetView {
    this.tally.roll(now)
    const { budget, tally } = this
    const committed = this.lease === null ? 0 : this.lease.committed(now)
    const reserved = Math.max(this.#reserved, committed - tally.spent)
    const usd = (nanoUsd: number) => this.#usd(nanoUsd)
    const resetsAt = this.resetsAt(now)
    const forecast = this.forecast(now)
    return {
      scope: budget.scope,
      per: budget.per,
      limitUsd: usd(budget.limit),
      spentUsd: usd(tally.spent),
      reservedUsd: usd(reserved),
      resetsAt: isoOrNull(resetsAt),
      hard: budget.hard,
      unit: budget.unit,
      limit: budget.limit,
      spent: tally.spent,
      reserved,
      unpricedAttempts: tally.unpriced,
      window: budget.rolling ? 'rolling' : 'calendar',
      timezone: budget.timeZone,
      onExceeded: budget.onExceeded,
      share: this.#shareView(now),
      forecast: forecast === null ? null : forecastView(forecast, budget.unit),
    }
  }

  /** Null while nothing is known of a pace, and for a budget of 0. */
  forecast(now: number): Forecast | null {
    this.tally.roll(now)
    const { budget, tally, slots } = this
    const { limit, hard, pace } = budget
    const perHour = this.#perHour(now)
    if (limit === 0 || perHour === null) return null
    const spending = { limit, spent: tally.spent, perHour }
    if (slots.back > 0) return rollingForecast(spending, tally.leaving(), slots.windowMs, now)
    const forecast = calendarForecast(spending, slots.at(now).end, now)
    if (!hard || !pace || tally.spent >= limit) return forecast
    // Its shares hold it back.
    return { perHour, spentAt: null, atEnd: Math.min(limit, forecast.atEnd ?? limit) }
  }

  outlook(now: number): Outlook | null {
    const forecast = this.forecast(now)
    if (forecast === null) return null
    const { budget, tally, slots } = this
    const resetsAt = this.resetsAt(now)
    const endsAt = slots.back > 0 ? now + slots.windowMs : resetsAt
    return { budget, spent: tally.spent, resetsAt, endsAt, forecast, ...this.recent.evidence(now) }
  }

  /** The pace of a minute or an hour is that of the period itself. */
  #perHour(now: number): number | null {
    const { budget, tally, slots, recent } = this
    if (budget.per !== 'minute' && budget.per !== 'hour') return recent.perHour(now) ?? (tally.spent > 0 ? 0 : null)
    const period = slots.back > 0 ? { start: now - slots.windowMs, end: now } : slots.at(now)
    return tally.spent > 0 ? shortPace(tally.spent, period, now) : null
  }

  #shareView(now: number): ShareView | null {
    if (this.#shares === null) return null
    const { allowed, end } = this.#shares.at(now)
    return { allowed, allowedUsd: this.#usd(allowed), until: new Date(end).toISOString() }
  }

  #usd(nanoUsd: number): number | null {
    return this.budget.unit === 'usd' ? nanoToUsd(nanoUsd) : null
  }

  #press(now: number): void {
    const period = this.slots.at(now)
    if (this.slots.back === 0 && period.start !== this.#periodStart) {
      this.#periodStart = period.start
      this.#pressure = 0
    }
    const passed = this.slots.back > 0 || !Number.isFinite(period.end) ? 1 : share(now, period.start, period.end)
    const allowed = Math.max(1, this.#shares?.at(now).allowed ?? this.budget.limit * passed)
    const next = this.#pressure + PRESSURE_STEP * (this.tally.spent / allowed - 1)
    this.#pressure = Math.min(MOST_PRESSURE, Math.max(0, next))
  }

  #crossing(percent: number): Crossing {
    const { scope, per, unit, limit, hard } = this.budget
    const { start } = this.tally
    return {
      scope,
      per,
      unit,
      percent,
      spent: this.tally.spent,
      limit,
      resetsAt: this.resetsAt(start),
      hard,
    }
  }

  #show(amount: number): string {
    return this.budget.unit === 'usd' ? formatUsd(amount) : counted(amount, this.budget.unit)
  }
}

/** What of the request makes it cost less, where something does. */
function lessening(worst: SpendNeed, { unit, limit }: Budget): string {
  if (unit === 'requests') return ''
  const { inputTokens, outputTokens, toolsNanoUsd = 0 } = worst
  const ofTools = unit === 'usd' ? toolsNanoUsd : 0
  const tools = 'bound the tools that run at the provider ("max_uses", "max_tool_calls")'
  if (ofTools > limit) return `, or ${tools}`
  if (unit === 'tokens' && inputTokens > limit) return ', or shorten the prompt'
  // What has no length to lower is a picture, say.
  if (outputTokens === 0) return ', or ask for less at once'
  return ofTools > 0 ? `, lower "max_tokens", or ${tools}` : ', or lower "max_tokens"'
}

const heldText = (amount: string, freeAt: number) =>
  `${amount} set aside by other processes (of one that was killed it is free again by ${timeText(Math.ceil(freeAt / 1_000) * 1_000)})`

/** `2026-12-01 14:00 UTC`, with seconds where there are some. */
function timeText(at: number): string {
  const iso = new Date(at).toISOString()
  return `${iso.slice(0, 10)} ${iso.slice(11, at % 60_000 === 0 ? 16 : 19)} UTC`
}

function share(now: number, start: number, end: number): number {
  return Math.min(1, Math.max(FREE_SHARE, (now - start) / (end - start)))
}

/** An amount in the budget's unit; null for an unknown price. Each attempt is one request, whatever its outcome. */
export function amountIn(unit: Budget['unit'], nanoUsd: number | null, tokens: number): number | null {
  if (unit === 'usd') return nanoUsd
  return unit === 'requests' ? 1 : tokens
}

const NONE: readonly Crossing[] = []
