/** Tells people and listeners when a budget will be spent before its period ends, while there is time to do something. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { Engine } from '../engine/engine.ts'
import { formatUsd, nanoToUsd } from '../money/amount.ts'
import type { Outlook } from '../money/budgetCounter.ts'
import { type Budget, isSpreadable } from '../money/budgetRule.ts'
import { forecastView } from '../money/forecast.ts'
import { amountText } from '../money/forecastText.ts'
import { moment } from '../observe/alerts/alert.ts'
import type { Alerts, News } from '../observe/alerts/alerts.ts'
import { forecastKey, refusalKey } from './budgetKeys.ts'

const CHECK_MS = 60_000
/** Fewer calls, or calls in fewer hours of the clock, are a burst and not a pace. Three hours are at least one apart. */
const LEAST_CALLS = 10
const LEAST_HOURS = 3
/** A forecast is good again when no more than this part of the limit will be spent, for this long. */
const GOOD_SHARE = 0.9
const GOOD_MS = 3 * 3_600_000

/** An outlook on a budget that ends, and begins anew. */
interface Ending extends Outlook {
  /** Epoch milliseconds. */
  readonly endsAt: number
}

export class BudgetForecasts {
  readonly #engine: Engine
  readonly #alerts: Alerts
  readonly #startedAt: number
  #checkedAt = Number.NEGATIVE_INFINITY
  /** Since when the forecast of an alert has been good, by the alert's key. */
  readonly #goodSince = new Map<string, number>()
  /** The alerts of which listeners of this process were told, by key. */
  readonly #told = new Map<string, string>()

  constructor(engine: Engine, alerts: Alerts) {
    this.#engine = engine
    this.#alerts = alerts
    this.#startedAt = engine.now
  }

  /** Called every second; looks once a minute. */
  tick(): void {
    const { now, learned } = this.#engine
    if (Math.abs(now - this.#checkedAt) < CHECK_MS) return
    this.#checkedAt = now
    for (const outlook of learned.budgets.outlooks(now)) {
      const { endsAt } = outlook
      if (endsAt !== null && isLong(outlook.budget)) this.#weigh({ ...outlook, endsAt }, now)
    }
  }

  #weigh(outlook: Ending, now: number): void {
    const key = forecastKey(outlook.budget)
    if (isBad(outlook)) {
      this.#goodSince.delete(key)
      this.#tell(key, outlook, now)
    } else if (this.#alerts.find(key) !== undefined) this.#endWhenGood(key, outlook, now)
  }

  #tell(key: string, outlook: Ending, now: number): void {
    const isNew = this.#alerts.raise(key, { ...this.#newsOf(outlook, now), until: outlook.endsAt })
    const alert = this.#alerts.find(key)?.alert
    // Another process may have been first; listeners are not told of what was reported before this one started.
    if (!isNew && (alert === undefined || alert.at < this.#startedAt)) return
    if (alert === undefined || this.#told.get(key) === alert.id) return
    this.#told.set(key, alert.id)
    this.#emit(outlook)
  }

  /** What refuses calls that are too large works for the others only. */
  #newsOf(outlook: Ending, now: number): News {
    const news = newsOf(outlook, now)
    if (this.#alerts.find(refusalKey(outlook.budget)) === undefined) return news
    return { ...news, works: 'what fits into what is left; after that no call of this scope is made' }
  }

  /** It may be told again after it was good for hours: a pause is no change. */
  #endWhenGood(key: string, { budget, forecast }: Ending, now: number): void {
    if ((forecast.atEnd ?? 0) > budget.limit * GOOD_SHARE) this.#goodSince.delete(key)
    else {
      const since = this.#goodSince.get(key) ?? now
      this.#goodSince.set(key, Math.min(since, now))
      if (now - since < GOOD_MS) return
      this.#goodSince.delete(key)
      this.#alerts.end(key)
    }
  }

  #emit({ budget, spent, resetsAt, forecast }: Ending): void {
    const { scope, per, unit, limit } = budget
    const usd = (amount: number) => (unit === 'usd' ? nanoToUsd(amount) : null)
    this.#engine.events.emit('budget', {
      ...{ scope, per, unit, spent, limit },
      share: Math.round((spent / limit) * 100) / 100,
      spentUsd: usd(spent),
      limitUsd: usd(limit),
      resetsAt: isoOrNull(resetsAt),
      forecast: forecastView(forecast, unit),
    })
  }
}

/** The alert of a minute or an hour would come too late. */
const isLong = ({ per }: Budget) => per === 'day' || per === 'week' || per === 'month'

function isBad({ budget, spent, forecast, endsAt, calls, hours }: Ending): boolean {
  const { spentAt, atEnd } = forecast
  if (spentAt === null || spentAt >= endsAt || spent >= budget.limit) return false
  // Between the first call and the last one less than all of them was spent.
  const isAboveOneLess = (atEnd ?? 0) * (1 - 1 / calls) > budget.limit
  return calls >= LEAST_CALLS && hours >= LEAST_HOURS && isAboveOneLess
}

function newsOf({ budget, spent, resetsAt, forecast, endsAt }: Ending, now: number): News {
  const { scope, per, unit, limit, hard, rolling } = budget
  const { perHour, atEnd, spentAt } = forecast
  const show = (amount: number) => (unit === 'usd' ? formatUsd(amount) : `${amount} ${unit}`)
  const before = rolling ? `in the rolling ${per}` : `before its ${per} ends (${moment(endsAt, now)})`
  const pace = isSpreadable(budget) && !budget.pace ? `, spread it with "pace": true` : ''
  return {
    event: 'budget',
    subject: scope,
    since: now,
    what: `Budget ${scope} will be spent at ${moment(spentAt ?? now, now)}, ${before}`,
    why: `${amountText(unit, perHour)} an hour in the last 24 hours; ${show(spent)} of ${show(limit)} spent, about ${show(atEnd ?? 0)} ${rolling ? `in a ${per}` : `by the end of the ${per}`} at this pace`,
    works: hard ? 'everything until then; after it no call of this scope is made' : 'everything, also after it',
    returnsAt: resetsAt,
    returns: rolling || resetsAt === null ? null : `next reset ${moment(resetsAt, now)}`,
    advice: `spend less, raise the budget in the configuration${pace}; "keywise budget" shows what was spent on what`,
  }
}
