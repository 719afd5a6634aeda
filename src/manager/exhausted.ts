/** The error for a request that nobody answered: whose fault it was, what was tried, and when a retry can work. */

import {
  AbortedError,
  AllTargetsFailedError,
  BudgetExceededError,
  InvalidRequestError,
  type KeywiseError,
  ModelNotFoundError,
} from '../domain/errors.ts'
import type { Ineligible } from '../routing/eligible.ts'
import type { Ask } from './ask.ts'
import { whyNot } from './eligibility.ts'
import type { Engine } from './engine.ts'
import type { Trail } from './trail.ts'

export function exhausted(engine: Engine, ask: Ask, trail: Trail): KeywiseError {
  const { attempts } = trail
  if (ask.cancellation.cancelled) return new AbortedError({ attempts })
  return (
    callersFault(engine, ask, trail) ??
    lengthFault(engine, ask, trail) ??
    budgetFault(engine, ask, trail) ??
    allFailed(engine, ask, trail)
  )
}

/** The last failure was the request's own: another target would refuse it as well. */
function callersFault(engine: Engine, ask: Ask, trail: Trail): KeywiseError | null {
  const failure = trail.lastFailure
  const { attempts } = trail
  if (failure === null) return null
  const refused = (text: string, status: number) =>
    new InvalidRequestError(`${text}: ${failure.message}`, { status, attempts })
  switch (failure.kind) {
    case 'bad_request':
      return refused(
        'the provider refused the request',
        failure.status !== null && failure.status >= 400 ? failure.status : 400,
      )
    case 'content_filter':
      return refused('the provider withheld an answer for its content', 400)
    case 'unsupported':
      return refused('what was asked for is not supported', 400)
    case 'context_too_long':
      return refused('the request is longer than any model here can read', 400)
    case 'too_large_for_limit':
      return refused(
        'the request is larger than the limits of these keys allow; send less or use a key with a higher limit',
        413,
      )
    case 'model_not_found': {
      const everywhere = attempts.every((attempt) => attempt.failureKind === 'model_not_found')
      return everywhere && !ask.selection.auto
        ? new ModelNotFoundError(ask.selection.name, engine.roster.names.nearest(ask.selection.name), { attempts })
        : null
    }
    default:
      return null
  }
}

/** Nobody was asked, for by our own count the request fits into no window. */
function lengthFault(engine: Engine, ask: Ask, trail: Trail): KeywiseError | null {
  if (trail.calls > 0) return null
  const reasons = reasonsOf(engine, ask)
  if (reasons.length === 0 || !reasons.every((why) => why.code === 'context')) return null
  const text = `the request is longer than any model here can read: ${reasons[0]?.reason}`
  return new InvalidRequestError(text, { status: 400 })
}

function budgetFault(engine: Engine, ask: Ask, trail: Trail): KeywiseError | null {
  if (trail.calls > 0) return null
  const reasons = reasonsOf(engine, ask)
  if (reasons.length === 0 || !reasons.every((why) => why.code === 'budget')) return null
  const until = soonestOf(reasons)
  return new BudgetExceededError(`no budget left: ${reasons[0]?.reason}`, {
    scope: ask.selection.name,
    resetsAt: iso(until),
  })
}

function allFailed(engine: Engine, ask: Ask, trail: Trail): AllTargetsFailedError {
  const soonest = engine.soonest(ask, null)
  // Rounded up: whoever comes at that very time must not be too early.
  const retryAt = soonest === null ? null : Math.ceil(Math.max(soonest.at, engine.now))
  const when = soonest === null ? 'nobody can say when' : `${soonest.target.id} at ${iso(retryAt)}`
  const tried = trail.attempts.map((attempt) => `${attempt.target} ${attempt.failureKind}`).join(', ')
  const text =
    trail.attempts.length > 0
      ? `all ${trail.attempts.length} attempts failed (${tried}); soonest retry: ${when}`
      : `nothing can be called now: ${summary(reasonsOf(engine, ask))}; soonest: ${when}`
  return new AllTargetsFailedError(text, { attempts: trail.attempts, retryAt: iso(retryAt) })
}

function reasonsOf(engine: Engine, ask: Ask): readonly Ineligible[] {
  return engine.roster.targets
    .map((target) => whyNot(engine.world, target, ask, null, engine.now))
    .filter((why) => why !== null && why.code !== 'model' && why.code !== 'provider') as Ineligible[] // null was filtered out
}

/** `12 targets parked: rate limit …; 3 over budget`: each reason once, with how many it keeps out. */
function summary(reasons: readonly Ineligible[]): string {
  if (reasons.length === 0) return 'no target fits the request; run "keywise why" to see the reasons'
  const counted = new Map<string, { why: Ineligible; count: number }>()
  for (const why of reasons) {
    const known = counted.get(why.code)
    if (known === undefined) counted.set(why.code, { why, count: 1 })
    else known.count++
  }
  return [...counted.values()]
    .map(({ why, count }) => (count > 1 ? `${why.reason} (and ${count - 1} more)` : why.reason))
    .join('; ')
}

function soonestOf(reasons: readonly Ineligible[]): number | null {
  const times = reasons.flatMap((why) => (why.until === null ? [] : [why.until]))
  return times.length === 0 ? null : Math.min(...times)
}

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
