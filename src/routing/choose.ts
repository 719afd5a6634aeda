/** Chooses the target of every attempt and learns from the outcome. */

import { asNumber, asRecord, type Json } from '../domain/json.ts'
import { hash32 } from '../domain/random.ts'
import type { StoreEvent } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import { Bucket } from './bucket.ts'
import { CandidateTable } from './candidateTable.ts'
import type { DecisionBasis, DecisionCause } from './cause.ts'
import { type Choice, NO_CHOICE, pickBest, pickCurious, pickLightest, pickSame, pickWorthiest } from './choice.ts'
import { AsAdmitted, type Decision, type Explaining, type Noted, RoutedDecision, type Tellers } from './decision.ts'
import { EligibilityCache, type Question } from './eligibilityCache.ts'
import {
  type ExplainFacts,
  explainCause,
  explainRanking,
  favouriteOf,
  previewRanking,
  type RankedTarget,
} from './explain.ts'
import { type HourCell, hourCells } from './hours.ts'
import { Knowledge } from './knowledge.ts'
import { knowledgeFromJson, knowledgeToJson } from './knowledgeJson.ts'
import { timesObserved } from './learn.ts'
import { NewTargets } from './newTargets.ts'
import { FILLERS, termsAt } from './order.ts'
import { pickBesideNew, type TryingRequest } from './pickNew.ts'
import type { LoadQuestion, RankingContext } from './rankingContext.ts'
import type { RatingChange } from './ratings.ts'
import { score, type Terms } from './score.ts'
import { CURIOSITY, type Curiosity, type RoutingSettings, type Strategy } from './settings.ts'
import { evaluate, expectedMs, type Valuation } from './valuation.ts'
import { type Profile, valueWeights } from './weights.ts'

export interface RoutingRequest extends Question, LoadQuestion, TryingRequest {
  readonly profile: Profile
  /** The kind of work, if the caller names it; quality is learned per task. */
  readonly task: string | null
  readonly stream: boolean
  readonly inputTokens: number
  /** Null: the usual length of answers (to this task). */
  readonly expectedOutputTokens: number | null
  /** The target the conversation is bound to, by `stateId`; null for none. */
  readonly session: { readonly stateId: string | null }
  readonly firstTurn: boolean
  readonly mayExplore: boolean
  /** Under every strategy: the first group, by `stateId`, of which any target is eligible is asked. Default: no groups. */
  readonly groups?: readonly ReadonlySet<string>[] | null
}

interface RouterOptions {
  readonly settings: RoutingSettings
  /** Called once, for the seed of all draws. */
  readonly random: () => number
}

/** One request and its position in the sequence of requests. */
interface Pass {
  readonly request: RoutingRequest
  readonly now: number
  readonly turn: number
  readonly exploring: boolean
}

export interface Favourite {
  readonly first: Target | null
  readonly cause: DecisionCause
  readonly basis: DecisionBasis
}

/** Up to this many targets the calls of all are noted, above it those of the chosen model alone. */
const NOTED = 200
const NOTHING_EXCLUDED = null
/** The strategies that let the keys of one model share its calls. */
const SHARING: ReadonlySet<Strategy> = new Set(['learned', 'score'])
/** The request that a score assumes when there is none. */
type Looks = {
  readonly [K in 'profile' | 'task' | 'stream' | 'inputTokens' | 'expectedOutputTokens']: RoutingRequest[K]
}
const ORDINARY: Looks = { profile: 'balanced', task: null, stream: false, inputTokens: 0, expectedOutputTokens: null }

export class Router {
  /** Called before anything changes by which a decision could be explained. */
  beforeChange: (() => void) | null = null
  readonly #eligibility = new EligibilityCache()
  #seed: number
  #settings: RoutingSettings
  #knowledge = new Knowledge()
  #candidates = new CandidateTable([], this.#knowledge)
  #newTargets = new NewTargets(this.#candidates, 0)
  readonly #isNew = (index: number) => this.#newTargets.isNew(index)
  #bucket = new Bucket()
  #turns = 0
  #pressure: ReadonlyMap<string, number> = new Map()
  /** Scratch arrays of one pass: V by index, and the keys of the strategies that order by something else. */
  #values = new Float64Array(0)
  #keys = new Float64Array(0)

  constructor({ settings, random }: RouterOptions) {
    this.#settings = settings
    this.#knowledge.setZones(settings.zones ?? [])
    this.#seed = Math.floor(random() * 0x1_0000_0000) >>> 0
  }

  /** Replaces the targets to choose from. What was learned about others is kept in case they come back. */
  setTargets(targets: readonly Target[]): void {
    this.beforeChange?.()
    this.#candidates = new CandidateTable(targets, this.#knowledge)
    this.#candidates.press(this.#pressure)
    this.#values = new Float64Array(targets.length)
    this.#keys = new Float64Array(targets.length)
    this.#newTargets.use(this.#candidates, this.#freePulls)
  }

  setSettings(settings: RoutingSettings): void {
    this.beforeChange?.()
    if (String(settings.zones) !== String(this.#settings.zones)) this.#knowledge.setZones(settings.zones ?? [])
    this.#settings = settings
    this.#newTargets.use(this.#candidates, this.#freePulls)
  }

  /** Sets the budget pressure on each provider (lambda, 0 or more); 0 for providers not named. */
  setPressure(byProvider: ReadonlyMap<string, number>): void {
    this.beforeChange?.()
    this.#pressure = byProvider
    this.#candidates.press(byProvider)
  }

  /** Learns from one event, of this process or another; each event once, in any order. */
  fold(event: StoreEvent): void {
    if (event.kind === 'lift' || event.kind === 'observation') return
    this.beforeChange?.()
    const index = this.#candidates.indexOf(event.target.stateId)
    const local = index !== undefined && this.#candidates.targets[index]!.profile.local
    if (this.#knowledge.fold(event, local) && index !== undefined) this.#candidates.touch(index)
    if (index === undefined || this.#newTargets.isEmpty) return
    this.#newTargets.learned(index, event.kind === 'attempt' ? event.requestId : null, this.#turns)
  }

  /** The request calls this target (`stateId`), or none at all: a new target that it was to try waits for another. */
  begins(requestId: string, stateId: string | null): void {
    this.#newTargets.giveBack(requestId, stateId)
  }

  /** Learns from a rating that may replace another. */
  rate(change: RatingChange): void {
    this.#knowledge.rate(change)
    const index = this.#candidates.indexOf(change.target.stateId)
    if (index !== undefined) this.#candidates.touch(index)
  }

  /** Whether the free tries of a target are not over. */
  isNew({ stateId }: Target): boolean {
    if (this.#newTargets.isEmpty) return false
    const index = this.#candidates.indexOf(stateId)
    return index !== undefined && this.#newTargets.isNew(index)
  }

  decide(request: RoutingRequest, now: number): Decision {
    this.#bucket.earn(this.#settings.exploration, this.#curiosity.burst)
    const exploring =
      request.mayExplore && request.firstTurn && request.mustNotFail !== true && this.#settings.exploration > 0
    if (request.mayExplore) this.#newTargets.giveBack(request.id)
    // A request that decides again, because what it asked is silent, has no further turn.
    const turn = request.mayExplore ? this.#turns++ : this.#turns
    const pass: Pass = { request, now, turn, exploring }
    this.#eligibility.open(this.#candidates.targets, request, NOTHING_EXCLUDED)
    const choice = this.#pickFirst(pass)
    this.#eligibility.close()
    const { index } = choice
    if (index >= 0 && request.mayExplore && !this.#newTargets.isEmpty) this.#newTargets.chose(index, turn)
    const first = this.#candidates.targets[index] ?? null
    return new RoutedDecision(this.#tellers, pass, choice, first, this.#insteadOf(pass, choice))
  }

  /** The current ranking, without deciding anything: for lists and for `why`. */
  rank(request: RoutingRequest, now: number): readonly RankedTarget[] {
    const pass = { request, now, turn: this.#turns, exploring: false }
    const told = { pass, choice: null, chosen: null, noted: null }
    return explainRanking(this.#contextFor(told), this.#factsOf(told))
  }

  /** What would be chosen without exploring, and why. */
  favourite(request: RoutingRequest, now: number): Favourite {
    const told = {
      pass: { request, now, turn: this.#turns, exploring: false },
      choice: null,
      chosen: null,
      noted: null,
    }
    return favouriteOf(this.#contextFor(told), this.#factsOf(told))
  }

  /**
   * Estimated quality of a target, 0..1; the catalogue's estimate before the first decision and for targets that are
   * gone.
   */
  qualityOf(target: Target): number | null {
    const index = this.#candidates.isEstimated ? this.#candidates.indexOf(target.stateId) : undefined
    return index === undefined ? target.profile.qualityPrior : this.#candidates.quality[index]!
  }

  /** Whether nothing has told yet what the target is like. */
  isUnobserved({ stateId }: Target): boolean {
    return timesObserved(this.#knowledge.target(stateId).row) === 0
  }

  /** The score of a target for an ordinary request, with its terms; null when the target is gone. */
  scoreOf(target: { readonly stateId: string }, now: number): { readonly score: number; readonly terms: Terms } | null {
    const index = this.#candidates.indexOf(target.stateId)
    if (index === undefined) return null
    this.#candidates.refresh(now)
    const terms = termsAt(this.#candidates, this.#valuationOf(ORDINARY, now), index, now)
    return { terms, score: score(terms, this.#settings.weights) }
  }

  /** What was learned about a target by hour of the day; null when the target is gone. */
  hoursOf(target: { readonly stateId: string }, now: number): readonly HourCell[] | null {
    const index = this.#candidates.indexOf(target.stateId)
    if (index === undefined) return null
    this.#knowledge.setClocks(now)
    return hourCells(this.#candidates.known[index]!.row, now)
  }

  /** The time zone whose clock the daily rhythm of a target follows; null for UTC, and while nothing speaks for another. */
  zoneOf(target: { readonly stateId: string }): string | null {
    const index = this.#candidates.indexOf(target.stateId)
    const zone = index === undefined ? undefined : this.#candidates.known[index]!.clock?.zone
    return zone === undefined || zone === 'UTC' ? null : zone
  }

  /** Expected length of an answer in tokens, never above the caller's limit: for requests and for reservations. */
  expectedOutputTokens(task: string | null, maxTokens: number | null): number {
    return this.#knowledge.answerTokens(task, maxTokens)
  }

  /**
   * All learned state, for a snapshot. A router that loads it, with the same targets, decides the same, but for which of
   * several new targets is tried next.
   */
  toJson(): Json {
    return {
      seed: this.#seed,
      tokens: this.#bucket.tokens,
      turns: this.#turns,
      newTargets: this.#newTargets.toJson(),
      knowledge: knowledgeToJson(this.#knowledge),
    }
  }

  /** Replaces the state by a snapshot; invalid parts of it are dropped. */
  fromJson(json: unknown): void {
    const state = asRecord(json) ?? {}
    this.#seed = (asNumber(state['seed']) ?? this.#seed) >>> 0
    this.#bucket = new Bucket(asNumber(state['tokens']))
    this.#turns = Math.min(2 ** 52, Math.max(0, Math.floor(asNumber(state['turns']) ?? 0)))
    this.#knowledge = knowledgeFromJson(state['knowledge'])
    this.#knowledge.setZones(this.#settings.zones ?? [])
    this.#newTargets = new NewTargets(this.#candidates, 0)
    this.#newTargets.fromJson(state['newTargets'])
    this.setTargets(this.#candidates.targets)
  }

  /** Adds the learned state of another process's snapshot; only for events that were not folded here. */
  merge(json: unknown): void {
    this.#knowledge.merge(knowledgeFromJson(asRecord(json)?.['knowledge']))
    this.setTargets(this.#candidates.targets)
  }

  get #curiosity(): Curiosity {
    return this.#settings.curiosity ?? CURIOSITY
  }

  /** Free tries of a new target; none where nothing may be explored. */
  get #freePulls(): number {
    return this.#settings.exploration > 0 ? this.#curiosity.freePulls : 0
  }

  #pickFirst(pass: Pass): Choice {
    const context = this.#contextOf(pass)
    const same = pickSame(context, pass.request.session.stateId)
    if (same !== null) return same
    const { groups } = pass.request
    if (groups == null) return this.#pick(pass, context)
    return this.#firstOfGroups(groups, pass, NOTHING_EXCLUDED, () => this.#pick(pass, context))
  }

  /** The pick of the first group that has one. */
  #firstOfGroups(
    groups: readonly ReadonlySet<string>[],
    { request }: Pass,
    isOut: ((target: Target) => boolean) | null,
    pick: () => Choice,
  ): Choice {
    for (const group of groups) {
      const isPassed = (target: Target) => !group.has(target.stateId) || isOut?.(target) === true
      this.#eligibility.open(this.#candidates.targets, request, isPassed)
      const choice = pick()
      if (choice.index >= 0) return choice
    }
    return NO_CHOICE
  }

  #pick(pass: Pass, context: RankingContext): Choice {
    if (!this.#newTargets.concerns(pass.request.named ?? null)) return this.#pickKnown(pass, context)
    const { strategy } = this.#settings
    const known = (exploring: boolean) => this.#pickKnown({ ...pass, exploring }, context)
    return pickBesideNew({ ...pass, context, strategy, newTargets: this.#newTargets, known })
  }

  /** The pick by what is known, or thought, of each target. */
  #pickKnown(pass: Pass, context: RankingContext): Choice {
    switch (this.#settings.strategy) {
      case 'learned':
        if (!pass.exploring) return pickLightest(context, pickWorthiest(context))
        return pickLightest(
          context,
          pickCurious(context, this.#curiosity, this.#bucket, hash32(pass.request.id, this.#seed)),
        )
      case 'score':
        return pickLightest(context, pickBest(context))
      default:
        return pickBest(context)
    }
  }

  #pickNext(pass: Pass, tried: string[], exclude: (target: Target) => boolean): Target | null {
    const context = this.#contextOf({ ...pass, exploring: false })
    const isOut = (target: Target) => tried.includes(target.stateId) || exclude(target)
    const pick = () => {
      const best = pickBest(context)
      return SHARING.has(this.#settings.strategy) ? pickLightest(context, best) : best
    }
    const { groups } = pass.request
    if (groups == null) this.#eligibility.open(this.#candidates.targets, pass.request, isOut)
    const { index } = groups == null ? pick() : this.#firstOfGroups(groups, pass, isOut, pick)
    this.#eligibility.close()
    const next = context.candidates.targets[index] ?? null
    if (next !== null) tried.push(next.stateId)
    return next
  }

  #insteadOf({ request, now }: Pass, { cause, instead }: Choice): Decision['instead'] {
    const target = cause === 'new' ? this.#candidates.targets[instead] : undefined
    if (target === undefined) return null
    return { target, expectedMs: expectedMs(this.#candidates, this.#valuationOf(request, now), instead) }
  }

  /** What the decisions of this router ask it later. */
  readonly #tellers: Tellers<Pass> = {
    next: (pass, tried, exclude) => this.#pickNext(pass, tried, exclude),
    note: (pass, choice) => this.#note(pass, choice),
    cause: (told) => explainCause(this.#contextFor(told), this.#factsOf(told)),
    explain: (told) => explainRanking(this.#contextFor(told), this.#factsOf(told)),
    preview: (told, most) => previewRanking(this.#contextFor(told), this.#factsOf(told), most),
  }

  #note(pass: Pass, choice: Choice): Noted {
    const { targets } = this.#candidates
    const calls = new Map<string, number>()
    const { request } = pass
    const asked = targets.length <= NOTED ? targets.keys() : this.#candidates.siblingsOf(choice.index)
    if (request.load !== undefined)
      for (const index of asked)
        if (this.#candidates.siblingsOf(index).length > 1)
          calls.set(targets[index]!.stateId, request.load(targets[index]!))
    return { calls, admitted: this.#eligibility.admitted(), tokens: this.#bucket.tokens }
  }

  #contextFor({ pass, noted }: Explaining<Pass>): RankingContext {
    const context = this.#contextOf({ ...pass, exploring: false })
    const { request } = pass
    if (noted === null || request.load === undefined) return context
    const load = (target: Target) => noted.calls.get(target.stateId) ?? request.load?.(target) ?? 0
    return { ...context, request: { load } }
  }

  #factsOf({ pass, choice, chosen, noted, question, comeback }: Explaining<Pass>): ExplainFacts {
    const { request, now, exploring } = pass
    const { strategy, costMargin } = this.#settings
    const draws = strategy === 'learned' && exploring && choice?.cause !== 'session'
    const seed = hash32(request.id, this.#seed)
    const tokens = noted?.tokens ?? this.#bucket.tokens
    return {
      now,
      settings: this.#settings,
      question: question ?? new AsAdmitted(request, noted),
      groups: request.groups ?? null,
      session: request.session.stateId,
      seed: draws ? seed : null,
      choice,
      chosen,
      comeback: comeback ?? null,
      basis: {
        strategy,
        costMargin,
        drawMargin: this.#curiosity.margin,
        draws,
        seed,
        tokens: Math.round((choice?.cause === 'exploration' ? tokens + 1 : tokens) * 1e9) / 1e9,
        session: this.#candidates.targets[this.#candidates.indexOf(request.session.stateId ?? '') ?? -1]?.id ?? null,
      },
    }
  }

  /** The candidate table in the context of this request. */
  #contextOf({ request, now, turn }: Pass): RankingContext {
    const candidates = this.#candidates
    candidates.refresh(now)
    const valuation = this.#valuationOf(request, now)
    evaluate(candidates, valuation, this.#values)
    const { strategy } = this.#settings
    const keys = strategy === 'learned' ? this.#values : this.#keys
    if (strategy !== 'learned')
      FILLERS[strategy](keys, candidates, {
        weights: this.#settings.weights,
        valuation,
        now,
        turn,
        order: request.order,
      })
    return {
      candidates,
      valuation,
      values: this.#values,
      keys,
      eligibility: this.#eligibility,
      costMargin: this.#settings.costMargin,
      request,
      isNew: this.#isNew,
      isUnknown: this.#freePulls > 0 ? this.#isNew : (index) => candidates.isNew(index),
    }
  }

  #valuationOf(request: Looks, now: number): Valuation {
    const quality = this.#candidates.qualityAt(request.task, now)
    return {
      weights: valueWeights(this.#settings.weights, request.profile, request.stream),
      latencyRefMs: this.#settings.latencyRefMs,
      inputTokens: request.inputTokens,
      outputTokens: request.expectedOutputTokens ?? this.#knowledge.answerTokens(request.task),
      quality: quality.mean,
      qualitySpread: quality.spread,
    }
  }
}
