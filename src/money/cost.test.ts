import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasTestData, readTestData } from '../../test/support/testData.ts'
import type { Usage } from '../domain/chat.ts'
import { ASSUMED_OUTPUT_TOKENS, costOf, worstCase } from './cost.ts'
import { loadGenaiPrices } from './genaiPrices.ts'
import { flat } from './price.ts'
import { Prices } from './prices.ts'
import { MOST_TOKENS } from './usage.ts'

const tracker = new Prices({ lookup: await loadGenaiPrices() })
const NOON = Date.parse('2026-11-23T12:00:00Z')
const tokens = (inputTokens: number, outputTokens: number, more: Partial<Usage> = {}): Usage => ({
  inputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
  estimated: false,
  ...more,
})
const priceOf = (provider: string, model: string) => tracker.priceOf({ provider, model, free: false, local: false })

describe('costOf() gives the published price of recorded usage (worked out by hand, in nano-USD)', () => {
  for (const { model, usage, nanoUsd, by, recorded } of [
    {
      model: 'openai/gpt-4.1-nano-2025-04-14',
      usage: tokens(16, 363),
      nanoUsd: 146_800,
      by: '16*0.1 + 363*0.4',
      recorded: ['openai-chat/openai-text.json', 'prompt_tokens 16', 'completion_tokens 363'],
    },
    {
      model: 'openai/gpt-5.3-codex',
      usage: tokens(7_243, 423, { cachedInputTokens: 3_072, reasoningTokens: 58 }),
      nanoUsd: 13_758_850,
      by: '4171*1.75 + 3072*0.175 + 423*14',
      recorded: [
        'openai-responses/openai-phase.1.json',
        'input_tokens 7243',
        'cached_tokens 3072',
        'output_tokens 423',
        'reasoning_tokens 58',
      ],
    },
    {
      model: 'openai/gpt-5-mini-2025-08-07',
      usage: tokens(865, 163, { reasoningTokens: 128 }),
      nanoUsd: 542_250,
      by: '865*0.25 + 163*2',
      recorded: [
        'openai-responses/openai-reasoning-encrypted-content.1.json',
        'input_tokens 865',
        'output_tokens 163',
        'reasoning_tokens 128',
      ],
    },
    {
      model: 'openai/text-embedding-3-small',
      usage: tokens(12, 0),
      nanoUsd: 240,
      by: '12*0.02',
      recorded: ['openai-embeddings/openai-embedding.json', 'prompt_tokens 12'],
    },
    {
      model: 'azure/gpt-5.1',
      usage: tokens(11, 11),
      nanoUsd: 123_750,
      by: '11*1.25 + 11*10',
      recorded: ['azure/azure-text.1.json', 'input_tokens 11', 'output_tokens 11'],
    },
    {
      model: 'anthropic/claude-haiku-4-5-20251001',
      usage: tokens(1_151, 87),
      nanoUsd: 1_586_000,
      by: '1151*1 + 87*5',
      recorded: ['anthropic/anthropic-json-tool.1.json', 'input_tokens 1151', 'output_tokens 87'],
    },
    {
      model: 'anthropic/claude-sonnet-4-5-20250929',
      usage: tokens(12, 30),
      nanoUsd: 486_000,
      by: '12*3 + 30*15 (streamed)',
      recorded: ['anthropic/anthropic-text.chunks.txt', 'input_tokens 12', 'output_tokens 30'],
    },
    {
      model: 'anthropic/claude-fable-5',
      usage: tokens(18, 5),
      nanoUsd: 430_000,
      by: '18*10 + 5*50 (a refusal costs too)',
      recorded: ['anthropic/anthropic-refusal.json', 'input_tokens 18', 'output_tokens 5'],
    },
    {
      model: 'google/gemini-3-pro-preview',
      usage: tokens(29, 908, { reasoningTokens: 893 }),
      nanoUsd: 10_954_000,
      by: '29*2 + (15+893)*12',
      recorded: [
        'google/google-tool-call.json',
        'promptTokenCount 29',
        'candidatesTokenCount 15',
        'thoughtsTokenCount 893',
      ],
    },
    {
      model: 'google/gemini-2.5-flash',
      usage: tokens(7, 141, { reasoningTokens: 115 }),
      nanoUsd: 354_600,
      by: '7*0.3 + (26+115)*2.5 (streamed)',
      recorded: [
        'google-interactions/basic.chunks.txt',
        'total_input_tokens 7',
        'total_output_tokens 26',
        'total_thought_tokens 115',
      ],
    },
    {
      model: 'groq/llama-3.3-70b-versatile',
      usage: tokens(45, 662),
      nanoUsd: 549_530,
      by: '45*0.59 + 662*0.79 (streamed)',
      recorded: ['groq/groq-text.chunks.txt', 'prompt_tokens 45', 'completion_tokens 662'],
    },
    {
      model: 'groq/qwen/qwen3-32b',
      usage: tokens(17, 649, { reasoningTokens: 570 }),
      nanoUsd: 387_840,
      by: '17*0.29 + 649*0.59',
      recorded: ['groq/groq-reasoning.json', 'prompt_tokens 17', 'completion_tokens 649', 'reasoning_tokens 570'],
    },
    {
      model: 'deepseek/deepseek-reasoner',
      usage: tokens(339, 92, { cachedInputTokens: 320, reasoningTokens: 48 }),
      nanoUsd: 256_730,
      by: '19*0.55 + 320*0.14 + 92*2.19',
      recorded: [
        'deepseek/deepseek-tool-call.json',
        'prompt_cache_miss_tokens 19',
        'prompt_cache_hit_tokens 320',
        'completion_tokens 92',
        'reasoning_tokens 48',
      ],
    },
    {
      model: 'deepseek/deepseek-chat',
      usage: tokens(13, 400),
      nanoUsd: 443_510,
      by: '13*0.27 + 400*1.1 (streamed)',
      recorded: ['deepseek/deepseek-text.chunks.txt', 'prompt_tokens 13', 'completion_tokens 400'],
    },
    {
      model: 'mistral/mistral-small-latest',
      usage: tokens(13, 434),
      nanoUsd: 262_350,
      by: '13*0.15 + 434*0.6 (Small 4, since 2026-03-16)',
      recorded: ['mistral/mistral-text.json', 'prompt_tokens 13', 'completion_tokens 434'],
    },
    {
      model: 'mistral/magistral-medium-2507',
      usage: tokens(10, 46),
      nanoUsd: 250_000,
      by: '10*2 + 46*5',
      recorded: ['mistral/mistral-reasoning.json', 'prompt_tokens 10', 'completion_tokens 46'],
    },
    {
      model: 'cohere/command-a-03-2025',
      usage: tokens(12, 7),
      nanoUsd: 100_000,
      by: '12*2.5 + 7*10 (billed units)',
      recorded: ['cohere/cohere-text.json', 'input_tokens 12', 'output_tokens 7'],
    },
    {
      model: 'moonshot/kimi-k3',
      usage: tokens(9, 12, { reasoningTokens: 7 }),
      nanoUsd: 207_000,
      by: '9*3 + 12*15 (streamed)',
      recorded: [
        'moonshot/moonshotai-stream.chunks.txt',
        'prompt_tokens 9',
        'completion_tokens 12',
        'reasoning_tokens 7',
      ],
    },
    {
      model: 'xai/grok-3-mini',
      usage: tokens(12, 291, { cachedInputTokens: 11, reasoningTokens: 290 }),
      nanoUsd: 146_625,
      by: '1*0.3 + 11*0.075 + 291*0.5 = its own 1466250 ticks (streamed)',
      recorded: [
        'xai/xai-text.chunks.txt',
        'prompt_tokens 12',
        'cached_tokens 11',
        'completion_tokens 1',
        'reasoning_tokens 290',
        'cost_in_usd_ticks 1466250',
      ],
    },
    {
      model: 'xai/grok-3-mini',
      usage: tokens(291, 215, { cachedInputTokens: 244, reasoningTokens: 189 }),
      nanoUsd: 139_900,
      by: '47*0.3 + 244*0.075 + 215*0.5 = its own 1399000 ticks',
      recorded: [
        'xai/xai-tool-call.json',
        'prompt_tokens 291',
        'cached_tokens 244',
        'completion_tokens 26',
        'reasoning_tokens 189',
        'cost_in_usd_ticks 1399000',
      ],
    },
  ]) {
    test(`${model}: ${by}`, () => {
      const [provider = '', ...rest] = model.split('/')
      const cost = costOf(usage, priceOf(provider, rest.join('/')), NOON)
      expect(cost).toEqual({ nanoUsd, source: expect.stringMatching(/^genai-prices \d/) as unknown, reported: false })
    })

    test.runIf(hasTestData)(`${recorded[0]} recorded that usage`, () => {
      const [file = '', ...fields] = recorded
      const text = readTestData('fixtures', ...file.split('/'))
      for (const field of fields) expect(text).toMatch(new RegExp(`"${field.replace(' ', '": ?')}\\b`))
    })
  }
})

describe('costOf()', () => {
  const price = flat('config', {
    input: 1,
    output: 2,
    cachedInput: 0.1,
    cacheWrite: 1.25,
    reasoning: 3,
    request: 0.005,
  })

  test('sums every kind of token and the request itself', () => {
    const usage = tokens(1_000, 500, { cachedInputTokens: 600, cacheWriteTokens: 300, reasoningTokens: 200 })
    // 100*1 + 600*0.1 + 300*1.25 + 300*2 + 200*3 millionths, and half a cent for the request.
    expect(costOf(usage, price, NOON).nanoUsd).toBe(1_735_000 + 5_000_000)
  })

  test('prefers the cost reported by the provider over any price', () => {
    expect(costOf(tokens(10, 10, { reportedCostUsd: 0.000146625 }), price, NOON)).toEqual({
      nanoUsd: 146_625,
      source: 'reported',
      reported: true,
    })
    expect(costOf(tokens(10, 10, { reportedCostUsd: 0 }), null, NOON).nanoUsd).toBe(0)
  })

  for (const reportedCostUsd of [Number.NaN, -1, Number.POSITIVE_INFINITY, 50_000])
    test(`ignores a reported cost of ${reportedCostUsd}`, () =>
      expect(costOf(tokens(1_000, 0, { reportedCostUsd }), price, NOON).source).toBe('config'))

  test('is unknown without a price', () =>
    expect(costOf(tokens(10, 10), null, NOON)).toEqual({ nanoUsd: null, source: 'unknown', reported: false }))

  test('stays exact where tokens times price exceeds the range of exact numbers', () => {
    const dear = flat('config', { input: 99_999.999999, output: 0 })
    expect(costOf(tokens(MOST_TOKENS, 0), dear, NOON).nanoUsd).toBe(
      Math.min(9_999_999_999_900_000, Number.MAX_SAFE_INTEGER),
    )
    expect(costOf(tokens(90_000_001, 0), flat('x', { input: 100, output: 0 }), NOON).nanoUsd).toBe(9_000_000_100_000)
  })

  test('costs a whole amount of at least 0, or is unknown, for any nonsensical usage', () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, 1e300, -5, Number.POSITIVE_INFINITY))
    const usage = fc.record({
      inputTokens: number,
      outputTokens: number,
      totalTokens: number,
      cachedInputTokens: number,
      cacheWriteTokens: number,
      reasoningTokens: number,
      reportedCostUsd: number,
      estimated: fc.constant(false),
    })
    fc.assert(
      fc.property(usage, (odd) => {
        const { nanoUsd } = costOf(odd, price, NOON)
        expect(nanoUsd === null || (Number.isSafeInteger(nanoUsd) && nanoUsd >= 0)).toBe(true)
      }),
    )
  })
})

describe('worstCase()', () => {
  const price = flat('config', { input: 1, output: 2, cachedInput: 0.1, cacheWrite: 1.25 })
  const model = { contextTokens: 128_000, maxOutputTokens: 8_000 }
  const unknown = { contextTokens: null, maxOutputTokens: null }
  const NO_PARTS = { input: new Set<never>(), output: new Set<never>(), cachesLong: false }
  const need = (maxOutputTokens: number | null) => ({ inputTokens: 1_000, maxOutputTokens })

  for (const { name, got, expected } of [
    {
      name: 'what the request allows',
      got: worstCase(need(100), price, model, NOON),
      expected: [100, 'request', 1_450_000],
    },
    {
      name: 'never more than the model can',
      got: worstCase(need(99_999), price, model, NOON),
      expected: [8_000, 'model', 17_250_000],
    },
    {
      name: 'the model’s limit when none is asked',
      got: worstCase(need(null), price, model, NOON),
      expected: [8_000, 'model', 17_250_000],
    },
    {
      name: 'an assumed limit when nobody names one',
      got: worstCase(need(null), price, unknown, NOON),
      expected: [ASSUMED_OUTPUT_TOKENS, 'assumption', 34_018_000],
    },
    {
      name: 'at most what the context leaves',
      got: worstCase(need(null), price, { contextTokens: 4_000, maxOutputTokens: null }, NOON),
      expected: [3_000, 'assumption', 7_250_000],
    },
    {
      name: 'a quarter of the context where the prompt’s bytes alone would fill it',
      got: worstCase(
        { inputTokens: 9_000, maxOutputTokens: null },
        price,
        { contextTokens: 8_000, maxOutputTokens: null },
        NOON,
      ),
      expected: [2_000, 'assumption', 15_250_000],
    },
    {
      name: 'every answer that is asked for',
      got: worstCase({ ...need(100), answers: 4 }, price, model, NOON),
      expected: [400, 'request', 2_050_000],
    },
    {
      name: 'what is left of the request’s limit when the call is written',
      got: worstCase({ ...need(99_999), cutToTokens: 500 }, price, model, NOON),
      expected: [500, 'cut', 2_250_000],
    },
    {
      name: 'what the request allows where nothing of it is cut',
      got: worstCase({ ...need(100), cutToTokens: 500 }, price, model, NOON),
      expected: [100, 'request', 1_450_000],
    },
    {
      name: 'what is sent where a refusal taught that the model can do more than its list says',
      got: worstCase({ ...need(99_999), cutToTokens: 10_000 }, price, model, NOON),
      expected: [10_000, 'cut', 21_250_000],
    },
    {
      name: 'every use of a tool in every answer',
      got: worstCase(
        { ...need(100), answers: 2, parts: { ...NO_PARTS, serverTools: { web_search: 3, other: 1 } } },
        flat('config', { input: 1, output: 2, tools: { web_search: 10 } }),
        model,
        NOON,
      ),
      // 1000 + 2 * 100 * 2 in millionths, and twice three searches at a cent and one use at the dearest of any search.
      expected: [200, 'request', 1_400_000 + 2 * (30_000_000 + 50_000_000)],
    },
    {
      name: 'no money when the price is unknown',
      got: worstCase(need(100), null, model, NOON),
      expected: [100, 'request', null],
    },
  ])
    test(`assumes ${name}`, () => expect([got.outputTokens, got.boundedBy, got.nanoUsd]).toEqual(expected))

  test('assumes the higher hourly rate when the price is about to change', () => {
    const deepseek = priceOf('deepseek', 'deepseek-v4-flash')
    const before = Date.parse('2026-11-23T00:55:00Z')
    expect(worstCase(need(0), deepseek, model, before).nanoUsd).toBe(300_000)
  })

  test('is never less than the cost of any usage within it', () => {
    const prices = [
      priceOf('google', 'gemini-3-pro-preview'),
      priceOf('deepseek', 'deepseek-v4-pro'),
      priceOf('perplexity', 'sonar-pro'),
      price,
    ]
    const within = fc.record({
      price: fc.constantFrom(...prices),
      input: fc.nat(400_000),
      output: fc.nat(8_000),
      shares: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
      later: fc.nat(600_000),
      at: fc.integer({ min: NOON - 86_400_000, max: NOON }),
    })
    fc.assert(
      fc.property(within, ({ price, input, output, shares, later, at }) => {
        const usage = tokens(input, output, {
          cachedInputTokens: Math.floor(input * shares[0]),
          cacheWriteTokens: Math.floor((input - Math.floor(input * shares[0])) * shares[1]),
          reasoningTokens: Math.floor(output * shares[1]),
        })
        const worst = worstCase({ inputTokens: input + 10, maxOutputTokens: null }, price, model, at)
        expect(costOf(usage, price, at + later).nanoUsd!).toBeLessThanOrEqual(worst.nanoUsd!)
      }),
      { numRuns: 200 },
    )
  })
})
