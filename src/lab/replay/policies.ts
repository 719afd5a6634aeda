/** The policies the product is measured against: what other tools and textbooks do. Each sees only what it tried. */

import type { Failure } from '../../domain/failure.ts'
import { Dice, mix32 } from '../../domain/random.ts'
import { recency, score, speed } from '../../routing/score.ts'
import { WEIGHTS } from '../../routing/weights.ts'
import type { Arrival, ReplayWorld } from './world.ts'

/** One attempt that ended, as a policy sees it. */
export interface SeenOutcome {
  readonly number: number
  readonly index: number
  readonly source: 'live' | 'test' | 'probe'
  readonly startedAt: number
  readonly at: number
  /** Null for a success. */
  readonly failure: Failure | null
  readonly latencyMs: number
  readonly firstTokenMs: number
  /** Length of the answer; 0 where unknown. */
  readonly tokens: number
  readonly task: string | null
}

/** One request on its way from target to target. */
export interface Walk {
  /** The place to try now; -1 when nothing is left. */
  next(now: number): number
  /** The attempt that `next` chose has ended; `learn` was not called yet. */
  ended?(seen: SeenOutcome): void
}

export interface Policy {
  /** A target that can be tried from now on. */
  add(index: number, at: number): void
  begin(number: number, arrival: Arrival): Walk
  learn(seen: SeenOutcome): void
  rate(index: number, score: number, at: number, arrival: Arrival): void
  /** Calls and checks made beside the requests. */
  readonly probes?: number
}

/** A policy that gives every target a number and tries the largest first. */
abstract class Ranking implements Policy {
  protected readonly indexes: number[] = []

  add(index: number): void {
    this.indexes.push(index)
  }

  begin(number: number, { at }: Arrival): Walk {
    const tried = new Set<number>()
    this.prepare(number, at)
    return {
      next: (now) => {
        const best = this.#best(tried, number, now)
        tried.add(best)
        return best
      },
    }
  }

  /** Called once per request, before any `rank`. */
  protected prepare(_number: number, _at: number): void {}

  protected abstract rank(index: number, number: number, now: number): number

  learn(_seen: SeenOutcome): void {}

  rate(_place: number, _score: number, _at: number): void {}

  #best(tried: ReadonlySet<number>, number: number, now: number): number {
    let best = -1
    let most = Number.NEGATIVE_INFINITY
    for (const index of this.indexes) {
      if (tried.has(index)) continue
      const rank = this.rank(index, number, now)
      if (best >= 0 && rank <= most) continue
      best = index
      most = rank
    }
    return best
  }
}

/** The order of the configuration. */
export class StaticOrder extends Ranking {
  protected rank(index: number): number {
    return -index
  }
}

export class RoundRobin extends Ranking {
  #turn = 0

  protected override prepare(): void {
    this.#turn++
  }

  protected rank(index: number): number {
    const count = this.indexes.length
    return -((index + count - (this.#turn % count)) % count)
  }
}

export class RandomOrder extends Ranking {
  readonly #seed: number

  constructor(seed: number) {
    super()
    this.#seed = seed
  }

  protected rank(index: number, number: number): number {
    return mix32(mix32(this.#seed, number), index)
  }
}

const HOUR = 3_600_000

/** The mean of the last ten latencies within an hour, unknown ones first; a failure rests the target for 5 s. */
export class LatencyList extends Ranking {
  readonly #seen = new Map<number, { at: number; ms: number }[]>()
  readonly #restsUntil = new Map<number, number>()

  protected rank(index: number, _number: number, now: number): number {
    const resting = (this.#restsUntil.get(index) ?? 0) > now ? 1e9 : 0
    const recent = (this.#seen.get(index) ?? []).filter(({ at }) => now - at < HOUR)
    if (recent.length === 0) return -resting
    return -resting - recent.reduce((sum, { ms }) => sum + ms, 0) / recent.length
  }

  override learn({ index, failure, at, latencyMs }: SeenOutcome): void {
    if (failure !== null) this.#restsUntil.set(index, at + 5000)
    else this.#seen.set(index, [...(this.#seen.get(index) ?? []), { at, ms: latencyMs }].slice(-10))
  }
}

/** An exponentially weighted mean of latencies; a failure counts as a slow answer. */
export class EwmaLatency extends Ranking {
  readonly #ms = new Map<number, number>()

  protected rank(index: number): number {
    return -(this.#ms.get(index) ?? 0)
  }

  override learn({ index, failure, latencyMs }: SeenOutcome): void {
    const observed = failure === null ? latencyMs : Math.max(10_000, latencyMs)
    const before = this.#ms.get(index)
    this.#ms.set(index, before === undefined ? observed : 0.8 * before + 0.2 * observed)
  }
}

/** The better of two drawn at random, by a mean that jumps to every peak and comes down over 30 s. */
export class PeakEwma extends Ranking {
  readonly #seed: number
  readonly #peaks = new Map<number, { at: number; ms: number }>()
  #drawn: readonly number[] = []

  constructor(seed: number) {
    super()
    this.#seed = seed
  }

  protected override prepare(number: number): void {
    const dice = new Dice(mix32(this.#seed, number))
    this.#drawn = [0, 1].map(() => this.indexes[Math.floor(dice.uniform() * this.indexes.length)]!)
  }

  protected rank(index: number): number {
    return (this.#drawn.includes(index) ? 1e9 : 0) - (this.#peaks.get(index)?.ms ?? 0)
  }

  override learn({ index, failure, at, latencyMs }: SeenOutcome): void {
    const observed = failure === null ? latencyMs : Math.max(10_000, latencyMs)
    const before = this.#peaks.get(index)
    const kept = before === undefined ? 0 : Math.exp(-(at - before.at) / 30_000)
    const ms = before === undefined || observed > before.ms ? observed : kept * before.ms + (1 - kept) * observed
    this.#peaks.set(index, { at, ms })
  }
}

interface PolicyTotals {
  tries: number
  successes: number
  ms: number
  rated: number
  scores: number
  lastSuccessAt: number
}

/** The plain formula over averages of everything ever seen; optionally a failure rests the target. */
export class Formula extends Ranking {
  readonly #restMs: number
  readonly #known = new Map<number, PolicyTotals>()
  readonly #restsUntil = new Map<number, number>()

  constructor(restMs = 0) {
    super()
    this.#restMs = restMs
  }

  protected rank(index: number, _number: number, now: number): number {
    const resting = (this.#restsUntil.get(index) ?? 0) > now ? 10 : 0
    const known = this.#known.get(index)
    // Never tried: it goes first, or it would never be.
    if (known === undefined) return 2 - resting
    const terms = {
      reliability: known.successes / Math.max(1, known.tries),
      speed: known.successes > 0 ? speed(known.ms / known.successes) : 0,
      quality: known.rated > 0 ? known.scores / known.rated : 0.8,
      recency: recency(known.lastSuccessAt, now),
    }
    return score(terms, WEIGHTS) - resting
  }

  override learn({ index, failure, at, latencyMs }: SeenOutcome): void {
    const known = this.#of(index)
    known.tries++
    if (failure === null) {
      known.successes++
      known.ms += latencyMs
      known.lastSuccessAt = at
    } else if (this.#restMs > 0) this.#restsUntil.set(index, at + this.#restMs)
  }

  override rate(index: number, score: number): void {
    const known = this.#of(index)
    known.rated++
    known.scores += score
  }

  #of(index: number): PolicyTotals {
    const known = this.#known.get(index) ?? { tries: 0, successes: 0, ms: 0, rated: 0, scores: 0, lastSuccessAt: 0 }
    this.#known.set(index, known)
    return known
  }
}

/**
 * Discounted Thompson sampling as textbooks have it: every request forgets a little, rewards are what the answer was
 * worth.
 */
export class DiscountedThompson extends Ranking {
  readonly #gamma: number
  readonly #seed: number
  readonly #gains = new Map<number, number>()
  readonly #losses = new Map<number, number>()
  #draws = new Map<number, number>()

  constructor(seed: number, gamma = 0.995) {
    super()
    this.#seed = seed
    this.#gamma = gamma
  }

  protected override prepare(number: number): void {
    const dice = new Dice(mix32(this.#seed, number))
    this.#draws = new Map(this.indexes.map((index) => [index, this.#draw(index, dice)]))
  }

  protected rank(index: number): number {
    return this.#draws.get(index) ?? 0
  }

  override learn({ index, failure, latencyMs }: SeenOutcome): void {
    for (const known of [this.#gains, this.#losses]) for (const [key, sum] of known) known.set(key, sum * this.#gamma)
    const reward = failure === null ? (0.4 + 0.3 * speed(latencyMs) + 0.2 * 0.8) / 0.9 : 0
    this.#gains.set(index, (this.#gains.get(index) ?? 0) + reward)
    this.#losses.set(index, (this.#losses.get(index) ?? 0) + 1 - reward)
  }

  /** Beta(a, b) by its mean and variance: with one pseudo-observation of each kind it is close to normal. */
  #draw(index: number, dice: Dice): number {
    const a = 1 + (this.#gains.get(index) ?? 0)
    const b = 1 + (this.#losses.get(index) ?? 0)
    const n = a + b
    return a / n + Math.sqrt((a * b) / (n * n * (n + 1))) * dice.normal()
  }
}

/** Knows the truth of every target at every moment, but not the luck of a call. */
export class Oracle extends Ranking {
  readonly #world: ReplayWorld
  #tokens = 0

  constructor(world: ReplayWorld) {
    super()
    this.#world = world
  }

  override begin(number: number, arrival: Arrival): Walk {
    this.#tokens = arrival.tokens
    return super.begin(number, arrival)
  }

  protected rank(index: number, _number: number, now: number): number {
    return this.#world.valueOf(index, now, this.#tokens)
  }
}
