/** A park: a time during which a scope is not called. One table says what is parked, for how long, and what ends it. */

import type { Failure, FailureKind } from './failure.ts'
import type { Scope } from './scope.ts'
import type { TargetRef } from './store.ts'
import { isAboutRequest } from './subject.ts'

/**
 * How the target is tried again once the time is over. `traffic`: by the next request, alone at first. `probe`: the
 * same, and then by a growing share. The checks are free calls outside the request path; after a `key-check` park no
 * user's request is ever used to find out.
 */
export type BackBy = 'traffic' | 'probe' | 'key-check' | 'models-list' | 'balance-check'

/** Failures that count as repetitions of the same one, for doubling. */
type Streak =
  | 'auth_invalid'
  | 'auth_forbidden'
  | 'host_blocked'
  | 'key_forbidden'
  | 'billing'
  | 'key_limit'
  | 'in_flight_budget'
  | 'quota_day'
  | 'rate_minute'
  | 'zero_quota'
  | 'breaker'
  | 'network'
  | 'model_not_found'
  | 'unexplained'

export interface ParkRule {
  readonly streak: Streak
  /** The scope that is parked; `quota`: everything that shares the limit, as the provider counts it. */
  readonly scope: Scope | 'quota'
  /** The consecutive occurrence from which guessing starts; a wait stated by the upstream holds from the first. */
  readonly from: number
  /** The first guess in milliseconds, doubled on each further occurrence up to `mostMs`. */
  readonly firstMs: number
  readonly mostMs: number
  /** Whether a wait stated by the upstream replaces the guess, until it has proved wrong three times running. */
  readonly believesStated: boolean
  /** `day`: until the provider's own day (or month) ends. `month`: until the month ends, when the failure says so. */
  readonly calendar?: 'day' | 'month'
  /** From this occurrence on, a guess ends no later than the provider's next daily reset. */
  readonly cutByDayFrom?: number
  /** When this many models of the key fail alike, the whole key is parked. */
  readonly keyAfterModels?: number
  /** `end`: cleared by any answer that ended later. `start`: only by an answer to a request sent after the failure. */
  readonly clearedBy: 'start' | 'end'
  readonly backBy: BackBy
}

export interface Park {
  readonly scope: Scope
  /** Epoch milliseconds. */
  readonly since: number
  readonly until: number
  readonly reason: FailureKind
  /** True when the upstream or its calendar stated the end; false for a guess, which may be tried as a last resort. */
  readonly stated: boolean
  /** Consecutive occurrences. */
  readonly times: number
  readonly backBy: BackBy
  /** The target that failed; `scope` says what else is parked with it. */
  readonly target: TargetRef
  /** For people: `daily limit of google project-b until 08:00 UTC (Pacific midnight)`. */
  readonly text: string
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const GUESSED = { from: 1, believesStated: false, clearedBy: 'start' } as const

const BREAKER: ParkRule = {
  streak: 'breaker',
  scope: 'provider+model',
  from: 2,
  firstMs: 15 * SECOND,
  mostMs: 15 * MINUTE,
  believesStated: true,
  clearedBy: 'end',
  backBy: 'probe',
}

/** The one table of parks. Null parks nothing: the request, its size or one answer was at fault, or its caller left. */
export const PARK_RULES: { readonly [K in FailureKind]: ParkRule | null } = {
  auth_invalid: {
    ...GUESSED,
    streak: 'auth_invalid',
    scope: 'key',
    firstMs: 15 * MINUTE,
    mostMs: DAY,
    backBy: 'key-check',
  },
  auth_forbidden: {
    ...GUESSED,
    streak: 'auth_forbidden',
    scope: 'target',
    firstMs: 5 * MINUTE,
    mostMs: DAY,
    keyAfterModels: 3,
    backBy: 'traffic',
  },
  billing: {
    ...GUESSED,
    streak: 'billing',
    scope: 'account',
    firstMs: HOUR,
    mostMs: DAY,
    calendar: 'month',
    backBy: 'balance-check',
  },
  in_flight_budget: {
    ...GUESSED,
    streak: 'in_flight_budget',
    scope: 'key',
    firstMs: 30 * SECOND,
    mostMs: 15 * MINUTE,
    believesStated: true,
    backBy: 'traffic',
  },
  quota_day: {
    ...GUESSED,
    streak: 'quota_day',
    scope: 'quota',
    firstMs: DAY,
    mostMs: DAY,
    believesStated: true,
    calendar: 'day',
    backBy: 'traffic',
  },
  rate_minute: {
    ...GUESSED,
    streak: 'rate_minute',
    scope: 'quota',
    firstMs: 30 * SECOND,
    mostMs: 4 * HOUR,
    believesStated: true,
    cutByDayFrom: 3,
    backBy: 'probe',
  },
  zero_quota: {
    ...GUESSED,
    streak: 'zero_quota',
    scope: 'target',
    firstMs: DAY,
    mostMs: DAY,
    backBy: 'traffic',
  },
  overloaded: BREAKER,
  server: BREAKER,
  timeout: BREAKER,
  network: { ...BREAKER, streak: 'network', scope: 'provider' },
  model_not_found: {
    ...GUESSED,
    streak: 'model_not_found',
    scope: 'target',
    firstMs: 15 * MINUTE,
    mostMs: DAY,
    backBy: 'models-list',
  },
  too_large_for_limit: null,
  context_too_long: null,
  content_filter: null,
  // What a model makes of one request says nothing about the key, nor about the next request.
  empty: null,
  malformed: null,
  unsupported: null,
  bad_request: null,
  client_gone: null,
  slower: null,
}

/**
 * A refusal of this host or region, which applies to every key of the provider. Its words are as uncertain as those of
 * `auth_forbidden`, so it begins as short.
 */
const HOST_BLOCKED: ParkRule = {
  ...GUESSED,
  streak: 'host_blocked',
  scope: 'provider',
  firstMs: 5 * MINUTE,
  mostMs: DAY,
  backBy: 'traffic',
}

/** What the key's whole project or all of its uses are refused for needs no second model to agree. */
const KEY_FORBIDDEN: ParkRule = {
  ...GUESSED,
  streak: 'key_forbidden',
  scope: 'key',
  firstMs: 5 * MINUTE,
  mostMs: DAY,
  backBy: 'traffic',
}

/** A key's own spending limit, which its account's other keys do not have. */
const KEY_LIMIT: ParkRule = {
  ...GUESSED,
  streak: 'key_limit',
  scope: 'key',
  firstMs: HOUR,
  mostMs: DAY,
  backBy: 'balance-check',
}

/**
 * A 404 that speaks of no model: passing like an outage, or lasting like a wrong address. It rests no longer than an
 * outage would, and the error's advice names the address.
 */
const UNEXPLAINED: ParkRule = { ...BREAKER, streak: 'unexplained' }

/** The rule for a failure; null when it parks nothing. */
export function parkRule(failure: Failure): ParkRule | null {
  if (isAboutRequest(failure)) return null
  if (failure.kind === 'auth_forbidden' && failure.hostBlocked) return HOST_BLOCKED
  if (failure.kind === 'auth_forbidden' && failure.keyWide) return KEY_FORBIDDEN
  if (failure.kind === 'billing' && failure.keyLimit) return KEY_LIMIT
  if (failure.kind === 'model_not_found' && failure.unexplained) return UNEXPLAINED
  // A provider that cannot be reached is down with all its models.
  if (failure.kind === 'timeout' && failure.phase === 'connect') return PARK_RULES.network
  return PARK_RULES[failure.kind]
}

/** Whether it is for want of money, so that only a paid answer proves that it is over, and free models are not meant. */
export function isAboutMoney({ streak }: ParkRule): boolean {
  return streak === 'billing' || streak === 'key_limit'
}

/** Whether the failure is an outage: it passes by itself, and only another call shows that it has. */
export function isOutage({ streak }: ParkRule): boolean {
  return streak === 'breaker' || streak === 'network' || streak === 'unexplained'
}

/** The rule that counts the streak of that name; undefined for an unknown name. */
export function parkRuleOfStreak(name: string): ParkRule | undefined {
  if (name === HOST_BLOCKED.streak) return HOST_BLOCKED
  if (name === KEY_FORBIDDEN.streak) return KEY_FORBIDDEN
  if (name === KEY_LIMIT.streak) return KEY_LIMIT
  if (name === UNEXPLAINED.streak) return UNEXPLAINED
  return Object.values(PARK_RULES).find((rule) => rule?.streak === name) ?? undefined
}
