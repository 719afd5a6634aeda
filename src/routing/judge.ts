/** What a failure means for its request: which targets it may try next. */

import { type Blame, blameOf } from '../domain/blame.ts'
import type { Failure, FailureKind, FailureOf } from '../domain/failure.ts'
import { ownShortageOf } from '../domain/ownShortage.ts'
import type { Scope } from '../domain/scope.ts'
import type { Ability } from '../domain/target.ts'

/** What the next target must have that this one lacked. */
interface NextTargetNeed {
  /** A context window larger than this; null when the error stated none. */
  readonly contextOverTokens?: number | null
  /** More output tokens than this; null when the error stated no number. */
  readonly outputOverTokens?: number | null
  readonly ability?: Ability
  /** The same provider: the request refers to an object that another account of it may have. */
  readonly provider?: true
  /** A dialect other than this target's. */
  readonly otherDialect?: true
}

export interface Verdict {
  readonly next: 'next' | 'retry-once' | 'give-up'
  /** What this request must not try again. */
  readonly skip: Exclude<Scope, 'account-free'> | 'none'
  /** Milliseconds before a `retry-once`; 0 otherwise. */
  readonly waitMs: number
  /** False for a key that was refused immediately: it cost nothing and does not use up an attempt. */
  readonly counts: boolean
  /** What learning counts against the target. */
  readonly blame: Blame
  /** The same request is written in another way that the target takes; the refusal counts for nothing. */
  readonly repaired?: true
  readonly needs?: NextTargetNeed
  /** Something that a person has to fix. */
  readonly alert?: 'key-refused' | 'key-leaked' | 'no-credit' | 'model-gone'
}

export interface JudgeFacts {
  /** No other target is eligible; only then is the same one retried. */
  readonly alone: boolean
  /** After one more attempt at the same target there is still one for another. */
  readonly spare: boolean
  /** The same target was already retried in this request. */
  readonly retried: boolean
  /** How long the request can wait for a limit, in milliseconds. */
  readonly patienceMs: number
  /** A target of another dialect has refused the same request: what both refuse is the request's own fault. */
  readonly confirmed: boolean
  /**
   * keywise wrote the body, for a dialect that is not the client's, and a target of another dialect is eligible.
   * Default false.
   */
  readonly mayTranslateOtherwise?: boolean
  /** Nothing is known of the target, and another one that is known may be asked. Default false. */
  readonly isUnproven?: boolean
  /** The user's policy allows another provider to answer what one has filtered. */
  readonly mayAnswerFiltered: boolean
  /** A random number, 0..1, for the pause before a retry. */
  readonly random: number
}

type Judgment = Omit<Verdict, 'blame' | 'waitMs'> & { readonly waitMs?: number }

/** The request itself is at fault: no other target would accept it. */
const GIVE_UP: Judgment = { next: 'give-up', skip: 'none', counts: true }

const VERDICTS: { readonly [K in FailureKind]: (failure: FailureOf<K>, facts: JudgeFacts) => Judgment } = {
  auth_invalid: ({ leaked }) => ({
    next: 'next',
    skip: 'key',
    counts: false,
    alert: leaked ? 'key-leaked' : 'key-refused',
  }),
  auth_forbidden: ({ hostBlocked, keyWide }) => ({
    next: 'next',
    skip: hostBlocked ? 'provider' : keyWide ? 'key' : 'target',
    counts: true,
  }),
  billing: ({ keyLimit }) => ({
    next: 'next',
    skip: keyLimit ? 'key' : 'account',
    counts: false,
    alert: 'no-credit',
  }),
  in_flight_budget: () => ({ next: 'next', skip: 'key', counts: true }),
  quota_day: ({ scope }) => ({ next: 'next', skip: sharers(scope), counts: true }),
  rate_minute: (failure, facts) => ({
    ...waitForIt(failure, facts),
    skip: sharers(failure.scope),
    counts: true,
  }),
  zero_quota: () => ({ next: 'next', skip: 'target', counts: true }),
  too_large_for_limit: () => ({ next: 'next', skip: 'account+model', counts: true }),
  overloaded: (_, facts) => ({ ...onceMore(facts), skip: 'provider+model', counts: true }),
  server: (_, facts) => ({ ...onceMore(facts), skip: 'provider+model', counts: true }),
  timeout: ({ phase }, facts) => ({
    ...(phase === 'connect' || phase === 'first-token' ? onceMore(facts) : { next: 'next' }),
    skip: phase === 'connect' ? 'provider' : 'provider+model',
    counts: true,
  }),
  network: (failure, facts) =>
    // No other target can be reached either.
    ownShortageOf(failure) !== null
      ? GIVE_UP
      : { ...(failure.started ? { next: 'next' } : onceMore(facts)), skip: 'provider', counts: true },
  model_not_found: ({ unexplained, about }) =>
    unexplained
      ? { next: 'next', skip: 'provider+model', counts: true }
      : { next: 'next', skip: 'target', counts: true, ...(about !== 'ability' && { alert: 'model-gone' as const }) },
  context_too_long: ({ limitTokens }) => ({
    next: 'next',
    skip: 'provider+model',
    counts: true,
    needs: { contextOverTokens: limitTokens ?? null },
  }),
  content_filter: (_, { mayAnswerFiltered }) =>
    mayAnswerFiltered ? { next: 'next', skip: 'provider', counts: true } : GIVE_UP,
  empty: (_, { alone, spare, retried }) => ({
    // The next answer of the same model is usually one, so this is no question of another target.
    next: !retried && (alone || spare) ? 'retry-once' : 'next',
    skip: 'target',
    counts: true,
  }),
  malformed: ({ gaveUp }, facts) => ({
    ...(gaveUp ? onceMore(facts) : { next: 'next' }),
    skip: 'target',
    counts: true,
  }),
  unsupported: ({ about, ability, mostOutputTokens }, { confirmed }) => {
    const next: Judgment = { next: 'next', skip: 'provider+model', counts: true }
    if (about === 'size') return { ...next, needs: { outputOverTokens: mostOutputTokens ?? null } }
    // However many lack it, another model may have it.
    if (ability !== undefined) return { ...next, needs: { ability } }
    return confirmed ? GIVE_UP : next
  },
  bad_request: ({ status, about, byEdge }, facts) => {
    // A larger model of the same provider may take it; its proxy would refuse it again.
    if (about === 'size') return { next: 'next', skip: byEdge ? 'provider' : 'provider+model', counts: true }
    // Every model of the service reads the same formats.
    if (about === 'media') return { next: 'next', skip: 'provider', counts: true }
    // 409 is a conflict that may pass; https://www.rfc-editor.org/rfc/rfc9110#name-409-conflict
    if (status === 409 && !facts.retried) return { ...GIVE_UP, next: 'retry-once', waitMs: pause(facts) }
    if (facts.mayTranslateOtherwise && !facts.confirmed)
      return { next: 'next', skip: 'none', counts: true, needs: { otherDialect: true } }
    if (about === 'object') return { next: 'next', skip: 'account', counts: true, needs: { provider: true } }
    // It may say so of every request.
    return facts.isUnproven ? { next: 'next', skip: 'target', counts: true } : GIVE_UP
  },
  client_gone: () => GIVE_UP,
  slower: () => ({ next: 'next', skip: 'none', counts: true }),
}

export function judge(failure: Failure, facts: JudgeFacts): Verdict {
  // The row belongs to this kind; TypeScript cannot follow the correlation.
  const judgment = (VERDICTS[failure.kind] as (failure: Failure, facts: JudgeFacts) => Judgment)(failure, facts)
  return { waitMs: 0, ...judgment, blame: blameOf(failure) }
}

/** The keys that share the limit that was reached. */
function sharers(scope: FailureOf<'quota_day'>['scope']): Verdict['skip'] {
  return scope === 'account' ? 'account' : 'account+model'
}

/** The same target again, when it is the only one left. */
function onceMore(facts: JudgeFacts): Pick<Judgment, 'next' | 'waitMs'> {
  return facts.alone && !facts.retried ? { next: 'retry-once', waitMs: pause(facts) } : { next: 'next' }
}

/** Waiting pays off when no other target is eligible and the wait is known and short enough. */
function waitForIt({ retryAfterMs }: FailureOf<'rate_minute'>, facts: JudgeFacts): Pick<Judgment, 'next' | 'waitMs'> {
  const fits = retryAfterMs !== undefined && retryAfterMs <= facts.patienceMs
  return facts.alone && !facts.retried && fits ? { next: 'retry-once', waitMs: retryAfterMs } : { next: 'next' }
}

/** 0.25 to 1 s, so that requests that failed together do not all retry at once. */
function pause({ random }: JudgeFacts): number {
  return 250 + 750 * random
}
