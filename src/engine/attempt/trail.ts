/** What one request has tried and learned so far: which targets it must not try again, and when it is over. */

import type { AttemptReport } from '../../domain/attempt.ts'
import type { DialectId } from '../../domain/chat.ts'
import type { Failure, FailureKind, FailureOf } from '../../domain/failure.ts'
import { type Scope, scopeKey, scopeOf, scopesOf } from '../../domain/scope.ts'
import { isAboutRequest } from '../../domain/subject.ts'
import { type Ability, abilityWord, type Target } from '../../domain/target.ts'
import type { BudgetRefusal } from '../../money/budget.ts'
import type { PassedOver } from '../../observe/callLog.ts'
import type { Decision } from '../../routing/decision.ts'
import type { Verdict } from '../../routing/judge.ts'
import { dialectFor, speaks, type Told } from '../../routing/spokenDialect.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import type { Hold } from './reservation.ts'
import type { RunningAttempt } from './runningAttempt.ts'

/** Maximum upstream calls of one request, including those refused at once, which do not count as attempts. */
const MOST_CALLS = 20
/** A service names one field of several at a time; each repair is a step, for what changes nothing is none. */
const MOST_REPAIRS = 8
/** Maximum reasons logged. */
const MOST_PASSED = 5
/** What a trail is told of its request. */
type TrailOf = Pick<PendingRequest, 'maxAttempts' | 'hardCap' | 'prefers'> & { readonly needs: Told }

/** After this many refusals by a provider, an account or a key, others are preferred while they are eligible. */
const PATIENCE = 2

interface Kept {
  readonly attempt: RunningAttempt
  readonly report: AttemptReport
}

export class Trail {
  readonly attempts: AttemptReport[] = []
  readonly isLogged: boolean
  /** Targets passed over without a call, each reason once. */
  readonly passed: PassedOver[] = []
  /** How many providers with an eligible target were not asked yet; 0 where that was not counted. */
  unasked = 0
  /** Milliseconds spent waiting for room. */
  waitedMs = 0
  /** It has waited as long as it may: the slow start of an unknown target does not hold it back. */
  isUrgent = false
  /** A target with a guessed park was tried as the last resort; one is enough to find out. */
  triedInNeed = false
  /** A target whose park was over was tried, to the same end. */
  hasTested = false
  /** The exceeded budget whose rule is to fail the request. */
  rejectedBy: BudgetRefusal | null = null
  /** The last failure; one that says that a key is refused or not paid for does not hide what came before. */
  lastFailure: Failure | null = null
  /** The refusal for length by the target with the largest window; null when there was none. */
  tooLong: { readonly target: Target; readonly failure: FailureOf<'context_too_long'> } | null = null
  /**
   * Targets of this dialect, the client's own, come first: after a refusal that may be our translation's fault, and for
   * what another dialect would have to be told in another way.
   */
  prefers: DialectId | null
  /** Why others go before a target, in words (`would have to cut the answer`); null for none. */
  avoids: ((target: Target) => string | null) | null = null
  readonly #maxAttempts: number
  readonly #hardCap: boolean
  readonly #needs: Told
  /** Created by the first failure: most requests have none. */
  #lessons: Lessons | null = null
  /** The longest answer in tokens that a target has room or credit for, by target. */
  #answerLimits: Map<string, number> | null = null
  /** The targets whose refusals were repaired, one entry for each. */
  readonly #repairs: string[] = []
  #calls = 0
  #counted = 0
  #finished = false
  #offered: Target | null = null
  #kept: Kept | null = null

  /** `isLogged`: whether passed-over targets will be logged. */
  constructor(pending: TrailOf, isLogged = false) {
    this.isLogged = isLogged
    this.prefers = pending.prefers
    this.#maxAttempts = pending.maxAttempts
    this.#hardCap = pending.hardCap
    this.#needs = pending.needs
  }

  /** Calls so far; of those that run, the ones that run beside each other. */
  get calls(): number {
    return this.#calls + this.#besides
  }

  /** Whether this request has called a target of the provider in vain. */
  hasAsked(provider: string): boolean {
    return (this.#lessons?.refusals.get(scopeKey({ scope: 'provider', first: provider, second: '' })) ?? 0) > 0
  }

  /** No further call may be made. */
  get over(): boolean {
    return this.#finished || this.#counted + this.#besides >= this.#maxAttempts || this.calls >= this.#mostCalls
  }

  /** Whether an attempt is left for another target after the one that just failed and one more at the same. */
  get hasSpare(): boolean {
    return this.#maxAttempts - this.#counted > 2 && (!this.#hardCap || this.#maxAttempts - this.#calls > 2)
  }

  /** The target a decision starts with. */
  offer(target: Target | null): void {
    this.#offered = target
  }

  /**
   * The target to try next: the one the decision starts with, once, then the best of its rest. What this request has
   * the least against goes first, so that the trouble of one provider cannot use up all attempts. `isAllowed`: what the
   * target must satisfy besides; default: nothing.
   */
  nextOf(decision: Pick<Decision, 'next'>, isAllowed: (target: Target) => boolean = ANY): Target | null {
    const offered = this.#offered
    this.#offered = null
    for (const most of [0, 1, 2] as const) {
      const first = offered !== null && this.#reluctance(offered) <= most && isAllowed(offered) ? offered : null
      if (first !== null && (this.prefers === null || speaks(first.profile, this.prefers))) return first
      const isOut = (one: Target) => this.excludes(one) !== null || this.#reluctance(one) > most || !isAllowed(one)
      const { prefers } = this
      const own = prefers === null ? null : decision.next((one) => !speaks(one.profile, prefers) || isOut(one))
      const target = own ?? first ?? decision.next(isOut)
      if (target !== null) return target
    }
    return null
  }

  /**
   * A target that runs beside others, or is about to: it counts as a call, it is not asked again, and another key,
   * account and provider are preferred to its own, because silence is often shared.
   */
  runBeside(target: Target): void {
    const { beside } = this.#learned
    if (isAmong(beside, target)) return
    beside.push(target)
    this.#holdAgainst(target, PATIENCE)
  }

  runsBeside(target: Target): boolean {
    return this.#lessons !== null && isAmong(this.#lessons.beside, target)
  }

  /** Adds a failed attempt and applies its verdict to the rest of this request. */
  add(target: Target, report: AttemptReport, failure: Failure, verdict: Verdict): void {
    this.#endBeside(target)
    this.attempts.push(report)
    if (this.lastFailure === null || !OF_A_KEY.has(failure.kind)) this.lastFailure = failure
    if (failure.kind === 'context_too_long') this.#addTooLong(target, failure)
    this.#calls++
    if (verdict.repaired) {
      this.#repairs.push(target.id)
      return
    }
    if (verdict.counts) this.#counted++
    if (verdict.next === 'give-up') this.#finished = true
    if (verdict.next !== 'retry-once') this.#exclude(target, verdict, AT_A_LIMIT.has(failure.kind))
    this.#holdAgainst(target, 1)
    this.#need(target, verdict)
    if (isAboutRequest(failure)) this.#learned.ownFault = true
    if (REFUSALS.has(failure.kind)) this.#learned.refusing.add(this.#spokenTo(target))
  }

  /** Whether a target of another dialect has refused this request as unsupported or malformed. */
  isRefusedBesides(dialect: DialectId): boolean {
    const { refusing } = this.#learned
    return refusing.size > (refusing.has(dialect) ? 1 : 0)
  }

  #spokenTo({ profile }: Target): DialectId {
    return dialectFor(profile, this.#needs)
  }

  /** Whether this request has already called the target, other than with what it took only in another form. */
  wasTried(target: Target): boolean {
    const count = (ids: readonly string[]) => ids.filter((id) => id === target.id).length
    return count(this.attempts.map((attempt) => attempt.target)) > count(this.#repairs)
  }

  /** Whether the request may be written in another way for the target once more. */
  mayRepair(target: Target): boolean {
    return this.#repairs.filter((id) => id === target.id).length < MOST_REPAIRS
  }

  /** Limits the answer of further calls of the target. False when that was already done once. */
  limitAnswer({ stateId }: Target, tokens: number): boolean {
    this.#answerLimits ??= new Map()
    if (this.#answerLimits.has(stateId)) return false
    this.#answerLimits.set(stateId, tokens)
    return true
  }

  /** The limit in tokens of the target's answer; null when there is none. */
  answerLimit({ stateId }: Target): number | null {
    return this.#answerLimits?.get(stateId) ?? null
  }

  /** Keeps a whole answer that is blocked, empty or malformed: the later one, unless it alone says nothing. */
  keep(attempt: RunningAttempt, report: AttemptReport): void {
    const said = this.#kept?.report.failureKind ?? 'empty'
    if (said === 'empty' || report.failureKind !== 'empty') this.#kept = { attempt, report }
  }

  /** What is passed on when no target does better; null when there is nothing. */
  get kept(): Kept | null {
    return this.#kept
  }

  /** Adds the attempt that answered. */
  answered(report: AttemptReport): void {
    this.attempts.push(report)
    this.#calls++
    for (const target of this.#lessons?.beside ?? []) this.#endBeside(target)
  }

  /** Passes over a target without room. One that was only explored does not end the request. */
  pass(target: Target, { why, rejectedBy }: Extract<Hold, { granted: false }>, explored: boolean): void {
    if (why.code === 'budget') this.leave(target.stateId)
    else this.#learned.busy.add(target.stateId)
    this.recordPassed(`${target.provider} - ${target.model}: ${why.reason}`)
    if (!explored) this.rejectedBy = rejectedBy
  }

  /** Excludes a target from this request. */
  leave(stateId: string): void {
    this.#learned.left.add(scopeKey({ scope: 'target', first: stateId, second: '' }))
  }

  isBusy(target: Target): boolean {
    return this.#lessons?.busy.has(target.stateId) === true
  }

  /** For the log: a target that would have been next, and why it was not. */
  recordPassed(text: string): void {
    if (this.passed.length >= MOST_PASSED || this.passed.some((known) => known.text === text)) return
    this.passed.push({ before: this.attempts.length + 1, text })
  }

  /** Before a wait: what was busy or at its limit may be free afterwards. */
  lookAgain(): void {
    this.#lessons?.busy.clear()
    this.#lessons?.limited.clear()
  }

  /** Whether this request was refused by a limit that the target shares. */
  metLimitOf(target: Target): boolean {
    const met = this.#lessons?.met
    return met !== undefined && met.size > 0 && keysOf(target).some((key) => met.has(key))
  }

  /** Why a target is excluded from this request; null when it is not. */
  excludes(target: Target): string | null {
    if (this.#lessons === null) return null
    const { beside, left, limited, missing, smallestWindow, mostOutput, dialects, provider } = this.#lessons
    if (isAmong(beside, target)) return 'being asked by this request'
    if (left.size + limited.size === 0) return null
    for (const key of keysOf(target)) if (left.has(key) || limited.has(key)) return 'already tried by this request'
    const { contextTokens, maxOutputTokens, abilities } = target.profile
    const dialect = this.#spokenTo(target)
    if (dialects.has(dialect)) return `another of the dialect ${dialect} refused it`
    if (provider !== null && target.provider !== provider) return `only ${provider} may have what it refers to`
    if (mostOutput > 0 && maxOutputTokens !== null && maxOutputTokens <= mostOutput)
      return `writes too little: ${maxOutputTokens} tokens`
    if (smallestWindow > 0 && contextTokens !== null && contextTokens <= smallestWindow)
      return `context too small: ${contextTokens} tokens`
    for (const ability of missing) if (abilities[ability] === false) return `cannot do ${abilityWord(ability)}`
    return null
  }

  /** Whether a failure was specific to this request: its size, its features, its content. */
  get isOwnFault(): boolean {
    return this.#lessons?.ownFault === true
  }

  /**
   * 0: nothing speaks against the target. 1: its provider has refused this request too often, or was asked already and
   * the attempts that are left are needed for those that were not, or the request avoids the target. 2: its account or
   * key has refused too often as well.
   */
  #reluctance(target: Target): 0 | 1 | 2 {
    const held = this.#heldAgainst(target)
    return held === 0 && (this.avoids?.(target) ?? null) !== null ? 1 : held
  }

  #heldAgainst(target: Target): 0 | 1 | 2 {
    const refusals = this.#lessons?.refusals
    if (refusals === undefined) return 0
    const by = (scope: Scope) => refusals.get(scopeKey(scopeOf(target, scope))) ?? 0
    const byProvider = by('provider')
    if (byProvider < (this.#attemptsLeft <= Math.max(1, this.unasked) ? 1 : PATIENCE)) return 0
    return Math.max(by('account'), by('key')) < PATIENCE ? 1 : 2
  }

  get #mostCalls(): number {
    return this.#hardCap ? this.#maxAttempts : MOST_CALLS
  }

  get #attemptsLeft(): number {
    return Math.min(this.#maxAttempts - this.#counted - this.#besides, this.#mostCalls - this.calls)
  }

  get #besides(): number {
    return this.#lessons?.beside.length ?? 0
  }

  #endBeside(target: Target): void {
    const lessons = this.#lessons
    if (lessons === null || !isAmong(lessons.beside, target)) return
    lessons.beside = lessons.beside.filter((one) => one.stateId !== target.stateId)
    this.#holdAgainst(target, -PATIENCE)
  }

  /** Counts against the target's provider, account and key. */
  #holdAgainst(target: Target, times: number): void {
    const { refusals } = this.#learned
    for (const scope of COUNTED) {
      const key = scopeKey(scopeOf(target, scope))
      refusals.set(key, (refusals.get(key) ?? 0) + times)
    }
  }

  get #learned(): Lessons {
    this.#lessons ??= new Lessons()
    return this.#lessons
  }

  #addTooLong(target: Target, failure: FailureOf<'context_too_long'>): void {
    const known = this.tooLong
    if (known === null || windowIn(failure, target) >= windowIn(known.failure, known.target))
      this.tooLong = { target, failure }
  }

  #exclude(target: Target, verdict: Verdict, isLimited: boolean): void {
    const { limited, left, met } = this.#learned
    const excluded = isLimited ? limited : left
    for (const scope of verdict.skip === 'none' ? (['target'] as const) : (['target', verdict.skip] as const)) {
      const key = scopeKey(scopeOf(target, scope))
      excluded.add(key)
      if (isLimited) met.add(key)
    }
  }

  /** What the next target must have that this one lacked. */
  #need(target: Target, { needs }: Verdict): void {
    if (needs === undefined) return
    const lessons = this.#learned
    if (needs.contextOverTokens !== undefined) {
      const window = needs.contextOverTokens ?? target.profile.contextTokens ?? 0
      lessons.smallestWindow = Math.max(lessons.smallestWindow, window)
    }
    if (needs.outputOverTokens !== undefined) {
      const most = needs.outputOverTokens ?? target.profile.maxOutputTokens ?? 0
      lessons.mostOutput = Math.max(lessons.mostOutput, most)
    }
    if (needs.ability !== undefined) lessons.missing.add(needs.ability)
    if (needs.otherDialect) lessons.dialects.add(this.#spokenTo(target))
    if (needs.provider) lessons.provider = target.provider
  }
}

/** What failures taught this request about targets other than the failed one. */
class Lessons {
  readonly left = new Set<string>()
  /** Scopes only at a limit: worth waiting for, and eligible again after a wait. */
  readonly limited = new Set<string>()
  /** The same for the whole request: a scope found at a limit is not retried on a guess. */
  readonly met = new Set<string>()
  /** Targets that run beside each other. */
  beside: Target[] = []
  /** Targets being probed by another request: not available now, but worth waiting for. */
  readonly busy = new Set<string>()
  /** How often each provider, account and key has refused. */
  readonly refusals = new Map<string, number>()
  /** The dialects in which the request was refused. */
  readonly refusing = new Set<DialectId>()
  readonly missing = new Set<Ability>()
  smallestWindow = 0
  mostOutput = 0
  /** The dialects in which it is not written again. */
  readonly dialects = new Set<DialectId>()
  /** The only provider that may have an object the request refers to; null for any. */
  provider: string | null = null
  ownFault = false
}

const ANY = () => true

const windowIn = ({ limitTokens }: FailureOf<'context_too_long'>, { profile }: Target) =>
  limitTokens ?? profile.contextTokens ?? 0

/** By `stateId`: a new configuration makes new objects of the same targets. */
const isAmong = (targets: readonly Target[], { stateId }: Target) => targets.some((one) => one.stateId === stateId)

/** The scopes for which refusals are counted. */
const COUNTED = ['provider', 'account', 'key'] as const

/** These pass by themselves, at a time known to parks and quotas. */
const AT_A_LIMIT: ReadonlySet<FailureKind> = new Set(['rate_minute', 'in_flight_budget', 'quota_day'])

const REFUSALS: ReadonlySet<FailureKind> = new Set(['unsupported', 'bad_request'])
const OF_A_KEY: ReadonlySet<FailureKind> = new Set(['auth_invalid', 'auth_forbidden', 'billing'])

/** By target: after a failure every target is looked up, and their scopes never change. */
const KEYS = new WeakMap<Target, readonly string[]>()

function keysOf(target: Target): readonly string[] {
  const known = KEYS.get(target)
  if (known !== undefined) return known
  const keys = scopesOf(target).map(scopeKey)
  KEYS.set(target, keys)
  return keys
}
