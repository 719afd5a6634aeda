/** The paths of the gateway: every spelling that a base URL makes of them, and what is said where nothing is served. */

import { AzureOpenAI } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'

let world: GatewayWorld
beforeAll(async () => {
  world = await openGateway({
    providers: { own: { models: { talker: { reply: 'Hello there' }, 'vendor/slashed': { reply: 'From afar' } } } },
  })
})
afterAll(() => world.close())

const CHAT = { model: 'talker', messages: [{ role: 'user', content: 'Hi' }] }
const RESPONSES = { model: 'talker', input: 'Hi' }
const MESSAGES = { ...CHAT, max_tokens: 50 }
const GEMINI = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }

describe('one endpoint under many paths', () => {
  const chat = [
    '/chat/completions',
    '/v1/chat/completions/',
    '/v1/v1/chat/completions',
    '/openai/chat/completions',
    '/openai/v1/chat/completions/',
    '/v1/openai/v1/chat/completions',
    '/v1beta/openai/chat/completions',
    '/v1beta/openai/v1/chat/completions',
    '/chat/completions?api-version=2025-04-01-preview',
  ]
  test.each([
    ...chat.map((path) => [path, CHAT] as const),
    ...['/responses', '/v1/v1/responses', '/openai/responses?api-version=preview', '/v1/responses/'].map(
      (path) => [path, RESPONSES] as const,
    ),
    ...['/messages', '/v1/v1/messages', '/anthropic/v1/messages', '/v1/messages/?beta=true'].map(
      (path) => [path, MESSAGES] as const,
    ),
    ...[
      '/v1alpha/models/talker:generateContent',
      '/models/talker:generateContent',
      '/v1beta/v1beta/models/talker:generateContent',
      '/v1/v1beta/models/talker:streamGenerateContent?alt=sse',
      '/v1beta/models/talker:generateContent/',
      '/v1beta/models/talker%3AgenerateContent',
      '/v1beta/models/own%2Ftalker%3astreamGenerateContent?alt=sse',
    ].map((path) => [path, GEMINI] as const),
  ])('%s', async (path, body) => {
    const response = await world.ask(path, body)
    expect({ status: response.status, text: await response.text() }).toMatchObject({
      status: 200,
      text: expect.stringContaining('Hello'),
    })
  })

  test.each([
    ['/models', 'data'],
    ['/v1/models/', 'data'],
    ['/v1/v1/models', 'data'],
    ['/openai/models', 'data'],
    ['/v1beta/openai/models', 'data'],
    ['/v1alpha/models', 'models'],
    ['/v1beta/models/', 'models'],
  ])('%s lists the models', async (path, field) => {
    const response = await world.ask(path)
    expect([response.status, await response.json()]).toMatchObject([200, { [field]: expect.any(Array) }])
  })

  test.each([
    '/models/talker',
    '/v1/models/talker/',
    '/v1/v1/models/talker',
    '/openai/models/talker',
  ])('%s shows one', async (path) => {
    expect(await (await world.ask(path)).json()).toMatchObject({ id: 'talker', object: 'model' })
  })

  test.each([
    ['/anthropic/v1/models', {}, 'anthropic'],
    ['/anthropic/models', {}, 'anthropic'],
    ['/v1/models', { 'anthropic-beta': 'models-1' }, 'anthropic'],
    ['/v1/models', { 'x-goog-api-client': 'genai-js/3' }, 'google'],
    ['/openai/v1/models', { 'x-goog-api-key': TOKEN }, 'openai'],
    ['/v1beta/openai/models', { 'x-goog-api-key': TOKEN }, 'openai'],
    ['/openai/models', { 'anthropic-version': '2023-06-01' }, 'openai'],
  ])('%s with %j lists, and shows, in the form of %s', async (path, headers, form) => {
    const list = (await (await world.ask(path, undefined, headers)).json()) as Record<string, unknown>
    const formOf = (fields: Record<string, unknown>) =>
      'models' in fields || 'displayName' in fields ? 'google' : 'object' in fields ? 'openai' : 'anthropic'
    expect(formOf(list)).toBe(form)
    const one = await world.ask(`${path}/talker`, undefined, headers)
    expect(formOf((await one.json()) as Record<string, unknown>)).toBe(form)
    const none = await world.ask(`${path}/nobody`, undefined, headers)
    const { error } = (await none.json()) as { error: Record<string, unknown> }
    expect('status' in error ? 'google' : 'code' in error ? 'openai' : 'anthropic').toBe(form)
  })

  test('is counted by any of them', async () => {
    const response = await world.ask('/messages/count_tokens', MESSAGES)
    expect(await response.json()).toEqual({ input_tokens: expect.any(Number) })
  })
})

describe('a count of tokens', () => {
  const count = (body: object) => world.ask('/v1beta/models/talker:countTokens', body)

  test('is of the whole request in both spellings', async () => {
    const whole = { model: 'models/talker', ...GEMINI, systemInstruction: { parts: [{ text: 'Be brief, be kind' }] } }
    const tokens = async (body: object) => ((await (await count(body)).json()) as { totalTokens: number }).totalTokens
    const counted = await tokens({ generateContentRequest: whole })
    expect(counted).toBeGreaterThan(await tokens(GEMINI))
    expect(await tokens({ generate_content_request: whole })).toBe(counted)
  })

  test.each(['cachedContent', 'cached_content'])('is refused where %s holds some of it', async (name) => {
    const body = { ...GEMINI, [name]: 'cachedContents/c' }
    for (const sent of [body, { generateContentRequest: { model: 'models/talker', ...body } }]) {
      const response = await count(sent)
      const { error } = (await response.json()) as { error: { message: string } }
      expect([response.status, error.message]).toEqual([400, expect.stringContaining(name)])
    }
  })

  test('that is refused has the id of its request', async () => {
    const response = await world.ask('/v1/messages/count_tokens', { model: 'talker' })
    expect(await response.json()).toMatchObject({ request_id: expect.stringMatching(/^kw_/) })
  })
})

describe("Azure's deployments", () => {
  test('name the model in the path, whatever the body says', async () => {
    for (const [body, model] of [
      [{ messages: CHAT.messages }, 'talker'],
      [CHAT, 'vendor%2Fslashed'],
      [{ ...CHAT, stream: true }, 'vendor%2Fslashed'],
      [CHAT, 'vendor/slashed'],
    ] as const) {
      world.fakes.forget()
      const response = await world.ask(`/openai/deployments/${model}/chat/completions?api-version=2024-10-21`, body, {
        'api-key': TOKEN,
      })
      expect(response.status).toBe(200)
      await response.text()
      expect(world.fakes.calls.map((call) => call.model)).toEqual([decodeURIComponent(model)])
    }
  })

  test('are asked by the official client with names that have slashes', async () => {
    const client = new AzureOpenAI({
      apiKey: TOKEN,
      endpoint: world.origin,
      apiVersion: '2024-10-21',
      deployment: undefined,
      maxRetries: 0,
    })
    for (const model of ['own/talker', 'own/vendor/slashed']) {
      const answer = await client.chat.completions.create({
        ...CHAT,
        messages: [{ role: 'user', content: 'Hi' }],
        model,
      })
      expect(answer.choices[0]?.message.content).toMatch(/Hello there|From afar/)
      const completion = await client.completions.create({ model, prompt: 'Hi' })
      expect(completion.choices[0]?.text).toMatch(/Hello there|From afar/)
    }
  })

  test('hold for long bodies, of which only an outline is read', async () => {
    const long = { ...CHAT, messages: [{ role: 'user', content: 'word '.repeat(20_000) }] }
    world.fakes.forget()
    expect((await world.ask('/openai/deployments/vendor%2Fslashed/chat/completions', long)).status).toBe(200)
    expect(world.fakes.calls[0]).toMatchObject({ model: 'vendor/slashed', body: { messages: long.messages } })
  })

  test('take responses as well, and answer an unknown model like any other path', async () => {
    expect((await world.ask('/openai/deployments/talker/responses', { input: 'Hi' })).status).toBe(200)
    const response = await world.ask('/openai/deployments/nobody/chat/completions', CHAT)
    expect([response.status, await response.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }])
  })

  test.each([
    '/openai/deployments',
    '/openai/deployments/talker',
    '/openai/deployments/talker/models',
  ])('%s is nothing', async (path) => expect((await world.ask(path)).status).toBe(404))
})

describe('a foreign path', () => {
  const send = (path: string, headers: Record<string, string> = {}, method = 'POST', token = TOKEN) =>
    fetch(world.origin + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(method === 'POST' && { body: '{}' }),
    })

  test.each([
    '/api/chat',
    '/api/generate',
    '/api/embed',
    '/api/show',
    '/api/version',
    '/api/tags',
    '/api/v1/chat/completions',
    '/api/v1/models',
    '/api/anything',
    '/v2/chat',
    '/inference/v1/chat/completions',
    '/compatible-mode/v1/chat/completions',
    '/v1/nothing',
    '/nothing',
  ])('%s names the base URL and never another token', async (path) => {
    for (const token of [TOKEN, ADMIN_TOKEN]) {
      const response = await send(path, {}, 'POST', token)
      const text = await response.text()
      expect([response.status, response.headers.get('x-keywise-error')]).toEqual([404, 'not_found'])
      expect(text).toContain(`${world.origin}/v1`)
      expect(text).not.toMatch(/admin|docs\/gateway/)
    }
    expect((await send(path, {}, 'GET')).status).toBe(404)
    expect((await send(path, {}, 'GET', 'x'.repeat(40))).status).toBe(401)
  })

  test('is answered in the protocol of the client, by the path and by its headers', async () => {
    const told = async (path: string, headers = {}) => (await send(path, headers)).json()
    const google = { error: { code: 404, status: 'NOT_FOUND', message: expect.stringContaining(world.origin) } }
    const anthropic = { type: 'error', error: { type: 'not_found_error' } }
    const openai = { error: { code: 'not_found', message: expect.any(String) } }
    expect(await told('/v1/nothing', { 'x-goog-api-key': TOKEN })).toMatchObject(google)
    expect(await told('/v1/nothing', { 'anthropic-version': '2023-06-01' })).toMatchObject(anthropic)
    expect(await told('/v1/nothing')).toMatchObject(openai)
    expect(await told('/v1alpha/nothing')).toMatchObject(google)
    expect(await told('/v1/messages/nothing')).toMatchObject(anthropic)
    expect(await told('/v1beta/openai/nothing')).toMatchObject(openai)
    // Their clients show these fields: https://github.com/ollama/ollama-js and https://docs.cohere.com/reference/errors
    expect(await told('/api/chat')).toEqual({ error: expect.stringContaining(`${world.origin}/v1`) })
    expect(await told('/v2/chat')).toEqual({ message: expect.stringContaining(`${world.origin}/v1`) })
  })

  test.each([
    ['/v1/files', 'files'],
    ['/v1/files/file-1/content', 'files'],
    ['/upload/v1beta/files', 'files'],
    ['/v1/uploads', 'files'],
    ['/v1/batches', 'batches'],
    ['/v1/messages/batches', 'batches'],
    ['/v1beta/models/talker:batchGenerateContent', 'batches'],
    ['/v1/vector_stores/vs_1/search', 'vector stores'],
    ['/v1/assistants', 'assistants'],
    ['/v1/threads/thread_1/runs', 'assistants'],
    ['/v1/fine_tuning/jobs', 'fine-tuning'],
    ['/v1/realtime/client_secrets', 'realtime'],
    ['/v1beta/cachedContents', 'cached contents'],
    ['/v1beta/interactions', 'interactions'],
    ['/v1/conversations', 'conversations'],
    ['/v1/chat/completions/chatcmpl-1', 'stored chat completions'],
    ['/v1/chat/completions/chatcmpl-1/messages', 'stored chat completions'],
  ])('%s says why it is not served', async (path, what) => {
    const text = await (await send(path)).text()
    expect(text).toContain(what)
    expect(text).toContain('one account')
  })

  test.each(['/v1/responses/compact', '/v1/fim/completions'])('%s is no mistake of the base URL', async (path) => {
    const text = await (await send(path)).text()
    expect(text).toContain('does not serve this endpoint')
    expect(text).not.toContain('nothing at this path')
  })

  test('of a protocol is told in it, whatever the key is sent in', async () => {
    const told = async (path: string, headers = {}) => (await send(path, headers)).json()
    const anthropic = { type: 'error', error: { type: 'not_found_error' } }
    for (const path of ['/anthropic/nothing', '/anthropic/v1/nothing', '/messages/nothing'])
      expect(await told(path)).toMatchObject(anthropic)
    expect(await told('/v1beta/openai/nothing', { 'x-goog-api-key': TOKEN })).toMatchObject({
      error: { code: 'not_found' },
    })
  })

  test('a method of Gemini models that is not served is no model', async () => {
    const response = await send('/v1beta/models/talker:predict')
    expect([response.status, await response.json()]).toMatchObject([404, { error: { status: 'NOT_FOUND' } }])
  })

  test('the wrong method names the path and what it takes', async () => {
    const response = await send('/v1/chat/completions', {}, 'GET')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await response.text()).toContain('only POST is answered at /v1/chat/completions')
  })
})

describe('the token', () => {
  const send = (path: string, headers: Record<string, string>, body: object | null) =>
    fetch(world.origin + path, {
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== null && { method: 'POST', body: JSON.stringify(body) }),
    })
  const GENERATE = '/v1beta/models/talker:generateContent'

  test.each([
    [`${GENERATE}?key=${TOKEN}`, {}, GEMINI],
    [`/v1beta/models/talker:streamGenerateContent?alt=sse&key=${TOKEN}`, {}, GEMINI],
    [`/v1beta/models?pageSize=1&key=${TOKEN}`, {}, null],
    ['/v1/messages', { authorization: 'Bearer somebody-elses-oauth-token', 'x-api-key': TOKEN }, MESSAGES],
    ['/v1/messages', { authorization: `Bearer ${TOKEN}`, 'x-api-key': 'sk-ant-of-another' }, MESSAGES],
    ['/v1/messages', { authorization: 'Bearer ', 'x-api-key': TOKEN }, MESSAGES],
    [`${GENERATE}?key=of-another-service`, { 'x-goog-api-key': TOKEN }, GEMINI],
    [GENERATE, { authorization: 'Bearer ya29.of-another-service', 'x-goog-api-key': TOKEN }, GEMINI],
  ])('is taken at %s with %j', async (path, headers, body) => {
    expect((await send(path, headers as Record<string, string>, body)).status).toBe(200)
  })

  test.each([
    [`${GENERATE}?key=of-another-service-altogether`, {}, GEMINI],
    [`${GENERATE}?key=`, {}, GEMINI],
    [`/v1/chat/completions?key=${TOKEN}`, {}, CHAT],
    [`/v1/models?key=${TOKEN}`, {}, null],
    [`/api/status?key=${ADMIN_TOKEN}`, {}, null],
    ['/v1/messages', { authorization: 'Bearer one-that-nobody-knows', 'x-api-key': 'another-one-of-these' }, MESSAGES],
  ])('is not taken at %s with %j', async (path, headers, body) => {
    const response = await send(path, headers as Record<string, string>, body)
    expect([response.status, response.headers.get('x-keywise-error')]).toEqual([401, 'unauthorized'])
    expect(await response.text()).not.toMatch(/of-another-service|nobody-knows/)
  })
})
