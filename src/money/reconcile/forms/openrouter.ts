/**
 * OpenRouter: activity by day, and single generations.
 * https://openrouter.ai/docs/api/api-reference/analytics/get-user-activity,
 * https://openrouter.ai/docs/api/api-reference/generations/get-generation,
 * https://openrouter.ai/docs/guides/guides/activity-export (2026-11-30); columns of the files as published by those who
 * read them (2026-11-30).
 */

import { type Form, type InvoiceRecord, tierFrom } from '../form.ts'
import type { Counts } from '../invoice.ts'
import { startAndEnd } from '../span.ts'

const PROVIDER = 'openrouter'

/** What the account is charged, and what the user's own key behind it is charged by the service. */
function chargedAndBehind(record: InvoiceRecord, charged: readonly string[], behind: readonly string[]): number | null {
  const own = record.amount(charged)
  return own === null ? null : own + (record.amount(behind) ?? 0)
}

/** Reasoning tokens are part of the completion's. */
export const openrouterActivity: Form = {
  title: 'OpenRouter activity (JSON of /api/v1/activity, or its CSV)',
  provider: PROVIDER,
  needs: ['date', 'model|slug|model_permaslug', 'usage', 'requests', 'prompt_tokens', 'completion_tokens'],
  money: ['usage', 'byok_usage', 'byok_usage_inference'],
  rounds: true,
  tells: (fields) => [
    'requests',
    'input',
    'output',
    ...(fields.has('reasoning_tokens') ? (['reasoning'] as const) : []),
  ],
  lines: (record) => [
    {
      ...startAndEnd(record, ['date']),
      model: record.text('model', 'slug', 'model_permaslug'),
      key: record.text('api_key_name'),
      counts: {
        requests: record.count('requests'),
        input: record.count('prompt_tokens'),
        output: record.count('completion_tokens'),
        reasoning: record.count('reasoning_tokens'),
      },
      nanoUsd: chargedAndBehind(record, ['usage'], ['byok_usage_inference', 'byok_usage']),
      part: null,
    },
  ],
}

const PROMPT = ['native_tokens_prompt', 'tokens_prompt'] as const
const ANSWER = ['native_tokens_completion', 'tokens_completion'] as const
const CACHED = ['native_tokens_cached', 'tokens_cached'] as const
const THOUGHT = ['native_tokens_reasoning', 'tokens_reasoning'] as const

const hasOne = (fields: ReadonlySet<string>, names: readonly string[]) => names.some((name) => fields.has(name))

/** Of the counts those by the model's own tokenizer are billed, where they are there. */
export const openrouterGenerations: Form = {
  title: 'OpenRouter generations (JSON of /api/v1/generation, or the CSV of its logs)',
  provider: PROVIDER,
  needs: ['created_at', 'cost_total|total_cost', 'model|model_permaslug', 'tokens_prompt', 'tokens_completion'],
  money: ['cost_total', 'total_cost', 'byok_usage_inference'],
  tells: (fields) => [
    'requests',
    'input',
    'output',
    ...(hasOne(fields, CACHED) ? (['cached'] as const) : []),
    ...(hasOne(fields, THOUGHT) ? (['reasoning'] as const) : []),
  ],
  lines(record) {
    const { start } = startAndEnd(record, ['created_at'])
    const behind = record.text('is_byok') === 'true' ? ['upstream_inference_cost'] : ['byok_usage_inference']
    const counts: Counts = {
      requests: 1,
      input: record.count(...PROMPT),
      output: record.count(...ANSWER),
      cached: record.count(...CACHED),
      reasoning: record.count(...THOUGHT),
    }
    return [
      {
        start,
        end: start + 1,
        model: withVariant(record.text('model_permaslug', 'model'), record.text('variant')),
        key: record.text('api_key_name'),
        tier: tierFrom(record.text('service_tier')),
        counts,
        nanoUsd: chargedAndBehind(record, ['cost_total', 'total_cost'], behind),
        part: null,
      },
    ]
  },
}

/** `openai/gpt-oss-120b` in its variant `free` is `openai/gpt-oss-120b:free`. */
function withVariant(model: string | null, variant: string | null): string | null {
  if (model === null || variant === null || variant === 'standard' || model.endsWith(`:${variant}`)) return model
  return `${model}:${variant}`
}
