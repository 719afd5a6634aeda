/**
 * Why a decision fell as it did: the one step that decided.
 *
 * A decision goes through steps, each of which may move the choice to another of the targets that can be tried now:
 *
 * 1. `best`: what the strategy orders by is largest: V, the score, the place (`priority`), the turn (`turn`). Of equal
 *    ones the larger weight (`weight`), then the first id (`name`).
 * 2. `order`: an alias with an order asks only the first of its groups that has a target.
 * 3. `pressure`: what budgets take off V for the cost of this request.
 * 4. `draw` (the best draw, where V is below the best by no more than the margin) or `exploration` (the best draw beyond
 *    the margin, paid with a saved try; 5 and 6 are left out then).
 * 5. `cost`: the cheapest of those whose V is within the cost margin of the best.
 * 6. `load`: the key of the same model that was used least for its weight, if its V may be as good.
 * 7. `new` (a free try of a target without a past, in the place of all that) or `proven` (the best without new targets,
 *    where one looks best that this request must not try).
 * 8. `session`: the conversation's target, for which 4 and 7 are left out. Last, because it holds whatever they say.
 *
 * The cause is the last step after which another target stood as chosen than before it. Without that step, the decision
 * would have been the target before (`instead`), and the later steps would have left it there; where several steps would
 * each have led here, the last of them is named. Where no step moved anything it is the first. `only` stands in the
 * place of all where no other target could be tried, because then no step had a choice.
 */

import type { DecidingStep } from './choice.ts'
import type { Strategy } from './settings.ts'

/** A step that can move the choice. */
export type CauseStep = DecidingStep | 'order' | 'pressure'

export const CAUSE_KINDS = [
  'best',
  'priority',
  'turn',
  'weight',
  'name',
  'order',
  'pressure',
  'draw',
  'exploration',
  'new',
  'proven',
  'cost',
  'load',
  'session',
  'only',
  'comeback',
  'none',
] as const

/** Besides the steps: an outage that may be over is asked first (`comeback`), or nothing could be tried (`none`). */
export type CauseKind = (typeof CAUSE_KINDS)[number]

/** Why the target of a decision was chosen. */
export interface DecisionCause {
  /** The step that decided; docs/why.md says what each means. */
  readonly kind: CauseKind
  /** Id of the target that would have been chosen without it; of the first step, the next best. Null for none. */
  readonly instead: string | null
  /** Of `new`: which of its free tries this is, from 1. */
  readonly pull: number | null
  /** Of `new`: how many free tries a new target has. */
  readonly pulls: number | null
  /** One sentence with the numbers that decided. */
  readonly text: string
}

/** The numbers by which a target is chosen; rounded, so that every reader of a stored decision has the same. */
export interface ChoiceNumbers {
  /** Expected score, given that a call may fail, less `pressure`. */
  readonly value: number
  /** What the strategy orders by, larger first: V, the score, less the place or the distance to the turn. */
  readonly key: number
  /** What budgets took off the value. */
  readonly pressure: number
  /** The expected cost of this request in USD; null when the price is unknown. */
  readonly costUsd: number | null
  /** Calls of its account in the last minute; null where that does not count. */
  readonly calls: number | null
  /** The user's weight of the target. */
  readonly weight: number
  /** Place of its group in the alias, from 0. */
  readonly group: number
  /** V with its luck in the draws of this decision; null where none were made. */
  readonly drawn: number | null
  /** V if its reliability were one deviation better: what a key that was seldom used may be worth. */
  readonly hoped: number
  /** Its free tries are not over; where there are none, it has neither answered nor failed yet. */
  readonly isNew: boolean
  /** Its free tries are not over; false for all where there are none. */
  readonly untried: boolean
}

/** What a decision went by besides the numbers of the targets. */
export interface DecisionBasis {
  readonly strategy: Strategy
  /** The cheapest this close to the best V is chosen. */
  readonly costMargin: number
  /** A draw this close to the best V is no exploration. */
  readonly drawMargin: number
  /** Whether the decision was made by draws. */
  readonly draws: boolean
  /** Seed of its draws: a 32-bit number. */
  readonly seed: number
  /** Saved tries before the decision; an exploration costs 1. */
  readonly tokens: number
  /** The target of the conversation; null for none. */
  readonly session: string | null
}

/** What a sentence is made of. */
interface CauseFacts {
  readonly kind: CauseKind
  /** Null when nothing was chosen. */
  readonly chosen: NumbersOf | null
  readonly instead: NumbersOf | null
  readonly basis: DecisionBasis
  /** Of `new`; 0 for none. */
  readonly pull: number
  readonly pulls: number
  /** Of `only`: the request itself leaves out all others. */
  readonly isNamed: boolean
}

export interface NumbersOf extends ChoiceNumbers {
  readonly id: string
}

export function causeOf(facts: CauseFacts): DecisionCause {
  const { kind, chosen, instead, pull, pulls } = facts
  const numbers = kind === 'new' ? { pull, pulls } : { pull: null, pulls: null }
  const text = chosen === null ? 'nothing could be tried' : sentenceOf(facts, chosen, instead)
  return { kind, instead: instead?.id ?? null, ...numbers, text }
}

function sentenceOf(facts: CauseFacts, one: NumbersOf, other: NumbersOf | null): string {
  if (facts.kind === 'only')
    return facts.isNamed ? 'the only target of what was asked for' : 'the only target that could be tried'
  if (facts.kind === 'new')
    return `new: pull ${facts.pull} of ${facts.pulls}${other === null ? '' : `, instead of ${other.id}`}`
  return other === null ? bestText(facts, one, other) : SENTENCES[facts.kind](one, other, facts)
}

type Sentence = (one: NumbersOf, other: NumbersOf, facts: CauseFacts) => string

const SENTENCES: Readonly<Record<Exclude<CauseKind, 'only' | 'new'>, Sentence>> = {
  best: (one, other, facts) => bestText(facts, one, other),
  priority: (_, other) => `first in the order of those that could be tried, before ${other.id}`,
  turn: (_, other) => `its turn, before ${other.id}`,
  weight: (one, other) => `as good as ${other.id}, and its weight is larger: ${one.weight} against ${other.weight}`,
  name: (_, other) => `exactly as good as ${other.id}, and its id comes first`,
  order: (_, other) => `the alias asks it before ${other.id}`,
  pressure: (one, other) => {
    const [mine, theirs] = apart(one.value, other.value)
    return `budget pressure: V ${mine} is left of it, and ${theirs} of ${other.id}, whose cost takes ${short(other.pressure)} off`
  },
  draw: (one, other, { basis }) => {
    const [mine, theirs] = apart(one.drawn ?? one.value, other.drawn ?? other.value)
    return `the draw inside the margin of ${short(basis.drawMargin)}: ${mine} against ${theirs} of ${other.id}`
  },
  exploration: (one, other, { basis }) => {
    const [mine, theirs] = apart(one.value, other.value)
    return `explored instead of ${other.id}, V ${mine} against ${theirs}: it might be better than it looks; paid with 1 of ${tries(basis.tokens)}`
  },
  cost: (one, other, { basis }) =>
    `the cheapest within ${short(basis.costMargin)} of the best value: ${dollars(one.costUsd)} against ${dollars(other.costUsd)} of ${other.id}`,
  proven: (_, other) => `known to work, where ${other.id} is new and this request does not try it`,
  load: (one, other) =>
    loadOf(one) < loadOf(other)
      ? `its key was used less: ${calls(one)} in the last minute against ${calls(other)} of ${other.id}`
      : `its key was used no more than that of ${other.id} for its weight, which is larger: ${one.weight} against ${other.weight}`,
  session: (one, other, { basis }) => {
    if (basis.strategy !== 'learned') return `the conversation is with it, instead of ${other.id}`
    const [mine, theirs] = apart(one.value, other.value)
    return `the conversation is with it: V ${mine}, instead of ${other.id} with ${theirs}`
  },
  comeback: (_, other) => `it failed and may work again: asked before ${other.id} to find out`,
  none: () => 'nothing could be tried',
}

function bestText({ kind, basis }: CauseFacts, one: NumbersOf, other: NumbersOf | null): string {
  if (kind === 'comeback') return 'it failed and may work again: asked to find out'
  if (kind === 'session') return 'the conversation is with it'
  const what = basis.strategy === 'learned' ? 'value: V' : 'score:'
  if (other === null) return `best ${what} ${short(one.key)}`
  const [mine, theirs] = apart(one.key, other.key)
  return `best ${what} ${mine} against ${theirs} of ${other.id}`
}

/** Calls for the weight. */
export const loadOf = ({ calls, weight }: ChoiceNumbers) => (calls ?? 0) / weight

/** `3 calls`, for its weight where that is not 1. */
function calls({ calls, weight }: NumbersOf): string {
  const counted = `${calls ?? 0} ${calls === 1 ? 'call' : 'calls'}`
  return weight === 1 ? counted : `${counted} for a weight of ${weight}`
}

const tries = (tokens: number) => `${Math.round(tokens * 100) / 100} saved ${tokens === 1 ? 'try' : 'tries'}`

const dollars = (usd: number | null) => (usd === null ? 'an unknown price' : `$${Number(usd.toPrecision(3))}`)

/** `.61` */
export function short(value: number, digits = 2): string {
  return value.toFixed(digits).replace(/^(-?)0(?=\.)/, '$1')
}

/** Both with two digits, or with as many as they need to differ. */
export function apart(one: number, other: number): readonly [string, string] {
  for (let digits = 2; digits < 9; digits++)
    if (one.toFixed(digits) !== other.toFixed(digits)) return [short(one, digits), short(other, digits)]
  return [short(one), short(other)]
}
