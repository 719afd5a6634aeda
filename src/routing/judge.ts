/** What a failure means for the request it happened to, for what is learned, and for whoever shares its cause. */

import type { Failure, FailureKind, FailureOf } from '../domain/failure.ts'
import { type ParkRule, parkRule } from '../domain/park.ts'
import type { Ability } from '../domain/target.ts'

/** What this request must not try again. */
export type Skip = 'target' | 'key' | 'account' | 'account-model' | 'provider-model' | 'provider' | 'none'

/** What the next target must have that this one lacked. */
export interface NextTargetNeed {
  /** A context window larger than this; null when the error stated none. */
  readonly contextOverTokens?: number | null
  /** A limit larger than this, in the unit of the failure. */
  readonly limitOver?: number
  readonly ability?: Ability
}

export interface Verdict {
  readonly next: 'next' | 'retry-once' | 'give-up'
  readonly skip: Skip
  /** Milliseconds before a `retry-once`; 0 otherwise. */
  readonly waitMs: number
  /** False for a key that was refused at once: it cost nothing and does not use up an attempt. */
  readonly counts: boolean
  /** What learning takes from it: the weight against the target (0, 0.25, 1), and whether its provider shares it. */
  readonly blame: { readonly weight: 0 | 0.25 | 1; readonly provider: boolean }
  /** Whom it parks and how long; null: nobody. */
  readonly park: ParkRule | null
  readonly needs?: NextTargetNeed
  /** Something a person has to mend. */
  readonly alert?: 'key-refused' | 'key-leaked' | 'no-credit' | 'model-gone'
}

export interface JudgeFacts {
  /** No other target is eligible: only then is the same one tried again. */
  readonly alone: boolean
  /** The same target was already tried again in this request. */
  readonly retried: boolean
  /** How long the request can wait for a limit, in milliseconds. */
  readonly patienceMs: number
  /** Another provider has called the same request unsupported. */
  readonly confirmed: boolean
  /** The user's policy lets another provider answer what one has filtered. */
  readonly mayAnswerFiltered: boolean
  /** A random number, 0..1, for the pause before a second try. */
  readonly random: number
}

type Judgment = Omit<Verdict, 'park' | 'waitMs'> & { readonly waitMs?: number }

const REFUSED = { weight: 1, provider: false } as const
const LIMITED = { weight: 0.25, provider: false } as const
const BROKEN = { weight: 1, provider: true } as const
const INNOCENT = { weight: 0, provider: false } as const

/** The request itself is at fault: nobody else would take it. */
const GIVE_UP: Judgment = { next: 'give-up', skip: 'none', counts: true, blame: INNOCENT }

const VERDICTS: { readonly [K in FailureKind]: (failure: FailureOf<K>, facts: JudgeFacts) => Judgment } = {
  auth_invalid: ({ leaked }) => ({
    next: 'next',
    skip: 'key',
    counts: false,
    blame: REFUSED,
    alert: leaked ? 'key-leaked' : 'key-refused',
  }),
  auth_forbidden: ({ hostBlocked }) => ({
    next: 'next',
    skip: hostBlocked ? 'provider' : 'target',
    counts: true,
    blame: REFUSED,
  }),
  billing: () => ({ next: 'next', skip: 'account', counts: false, blame: REFUSED, alert: 'no-credit' }),
  in_flight_budget: () => ({ next: 'next', skip: 'key', counts: true, blame: LIMITED }),
  quota_day: ({ scope }) => ({ next: 'next', skip: sharers(scope), counts: true, blame: LIMITED }),
  rate_minute: (failure, facts) => ({
    ...waitForIt(failure, facts),
    skip: sharers(failure.scope),
    counts: true,
    blame: LIMITED,
  }),
  zero_quota: () => ({ next: 'next', skip: 'target', counts: true, blame: LIMITED }),
  too_large_for_limit: ({ limit }) => ({
    next: 'next',
    skip: 'account-model',
    counts: true,
    blame: INNOCENT,
    ...(limit === undefined ? {} : { needs: { limitOver: limit } }),
  }),
  overloaded: (_, facts) => ({ ...onceMore(facts), skip: 'provider-model', counts: true, blame: BROKEN }),
  server: (_, facts) => ({ ...onceMore(facts), skip: 'provider-model', counts: true, blame: BROKEN }),
  timeout: ({ phase }, facts) => ({
    ...(phase === 'connect' || phase === 'first-token' ? onceMore(facts) : { next: 'next' }),
    skip: phase === 'connect' ? 'provider' : 'provider-model',
    counts: true,
    blame: BROKEN,
  }),
  network: ({ started }, facts) => ({
    ...(started ? { next: 'next' } : onceMore(facts)),
    skip: 'provider',
    counts: true,
    blame: BROKEN,
  }),
  model_not_found: () => ({ next: 'next', skip: 'target', counts: true, blame: REFUSED, alert: 'model-gone' }),
  context_too_long: ({ limitTokens }) => ({
    next: 'next',
    skip: 'provider-model',
    counts: true,
    blame: INNOCENT,
    needs: { contextOverTokens: limitTokens ?? null },
  }),
  content_filter: (_, { mayAnswerFiltered }) =>
    mayAnswerFiltered ? { next: 'next', skip: 'provider', counts: true, blame: INNOCENT } : GIVE_UP,
  unsupported: ({ ability }, { confirmed }) =>
    confirmed
      ? GIVE_UP
      : {
          next: 'next',
          skip: 'provider-model',
          counts: true,
          blame: INNOCENT,
          ...(ability === undefined ? {} : { needs: { ability } }),
        },
  bad_request: ({ status }, facts) =>
    // 409 is a conflict with something that passes; https://www.rfc-editor.org/rfc/rfc9110#name-409-conflict
    status === 409 && !facts.retried ? { ...GIVE_UP, next: 'retry-once', waitMs: pause(facts) } : GIVE_UP,
  client_gone: () => GIVE_UP,
}

export function judge(failure: Failure, facts: JudgeFacts): Verdict {
  // The table's row belongs to this very kind; TypeScript does not follow the correlation.
  const verdict = (VERDICTS[failure.kind] as (failure: Failure, facts: JudgeFacts) => Judgment)(failure, facts)
  return { waitMs: 0, ...verdict, park: parkRule(failure) }
}

/** Keys that share the limit that was met. */
function sharers(scope: FailureOf<'quota_day'>['scope']): Skip {
  return scope === 'account' ? 'account' : 'account-model'
}

/** The same target again, when it is the only one left. */
function onceMore(facts: JudgeFacts): Pick<Judgment, 'next' | 'waitMs'> {
  return facts.alone && !facts.retried ? { next: 'retry-once', waitMs: pause(facts) } : { next: 'next' }
}

/** Waiting pays when nobody else is there and the wait is known and short enough. */
function waitForIt({ retryAfterMs }: FailureOf<'rate_minute'>, facts: JudgeFacts): Pick<Judgment, 'next' | 'waitMs'> {
  const fits = retryAfterMs !== undefined && retryAfterMs <= facts.patienceMs
  return facts.alone && !facts.retried && fits ? { next: 'retry-once', waitMs: retryAfterMs } : { next: 'next' }
}

/** 0.25 to 1 s, so that those who failed together do not come back together. */
function pause({ random }: JudgeFacts): number {
  return 250 + 750 * random
}
