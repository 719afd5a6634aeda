/** Prompt caches in the ledger: hits, what they saved, and about what misses cost. */

import type { LedgerFilter, LedgerGroup, UsageRow } from '../domain/store.ts'
import type { EngineReader } from '../engine/reader.ts'
import { nanoToUsd } from '../money/amount.ts'
import { type CacheAmount, type CacheUse, Conversations, cacheUse } from '../money/caches.ts'
import { flat, type Price } from '../money/price.ts'
import { groupOfUsage } from '../store/ledger.ts'

/** Amounts are estimates, from today's prices and from what the attempts before had sent. */
export interface CacheView {
  /** Share of the input that was read from a cache, 0..1, of attempts that could be cached; null: none could. */
  readonly hitRate: number | null
  /** The whole input of the attempts that could be cached. */
  readonly cacheableTokens: number
  /** Written for the service's usual time (Anthropic: five minutes), and for an hour. */
  readonly writtenTokens: number
  readonly writtenForHourTokens: number
  /** What hits saved, less what writes cost beyond plain input; below 0 where they cost more. Null: unknown. */
  readonly savedUsd: number | null
  /** Sent before to the same model of the same account, and yet not read from the cache. */
  readonly missedTokens: number
  /** What they cost beyond the price of hits; null: unknown. */
  readonly missedUsd: number | null
  /** Sent before in the same conversation, to another model or account. */
  readonly missedByMovingTokens: number
  readonly missedByMovingUsd: number | null
  /** Attempts of unknown price, which the amounts leave out. */
  readonly unpricedAttempts: number
}

/** Conversations that began before the time asked for are known from so long before: no cache is kept for longer. */
const LOOK_BACK_MS = 24 * 3_600_000

/** Rows read at most, the newest: about half a second of work. */
const MOST_ROWS = 100_000

export class CacheReport {
  readonly #rows: readonly CountedUse[]

  /** Reads the rows of the span, as far back as they are kept. */
  constructor(engine: EngineReader, filter: LedgerFilter) {
    this.#rows = usesIn(engine, filter)
  }

  /** When the first of the attempts ended (epoch milliseconds); null: there is none. */
  get since(): number | null {
    return this.#rows[0]?.row.at ?? null
  }

  /** By the JSON of the group's values. */
  by(by: readonly LedgerGroup[]): ReadonlyMap<string, CacheView> {
    const sums = new Map<string, CacheSum>()
    for (const { row, use } of this.#rows) {
      const group = JSON.stringify(groupOfUsage(row, by))
      const sum = sums.get(group) ?? new CacheSum()
      sum.add(use)
      sums.set(group, sum)
    }
    return new Map([...sums].map(([group, sum]) => [group, sum.view()]))
  }
}

interface CountedUse {
  readonly row: UsageRow
  readonly use: CacheUse
}

function usesIn({ store, registry }: EngineReader, filter: LedgerFilter): CountedUse[] {
  const { since = Number.NEGATIVE_INFINITY } = filter
  const conversations = new Conversations()
  const prices = new PriceFinder(registry)
  const uses: CountedUse[] = []
  const rows = store.usages({
    ...filter,
    limit: MOST_ROWS,
    ...(filter.since !== undefined && { since: since - LOOK_BACK_MS }),
  })
  for (const row of rows) {
    // An estimate tells nothing of caches, and counts otherwise than the service.
    if (row.usage.estimated) continue
    const before = conversations.sentBefore({ ...row, place: `${row.target.account} ${row.target.model}` })
    if (row.at >= since) uses.push({ row, use: cacheUse(row.usage, before, prices.priceOf(row), row.startedAt) })
  }
  return uses
}

/** What was not billed cost nothing more for a miss, whatever its price is today. */
const UNBILLED: Price = { ...flat('free', { input: 0, output: 0 }), isFree: true }

/** Prices of targets of the past: a key that was replaced had the price of its successor. */
class PriceFinder {
  readonly #registry: EngineReader['registry']
  readonly #byModel = new Map<string, Price | null>()

  constructor(registry: EngineReader['registry']) {
    this.#registry = registry
    for (const target of registry.targets) {
      const model = `${target.provider}/${target.model}`
      if (!this.#byModel.get(model)) this.#byModel.set(model, registry.priceOf(target))
    }
  }

  priceOf({ target, costNanoUsd }: UsageRow): Price | null {
    if (costNanoUsd === 0) return UNBILLED
    return this.#registry.priceOf(target) ?? this.#byModel.get(`${target.provider}/${target.model}`) ?? null
  }
}

class CacheSum {
  #cacheable = 0
  #read = 0
  #written = 0
  #writtenForHour = 0
  #unpriced = 0
  readonly #saved = new AmountSum()
  readonly #missed = new AmountSum()
  readonly #moved = new AmountSum()

  add({ cacheableTokens, readTokens, writtenTokens, writtenForHourTokens, saved, missed, moved }: CacheUse): void {
    this.#cacheable += cacheableTokens
    this.#read += readTokens
    this.#written += writtenTokens
    this.#writtenForHour += writtenForHourTokens
    this.#saved.add(saved)
    this.#missed.add(missed)
    this.#moved.add(moved)
    if ([saved, missed, moved].some(({ nanoUsd }) => nanoUsd === null)) this.#unpriced++
  }

  view(): CacheView {
    return {
      hitRate: this.#cacheable === 0 ? null : this.#read / this.#cacheable,
      cacheableTokens: this.#cacheable,
      writtenTokens: this.#written,
      writtenForHourTokens: this.#writtenForHour,
      savedUsd: this.#saved.usd,
      missedTokens: this.#missed.tokens,
      missedUsd: this.#missed.usd,
      missedByMovingTokens: this.#moved.tokens,
      missedByMovingUsd: this.#moved.usd,
      unpricedAttempts: this.#unpriced,
    }
  }
}

class AmountSum {
  tokens = 0
  #nanoUsd = 0
  #known = false
  #unknown = false

  add({ tokens, nanoUsd }: CacheAmount): void {
    this.tokens += tokens
    if (nanoUsd === null) this.#unknown = true
    else {
      this.#nanoUsd += nanoUsd
      if (tokens > 0) this.#known = true
    }
  }

  /** Null where there is something, and of nothing of it the price is known. */
  get usd(): number | null {
    return this.#unknown && !this.#known ? null : nanoToUsd(this.#nanoUsd)
  }
}

/** Of a group in which nothing was consumed. */
export const NO_CACHES: CacheView = new CacheSum().view()
