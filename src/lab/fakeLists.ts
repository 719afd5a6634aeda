/** The models lists and limit headers of the simulated providers, in the shapes of the real ones. */

import type { DialectId } from '../domain/chat.ts'
import { findProvider } from '../providers/catalog.ts'
import type { LimitState } from './fakeLimits.ts'
import type { FakeModel } from './scenario.ts'

export function modelsListBody(
  provider: string,
  dialect: DialectId,
  models: Readonly<Record<string, FakeModel>>,
): unknown {
  const listed = Object.entries(models).filter(([, facts]) => !facts.unlisted)
  const shape =
    findProvider(provider)?.modelsList?.shape ??
    (dialect === 'google' ? 'google' : dialect === 'anthropic' ? 'anthropic' : 'openai')
  if (shape === 'google') return { models: listed.map(googleRow) }
  if (shape === 'anthropic')
    return { data: listed.map(([id]) => ({ type: 'model', id })), has_more: false, first_id: null, last_id: null }
  if (shape === 'cohere')
    return {
      models: listed.map(([name, facts]) => ({
        name,
        endpoints: [facts.kind === 'embedding' ? 'embed' : 'chat'],
        context_length: facts.context_tokens,
      })),
    }
  if (shape === 'cloudflare')
    return { success: true, errors: [], result: listed.map(([name]) => ({ name, task: { name: 'Text Generation' } })) }
  if (shape === 'ollama') return { models: listed.map(([name]) => ({ name })) }
  const rows = listed.map(openaiRow)
  return shape === 'array' ? rows : { object: 'list', data: rows }
}

/** What Ollama holds in memory: https://docs.ollama.com/api/ps */
export function loadedListBody(models: Readonly<Record<string, FakeModel>>): unknown {
  const loaded = Object.entries(models).filter(([, facts]) => facts.loaded)
  return { models: loaded.map(([name]) => ({ name, model: name })) }
}

function googleRow([id, facts]: [string, FakeModel]): unknown {
  return {
    name: `models/${id}`,
    inputTokenLimit: facts.context_tokens ?? 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods:
      facts.kind === 'embedding'
        ? ['embedContent']
        : facts.kind === 'speech'
          ? ['bidiGenerateContent']
          : ['generateContent', 'countTokens'],
  }
}

function openaiRow([id, facts]: [string, FakeModel]): unknown {
  const price = facts.price && {
    pricing: { prompt: String(facts.price.input / 1e6), completion: String(facts.price.output / 1e6) },
  }
  return {
    id,
    object: 'model',
    active: true,
    ...(facts.context_tokens && { context_window: facts.context_tokens, context_length: facts.context_tokens }),
    ...(facts.kind === 'embedding' && { type: 'embedding' }),
    ...(facts.kind === 'speech' && { type: 'audio' }),
    ...price,
  }
}

/** The headers in which this kind of provider tells its limits; providers without such headers tell nothing here. */
export function limitHeaders(provider: string, states: readonly LimitState[], now: number): Record<string, string> {
  const headers: Record<string, string> = {}
  const spec = findProvider(provider)
  for (const state of states) {
    const { unit, window } = state.limit
    const wait = Math.max(0, state.resetsAt - now) / 1000
    if (spec?.limitWindows !== undefined) {
      if (spec.limitWindows[unit] === window) put(headers, `x-ratelimit-{}-${unit}`, state, `${wait.toFixed(3)}s`)
    } else if (spec?.dialect === 'anthropic') {
      put(headers, `anthropic-ratelimit-${unit}-{}`, state, new Date(state.resetsAt).toISOString())
    } else if (spec?.dialect !== 'google') {
      // The form of Cerebras: the window is in the name, the reset is seconds.
      put(headers, `x-ratelimit-{}-${unit}-${window}`, state, wait.toFixed(3))
    }
  }
  return headers
}

function put(headers: Record<string, string>, name: string, state: LimitState, reset: string): void {
  headers[name.replace('{}', 'limit')] = String(state.limit.limit)
  headers[name.replace('{}', 'remaining')] = String(state.remaining)
  headers[name.replace('{}', 'reset')] = reset
}
