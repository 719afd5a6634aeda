/**
 * Detects when everything fails, or everything behind one model or alias, and when it works again, as an answer proves.
 */

import { createHash } from 'node:crypto'
import type { Target } from '../domain/target.ts'
import { whyNot } from '../engine/attempt/eligibility.ts'
import type { Trail } from '../engine/attempt/trail.ts'
import type { Engine } from '../engine/engine.ts'
import { plainRequest } from '../engine/plainRequest.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import type { TargetRegistry } from '../engine/targets/targetRegistry.ts'
import { type Alerts, EVERYTHING, LAPSE_MS, type News } from '../observe/alerts/alerts.ts'
import type { Incident } from '../observe/alerts/incident.ts'
import { ineligible } from '../routing/eligible.ts'
import { TOGETHER_MS } from '../upstream/offline.ts'
import { failureKinds, outageNews, recoveryNews } from './alertText.ts'
import { attest } from './attest.ts'
import type { Outage } from './outage.ts'

/** Maximum open outages; further ones are covered by these. */
const MOST = 50
/** How often a request that fails during an outage is looked at. */
const LOOK_MS = 10_000

export class Outages {
  readonly #engine: Engine
  readonly #alerts: Alerts
  readonly #open = new Map<string, Outage>()
  #hasAdopted = false
  /** When every target failed for a name just after this machine had stood still. */
  readonly #doubtedAt = new Map<string, number>()
  /** What an outage's plainest request needs; asked for every answer while it lasts. */
  readonly #needs = new WeakMap<Outage, { readonly registry: TargetRegistry; readonly needs: Needs | null }>()
  #keys: { readonly credentials: TargetRegistry['credentials']; readonly hash: string } = { credentials: [], hash: '' }

  constructor(engine: Engine, alerts: Alerts) {
    this.#engine = engine
    this.#alerts = alerts
  }

  get open(): readonly Outage[] {
    return [...this.#open.values()]
  }

  get isQuiet(): boolean {
    return this.#open.size === 0 && this.#doubtedAt.size === 0
  }

  get everythingFails(): boolean {
    return this.#named(EVERYTHING) !== undefined
  }

  /** No target answered the request: an outage, unless its own needs, its deadline or our network were the cause. */
  failed(pending: PendingRequest, trail: Trail): void {
    const engine = this.#engine
    const name = nameOf(pending)
    const known = this.#named(name)
    // While it lasts, one of many failing requests says what the others do.
    if (known !== undefined && Math.abs(engine.now - known.lookedAt) < LOOK_MS) return
    if ((known === undefined && this.#open.size >= MOST) || isImpatience(trail) || this.#isOurs(name, trail)) return
    const ability = pending.operation === null ? null : (pending.needs.abilities[0] ?? null)
    const plain = plainRequest(engine, name, ability)
    if (plain === null || !this.#isOut(plain, pending, trail)) return
    const kinds = failureKinds(engine, plain, trail)
    if (known !== undefined) this.#lookAgain(known, kinds)
    // Channels that were added since do not know of it.
    if (known !== undefined && this.#alerts.find(known.key) !== undefined) return
    const key = this.#keyOf(name)
    const since = known?.since ?? startOf(trail) ?? engine.now
    const news = { ...outageNews(engine, { name, since, plain, kinds }), until: engine.now + LAPSE_MS }
    this.#alerts.raise(key, news, name !== EVERYTHING && this.everythingFails)
    // Another process, or this one before a restart, may have seen its beginning.
    const began = this.#alerts.find(key)?.alert.since ?? since
    this.#open.set(key, { key, name, since: Math.min(began, since), ability, kinds, lookedAt: engine.now })
  }

  #lookAgain(outage: Outage, kinds: Outage['kinds']): void {
    outage.lookedAt = this.#engine.now
    for (const [id, kind] of kinds) outage.kinds.set(id, kind)
  }

  /**
   * Whether the failure may be this machine's own. After standing still its connections are stale; but somebody who
   * refuses was reached, and a second request that fails, some time later and with no answer between, is no accident.
   * (The clock of a machine that works for requests only jumps before each of them.)
   */
  #isOurs(name: string, { attempts }: Trail): boolean {
    const { offline, now } = this.#engine
    if (offline.isUnreachable(now)) return true
    const isReached = attempts.some(({ status }) => status !== null)
    if (!offline.isOffline(now) || isReached) return false
    const doubtedAt = this.#doubtedAt.get(name)
    if (doubtedAt === undefined && this.#doubtedAt.size < MOST) this.#doubtedAt.set(name, now)
    return doubtedAt === undefined || Math.abs(now - doubtedAt) <= TOGETHER_MS
  }

  /** A target answered a request started at `startedAt`: ends the outages it disproves. */
  worked(target: Target, startedAt: number): void {
    this.#doubtedAt.clear()
    // A process that lives for one request ends what an earlier one saw begin.
    if (!this.#hasAdopted) this.#adopt()
    const over = this.open.filter((outage) => startedAt >= outage.since && this.#isDisproved(outage, target))
    if (over.length === 0) return
    // First all of them: the end of a broad one names what goes on after it.
    for (const { key } of over) this.#open.delete(key)
    const failing = new Map(this.open.flatMap(({ kinds }) => [...kinds]))
    for (const outage of over) {
      const parts = this.#partsOf(outage).filter(({ key }) => over.every((other) => other.key !== key))
      this.#alerts.end(outage.key, recoveryNews(this.#engine, { outage, target, parts, failing }), parts)
      this.#emitRecovered(outage.name, outage.since, target.id)
    }
  }

  #isDisproved(outage: Outage, target: Target): boolean {
    const needs = this.#needsOf(outage)
    return needs !== null && ineligible(target, needs, this.#engine.eligibility.rules) === null
  }

  /** The same until the configuration or a list changes. */
  #needsOf(outage: Outage): Needs | null {
    const { registry } = this.#engine
    const known = this.#needs.get(outage)
    if (known?.registry === registry) return known.needs
    const needs = plainRequest(this.#engine, outage.name, outage.ability)?.needs ?? null
    this.#needs.set(outage, { registry, needs })
    return needs
  }

  /**
   * Called every second: applies what other processes on the store ended, and adopts what they or an earlier run
   * opened.
   */
  tick(over: readonly Incident[]): void {
    for (const { key, overAt } of over) {
      const outage = this.#open.get(key)
      if (outage === undefined) continue
      this.#open.delete(key)
      if (overAt !== null) this.#emitRecovered(outage.name, outage.since, null)
    }
    if (!this.#alerts.isQuiet) this.#adopt()
    this.#forgetOffline()
  }

  /** An outage as it is now; null for one of other keys. Without a failure seen here, what was said holds. */
  attest(incident: Incident): News | null {
    const { subject: name, since } = incident.alert
    const outage = this.#open.get(incident.key)
    if (outage === undefined || outage.kinds.size === 0) return outage === undefined ? null : incident.alert
    const plain = plainRequest(this.#engine, name, outage.ability)
    return plain === null ? null : outageNews(this.#engine, { name, since, plain, kinds: outage.kinds })
  }

  /** What the outage included and goes on after it. Providers come back by themselves, most of them within seconds. */
  #partsOf(outage: Outage): readonly Incident[] {
    return this.#alerts
      .open()
      .filter(
        (incident) =>
          incident.told === 'folded' &&
          incident.key !== outage.key &&
          incident.alert.event !== 'provider_down' &&
          (this.#open.has(incident.key) || attest(this.#engine, incident) !== null),
      )
  }

  /** A model that is no longer configured has no outage. */
  forget(outage: Outage): void {
    this.#open.delete(outage.key)
    this.#alerts.retract(outage.key)
  }

  #adopt(): void {
    this.#hasAdopted = true
    for (const { key, alert } of this.#alerts.open()) {
      const { subject: name, since } = alert
      if (alert.event !== 'all_failed' || this.#open.has(key) || key !== this.#keyOf(name)) continue
      const plain = plainRequest(this.#engine, name, null)
      if (plain === null) this.#alerts.end(key)
      else
        this.#open.set(key, { key, name, since, ability: null, kinds: new Map(), lookedAt: Number.NEGATIVE_INFINITY })
    }
  }

  /** The outage was our own network: no alert could be sent meanwhile, and none is needed. */
  #forgetOffline(): void {
    if (this.#open.size === 0 || !this.#engine.offline.isUnreachable(this.#engine.now)) return
    for (const outage of this.open) {
      const incident = this.#alerts.find(outage.key)
      if (incident !== undefined && this.#alerts.isUnsent(incident)) this.forget(outage)
    }
  }

  /**
   * Whether plain requests fail as well: every target that could serve one has just failed or is kept out; or the
   * request was plain and used up its attempts.
   */
  #isOut(plain: PendingRequest, pending: PendingRequest, trail: Trail): boolean {
    const engine = this.#engine
    const tried = trail.isOwnFault ? null : trail
    let troubled = false
    let free = false
    for (const target of engine.registry.targets) {
      if (ineligible(target, plain.needs, engine.eligibility.rules) !== null) continue
      const why = whyNot(engine.eligibility, target, plain, tried, engine.now)
      if (why === null && tried?.wasTried(target) !== true) free = true
      // The user's own hours and budgets are not a provider's problem.
      else if (why === null || why.code === 'skipped' || why.code === 'parked' || why.code === 'quota') troubled = true
    }
    if (!free) return troubled
    return tried !== null && trail.calls >= engine.registry.config.settings.maxAttempts && isPlain(pending)
  }

  #emitRecovered(model: string, since: number, target: string | null): void {
    this.#engine.events.emit('recovered', { model, target, since: new Date(since).toISOString() })
  }

  #named(name: string): Outage | undefined {
    for (const outage of this.#open.values()) if (outage.name === name) return outage
    return undefined
  }

  /** Identical for all processes with the same keys: what fails for these may work for others on the store. */
  #keyOf(name: string): string {
    const { credentials } = this.#engine.registry
    if (this.#keys.credentials !== credentials) {
      const names = credentials.map((credential) => `${credential.provider.id}@${credential.fingerprint}`).sort()
      this.#keys = { credentials, hash: createHash('sha256').update(names.join(' ')).digest('hex').slice(0, 16) }
    }
    return `all_failed:${this.#keys.hash}:${name}`
  }
}

type Needs = PendingRequest['needs']

function nameOf({ selection }: PendingRequest): string {
  return selection.auto && selection.among === null ? EVERYTHING : selection.name
}

/** The caller's deadline cut the last call, which says nothing about the target. */
function isImpatience({ lastFailure }: Trail): boolean {
  return lastFailure?.kind === 'client_gone' || (lastFailure?.kind === 'timeout' && lastFailure.phase === 'total')
}

const isPlain = ({ needs }: PendingRequest) =>
  needs.abilities.every((ability) => ability === 'chat' || ability === 'streaming')

function startOf({ attempts }: Trail): number | null {
  const [first] = attempts
  return first === undefined ? null : Date.parse(first.startedAt)
}
