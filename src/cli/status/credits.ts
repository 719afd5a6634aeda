/** The lines of `keywise status` about what accounts have left. */

import { usdToNano } from '../../money/amount.ts'
import { creditText } from '../../money/credit.ts'
import type { CreditStatus } from '../../views/credits.ts'
import { age, clockText } from '../output.ts'

/** `openrouter#1: $4.20 left as of 14:05 UTC, runs out in about 6 h at this pace (Mon 20:10 UTC)` */
export function creditLine(credit: CreditStatus, now: number): string {
  const { provider, keyIndex, account, of, asOf, available } = credit
  const name = of === 'account' && account !== null ? `${provider} ${account}` : `${provider}#${keyIndex}`
  const parts = [
    `${name}: ${amountsOf(credit)} as of ${clockText(asOf, now)}`,
    available === false ? 'calls are not paid now' : '',
    outlookOf(credit, now),
    credit.resetsAt === null ? '' : `begins anew ${dayText(credit.resetsAt, now)}`,
  ]
  const trouble =
    credit.trouble === null ? '' : ` (asked again at ${clockText(credit.askedAt, now)}: ${credit.trouble})`
  return parts.filter((part) => part !== '').join(', ') + trouble
}

function amountsOf({ left, limit, of, currency }: CreditStatus): string {
  const show = (amount: string) => creditText(usdToNano(amount) ?? 0, currency)
  if (limit !== null) return `${show(left)} left of ${of === 'key' ? 'its limit of ' : ''}${show(limit)}`
  return `${show(left)} left`
}

function outlookOf({ runsOutAt, left }: CreditStatus, now: number): string {
  if (runsOutAt === null || left.startsWith('-') || Number(left) === 0) return ''
  const span = Math.max(0, Date.parse(runsOutAt) - now)
  return `runs out in about ${age(span)} at this pace (${dayText(runsOutAt, now)})`
}

const WEEK_MS = 7 * 86_400_000

/** `Mon 20:10 UTC`; a week or more away with the date. */
function dayText(iso: string, now: number): string {
  const at = new Date(iso)
  if (at.getTime() - now >= WEEK_MS) return clockText(iso, now)
  return `${at.toUTCString().slice(0, 3)} ${iso.slice(11, 16)} UTC`
}
