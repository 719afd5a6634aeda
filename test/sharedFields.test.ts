/** Fields that OpenAI's two dialects share, between a client of the one and a service of the other. */

import { expect, test } from 'vitest'
import { asRecord } from '../src/domain/json.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { textSoFar } from './support/textSoFar.ts'

type Body = Record<string, unknown>
type Service = 'openai' | 'openai-responses' | 'groq' | 'google' | 'anthropic'

const KEPT = {
  metadata: { team: 'a' },
  prompt_cache_key: 'k',
  prompt_cache_retention: '24h',
  safety_identifier: 's',
  service_tier: 'flex',
}
const CHAT = { messages: [{ role: 'user', content: 'Hi' }] }
const RESPONSES = { input: 'Hi' }

async function ask(path: string, body: Body, service: Service, model: string) {
  const models = { [model]: { reply: 'Hello' } }
  const scenario: FakeScenario = {
    providers: service === 'openai-responses' ? { server: { dialect: service, models } } : { [service]: { models } },
  }
  await using world = await openGateway(scenario, { settings: { models: { m: ['*'] } } })
  const response = await world.ask(path, { model: 'm', ...body })
  const text = await textSoFar(response)
  expect([response.status, text]).toEqual([200, text])
  const sent = asRecord(world.fakes.calls.at(-1)?.body) ?? {}
  return { sent, leftOut: response.headers.get('x-keywise-left-out'), calls: world.fakes.calls.length }
}

test('chat completions are told in Responses with all of them', async () => {
  const body = { ...CHAT, ...KEPT, store: true, verbosity: 'low' }
  const { sent, leftOut } = await ask('/v1/chat/completions', body, 'openai-responses', 'gpt-5.1')
  expect(leftOut).toBeNull()
  expect(sent).toMatchObject({ ...KEPT, store: true, text: { verbosity: 'low' } })
})

test('what nobody asked to be stored is not', async () => {
  const { sent } = await ask('/v1/chat/completions', { ...CHAT, ...KEPT }, 'openai-responses', 'gpt-5.1')
  expect(sent).toMatchObject({ ...KEPT, store: false })
})

test('a form of the answer and its length stand beside each other', async () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
  const format = { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } }
  const body = { ...CHAT, verbosity: 'high', response_format: format }
  const { sent } = await ask('/v1/chat/completions', body, 'openai-responses', 'gpt-5.1')
  expect(sent['text']).toEqual({ verbosity: 'high', format: { type: 'json_schema', name: 'a', schema, strict: true } })
})

test('Responses are told in chat completions with all of them', async () => {
  const body = { ...RESPONSES, ...KEPT, store: true, text: { verbosity: 'low' } }
  const { sent, leftOut } = await ask('/v1/responses', body, 'openai', 'gpt-5.1')
  expect(leftOut).toBeNull()
  expect(sent).toMatchObject({ ...KEPT, store: true, verbosity: 'low' })
})

test('a model that has not the choice is not told of it, and metadata only where the answer is stored', async () => {
  const body = { ...RESPONSES, ...KEPT, store: false, text: { verbosity: 'low' } }
  const { sent, leftOut } = await ask('/v1/responses', body, 'openai', 'gpt-4.1')
  expect(leftOut).toBe('metadata, text.verbosity')
  expect(sent).not.toHaveProperty('metadata')
  expect(sent).not.toHaveProperty('verbosity')
})

test('a service that is not known to take them is told of none', async () => {
  const body = { ...RESPONSES, ...KEPT, text: { verbosity: 'low' } }
  const { leftOut, calls } = await ask('/v1/responses', body, 'groq', 'openai/gpt-oss-20b')
  expect([leftOut, calls]).toEqual([`${Object.keys(KEPT).join(', ')}, text.verbosity`, 1])
})

test.each<Service>([
  'google',
  'anthropic',
])('that %s keeps no answers and cuts no conversations is said to who asks for it', async (service) => {
  const model = service === 'google' ? 'gemini-2.5-flash' : 'claude-sonnet-5'
  const asked = await ask('/v1/responses', { ...RESPONSES, store: true, truncation: 'auto' }, service, model)
  expect(asked.leftOut).toBe('store, truncation')
  const unasked = await ask('/v1/responses', { ...RESPONSES, store: false, truncation: 'disabled' }, service, model)
  expect(unasked.leftOut).toBeNull()
})

test('a client of chat completions whose metadata OpenAI refuses is answered without', async () => {
  const { leftOut, calls } = await ask('/v1/chat/completions', { ...CHAT, metadata: { a: 'b' } }, 'openai', 'gpt-5.1')
  expect([leftOut, calls]).toEqual(['metadata', 2])
})
