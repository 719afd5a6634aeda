/** The error for a request no target answered: whose fault it was, what was tried, and when a retry can work. */

import type { AttemptReport } from '../domain/attempt.ts'
import {
  AbortedError,
  AllTargetsFailedError,
  BudgetExceededError,
  type ContextOverflow,
  InvalidRequestError,
  type KeywiseError,
  ModelNotFoundError,
} from '../domain/errors.ts'
import type { FailureKind } from '../domain/failure.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import { ownShortageOf, ownShortageText } from '../domain/ownShortage.ts'
import type { Park } from '../domain/park.ts'
import type { Target } from '../domain/target.ts'
import type { BudgetRefusal } from '../money/budget.ts'
import { type Ineligible, type IneligibleCode, ineligible } from '../routing/eligible.ts'
import { speaks } from '../routing/spokenDialect.ts'
import { type Obstacle, whyNot } from './attempt/eligibility.ts'
import type { Trail } from './attempt/trail.ts'
import { addressAdvice, type Cause, mendingAdvice } from './mending.ts'
import { estimatedOverflow, statedOverflow } from './overflow.ts'
import type { EngineReader } from './reader.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

export function exhausted(engine: EngineReader, pending: PendingRequest, trail: Trail): KeywiseError {
  const { attempts } = trail
  if (pending.cancellation.cancelled) return new AbortedError({ attempts })
  return (
    rejection(trail) ??
    ownShortage(engine, trail) ??
    callersFault(engine, pending, trail) ??
    (trail.calls > 0 ? allAttemptsFailed(engine, pending, trail) : nothingCalled(engine, pending))
  )
}

/** This machine has no room for another connection: no target was at fault, and in a moment there may be room. */
function ownShortage({ now }: EngineReader, { lastFailure, attempts }: Trail): AllTargetsFailedError | null {
  const code = ownShortageOf(lastFailure)
  if (code === null) return null
  return new AllTargetsFailedError(ownShortageText(code), { attempts, retryAt: isoOrNull(now + SHORTAGE_RETRY_MS) })
}

const SHORTAGE_RETRY_MS = 2000

/** The last failure was the request's own fault: another target would refuse it too. */
function callersFault(engine: EngineReader, pending: PendingRequest, trail: Trail): KeywiseError | null {
  const failure = trail.lastFailure
  const { attempts } = trail
  if (failure === null) return null
  const own = isOwnDialect(engine, pending, trail)
  const { details, vendor } = own ? failure : {}
  const refused = (text: string, status: number, parameter: string | null = null) =>
    new InvalidRequestError(details === undefined ? `${text}: ${failure.message}` : failure.message, {
      status,
      attempts,
      parameter: vendor?.parameter ?? parameter,
      details: details ?? vendor?.details ?? null,
      vendorCode: vendor?.code ?? null,
      vendorType: vendor?.type ?? null,
    })
  const said = failure.status !== null && failure.status >= 400 && failure.status < 500 ? failure.status : 400
  switch (failure.kind) {
    case 'bad_request':
      return refused('the provider refused the request', said)
    case 'content_filter':
      return refused('the provider withheld an answer for its content', 400)
    case 'unsupported':
      return refused('what was asked for is not supported', said)
    case 'context_too_long':
      return tooLong(engine, pending, trail)
    case 'too_large_for_limit':
      return refused(
        'the request is larger than the limits of these keys allow; send less or use a key with a higher limit',
        413,
      )
    case 'model_not_found': {
      const everywhere = attempts.every((attempt) => attempt.failureKind === 'model_not_found')
      return everywhere && !pending.selection.auto
        ? new ModelNotFoundError(pending.selection.name, nearestOthers(engine, pending), {
            attempts,
            words: failure.unexplained ? addressWords(engine, failure.message, attempts) : failure.message,
          })
        : null
    }
    default:
      return null
  }
}

/** Whether the target that failed last speaks as the client does: what clients act on then goes to them as it was said. */
function isOwnDialect({ registry }: EngineReader, pending: PendingRequest, { attempts }: Trail): boolean {
  const target = registry.targets.find(({ id }) => id === attempts.at(-1)?.target)
  if (target === undefined) return false
  const { wire, operation, request } = pending
  if (operation === null) return wire !== null && speaks(target.profile, wire.dialect)
  return operation.dialectFor(target.profile.dialect)?.id === (request.extra?.dialect ?? 'openai')
}

/** The largest window counts, whether its target refused the request or was not asked for being too small. */
function tooLong(
  engine: EngineReader,
  pending: PendingRequest,
  { tooLong, attempts }: Trail,
): InvalidRequestError | null {
  if (tooLong === null) return null
  const { failure, target } = tooLong
  const { inputTokens: all, longestTokens: inputTokens = all, maxOutputTokens } = pending.needs
  const { contextTokens } = target.profile
  const stated = statedOverflow(failure, { inputTokens, maxOutputTokens, contextTokens })
  const unasked = overflowOf(reasonsOf(engine, pending).filter(isShort), pending)
  const isUnasked = unasked !== null && unasked.limitTokens > (stated?.limitTokens ?? Number.POSITIVE_INFINITY)
  const overflow = isUnasked ? unasked : stated
  const text = `${TOO_LONG}${countedBy(overflow)}: ${failure.message}`
  return new InvalidRequestError(isUnasked ? `${TOO_LONG}${countedBy(overflow)}` : text, {
    attempts,
    isTooLong: true,
    overflow,
  })
}

const TOO_LONG = 'the request is longer than any model that may answer it can read'

function countedBy(overflow: ContextOverflow | null): string {
  return overflow?.isEstimated ? ' (the tokens are an estimate)' : ''
}

const isShort = ({ code }: Obstacle) => code === 'context'

/** By our estimate, and the largest of the windows that are too small. */
function overflowOf(reasons: readonly Obstacle[], { needs }: PendingRequest): ContextOverflow | null {
  const windowOf = ({ contextTokens = 0 }: Obstacle) => contextTokens
  const [largest] = [...reasons].sort((one, other) => windowOf(other) - windowOf(one))
  if (largest?.contextTokens === undefined) return null
  const { contextTokens, inputTokens = needs.inputTokens } = largest
  return estimatedOverflow({ inputTokens, maxOutputTokens: needs.maxOutputTokens, contextTokens })
}

/** A 404 that speaks of no model is most often a wrong address. */
function addressWords({ registry }: EngineReader, message: string, attempts: readonly AttemptReport[]): string {
  const target = registry.targets.find(({ id }) => id === attempts.at(-1)?.target)
  return target === undefined ? message : `${message}; ${addressAdvice({ registry }, target)}`
}

/** What was refused a moment ago is no help. */
function nearestOthers({ registry }: EngineReader, { selection: { name } }: PendingRequest): readonly string[] {
  return registry.names.nearest(name).filter((other) => other !== name)
}

/** No target was called: the reasons say whose fault that is. */
function nothingCalled(engine: EngineReader, pending: PendingRequest): KeywiseError {
  if (engine.registry.targets.length === 0) return withoutModels(engine)
  const reasons = reasonsOf(engine, pending)
  return (
    lengthFault(reasons, pending) ??
    abilityFault(reasons, pending) ??
    budgetFault(reasons) ??
    noneCallable(engine, pending, reasons)
  )
}

/** No list could be read and no model is named. */
function withoutModels({ registry, lists }: EngineReader): AllTargetsFailedError {
  const troubles = registry.credentials.map((credential) => {
    const why = lists.trouble(credential) ?? 'its models list has not been read'
    return `${credential.provider.id}: ${why}`
  })
  const text = `nothing can be called now: no model is known (${[...new Set(troubles)].join('; ')}); name models in "models"`
  return new AllTargetsFailedError(text, { attempts: [], retryAt: null })
}

/** By our estimate the request fits no context window of those that it could go to. */
function lengthFault(all: readonly Obstacle[], pending: PendingRequest): InvalidRequestError | null {
  const reasons = all.filter((why) => isShort(why) || !NEVER.has(why.code))
  const overflow = reasons.every(isShort) ? overflowOf(reasons, pending) : null
  if (overflow === null) return null
  const largest = `context too small: ${overflow.limitTokens} tokens`
  return new InvalidRequestError(`${TOO_LONG}${countedBy(overflow)}: ${largest}`, { isTooLong: true, overflow })
}

/** A budget is exceeded and the user's rule is to fail. */
function rejection({ rejectedBy, attempts }: Trail): KeywiseError | null {
  return rejectedBy === null ? null : overBudget(rejectedBy, rejectedBy.resetsAt, attempts)
}

/** The named models lack a required ability. */
function abilityFault(reasons: readonly Obstacle[], pending: PendingRequest): InvalidRequestError | null {
  if (reasons.length === 0 || !reasons.every((why) => why.code === 'ability')) return null
  return new InvalidRequestError(`"${pending.selection.name.slice(0, 200)}" cannot serve this: ${reasons[0]?.reason}`)
}

/** Each target that could answer is excluded by a budget. */
function budgetFault(all: readonly Obstacle[]): BudgetExceededError | null {
  const reasons = all.filter((why) => !NEVER.has(why.code))
  const budget = reasons[0]?.budget
  if (budget === undefined || !reasons.every((why) => why.code === 'budget')) return null
  return overBudget(budget, soonestOf(reasons), [])
}

/** Reasons that neither money nor waiting can remove. */
const NEVER: ReadonlySet<IneligibleCode> = new Set([
  'ability',
  'context',
  'privacy',
  'free_only',
  'price',
  'quality',
  'disabled',
])

function overBudget(
  { scope, reason }: BudgetRefusal,
  until: number | null,
  attempts: readonly AttemptReport[],
): BudgetExceededError {
  const when = until === null ? '' : `; there is room again at ${isoOrNull(until)}`
  return new BudgetExceededError(`no budget left: ${reason}${when}`, { scope, resetsAt: isoOrNull(until), attempts })
}

function allAttemptsFailed(engine: EngineReader, pending: PendingRequest, { attempts }: Trail): AllTargetsFailedError {
  const { retryAt, when } = soonestRetry(engine, pending)
  const tried = attempts.map((attempt) => `${attempt.target} ${attempt.failureKind}`).join(', ')
  const all = attempts.length === 1 ? 'the only attempt failed' : `all ${attempts.length} attempts failed`
  const soonest = when === null ? '' : `; soonest retry: ${when}`
  const text = `${all} (${tried})${soonest}${mending(
    engine,
    attempts.flatMap((attempt) => causeOf(engine, attempt)),
  )}`
  return new AllTargetsFailedError(text, { attempts, retryAt })
}

/** Why a target failed; a failure that parks nothing needs no mending. */
function causeOf({ registry, learned, now }: EngineReader, { target: id, failureKind: kind }: AttemptReport): Cause[] {
  const target = registry.targets.find((one) => one.id === id)
  const park = target === undefined || kind === null ? undefined : learned.parks.blocking(target, now)
  return target === undefined || kind === null || park === undefined ? [] : [causeBy(target, kind, park)]
}

function noneCallable(
  engine: EngineReader,
  pending: PendingRequest,
  reasons: readonly Obstacle[],
): AllTargetsFailedError {
  const { retryAt, when } = soonestRetry(engine, pending)
  const serving = reasons.filter(({ code }) => !NEVER.has(code))
  const kinds = serving.flatMap(({ kind }) => kind ?? [])
  const parkedFor = kinds.length === serving.length ? kinds : []
  const soonest = when === null ? '' : `; soonest: ${when}`
  const why = reasons.length === 0 && isFree(engine, pending) ? 'no target had room in time' : summary(reasons)
  const text = `nothing can be called now: ${why}${soonest}${mending(engine, causesOf(engine, pending))}`
  return new AllTargetsFailedError(text, { attempts: [], retryAt, parkedFor })
}

/** The parks in the way of each target that could serve the request. */
function causesOf(engine: EngineReader, pending: PendingRequest): readonly Cause[] {
  const { registry, eligibility, learned, now } = engine
  return registry.targets.flatMap((target) => {
    const park = ineligible(target, pending.needs, eligibility.rules) === null && learned.parks.blocking(target, now)
    return park ? [causeBy(target, park.reason, park)] : []
  })
}

function causeBy(target: Target, kind: FailureKind, { stated, scope }: Park): Cause {
  return { target, kind, stated, hostBlocked: kind === 'auth_forbidden' && scope === 'provider' }
}

function mending(engine: EngineReader, causes: readonly Cause[]): string {
  const advice = mendingAdvice(engine, causes)
  return advice === null ? '' : `; ${advice}`
}

/** Null where no time is known: a refused key does not heal by waiting. */
function soonestRetry(engine: EngineReader, pending: PendingRequest): { retryAt: string | null; when: string | null } {
  const soonest = engine.soonest(pending, null)
  if (soonest === null) return { retryAt: null, when: null }
  // Rounded up, so that a retry at exactly that time is not too early.
  const retryAt = isoOrNull(Math.ceil(Math.max(soonest.at, engine.now)))
  return { retryAt, when: `${soonest.target.id} at ${retryAt}` }
}

/** Whether a target could take the request by now. */
function isFree({ registry, eligibility, now }: EngineReader, pending: PendingRequest): boolean {
  return registry.targets.some((target) => whyNot(eligibility, target, pending, null, now) === null)
}

function reasonsOf(engine: EngineReader, pending: PendingRequest): readonly Obstacle[] {
  return engine.registry.targets
    .map((target) => whyNot(engine.eligibility, target, pending, null, engine.now))
    .filter((why) => why !== null && why.code !== 'model' && why.code !== 'provider') as Obstacle[] // null was filtered out
}

/** `12 targets parked: rate limit …; 3 over budget`: each reason once, with the number of targets. */
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
