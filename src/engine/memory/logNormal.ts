/** A log-normal distribution of times, estimated from what was observed; recent observations weigh more. */

import { asArray, asNumber, type Json } from '../../domain/json.ts'

/** About as many observations are remembered. */
const MEMORY = 200
/** Of ln(ms), before anything is known, and the least that is believed. */
const FIRST_VARIANCE = 0.16
const LEAST_VARIANCE = 0.04
/** Few observations hardly change the variance. */
const LEAST_WEIGHT = 8

export class LogNormal {
  /** Observations, as far as they are remembered. */
  count = 0
  #mean = 0
  #variance = FIRST_VARIANCE

  /** Milliseconds, above 0. */
  add(ms: number): void {
    this.count = Math.min(MEMORY, this.count + 1)
    const step = Math.log(ms) - this.#mean
    this.#mean += step / this.count
    // The first observation is the mean: its distance from the initial 0 says nothing about the variance.
    if (this.count > 1) this.#variance += (step * step - this.#variance) / Math.max(LEAST_WEIGHT, this.count)
  }

  toJson(): Json {
    return [this.count, this.#mean, this.#variance]
  }

  /** Anything that `toJson` did not write is no observation. */
  static fromJson(json: unknown): LogNormal {
    const distribution = new LogNormal()
    const [count, mean, variance] = (asArray(json) ?? []).map(asNumber)
    if (count === undefined || mean === undefined || variance === undefined || !(count >= 1)) return distribution
    distribution.count = Math.min(MEMORY, Math.floor(count))
    distribution.#mean = mean
    distribution.#variance = Math.max(0, variance)
    return distribution
  }

  /** Milliseconds; 0 without an observation. */
  get median(): number {
    return this.count === 0 ? 0 : Math.exp(this.#mean)
  }

  /** The value that is `deviations` standard deviations (of the logarithm) above the median. */
  percentile(deviations: number): number {
    return Math.exp(this.#mean + deviations * Math.sqrt(Math.max(LEAST_VARIANCE, this.#variance)))
  }
}
