/**
 * Finds out in the background whether a park's cause is gone, once its time is over, by the cheapest check. A
 * key endpoint or a models list costs nothing; where there is none, a guessed park is tested by a tiny call, provided
 * it takes little of the account's daily limit and no money outside the budgets. Stated parks, and outages that pass by
 * themselves, are left to ordinary traffic.
 */

import type { FailureKind } from '../domain/failure.ts'
import type { Park } from '../domain/park.ts'
import type { Target } from '../domain/target.ts'
import type { RunningAttempt } from '../engine/attempt/runningAttempt.ts'
import type { Engine } from '../engine/engine.ts'
import { prepareRequest } from '../engine/prepareRequest.ts'
import { rankingNow } from '../engine/ranking.ts'
import { attemptFacts } from '../engine/record.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import type { Call } from '../upstream/call.ts'
import { ProbeAllowance } from './probeAllowance.ts'

/** Delay before a check that failed or was inconclusive is repeated. */
const AGAIN_MS = 60_000
/** Delay for a target that would not be chosen even if it worked. */
const UNWANTED_MS = 3_600_000
/** Assumed reliability if it works, and how far its value may be below the best. */
const RELIABLE = 0.95
const BEHIND = 0.03
const TIMEOUT_MS = 60_000
/**
 * A call beside a request: with the time that its provider waits after it for the next turn, less than half a minute.
 * As often one may be made.
 */
const BESIDE_MS = 10_000
/** The smallest limit that every provider accepts (OpenAI Responses refuses less than 16). */
const MAX_TOKENS = 16

/**
 * Guesses that a call can disprove. Broken connections and overload end with ordinary traffic, empty accounts with
 * money.
 */
const CALLED_FOR: ReadonlySet<FailureKind> = new Set([
  'rate_minute',
  'quota_day',
  'zero_quota',
  'auth_forbidden',
  'auth_invalid',
  'model_not_found',
])

export class ParkProbes {
  readonly #allowance = new ProbeAllowance()
  readonly #allowanceBeside = new ProbeAllowance(BESIDE_MS)
  /** The calls beside requests, by provider. */
  readonly #beside = new Map<string, RunningAttempt>()
  /** When a checked park may be checked again. */
  readonly #nextAt = new Map<string, number>()
  #engine: Engine | null = null
  #running: Promise<void> | null = null
  #call: Call | null = null
  #closed = false

  attach(engine: Engine): void {
    this.#engine = engine
  }

  /** Checks every park whose time is over and whose cause is not disproved yet. Called every second; never rejects. */
  due(): Promise<void> {
    const engine = this.#engine
    if (engine === null || this.#closed) return Promise.resolve()
    if (this.#running !== null) return this.#running
    const parks = engine.learned.parks.awaiting(engine.now).filter((park) => this.#isTimeFor(park, engine.now))
    if (parks.length === 0 || engine.offline.isOffline(engine.now)) return Promise.resolve()
    this.#running = this.#lookAt(engine, parks)
      .catch((error: unknown) => engine.logger.warn(`a check of a parked target failed: ${String(error)}`))
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  /**
   * Asks a target of an outage with a tiny call while a request is served elsewhere. A failing call costs nothing, so
   * this needs no budget; it respects those there are. False when it may not be made.
   */
  beside(target: Target): boolean {
    const engine = this.#engine
    if (engine === null || this.#closed) return false
    // One that is still under way finds out the same.
    if (this.#beside.has(target.provider)) return true
    if (!this.#mayAskBeside(engine, target)) return false
    const pending = smallRequest(engine, target, BESIDE_MS)
    const hold = engine.reserve(target, pending, { prober: 'check' })
    if (!hold.granted) return false
    const attempt = engine.callAfterOutage(target, pending, hold)
    this.#beside.set(target.provider, attempt)
    attempt.call.done
      .then((end) => {
        this.#beside.delete(target.provider)
        engine.recordAttempt(attemptFacts(pending, attempt, end, 'probe'))
      })
      .catch((error: unknown) => engine.logger.warn(`a check beside a request failed: ${String(error)}`))
    return true
  }

  /** A provider's list has new models: lifts the parks of targets that were missing them. */
  listed(credential: Credential, added: ReadonlySet<string>): void {
    const engine = this.#engine
    if (engine === null || added.size === 0) return
    const { parks } = engine.learned
    const isPublic = credential.provider.spec.modelsList?.public === true
    for (const { reason, target } of [...parks.list(engine.now), ...parks.awaiting(engine.now)]) {
      const isOurs =
        target.provider === credential.provider.id && (isPublic || target.fingerprint === credential.fingerprint)
      if (reason === 'model_not_found' && isOurs && added.has(target.model)) engine.lift(target, ['model_not_found'])
    }
  }

  /** Aborts the call under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#call?.abort()
    const beside = [...this.#beside.values()]
    for (const { call } of beside) call.abort()
    await Promise.all([this.#running, ...beside.map(({ call }) => call.done)])
  }

  #isTimeFor(park: Park, now: number): boolean {
    const nextAt = this.#nextAt.get(nameOf(park)) ?? 0
    return now >= nextAt || nextAt > now + UNWANTED_MS
  }

  async #lookAt(engine: Engine, parks: readonly Park[]): Promise<void> {
    for (const park of parks) {
      const credential = engine.registry.findCredential(park.target.provider, park.target.fingerprint)
      if (credential === undefined || this.#closed) continue
      this.#leaveAlone(park, AGAIN_MS)
      await this.#check(engine, park, credential)
    }
    const now = engine.now
    for (const [name, at] of this.#nextAt) if (at <= now) this.#nextAt.delete(name)
  }

  #leaveAlone(park: Park, ms: number): void {
    this.#nextAt.set(nameOf(park), (this.#engine?.now ?? 0) + ms)
  }

  async #check(engine: Engine, park: Park, credential: Credential): Promise<void> {
    // No request ever tries a refused key, so this check is made whatever the settings say.
    if (park.backBy === 'key-check') return engine.checks.prove(park, credential)
    const { probes } = engine.registry.config.settings.routing
    if (probes === 'traffic') return
    if (park.backBy === 'balance-check') return engine.checks.balance(park, credential)
    const isAboutKey = park.reason === 'auth_forbidden' && park.scope === 'key'
    if (isAboutKey && (await engine.checks.permission(park, credential))) return
    const isOpen = park.backBy !== 'models-list' || (await this.#readsList(engine, park, credential))
    if (isOpen && probes === 'calls') await this.#byCall(engine, park)
  }

  /** Looks the model up in the list. False when that settles the question either way. */
  async #readsList(engine: Engine, park: Park, credential: Credential): Promise<boolean> {
    const { lists, learned } = engine
    const known = lists.of(credential)
    if (known === null || known.readAt < park.until) await lists.readNow(credential)
    const list = lists.of(credential)
    if (list === null || list.readAt < park.until || !learned.parks.awaiting(engine.now).includes(park)) return false
    if (list.models.some(({ id }) => id === park.target.model)) return true
    engine.checks.record(park.target, {
      kind: 'model_not_found',
      status: null,
      message: 'not in the models list of the provider',
    })
    return false
  }

  async #byCall(engine: Engine, park: Park): Promise<void> {
    const target = engine.registry.find(park.target.stateId)
    if (target === undefined || park.stated || !CALLED_FOR.has(park.reason)) return
    if (engine.learned.parks.state(target, engine.now) !== 'half-open') return
    if (!isWanted(engine, target)) return this.#leaveAlone(park, UNWANTED_MS)
    const pending = smallRequest(engine, target)
    if (this.#mayCall(engine, target, pending)) await this.#ask(engine, target, pending)
  }

  #mayAskBeside({ registry, learned, now }: Engine, target: Target): boolean {
    const { chat, embeddings } = target.profile.abilities
    // A chat call proves nothing about anything else.
    if (registry.config.settings.routing.probes !== 'calls' || chat === false || embeddings === true) return false
    return this.#allowanceBeside.take(target, learned.quota.limitsOf(target, now), now)
  }

  #mayCall(engine: Engine, target: Target, pending: PendingRequest): boolean {
    const { learned } = engine
    const { now, eligibility, registry } = engine
    const isPaidFor = target.profile.free || registry.config.settings.budgets.length > 0
    return (
      isPaidFor &&
      learned.quota.room(target, eligibility.needOf(target, pending, now).quota, now) === null &&
      this.#allowance.take(target, learned.quota.limitsOf(target, now), now)
    )
  }

  async #ask(engine: Engine, target: Target, pending: PendingRequest): Promise<void> {
    const hold = engine.reserve(target, pending, { prober: 'check' })
    if (!hold.granted) return
    const attempt = engine.callForTest(target, pending, hold, 1, 'probe')
    this.#call = attempt.call
    const end = await attempt.call.done
    this.#call = null
    engine.recordAttempt(attemptFacts(pending, attempt, end, 'probe'))
  }
}

function nameOf({ scope, reason, target, until }: Park): string {
  return `${scope} ${reason} ${target.stateId} ${until}`
}

function smallRequest(engine: Engine, { id }: Target, timeoutMs = TIMEOUT_MS): PendingRequest {
  return prepareRequest(
    engine,
    {
      model: id,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Reply with: ok' }] }],
      maxTokens: MAX_TOKENS,
      stream: false,
    },
    { timeoutMs, anyAnswer: true },
  )
}

/** Whether the target might be chosen if it worked: V is the worth of an answer times its probability. */
function isWanted(engine: Engine, target: Target): boolean {
  let best = Number.NEGATIVE_INFINITY
  let own: number | null = null
  for (const row of rankingNow(engine)) {
    if (row.eligible && row.target.stateId !== target.stateId) best = Math.max(best, row.value)
    if (row.target.stateId === target.stateId) own = (row.value / Math.max(row.terms.reliability, 0.01)) * RELIABLE
  }
  return own !== null && own >= best - BEHIND
}
