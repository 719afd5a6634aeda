/**
 * Fields a provider refuses for a model and that can be renamed or dropped without losing anything the caller
 * requested: learned from its error message, where that names the field as such and not a value of it, and kept for a
 * day. Then the field is sent again, and another refusal renews what is known.
 */

import type { FailureOf, RequestSubject } from '../../domain/failure.ts'
import type { Target } from '../../domain/target.ts'

const LIFE_MS = 86_400_000
/** A value that is refused says nothing about the field. */
const ONE_VALUE: ReadonlySet<RequestSubject | undefined> = new Set(['value', 'size'])
/** Renamed: the same option under the name the provider knows. */
const RENAMES: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'max_completion_tokens'],
  ['max_completion_tokens', 'max_tokens'],
])
/** Dropped: hints for the server, not requirements of the caller. */
const DROPPABLE = new Set([
  'stream_options',
  'parallel_tool_calls',
  'store',
  'user',
  'metadata',
  'usage',
  'service_tier',
  'prompt_cache_key',
  'reasoning_effort',
])

export class LearnedRequestFixes {
  readonly #now: () => number
  readonly #learned = new Map<string, Map<string, number>>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Learns from a refusal. True when the next call of the same target will be written differently. */
  learn(target: Target, failure: FailureOf<'unsupported'>): boolean {
    const { parameter, about } = failure
    if (parameter === undefined || ONE_VALUE.has(about) || (!RENAMES.has(parameter) && !DROPPABLE.has(parameter)))
      return false
    const id = `${target.provider} ${target.model}`
    const known = this.#learned.get(id) ?? new Map<string, number>()
    // Renamed once and refused under the other name too: it accepts neither.
    if ((known.get(parameter) ?? 0) > this.#now() || (known.get(RENAMES.get(parameter) ?? '') ?? 0) > this.#now())
      return false
    known.set(parameter, this.#now() + LIFE_MS)
    this.#learned.set(id, known)
    return true
  }

  /** A person wants these models tried as they are; null for all. */
  retest(models: readonly Target[] | null): void {
    if (models === null) this.#learned.clear()
    else for (const { provider, model } of models) this.#learned.delete(`${provider} ${model}`)
  }

  /** Whether there are fixes for the target's model. */
  has(target: Target): boolean {
    return this.#learned.size > 0 && this.#learned.has(`${target.provider} ${target.model}`)
  }

  /** The body as this provider accepts it for this model. */
  apply(target: Target, body: Record<string, unknown>): Record<string, unknown> {
    if (this.#learned.size === 0) return body
    const known = this.#learned.get(`${target.provider} ${target.model}`)
    if (known === undefined) return body
    const fixed = { ...body }
    for (const [parameter, until] of known) {
      if (until <= this.#now() || !(parameter in fixed)) continue
      const renamed = RENAMES.get(parameter)
      if (renamed !== undefined) fixed[renamed] = fixed[parameter]
      delete fixed[parameter]
    }
    return fixed
  }
}
