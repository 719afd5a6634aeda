/**
 * The targets to choose from, in flat arrays: the estimates of each as of the last sweep. A decision reads only these
 * arrays, so it costs nanoseconds per target.
 */

import type { Target } from '../domain/target.ts'
import { firstToken, perToken, quality, reliability, taskQuality } from './estimate.ts'
import { type Knowledge, rebaseRatings, type TargetKnowledge } from './knowledge.ts'
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
  /** Budget pressure on the target (lambda); 0 without a budget. */
  readonly pressure: Float64Array
  /** Sums of the weights up to and with each target; null when all weights are equal. */
  readonly cumulativeWeight: Float64Array | null
  /** Whether any budget puts pressure on any target. */
  isPressed = false
  readonly #knowledge: Knowledge
  readonly #indexes = new Map<string, number>()
  /** By index: all indexes of the same model at the same provider, if there are several. */
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
    this.cumulativeWeight = cumulated(targets)
    const siblings = new Map<string, number[]>()
    targets.forEach((target, index) => {
      this.#indexes.set(target.stateId, index)
      const name = `${target.provider} ${target.model}`
      const group = siblings.get(name) ?? []
      siblings.set(name, group)
      group.push(index)
      this.#siblings.push(group)
      const { free, price } = target.profile
      this.inputPrice[index] = free ? 0 : price === null ? Number.POSITIVE_INFINITY : price.input / 1e6
      this.outputPrice[index] = free ? 0 : price === null ? Number.POSITIVE_INFINITY : price.output / 1e6
    })
  }

  /** False until the first sweep; all estimates are 0 until then. */
  get isEstimated(): boolean {
    return this.#sweptAt > Number.NEGATIVE_INFINITY
  }

  /** The target's index; undefined when it is gone. */
  indexOf(stateId: string): number | undefined {
    return this.#indexes.get(stateId)
  }

  /** The keys that could serve the same request with the same model, the index itself included. */
  siblingsOf(index: number): readonly number[] {
    return this.#siblings[index] ?? []
  }

  /** Sets the budget pressure (lambda, 0 or more) on all targets of a provider; 0 for providers not named. */
  press(byProvider: ReadonlyMap<string, number>): void {
    this.isPressed = false
    this.targets.forEach(({ provider }, index) => {
      const lambda = byProvider.get(provider) ?? 0
      this.pressure[index] = lambda
      if (lambda > 0) this.isPressed = true
    })
  }

  /** Its state changed: it is re-estimated before the next decision, its siblings on the next sweep. */
  touch(index: number): void {
    this.#stale.add(index)
    if (this.#taskQuality.size > 0) this.#taskQuality.clear()
  }

  /**
   * Brings the estimates to the second that contains `now`: all of them in a new second, otherwise only those that
   * changed. They therefore depend on what is known and on the second, not on when they were last read.
   */
  refresh(now: number): void {
    const second = Math.floor(now / SWEEP_MS) * SWEEP_MS
    if (second !== this.#sweptAt) this.#sweep(second)
    else if (this.#stale.size > 0) for (const index of this.#stale) this.#estimate(index, second)
    this.#stale.clear()
  }

  #sweep(now: number): void {
    this.#knowledge.setClocks(now)
    for (let index = 0; index < this.targets.length; index++) {
      rebase(this.known[index]!.row, now)
      rebaseRatings(this.known[index]!, now)
      this.#estimate(index, now)
    }
    this.#taskQuality.clear()
    this.#sweptAt = now
  }

  #estimate(index: number, now: number): void {
    const { row, recent, shared } = this.known[index]!
    const { provider, profile } = this.targets[index]!
    const works = reliability(row, this.#knowledge.providers.get(provider), now)
    this.reliability[index] = works.mean
    this.reliabilitySpread[index] = works.spread
    const first = firstToken(row, now)
    this.firstTokenMs[index] = first.mean
    this.firstTokenSpread[index] = first.spread
    const each = perToken(row, now)
    this.tokenMs[index] = each.mean
    this.tokenSpread[index] = each.spread
    const good = quality(row, profile.qualityPrior, now, recent, shared)
    this.quality[index] = good.mean
    this.qualitySpread[index] = good.spread
    this.latencySpread[index] = Math.max(first.spread, each.spread)
  }

  /** Quality for one task; the target's overall quality where none was reported for the task. */
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
    this.known.forEach(({ tasks }, index) => {
      const ratings = tasks?.get(task)
      if (ratings === undefined) return
      const at = taskQuality({ mean: mean[index]!, spread: spread[index]! }, ratings, now)
      mean[index] = at.mean
      spread[index] = at.spread
    })
    return { mean, spread }
  }

  /** The expected cost of the request with the target, in USD; infinite when its price is unknown. */
  costUsd(index: number, inputTokens: number, outputTokens: number): number {
    const input = this.inputPrice[index]!
    if (input === Number.POSITIVE_INFINITY) return input
    return inputTokens * input + outputTokens * this.outputPrice[index]!
  }

  /** Whether the target has never answered or failed. */
  isNew(index: number): boolean {
    const { row } = this.known[index]!
    return row[slot.successes]! + row[slot.failures]! === 0
  }
}

function cumulated(targets: readonly Target[]): Float64Array | null {
  const first = targets[0]?.profile.weight
  if (targets.every(({ profile }) => profile.weight === first)) return null
  let sum = 0
  return Float64Array.from(targets, ({ profile }) => (sum += profile.weight))
}
