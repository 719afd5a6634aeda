/** Alert conditions besides outages and budgets: refused keys, empty accounts, providers, models, the store. */

import { namesOf } from '../config/alias.ts'
import type { ChatRequest } from '../domain/chat.ts'
import { cutText } from '../domain/cutText.ts'
import type { Failure, FailureKind } from '../domain/failure.ts'
import type { Park } from '../domain/park.ts'
import type { AttemptEvent } from '../domain/store.ts'
import type { Target } from '../domain/target.ts'
import type { RunningAttempt } from '../engine/attempt/runningAttempt.ts'
import type { Engine } from '../engine/engine.ts'
import { catalogueModel } from '../engine/targets/targetRegistry.ts'
import { moment } from '../observe/alerts/alert.ts'
import type { Alerts, News } from '../observe/alerts/alerts.ts'
import type { Incident } from '../observe/alerts/incident.ts'
import { REASONS } from '../quota/parks/parkText.ts'
import type { Verdict } from '../routing/judge.ts'
import { listText, spanText, worksText } from './alertText.ts'
import { attest } from './attest.ts'
import { BudgetForecasts } from './budgetForecasts.ts'
import type { Outages } from './outages.ts'
import { quotesRequest } from './quotesRequest.ts'

/** Failures that mean "the provider is down" when all its targets are out for them. */
const AWAY: ReadonlySet<FailureKind> = new Set(['overloaded', 'server', 'timeout', 'network'])

const STORE = 'store'

/** Events that tell the end of others. */
type Back = 'key_back' | 'model_back' | 'provider_back' | 'credit_back' | 'store_back'

export class AlertConditions {
  readonly #engine: Engine
  readonly #alerts: Alerts
  readonly #outages: Outages
  readonly #forecasts: BudgetForecasts
  /** Targets of keys whose refusal this process has reported, by the key of the incident. */
  readonly #refused = new Map<string, Target>()

  constructor(engine: Engine, alerts: Alerts, outages: Outages) {
    this.#engine = engine
    this.#alerts = alerts
    this.#outages = outages
    this.#forecasts = new BudgetForecasts(engine, alerts)
  }

  /** A call failed in a way that a person must fix. */
  failed({ target }: RunningAttempt, failure: Failure, { alert }: Verdict, request: ChatRequest): void {
    if (alert === 'key-refused' || alert === 'key-leaked') this.#keyFailed(target, failure, request, alert)
    else if (alert === 'no-credit') this.#raise(`credit:${target.account}`, this.#creditNews(target))
    else if (alert === 'model-gone' && this.#isPinned(target))
      this.#raise(`model:${target.provider}/${target.model}`, this.#modelNews(target, failure))
  }

  #keyFailed(target: Target, failure: Failure, request: ChatRequest, alert: 'key-refused' | 'key-leaked'): void {
    const isLeak = alert === 'key-leaked'
    const key = `${isLeak ? 'leak' : 'key'}:${keyOf(target)}`
    if (this.#alerts.find(key) !== undefined) return
    const words = quotesRequest(failure.message, request) ? null : cutText(failure.message, 200)
    this.#refused.set(key, target)
    this.#raise(key, this.#keyNews(target, failure.status, words, isLeak))
  }

  /** An answer ends the incidents of its key, provider and model, and of its account when it was paid for. */
  worked(target: Target, event: AttemptEvent): void {
    const { provider, model, keyIndex } = target
    const works = (incident: string, kind: Back, subject: string, what: string) =>
      this.#end(incident, event, (since) => this.#backNews(kind, subject, { what, since }))
    const key = `${provider}#${keyIndex}`
    works(`key:${keyOf(target)}`, 'key_back', key, `${placeOf(target)} works again`)
    works(`leak:${keyOf(target)}`, 'key_back', key, `${placeOf(target)} works again, although it has leaked`)
    works(`model:${provider}/${model}`, 'model_back', `${provider}/${model}`, `${provider} has ${model} again`)
    works(`provider:${provider}`, 'provider_back', provider, `${provider} is back`)
    for (const [incident, old] of this.#refused)
      if (isInPlaceOf(target, old) && !this.#isConfigured(old))
        works(incident, 'key_back', key, `${placeOf(target)} works again with another key`)
    if (event.costNanoUsd !== 0)
      works(`credit:${target.account}`, 'credit_back', key, `${placeOf(target)} has credit again`)
  }

  /** What was reported as it is now; null when it is not known to go on. */
  attest(incident: Incident): News | null {
    const { event, subject, since } = incident.alert
    if (event === 'all_failed') return this.#outages.attest(incident)
    if (event !== 'provider_down') return attest(this.#engine, incident)
    const news = this.#newsOfDown(subject)
    return news === null ? null : { ...news, since }
  }

  /** Called every second: conditions that show in the state rather than in one failure. */
  tick(): void {
    this.#watchStore()
    this.#forgetRemoved()
    this.#forecasts.tick()
    this.#watchProviders()
  }

  #raise(key: string, news: News): boolean {
    return this.#alerts.raise(key, news, this.#outages.everythingFails)
  }

  #end(key: string, event: AttemptEvent, newsOf: (since: number) => News): void {
    const incident = this.#alerts.find(key)
    if (incident !== undefined && event.startedAt >= incident.alert.since)
      this.#alerts.end(key, newsOf(incident.alert.since))
  }

  #watchStore(): void {
    const { state, reason } = this.#engine.store.health()
    const known = this.#alerts.find(STORE)
    if (state !== 'ok' && known === undefined) this.#alerts.raise(STORE, this.#storeNews(reason))
    if (state === 'ok' && known !== undefined) {
      const back = { what: 'What keywise learns is written again', since: known.alert.since }
      this.#alerts.end(STORE, this.#backNews('store_back', 'store', back))
    }
  }

  /** A refused key that was taken out of the configuration, with none in its place, is nobody's trouble any more. */
  #forgetRemoved(): void {
    for (const [incident, old] of this.#refused) {
      if (this.#alerts.find(incident) === undefined) this.#refused.delete(incident)
      else if (!this.#isConfigured(old) && !this.#engine.registry.targets.some((target) => isInPlaceOf(target, old)))
        this.#alerts.end(incident)
    }
  }

  #isConfigured({ provider, fingerprint }: Target): boolean {
    return this.#engine.registry.targets.some((one) => one.provider === provider && one.fingerprint === fingerprint)
  }

  /** A provider is down when every target of it is out for its own failures. */
  #watchProviders(): void {
    const { learned, offline, now } = this.#engine
    const parks = learned.parks.list(now).filter((park) => AWAY.has(park.reason))
    if (parks.length === 0 || offline.isOffline(now)) return
    for (const provider of new Set(parks.map((park) => park.target.provider))) {
      const key = `provider:${provider}`
      if (this.#alerts.find(key) !== undefined) continue
      const news = this.#newsOfDown(provider)
      if (news !== null) this.#raise(key, news)
    }
  }

  /** Null when it is not known to be down: one that nobody has asked since its parks ended may work. */
  #newsOfDown(provider: string): News | null {
    const { learned, now, registry } = this.#engine
    const { parks } = learned
    const targets = registry.targets.filter((target) => target.provider === provider)
    const isAway = (target: Target) => AWAY.has(parks.blocking(target, now)?.reason ?? 'bad_request')
    if (targets.length === 0 || !targets.every(isAway)) return null
    const own = parks.list(now).filter((park) => AWAY.has(park.reason) && park.target.provider === provider)
    return this.#downNews(provider, targets.length, own)
  }

  /** Named in the configuration, or by an alias without a wildcard. */
  #isPinned(target: Target): boolean {
    if (!target.profile.discovered) return true
    const { names, config } = this.#engine.registry
    return Object.values(config.settings.models)
      .flatMap(namesOf)
      .some((entry) => !entry.includes('*') && !entry.startsWith('auto') && isAmong(names, entry, target))
  }

  /** `words`: those of the provider; null where they quote the request. */
  #keyNews(target: Target, status: number | null, words: string | null, leaked: boolean): News {
    const place = placeOf(target)
    const remedy = leaked
      ? `revoke it at ${target.provider} now and put in a new one`
      : 'replace it in the configuration'
    return {
      ...this.#news(target.provider),
      event: leaked ? 'key_leaked' : 'key_revoked',
      subject: `${target.provider}#${target.keyIndex}`,
      what: leaked ? `${place} has leaked and was shut off` : `${place} is refused`,
      why: `${target.provider} answered ${status ?? 'nothing'}${words === null ? '' : `: ${words}`}`,
      returns: 'not by itself; it is checked regularly',
      advice: `${remedy}; it is taken over at once`,
    }
  }

  #creditNews(target: Target): News {
    return {
      ...this.#news(target.provider),
      event: 'no_credit',
      subject: `${target.provider}#${target.keyIndex}`,
      what: `${placeOf(target)} has no credit left`,
      returns: 'when the account has credit again',
      advice: `add credit at ${target.provider}, or give it "free": true to keep to what costs nothing`,
    }
  }

  #modelNews(target: Target, failure: Failure): News {
    const { provider, model } = target
    const { spec } = this.#engine.registry.credentialOf(target).provider
    const retired = catalogueModel(spec, model)?.retired
    const successor = (failure.kind === 'model_not_found' ? failure.successor : undefined) ?? retired?.successor
    return {
      ...this.#news(provider),
      event: 'model_retired',
      subject: `${provider}/${model}`,
      what: `${provider} does not have ${model} any more`,
      why: retired === undefined ? null : `retired on ${retired.on}`,
      returns: null,
      advice:
        successor === undefined
          ? 'name another model in the configuration; "keywise models" lists them'
          : `use ${successor} in the configuration instead`,
    }
  }

  #downNews(provider: string, targets: number, parks: readonly Park[]): News {
    const reasons = [...new Set(parks.map((park) => REASONS[park.reason] ?? park.reason))]
    const nextAt = Math.min(...parks.map((park) => park.until))
    return {
      ...this.#news(provider),
      event: 'provider_down',
      since: Math.min(...parks.map((park) => park.since)),
      what: `${provider} is down: all ${targets} targets`,
      why: listText(reasons),
      returns: `unknown; it is tried again at ${moment(nextAt, this.#engine.now)}`,
      advice: `nothing to do while the others answer; ${provider}'s status page says more`,
    }
  }

  #backNews(event: Back, subject: string, { what, since }: { readonly what: string; readonly since: number }): News {
    return { ...this.#news(subject), event, since, what: `${what} after ${spanText(this.#engine.now - since)}` }
  }

  #storeNews(reason: string | null): News {
    return {
      ...this.#news('store'),
      event: 'store_degraded',
      what: 'What keywise learns cannot be written and is kept in memory',
      why: reason,
      returns: 'as soon as it can be written; nothing is lost until this process ends',
      advice: 'free space on the disk or fix its permissions; "keywise doctor" says more',
    }
  }

  #news(subject: string): Omit<News, 'event' | 'what'> {
    const works = worksText(this.#engine)
    return { subject, since: this.#engine.now, why: null, works, returnsAt: null, returns: null, advice: null }
  }
}

/** Without the key: `groq key 2 (work)`. */
const placeOf = ({ provider, keyIndex, label }: Target) =>
  `${provider} key ${keyIndex}${label === undefined ? '' : ` (${label})`}`

const isInPlaceOf = (target: Target, old: Target) =>
  target.provider === old.provider && target.keyIndex === old.keyIndex && target.fingerprint !== old.fingerprint

const keyOf = ({ provider, fingerprint }: Target) => `${provider}@${fingerprint}`

function isAmong(names: Engine['registry']['names'], entry: string, target: Target): boolean {
  try {
    return names.select(entry).among?.has(target.stateId) === true
  } catch {
    return false // an alias may name a model no key has
  }
}
