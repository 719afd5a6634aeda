/** Random canonical answers and streams, for what every dialect must carry from one side to the other. */

import fc from 'fast-check'
import type {
  ChatChunk,
  ChatResponse,
  FinishReason,
  ModalityTokens,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  Usage,
  UsageParts,
} from '../../src/domain/chat.ts'

/** Text that is not empty, with line ends, quotes and characters beyond the first plane. */
export const someText = fc.oneof(
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
  fc.constantFrom('Grüße\n', '"quoted"\\', '𝄞\r\n', '\u2028', ' ', 'data: x\n\n'),
)

export const someName = fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/)

const someArguments = fc
  .dictionary(someName, fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
  .map((value) => JSON.stringify(value))

const textPart: fc.Arbitrary<TextPart> = someText.map((text) => ({ type: 'text', text }))
const reasoningPart: fc.Arbitrary<ReasoningPart> = someText.map((text) => ({ type: 'reasoning', text }))

/** Calls with ids that are unlike each other. */
export const someCalls: fc.Arbitrary<ToolCallPart[]> = fc
  .array(fc.record({ name: someName, arguments: someArguments }), { maxLength: 3 })
  .map((calls) => calls.map((call, index) => ({ type: 'tool-call', id: `call_${index}`, ...call })))

export const someUsage: fc.Arbitrary<Usage> = fc
  .tuple(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([inputTokens, outputTokens, share]) => ({
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cachedInputTokens: Math.floor(inputTokens * share),
    cacheWriteTokens: inputTokens - Math.floor(inputTokens * share),
    reasoningTokens: Math.floor(outputTokens * share),
    estimated: false,
  }))

const someTokens: fc.Arbitrary<ModalityTokens> = fc.record(
  { audio: fc.nat(5_000), image: fc.nat(5_000), video: fc.nat(5_000) },
  { requiredKeys: [] },
)

/** Parts of any usage: they may be larger than their whole. */
export const someParts: fc.Arbitrary<UsageParts> = fc.record(
  {
    cacheWrite1hTokens: fc.nat(5_000),
    input: someTokens,
    cached: someTokens,
    output: someTokens,
    serverTools: fc.dictionary(fc.constantFrom('web_search', 'web_fetch', 'file_search'), fc.nat(20)),
    serviceTier: fc.constantFrom('flex', 'priority'),
    images: fc.nat(10),
    audioSeconds: fc.double({ min: 0, max: 7_200, noNaN: true }),
    feeUsd: fc.integer({ min: 1, max: 1_000_000 }).map((micros) => micros / 1e6),
  },
  { requiredKeys: [] },
)

/** Thoughts, then text, then calls: the order in which chat completions send them. */
export const someResponse: fc.Arbitrary<ChatResponse> = fc
  .record({
    reasoning: fc.option(reasoningPart, { nil: undefined }),
    text: fc.option(textPart, { nil: undefined }),
    calls: someCalls,
    usage: fc.option(someUsage, { nil: undefined }),
    reason: fc.constantFrom<FinishReason>('stop', 'length', 'content_filter'),
  })
  .map(({ reasoning, text, calls, usage, reason }) => ({
    id: 'resp_x1',
    model: 'some/model',
    content: [reasoning, text, ...calls].filter((part) => part !== undefined),
    finishReason: calls.length > 0 && reason === 'stop' ? 'tool_calls' : reason,
    ...(usage !== undefined && { usage }),
  }))

/** The answer as a stream whose deltas are cut at random places. */
export function streamOf(response: ChatResponse, cutAt: (length: number) => number): ChatChunk[] {
  const chunks: ChatChunk[] = [{ type: 'start', id: response.id, model: response.model }]
  const calls = response.content.filter((part) => part.type === 'tool-call')
  for (const part of response.content) {
    if (part.type === 'text') for (const text of pieces(part.text, cutAt)) chunks.push({ type: 'text-delta', text })
    if (part.type === 'reasoning')
      for (const text of pieces(part.text, cutAt)) chunks.push({ type: 'reasoning-delta', text })
    if (part.type === 'tool-call') {
      const index = calls.indexOf(part)
      chunks.push({ type: 'tool-call-start', index, id: part.id, name: part.name })
      for (const text of pieces(part.arguments, cutAt)) chunks.push({ type: 'tool-call-delta', index, arguments: text })
    }
  }
  for (const [index, call] of calls.entries()) chunks.push({ ...call, index })
  chunks.push({ type: 'finish', finishReason: response.finishReason })
  if (response.usage !== undefined) chunks.push({ type: 'usage', usage: response.usage })
  chunks.push({ type: 'end' })
  return chunks
}

function pieces(text: string, cutAt: (length: number) => number): string[] {
  const cut = cutAt(text.length)
  return [text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== '')
}

/** A JSON value with some of its fields dropped or replaced by values of other types. */
export function mutate(value: unknown, random: () => number): unknown {
  if (random() < 0.06) return STRANGE[Math.floor(random() * STRANGE.length)]
  if (Array.isArray(value)) return value.map((item) => mutate(item, random))
  if (typeof value !== 'object' || value === null) return value
  const copy: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) if (random() >= 0.06) copy[name] = mutate(field, random)
  return copy
}

const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'x',
  [],
  [null],
  [[]],
  {},
  { type: 'x' },
  { __proto__: null, toString: 1 },
]
