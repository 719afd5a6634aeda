/** Usage as no honest upstream reports it, of every form, alone and in each chunk of a stream: what is made of it. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Dialect } from '../src/dialects/dialect.ts'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { ChatChunk, ChatResponse, Usage } from '../src/domain/chat.ts'
import { parseJson } from '../src/domain/parseJson.ts'
import { consumed } from '../src/engine/memory/attemptUsage.ts'
import { costOf } from '../src/money/cost.ts'
import { flat } from '../src/money/price.ts'
import { roughUsage } from '../src/money/usage.ts'
import type { CallEnd } from '../src/upstream/call.ts'
import { assembleResponse } from './support/assembleResponse.ts'
import { chat, chatChunks, gemini, message, messageEvents, response } from './support/costCorpus/wire.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const PRICE = flat('config', {
  ...{ input: 1, output: 10, cachedInput: 0.1, cacheWrite: 1.25, cacheWrite1h: 2, reasoning: 5 },
  ...{ inputAudio: 10, inputImage: 1, inputVideo: 1, outputAudio: 20, outputImage: 30, outputVideo: 30 },
  ...{ cachedAudio: 1, cachedImage: 0.1, audioHour: 1, image: 1, characters: 1 },
  tools: { web_search: 10 },
})

/** Numbers, and what stands in their place. */
const odd = fc.oneof(
  { weight: 3, arbitrary: fc.nat(50_000) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, -1, 0.5, 12.7, 1e300, 9e15, 1e8, -0, '100', '', null, true, [], [7], {}, 'NaN'),
  },
)
const fieldsOf = (names: readonly string[], deeper: fc.Arbitrary<unknown> = odd): fc.Arbitrary<object> =>
  fc.record(Object.fromEntries(names.map((name) => [name, deeper])), { requiredKeys: [] })
const orOdd = (arbitrary: fc.Arbitrary<object>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: odd })

const details = orOdd(
  fieldsOf([
    ...['cached_tokens', 'cache_write_tokens', 'audio_tokens', 'image_tokens', 'video_tokens', 'reasoning_tokens'],
    ...['cache_creation_tokens', 'text_tokens'],
  ]),
)
const merged = (...all: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...all).map((parts) => Object.assign({}, ...parts))
const tools = fieldsOf(['server_tool_use', 'plugins'], orOdd(fieldsOf(['web_search_requests', 'web_fetch_requests'])))
const chatUsage = merged(
  fieldsOf(['prompt_tokens', 'completion_tokens', 'total_tokens', 'prompt_cache_hit_tokens', 'prompt_audio_seconds']),
  fieldsOf(['prompt_tokens_details', 'completion_tokens_details'], details),
  tools,
)
const responsesUsage = merged(
  fieldsOf(['input_tokens', 'output_tokens', 'total_tokens']),
  fieldsOf(['input_tokens_details', 'output_tokens_details'], details),
  tools,
)
const counts = ['input_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens']
const lifetimes = fieldsOf(['ephemeral_5m_input_tokens', 'ephemeral_1h_input_tokens'])
const turn = merged(
  fc.record({ type: fc.constantFrom('message', 'compaction', 'advisor_message', 'fallback_message', 'other') }),
  fieldsOf(counts),
)
const claudeUsage = merged(
  fieldsOf(counts),
  fieldsOf(['cache_creation'], orOdd(lifetimes)),
  fieldsOf(['output_tokens_details'], orOdd(fieldsOf(['thinking_tokens']))),
  fieldsOf(['iterations'], fc.oneof(fc.array(orOdd(turn), { maxLength: 3 }), odd)),
  fieldsOf(['server_tool_use'], orOdd(fieldsOf(['web_search_requests']))),
)
const modality = merged(
  fc.record({ modality: fc.constantFrom('TEXT', 'AUDIO', 'IMAGE', 'VIDEO', 'DOCUMENT', 7, null) }),
  fieldsOf(['tokenCount']),
)
const geminiUsage = merged(
  fieldsOf(['promptTokenCount', 'candidatesTokenCount', 'thoughtsTokenCount', 'totalTokenCount']),
  fieldsOf(['cachedContentTokenCount', 'toolUsePromptTokenCount']),
  fieldsOf(
    ['promptTokensDetails', 'cacheTokensDetails', 'candidatesTokensDetails'],
    fc.oneof(fc.array(orOdd(modality), { maxLength: 3 }), odd),
  ),
)

interface Form {
  readonly dialect: Dialect
  readonly usage: fc.Arbitrary<object>
  readonly whole: (usage: object) => object
  /** The events of a stream; `usages` come one after the other. */
  readonly stream: (usages: readonly object[]) => readonly object[]
}

const FORMS: Readonly<Record<string, Form>> = {
  chat: {
    dialect: dialectOf('openai'),
    usage: chatUsage,
    whole: (usage) => chat(usage),
    stream: (usages) => {
      const [first = {}, finish = {}, last = {}] = chatChunks({})
      return [...usages.map((usage) => ({ ...first, usage })), finish, { ...last, usage: usages.at(-1) }]
    },
  },
  responses: {
    dialect: dialectOf('openai-responses'),
    usage: responsesUsage,
    whole: (usage) => response(usage),
    stream: (usages) => [
      { type: 'response.created', response: { id: 'resp_1', model: 'm', status: 'in_progress', output: [] } },
      { type: 'response.completed', response: response(usages.at(-1) ?? {}) },
    ],
  },
  messages: {
    dialect: dialectOf('anthropic'),
    usage: claudeUsage,
    whole: (usage) => message(usage),
    stream: (usages) => messageEvents(usages[0] ?? {}, usages.at(-1) ?? {}),
  },
  gemini: {
    dialect: dialectOf('google'),
    usage: geminiUsage,
    whole: (usage) => gemini(usage),
    stream: (usages) =>
      usages.map((usage, index) => gemini(usage, index < usages.length - 1 ? { finishReason: null } : {})),
  },
}

const asSent = (value: object) => parseJson(JSON.stringify(value))

function readWhole({ dialect, whole }: Form, usage: object): ChatResponse {
  const read = dialect.upstream.readResponse(asSent(whole(usage)))
  return read.ok ? read.response : expect.fail('not an answer')
}

function readStream({ dialect, stream }: Form, usages: readonly object[]): ChatResponse {
  const reader = dialect.upstream.streamReader()
  const chunks: ChatChunk[] = stream(usages).flatMap((event) => [...reader.push('', JSON.stringify(event))])
  return assembleResponse([...chunks, ...reader.end()])
}

const request = {
  model: 'm',
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello there' }] }],
  stream: false,
} as const

function booked(answer: ChatResponse): Usage {
  const end: CallEnd = {
    outcome: { ok: true, response: answer },
    usage: answer.usage ?? null,
    limits: [],
    status: 200,
    latencyMs: 1,
    firstTokenMs: 1,
    hadContent: true,
    raw: null,
    partial: answer,
  }
  return consumed(end, { inputTokens: 3, request: () => request }, roughUsage) ?? expect.fail('nothing was booked')
}

const isCount = (value: number | undefined) => value === undefined || (Number.isSafeInteger(value) && value >= 0)
const sumOf = (tokens: Readonly<Record<string, number>> = {}) =>
  Object.values(tokens).reduce((sum, one) => sum + one, 0)

function expectSound(usage: Usage): void {
  const { inputTokens, outputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0, parts } = usage
  for (const count of [inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens])
    expect(isCount(count), `${count}`).toBe(true)
  // Nobody asked nothing, and "Hi" was answered: a side of zero is no more than a word or two, and is marked.
  expect(inputTokens + outputTokens).toBeGreaterThan(0)
  if (inputTokens === 0 || outputTokens === 0) expect(usage.estimated).toBe(true)
  expect(cachedInputTokens + cacheWriteTokens).toBeLessThanOrEqual(inputTokens)
  expect(reasoningTokens).toBeLessThanOrEqual(outputTokens)
  expect(parts?.cacheWrite1hTokens ?? 0).toBeLessThanOrEqual(cacheWriteTokens)
  expect(sumOf(parts?.input)).toBeLessThanOrEqual(inputTokens)
  expect(sumOf(parts?.cached)).toBeLessThanOrEqual(cachedInputTokens)
  expect(sumOf(parts?.output)).toBeLessThanOrEqual(outputTokens - reasoningTokens)
}

function expectPriced(usage: Usage): void {
  const { nanoUsd, range } = costOf(usage, PRICE, NOON)
  if (nanoUsd !== null) return expect(Number.isSafeInteger(nanoUsd) && nanoUsd > 0, `${nanoUsd}`).toBe(true)
  const { atLeast = Number.NaN, atMost = Number.NaN } = range ?? {}
  expect(Number.isSafeInteger(atLeast) && atLeast >= 0 && atLeast < atMost, `${atLeast} to ${atMost}`).toBe(true)
}

describe.each(Object.entries(FORMS))('%s', (_name, form) => {
  test('any report is booked as sound counts with a cost', () => {
    fc.assert(
      fc.property(form.usage, (usage) => {
        const used = booked(readWhole(form, usage))
        expectSound(used)
        expectPriced(used)
      }),
      { numRuns: 400 },
    )
  })

  test('any reports of a stream are booked as sound counts with a cost', () => {
    fc.assert(
      fc.property(fc.array(form.usage, { minLength: 1, maxLength: 4 }), (usages) => {
        const used = booked(readStream(form, usages))
        expectSound(used)
        expectPriced(used)
      }),
      { numRuns: 300 },
    )
  })

  test('a report that is repeated in each chunk counts once', () => {
    fc.assert(
      fc.property(form.usage, fc.integer({ min: 1, max: 5 }), (usage, times) => {
        const once = readStream(form, [usage]).usage
        expect(readStream(form, Array(times).fill(usage)).usage).toEqual(once)
      }),
      { numRuns: 100 },
    )
  })
})
