/** Ready-made worlds: the original's keys (Groq, OpenRouter, three of Google) as they might behave today. */

import type { FakeScenario } from './scenario.ts'

/** A key of the simulated world: recognisably fake, and unlike any real shape so that scanners stay quiet. */
export const fakeKeyText = (provider: string, index: number) => `fake-${provider}-${'0'.repeat(12)}${index}`

const GROQ_MODELS = [
  'openai/gpt-oss-120b',
  'openai/gpt-oss-20b',
  'qwen/qwen3.8-27b',
  'groq/compound',
  'groq/compound-mini',
]
const OPENROUTER_MODELS = [
  'anthropic/claude-sonnet-4.5',
  'openai/gpt-oss-120b:free',
  'meta-llama/llama-4-maverick',
  'deepseek/deepseek-v3.2',
  'qwen/qwen3-coder:free',
  'mistralai/mistral-small-3.2',
  'google/gemma-4-31b-it:free',
]
const GOOGLE_MODELS = [
  'gemini-3.8-flash',
  'gemini-3.5-flash-lite',
  'gemini-2.5-flash',
  'gemini-2.5-pro',
  'gemma-4-31b-it',
]

/** The original's 28 targets (6 + 7 + 5 x 3), each answering after `latencyMs`, without faults. */
export function originalScenario(latencyMs: number): FakeScenario {
  const chat = (ids: readonly string[]) => Object.fromEntries(ids.map((id) => [id, { latency_ms: latencyMs }]))
  return {
    providers: {
      groq: { keys: keys('groq', 1), models: chat([...GROQ_MODELS, 'moonshotai/kimi-k2']) },
      openrouter: { keys: keys('openrouter', 1), models: chat(OPENROUTER_MODELS) },
      google: { keys: keys('google', 3), models: chat(GOOGLE_MODELS) },
    },
  }
}

function keys(provider: string, count: number): Record<string, Record<string, never>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [fakeKeyText(provider, index + 1), {}]))
}

/**
 * What the demo shows: fast and limited, broad and moody, three keys of which two share a project and one is revoked.
 */
export function demoScenario(): FakeScenario {
  return {
    seed: 7,
    providers: {
      groq: {
        keys: keys('groq', 1),
        limits: [{ unit: 'requests', window: 'minute', limit: 30 }],
        models: {
          'openai/gpt-oss-120b': { latency_ms: 120, tokens_per_second: 900, price: { input: 0.15, output: 0.6 } },
          'openai/gpt-oss-20b': { latency_ms: 80, tokens_per_second: 1200, price: { input: 0.075, output: 0.3 } },
          'qwen/qwen3.8-27b': { latency_ms: 150, tokens_per_second: 700, thinks: 40 },
          'llama-3.3-70b-versatile': { retired: true },
          'whisper-large-v3': { kind: 'speech' },
        },
        faults: [{ do: 'overloaded', chance: 0.03, retry_after: 2 }],
      },
      openrouter: {
        keys: keys('openrouter', 1),
        limits: [{ unit: 'requests', window: 'day', limit: 50, scope: 'account' }],
        models: {
          'openai/gpt-oss-120b:free': { latency_ms: 500, tokens_per_second: 120, price: { input: 0, output: 0 } },
          'qwen/qwen3-coder:free': { latency_ms: 900, tokens_per_second: 80, price: { input: 0, output: 0 } },
          'google/gemma-4-31b-it:free': { latency_ms: 700, tokens_per_second: 100, price: { input: 0, output: 0 } },
        },
        faults: [
          { do: 'server', model: 'qwen/qwen3-coder:free', chance: 0.3 },
          { do: 'cut_clean', model: 'google/gemma-4-31b-it:free', chance: 0.2 },
        ],
      },
      google: {
        keys: {
          [fakeKeyText('google', 1)]: { account: 'project-a' },
          [fakeKeyText('google', 2)]: { account: 'project-a' },
          [fakeKeyText('google', 3)]: { revoked: true },
        },
        limits: [{ unit: 'requests', window: 'day', limit: 250, zone: 'America/Los_Angeles' }],
        models: {
          'gemini-3.8-flash': { latency_ms: 350, tokens_per_second: 250, context_tokens: 1_048_576 },
          'gemini-3.5-flash-lite': { latency_ms: 250, tokens_per_second: 350, context_tokens: 1_048_576 },
          'gemma-4-31b-it': { latency_ms: 600, tokens_per_second: 90 },
          'gemini-embedding-001': { kind: 'embedding' },
        },
      },
    },
  }
}

/** The original's first model of groq, gone since 2026-08-16. */
export const RETIRED_MODEL = 'llama-3.3-70b-versatile'

/**
 * The documented example: fast groq, steady google, slow and shaky openrouter; one of the original's models is retired.
 */
export function tourScenario(): FakeScenario {
  return {
    seed: 11,
    providers: {
      groq: {
        keys: keys('groq', 1),
        models: {
          'openai/gpt-oss-120b': { latency_ms: 1200, context_tokens: 131_072 },
          [RETIRED_MODEL]: { retired: true, unlisted: true },
        },
      },
      openrouter: {
        keys: keys('openrouter', 1),
        models: { 'anthropic/claude-haiku-4.5': { latency_ms: 2100, price: { input: 1, output: 5 } } },
      },
      google: {
        keys: keys('google', 3),
        models: { 'gemini-3.8-flash': { latency_ms: 1500, context_tokens: 1_048_576 } },
      },
    },
  }
}
