/** How much a failure tells about the target it happened to, and whether its whole provider shares it. */

import { FAILURE_KINDS, type Failure, type FailureKind } from '../domain/failure.ts'
import { type JudgeFacts, judge, type Verdict } from './judge.ts'

export type Blame = Verdict['blame']

const NOBODY: Blame = { weight: 0, provider: false }
/** Blame depends on the failure alone; these facts only matter to what the request does next. */
const ANY_REQUEST: JudgeFacts = {
  alone: false,
  retried: false,
  patienceMs: 0,
  confirmed: false,
  mayAnswerFiltered: false,
  random: 0,
}
const TABLE = new Map(FAILURE_KINDS.map((kind) => [kind, blameFor(kind)]))

/** A kind that only a newer keywise knows blames nobody. */
export function blameOf(failure: Failure | null): Blame {
  return (failure && TABLE.get(failure.kind)) ?? NOBODY
}

function blameFor(kind: FailureKind): Blame {
  return judge({ kind, status: null, message: '', phase: 'total', afterMs: 0, code: '' }, ANY_REQUEST).blame
}
