/** The simulated services refuse wrong forms in the services' words. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { startFakeProviders } from './fakeProviders.ts'

const form = (fields: Readonly<Record<string, string | Blob>>): FormData => {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.append(name, value)
  return data
}
const file = new Blob(['x'], { type: 'image/png' })

async function post(path: string, body: FormData | string) {
  const world = await startFakeProviders({
    providers: { own: { models: { ear: { kind: 'speech' }, painter: { kind: 'image' } } } },
  })
  onTestFinished(() => world.close())
  const { endpoint } = world.config()['own'] as { readonly endpoint: string }
  const type = typeof body === 'string' && { 'content-type': 'application/json' }
  const headers = { authorization: `Bearer fake-${'k'.repeat(20)}`, ...type }
  const response = await fetch(endpoint + path, { method: 'POST', body, headers })
  return [response.status, await response.json()] as const
}

const EAR = { model: 'ear' }
const PAINTER = { model: 'painter' }

test.each([
  ['/audio/transcriptions', EAR, 'file'],
  ['/audio/translations', EAR, 'file'],
  ['/images/edits', { ...PAINTER, prompt: 'Blue' }, 'image'],
  ['/images/edits', { ...PAINTER, image: file }, 'prompt'],
  ['/images/variations', PAINTER, 'image'],
])('a form for %s of %o lacks %s', async (path, fields, param) => {
  expect(await post(path, form(fields))).toMatchObject([
    400,
    { error: { message: `Missing required parameter: '${param}'.`, param, code: 'missing_required_parameter' } },
  ])
})

test.each([
  ['/audio/translations', { ...EAR, file: 'text' }, 'file'],
  ['/images/edits', { ...PAINTER, image: 'text', prompt: 'Blue' }, 'image'],
  ['/images/variations', { ...PAINTER, image: 'text' }, 'image'],
])('a form for %s of %o has a text where a file must be', async (path, fields, param) => {
  expect(await post(path, form(fields))).toMatchObject([400, { error: { param } }])
})

test.each([
  ['/audio/translations', EAR],
  ['/images/edits', PAINTER],
  ['/images/variations', PAINTER],
])('%s takes no JSON', async (path, fields) => {
  expect(await post(path, JSON.stringify(fields))).toMatchObject([
    400,
    { error: { message: expect.stringMatching(/^Unsupported content type/), code: 'unsupported_content_type' } },
  ])
})

test.each([
  ['/audio/translations', { ...EAR, file }],
  ['/images/edits', { ...PAINTER, image: file, prompt: 'Blue' }],
  ['/images/edits', { ...PAINTER, 'image[]': file, mask: file, prompt: 'Blue' }],
  ['/images/variations', { ...PAINTER, image: file }],
])('a form for %s of %o is answered', async (path, fields) => {
  expect((await post(path, form(fields)))[0]).toBe(200)
})

const TALK = { messages: [{ role: 'user', content: 'Hi' }] }

describe('a model of another kind', () => {
  const models = {
    'whisper-1': { kind: 'speech' },
    'gpt-4.1': {},
    'gpt-5-codex': {},
    'rerank-v3.5': { kind: 'rerank' },
  } as const
  async function ask(provider: string, path: string, body: object) {
    const world = await startFakeProviders({ providers: { [provider]: { models } } })
    onTestFinished(() => world.close())
    const response = await fetch(`${world.origin}/${provider}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return [response.status, await response.json(), world.calls.length] as const
  }

  test.each([
    ['/audio/speech', 'whisper-1', { input: 'Hi', voice: 'alloy' }, 404, 'Invalid URL (POST /v1/audio/speech)'],
    ['/audio/speech', 'gpt-4.1', { input: 'Hi', voice: 'alloy' }, 404, 'Invalid URL (POST /v1/audio/speech)'],
    ['/images/generations', 'gpt-4.1', { prompt: 'A box' }, 400, expect.stringMatching(/^Invalid value: 'gpt-4.1'/)],
    ['/moderations', 'gpt-4.1', { input: 'Hi' }, 400, 'please request omni-moderation-latest'],
    ['/embeddings', 'gpt-4.1', { input: 'Hi' }, 403, 'You are not allowed to generate embeddings from this model'],
    ['/completions', 'gpt-4.1', { prompt: 'Hi' }, 404, expect.stringMatching(/^This is a chat model and not supp/)],
    ['/chat/completions', 'gpt-5-codex', TALK, 404, expect.stringMatching(/^This model is only supported in v1\/resp/)],
    ['/chat/completions', 'whisper-1', TALK, 404, expect.stringMatching(/^This is not a chat model and thus not supp/)],
  ])('is refused in the words of OpenAI: %s of %s', async (path, model, fields, status, message) => {
    expect(await ask('openai', `/v1${path}`, { model, ...fields })).toMatchObject([status, { error: { message } }, 1])
  })

  test('and a request that no service of the kind could read is refused in the words of the one that is asked', async () => {
    const body = { model: 'rerank-v3.5', query: 'a', documents: [] }
    const message = 'invalid request: list of documents must not be empty'
    expect(await ask('cohere', '/v2/rerank', body)).toEqual([400, { message }, 1])
  })

  test('of ranking gives as many results as were asked for', async () => {
    const body = { model: 'rerank-v3.5', query: 'a', documents: ['a', 'b', 'c'], top_n: 2 }
    expect(await ask('cohere', '/v2/rerank', body)).toMatchObject([200, { results: [{ index: 2 }, { index: 1 }] }, 1])
  })
})

test.each([
  ['tts-1', 'audio/mpeg'],
  ['gpt-4o-mini-tts', 'text/event-stream'],
])('%s that is asked for events sends %s', async (model, type) => {
  const world = await startFakeProviders({ providers: { openai: { models: { [model]: { kind: 'speech' } } } } })
  onTestFinished(() => world.close())
  const response = await fetch(`${world.origin}/openai/v1/audio/speech`, {
    method: 'POST',
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    body: JSON.stringify({ model, input: 'Hi', voice: 'alloy', stream_format: 'sse' }),
  })
  expect([response.status, response.headers.get('content-type')]).toEqual([200, type])
})
