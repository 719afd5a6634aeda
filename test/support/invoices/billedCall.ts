/**
 * Calls as a service bills them, read from the wire by its documentation and not by keywise's readers, and the same calls
 * as keywise records them.
 */

import { expect } from 'vitest'
import type { Dialect } from '../../../src/dialects/dialect.ts'
import { dialectOf } from '../../../src/dialects/dialects.ts'
import { embeddingsFor } from '../../../src/dialects/embeddings/upstream.ts'
import type { ChatChunk, Usage } from '../../../src/domain/chat.ts'
import { asArray, asRecord } from '../../../src/domain/json.ts'
import type { AttemptEvent, TargetRef } from '../../../src/domain/store.ts'
import { stateId } from '../../../src/domain/target.ts'
import { costOf } from '../../../src/money/cost.ts'
import { loadGenaiPrices } from '../../../src/money/genaiPrices.ts'
import type { Price } from '../../../src/money/price.ts'
import { Prices } from '../../../src/money/prices.ts'
import { findProvider } from '../../../src/providers/catalog.ts'
import { assembleResponse } from '../assembleResponse.ts'
import type { CostRecord } from '../costCorpus/record.ts'
import { chat, gemini, message } from '../costCorpus/wire.ts'
import { makeSuccess } from '../makeEvents.ts'

/** Disjoint counts, as the price lists have them. */
export interface BilledCall {
  readonly provider: string
  readonly model: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Name of the key, as the service and the configuration have it; default: none. */
  readonly key?: string
  readonly tier?: string
  readonly fresh: number
  readonly cached: number
  readonly written: number
  readonly writtenLong: number
  /** Thoughts included. */
  readonly output: number
  readonly reasoning: number
  /** Of the fresh tokens. */
  readonly audio: number
  readonly searches: number
  /** Integer nano-USD. */
  readonly nanoUsd: number
  /** The same by what is billed, where it is known. */
  readonly parts?: Readonly<Record<string, number>>
}

export const NOTHING = {
  fresh: 0,
  cached: 0,
  written: 0,
  writtenLong: 0,
  output: 0,
  reasoning: 0,
  audio: 0,
  searches: 0,
} as const

/** USD per million tokens, as published; see the sources in the corpus of costs. */
const RATES: Readonly<Record<string, { provider: string; rates: Readonly<Record<string, number>> }>> = {
  'gpt-5.1': { provider: 'openai', rates: { fresh: 1.25, cached: 0.125, output: 10 } },
  'gpt-4.1': { provider: 'openai', rates: { fresh: 2, cached: 0.5, output: 8 } },
  'claude-sonnet-5': {
    provider: 'anthropic',
    rates: { fresh: 2, cached: 0.2, written: 2.5, writtenLong: 4, output: 10, searches: 10_000 },
  },
  'claude-opus-5': {
    provider: 'anthropic',
    rates: { fresh: 5, cached: 0.5, written: 6.25, writtenLong: 10, output: 25, searches: 10_000 },
  },
  'gemini-2.5-flash': { provider: 'google', rates: { fresh: 0.3, cached: 0.03, audio: 1, output: 2.5 } },
  'gemini-2.5-pro': { provider: 'google', rates: { fresh: 1.25, cached: 0.125, output: 10 } },
  'anthropic/claude-sonnet-5': { provider: 'openrouter', rates: { fresh: 2, cached: 0.2, output: 10 } },
  'openai/gpt-6-luna': { provider: 'openrouter', rates: { fresh: 0.1, cached: 0.01, output: 0.5 } },
}

export const PRICED_MODELS = Object.entries(RATES).map(([model, { provider }]) => ({ model, provider }))

/** What a call of a model with published rates costs. */
export function billed(
  model: string,
  at: number,
  counts: Partial<Omit<BilledCall, 'nanoUsd' | 'parts' | 'provider' | 'model' | 'at'>>,
): BilledCall {
  const { provider, rates } = RATES[model] ?? expect.fail(`no rates of ${model}`)
  const call = { ...NOTHING, ...counts }
  const textual = { ...call, fresh: call.fresh - call.audio }
  const parts: Record<string, number> = {}
  for (const part of ['fresh', 'cached', 'written', 'writtenLong', 'output', 'audio', 'searches'] as const) {
    const rate = rates[part]
    if (textual[part] === 0) continue
    if (rate === undefined) expect.fail(`no rate of ${part} for ${model}`)
    // 1 USD per million tokens is 1,000 nano-USD per token; the rates here have at most three decimals.
    parts[part] = textual[part] * Math.round(rate * 1_000)
  }
  const nanoUsd = Object.values(parts).reduce((sum, nano) => sum + nano, 0)
  return { provider, model, at, ...call, nanoUsd, parts }
}

/** The call of a record of the corpus; null where the service bills nothing that can be read, or keeps its price to itself. */
export function billedOf(record: CostRecord, at: number): BilledCall | null {
  if (!('nanoUsd' in record) || record.nanoUsd === null) return null
  const counts = COUNTS[record.reader]?.(rawUsage(record))
  if (counts === undefined) return null
  return { ...NOTHING, provider: record.provider, model: record.model, at, ...counts, nanoUsd: record.nanoUsd }
}

type Raw = Readonly<Record<string, unknown>>

/** The usage object of an answer, or of the last event that has one, with what earlier ones said. */
function rawUsage({ answer }: CostRecord): Raw {
  const events = asArray(answer) ?? [answer]
  let usage: Raw = {}
  for (const event of events) {
    const fields = asRecord(event) ?? {}
    const inner = asRecord(fields['message']) ?? asRecord(fields['response']) ?? fields
    usage = { ...usage, ...(asRecord(inner['usage']) ?? asRecord(inner['usageMetadata']) ?? {}) }
  }
  return usage
}

const numberAt = (raw: Raw, ...path: readonly string[]): number => {
  let value: unknown = raw
  for (const name of path) value = asRecord(value)?.[name]
  return typeof value === 'number' ? value : 0
}

type Counter = (raw: Raw) => Partial<BilledCall>

function openaiCounts(raw: Raw, input: string, output: string): Partial<BilledCall> {
  const cached = numberAt(raw, `${input}_details`, 'cached_tokens')
  const written = numberAt(raw, `${input}_details`, 'cache_write_tokens')
  return {
    fresh: numberAt(raw, input) - cached - written,
    cached,
    written,
    output: numberAt(raw, output),
    reasoning: numberAt(raw, `${output}_details`, 'reasoning_tokens'),
  }
}

/** What Claude's totals leave out, and what is billed all the same. */
function ofSummaries(raw: Raw, name: string): number {
  const turns = (asArray(raw['iterations']) ?? []).map((turn) => asRecord(turn) ?? {})
  return turns.filter(({ type }) => type === 'compaction').reduce((sum, turn) => sum + numberAt(turn, name), 0)
}

const COUNTS: Readonly<Record<string, Counter>> = {
  chat: (raw) => openaiCounts(raw, 'prompt_tokens', 'completion_tokens'),
  responses: (raw) => openaiCounts(raw, 'input_tokens', 'output_tokens'),
  vectors: (raw) => ({ fresh: numberAt(raw, 'prompt_tokens') }),
  messages: (raw) => {
    const long = numberAt(raw, 'cache_creation', 'ephemeral_1h_input_tokens')
    return {
      fresh: numberAt(raw, 'input_tokens') + ofSummaries(raw, 'input_tokens'),
      cached: numberAt(raw, 'cache_read_input_tokens') + ofSummaries(raw, 'cache_read_input_tokens'),
      // The whole is not always told beside its parts.
      written: Math.max(
        numberAt(raw, 'cache_creation_input_tokens') - long,
        numberAt(raw, 'cache_creation', 'ephemeral_5m_input_tokens'),
      ),
      writtenLong: long,
      output: numberAt(raw, 'output_tokens') + ofSummaries(raw, 'output_tokens'),
      searches: numberAt(raw, 'server_tool_use', 'web_search_requests'),
    }
  },
}

const prices = new Prices({ lookup: await loadGenaiPrices() })

/** The price of a billed target, from the same facts as in a registry of targets. */
export function priceOfModel(provider: string, model: string): Price | null {
  const spec = findProvider(provider)
  return prices.priceOf({
    provider,
    model,
    free: false,
    local: false,
    cataloguePrice: spec?.models.find(({ id }) => id === model)?.price ?? null,
    tiers: spec?.tiers,
    tools: spec?.toolPrices,
  })
}

export function targetOf(provider: string, model: string, key?: string): TargetRef {
  const fingerprint = (key ?? 'nobody').padEnd(16, '0').slice(0, 16)
  const account = key === undefined ? `${provider}@${fingerprint}` : `${provider}:${key}`
  return { stateId: stateId(provider, model, fingerprint), provider, model, fingerprint, keyIndex: 1, account }
}

/** As keywise reads the answer of a record, and prices it. */
export function recordedOf(record: CostRecord, at: number): AttemptEvent {
  return recorded(record.provider, record.model, at, usageOf(record))
}

function recorded(provider: string, model: string, at: number, usage: Usage | null, key?: string): AttemptEvent {
  const cost = usage === null ? null : costOf(usage, priceOfModel(provider, model), at)
  return makeSuccess(targetOf(provider, model, key), at + 500, {
    startedAt: at,
    latencyMs: 500,
    usage,
    costNanoUsd: cost?.nanoUsd ?? null,
    ...(cost?.range !== undefined && { costRange: cost.range }),
    priceSource: cost?.source ?? null,
  })
}

const DIALECTS: Readonly<Record<string, Dialect | null>> = {
  chat: dialectOf('openai'),
  responses: dialectOf('openai-responses'),
  messages: dialectOf('anthropic'),
  gemini: dialectOf('google'),
  vectors: embeddingsFor('openai'),
}

function usageOf({ reader, answer }: Pick<CostRecord, 'reader' | 'answer'>): Usage | null {
  const { upstream } = DIALECTS[reader] ?? expect.fail(reader)
  if (!Array.isArray(answer)) {
    const read = upstream.readResponse(answer)
    return read.ok ? (read.response.usage ?? null) : expect.fail('not an answer')
  }
  const stream = upstream.streamReader()
  const chunks: ChatChunk[] = answer.flatMap((event) => [...stream.push('', JSON.stringify(event))])
  return assembleResponse([...chunks, ...stream.end()]).usage ?? null
}

/** As keywise records a call whose answer came over the wire. */
export function ledgerRow(call: BilledCall, facts: Partial<AttemptEvent> = {}): AttemptEvent {
  const { reader, answer } = wireOf(call)
  return { ...recorded(call.provider, call.model, call.at, usageOf({ reader, answer }), call.key), ...facts }
}

function wireOf(call: BilledCall): Pick<CostRecord, 'reader' | 'answer'> {
  const { fresh, cached, written, writtenLong, output, reasoning, audio, searches, tier } = call
  if (call.provider === 'anthropic')
    return {
      reader: 'messages',
      answer: message({
        input_tokens: fresh,
        cache_creation_input_tokens: written + writtenLong,
        cache_read_input_tokens: cached,
        cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: writtenLong },
        output_tokens: output,
        ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
        service_tier: tier ?? 'standard',
      }),
    }
  if (call.provider === 'google')
    return {
      reader: 'gemini',
      answer: gemini({
        promptTokenCount: fresh + cached,
        cachedContentTokenCount: cached,
        candidatesTokenCount: output - reasoning,
        ...(reasoning > 0 && { thoughtsTokenCount: reasoning }),
        totalTokenCount: fresh + cached + output,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: fresh + cached - audio },
          ...(audio > 0 ? [{ modality: 'AUDIO', tokenCount: audio }] : []),
        ],
      }),
    }
  return {
    reader: 'chat',
    answer: chat(
      {
        prompt_tokens: fresh + cached + written,
        completion_tokens: output,
        total_tokens: fresh + cached + written + output,
        prompt_tokens_details: { cached_tokens: cached, ...(written > 0 && { cache_write_tokens: written }) },
        ...(reasoning > 0 && { completion_tokens_details: { reasoning_tokens: reasoning } }),
        ...(call.provider === 'openrouter' && { cost: call.nanoUsd / 1e9, is_byok: false }),
      },
      tier === undefined ? {} : { service_tier: tier },
    ),
  }
}
