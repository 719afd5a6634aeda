/**
 * The targets that can be chosen from, side by side in flat arrays: what each is believed to be like at the time of the
 * last sweep. A decision reads these arrays and nothing else, so that it costs nanoseconds per target.
 */

import type { Target } from '../domain/target.ts'
import { firstToken, perToken, quality, reliability, taskQuality } from './estimate.ts'
import type { Knowledge, TargetKnowledge } from './knowledge.ts'
import { rebase, slot } from './sums.ts'

const SWEEP_MS = 1000

export class CandidateTable {
  readonly targets: readonly Target[]
  readonly known: readonly TargetKnowledge[]
  readonly reliability: Float64Array
  readonly reliabilitySpread: Float64Array
  readonly firstTokenMs: Float64Array
  readonly firstTokenSpread: Float64Array
  readonly tokenMs: Float64Array
  readonly tokenSpread: Float64Array
  readonly quality: Float64Array
  readonly qualitySpread: Float64Array
  /** The larger of the spreads of the two times. */
  readonly latencySpread: Float64Array
  /** USD per token; 0 for free targets, infinite for unknown prices. */
  readonly inputPrice: Float64Array
  readonly outputPrice: Float64Array
  /** How hard the budgets press on the target (lambda); 0 without one. */
  readonly pressure: Float64Array
  /** Whether any budget presses on any target. */
  isPressed = false
  readonly #knowledge: Knowledge
  readonly #places = new Map<string, number>()
  /** By place: all places of the same model at the same provider, where there are several. */
  readonly #siblings: (readonly number[])[] = []
  readonly #stale = new Set<number>()
  readonly #taskQuality = new Map<string, { readonly mean: Float64Array; readonly spread: Float64Array } | null>()
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(targets: readonly Target[], knowledge: Knowledge) {
    const numbers = () => new Float64Array(targets.length)
    this.targets = targets
    this.#knowledge = knowledge
    this.known = targets.map((target) => knowledge.target(target.stateId))
    this.reliability = numbers()
    this.reliabilitySpread = numbers()
    this.firstTokenMs = numbers()
    this.firstTokenSpread = numbers()
    this.tokenMs = numbers()
    this.tokenSpread = numbers()
    this.quality = numbers()
    this.qualitySpread = numbers()
    this.latencySpread = numbers()
    this.inputPrice = numbers()
    this.outputPrice = numbers()
    this.pressure = numbers()
    const siblings = new Map<string, number[]>()
    targets.forEach((target, place) => {
      this.#places.set(target.stateId, place)
      const name = `${target.provider} ${target.profile.weight} ${target.model}`
      const group = siblings.get(name) ?? []
      siblings.set(name, group)
      group.push(place)
      this.#siblings.push(group)
      const { free, price } = target.profile
      this.inputPrice[place] = free ? 0 : price === null ? Number.POSITIVE_INFINITY : price.input / 1e6
      this.outputPrice[place] = free ? 0 : price === null ? Number.POSITIVE_INFINITY : price.output / 1e6
    })
  }

  /** False until the first sweep: the estimates are all 0 then. */
  get isEstimated(): boolean {
    return this.#sweptAt > Number.NEGATIVE_INFINITY
  }

  /** Where the target stands; undefined when it is gone. */
  placeOf(stateId: string): number | undefined {
    return this.#places.get(stateId)
  }

  /** The keys that could serve the same request with the same model and the same weight, the place itself included. */
  siblingsOf(place: number): readonly number[] {
    return this.#siblings[place] ?? []
  }

  /** Lets the budgets press (lambda, 0 or more) on all targets of a provider; providers not named are let go. */
  press(byProvider: ReadonlyMap<string, number>): void {
    this.isPressed = false
    this.targets.forEach(({ provider }, place) => {
      const lambda = byProvider.get(provider) ?? 0
      this.pressure[place] = lambda
      if (lambda > 0) this.isPressed = true
    })
  }

  /** Its state changed: it is estimated anew before the next decision, its siblings with the next sweep. */
  touch(place: number): void {
    this.#stale.add(place)
    if (this.#taskQuality.size > 0) this.#taskQuality.clear()
  }

  /**
   * Brings the estimates to the second that `now` is in: all of them when it is a new one, else only what changed. So
   * they follow from what is known and from the second, not from when they were last asked for.
   */
  refresh(now: number): void {
    const second = Math.floor(now / SWEEP_MS) * SWEEP_MS
    if (second !== this.#sweptAt) this.#sweep(second)
    else if (this.#stale.size > 0) for (const place of this.#stale) this.#estimate(place, second)
    this.#stale.clear()
  }

  #sweep(now: number): void {
    for (let place = 0; place < this.targets.length; place++) {
      rebase(this.known[place]!.row, now)
      this.#estimate(place, now)
    }
    this.#taskQuality.clear()
    this.#sweptAt = now
  }

  #estimate(place: number, now: number): void {
    const { row } = this.known[place]!
    const { provider, profile } = this.targets[place]!
    const works = reliability(row, this.#knowledge.providers.get(provider), now)
    this.reliability[place] = works.mean
    this.reliabilitySpread[place] = works.spread
    const first = firstToken(row, now)
    this.firstTokenMs[place] = first.mean
    this.firstTokenSpread[place] = first.spread
    const each = perToken(row, now)
    this.tokenMs[place] = each.mean
    this.tokenSpread[place] = each.spread
    const good = quality(row, profile.qualityPrior, now)
    this.quality[place] = good.mean
    this.qualitySpread[place] = good.spread
    this.latencySpread[place] = Math.max(first.spread, each.spread)
  }

  /** Quality at one kind of work; the targets' own where nobody reported any for it. */
  qualityAt(task: string | null, now: number): { readonly mean: Float64Array; readonly spread: Float64Array } {
    const whole = { mean: this.quality, spread: this.qualitySpread }
    if (task === null) return whole
    let special = this.#taskQuality.get(task)
    if (special === undefined) {
      special = this.#estimateTask(task, now)
      this.#taskQuality.set(task, special)
    }
    return special ?? whole
  }

  #estimateTask(task: string, now: number) {
    if (!this.known.some(({ tasks }) => tasks?.has(task))) return null
    const mean = Float64Array.from(this.quality)
    const spread = Float64Array.from(this.qualitySpread)
    this.known.forEach(({ tasks }, place) => {
      const tally = tasks?.get(task)
      if (tally === undefined) return
      const at = taskQuality({ mean: mean[place]!, spread: spread[place]! }, tally, now)
      mean[place] = at.mean
      spread[place] = at.spread
    })
    return { mean, spread }
  }

  /** What the request is expected to cost with the target, in USD; infinite when its price is unknown. */
  costUsd(place: number, inputTokens: number, outputTokens: number): number {
    const input = this.inputPrice[place]!
    if (input === Number.POSITIVE_INFINITY) return input
    return inputTokens * input + outputTokens * this.outputPrice[place]!
  }

  /** Whether nobody ever saw the target answer or fail. */
  isNew(place: number): boolean {
    const { row } = this.known[place]!
    return row[slot.successes]! + row[slot.failures]! === 0
  }
}
