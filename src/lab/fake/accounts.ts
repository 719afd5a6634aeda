/** What the accounts of a simulated provider have left, and how its service tells a key. */

import { decimalCredit } from '../../money/credit.ts'
import type { FakeRefusal } from './refusal.ts'
import type { FakeKey, FakeModel } from './scenario.ts'

/** Integers of a billionth of the currency. */
const UNIT = 1_000_000_000

export class FakeAccounts {
  readonly #keys: readonly FakeKey[]
  /** What is left, by account. */
  readonly #left = new Map<string, number>()
  /** What each key has used. */
  readonly #used: number[]

  constructor(keys: readonly FakeKey[]) {
    this.#keys = keys
    this.#used = keys.map(() => 0)
    keys.forEach(({ credit }, place) => {
      const account = this.#accountOf(place)
      if (credit !== undefined && !this.#left.has(account)) this.#left.set(account, Math.round(credit * UNIT))
    })
  }

  /** `place`: of the key, from 0. */
  setCredit(place: number, credit: number): void {
    this.#left.set(this.#accountOf(place), Math.round(credit * UNIT))
  }

  /** Why a call of the model cannot be paid; null when it can. */
  lacks(place: number, model: FakeModel): 'billing' | 'key_limit' | null {
    if (model.price?.input === 0 && model.price.output === 0) return null
    if (this.#leftOf(place) <= 0) return 'billing'
    return (this.#limitLeft(place) ?? 1) <= 0 ? 'key_limit' : null
  }

  /** Takes what an answer cost. */
  spend(place: number, model: FakeModel | undefined, input: number, output: number): void {
    const { price } = model ?? {}
    if (price === undefined || this.#used[place] === undefined) return
    // Prices are per million tokens, so a token costs a thousandth of that in billionths.
    const cost = Math.round((input * price.input + output * price.output) * 1000)
    this.#used[place] += cost
    const left = this.#left.get(this.#accountOf(place))
    if (left !== undefined) this.#left.set(this.#accountOf(place), left - cost)
  }

  /** What the service says at a path that tells of a key or its account; null at any other path. */
  facts(place: number, path: string): FakeRefusal | null {
    if (path.endsWith('/credits')) return this.#credits(place)
    if (path.endsWith('/user/balance')) return { status: 200, body: this.#balance(place) }
    return path.endsWith('/key') ? { status: 200, body: { data: this.#keyFacts(place) } } : null
  }

  /** OpenRouter's `/key`: https://openrouter.ai/docs/api_reference/limits (read 2026-11-30). */
  #keyFacts(place: number): object {
    const { limit, limit_reset, charged } = this.#keys[place] ?? {}
    const used = (this.#used[place] ?? 0) / UNIT
    const remaining = this.#limitLeft(place)
    return {
      label: 'sk-or-v1-fak...e01',
      limit: limit ?? null,
      limit_remaining: remaining === null ? null : remaining / UNIT,
      limit_reset: limit_reset ?? null,
      include_byok_in_limit: false,
      usage: used,
      usage_daily: used,
      usage_weekly: used,
      usage_monthly: used,
      is_free_tier: charged !== true,
    }
  }

  /** OpenRouter's `/credits`: https://openrouter.ai/docs/api/api-reference/credits/get-credits (read 2026-11-30). */
  #credits(place: number): FakeRefusal {
    if (this.#keys[place]?.sees_credits !== true)
      return { status: 403, body: { error: { code: 403, message: 'Only management keys can perform this operation' } } }
    const used = this.#usedBy(this.#accountOf(place))
    const left = this.#left.get(this.#accountOf(place)) ?? 0
    return { status: 200, body: { data: { total_credits: (left + used) / UNIT, total_usage: used / UNIT } } }
  }

  /** DeepSeek's `/user/balance`: https://api-docs.deepseek.com/api/get-user-balance (read 2026-11-30). */
  #balance(place: number): object {
    const left = this.#left.get(this.#accountOf(place)) ?? 10 * UNIT
    const [amount, nothing] = [(Math.round(left / 10_000_000) / 100).toFixed(2), decimalCredit(0)]
    const { currency = 'USD' } = this.#keys[place] ?? {}
    return {
      is_available: left > 0,
      balance_infos: [{ currency, total_balance: amount, granted_balance: nothing, topped_up_balance: amount }],
    }
  }

  #leftOf(place: number): number {
    return this.#left.get(this.#accountOf(place)) ?? Number.POSITIVE_INFINITY
  }

  #limitLeft(place: number): number | null {
    const limit = this.#keys[place]?.limit
    return limit === undefined ? null : Math.round(limit * UNIT) - (this.#used[place] ?? 0)
  }

  #usedBy(account: string): number {
    return this.#used.reduce((sum, used, place) => (this.#accountOf(place) === account ? sum + used : sum), 0)
  }

  #accountOf(place: number): string {
    return this.#keys[place]?.account ?? `#${place}`
  }
}
