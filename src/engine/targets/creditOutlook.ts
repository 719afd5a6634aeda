/** How long a credit lasts at the pace of the last day, by the ledger and by what the provider told. */

import type { LedgerFilter, Store } from '../../domain/store.ts'
import { type CreditOutlook, outlookOf, type Spending, spentBetween } from '../../money/credit.ts'
import { PACE_MS } from '../../money/pace.ts'
import type { BalanceQuestion, KnownCredit } from './credits.ts'

/** The ledger, at a moment. */
interface LedgerNow {
  readonly store: Pick<Store, 'sums'>
  /** Epoch milliseconds. */
  readonly now: number
}

/** By the faster of both, because others may spend from the same account, and because a report may be old. */
export function creditOutlook(
  { store, now }: LedgerNow,
  { credential, source }: BalanceQuestion,
  { currency, left, resetsAt, seen }: KnownCredit,
): CreditOutlook {
  const told = spentBetween(seen, now)
  // Costs are known in USD alone.
  if (currency !== 'USD') return outlookOf({ left, resetsAt }, [told], now)
  const { account, fingerprint } = credential
  const whose: LedgerFilter = source.of === 'account' ? { account } : { fingerprint }
  const toldAt = seen.at(-1)?.at ?? now
  const [since] = store.sums({ ...whose, since: toldAt + 1 }, [])
  // Whoever is said to have something left is never shown as empty by our own count.
  const rest = left <= 0 ? left : Math.max(1, left - (since?.costNanoUsd ?? 0))
  return outlookOf({ left: rest, resetsAt }, [told, counted(store, whose, now)], now)
}

/** What our own calls of the last day cost at least, from the hour in which the first of them was made. */
function counted(store: LedgerNow['store'], whose: LedgerFilter, now: number): Spending {
  const since = now - PACE_MS
  let spent = 0
  let firstAt = now
  for (const { group, costNanoUsd } of store.sums({ ...whose, since }, ['hour'])) {
    if (costNanoUsd <= 0) continue
    spent += costNanoUsd
    firstAt = Math.min(firstAt, Math.max(since, Date.parse(group[0] ?? '')))
  }
  return { spent, firstAt }
}
