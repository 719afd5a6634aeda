/**
 * Targets that kept several requests in a row waiting until another target, asked beside them, answered first. That is
 * no failure. But a request that cannot wait any longer than those did is better off with another target.
 */

import { asArray, asString, type Json } from '../../domain/json.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { Demotion } from './demotion.ts'
import { LogNormal } from './logNormal.ts'

/** So many silences in a row count; one or two can happen to any target. */
const ENOUGH = 3
/** A silence within the 95th percentile of the target's usual times is none. */
const Z95 = 1.645
interface Run {
  /** The longest silences in milliseconds, in descending order; at most `ENOUGH`. */
  longest: readonly number[]
  readonly demotion: Demotion
}

interface Usual {
  /** To the first content of streams. */
  readonly first: LogNormal
  /** To the end of plain answers. */
  readonly whole: LogNormal
}

export class Silences {
  readonly #runs = new Map<string, Run>()
  readonly #usual = new Map<string, Usual>()

  /** Whether no target was silent lately. */
  get isEmpty(): boolean {
    return this.#runs.size === 0
  }

  fold(event: AttemptEvent): void {
    const { ok, failure, firstTokenMs, source, streamed, target } = event
    if (ok || firstTokenMs !== null) {
      this.#runs.delete(target.stateId)
      if (ok && firstTokenMs !== null && firstTokenMs > 0 && source === 'live')
        this.#learnUsual(target.stateId, streamed, firstTokenMs)
    } else if (failure?.kind === 'slower' && !event.notCharged) this.#add(event)
  }

  /** Whether a request that can wait `patienceMs` for the target should rather ask others. */
  isTooSlow(stateId: string, patienceMs: number, now: number): boolean {
    const run = this.#runs.get(stateId)
    if (run === undefined || run.demotion.isForgotten(now)) return false
    const longerThan = run.longest[ENOUGH - 1]
    return longerThan !== undefined && patienceMs <= longerThan
  }

  /** The same for the target that the request would ask first; see `Demotion.pass`. */
  passesOver(stateId: string, patienceMs: number, now: number): boolean {
    return this.isTooSlow(stateId, patienceMs, now) && this.#runs.get(stateId)?.demotion.pass(ENOUGH, now) === true
  }

  /** Only what is usual is kept over a restart. */
  toJson(): Json {
    return [...this.#usual].map(([stateId, { first, whole }]) => [stateId, first.toJson(), whole.toJson()])
  }

  /** Reads what `toJson` wrote; invalid entries are dropped. */
  static fromJson(json: unknown): Silences {
    const silences = new Silences()
    for (const entry of asArray(json) ?? []) {
      const [id, first, whole] = asArray(entry) ?? []
      const stateId = asString(id)
      if (stateId !== undefined)
        silences.#usual.set(stateId, { first: LogNormal.fromJson(first), whole: LogNormal.fromJson(whole) })
    }
    return silences
  }

  #add({ target, at, latencyMs, streamed }: AttemptEvent): void {
    const usual = this.#usual.get(target.stateId)
    const seen = streamed ? usual?.first : usual?.whole
    if (seen !== undefined && seen.count > 0 && latencyMs <= seen.percentile(Z95)) return
    const known = this.#runs.get(target.stateId)
    const run: Run =
      known === undefined || known.demotion.isForgotten(at) ? { longest: [], demotion: new Demotion() } : known
    run.longest = [...run.longest, latencyMs].sort((one, other) => other - one).slice(0, ENOUGH)
    run.demotion.add(at)
    this.#runs.set(target.stateId, run)
  }

  #learnUsual(stateId: string, streamed: boolean, ms: number): void {
    let usual = this.#usual.get(stateId)
    if (usual === undefined) {
      usual = { first: new LogNormal(), whole: new LogNormal() }
      this.#usual.set(stateId, usual)
    }
    const seen = streamed ? usual.first : usual.whole
    seen.add(ms)
  }
}
