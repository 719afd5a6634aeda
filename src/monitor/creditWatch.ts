/**
 * Asks providers what accounts have left, away from requests: when keywise starts, while a key is used, and after a
 * refusal for want of credit. What they tell ends the park of an account that was paid for, and warns in time. That a
 * provider does not tell means nothing for its targets.
 */

import type { Failure } from '../domain/failure.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import type { Park } from '../domain/park.ts'
import type { Engine } from '../engine/engine.ts'
import { creditOutlook } from '../engine/targets/creditOutlook.ts'
import { type BalanceQuestion, hasNothing, type KnownBalance, type KnownCredit } from '../engine/targets/credits.ts'
import type { Credential } from '../engine/targets/targetRegistry.ts'
import { decimalCredit } from '../money/credit.ts'
import type { Alerts } from '../observe/alerts/alerts.ts'
import { worksText } from './alertText.ts'
import { backNews, type CreditState, goneNews, lowNews } from './creditText.ts'
import type { Outages } from './outages.ts'

const LOOK_MS = 5_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
/** Calls begun at one look, so that many keys of one provider do not ask at once. */
const MOST_AT_ONCE = 8

export class CreditWatch {
  readonly #engine: Engine
  readonly #alerts: Alerts
  readonly #outages: Outages
  readonly #startedAt: number
  /** What this process has asked. */
  readonly #asked = new Set<string>()
  /** The time of what was dealt with last, by question. */
  readonly #handled = new Map<string, number>()
  /** When a call was refused for want of credit, by account. */
  readonly #refusedAt = new Map<string, number>()
  #lookedAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(engine: Engine, alerts: Alerts, outages: Outages) {
    this.#engine = engine
    this.#alerts = alerts
    this.#outages = outages
    this.#startedAt = engine.now
  }

  /** A call was refused, for want of credit or not. */
  failed({ account }: Credential, failure: Failure): void {
    const isAboutCredit =
      failure.kind === 'billing' || (failure.kind === 'too_large_for_limit' && failure.affordableTokens !== undefined)
    if (isAboutCredit) this.#refusedAt.set(account, this.#engine.now)
  }

  /** Called every second. */
  tick(): void {
    const { now, credits, registry } = this.#engine
    if (this.#closed || Math.abs(now - this.#lookedAt) < LOOK_MS) return
    this.#lookedAt = now
    const questions = credits.questions(registry.credentials)
    if (questions.length === 0) return
    for (const question of questions) {
      const known = credits.last(question)
      if (known?.at != null && known.at !== this.#handled.get(question.id)) this.#told(question, known, known.at)
    }
    this.#askDue()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#engine.credits.settled()
  }

  #askDue(): void {
    const { registry, credits, learned, offline, logger, now } = this.#engine
    const { routing, credit } = registry.config.settings
    if (credit.checkMinutes === 0 || routing.probes === 'traffic' || offline.isOffline(now)) return
    const refused = new Set(
      learned.parks.list(now).flatMap(({ reason, target }) => (reason === 'auth_invalid' ? [target.fingerprint] : [])),
    )
    const usable = registry.credentials.filter(({ fingerprint }) => !refused.has(fingerprint))
    let usedAt: ReadonlyMap<string, number> | null = null
    const isUsedSince = (credential: Credential, at: number) => {
      usedAt ??= this.#usedAt()
      return (usedAt.get(credential.account) ?? 0) >= at
    }
    const due = credits.questions(usable).filter((question) => this.#isDue(question, isUsedSince))
    for (const question of due.slice(0, MOST_AT_ONCE)) {
      this.#asked.add(question.id)
      credits.ask(question).catch((error: unknown) => logger.warn(`what is left could not be noted: ${String(error)}`))
    }
  }

  #isDue(question: BalanceQuestion, isUsedSince: (credential: Credential, at: number) => boolean): boolean {
    const { credits, registry, now } = this.#engine
    const known = credits.last(question)
    const age = known === null ? -1 : now - known.askedAt
    // Never asked, or by a clock that was ahead.
    if (known === null || age < 0) return true
    if (known.isWithheld) return age >= DAY_MS
    const { account } = question.credential
    if ((this.#refusedAt.get(account) ?? 0) >= known.askedAt) return age >= MINUTE_MS
    if (age < registry.config.settings.credit.checkMinutes * MINUTE_MS) return false
    return (
      !this.#asked.has(question.id) ||
      this.#parksOf(question).length > 0 ||
      isUsedSince(question.credential, known.askedAt)
    )
  }

  /** When the keys of each account were last used, by whatever process. */
  #usedAt(): ReadonlyMap<string, number> {
    const { learned, registry } = this.#engine
    const accounts = new Map(registry.credentials.map(({ fingerprint, account }) => [fingerprint, account]))
    const usedAt = new Map<string, number>()
    for (const { fingerprint, lastSuccess, lastError } of learned.tally.rows()) {
      const account = accounts.get(fingerprint)
      const at = Math.max(lastSuccess ?? 0, lastError?.at ?? 0)
      if (account !== undefined && at > (usedAt.get(account) ?? 0)) usedAt.set(account, at)
    }
    return usedAt
  }

  /** Something was told, to this process or to another one. */
  #told(question: BalanceQuestion, known: KnownBalance, at: number): void {
    const { now } = this.#engine
    this.#handled.set(question.id, at)
    this.#lift(question, known)
    // At a start it may be days old; it is asked anew at once.
    if (now - at > HOUR_MS) return
    for (const credit of known.credits) this.#judge(question, credit, hasNothing(known), at)
  }

  /** An account that has more than it had after the refusal was paid for. */
  #lift(question: BalanceQuestion, known: KnownBalance): void {
    if (hasNothing(known) || this.#isEmptyElsewhere(question)) return
    for (const { since, target } of this.#parksOf(question))
      if (known.credits.some((credit) => hasRisen(credit, since))) this.#engine.lift(target, ['billing'])
  }

  /** The account of a key whose limit was raised may have nothing left, and the other way round. */
  #isEmptyElsewhere({ id, credential }: BalanceQuestion): boolean {
    const { credits } = this.#engine
    return credits.questions([credential]).some((other) => {
      const known = other.id === id ? null : credits.last(other)
      return known !== null && hasNothing(known)
    })
  }

  #parksOf({ source, credential }: BalanceQuestion): readonly Park[] {
    const { learned, now } = this.#engine
    return learned.parks
      .list(now)
      .filter(
        ({ reason, target }) =>
          reason === 'billing' &&
          (source.of === 'account'
            ? target.account === credential.account
            : target.provider === credential.provider.id && target.fingerprint === credential.fingerprint),
      )
  }

  /** Warns of a credit that runs out, tells that it is gone, and when there is some again. */
  #judge(question: BalanceQuestion, credit: KnownCredit, empty: boolean, at: number): void {
    const engine = this.#engine
    const { now, registry } = engine
    const outlook = creditOutlook(engine, question, credit)
    if (at >= this.#startedAt) this.#emit(question, credit, outlook.goneAt)
    // What costs nothing needs no credit.
    if (question.credential.key.free === true) return
    const state: CreditState = { question, credit, ...outlook, now, works: worksText(engine) }
    const keys = { low: `credit_low:${question.id} ${credit.currency}`, gone: `credit:${question.credential.account}` }
    const warnMs = registry.config.settings.credit.warnHours * HOUR_MS
    if (empty) this.#gone(state, keys)
    else if (this.#back(state, keys)) return
    else if (outlook.goneAt !== null && outlook.goneAt - now <= warnMs)
      this.#alerts.raise(keys.low, { ...lowNews(state), until: now + DAY_MS })
  }

  /** Only what was seen to run out: an account that never had any is nothing new. */
  #gone(state: CreditState, keys: { readonly low: string; readonly gone: string }): void {
    if (!state.credit.seen.some(({ left }) => left > 0)) return
    this.#alerts.end(keys.low)
    this.#alerts.raise(keys.gone, goneNews(state), this.#outages.everythingFails)
  }

  /** True when it was said that there is credit again. */
  #back(state: CreditState, keys: { readonly low: string; readonly gone: string }): boolean {
    let said = false
    for (const key of [keys.gone, keys.low]) {
      const since = this.#alerts.find(key)?.alert.since
      if (since === undefined || !hasRisen(state.credit, since)) continue
      this.#alerts.end(key, said ? null : backNews(state, since))
      said = true
    }
    return said
  }

  #emit({ credential, source }: BalanceQuestion, { currency, left }: KnownCredit, goneAt: number | null): void {
    this.#engine.events.emit('credit', {
      provider: credential.provider.id,
      keyIndex: credential.key.index,
      of: source.of,
      currency,
      left: decimalCredit(left),
      runsOutAt: isoOrNull(goneAt),
    })
  }
}

/** Whether what was told after a time is more than the least that was told since, or the last that was told before. */
function hasRisen({ left, seen }: KnownCredit, since: number): boolean {
  if ((seen.at(-1)?.at ?? 0) < since) return false
  const earlier = seen.slice(0, -1)
  const after = earlier.filter(({ at }) => at >= since).map((sighting) => sighting.left)
  const least = after.length > 0 ? Math.min(...after) : earlier.at(-1)?.left
  return least !== undefined && left > 0 && left > least
}
