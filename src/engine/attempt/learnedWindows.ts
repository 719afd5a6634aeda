/**
 * Windows and output limits that refusals stated, by provider and model, and how the provider counted a prompt: they
 * hold in place of what a list, our catalogue or our estimate says, for an hour. A router may have chosen a small server, and a local server may be started again with
 * another window, so they are forgotten soon, and at once when an answer disproves them.
 */

import type { FailureOf } from '../../domain/failure.ts'
import type { Target } from '../../domain/target.ts'

const LIFE_MS = 3_600_000
/** No model that is served has a smaller window: a smaller number was no window. */
const LEAST_WINDOW_TOKENS = 256

/** Of a provider's count to ours; more is a mistake of one of us. */
const MOST_RATIO = 2

interface Learned {
  readonly value: number
  /** Epoch milliseconds. */
  readonly until: number
}

type Model = Pick<Target, 'provider' | 'model'>
type Refusal = FailureOf<'context_too_long'> | FailureOf<'unsupported'>

export class LearnedWindows {
  readonly #now: () => number
  readonly #windows = new Map<string, Learned>()
  readonly #outputs = new Map<string, Learned>()
  readonly #ratios = new Map<string, Learned>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** The target's window in tokens; null when it is unknown. */
  windowOf(target: Target): number | null {
    return this.#read(this.#windows, target) ?? target.profile.contextTokens
  }

  /** Maximum tokens of an answer; null when it is unknown. */
  outputOf(target: Target): number | null {
    return this.#read(this.#outputs, target) ?? target.profile.maxOutputTokens
  }

  /** Tokens of a prompt as the target's provider would count them, for all we know. */
  countFor(target: Target, inputTokens: number): number {
    return Math.ceil(inputTokens * (this.#read(this.#ratios, target) ?? 1))
  }

  /** `inputTokens`: our estimate of the prompt that was refused. */
  learn(model: Model, failure: Refusal, inputTokens: number): void {
    const isWindow = failure.kind === 'context_too_long'
    if (isWindow && failure.inputTokens !== undefined && inputTokens > 0) {
      const ratio = Math.min(Math.max(failure.inputTokens / inputTokens, 1), MOST_RATIO)
      this.#ratios.set(nameOf(model), { value: ratio, until: this.#now() + LIFE_MS })
    }
    const tokens = isWindow ? failure.limitTokens : failure.mostOutputTokens
    if (tokens === undefined || tokens < (isWindow ? LEAST_WINDOW_TOKENS : 1)) return
    const known = isWindow ? this.#windows : this.#outputs
    known.set(nameOf(model), { value: tokens, until: this.#now() + LIFE_MS })
  }

  /** An answer was given to a prompt of this many tokens. */
  worked(model: Model, inputTokens: number): void {
    if (this.#windows.size === 0) return
    const name = nameOf(model)
    if ((this.#windows.get(name)?.value ?? Number.POSITIVE_INFINITY) < inputTokens) this.#windows.delete(name)
  }

  /** A person wants these models tried as they are; null for all. */
  retest(models: readonly Model[] | null): void {
    for (const known of [this.#windows, this.#outputs, this.#ratios]) {
      if (models === null) known.clear()
      else for (const model of models) known.delete(nameOf(model))
    }
  }

  #read(known: ReadonlyMap<string, Learned>, model: Model): number | undefined {
    if (known.size === 0) return undefined
    const learned = known.get(nameOf(model))
    return learned !== undefined && learned.until > this.#now() ? learned.value : undefined
  }
}

const nameOf = ({ provider, model }: Model) => `${provider} ${model}`
