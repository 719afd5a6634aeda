/** An answer whose form is demanded, of services that take other schemas than the client's own. */

import { describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'

const PERSON = {
  type: 'object',
  properties: { age: { type: 'integer' } },
  required: ['age'],
  additionalProperties: false,
}
const BIG = '90071992547409931'

const SERVICES = {
  openai: 'gpt-4.1',
  groq: 'openai/gpt-oss-120b',
  mistral: 'mistral-small-2603',
  deepseek: 'deepseek-v4-pro',
} as const

/** A world of the services; each model answers `reply`. */
function open(reply: string): Promise<GatewayWorld> {
  const providers = Object.entries(SERVICES).map(([id, model]) => [id, { models: { [model]: { reply } } }])
  return openGateway({ providers: Object.fromEntries(providers) })
}

const fromGemini = (generationConfig: object) => ({
  contents: [{ role: 'user', parts: [{ text: 'Answer in JSON' }] }],
  generationConfig,
})

async function askAsGemini(world: GatewayWorld, model: string, schema: object, stream = false): Promise<string> {
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  const body = fromGemini({ responseMimeType: 'application/json', responseSchema: schema })
  const response = await world.ask(`/v1beta/models/${model}:${method}`, body)
  const text = await response.text()
  expect([response.status, world.fakes.calls.at(-1)?.refusal, text]).toEqual([200, undefined, expect.any(String)])
  const pieces = stream
    ? text
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice(6))
    : [text]
  return pieces.map((piece) => textOf(JSON.parse(piece))).join('')
}

interface Answer {
  readonly candidates?: readonly { readonly content?: { readonly parts?: readonly { readonly text?: string }[] } }[]
}

const textOf = ({ candidates }: Answer) =>
  (candidates?.[0]?.content?.parts ?? []).map(({ text }) => text ?? '').join('')

describe.each(Object.entries(SERVICES))('%s', (provider, model) => {
  const name = `${provider}/${model}`

  test.each<[string, object, string]>([
    ['a list', { type: 'ARRAY', items: { type: 'INTEGER' } }, `[1,${BIG}]`],
    ['one of some words', { type: 'STRING', enum: ['sea', 'land'] }, '"land"'],
    ['a number', { type: 'NUMBER' }, '1.50'],
    [
      'one of two objects',
      { anyOf: [PERSON, { type: 'OBJECT', properties: { name: { type: 'STRING' } } }] },
      '{"age":3}',
    ],
  ])('answers with %s where it takes objects only', async (_, schema, value) => {
    await using world = await open(`{"answer": ${value}}`)
    expect(await askAsGemini(world, name, schema)).toBe(value)
    expect(await askAsGemini(world, name, schema, true)).toBe(value)
  })

  test('is asked for an object as it is', async () => {
    await using world = await open('{"age": 3}')
    expect(await askAsGemini(world, name, PERSON)).toBe('{"age": 3}')
  })
})

test('definitions are found where they were moved to', async () => {
  await using world = await open('{"answer": [{"age":3}]}')
  const schema = {
    type: 'array',
    items: { $ref: '#/$defs/Person' },
    $defs: { Person: { ...PERSON, properties: { age: { $ref: '#/$defs/Age' } } }, Age: { type: 'integer' } },
  }
  const body = {
    model: 'openai/gpt-4.1',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Hi' }],
    output_config: { format: { type: 'json_schema', schema } },
  }
  const response = await world.ask('/v1/messages', body)
  expect(await response.json()).toMatchObject({ content: [{ type: 'text', text: '[{"age":3}]' }] })
  expect(world.fakes.calls[0]?.body).toMatchObject({
    response_format: {
      json_schema: {
        schema: {
          type: 'object',
          properties: { answer: { type: 'array', items: { $ref: '#/$defs/Person' } } },
          $defs: schema.$defs,
        },
      },
    },
  })
})

test('a schema is told in words where a service of the client’s own dialect cannot hold an answer to it', async () => {
  await using world = await open('{"age": 3}')
  const body = {
    model: 'deepseek/deepseek-v4-pro',
    messages: [{ role: 'user', content: 'How old?' }],
    response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: PERSON } },
  }
  const response = await world.ask('/v1/chat/completions', body)
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: '{"age": 3}' } }] })
  expect(world.fakes.calls.map(({ status }) => status)).toEqual([200])
  expect(world.fakes.calls[0]?.body).toMatchObject({ response_format: { type: 'json_object' } })
  expect(JSON.stringify(world.fakes.calls[0]?.body)).toContain('additionalProperties')
})

test('the order of properties that Gemini has a field for is the order in which they are asked for', async () => {
  await using world = await open('{"b": "x", "a": "y"}')
  const text = { type: 'STRING' }
  const schema = {
    type: 'OBJECT',
    properties: { a: text, b: { ...text, nullable: true, enum: ['x'] } },
    required: ['a', 'b'],
    propertyOrdering: ['b', 'a'],
  }
  await askAsGemini(world, 'openai/gpt-4.1', schema)
  const [call] = world.fakes.calls
  expect(JSON.stringify(call?.body)).not.toContain('propertyOrdering')
  expect(JSON.stringify(call?.body)).toContain(
    '"properties":{"b":{"type":["string","null"],"enum":["x",null]},"a":{"type":"string"}}',
  )
})
