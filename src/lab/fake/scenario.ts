/**
 * What the simulated providers are like: their keys, models, limits and faults. The JSON of `keywise fake --scenario`.
 */

import { z } from 'zod'
import { STRICT_SERVICES } from '../strict/services.ts'
import { ODD_ANSWERS } from './oddAnswers.ts'

const duration = z.number().min(0).max(600_000)

const fakeKey = z.strictObject({
  /** Keys of one account share its limits. Default: each key its own. */
  account: z.string().optional(),
  /** Answered like a revoked key from the start. */
  revoked: z.boolean().optional(),
  /** Its account has paid before, and the key endpoint says so (OpenRouter). */
  charged: z.boolean().optional(),
  /**
   * What its account has left, in the `currency` that it tells; calls cost what the `price` of their model says, and are
   * refused when nothing is left. Keys of one account share what the first of them has. Default: no end of it.
   */
  credit: z.number().optional(),
  /** Default USD. */
  currency: z.string().optional(),
  /** The most that may be spent with this key alone (OpenRouter). Default: no limit. */
  limit: z.number().optional(),
  /** When that limit begins anew, as the key endpoint says; it never does here. */
  limit_reset: z.enum(['daily', 'weekly', 'monthly']).optional(),
  /** It is told the credit of its account, as a management key is (OpenRouter). */
  sees_credits: z.boolean().optional(),
})

const fakeToolCall = z.strictObject({
  tool: z.string(),
  /** A custom tool takes the text of `input`, else these as text. */
  arguments: z.record(z.string(), z.unknown()).default({}),
})

const fakeModel = z.strictObject({
  /** Milliseconds to the first token. Default 0. */
  latency_ms: duration.optional(),
  /** Default: as fast as the socket takes them. */
  tokens_per_second: z.number().positive().optional(),
  /** What it answers; `{prompt}`, `{model}` and `{results}` of tools are filled in. Default: a short sentence about the prompt. */
  reply: z.string().optional(),
  /**
   * Thinks this many tokens before it answers, and answers nothing when `max_tokens` is smaller. Its thoughts, and with
   * Gemini its calls, are signed where its language signs them.
   */
  thinks: z.number().int().min(0).optional(),
  /** In its first turn it calls these of the tools it is offered, all at once, whatever it was asked. */
  calls: z.array(fakeToolCall).optional(),
  /**
   * The tool loops of a whole conversation, whatever it is asked: in each step it calls the first of these tools that it
   * is offered, and it answers when all steps were taken.
   */
  steps: z.array(z.array(fakeToolCall)).optional(),
  /** It counts its steps itself, for conversations that their client shortens. Default: they show what was done. */
  counts_steps: z.boolean().optional(),
  /** What it says, without taking a step, to a prompt that has `asked_by` in it. */
  summary: z.strictObject({ asked_by: z.string(), reply: z.string() }).optional(),
  /**
   * The calls of its turns, one turn after another, of the tools it is offered. It knows its turn by the number of tool
   * results it was given (or of its own answers, where there are none), and answers in words when all are done.
   */
  turns: z.array(z.array(fakeToolCall)).optional(),
  /** Listed, but calls answer "model not found". */
  retired: z.boolean().optional(),
  /** Not in the models list. */
  unlisted: z.boolean().optional(),
  /** Default `chat`. `speech` speaks and writes down. */
  kind: z.enum(['chat', 'embedding', 'speech', 'moderation', 'rerank', 'image']).optional(),
  context_tokens: z.number().int().positive().optional(),
  /** A local server holds it in memory. */
  loaded: z.boolean().optional(),
  /** What it refuses with "not supported". */
  lacks: z.array(z.enum(['tools', 'images', 'json', 'streaming', 'stream_options'])).optional(),
  /** USD per million tokens; shown in lists that show prices. */
  price: z.strictObject({ input: z.number().min(0), output: z.number().min(0) }).optional(),
})

const fakeLimit = z.strictObject({
  unit: z.enum(['requests', 'tokens']),
  window: z.enum(['second', 'minute', 'hour', 'day']),
  limit: z.number().int().min(0),
  scope: z.enum(['key', 'account', 'account+model']).default('account+model'),
  /** Where the limit is stated: in the provider's own headers and bodies, or nowhere. */
  stated: z.boolean().default(true),
  /** `day` only: where the day begins. Default UTC. */
  zone: z.enum(['UTC', 'America/Los_Angeles']).optional(),
})

const FAULTS = [
  'rate_minute',
  'quota_day',
  'billing',
  /** OpenRouter: the limit of this key alone is reached. */
  'key_limit',
  /** OpenRouter: too much is under way for the credit that is left. */
  'in_flight_budget',
  'auth_invalid',
  'auth_forbidden',
  'overloaded',
  'server',
  'model_not_found',
  'context_too_long',
  'content_filter',
  'unsupported',
  'bad_request',
  'too_large_for_limit',
  'zero_quota',
  /** The socket is reset before any answer. */
  'reset',
  /** Headers come, then nothing for ever. */
  'stall',
  /** Nothing comes at all. */
  'silence',
  /** A 200 with HTML, with nothing, or with an error inside. */
  'html',
  'empty',
  'error_in_200',
  /**
   * A stream that breaks after `chunks` chunks: by reset, by a clean end, by standing still, by an error event, by bad
   * JSON.
   */
  'cut_reset',
  'cut_clean',
  'cut_stall',
  'cut_error',
  'bad_chunk',
  /** A stream that ends without its `[DONE]`. */
  'no_done',
  /** The first token comes `ms` late. */
  'slow',
  /** One byte a second. */
  'drip',
  'redirect',
  /** Answers with HTTP 200 that are none, or not what was asked for. */
  ...ODD_ANSWERS,
] as const

const fakeFault = z.strictObject({
  do: z.enum(FAULTS),
  model: z.string().optional(),
  /** 1-based index of the key in `keys`. */
  key: z.number().int().positive().optional(),
  /** The n-th matching call, counted from 1, up to and with `to`. Default: all. */
  from: z.number().int().positive().optional(),
  to: z.number().int().positive().optional(),
  /** Between these milliseconds after the start. */
  after_ms: z.number().min(0).optional(),
  until_ms: z.number().min(0).optional(),
  /** 0..1, default 1. */
  chance: z.number().min(0).max(1).optional(),
  chunks: z.number().int().min(0).optional(),
  ms: duration.optional(),
  /** What a limit or overload states as its wait, in seconds. */
  retry_after: z.number().min(0).optional(),
  /** `blocked`: the service's own word for it, such as Gemini's `RECITATION`, or `prompt:SAFETY` for a blocked prompt. */
  reason: z.string().optional(),
  status: z.number().int().min(300).max(599).optional(),
})

const fakeProvider = z.strictObject({
  dialect: z.enum(['openai', 'openai-responses', 'anthropic', 'google']).optional(),
  /**
   * The service whose rules of requests it enforces, or false for none. Default: its own; a provider that is not in the
   * catalogue refuses what every service of its dialect does.
   */
  strict: z.union([z.literal(false), z.enum(STRICT_SERVICES)]).optional(),
  /** Key text to what it is. Without any, every key is good. */
  keys: z.record(z.string(), fakeKey).optional(),
  models: z.record(z.string(), fakeModel),
  limits: z.array(fakeLimit).optional(),
  faults: z.array(fakeFault).optional(),
})

export const scenarioSchema = z.strictObject({
  seed: z.number().int().optional(),
  providers: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), fakeProvider),
})

export type FakeScenario = z.input<typeof scenarioSchema>
type ReadScenario = z.output<typeof scenarioSchema>
export type FakeProviderFacts = ReadScenario['providers'][string]
export type FakeKey = z.output<typeof fakeKey>
export type FakeModel = z.output<typeof fakeModel>
export type FakeLimit = z.output<typeof fakeLimit>
export type FakeFault = z.output<typeof fakeFault>

/** Checks a model that is added while the world runs. Throws a ZodError. */
export function readModel(facts: unknown): FakeModel {
  return fakeModel.parse(facts)
}

/** Checks a fault that is added while the world runs. Throws a ZodError. */
export function readFault(fault: unknown): FakeFault {
  return fakeFault.parse(fault)
}
