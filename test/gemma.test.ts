/** Gemma up to 3 at the Gemini API, which refuses system instructions, functions and JSON mode. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { DIALECTS } from './support/askGateway.ts'
import { openGateway } from './support/gatewayWorld.ts'

type Body = Record<string, unknown>

const GEMMA = 'gemma-3-27b-it'

const PATHS: { readonly [D in DialectId]: (model: string) => string } = {
  openai: () => '/v1/chat/completions',
  'openai-responses': () => '/v1/responses',
  anthropic: () => '/v1/messages',
  google: (model) => `/v1beta/models/${model}:generateContent`,
}

const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }

/** A system instruction, and an answer in JSON demanded. */
const BODIES: { readonly [D in DialectId]: Body } = {
  openai: {
    messages: [
      { role: 'system', content: 'Be a pirate.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', content: 'Arrr' },
      { role: 'user', content: 'And now?' },
    ],
    response_format: { type: 'json_schema', json_schema: { name: 'a', schema } },
  },
  'openai-responses': {
    instructions: 'Be a pirate.',
    input: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Arrr' },
      { role: 'user', content: 'And now?' },
    ],
    text: { format: { type: 'json_schema', name: 'a', schema } },
  },
  anthropic: {
    max_tokens: 99,
    system: 'Be a pirate.',
    messages: [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: 'Arrr' },
      { role: 'user', content: 'And now?' },
    ],
    output_config: { format: { type: 'json_schema', schema } },
  },
  google: {
    systemInstruction: { parts: [{ text: 'Be a pirate.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Hello' }] },
      { role: 'model', parts: [{ text: 'Arrr' }] },
      { role: 'user', parts: [{ text: 'And now?' }] },
    ],
    generationConfig: { responseMimeType: 'application/json', responseJsonSchema: schema, temperature: 0.5 },
  },
}

const TOOLS: { readonly [D in DialectId]: unknown } = {
  openai: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }],
  'openai-responses': [{ type: 'function', name: 'look', parameters: { type: 'object', properties: {} } }],
  anthropic: [{ name: 'look', input_schema: { type: 'object' } }],
  google: [{ functionDeclarations: [{ name: 'look' }] }],
}

const WORLD: FakeScenario = { providers: { google: { models: { [GEMMA]: { reply: '{"a":"b"}' } } } } }

async function ask(client: DialectId, body: Body, scenario = WORLD, model = `google/${GEMMA}`) {
  await using world = await openGateway(scenario, { settings: { models: { both: [`google/${GEMMA}`, 'groq/*'] } } })
  const response = await world.ask(PATHS[client](model), client === 'google' ? body : { model, ...body })
  const text = await response.text()
  return {
    status: response.status,
    text,
    trail: response.headers.get('x-keywise-trail'),
    sent: world.fakes.calls.at(-1)?.body as Body | undefined,
  }
}

describe.each(DIALECTS)('a client of %s', (client) => {
  test('has its system instruction and the form of the answer told in front of what the user says first', async () => {
    const { status, text, sent, trail } = await ask(client, BODIES[client])
    expect([status, text]).toEqual([200, expect.stringContaining('b')])
    expect(trail).toBe(`google/${GEMMA}#1=ok`)
    expect(sent).not.toHaveProperty('systemInstruction')
    expect(JSON.stringify(sent)).not.toMatch(/responseMimeType|response(?:Json)?Schema/)
    expect(sent?.['contents']).toMatchObject([
      { role: 'user', parts: [{ text: expect.stringMatching(/^Be a pirate\.\n\n[\s\S]*"a"[\s\S]*\n\nHello$/) }] },
      { role: 'model', parts: [{ text: 'Arrr' }] },
      { role: 'user', parts: [{ text: 'And now?' }] },
    ])
  })

  test('has its tools given to another target, and without one is told so', async () => {
    const { messages, input, contents, max_tokens } = BODIES[client]
    const body = { messages, input, contents, max_tokens, tools: TOOLS[client] }
    const alone = await ask(client, body)
    expect([alone.status, alone.sent, alone.text]).toEqual([400, undefined, expect.stringContaining('tools')])
    const other: FakeScenario = { providers: { ...WORLD.providers, groq: { models: { 'openai/gpt-oss-20b': {} } } } }
    expect(await ask(client, body, other, 'both')).toMatchObject({ status: 200, trail: 'groq/openai/gpt-oss-20b#1=ok' })
  })
})

test('a plain request of a Gemini client passes as it is', async () => {
  const body = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }], generationConfig: { temperature: 0.5 } }
  expect(await ask('google', body)).toMatchObject({ status: 200, sent: body })
})

test('a system instruction alone is what the user says', async () => {
  const { sent } = await ask('openai', { messages: [{ role: 'system', content: 'Be a pirate.' }] })
  expect(sent).toMatchObject({ contents: [{ role: 'user', parts: [{ text: 'Be a pirate.' }] }] })
})

test('an image stays behind the instruction', async () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  const messages = [
    { role: 'system', content: 'Be a pirate.' },
    { role: 'user', content: [image, { type: 'text', text: 'Look' }] },
  ]
  const { sent } = await ask('openai', { messages })
  const parts = [{ text: 'Be a pirate.' }, { inlineData: { mimeType: 'image/png' } }, { text: 'Look' }]
  expect(sent).toMatchObject({ contents: [{ role: 'user', parts }] })
})

test('Gemma 4 has all of it', async () => {
  const scenario: FakeScenario = { providers: { google: { models: { 'gemma-4-31b-it': { reply: '{"a":"b"}' } } } } }
  const { sent } = await ask('openai', { ...BODIES.openai, tools: undefined }, scenario, 'google/gemma-4-31b-it')
  expect(sent).toMatchObject({ systemInstruction: { parts: [{ text: 'Be a pirate.' }] }, generationConfig: {} })
})
