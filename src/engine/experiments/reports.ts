/**
 * Which of several reports about one request counts: the last one by whose request it is; without any, the last one by
 * the admin token; without that, keywise's own judgement.
 */

import type { ObservationEvent } from '../../domain/store.ts'

/** Keywise's own judgement of an answer. */
const SELF = 'self'
/** A report by the admin token about a request of another token. */
const ADMIN = 'admin'

/** A report replaces earlier ones of the same rank or a lower one. Stores of before name no source. */
export function rankOf({ source }: Pick<ObservationEvent, 'source'>): number {
  if (source === undefined || source === SELF) return 0
  return source === ADMIN ? 1 : 2
}
