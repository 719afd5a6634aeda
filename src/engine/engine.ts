/** The engine: the verbs of the cascade on one shared state. Library, tester, gateway and command line build on it. */

import type { AttemptReport, AttemptSource } from '../domain/attempt.ts'
import { AllTargetsFailedError, type KeywiseError } from '../domain/errors.ts'
import type { Failure, FailureKind } from '../domain/failure.ts'
import type { Logger } from '../domain/logger.ts'
import type { AttemptEvent, Store, TargetRef } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import { NANO_PER_USD } from '../money/amount.ts'
import { roughUsage, type UsageEstimator } from '../money/usage.ts'
import type { Events } from '../observe/events.ts'
import { WINDOW_MS } from '../quota/window.ts'
import type { Favourite } from '../routing/choose.ts'
import type { Decision } from '../routing/decision.ts'
import type { RankedTarget } from '../routing/explain.ts'
import { judge, type Verdict } from '../routing/judge.ts'
import { dialectFor } from '../routing/spokenDialect.ts'
import type { CallEnd, CallTools } from '../upstream/call.ts'
import type { OfflineDetector } from '../upstream/offline.ts'
import { type EligibilityFacts, freeAt, whyNot } from './attempt/eligibility.ts'
import { eligibilityFactsOf } from './attempt/eligibilityFacts.ts'
import { LearnedWindows } from './attempt/learnedWindows.ts'
import { tryPatienceMs } from './attempt/newTries.ts'
import { ProbeTurns } from './attempt/probeTurns.ts'
import type { NextSlot } from './attempt/queue.ts'
import { type GrantedHold, type Hold, type HoldOptions, reserve, reserveForTest } from './attempt/reservation.ts'
import { RetryBudget } from './attempt/retryBudget.ts'
import type { RunningAttempt } from './attempt/runningAttempt.ts'
import { longestAnswer, roomFor, shorterAnswer, smaller } from './attempt/shorterAnswer.ts'
import type { Trail } from './attempt/trail.ts'
import type { WaitQueue } from './attempt/waitQueue.ts'
import { bodyBeforeRepairs, fieldsNamedBy, writeCall } from './attempt/writeCall.ts'
import { begunCall } from './begunCall.ts'
import { beginWith, comebackOf } from './comeback.ts'
import type { Decisions } from './decisionLog.ts'
import type { Experiments } from './experiments/experiments.ts'
import { failedByTargets } from './experiments/failedByTargets.ts'
import { FaultAttribution } from './memory/faultAttribution.ts'
import type { LearnedState } from './memory/learnedState.ts'
import { Summary } from './memory/summary.ts'
import type { AttemptObserver, ParkProber } from './observer.ts'
import { PriceLog } from './priceLog.ts'
import { attemptFacts, type Judged, type Recorded, type RecordedFacts, recordAttempt, refOf } from './record.ts'
import type { LearnedRequestFixes } from './repair/learnedRequestFixes.ts'
import type { PendingRequest } from './request/pendingRequest.ts'
import { priceFor } from './request/unitOperation.ts'
import { RoutedRequest } from './routedRequest.ts'
import type { Credits } from './targets/credits.ts'
import type { KeyChecks } from './targets/keyChecks.ts'
import type { MissingAbilities } from './targets/missingAbilities.ts'
import type { ModelLists } from './targets/modelLists.ts'
import type { TargetRegistry } from './targets/targetRegistry.ts'

/** The parts that `openEngine` assembles. */
export interface EngineParts {
  readonly store: Store
  readonly learned: LearnedState
  readonly logger: Logger
  readonly events: Events
  readonly waiting: WaitQueue
  readonly offline: OfflineDetector
  readonly tools: CallTools
  readonly random: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Notified of what needs a person or a background task. */
  readonly monitor: AttemptObserver
  readonly lists: ModelLists
  readonly checks: KeyChecks
  readonly credits: Credits
  readonly probes: ParkProber
  readonly requestFixes: LearnedRequestFixes
  readonly missingAbilities: MissingAbilities
  /** The rankings behind recent requests. */
  readonly decisions: Decisions
  readonly experiments: Experiments
}

/** A call to start. */
interface Start extends Pick<RunningAttempt, 'target' | 'hold' | 'number' | 'why'> {
  readonly pending: PendingRequest
  readonly source: AttemptSource
  /** Default: the learned allowance. */
  readonly allowedMs?: number | undefined
  /** The longest answer in tokens that a refusal left room for; null or absent for no such limit. */
  readonly answerLimit?: number | null
}

export class Engine implements EngineParts {
  readonly store: EngineParts['store']
  readonly learned: EngineParts['learned']
  readonly logger: EngineParts['logger']
  readonly events: EngineParts['events']
  readonly waiting: EngineParts['waiting']
  readonly offline: EngineParts['offline']
  readonly tools: EngineParts['tools']
  readonly random: EngineParts['random']
  readonly sleep: EngineParts['sleep']
  readonly monitor: EngineParts['monitor']
  readonly lists: EngineParts['lists']
  readonly checks: EngineParts['checks']
  readonly credits: EngineParts['credits']
  readonly probes: EngineParts['probes']
  readonly requestFixes: EngineParts['requestFixes']
  readonly missingAbilities: EngineParts['missingAbilities']
  readonly decisions: EngineParts['decisions']
  readonly experiments: EngineParts['experiments']
  /**
   * Replaced whole when the configuration or a models list changes; running requests keep the one they started with.
   */
  registry: TargetRegistry
  eligibility: EligibilityFacts
  /** Estimates usage that an answer does not report; replaced by a better estimator once that is loaded. */
  estimate: UsageEstimator = roughUsage
  /** Decides whether connection failures are local. */
  readonly faultAttribution: FaultAttribution
  /** The counts of this process, for library and gateway. */
  readonly summary = new Summary()
  /** Windows that refusals stated. */
  readonly windows = new LearnedWindows(() => this.now)
  readonly #priceLog: PriceLog
  readonly #retries = new RetryBudget()
  readonly #turns = new ProbeTurns()
  /** When the last request began, epoch milliseconds; minus infinity before the first. */
  requestedAt = Number.NEGATIVE_INFINITY

  constructor(parts: EngineParts, registry: TargetRegistry) {
    this.store = parts.store
    this.learned = parts.learned
    this.logger = parts.logger
    this.events = parts.events
    this.waiting = parts.waiting
    this.offline = parts.offline
    this.tools = parts.tools
    this.random = parts.random
    this.sleep = parts.sleep
    this.monitor = parts.monitor
    this.lists = parts.lists
    this.checks = parts.checks
    this.credits = parts.credits
    this.probes = parts.probes
    this.requestFixes = parts.requestFixes
    this.missingAbilities = parts.missingAbilities
    this.decisions = parts.decisions
    this.experiments = parts.experiments
    this.#priceLog = new PriceLog(parts.store)
    this.registry = registry
    this.eligibility = eligibilityFactsOf(registry, parts.learned, parts.missingAbilities, this.#turns, this.windows)
    this.faultAttribution = new FaultAttribution(parts.offline, (event) => parts.learned.record(event))
    parts.learned.router.setTargets(registry.targets)
    parts.learned.router.beforeChange = () => parts.decisions.drawUp()
  }

  /** Replaces all targets at once; running requests keep those they started with. */
  useTargets(registry: TargetRegistry): void {
    this.learned.router.setTargets(registry.targets)
    this.registry = registry
    this.eligibility = eligibilityFactsOf(registry, this.learned, this.missingAbilities, this.#turns, this.windows)
  }

  get now(): number {
    return this.tools.now()
  }

  decide(pending: PendingRequest, trail: Trail): Decision {
    const { decisions, events } = this
    const now = this.now
    const ranked = this.#ranked(pending, trail, now)
    const decision = trail.calls === 0 ? this.#begin(pending, trail, ranked, now) : ranked
    // What later attempts are asked for is kept with them.
    if (trail.calls === 0) decisions.record(pending, decision, now)
    trail.offer(decision.first)
    if (trail.isLogged) this.#recordPassed(pending, decision, trail, now)
    if (events.has('decision')) {
      const chosen = decision.first?.id ?? null
      events.emit('decision', {
        requestId: pending.id,
        model: pending.selection.name,
        chosen,
        explored: decision.explored,
        cause: decision.cause(),
      })
    }
    return decision
  }

  #ranked(pending: PendingRequest, trail: Trail, now: number): Decision {
    const { learned } = this
    const decide = () => learned.router.decide(new RoutedRequest(this, pending, trail, now), now)
    const decision = decide()
    if (trail.calls > 0 || decision.first === null || !learned.router.isNew(decision.first)) return decision
    // What another process has tried by now is not new. Only few requests ask for that: the store writes first what waits.
    return learned.sync() > 0 && !learned.router.isNew(decision.first) ? decide() : decision
  }

  /** Counts a request, and lets it ask a failing target first where that one has its turn. */
  #begin(pending: PendingRequest, trail: Trail, decision: Decision, now: number): Decision {
    // One that decides again after a wait was counted before it.
    if (trail.waitedMs === 0) {
      this.requestedAt = now
      this.#retries.request(now)
      this.#turns.request()
      const { silences, uselessAnswers } = this.learned
      if (!silences.isEmpty || !uselessAnswers.isEmpty) this.#avoidFruitless(pending, trail, decision.first, now)
      const { heldBy } = pending
      if (heldBy !== null) avoidAlso(trail, ({ account }) => (account === heldBy ? null : NOT_THERE))
      if (pending.needs.maxOutputTokens !== null) this.#avoidCutting(pending, trail, pending.needs.maxOutputTokens)
    }
    return this.learned.parks.isQuiet ? decision : this.#lookForComeback(pending, trail, decision, now)
  }

  /**
   * Targets come after others that were silent for longer than this request can wait, or answered the last requests with
   * nothing of use. One request asks such a target first from time to time, to find out.
   */
  #avoidFruitless(pending: PendingRequest, trail: Trail, first: Target | null, now: number): void {
    const { silences, uselessAnswers } = this.learned
    const halfMs = (pending.deadlineAt - this.tools.monotonic()) / 2
    const patienceMs = (target: Target) => Math.min(halfMs, this.hedgeAfterMs(target, pending))
    const why = first === null ? null : whyPassed(first, patienceMs(first), this.learned, now)
    if (first !== null && why !== null && trail.isLogged)
      trail.recordPassed(`${first.provider} - ${first.model}: ${why}`)
    const asked = first !== null && why === null ? first.stateId : null
    trail.avoids = (target) => {
      if (target.stateId === asked) return null
      if (silences.isTooSlow(target.stateId, patienceMs(target), now)) return SILENT
      return uselessAnswers.comesLast(target, now) ? USELESS : null
    }
  }

  /** Targets that would have to cut the answer come after those that have room for all of it. */
  #avoidCutting({ needs: { inputTokens } }: PendingRequest, trail: Trail, asked: number): void {
    avoidAlso(trail, (target) => ((roomFor(target, inputTokens, this.windows) ?? asked) < asked ? CUTS : null))
  }

  #lookForComeback(pending: PendingRequest, trail: Trail, decision: Decision, now: number): Decision {
    const { eligibility, probes, registry } = this
    const facts = {
      eligibility,
      turns: this.#turns,
      settings: registry.config.settings,
      targets: registry.targets,
      rank: () => this.rank(pending),
    }
    const found = comebackOf(facts, pending, decision.first, now)
    if (found === null) return decision
    const { target } = found
    this.#turns.take(target.provider, now)
    if (found.beside) {
      if (!probes.beside(target)) this.#turns.refused(target.provider, now)
      return decision
    }
    this.#turns.ask(pending, target)
    if (decision.first === null) trail.triedInNeed = true
    return beginWith(target, decision)
  }

  /** The ranking as it stands, without deciding anything. */
  rank(pending: PendingRequest): readonly RankedTarget[] {
    const now = this.now
    return this.learned.router.rank(new RoutedRequest(this, pending, null, now), now)
  }

  /** What a request would be sent to now, without exploring, and why. */
  favourite(pending: PendingRequest): Favourite {
    const now = this.now
    return this.learned.router.favourite(new RoutedRequest(this, pending, null, now), now)
  }

  /**
   * When nothing is eligible: the target whose park is only a guess and ends soonest, and no second one. What the
   * upstream stated, refused keys, empty accounts and the user's rules still hold.
   */
  lastResort(pending: PendingRequest, trail: Trail): Target | null {
    const now = this.now
    let best: Target | null = null
    let bestUntil = Number.POSITIVE_INFINITY
    for (const target of this.registry.targets) {
      if (
        trail.isBusy(target) ||
        trail.metLimitOf(target) ||
        whyNot(this.eligibility, target, pending, trail, now, true) !== null
      )
        continue
      // With neither a park nor a limit in its way it is only ramping up, which is no reason to fail.
      const until = this.learned.parks.blocking(target, now)?.until ?? this.#limitedUntil(target, pending, now)
      if (until >= bestUntil || (until > now && isTestedEnough(trail))) continue
      best = target
      bestUntil = until
    }
    if (best === null || bestUntil <= now) return best
    if (!this.#retries.take(now)) return null
    trail.triedInNeed = true
    return best
  }

  /** Until when the target's limits exclude the request, as far as known; `now` when they do not. */
  #limitedUntil(target: Target, pending: PendingRequest, now: number): number {
    return this.learned.quota.room(target, this.eligibility.needOf(target, pending, now).quota, now)?.until ?? now
  }

  /** How many providers could be asked that this request has not asked yet; not counted before its first call. */
  unaskedProviders(pending: PendingRequest, trail: Trail): number {
    if (trail.calls === 0) return 0
    const now = this.now
    const unasked = new Set<string>()
    for (const target of this.registry.targets) {
      const { provider } = target
      if (unasked.has(provider) || trail.hasAsked(provider)) continue
      if (whyNot(this.eligibility, target, pending, trail, now) === null) unasked.add(provider)
    }
    return unasked.size
  }

  /** Whether the caller's deadline has passed. */
  isLate(pending: PendingRequest): boolean {
    return this.tools.monotonic() >= pending.deadlineAt
  }

  reserve(target: Target, pending: PendingRequest, options: HoldOptions = {}): Hold {
    const now = this.now
    const hold = reserve(this.learned, target, pending, this.eligibility.needOf(target, pending, now), now, options)
    const isTurn = hold.granted && hold.probe && options.prober !== 'check' && !this.#turns.isAsked(pending, target)
    if (isTurn && this.learned.parks.outageOf(target, now) !== null) this.#turns.take(target.provider, now)
    return hold
  }

  /** Milliseconds of silence after which `settings.hedge` asks another target beside this one; Infinity for never. */
  hedgeAfterMs(target: Target, pending: PendingRequest): number {
    const { hedge } = this.registry.config.settings
    if (hedge === undefined) return Number.POSITIVE_INFINITY
    if (hedge.after !== 'p95') return hedge.after
    return this.learned.latencyAllowance.p95Ms(target, pending.request.stream) ?? Number.POSITIVE_INFINITY
  }

  /** Whether `settings.hedge` allows the most that a call of the target can cost. */
  mayHedge(target: Target, pending: PendingRequest): boolean {
    const { hedge } = this.registry.config.settings
    const { nanoUsd } = this.eligibility.needOf(target, pending, this.now).worstCase
    // A request that was prepared before hedging was switched on has no bound.
    const isKnown = pending.mostInputTokens > 0 && nanoUsd !== null
    return hedge !== undefined && isKnown && nanoUsd <= hedge.maxExtraUsd * NANO_PER_USD
  }

  /** Reserves for a hedge. Where only our assumption bounds the answer it is sent, so that the cost holds. */
  reserveHedge(target: Target, pending: PendingRequest): Hold {
    const hold = this.reserve(target, pending)
    const { boundedBy, answerTokens } = this.eligibility.needOf(target, pending, this.now).worstCase
    return hold.granted && boundedBy === 'assumption' ? { ...hold, mostOutputTokens: answerTokens } : hold
  }

  /** How long a target may be silent before another is asked beside it, where that is sooner than half of the time. */
  patienceMs(target: Target, pending: PendingRequest, { first, instead }: Decision): number {
    if (instead === null || target !== first) return Number.POSITIVE_INFINITY
    return tryPatienceMs(this, { target, instead: instead.target, expectedMs: instead.expectedMs }, pending)
  }

  /** `why`: why it is asked, where the decision does not say it. */
  call(target: Target, pending: PendingRequest, trail: Trail, hold: GrantedHold, why?: string): RunningAttempt {
    trail.hasTested ||= hold.probe
    this.learned.router.begins(pending.id, target.stateId)
    const answerLimit = trail.answerLimit(target)
    const source = pending.anyAnswer ? 'probe' : 'live'
    return this.#start({ target, pending, hold, number: trail.calls + 1, answerLimit, why, source })
  }

  /** Reserves for a call outside a cascade: budgets bind it, parks and limits do not. */
  reserveForTest(target: Target, pending: PendingRequest): Hold {
    const now = this.now
    return reserveForTest(this.learned, target, pending, this.eligibility.needOf(target, pending, now), now)
  }

  /** The same for a tiny call that asks a target of an outage whether it works again. */
  callAfterOutage(target: Target, pending: PendingRequest, hold: GrantedHold): RunningAttempt {
    this.#turns.ask(pending, target)
    return this.callForTest(target, pending, hold, 1, 'probe')
  }

  /** Starts a call outside a cascade with all of its caller's time. Record it with `recordAttempt`. */
  callForTest(
    target: Target,
    pending: PendingRequest,
    hold: GrantedHold,
    number: number,
    source: AttemptSource = 'test',
  ): RunningAttempt {
    return this.#start({ target, pending, hold, number, allowedMs: Number.POSITIVE_INFINITY, source })
  }

  #start({ target, pending, hold, number, allowedMs, answerLimit = null, why, source }: Start): RunningAttempt {
    const { tools, requestFixes, windows, learned, registry } = this
    const credential = registry.credentialOf(target)
    const startedAt = this.now
    const price = priceFor(pending.operation, registry.priceOf(target))
    const begun = { id: learned.eventId(), target, number, startedAt, price }
    const needOf = () => this.eligibility.needOf(target, pending, startedAt)
    this.store.begin(begunCall(begun, pending, source, needOf))
    const { call, leftOut } = writeCall(
      { tools, requestFixes, windows, latencyAllowance: learned.latencyAllowance, settings: registry.config.settings },
      { target, credential, pending, mostOutputTokens: smaller(hold.mostOutputTokens, answerLimit), allowedMs },
    )
    pending.cancellation.running(call)
    // After a park this is the try that counts: its failure is one more occurrence.
    const expected = !hold.probe && this.#turns.isAsked(pending, target)
    return { ...begun, credential, call, leftOut, hold, expected, why }
  }

  /** Lifts a target's parks for these reasons: a free check or a test run disproved them. */
  lift(target: TargetRef, only: readonly FailureKind[]): void {
    const { learned, store } = this
    const { origin } = store
    learned.record({ kind: 'lift', at: this.now, origin, id: learned.eventId(), target: refOf(target), only })
  }

  /** Judges a failure: what the request does next and what is learned from it. */
  judge(failure: Failure, pending: PendingRequest, trail: Trail, target: Target): Verdict {
    const { timeouts } = this.registry.config.settings
    if (failure.kind === 'context_too_long' || failure.kind === 'unsupported')
      this.windows.learn(target, failure, pending.needs.inputTokens)
    const shortened = this.#shortens(failure, pending, trail, target)
    const repaired = !shortened && this.repairs(failure, pending, target)
    const verdict = judge(failure, {
      // What was known to fail is not asked twice.
      alone:
        !trail.triedInNeed && !this.#turns.isAsked(pending, target) && !this.#othersEligible(pending, trail, target),
      spare: trail.hasSpare,
      retried:
        trail.wasTried(target) || (isUseless(failure) && this.learned.uselessAnswers.isAskedOnce(target, this.now)),
      patienceMs: Math.min(timeouts.patienceMs, pending.deadlineAt - this.tools.monotonic()),
      confirmed: trail.isRefusedBesides(dialectFor(target.profile, pending.needs)),
      mayTranslateOtherwise: failure.kind === 'bad_request' && this.#mayTranslateOtherwise(pending, trail, target),
      isUnproven: failure.kind === 'bad_request' && this.#isUnproven(pending, trail, target),
      mayAnswerFiltered: pending.retryFiltered,
      random: this.random(),
    })
    if (repaired) return trail.mayRepair(target) ? WRITTEN_OTHERWISE : { ...verdict, ...NEXT_MODEL }
    if (verdict.needs?.otherDialect || failure.kind === 'unsupported') trail.prefers = pending.wire?.dialect ?? null
    if (verdict.next === 'retry-once' && !this.#retries.take(this.now)) return { ...verdict, next: 'next' }
    // Written differently, the same target will accept it.
    return shortened ? { ...verdict, next: 'retry-once', skip: 'none', waitMs: 0 } : verdict
  }

  /** Learns what a refusal says the target would take. True when the next call of it will be written differently. */
  repairs(failure: Failure, pending: PendingRequest, target: Target): boolean {
    if ((failure.kind !== 'unsupported' && failure.kind !== 'bad_request') || failure.fields === undefined) return false
    const { settings } = this.registry.config
    const credential = this.registry.credentialNow(target)
    if (credential === undefined) return false
    const order = { target, credential, pending, mostOutputTokens: null }
    const body = bodyBeforeRepairs(settings, this.windows, order)
    if (body === null) return false
    return this.requestFixes.learn(target, pending.clientKind, failure.fields, body, fieldsNamedBy(order))
  }

  /** The answer of a stream has begun: what waits for room on an account of unknown limits may look again. */
  delivers({ hold, call }: RunningAttempt): void {
    if (hold.quota === null) return
    this.learned.quota.deliver(hold.quota)
    this.learned.quota.hear(hold.quota, call.statedLimits, this.now)
    this.waiting.changed()
  }

  /** Records a failed attempt with its verdict. */
  record(
    pending: PendingRequest,
    trail: Trail,
    attempt: RunningAttempt,
    { end, failure, verdict }: Judged,
  ): AttemptReport {
    const { report } = this.recordAttempt(attemptFacts(pending, attempt, end, 'live'))
    // A probe of an outage must not take an attempt from a target that works.
    const counts = verdict.counts && !this.#turns.isAsked(pending, attempt.target)
    trail.add(attempt.target, report, failure, { ...verdict, counts })
    this.monitor.failed(attempt, failure, verdict, pending)
    if (end.outcome.response !== undefined) this.monitor.answered(attempt, pending, end.outcome.response)
    return report
  }

  /** No target gave an answer of use: the caller gets one that is blocked, empty or malformed. */
  handOver(pending: PendingRequest): void {
    this.experiments.failed(pending.enrolment, pending.id, false)
  }

  /** Records the attempt that answered, or whose stream broke off after its first content. */
  recordAnswer(pending: PendingRequest, trail: Trail, attempt: RunningAttempt, end: CallEnd): AttemptReport {
    const { outcome } = end
    const { report } = this.recordAttempt(attemptFacts(pending, attempt, end, 'live'))
    trail.answered(report)
    this.#observe(pending, trail, attempt.target, end)
    if (outcome.ok) {
      this.missingAbilities.worked(attempt.target, pending.needs.abilities)
      this.windows.worked(attempt.target, outcome.response.usage?.inputTokens ?? 0)
      this.monitor.answered(attempt, pending, outcome.response)
    } else {
      // Judged last: the request is over, so the target counts as tried and no retry is taken.
      const verdict = this.judge(outcome.failure, pending, trail, attempt.target)
      this.monitor.failed(attempt, outcome.failure, verdict, pending)
    }
    return report
  }

  /** Waits for the soonest target within the caller's patience. False when there is none to wait for. */
  async waitForRoom(pending: PendingRequest, trail: Trail): Promise<boolean> {
    const { tools, waiting } = this
    const began = tools.monotonic()
    trail.lookAgain()
    const { patienceMs } = this.registry.config.settings.timeouts
    const leftMs = patienceMs - trail.waitedMs
    if (leftMs <= 0 && trail.waitedMs > 0) return this.#mayHurry(pending, trail)
    const waited = await waiting.wait({
      soonest: () => this.soonest(pending, trail),
      patienceMs: Math.max(0, Math.min(leftMs, pending.deadlineAt - began)),
      arrivedAt: pending.arrivedAt,
      signal: pending.cancellation.signal,
    })
    let waitedMs = tools.monotonic() - began
    if (waited === 'try' && waitedMs < 1) {
      // What counts as free now was just not to be had: looking again at once would hold up everything else.
      await this.pause(pending, LOOK_AGAIN_MS)
      waitedMs = tools.monotonic() - began
    }
    trail.waitedMs += waitedMs
    if (waited === 'aborted') return false
    // The timer that ends a wait fires a moment late.
    const isInTime = waited === 'try' && trail.waitedMs <= patienceMs + Math.min(patienceMs, LATE_MS)
    return isInTime || this.#mayHurry(pending, trail)
  }

  /** Whether only the slow start of a target kept this request waiting: it ends before the request does. */
  #mayHurry(pending: PendingRequest, trail: Trail): boolean {
    if (trail.isUrgent) return false
    trail.isUrgent = true
    const now = this.now
    return this.registry.targets.some(
      (target) =>
        this.learned.quota.opening(target, now) !== null &&
        whyNot(this.eligibility, target, pending, trail, now) === null,
    )
  }

  /** The target that is free soonest for this request, and when; null when no time is known. */
  soonest(pending: PendingRequest, trail: Trail | null): NextSlot | null {
    const now = this.now
    let best: { at: number; target: Target } | null = null
    for (const target of this.registry.targets) {
      if (trail !== null && trail.excludes(target) !== null) continue
      const at = this.#freeAt(target, pending, trail, now)
      if (at !== null && (best === null || at < best.at)) best = { at, target }
    }
    return best === null ? null : { ...best, ...this.#gate(best.target, pending, now) }
  }

  /** A running request does not wait for a guessed park while retries are left. */
  #freeAt(target: Target, pending: PendingRequest, trail: Trail | null, now: number): number | null {
    const inNeed = trail !== null && !isTestedEnough(trail) && !trail.metLimitOf(target) && this.#retries.isLeft(now)
    return freeAt(this.eligibility, target, pending, now, inNeed)
  }

  /** How many requests the blocking limit allows per window, so that no herd is released. */
  #gate(target: Target, pending: PendingRequest, now: number): Pick<NextSlot, 'limit' | 'windowMs'> {
    const shortage = this.learned.quota.room(target, this.eligibility.needOf(target, pending, now).quota, now)
    if (shortage === null || shortage.isSlowStart) {
      const opening = this.learned.quota.opening(target, now)
      return opening === null ? {} : { limit: opening, windowMs: 0 }
    }
    if (shortage.unit !== 'requests' || shortage.window === 'none') return {}
    return { limit: shortage.limit, windowMs: WINDOW_MS[shortage.window] }
  }

  pause(pending: PendingRequest, ms: number): Promise<void> {
    const { cancelled, signal } = pending.cancellation
    return cancelled ? Promise.resolve() : this.sleep(ms, signal)
  }

  /** Records an attempt of a cascade, a test or a probe (`record.ts`) and notifies listeners. */
  recordAttempt(facts: RecordedFacts): Recorded {
    const { learned, store, registry, events } = this
    const credential = registry.credentialNow(facts.target)
    const fault = this.faultAttribution.attribute(credential?.connection.hostname, facts.end, this.now)
    const record = fault === 'undecided' ? (event: AttemptEvent) => this.#keepBack(event) : undefined
    const recorded = recordAttempt(
      { learned, origin: store.origin, estimate: this.estimate, record },
      { ...facts, id: facts.id ?? learned.eventId(), notCharged: fault === 'local' },
      this.now,
    )
    if (facts.price !== null) this.#priceLog.note(facts.price, recorded.event)
    this.waiting.changed()
    if (events.has('attempt')) {
      const { requestId, operation } = facts
      events.emit('attempt', { ...recorded.report, requestId, operation })
    }
    if (recorded.event.ok) this.monitor.worked(facts.target, recorded.event)
    return recorded
  }

  #keepBack(event: AttemptEvent): void {
    this.store.keepUndecided(event)
    this.faultAttribution.add(event)
  }

  /** No target answered: notifies listeners and returns the error. */
  gaveUp(pending: PendingRequest, trail: Trail, error: KeywiseError): KeywiseError {
    this.learned.router.begins(pending.id, null)
    this.#observeFailure(pending, trail, error)
    if (!(error instanceof AllTargetsFailedError)) return error
    this.monitor.exhausted(pending, trail)
    this.events.emit('exhausted', {
      requestId: pending.id,
      model: pending.selection.name,
      attempts: trail.attempts,
      retryAt: error.retryAt,
    })
    return error
  }

  /** Reports a request's outcome to its experiment; a caller who left says nothing about a variant. */
  #observe(pending: PendingRequest, trail: Trail, target: Target, end: CallEnd): void {
    const { experiments } = this
    if (pending.enrolment === null) return
    if (end.outcome.ok)
      experiments.answered(
        pending.enrolment,
        pending.id,
        trail.attempts,
        this.#answeredElsewhere(pending, trail, target),
      )
    else if (end.outcome.failure.kind !== 'client_gone')
      experiments.failed(pending.enrolment, pending.id, failedByTargets(trail.attempts))
  }

  /**
   * The `provider/model` that answered, where another was asked before it or has the first place in an order of the
   * user's; null otherwise. Which key is no matter: the variant says nothing of it.
   */
  #answeredElsewhere({ selection }: PendingRequest, trail: Trail, { provider, model, stateId }: Target): string | null {
    const [first] = trail.attempts
    const wasAsked = first !== undefined && (first.provider !== provider || first.model !== model)
    const { groups, order } = selection
    const isOrdered = this.registry.config.settings.routing.strategy === 'priority'
    const isPassed = groups !== null && groups[0]?.has(stateId) === false
    const [foremost] = isOrdered && order !== null ? order : []
    const isLater = foremost !== undefined && !this.#isSameModel(foremost, provider, model)
    return wasAsked || isPassed || isLater ? `${provider}/${model}` : null
  }

  #isSameModel(stateId: string, provider: string, model: string): boolean {
    const target = this.registry.targets.find((one) => one.stateId === stateId)
    return target === undefined || (target.provider === provider && target.model === model)
  }

  /** Nor does a request that was invalid before any call, or a host without a network. */
  #observeFailure(pending: PendingRequest, trail: Trail, error: KeywiseError): void {
    const { experiments, offline } = this
    const isCallers = error.code === 'ABORTED' || (error.code === 'INVALID_REQUEST' && trail.calls === 0)
    if (!isCallers && !offline.isOffline(this.now))
      experiments.failed(pending.enrolment, pending.id, failedByTargets(trail.attempts))
  }

  /** Logs which targets would have been chosen but for a park or a limit. */
  #recordPassed(pending: PendingRequest, decision: Decision, trail: Trail, now: number): void {
    const { ranking } = decision.preview(LOOKED_AT, new RoutedRequest(this, pending, null, now))
    for (const { missed, reason } of ranking)
      if (missed && reason !== null && PASSES.test(reason)) trail.recordPassed(reason)
  }

  #othersEligible(pending: PendingRequest, trail: Trail, except: Target): boolean {
    const now = this.now
    return this.registry.targets.some(
      (target) =>
        target.stateId !== except.stateId &&
        (trail.runsBeside(target) || whyNot(this.eligibility, target, pending, trail, now) === null),
    )
  }

  /** Whether nothing is known of the target, and another one that has answered or failed before may be asked. */
  #isUnproven(pending: PendingRequest, trail: Trail, target: Target): boolean {
    const { router } = this.learned
    const now = this.now
    const isProven = (other: Target) =>
      !router.isUnobserved(other) && whyNot(this.eligibility, other, pending, trail, now) === null
    return router.isUnobserved(target) && this.registry.targets.some(isProven)
  }

  /**
   * Whether the target is asked again for an answer that it has room, or its account credit, for. What only another
   * account or model would write whole is cut when there is no other.
   */
  #shortens(failure: Failure, pending: PendingRequest, trail: Trail, target: Target): boolean {
    const { maxTokens } = pending.request
    const tokens = shorterAnswer(failure, maxTokens, dialectFor(target.profile, pending.needs))
    if (tokens === null) return false
    const isOfModel = failure.kind !== 'too_large_for_limit'
    if (isOfModel && this.#othersWriteAll(pending, trail, target, maxTokens ?? 0)) return false
    return trail.limitAnswer(target, tokens)
  }

  /** Whether another target that may be tried is not known to have less room. */
  #othersWriteAll(pending: PendingRequest, trail: Trail, except: Target, asked: number): boolean {
    const now = this.now
    return this.registry.targets.some(
      (target) =>
        target.stateId !== except.stateId &&
        (longestAnswer(target, pending.needs.inputTokens, this.windows) ?? asked) >= asked &&
        whyNot(this.eligibility, target, pending, trail, now) === null,
    )
  }

  /** The body was keywise's own work, and one in another dialect can be tried. */
  #mayTranslateOtherwise(pending: PendingRequest, trail: Trail, target: Target): boolean {
    const spokenTo = ({ profile }: Target) => dialectFor(profile, pending.needs)
    const dialect = spokenTo(target)
    if (pending.wire?.dialect === dialect) return false
    const now = this.now
    return this.registry.targets.some(
      (other) => spokenTo(other) !== dialect && whyNot(this.eligibility, other, pending, trail, now) === null,
    )
  }
}

/** A request that has called one target to find out whether it works again calls no second one in spite of its park. */
/** The same target takes the request written differently. */
const WRITTEN_OTHERWISE: Verdict = {
  next: 'retry-once',
  skip: 'none',
  waitMs: 0,
  counts: false,
  blame: { weight: 0, provider: false },
  repaired: true,
}
/** It has been written differently often enough for one request; the next one of the client will be at once. */
const NEXT_MODEL = { next: 'next', skip: 'provider+model' } as const

const isTestedEnough = ({ triedInNeed, hasTested }: Trail) => triedInNeed || hasTested

/** Why a request does not ask the target first that it would have asked; null when it does. */
function whyPassed(
  target: Target,
  patienceMs: number,
  { silences, uselessAnswers }: LearnedState,
  now: number,
): string | null {
  if (silences.passesOver(target.stateId, patienceMs, now)) return SILENT
  return uselessAnswers.passesOver(target, now) ? USELESS : null
}

const SILENT = 'was silent for longer than this request can wait'
const USELESS = 'answered the last requests with nothing of use'
const CUTS = 'would have to cut the answer'
const NOT_THERE = 'is of another account than what the request refers to'

function avoidAlso(trail: Trail, avoids: (target: Target) => string | null): void {
  const before = trail.avoids
  trail.avoids = before === null ? avoids : (target) => before(target) ?? avoids(target)
}

const isUseless = ({ kind }: Failure) => kind === 'empty' || kind === 'malformed'

const LOOKED_AT = 60
/** A request that found no target although one counts as free looks again after this long. */
const LOOK_AGAIN_MS = 50
/** Timers fire this much late on a busy machine. */
const LATE_MS = 1_000
/** Temporary reasons; a missing ability is not worth logging. */
const PASSES = /^(?:parked|limit):/
