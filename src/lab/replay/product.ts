/** The product as a policy: its own router, parks, quotas, judge and trail, driven by a virtual clock. */

import type { AttemptReport } from '../../domain/attempt.ts'
import type { Failure } from '../../domain/failure.ts'
import { hash32 } from '../../domain/random.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import type { Target } from '../../domain/target.ts'
import { Trail } from '../../engine/attempt/trail.ts'
import { type QuotaHold, QuotaTracker } from '../../quota/limits/quotaTracker.ts'
import { Parks } from '../../quota/parks/parks.ts'
import { Router, type RoutingRequest } from '../../routing/choose.ts'
import type { Decision } from '../../routing/decision.ts'
import type { Ineligible } from '../../routing/eligible.ts'
import { judge } from '../../routing/judge.ts'
import { ROUTING, type RoutingSettings } from '../../routing/settings.ts'
import type { Policy, SeenOutcome, Walk } from './policies.ts'
import type { Arrival, ReplayWorld } from './world.ts'

/** How every provider of the laboratory counts. */
const PROVIDER = { quotaScope: 'account+model', dayBoundary: 'UTC', keyCheck: {}, seedLimits: [] } as const
const NEED = { requests: 1, inputTokens: 0, outputTokens: 0 } as const
const MAX_ATTEMPTS = 5
/** Parks that are not tried even in need: only a check or a person brings these back. */
const HOLDING = new Set(['auth_invalid', 'auth_forbidden', 'billing'])

interface ProductOptions {
  readonly seed: number
  readonly world: ReplayWorld
  readonly settings?: Partial<RoutingSettings>
  /** The time given to the router, for the ablation that forgets nothing. */
  readonly clock?: (at: number) => number
}

export class Product implements Policy {
  readonly router: Router
  readonly parks = new Parks({ facts: () => PROVIDER })
  readonly quota = new QuotaTracker({ specOf: () => PROVIDER })
  /** Free checks of keys, off every request's path. */
  probes = 0
  readonly #world: ReplayWorld
  readonly #clock: (at: number) => number
  readonly #indexes = new Map<string, number>()
  readonly #targets: Target[] = []
  #events = 0

  constructor({ seed, world, settings, clock = (at) => at }: ProductOptions) {
    this.#world = world
    this.#clock = clock
    this.router = new Router({ settings: { ...ROUTING, ...settings }, random: () => seed / 0x1_0000_0000 })
  }

  add(index: number): void {
    const { target } = this.#world.scenario.contenders[index]!
    this.#indexes.set(target.stateId, index)
    this.#targets.push(target)
    this.router.setTargets(this.#targets)
  }

  begin(number: number, arrival: Arrival): Walk {
    this.#checkKeys(arrival.at)
    return new ProductWalk(this, number, arrival)
  }

  learn(seen: SeenOutcome): void {
    const event = this.eventOf(seen)
    this.parks.fold(event)
    this.quota.fold(event)
    this.router.fold({ ...event, at: this.#clock(event.at), startedAt: this.#clock(event.startedAt) })
  }

  rate(index: number, score: number, at: number, { task }: Arrival): void {
    const target = this.targetAt(index)
    const id = `quality-${++this.#events}`
    const about = { origin: 'replay', id, target, requestId: `rated-${this.#events}`, task }
    this.router.fold({ kind: 'quality', at: this.#clock(at), score, source: 'user', ...about })
  }

  get targets(): readonly Target[] {
    return this.#targets
  }

  targetAt(index: number): Target {
    return this.#world.scenario.contenders[index]!.target
  }

  indexOf(target: Target): number {
    return this.#indexes.get(target.stateId)!
  }

  decide(request: RoutingRequest, now: number): Decision {
    return this.router.decide(request, this.#clock(now))
  }

  /** Why the target may not be tried now, apart from what the request itself has tried. */
  whyNot(target: Target, requestId: string, now: number): Ineligible | null {
    const park = this.parks.blocking(target, now)
    if (park !== undefined) return { code: 'parked', reason: park.text, until: park.until }
    const share = this.parks.share(target, now)
    if (share > 0 && share < 1 && this.#lot(requestId, target) >= share)
      return { code: 'parked', reason: 'coming back', until: null }
    const shortage = this.quota.room(target, NEED, now)
    return shortage === null ? null : { code: 'quota', reason: 'limit reached', until: shortage.until }
  }

  /** In need: the target whose guessed park ends soonest. What the upstream stated, and refused keys, hold. */
  soonestGuess(trail: Trail, now: number): Target | null {
    let soonest: Target | null = null
    let least = Number.POSITIVE_INFINITY
    for (const target of this.#targets) {
      const park = trail.excludes(target) === null ? this.parks.blocking(target, now) : undefined
      if (park === undefined || park.stated || HOLDING.has(park.reason) || park.until >= least) continue
      soonest = target
      least = park.until
    }
    return soonest
  }

  eventOf(seen: SeenOutcome): AttemptEvent {
    return {
      kind: 'attempt',
      at: seen.at,
      origin: 'replay',
      id: `attempt-${++this.#events}`,
      requestId: `request-${seen.number}`,
      number: 1,
      source: seen.source,
      target: this.targetAt(seen.index),
      startedAt: seen.startedAt,
      latencyMs: seen.latencyMs,
      firstTokenMs: seen.failure === null ? seen.firstTokenMs : null,
      streamed: seen.tokens > 0,
      ok: seen.failure === null,
      failure: seen.failure,
      usage:
        seen.tokens > 0
          ? { inputTokens: 0, outputTokens: seen.tokens, totalTokens: seen.tokens, estimated: false }
          : null,
      costNanoUsd: null,
      priceSource: null,
      limits: [],
      task: seen.task,
      session: null,
      token: null,
      labels: {},
    }
  }

  /** A refused key whose park has run out is checked for free; a good one is lifted, a bad one parked for longer. */
  #checkKeys(now: number): void {
    for (const park of this.parks.awaiting(now)) {
      const index = this.#indexes.get(park.target.stateId)
      if (park.backBy !== 'key-check' || index === undefined) continue
      this.probes++
      const about = { at: now, origin: 'replay', id: `check-${++this.#events}`, target: park.target }
      if (this.#world.keyWorks(index, now)) this.parks.lift(park.target, now, ['auth_invalid'])
      else this.parks.fold({ ...this.eventOf(refusedCheck(index, now)), ...about })
    }
  }

  #lot(requestId: string, target: Target): number {
    return hash32(`${requestId} ${target.stateId}`) / 0x1_0000_0000
  }
}

/** No request waits for a limit in these scenarios. */
const CALM = {
  spare: false,
  patienceMs: 0,
  confirmed: false,
  mayAnswerFiltered: false,
  random: 0,
} as const

function refusedCheck(index: number, now: number): SeenOutcome {
  const failure: Failure = { kind: 'auth_invalid', status: 401, message: 'simulated key check' }
  const facts = { latencyMs: 0, firstTokenMs: 0, tokens: 0, task: null }
  return { number: -1, index, source: 'probe', startedAt: now, at: now, failure, ...facts }
}

/** The trail keeps reports for people; these are not read. */
function reportOf(target: Target): AttemptReport {
  const { id, provider, model, keyIndex } = target
  const nothing = { failureKind: null, status: null, message: null, firstTokenMs: null, usage: null, costUsd: null }
  return { target: id, provider, model, keyIndex, ok: false, startedAt: '', latencyMs: 0, retryAt: null, ...nothing }
}

class ProductWalk implements Walk {
  readonly #product: Product
  readonly #trail = new Trail({ maxAttempts: MAX_ATTEMPTS, hardCap: false, prefers: null, needs: { abilities: [] } })
  readonly #request: RoutingRequest
  #decision: Decision | null = null
  #now = 0
  #hold: QuotaHold | null = null
  /** Whether the attempt under way decides about a park. */
  #probes = false

  constructor(product: Product, number: number, { tokens, task }: Arrival) {
    this.#product = product
    const id = `request-${number}`
    this.#request = {
      id,
      profile: 'balanced',
      task,
      stream: tokens > 0,
      inputTokens: 0,
      // Whole times of equal calls are all that some traces have; elsewhere the product finds out itself.
      expectedOutputTokens: tokens > 0 ? null : 0,
      session: { stateId: null },
      firstTurn: true,
      mayExplore: true,
      ineligible: (target) => this.#whyNot(target),
    }
  }

  next(now: number): number {
    this.#now = now
    for (;;) {
      const target = this.#trail.over ? null : (this.#choose() ?? this.#product.soonestGuess(this.#trail, now))
      if (target === null) return -1
      if (this.#reserve(target)) return this.#product.indexOf(target)
      this.#trail.leave(target.stateId)
    }
  }

  ended(seen: SeenOutcome): void {
    const { parks, quota } = this.#product
    const target = this.#product.targetAt(seen.index)
    if (this.#hold !== null) quota.settle(this.#hold, null, seen.at)
    if (this.#probes) parks.endProbe(target)
    if (seen.failure !== null) this.#fail(target, seen.failure)
  }

  /** Once more the same target where no other is left, as the engine does. */
  #fail(target: Target, failure: Failure): void {
    const alone = !this.#product.targets.some((other) => other !== target && this.#whyNot(other) === null)
    const verdict = judge(failure, { ...CALM, alone, retried: this.#trail.wasTried(target) })
    this.#trail.add(target, reportOf(target), failure, verdict)
    if (verdict.next === 'retry-once') this.#trail.offer(target)
  }

  #choose(): Target | null {
    if (this.#decision === null) {
      this.#decision = this.#product.decide(this.#request, this.#now)
      this.#trail.offer(this.#decision.first)
    }
    return this.#trail.nextOf(this.#decision)
  }

  #whyNot(target: Target): Ineligible | null {
    const tried = this.#trail.excludes(target)
    if (tried !== null) return { code: 'skipped', reason: tried, until: null }
    return this.#product.whyNot(target, this.#request.id, this.#now)
  }

  #reserve(target: Target): boolean {
    const { parks, quota } = this.#product
    this.#probes = parks.state(target, this.#now) === 'half-open'
    if (this.#probes && !parks.startProbe(target, this.#now)) return false
    const hold = quota.reserve(target, NEED, this.#now)
    this.#hold = hold.granted ? hold : null
    if (this.#probes && !hold.granted) parks.endProbe(target)
    return hold.granted
  }
}
