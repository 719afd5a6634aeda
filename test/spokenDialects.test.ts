/** A service that speaks Chat Completions and Responses at one address, as OpenAI does, asked by clients of both. */

import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config/config.ts'
import { signatureOf } from '../src/lab/strict/signatures.ts'
import { type GatewayWorld, openGateway, type WorldOptions } from './support/gatewayWorld.ts'

const BOTH = ['openai', 'openai-responses']
const MODELS = ['gpt-6-sol', 'gpt-5.4-mini', 'gpt-4.1', 'gpt-5.1-codex']

function open(dialect: string | readonly string[] = BOTH, options: WorldOptions = {}): Promise<GatewayWorld> {
  const models = Object.fromEntries(MODELS.map((model) => [model, { thinks: 8 }]))
  return openGateway(
    { providers: { openai: { models } } },
    {
      reconfigure: (config) => ({ openai: { ...config['openai'], dialect, models: MODELS } }),
      ...options,
    },
  )
}

const WEATHER = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const CHAT_TOOLS = [{ type: 'function', function: { name: 'weather', parameters: WEATHER } }]
const QUESTION = [{ role: 'user', content: 'How is the weather in Oslo?' }]

/** The end of the path and the body of the only call. */
function asked({ fakes }: GatewayWorld): { path: string; body: Record<string, unknown> } {
  expect(fakes.calls.map(({ status, refusal }) => [status, refusal])).toEqual([[200, undefined]])
  const [call] = fakes.calls
  return {
    path: String(call?.path).replace(/^\/openai\/v1/, ''),
    body: call?.body as Record<string, unknown>, // JSON of ours
  }
}

describe('a client of Responses', () => {
  const BODY = {
    model: 'openai/gpt-6-sol',
    input: [
      { role: 'user', content: 'Look for it' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: signatureOf('openai-responses') },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
    ],
    tools: [{ type: 'web_search' }, { type: 'function', name: 'weather', parameters: WEATHER, strict: false }],
    reasoning: { effort: 'high', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    store: false,
  }

  test.each([false, true])('is passed on with nothing changed but the model (stream: %s)', async (stream) => {
    await using world = await open()
    const response = await world.ask('/v1/responses', { ...BODY, stream })
    const text = await response.text()
    expect([response.status, response.headers.get('x-keywise-left-out'), text]).toEqual([
      200,
      null,
      expect.stringContaining('"output_text"'),
    ])
    expect(asked(world)).toEqual({ path: '/responses', body: { ...BODY, model: 'gpt-6-sol', stream } })
  })

  test('continues a stored response, reads and deletes it', async () => {
    await using world = await open()
    const first = await world.ask('/v1/responses', { model: 'gpt-6-sol', input: 'My name is Ada' })
    const { id } = (await first.json()) as { id: string }
    const second = await world.ask('/v1/responses', { model: 'gpt-6-sol', input: 'Who?', previous_response_id: id })
    const read = await world.ask(`/v1/responses/${id}`)
    expect([first.status, second.status, read.status]).toEqual([200, 200, 200])
  })

  test('is translated where the user says that only Chat Completions is spoken', async () => {
    await using world = await open('openai')
    const response = await world.ask('/v1/responses', { model: 'gpt-4.1', input: 'Hi' })
    expect(response.status).toBe(200)
    expect(asked(world).path).toBe('/chat/completions')
  })
})

describe('a client of Chat Completions', () => {
  test('is passed on as it came', async () => {
    await using world = await open()
    const body = { model: 'gpt-4.1', messages: QUESTION, tools: CHAT_TOOLS, seed: 7 }
    expect((await world.ask('/v1/chat/completions', body)).status).toBe(200)
    expect(asked(world)).toEqual({ path: '/chat/completions', body })
  })

  test.each(['gpt-4.1', 'gpt-6-sol'])('may limit the answer of %s by its old name', async (model) => {
    await using world = await open()
    expect((await world.ask('/v1/chat/completions', { model, messages: QUESTION, max_tokens: 50 })).status).toBe(200)
    expect(asked(world).body).toMatchObject({ max_completion_tokens: 50 })
    expect(asked(world).body).not.toHaveProperty('max_tokens')
  })

  test.each([
    ['gpt-6-sol', {}, '/responses'],
    ['gpt-6-sol', { reasoning_effort: 'high' }, '/responses'],
    ['gpt-6-sol', { reasoning_effort: 'none' }, '/chat/completions'],
    ['gpt-5.4-mini', {}, '/chat/completions'],
    ['gpt-5.4-mini', { reasoning_effort: 'low' }, '/responses'],
  ])('thinks beside tools with %s and %j', async (model, more, path) => {
    await using world = await open()
    const body = { model, messages: QUESTION, tools: CHAT_TOOLS, ...more }
    const response = await world.ask('/v1/chat/completions', body)
    expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, null])
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { tool_calls: [{ type: 'function', function: { name: 'weather' } }] } }],
    })
    const call = asked(world)
    expect(call.path).toBe(path)
    const effort = path === '/responses' ? call.body['reasoning'] : call.body['reasoning_effort']
    const wanted = (more as { reasoning_effort?: string }).reasoning_effort
    expect(effort).toEqual(path === '/responses' && wanted !== undefined ? { effort: wanted } : wanted)
  })

  test.each([false, true])('reaches a model that only Responses has (stream: %s)', async (stream) => {
    await using world = await open()
    const response = await world.ask('/v1/chat/completions', { model: 'gpt-5.1-codex', messages: QUESTION, stream })
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('chat.completion')])
    expect(asked(world)).toMatchObject({ path: '/responses', body: { store: false } })
  })
})

test('a client of Anthropic keeps its thinking beside tools', async () => {
  await using world = await open()
  const response = await world.ask('/v1/messages', {
    model: 'gpt-6-sol',
    max_tokens: 4000,
    messages: QUESTION,
    tools: [{ name: 'weather', input_schema: WEATHER }],
    thinking: { type: 'enabled', budget_tokens: 2000 },
  })
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, null])
  const { path, body } = asked(world)
  expect([path, body['reasoning']]).toEqual(['/responses', expect.objectContaining({ effort: 'low' })])
})

describe('the configuration', () => {
  const KEY = `sk-${'fake-'.repeat(8)}`
  const specOf = (block: object) =>
    loadConfig({ config: { openai: { api_key: KEY, ...block } }, env: {}, cwd: '/', home: '/', platform: 'linux' })
      .providers[0]?.spec

  test.each([
    ['OpenAI itself', {}, ['openai', 'openai-responses']],
    ['one dialect, named', { dialect: 'openai-responses' }, ['openai-responses']],
    ['another server', { endpoint: 'https://proxy.example/v1' }, ['openai']],
    ['another server that has both', { endpoint: 'https://proxy.example/v1', dialect: BOTH }, BOTH],
  ])('%s', (_, block, dialects) => {
    const spec = specOf(block)
    expect([spec?.dialect, ...(spec?.alsoSpeaks ?? []).map(({ dialect }) => dialect)]).toEqual(dialects)
  })

  test('refuses a dialect that there is none of', () => {
    expect(() => specOf({ dialect: ['openai', 'responses'] })).toThrow(/dialect/)
  })
})
