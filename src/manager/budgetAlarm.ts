/** Tells that a budget has reached a threshold: once per period, whichever process finds it first. */

import type { Store } from '../domain/store.ts'
import { nanoToUsd } from '../money/amount.ts'
import type { Crossing } from '../money/purse.ts'
import type { BudgetNews, Events } from '../observe/events.ts'

const COLLECTION = 'budget-alarms'

export class BudgetAlarm {
  readonly #store: Store
  readonly #events: Events

  constructor(store: Store, events: Events) {
    this.#store = store
    this.#events = events
  }

  /** A process to which nobody listens leaves it to one that has somebody to tell. */
  tell(crossings: readonly Crossing[], now: number): void {
    if (crossings.length === 0 || !this.#events.has('budget')) return
    for (const crossing of crossings) if (this.#isNew(crossing, now)) this.#events.emit('budget', newsOf(crossing))
  }

  #isNew({ id, since }: Crossing, now: number): boolean {
    let isNew = false
    this.#store.updateDoc(COLLECTION, id, (toldAt) => {
      isNew = typeof toldAt !== 'number' || toldAt < since
      return isNew ? now : toldAt
    })
    return isNew
  }
}

function newsOf({ scope, per, unit, percent, spent, limit, resetsAt, hard }: Crossing): BudgetNews {
  const isMoney = unit === 'usd'
  const amounts = isMoney ? { spent: nanoToUsd(spent), limit: nanoToUsd(limit) } : { spent, limit }
  return {
    scope,
    per,
    share: percent / 100,
    spentUsd: isMoney ? amounts.spent : null,
    limitUsd: isMoney ? amounts.limit : null,
    resetsAt: resetsAt === null ? null : new Date(resetsAt).toISOString(),
    hard,
    unit,
    ...amounts,
  }
}
