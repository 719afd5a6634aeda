/** What money costs on the request path. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { settingsSchema } from '../src/config/settingsSchema.ts'
import { Budgets } from '../src/money/budget.ts'
import { budgetFrom } from '../src/money/budgetRule.ts'
import { costOf, worstCase } from '../src/money/cost.ts'
import { loadGenaiPrices } from '../src/money/genaiPrices.ts'
import type { Counters } from '../src/money/lease.ts'
import { Prices } from '../src/money/prices.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import { MoneyStore } from '../test/support/moneyStore.ts'

const ROUNDS = 200_000
const now = Date.parse('2026-11-23T12:00:00Z')
const target = { provider: 'groq', model: 'llama-3.3-70b-versatile', fingerprint: 'f', keyIndex: 1, account: 'groq@f' }
const prices = new Prices({ lookup: await loadGenaiPrices() })
const price = prices.priceOf({ ...target, free: false, local: false })
const profile = { contextTokens: 131_072, maxOutputTokens: 32_768 }
const usage = { inputTokens: 1_200, outputTokens: 400, totalTokens: 1_600, cachedInputTokens: 800, estimated: false }

const { budgets } = settingsSchema.parse({
  budgets: [
    { scope: 'all', usd: 1_000_000, per: 'month', timezone: 'Europe/Madrid' },
    { scope: 'groq', usd: 1_000_000, per: 'day' },
    { scope: 'groq#1', requests: 100_000_000, per: 'day', rolling: true },
    { scope: 'label:team=a', usd: 1_000_000, per: 'day', hard: false },
  ],
})
const rules = budgets.map((budget) => budgetFrom(budget))
const worst = worstCase({ inputTokens: 5_000, maxOutputTokens: 1_000 }, price, profile, now)
const ask = { target, labels: { team: 'a' }, token: null, worstCase: worst }

/** Reserves and settles on budgets of its own; the clock advances by a millisecond per call. */
function spender(counters: Counters): (i: number) => void {
  const tracker = new Budgets({ budgets: rules, counters, origin: 'bench' })
  return (i) => {
    const hold = tracker.reserve(ask, now + i)
    if (!hold.granted) throw new Error(hold.reason)
    tracker.settle(hold, { nanoUsd: 500_000, tokens: 1_600 })
  }
}

/** How long single calls take at most: what a request would notice if the disk were waited for. */
function slowest(run: (i: number) => void, rounds: number): { p999: number; max: number } {
  const times = Array.from({ length: rounds }, (_, i) => {
    const start = process.hrtime.bigint()
    run(i)
    return Number(process.hrtime.bigint() - start) / 1_000
  }).sort((a, b) => a - b)
  return { p999: times[Math.floor(rounds * 0.999)]!, max: times.at(-1)! }
}

function measure(name: string, run: (i: number) => void): string {
  const batches: number[] = []
  for (let batch = 0; batch < 10; batch++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < ROUNDS / 10; i++) run(batch * (ROUNDS / 10) + i)
    batches.push(Number(process.hrtime.bigint() - start) / (ROUNDS / 10) / 1_000)
  }
  batches.sort((a, b) => a - b)
  return `${name}: ${batches[5]!.toFixed(2)} µs (median of ${batches.length} batches)`
}

/** On a real file: borrowing from the counters is the only time anybody waits for SQLite. */
async function onDisk(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'keywise-bench-'))
  const store = openSqliteStore(join(folder, 'keywise.db'), { now: Date.now, warn: console.error })
  const median = measure('reserve + settle, four budgets, SQLite', spender(store))
  const { p999, max } = slowest(spender(store), ROUNDS)
  await store.close()
  rmSync(folder, { recursive: true })
  return [median, `the same, single calls: 99.9 % within ${p999.toFixed(1)} µs, the slowest ${max.toFixed(0)} µs`]
}

export async function benchMoney(): Promise<string[]> {
  return [
    measure('costOf', () => void costOf(usage, price, now)),
    measure('worstCase', () => void worstCase({ inputTokens: 5_000, maxOutputTokens: null }, price, profile, now)),
    measure('priceOf, known model', () => void prices.priceOf({ ...target, free: false, local: false })),
    measure('reserve + settle, four budgets, in memory', spender(new MoneyStore())),
    ...(await onDisk()),
  ]
}
