/** Who rates a request, or reports a number about it. */

import type { AttemptEvent } from '../domain/store.ts'

/** A token of the gateway: `id` is of the token itself, so that another one of the same name is somebody else. */
interface RatingToken {
  readonly kind: 'token'
  readonly id: string
  readonly name: string
  /** Epoch milliseconds; null for a token of the environment or of the token files. */
  readonly createdAt: number | null
  /** Other tokens may make requests too: what it says is not only about answers to its own. */
  readonly isShared: boolean
}

/** `library`: a program that has opened the store itself; `admin`: any token of the administrator. */
export type Rater = { readonly kind: 'library' } | { readonly kind: 'admin' } | RatingToken

export const LIBRARY: Rater = { kind: 'library' }

/** Names the rater in events: of one rater, request and metric one value counts, the last. */
export function sourceOf(rater: Rater): string {
  return rater.kind === 'token' ? `token:${rater.id}` : rater.kind
}

/** The owner of the store and the administrator may rate every request, a token only those that it made itself. */
export function mayRate(rater: Rater, made: Pick<AttemptEvent, 'token' | 'tokenId' | 'startedAt'>): boolean {
  if (rater.kind !== 'token') return true
  if (made.tokenId !== undefined) return made.tokenId === rater.id
  // Attempts of older versions say only the name of their token, which a later token may have taken over.
  return made.token === rater.name && (rater.createdAt === null || rater.createdAt <= made.startedAt)
}
