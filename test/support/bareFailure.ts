/** A failure of any kind, with no more facts than the kind cannot do without. */

import type { Failure, FailureKind } from '../../src/domain/failure.ts'

const FACTS = { status: null, message: 'refused on purpose' }

export function bareFailure(kind: FailureKind): Failure {
  if (kind === 'timeout') return { ...FACTS, kind, phase: 'first-token', afterMs: 1000 }
  if (kind === 'network') return { ...FACTS, kind, code: 'ECONNRESET' }
  return { ...FACTS, kind }
}
