/**
 * Whose clock a target's daily rhythm keeps. The cells of the hours are in UTC, shifted by a lead: 0 for a rhythm that
 * stays at the same hours of UTC, and for one that follows a zone what that zone's clock has moved since. Twice a year,
 * in the days after the clocks of some zone changed, the two differ by an hour, and the answers of those days tell
 * which of them the target keeps: the sum of the log-likelihood ratios of its latencies, each of which counts at most 1.
 */

import { aheadOfUtcMs } from '../domain/hoursRule.ts'
import { hourOffset, slowLog } from './estimate.ts'
import { type Sums, slot } from './sums.ts'

/** The clock of one target; none (null): UTC, and nothing speaks for another. */
export interface TargetClock {
  /** Time zone; `UTC` for hours that do not move. */
  readonly zone: string
  /** Milliseconds that the zone was ahead of UTC, less the lead, when the target was found to follow it. */
  readonly baseMs: number
  /** By zone: what speaks for it since its clock changed, against the one that is followed. */
  readonly doubts: Map<string, number>
}

const DAY_MS = 86_400_000
const QUARTER_MS = 15 * 60_000
/** So long after a change old and new hours are told apart; the cells have learned the new ones by then. */
const TELLING_MS = 14 * DAY_MS
/** Hours that differ by less than this in ln(ms), a fifth, tell nothing. */
const LEAST_GAP = 0.2
/** Variance of ln(ms) of answers of the same hour. */
const LOG_VARIANCE = 0.16
/**
 * Answers that must speak for another clock before it is followed, in net: the two hours that differ, on two days, of a target that
 * answers once an hour. A mistake shows within a day in the same way.
 */
const CONVINCING = 3

/** Zones whose clock a rhythm may keep, whatever the configuration names: where providers and their users work. */
const COMMON_ZONES = ['America/New_York', 'Europe/London'] as const

interface Moved {
  readonly zone: string
  /** By how much its clock has moved in the last days, in ms. */
  readonly byMs: number
}

export class Clocks {
  readonly #zones: readonly string[]
  /** The span in which no clock moves, nor did in the last days of telling: usually a day of UTC. */
  #from = 0
  #until = 0
  #moved: readonly Moved[] = []

  /** `zones`: those that a rhythm may follow, the likeliest first. */
  constructor(zones: readonly string[] = []) {
    this.#zones = ['UTC', ...new Set([...zones, ...COMMON_ZONES].filter((zone) => zone !== 'UTC'))]
  }

  /** Whether the time has passed into a span in which other leads may hold. */
  turn(at: number): boolean {
    if (at >= this.#from && at < this.#until) return false
    const day = at - (at % DAY_MS)
    const isEven = this.#zones.every((zone) => isUnmoved(zone, day) && isUnmoved(zone, day - TELLING_MS))
    // Clocks change at the beginning of a quarter of an hour.
    const lengthMs = isEven ? DAY_MS : QUARTER_MS
    this.#from = at - (at % lengthMs)
    this.#until = this.#from + lengthMs
    const moved = this.#zones.map((zone) => ({
      zone,
      byMs: aheadOfUtcMs(zone, at) - aheadOfUtcMs(zone, at - TELLING_MS),
    }))
    this.#moved = moved.some(({ byMs }) => byMs !== 0) ? moved : []
    return true
  }

  /** All zones, in the days after the clock of any was changed; otherwise none. */
  get moved(): readonly Moved[] {
    return this.#moved
  }
}

const isUnmoved = (zone: string, day: number) => aheadOfUtcMs(zone, day) === aheadOfUtcMs(zone, day + DAY_MS)

/** By how much the hours of a clock are ahead of UTC's, in ms. */
export function leadMs(clock: TargetClock | null, at: number): number {
  return clock === null ? 0 : aheadOfUtcMs(clock.zone, at) - clock.baseMs
}

/**
 * Weighs an answer of `log` ln(ms) and returns the clock of its target: another one where enough answers speak for it.
 * Called before the row learns of the answer.
 */
export function weighClocks(
  clock: TargetClock | null,
  moved: readonly Moved[],
  row: Sums,
  { at, log, weight }: { readonly at: number; readonly log: number; readonly weight: number },
): TargetClock | null {
  if (moved.length === 0) return clock === null || clock.doubts.size === 0 ? clock : { ...clock, doubts: new Map() }
  const kept = clock ?? { zone: 'UTC', baseMs: 0, doubts: new Map() }
  const own = aheadOfUtcMs(kept.zone, at) - aheadOfUtcMs(kept.zone, at - TELLING_MS)
  const seen = log - slowLog(row)
  for (const { zone, byMs } of moved) {
    if (byMs === own) continue
    const gain = ratio(seen, hourOffset(row, at), hourOffset(row, at, at + row[slot.hourLead]! + byMs - own)) * weight
    if (gain === 0) continue
    const sum = (kept.doubts.get(zone) ?? 0) + gain
    if (sum >= CONVINCING) return follow(zone, kept, at)
    // What speaks against it now must not hide what speaks for it later.
    kept.doubts.set(zone, Math.max(-CONVINCING, sum))
  }
  return kept.doubts.size === 0 ? clock : kept
}

/** How much better the other hour's offset explains what was seen, from -1 to 1. */
function ratio(seen: number, own: number, other: number): number {
  if (Math.abs(own - other) < LEAST_GAP) return 0
  const gain = ((seen - own) ** 2 - (seen - other) ** 2) / (2 * LOG_VARIANCE)
  return Math.max(-1, Math.min(1, gain))
}

/** The clock of a zone, with the lead of before its change. */
function follow(zone: string, kept: TargetClock, at: number): TargetClock {
  const before = at - TELLING_MS
  return { zone, baseMs: aheadOfUtcMs(zone, before) - leadMs(kept, before), doubts: new Map() }
}
