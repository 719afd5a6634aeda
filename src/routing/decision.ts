/** One decision of the router: its target, the next ones, and the explanation, worked out only when it is asked for. */

import type { Target } from '../domain/target.ts'
import type { DecisionCause } from './cause.ts'
import type { Choice } from './choice.ts'
import type { Question } from './eligibilityCache.ts'
import type { Ineligible } from './eligible.ts'
import type { Explained, RankedTarget } from './explain.ts'

export interface Decision {
  /** Null when nothing is eligible. */
  readonly first: Target | null
  /** Whether a target that looks worse was chosen to learn about it. */
  readonly explored: boolean
  /** Of a try of a new target: what would be asked first but for it; null for every other decision. */
  readonly instead: { readonly target: Target; readonly expectedMs: number } | null
  /** The best target that this decision has not returned yet; never explores. Null when none is left. */
  next(exclude: (target: Target) => boolean): Target | null
  /** Keeps what the call of the chosen target itself will change, for an explanation after that call has begun. */
  note(): void
  /** Why `first` was chosen; uses the state at the time of the call. */
  cause(): DecisionCause
  /** Every target in the order in which it would be tried, with the reasons; uses the state at the time of the call. */
  explain(): readonly RankedTarget[]
  /**
   * The cause with the first rows of the ranking, to be stored. `question`: why a target could not be tried; default: as
   * for the decision. `comeback`: what was asked in the place of `first`; default: nothing.
   */
  preview(most: number, question?: Question, comeback?: Target): Explained
}

/** What an explanation is given after the call has begun. */
export interface Explaining<Pass> {
  readonly pass: Pass
  readonly choice: Choice | null
  readonly chosen: Target | null
  readonly noted: Noted | null
  readonly question?: Question | undefined
  readonly comeback?: Target | undefined
}

/** What the call of the chosen target itself changes. */
export interface Noted {
  /** Calls in the last minute, by `stateId`. */
  readonly calls: ReadonlyMap<string, number>
  readonly admitted: ReadonlySet<number>
  readonly tokens: number
}

export interface Tellers<Pass> {
  next(pass: Pass, tried: string[], exclude: (target: Target) => boolean): Target | null
  note(pass: Pass, choice: Choice): Noted
  cause(told: Explaining<Pass>): DecisionCause
  explain(told: Explaining<Pass>): readonly RankedTarget[]
  preview(told: Explaining<Pass>, most: number): Explained
}

/** A class, so that a decision is one object, whatever may be asked of it. */
export class RoutedDecision<Pass> implements Decision {
  readonly first: Target | null
  readonly explored: boolean
  readonly instead: Decision['instead']
  readonly #tellers: Tellers<Pass>
  readonly #pass: Pass
  readonly #choice: Choice
  readonly #tried: string[]
  #noted: Noted | null = null

  constructor(tellers: Tellers<Pass>, pass: Pass, choice: Choice, first: Target | null, instead: Decision['instead']) {
    this.first = first
    this.explored = choice.explored
    this.instead = instead
    this.#tellers = tellers
    this.#pass = pass
    this.#choice = choice
    this.#tried = first === null ? [] : [first.stateId]
  }

  next(exclude: (target: Target) => boolean): Target | null {
    return this.#tellers.next(this.#pass, this.#tried, exclude)
  }

  note(): void {
    this.#noted = this.#tellers.note(this.#pass, this.#choice)
  }

  cause(): DecisionCause {
    return this.#tellers.cause(this.#told())
  }

  explain(): readonly RankedTarget[] {
    return this.#tellers.explain(this.#told())
  }

  preview(most: number, question?: Question, comeback?: Target): Explained {
    return this.#tellers.preview({ ...this.#told(), question, comeback }, most)
  }

  #told(): Explaining<Pass> {
    return { pass: this.#pass, choice: this.#choice, chosen: this.first, noted: this.#noted }
  }
}

/** What was admitted when the decision was made could be tried, whatever has begun since. */
export class AsAdmitted implements Question {
  readonly #question: Question
  readonly #noted: Noted | null

  constructor(question: Question, noted: Noted | null) {
    this.#question = question
    this.#noted = noted
  }

  ineligible(target: Target, index: number): Ineligible | null {
    return this.#noted?.admitted.has(index) ? null : this.#question.ineligible(target, index)
  }
}
