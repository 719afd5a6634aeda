/** Why a decision fell as it did: the one step that decided, with what it decided against. */

import type { DecidingStep } from './choice.ts'

/** Besides the steps of a choice: an outage that may be over is asked first, or nothing could be asked. */
export type CauseKind = DecidingStep | 'comeback' | 'none'

export const CAUSE_KINDS: readonly CauseKind[] = [
  'best',
  'draw',
  'exploration',
  'new',
  'cost',
  'load',
  'session',
  'comeback',
  'none',
]

export interface DecisionCause {
  readonly kind: CauseKind
  /** Id of the target that would have been chosen without it; null for none. */
  readonly instead: string | null
  /** Of `new`: which of its free tries this is, from 1. */
  readonly pull: number | null
  /** Of `new`: how many free tries a new target has. */
  readonly pulls: number | null
  /** One sentence. */
  readonly text: string
}

interface CauseFacts {
  readonly kind: CauseKind
  readonly instead: string | null
  /** 0 for none. */
  readonly pull: number
  readonly pulls: number
}

export function causeOf({ kind, instead, pull, pulls }: CauseFacts): DecisionCause {
  const numbers = pull > 0 ? { pull, pulls } : { pull: null, pulls: null }
  return { kind, instead, ...numbers, text: TEXTS[kind](instead ?? 'nothing else', pull, pulls) }
}

const TEXTS: { readonly [K in CauseKind]: (instead: string, pull: number, pulls: number) => string } = {
  best: () => 'it looks best',
  draw: (instead) => `its draw was better than that of ${instead}, and their values are about the same`,
  exploration: (instead) =>
    `explored instead of ${instead}: little is known of it, and it might be better than it looks`,
  new: (_, pull, pulls) => `new: pull ${pull} of ${pulls}`,
  cost: (instead) => `about as good as ${instead}, and it costs less`,
  load: (instead) => `its key was used less than that of ${instead}`,
  session: () => 'the conversation stays with it',
  comeback: (instead) => `it failed before and may work again: asked before ${instead} to find out`,
  none: () => 'nothing could be asked',
}
