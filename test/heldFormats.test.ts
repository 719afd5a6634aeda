/** Answers that the client's vendor holds to a schema: OpenAI is told to hold them as well, where it can. */

import { expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { asRecord } from '../src/domain/json.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { textSoFar } from './support/textSoFar.ts'

type Body = Record<string, unknown>

const MODELS = { openai: 'gpt-4o', 'openai-responses': 'gpt-5.1' } as const

/** What OpenAI is told of the format. */
async function formatFor(client: DialectId, schema: Body, service: keyof typeof MODELS): Promise<Body> {
  const model = MODELS[service]
  const models = { [model]: { reply: '{"a":"x"}' } }
  const scenario: FakeScenario = {
    providers: service === 'openai' ? { openai: { models } } : { server: { dialect: service, models } },
  }
  await using world = await openGateway(scenario, { settings: { models: { m: ['*'] } } })
  const [path, body] = CLIENTS[client](schema)
  const response = await world.ask(path, body)
  const text = await textSoFar(response)
  expect([response.status, text]).toEqual([200, text])
  const sent = asRecord(world.fakes.calls.at(-1)?.body)
  const format = asRecord(sent?.['response_format'])?.['json_schema'] ?? asRecord(sent?.['text'])?.['format']
  return asRecord(format) ?? {}
}

const hi = [{ role: 'user', content: 'Hi' }]
const gemini = (config: Body): readonly [string, Body] => [
  '/v1beta/models/m:generateContent',
  {
    contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    generationConfig: { responseMimeType: 'application/json', ...config },
  },
]
const CLIENTS: { readonly [D in DialectId]: (schema: Body) => readonly [string, Body] } = {
  openai: (schema) => [
    '/v1/chat/completions',
    {
      model: 'm',
      messages: hi,
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
    },
  ],
  'openai-responses': (schema) => [
    '/v1/responses',
    { model: 'm', input: 'Hi', text: { format: { type: 'json_schema', name: 'a', schema, strict: true } } },
  ],
  anthropic: (schema) => [
    '/v1/messages',
    { model: 'm', max_tokens: 4096, messages: hi, output_config: { format: { type: 'json_schema', schema } } },
  ],
  google: (schema) => gemini({ responseJsonSchema: schema }),
}

const object = (a: Body, more: Body = {}): Body => ({ type: 'object', properties: { a }, required: ['a'], ...more })
const CLOSED = { additionalProperties: false }

test.each([
  ['anthropic', 'openai'],
  ['anthropic', 'openai-responses'],
  ['google', 'openai'],
  ['google', 'openai-responses'],
] as const)('a client of %s has its schema kept to in %s', async (client, service) => {
  const schema = object({ type: 'string' }, CLOSED)
  expect(await formatFor(client, schema, service)).toMatchObject({ schema, strict: true })
})

test('an open object is closed for it, at every level, and a map is not', async () => {
  const inner = object({ type: 'string' })
  const open = object({ type: 'array', items: inner }, { $defs: { one: inner } })
  const { schema, strict } = await formatFor('google', open, 'openai')
  const shut = { ...inner, ...CLOSED }
  expect(schema).toEqual({ ...object({ type: 'array', items: shut }, { $defs: { one: shut } }), ...CLOSED })
  expect(strict).toBe(true)
  const map = object({ type: 'object', additionalProperties: { type: 'string' } })
  expect(await formatFor('google', map, 'openai')).toMatchObject({ schema: map, strict: false })
})

test.each([
  ['a property that may be absent', { ...object({ type: 'string' }), required: [] }],
  ['a default', object({ type: 'string', default: 'x' }, CLOSED)],
  ['a format of its own', object({ type: 'string', format: 'uri' }, CLOSED)],
  ['anything at all', object({ description: 'anything' }, CLOSED)],
])('a schema with %s is told without', async (_, schema) => {
  expect(await formatFor('google', schema, 'openai')).toMatchObject({ strict: false })
})
