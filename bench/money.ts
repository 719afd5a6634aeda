/** What money costs on the request path. */

import { settingsSchema } from '../src/config/settingsSchema.ts'
import { BudgetBook } from '../src/money/budget.ts'
import { budgetFrom } from '../src/money/budgetRule.ts'
import { costOf, worstCase } from '../src/money/cost.ts'
import { loadGenaiPrices } from '../src/money/genaiPrices.ts'
import { PriceBook } from '../src/money/price.ts'
import { MoneyStore } from '../test/moneyStore.ts'

const ROUNDS = 200_000
const now = Date.parse('2026-11-23T12:00:00Z')
const target = { provider: 'groq', model: 'llama-3.3-70b-versatile', fingerprint: 'f', keyIndex: 1, account: 'groq@f' }
const prices = new PriceBook({ lookup: await loadGenaiPrices() })
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
const book = new BudgetBook({
  budgets: budgets.map((budget) => budgetFrom(budget)),
  counters: new MoneyStore(),
  origin: 'bench',
})
const worst = worstCase({ inputTokens: 5_000, maxOutputTokens: 1_000 }, price, profile, now)
const ask = { target, labels: { team: 'a' }, token: null, worstCase: worst }

function reserveAndSettle(i: number): void {
  const at = now + i
  const hold = book.reserve(ask, at)
  if (!hold.granted) throw new Error(hold.reason)
  book.settle(hold, { nanoUsd: 500_000, tokens: 1_600 })
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

export function benchMoney(): string[] {
  return [
    measure('costOf', () => void costOf(usage, price, now)),
    measure('worstCase', () => void worstCase({ inputTokens: 5_000, maxOutputTokens: null }, price, profile, now)),
    measure('priceOf, known model', () => void prices.priceOf({ ...target, free: false, local: false })),
    measure('reserve + settle, four budgets', reserveAndSettle),
  ]
}
