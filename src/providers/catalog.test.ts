import { expect, test } from 'vitest'
import { catalog, findProvider } from './catalog.ts'
import { cloudflare } from './cloudflare.ts'
import { google } from './google.ts'
import { groq } from './groq.ts'
import { mistral } from './mistral.ts'
import { nvidia } from './nvidia.ts'
import { openai } from './openai.ts'
import { openrouter } from './openrouter.ts'
import type { ProviderSpec, QuirkFacts } from './provider.ts'

const PLAIN: QuirkFacts = { model: 'm', stream: false, freeOnly: false, noTraining: false }

const bodyOf = (spec: ProviderSpec, request: Record<string, unknown>, facts: Partial<QuirkFacts> = {}) =>
  spec.quirks?.body?.(request, { ...PLAIN, ...facts }) ?? request

test('findProvider() knows every provider by id and alias, in any case of letters', () => {
  for (const spec of catalog) {
    for (const name of [spec.id, ...(spec.aliases ?? [])]) expect(findProvider(name)).toBe(spec)
  }
  expect(findProvider('Gemini')).toBe(google)
  expect(findProvider('nobody')).toBeUndefined()
  expect(findProvider('__proto__')).toBeUndefined()
})

test('no two providers share a name or an environment variable', () => {
  const names = catalog.flatMap((spec) => [spec.id, ...(spec.aliases ?? [])])
  const variables = catalog.flatMap((spec) => [...spec.env, ...(spec.accountEnv ? [spec.accountEnv] : [])])
  expect(new Set(names).size).toBe(names.length)
  expect(new Set(variables).size).toBe(variables.length)
})

for (const spec of catalog) {
  test(`${spec.id} states its facts in the agreed form`, () => {
    expect(spec.id).toMatch(/^[a-z0-9-]+$/)
    if (spec.baseUrl !== null) expect(spec.baseUrl).toMatch(/^https?:\/\/[^/]+.*[^/]$/)
    if (typeof spec.keyCheck === 'object') expect(spec.keyCheck.path).toMatch(/^(?:\/|https:)/)
    // A public list proves nothing about a key.
    if (typeof spec.keyCheck === 'object' && spec.modelsList?.public)
      expect(spec.keyCheck.path).not.toBe(spec.modelsList.path)
    for (const { source, checkedAt, limit } of spec.seedLimits) {
      expect(source).not.toBe('')
      expect(checkedAt).toMatch(/^20\d\d-\d\d-\d\d$/)
      expect(limit).toBeGreaterThan(0)
    }
    for (const { path, source, checkedAt, left, total, used } of spec.balance ?? []) {
      expect(path).toMatch(/^\//)
      expect(source).toMatch(/^[a-z-]+\.[a-z.-]+\//)
      expect(checkedAt).toMatch(/^20\d\d-\d\d-\d\d$/)
      expect(left !== undefined || (total !== undefined && used !== undefined)).toBe(true)
    }
  })

  test(`${spec.id} lists each model once, and retired ones with a date and a living successor`, () => {
    const ids = spec.models.map((model) => model.id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const model of spec.models) {
      if (model.quality !== undefined) expect(model.qualitySource).toMatch(/20\d\d-\d\d-\d\d/)
      if (!model.retired) continue
      expect(model.retired.on).toMatch(/^20\d\d-\d\d-\d\d$/)
      expect(model.pick).toBeUndefined()
      const successor = spec.models.find((other) => other.id === model.retired?.successor)
      expect(successor?.retired).toBeUndefined()
    }
  })
}

test('only rows that were tried are marked verified', () => {
  const verified = catalog.filter((spec) => spec.verified).map((spec) => spec.id)
  expect(verified).toEqual(['groq', 'google', 'openrouter', 'openai', 'anthropic', 'ollama'])
})

test('groq names the successor of the model that old configurations use', () => {
  const old = groq.models.find((model) => model.id === 'llama-3.3-70b-versatile')
  expect(old?.retired).toEqual({ on: '2026-08-16', successor: 'openai/gpt-oss-120b' })
})

test('what Groq withdrew has the day and the successor of its page of deprecations', () => {
  const ended = groq.models.flatMap(({ id, retired }) => (retired === undefined ? [] : [[id, retired]]))
  expect(Object.fromEntries(ended)).toMatchObject({
    'llama-3.1-8b-instant': { on: '2026-08-16', successor: 'openai/gpt-oss-20b' },
    'qwen/qwen3-32b': { on: '2026-07-17', successor: 'openai/gpt-oss-120b' },
    'meta-llama/llama-4-scout-17b-16e-instruct': { on: '2026-07-17' },
    'meta-llama/llama-4-maverick-17b-128e-instruct': { on: '2026-03-09' },
  })
})

const chatCases: readonly { spec: ProviderSpec; id: string; row?: Record<string, unknown>; chats: boolean }[] = [
  { spec: groq, id: 'openai/gpt-oss-120b', chats: true },
  { spec: groq, id: 'whisper-large-v3', chats: false },
  { spec: groq, id: 'meta-llama/llama-prompt-guard-2-86m', chats: false },
  { spec: groq, id: 'canopylabs/orpheus-tts', chats: false },
  { spec: google, id: 'gemini-3.8-flash', row: { supportedGenerationMethods: ['generateContent'] }, chats: true },
  { spec: google, id: 'gemini-3.8-flash', row: { supportedGenerationMethods: ['embedContent'] }, chats: false },
  {
    spec: google,
    id: 'gemini-2.5-flash-preview-tts',
    row: { supportedGenerationMethods: ['generateContent'] },
    chats: false,
  },
  { spec: google, id: 'gemma-4-31b-it', chats: true },
  { spec: openai, id: 'gpt-6-sol', chats: true },
  { spec: openai, id: 'text-embedding-3-small', chats: false },
]

for (const { spec, id, row, chats } of chatCases) {
  test(`${spec.id} says that ${id} ${chats ? 'can' : 'cannot'} chat${row ? ` when its row says ${JSON.stringify(row)}` : ''}`, () => {
    expect(spec.quirks?.canChat?.(id, row)).toBe(chats)
  })
}

test('openrouter asks for the cost of every call', () => {
  expect(bodyOf(openrouter, { model: 'm' })).toEqual({ model: 'm', usage: { include: true } })
})

test('openrouter refuses anything that bills when only free calls are allowed, whatever the caller asked for', () => {
  const sent = bodyOf(
    openrouter,
    { provider: { order: ['a'], max_price: { prompt: 9 } }, plugins: [{ id: 'web' }] },
    { freeOnly: true },
  )
  expect(sent).toEqual({
    provider: { order: ['a'], max_price: { prompt: 0, completion: 0, request: 0, image: 0 } },
    usage: { include: true },
  })
})

test('openrouter keeps to providers that do not train when prompts must not be trained on', () => {
  const sent = bodyOf(openrouter, { provider: { data_collection: 'allow' } }, { noTraining: true })
  expect(sent['provider']).toEqual({ data_collection: 'deny' })
})

test('mistral gets its own names and none of the fields it answers with 422', () => {
  expect(
    bodyOf(mistral, { stream_options: { include_usage: true }, seed: 1, user: 'u', max_completion_tokens: 9 }),
  ).toEqual({
    random_seed: 1,
    max_tokens: 9,
  })
})

test('nvidia is asked for one tool call at a time, and only when there are tools', () => {
  expect(bodyOf(nvidia, { tools: [] })).toEqual({ tools: [], parallel_tool_calls: false })
  expect(bodyOf(nvidia, {})).toEqual({})
})

test('cloudflare takes the account out of its credential and puts it into the address', () => {
  const account = '0123456789abcdef'.repeat(2)
  expect(cloudflare.quirks?.credential?.(`${account}:token`)).toEqual({
    baseUrl: `https://api.cloudflare.com/client/v4/accounts/${account}/ai/v1`,
    key: 'token',
  })
  expect(cloudflare.quirks?.credential?.('token')).toEqual({ key: 'token' })
})
