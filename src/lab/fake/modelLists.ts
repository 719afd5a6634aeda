/** The models lists of the simulated providers, in the shapes of the real ones. */

import type { DialectId } from '../../domain/chat.ts'
import { findProvider } from '../../providers/catalog.ts'
import type { FakeModel } from './scenario.ts'

export function modelsListBody(provider: string, dialect: DialectId, models: ReadonlyMap<string, FakeModel>): unknown {
  const listed = [...models].filter(([, facts]) => !facts.unlisted)
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
  if (shape === 'cloudflare') return { success: true, errors: [], result: listed.map(cloudflareRow) }
  if (shape === 'ollama') return { models: listed.map(([name]) => ({ name })) }
  const rows = listed.map(openaiRow)
  return shape === 'array' ? rows : { object: 'list', data: rows }
}

/** What Ollama holds in memory: https://docs.ollama.com/api/ps */
export function loadedListBody(models: ReadonlyMap<string, FakeModel>): unknown {
  const loaded = [...models].filter(([, facts]) => facts.loaded)
  return { models: loaded.map(([name]) => ({ name, model: name })) }
}

function cloudflareRow([name, facts]: [string, FakeModel]): unknown {
  const tasks = {
    chat: 'Text Generation',
    embedding: 'Text Embeddings',
    speech: 'Text-to-Speech',
    moderation: 'Text Moderation',
    rerank: 'Text Rerank',
    image: 'Text-to-Image',
  }
  return { name, task: { name: tasks[facts.kind ?? 'chat'] } }
}

function googleRow([id, facts]: [string, FakeModel]): unknown {
  return {
    name: `models/${id}`,
    inputTokenLimit: facts.context_tokens ?? 1_048_576,
    outputTokenLimit: 65_536,
    supportedGenerationMethods:
      facts.kind === 'embedding'
        ? ['embedContent']
        : (facts.kind ?? 'chat') === 'chat'
          ? ['generateContent', 'countTokens']
          : ['bidiGenerateContent'],
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
    ...(facts.kind !== undefined && facts.kind !== 'chat' && { type: facts.kind === 'speech' ? 'audio' : facts.kind }),
    ...price,
  }
}
