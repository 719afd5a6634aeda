/** The texts of alerts about credit: that it runs out, that it is gone, that there is some again. */

import type { BalanceQuestion, KnownCredit } from '../engine/targets/credits.ts'
import { creditText } from '../money/credit.ts'
import { moment } from '../observe/alerts/alert.ts'
import type { News } from '../observe/alerts/alerts.ts'
import { spanText } from './alertText.ts'

/** A credit, and how it stands. */
export interface CreditState {
  readonly question: BalanceQuestion
  readonly credit: KnownCredit
  /** In the same unit as the credit; null: nothing is spent. */
  readonly perHour: number | null
  /** Epoch milliseconds. */
  readonly goneAt: number | null
  readonly now: number
  /** What still works. */
  readonly works: string
}

export function lowNews({ goneAt, now, ...state }: CreditState): News {
  const { credit, perHour, question } = state
  const lasts = spanText(Math.max(0, (goneAt ?? now) - now))
  return {
    ...newsOf({ goneAt, now, ...state }),
    event: 'credit_low',
    what: `${placeOf(question)} has ${leftText(credit)} left, which lasts about ${lasts} at this pace`,
    why: perHour === null ? null : `${creditText(perHour, credit.currency)} per hour in the last day`,
    returnsAt: credit.resetsAt,
    returns: credit.resetsAt === null ? null : `the limit begins anew ${moment(credit.resetsAt, now)}`,
    advice: `${remedyOf(question)} before ${moment(goneAt ?? now, now)}`,
  }
}

export function goneNews(state: CreditState): News {
  const { credit, question, now } = state
  return {
    ...newsOf(state),
    event: 'no_credit',
    what: `${placeOf(question)} has no credit left`,
    why: `${question.credential.provider.id} tells ${leftText(credit)}`,
    returnsAt: credit.resetsAt,
    returns: credit.resetsAt === null ? 'when the account has credit again' : moment(credit.resetsAt, now),
    advice: `${remedyOf(question)}, or give it "free": true to keep to what costs nothing`,
  }
}

export function backNews(state: CreditState, since: number): News {
  const { credit, question } = state
  return {
    ...newsOf(state),
    event: 'credit_back',
    since,
    what: `${placeOf(question)} has credit again: ${leftText(credit)}`,
  }
}

function newsOf({ question, now, works }: CreditState): Omit<News, 'event' | 'what'> {
  const { provider, key } = question.credential
  const subject = `${provider.id}#${key.index}`
  return { subject, since: now, why: null, works, returnsAt: null, returns: null, advice: null }
}

/** `$4.20`, or of a limit `$4.20 of $5.00`. */
function leftText({ left, limit, currency }: KnownCredit): string {
  const said = creditText(left, currency)
  return limit === null ? said : `${said} of ${creditText(limit, currency)}`
}

/** Without the key: `openrouter key 2 (work)`. */
function placeOf({ credential: { provider, key } }: BalanceQuestion): string {
  return `${provider.id} key ${key.index}${key.label === undefined ? '' : ` (${key.label})`}`
}

function remedyOf({ source, credential: { provider } }: BalanceQuestion): string {
  return source.of === 'key' ? `raise the limit of the key at ${provider.id}` : `add credit at ${provider.id}`
}
