/** Checks whether a target may be tried, once per target and pass, and only for those that could win. */

import type { Target } from '../domain/target.ts'
import type { Ineligible } from './eligible.ts'

/** Who says whether a target may be tried: the request. */
export interface Question {
  /** Why a target may not be tried now. Called at most once per target and pass, and only for those that could win. */
  ineligible(target: Target, index: number): Ineligible | null
}

const NO_QUESTION: Question = { ineligible: () => null }
const ADMITTED = 1
const REFUSED = 2

export class EligibilityCache {
  #answers = new Uint8Array(0)
  #targets: readonly Target[] = []
  #question = NO_QUESTION
  #exclude: ((target: Target) => boolean) | null = null
  #barred: ((index: number) => boolean) | null = null

  /** Starts a pass over `targets`; the results of the previous one are dropped. */
  open(targets: readonly Target[], question: Question, exclude: ((target: Target) => boolean) | null): void {
    if (this.#answers.length !== targets.length) this.#answers = new Uint8Array(targets.length)
    else this.#answers.fill(0)
    this.#targets = targets
    this.#question = question
    this.#exclude = exclude
  }

  /** Ends the pass: what it asked is let go, with the request and the call behind it. */
  close(): void {
    this.#question = NO_QUESTION
    this.#exclude = null
  }

  /** Runs `pick` without the targets that `isBarred` names; what is known of the others is kept. */
  barring<T>(isBarred: (index: number) => boolean, pick: () => T): T {
    this.#barred = isBarred
    try {
      return pick()
    } finally {
      this.#barred = null
    }
  }

  admits(index: number): boolean {
    if (this.#barred?.(index)) return false
    if (this.#answers[index] === 0) this.#answers[index] = this.#check(index) ? ADMITTED : REFUSED
    return this.#answers[index] === ADMITTED
  }

  /** The indexes that were found eligible in this pass. */
  admitted(): ReadonlySet<number> {
    const admitted = new Set<number>()
    this.#answers.forEach((answer, index) => {
      if (answer === ADMITTED) admitted.add(index)
    })
    return admitted
  }

  #check(index: number): boolean {
    const target = this.#targets[index]!
    return !this.#exclude?.(target) && this.#question.ineligible(target, index) === null
  }
}
