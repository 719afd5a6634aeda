/**
 * Models that answered request after request with nothing, or in the wrong form. One such answer says nothing about the
 * next request. Several in a row do, about the model at that provider: never about the key.
 */

import type { FailureKind } from '../../domain/failure.ts'
import { scopeKey, scopeOf } from '../../domain/scope.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import { Demotion } from './demotion.ts'

/** After so many requests in a row none asks it a second time. */
const NOT_TWICE = 2
/** After so many requests in a row others come first. */
const ENOUGH = 3
const USELESS: ReadonlySet<FailureKind> = new Set(['empty', 'malformed'])

interface Run {
  readonly requests: Set<string>
  readonly demotion: Demotion
}

export class UselessAnswers {
  readonly #runs = new Map<string, Run>()

  get isEmpty(): boolean {
    return this.#runs.size === 0
  }

  /** An answer to a test proves nothing: thoughts are enough for it. */
  fold({ target, source, ok, failure, requestId, at, notCharged }: AttemptEvent): void {
    if (source !== 'live' || notCharged) return
    if (ok) {
      if (this.#runs.size > 0) this.#runs.delete(keyOf(target))
    } else if (failure !== null && USELESS.has(failure.kind)) this.#add(keyOf(target), requestId, at)
  }

  /** Whether a second try of the same request would be in vain, as those of the requests before it were. */
  isAskedOnce(target: Target, now: number): boolean {
    return (this.#runOf(target, now)?.demotion.times ?? 0) >= NOT_TWICE
  }

  /** Whether requests should rather ask others. */
  comesLast(target: Target, now: number): boolean {
    return (this.#runOf(target, now)?.demotion.times ?? 0) >= ENOUGH
  }

  /** The same for the target that the request would ask first; see `Demotion.pass`. */
  passesOver(target: Target, now: number): boolean {
    return this.comesLast(target, now) && this.#runOf(target, now)?.demotion.pass(ENOUGH, now) === true
  }

  #runOf(target: Target, now: number): Run | undefined {
    const run = this.#runs.size === 0 ? undefined : this.#runs.get(keyOf(target))
    return run?.demotion.isForgotten(now) ? undefined : run
  }

  #add(key: string, requestId: string, at: number): void {
    let run = this.#runs.get(key)
    if (run === undefined || run.demotion.isForgotten(at)) {
      run = { requests: new Set(), demotion: new Demotion() }
      this.#runs.set(key, run)
    }
    // Several answers of one request count once; of older requests none is left under way.
    if (run.requests.has(requestId)) return
    if (run.requests.size >= MOST_REQUESTS) run.requests.clear()
    run.requests.add(requestId)
    run.demotion.add(at)
  }
}

const MOST_REQUESTS = 100

const keyOf = (target: Pick<Target, 'provider' | 'model' | 'account' | 'fingerprint' | 'stateId'>) =>
  scopeKey(scopeOf(target, 'provider+model'))
