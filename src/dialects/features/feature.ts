/** What a request can say that not every dialect can, and what becomes of it. */

import type { DialectId } from '../../domain/chat.ts'

/**
 * To an upstream of another dialect: `passed` in its own words, `rewritten` as an equivalent, `refused` (another target
 * is asked, and without one the client is told), or `left out` and named in `x-keywise-left-out`. To an upstream of the
 * client's own dialect everything is passed.
 */
export type Treatment = 'passed' | 'rewritten' | 'refused' | 'left out'

export interface Feature {
  /** Kebab-case, unique. */
  readonly id: string
  /** For the table in the documentation and for errors. */
  readonly title: string
  /** The clients that can say it. */
  readonly clients: readonly DialectId[]
  readonly upstreams: { readonly [D in DialectId]: Treatment }
}

/** What a request says that only some dialects can be told. */
export interface PartNeed {
  readonly feature: Feature
  /** How the request says it: `"input_file" by its id`. */
  readonly name: string
  /** Of a dialect's services some take it and some do not. */
  readonly isDocument?: true
  /** So many answers, which only some models give at once. */
  readonly answers?: number
  /** Probabilities of tokens, which only some models give. */
  readonly isLogprobs?: true
}

/** Whether an upstream of `dialect` can be told; `own` is the client's dialect. */
export function canBeTold({ feature }: PartNeed, dialect: DialectId, own: DialectId | null): boolean {
  return dialect === own || feature.upstreams[dialect] !== 'refused'
}
