/** Tells people what budgets have reached, and that they refuse calls: at the first call, whatever was spent. */

import { isoOrNull } from '../domain/isoTime.ts'
import type { Target } from '../domain/target.ts'
import { whyNot } from '../engine/attempt/eligibility.ts'
import type { Engine } from '../engine/engine.ts'
import type { PendingRequest } from '../engine/request/pendingRequest.ts'
import { formatUsd, nanoToUsd } from '../money/amount.ts'
import { type BudgetRefusal, shortageBehind } from '../money/budget.ts'
import type { BudgetShortage, Crossing } from '../money/budgetCounter.ts'
import type { Budget } from '../money/budgetRule.ts'
import { moment } from '../observe/alerts/alert.ts'
import type { Alerts, News } from '../observe/alerts/alerts.ts'
import { targetsText, worksText } from './alertText.ts'
import { crossingKey, type Named, refusalKey } from './budgetKeys.ts'

/** How often it is looked at what still fits into a budget that refuses. */
const LOOK_MS = 60_000
const DAY_MS = 86_400_000
/** Longer answers are asked of nobody. */
const MOST_TOKENS = 131_072

export class BudgetAlerts {
  readonly #engine: Engine
  readonly #alerts: Alerts
  readonly #startedAt: number
  /** When a refusal was looked at last, and in which period, by what refused. */
  readonly #looked = new Map<unknown, { readonly at: number; readonly endsAt: number | null }>()
  /** The alerts of refusals of which listeners of this process were told, by key. */
  readonly #told = new Map<string, string>()

  constructor(engine: Engine, alerts: Alerts) {
    this.#engine = engine
    this.#alerts = alerts
    this.#startedAt = engine.now
  }

  /** Thresholds were reached: only the highest of each budget is reported, once per period across all processes. */
  crossed(crossings: readonly Crossing[]): void {
    for (const crossing of crossings) {
      if (crossings.some((other) => isSame(other, crossing) && other.percent > crossing.percent)) continue
      const key = crossingKey(crossing, crossing.percent)
      const isNew = this.#alerts.raise(key, { ...this.#newsOfCrossing(crossing), until: crossing.resetsAt })
      // Another process may have been first; listeners are not notified of what was reported before this one started.
      if (isNew || (this.#alerts.find(key)?.alert.at ?? 0) >= this.#startedAt)
        this.#emit(crossing, crossing.percent / 100, false)
    }
  }

  /** A call of a request was refused. Cheap, because it may happen for every target of every request. */
  refused(refusal: BudgetRefusal, pending: PendingRequest): void {
    const { now } = this.#engine
    const shortage = shortageBehind(refusal)
    const what = shortage?.budget ?? refusal.scope
    const endsAt = shortage === undefined || shortage.budget.rolling ? null : shortage.endsAt
    const last = this.#looked.get(what)
    if (last !== undefined && last.endsAt === endsAt && Math.abs(now - last.at) < LOOK_MS) return
    this.#looked.set(what, { at: now, endsAt })
    if (shortage === undefined) this.#refusedUncounted(refusal, pending)
    else this.#refusedFor(shortage, refusal, pending)
  }

  /** Nothing is short: a price is not known, or the count is not. Only what nobody else serves is told. */
  #refusedUncounted({ scope, reason }: BudgetRefusal, pending: PendingRequest): void {
    if (this.#ableFor(pending).length > 0) return
    const { now } = this.#engine
    this.#alerts.raise(`budget:${scope}:uncounted`, {
      event: 'budget',
      subject: scope,
      since: now,
      what: `Budget ${scope}: calls are refused`,
      why: reason,
      works: worksText(this.#engine),
      returnsAt: null,
      returns: null,
      advice: '"keywise budget" shows the budgets, and "keywise doctor" what is wrong with the store',
      until: now + DAY_MS,
    })
  }

  #refusedFor(shortage: BudgetShortage, { resetsAt }: Pick<BudgetRefusal, 'resetsAt'>, pending: PendingRequest): void {
    const { now } = this.#engine
    const { budget, endsAt, spent } = shortage
    const spentKey = crossingKey(budget, 100)
    // What is said of a budget that is spent holds for every call.
    if (this.#alerts.find(spentKey) !== undefined) return
    const others = this.#ableFor(pending)
    // A budget that forbids spending does what it is for while others answer.
    if (others.length > 0 && budget.limit === 0) return
    const tokens = others.length > 0 ? 0 : this.#longestAnswer(pending)
    const isSpent = others.length === 0 && tokens === 0 && shortage.paced === null
    const key = isSpent ? spentKey : refusalKey(budget)
    const works = this.#worksBeside(others, tokens, pending)
    this.#alerts.raise(key, { ...newsOfRefusal(shortage, { resetsAt, works, isSpent, tokens, now }), until: endsAt })
    const alert = this.#alerts.find(key)?.alert
    if (alert === undefined || alert.at < this.#startedAt || this.#told.get(key) === alert.id) return
    this.#told.set(key, alert.id)
    this.#emit({ ...budget, spent, resetsAt }, budget.limit === 0 ? 1 : round(spent / budget.limit), true)
  }

  /** What works of calls like this one: on other targets, with a shorter answer, or not at all. */
  #worksBeside(others: readonly Target[], tokens: number, pending: PendingRequest): string {
    const all = this.#engine.registry.targets.length
    if (others.length > 0) return targetsText(others, all)
    if (tokens > 0) {
      const shorter = this.#ableFor(withLength(pending, tokens))
      return `calls with at most ${tokens.toLocaleString('en-US')} output tokens: ${targetsText(shorter, all)}`
    }
    const works = worksText(this.#engine)
    return works === 'nothing' ? works : `other calls: ${works}`
  }

  /** The longest answer, in tokens, for which a target may be called; 0 for none. */
  #longestAnswer(pending: PendingRequest): number {
    if (pending.operation !== null) return 0
    const fits = (tokens: number) => this.#ableFor(withLength(pending, tokens)).length > 0
    let most = 0
    let tooMany = pending.needs.maxOutputTokens ?? MOST_TOKENS
    while (tooMany - most > 1) {
      const middle = Math.floor((most + tooMany) / 2)
      if (fits(middle)) most = middle
      else tooMany = middle
    }
    return most
  }

  #ableFor(pending: PendingRequest): readonly Target[] {
    const { eligibility, registry, now } = this.#engine
    return registry.targets.filter((target) => whyNot(eligibility, target, pending, null, now) === null)
  }

  #newsOfCrossing({ scope, per, unit, percent, spent, limit, resetsAt, hard }: Crossing): News {
    const { now } = this.#engine
    const isSpent = percent >= 100
    const end = isSpent && hard ? '; no further call of this scope is made' : ''
    return {
      event: 'budget',
      subject: scope,
      since: now,
      what: `Budget ${scope}: ${percent} % reached, ${ofText({ per, unit, limit }, spent)}${end}`,
      why: null,
      works: hard ? this.#worksUnder(unit, limit - spent) : this.#worksFreely(isSpent),
      returnsAt: resetsAt,
      returns: resetsAt === null ? null : `next reset ${moment(resetsAt, now)}`,
      advice: isSpent
        ? `raise the budget in the configuration${resetsAt === null ? '' : ', or wait for the reset'}`
        : '"keywise budget" shows what was spent on what',
    }
  }

  /** A hard budget refuses what does not fit into what is left. */
  #worksUnder(unit: Budget['unit'], left: number): string {
    if (left <= 0) return worksText(this.#engine)
    return unit === 'requests'
      ? `${left} more requests`
      : `calls that may cost no more than the ${amountText(unit, left)} left`
  }

  /** A soft budget refuses nothing, but others may. */
  #worksFreely(isSpent: boolean): string {
    const isRefusing = this.#alerts
      .open()
      .some(({ key }) => key.startsWith('budget:') && /:(?:refused|uncounted)$/.test(key))
    if (isRefusing) return worksText(this.#engine)
    return isSpent ? 'calls go on, cheaper targets first' : 'everything'
  }

  #emit(
    budget: Named & { readonly spent: number; readonly resetsAt: number | null },
    share: number,
    refuses: boolean,
  ): void {
    const { scope, per, unit, spent, limit, resetsAt } = budget
    const usd = (amount: number) => (unit === 'usd' ? nanoToUsd(amount) : null)
    this.#engine.events.emit('budget', {
      ...{ scope, per, share, unit, spent, limit, ...(refuses && { refuses }) },
      spentUsd: usd(spent),
      limitUsd: usd(limit),
      resetsAt: isoOrNull(resetsAt),
      forecast: null,
    })
  }
}

interface Refused {
  /** Epoch milliseconds at which there is room for the call; null: never, or unknown. */
  readonly resetsAt: number | null
  readonly works: string
  /** Nothing at all fits until the period ends. */
  readonly isSpent: boolean
  /** The longest answer that fits; 0: its length does not matter. */
  readonly tokens: number
  readonly now: number
}

function newsOfRefusal(shortage: BudgetShortage, { resetsAt, works, tokens, now, ...refused }: Refused): News {
  const { budget, needed, spent, paced } = shortage
  const remedies = [
    ...(tokens > 0 ? ['lower "max_tokens"'] : []),
    budget.limit === 0 ? 'give the budget an amount, or add a free key' : 'raise the budget',
    // What is spent of a total does not come back, and what is more than all of it never fits.
    ...(needed > budget.limit || resetsAt === null ? [] : ['wait for the reset']),
  ]
  const end = refused.isSpent && budget.limit > 0 ? '; no further call of this scope is made' : ''
  return {
    event: 'budget',
    subject: budget.scope,
    since: now,
    what:
      budget.limit === 0
        ? `Budget ${budget.scope}: nothing may be spent, so calls are refused`
        : `Budget ${budget.scope}: calls are refused at ${ofText(budget, spent)}${asideText(shortage, now)}: a call ${needText(shortage)}${end}`,
    why: null,
    works,
    returnsAt: resetsAt,
    returns:
      resetsAt === null ? null : `${paced === null ? 'next reset' : 'there is more room'} ${moment(resetsAt, now)}`,
    advice: remedies.length > 1 ? `${remedies.slice(0, -1).join(', ')}, or ${remedies.at(-1)}` : remedies.join(''),
  }
}

function asideText({ budget: { unit }, reserved, paced }: BudgetShortage, now: number): string {
  const reservedText = reserved > 0 ? `, ${amountText(unit, reserved)} set aside for calls under way` : ''
  return paced === null
    ? reservedText
    : `${reservedText}, paced: ${amountText(unit, paced.allowed)} until ${moment(paced.until, now)}`
}

function needText({ budget: { unit, limit }, needed }: BudgetShortage): string {
  const than = needed > limit ? 'all of it' : 'is left'
  return `may ${unit === 'usd' ? 'cost' : 'need'} up to ${amountText(unit, needed)}, more than ${than}`
}

const isSame = (one: Crossing, other: Crossing) =>
  one.scope === other.scope && one.per === other.per && one.unit === other.unit

/** `$4.20`, `12 requests` */
const amountText = (unit: Budget['unit'], amount: number) =>
  unit === 'usd' ? formatUsd(amount) : `${amount} ${amount === 1 ? unit.slice(0, -1) : unit}`

/** `$0.01 of $0.05 per day` */
function ofText({ unit, limit, per }: Pick<Named, 'unit' | 'limit' | 'per'>, spent: number): string {
  const so = unit === 'usd' ? formatUsd(spent) : String(spent)
  return `${so} of ${amountText(unit, limit)}${per === 'total' ? '' : ` per ${per}`}`
}

const round = (share: number) => Math.round(share * 100) / 100

/** The same request with another limit of its answer. */
const withLength = (pending: PendingRequest, maxOutputTokens: number): PendingRequest => ({
  ...pending,
  needs: { ...pending.needs, maxOutputTokens },
  holdNeeds: new Map(),
})
