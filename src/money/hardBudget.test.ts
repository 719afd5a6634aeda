import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MoneyStore } from '../../test/support/moneyStore.ts'
import { ask, NOW, startProcess } from '../../test/support/moneyWorld.ts'
import type { Modality, Usage, UsageParts } from '../domain/chat.ts'
import type { BudgetHold } from './budget.ts'
import { costOf, worstCase } from './cost.ts'
import { loadGenaiPrices } from './genaiPrices.ts'
import { flat } from './price.ts'
import { Prices } from './prices.ts'

/**
 * Whole calls against one hard budget: what is put aside by what is known of a request, what answers report of it, and
 * streams that are cut at any place, by two processes in any order. What they cost at most is never above the limit.
 */
const prices = new Prices({ lookup: await loadGenaiPrices() })
const listed = (provider: string, model: string) => prices.priceOf({ provider, model, free: false, local: false })
const PRICES = [
  listed('openai', 'gpt-4o-audio-preview'),
  listed('anthropic', 'claude-sonnet-4-5'),
  listed('google', 'gemini-2.5-flash'),
  flat('config', { input: 1, output: 10, tools: { web_search: 10 }, tiers: { priority: 1.75 } }),
]
const UNBOUND = { contextTokens: null, maxOutputTokens: null }

const MODALITIES: readonly Modality[] = ['audio', 'image', 'video']
/** All of it often, or the limits would never be tried. */
const share = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }))
const call = fc.record({
  price: fc.nat(PRICES.length - 1),
  input: fc.nat(3000),
  /** The request's `max_tokens`, and what the model's window leaves of it. */
  asked: fc.nat(4000),
  cut: fc.option(fc.nat(4000)),
  answers: fc.integer({ min: 1, max: 4 }),
  tier: fc.constantFrom(undefined, 'priority', 'flex', 'nobody-knows', 'fast+us'),
  kinds: fc.subarray([...MODALITIES]),
  cachesLong: fc.boolean(),
  tools: fc.oneof(
    fc.constant({}),
    fc.dictionary(fc.constantFrom('web_search', 'code_interpreter', 'other'), fc.integer({ min: 1, max: 5 })),
  ),
  /** How much of all that the answer used before it ended or was cut. */
  used: fc.record({ prompt: share, answer: share, part: share, tools: share }),
  /** What the service said of itself. */
  said: fc.record({ tier: fc.boolean(), parts: fc.boolean(), usage: fc.integer({ min: 0, max: 9 }) }),
})
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never

const tick = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('start' as const), process: fc.nat(1), call }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), process: fc.nat(1), which: fc.nat(9) }) },
)

function needOf({ input, asked, cut, answers, tier, kinds, cachesLong, tools }: Call) {
  const modalities = new Set(kinds)
  const parts = { serviceTier: tier, input: modalities, output: modalities, cachesLong, serverTools: tools }
  return { inputTokens: input, maxOutputTokens: asked, cutToTokens: cut, answers, parts }
}

/** Within what was asked for; what is sent as the limit bounds each answer. */
function usageOf({ input, asked, cut, answers, tier, kinds, cachesLong, tools, used, said }: Call): Usage {
  const inputTokens = Math.floor(input * used.prompt)
  const outputTokens = Math.floor(Math.min(asked, cut ?? asked) * answers * used.answer)
  const written = Math.floor(inputTokens * used.part)
  const [kind] = kinds
  const ofKind = (tokens: number) =>
    kind === undefined || !said.parts ? {} : { [kind]: Math.floor(tokens * used.part) }
  const parts: UsageParts = {
    input: ofKind(inputTokens - written),
    output: ofKind(outputTokens),
    ...(said.tier && tier !== undefined && { serviceTier: tier }),
    ...(cachesLong && { cacheWrite1hTokens: written }),
    serverTools: Object.fromEntries(
      Object.entries(tools).map(([tool, most]) => [tool, Math.floor(most * answers * used.tools)]),
    ),
  }
  const totalTokens = inputTokens + outputTokens
  return { inputTokens, outputTokens, totalTokens, estimated: false, cacheWriteTokens: written, parts }
}

describe('a hard budget', () => {
  test('is not passed by one nano-dollar of what was knowable, whatever is asked, answered and cut', () => {
    fc.assert(
      fc.property(
        fc.array(tick, { maxLength: 60 }),
        fc.oneof(fc.integer({ min: 1, max: 1e8 }), fc.integer({ min: 1, max: 2e9 })),
        fc.boolean(),
        (ticks, limit, pace) => {
          const store = new MoneyStore()
          const budgets = [{ scope: 'all', usd: limit / 1e9, per: 'day', pace }]
          const processes = [startProcess(store, budgets), startProcess(store, budgets)]
          const open: { hold: BudgetHold; call: Call }[][] = [[], []]
          // Noon has 13 of 24 shares.
          const allowed = pace ? Math.ceil((limit * 13) / 24) : limit
          let spent = 0
          for (const step of ticks) {
            const budget = processes[step.process]!
            if (step.do === 'start') {
              const worst = worstCase(needOf(step.call), PRICES[step.call.price]!, UNBOUND, NOW)
              const hold = budget.reserve(ask(null, { worstCase: worst }), NOW)
              if (hold.granted) open[step.process]!.push({ hold, call: step.call })
              continue
            }
            const [ended] = open[step.process]!.splice(step.which % Math.max(1, open[step.process]!.length), 1)
            if (ended === undefined) continue
            const cost = costOf(usageOf(ended.call), PRICES[ended.call.price]!, NOW)
            // One in ten says nothing of what it used.
            const isKnown = ended.call.said.usage > 0
            spent += cost.range?.atMost ?? cost.nanoUsd ?? Number.NaN
            budget.settle(ended.hold, isKnown ? { ...cost, tokens: 0 } : { nanoUsd: null, tokens: null })
            expect(spent).toBeLessThanOrEqual(allowed)
          }
          for (const [place, budget] of processes.entries()) {
            for (const { hold, call: left } of open[place]!) {
              const cost = costOf(usageOf(left), PRICES[left.price]!, NOW)
              spent += cost.range?.atMost ?? cost.nanoUsd ?? Number.NaN
              budget.settle(hold, { ...cost, tokens: 0 })
            }
            expect(spent).toBeLessThanOrEqual(allowed)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
