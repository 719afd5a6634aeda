/**
 * Everything learned about one target: a row of additive sums, each decaying with its own half-life. Events add to it,
 * the rows of several processes can be added (brought to the same time, then number by number), and every estimate is a
 * function of the row and the time.
 */

/** One number per slot below. */
export type Sums = Float64Array

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The index of each sum. Successes and failures are counts; `Log` is a sum of ln(ms), `LogSquares` of its squares. */
export const slot = {
  /** Epoch milliseconds to which the decaying sums have been brought. */
  asOf: 0,
  lastSuccessAt: 1,
  lastSeenAt: 2,
  /** All-time sums, which do not decay. */
  successes: 3,
  failures: 4,
  latencyMs: 5,
  quality: 6,
  qualityCount: 7,
  /** Observations of a target that a request, not a test, tried first: its free tries, while they are few. */
  freePulls: 8,
  fastSuccesses: 9,
  fastFailures: 10,
  fastCount: 11,
  fastLog: 12,
  fastTokenCount: 13,
  fastTokenLog: 14,
  slowSuccesses: 15,
  slowFailures: 16,
  slowCount: 17,
  slowLog: 18,
  slowLogSquares: 19,
  slowTokenCount: 20,
  slowTokenLog: 21,
  /** Only read: older versions kept here what the list of the latest ratings says now. */
  fastQualityCount: 22,
  fastQuality: 23,
  slowQualityCount: 24,
  slowQuality: 25,
  /** 24 weights and 24 sums of offsets of ln(ms), one pair per hour of the day (UTC). */
  hourCount: 26,
  hourOffset: 50,
  /** Those of the all-time failures that only said that a limit was reached. Does not decay. */
  limited: 74,
  /** Milliseconds by which the hours above are ahead of UTC's; follows from the target's clock, and is not stored. */
  hourLead: 75,
} as const

const ROW_LENGTH = 76
/** What of a row is stored. */
export const STORED_LENGTH = slot.hourLead
/** The slots before this one are points in time; a merge keeps the later one. */
const FIRST_SUM = slot.successes

/** A range of slots with the same half-life. */
interface Scale {
  readonly from: number
  readonly to: number
  readonly halfLifeMs: number
}

export const FAST: Scale = { from: slot.fastSuccesses, to: slot.slowSuccesses, halfLifeMs: 10 * MINUTE }
export const SLOW: Scale = { from: slot.slowSuccesses, to: slot.fastQualityCount, halfLifeMs: DAY }
export const FAST_QUALITY: Scale = { from: slot.fastQualityCount, to: slot.slowQualityCount, halfLifeMs: 12 * HOUR }
export const SLOW_QUALITY: Scale = { from: slot.slowQualityCount, to: slot.hourCount, halfLifeMs: 3 * DAY }
export const HOURS: Scale = { from: slot.hourCount, to: slot.limited, halfLifeMs: 14 * DAY }

const SCALES = [FAST, SLOW, FAST_QUALITY, SLOW_QUALITY, HOURS]

/** Above these counts newer evidence replaces older, so a change shows however much was observed before. */
const QUALITY_CAP = 12
export const HOUR_CAP = 200

/** Rows share buffers, because a buffer per row would cost more than the row. */
const ROWS_PER_BUFFER = 64

/** Hands out empty rows. */
export class RowAllocator {
  #buffer = new ArrayBuffer(0)
  #used = 0

  allocate(): Sums {
    if (this.#used === this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(ROWS_PER_BUFFER * ROW_LENGTH * 8)
      this.#used = 0
    }
    const row = new Float64Array(this.#buffer, this.#used, ROW_LENGTH)
    this.#used += ROW_LENGTH * 8
    return row
  }
}

/** What remains of a weight of 1 after `ageMs`; 1 when the clock went backwards. */
export function remaining(ageMs: number, halfLifeMs: number): number {
  return ageMs > 0 ? 2 ** (-ageMs / halfLifeMs) : 1
}

/** What remains, at `now`, of the row's sums of one scale. */
export function remainingAt(row: Sums, now: number, scale: Scale): number {
  return remaining(now - row[slot.asOf]!, scale.halfLifeMs)
}

/** The weight of an event at `at` in a row that may already have moved past it. */
export function weightOf(row: Sums, at: number, scale: Scale): number {
  return remaining(row[slot.asOf]! - at, scale.halfLifeMs)
}

/** Decays the row to `at`, unless it is already there or later. */
export function advance(row: Sums, at: number): void {
  const age = at - row[slot.asOf]!
  if (!(age > 0)) return
  if (row[slot.asOf]! > 0) for (const scale of SCALES) shrink(row, scale, 2 ** (-age / scale.halfLifeMs))
  row[slot.asOf] = at
}

/**
 * Resets a row whose time is in the future (the clock went backwards, or another machine's is ahead): it keeps what it
 * learned, and new events count in full again.
 */
export function rebase(row: Sums, now: number): void {
  if (row[slot.asOf]! <= now + MINUTE) return
  for (let i = 0; i < FIRST_SUM; i++) row[i] = Math.min(row[i]!, now)
}

/** Scales a count and its sum down to the cap, their mean unchanged. */
export function capPair(row: Sums, count: number, sum: number, cap: number): void {
  if (row[count]! <= cap) return
  row[sum] = (row[sum]! * cap) / row[count]!
  row[count] = cap
}

/** Adds what another process learned about the same target. */
export function merge(into: Sums, from: Sums): void {
  advance(into, from[slot.asOf]!)
  for (let i = 0; i < FIRST_SUM; i++) into[i] = Math.max(into[i]!, from[i]!)
  for (let i = FIRST_SUM; i < FAST.from; i++) into[i] = into[i]! + from[i]!
  into[slot.limited] = into[slot.limited]! + from[slot.limited]!
  for (const scale of SCALES) {
    const left = remainingAt(from, into[slot.asOf]!, scale)
    for (let i = scale.from; i < scale.to; i++) into[i] = into[i]! + from[i]! * left
  }
  capPair(into, slot.fastQualityCount, slot.fastQuality, QUALITY_CAP)
}

function shrink(row: Sums, scale: Scale, factor: number): void {
  for (let i = scale.from; i < scale.to; i++) row[i] = row[i]! * factor
}
