/** Pictures of earlier answers, when the conversation goes on with another model: nobody forgets what it has drawn. */

import { describe, expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64')
const URL = `data:image/png;base64,${PNG}`
const MODELS = {
  openai: 'gpt-4.1',
  anthropic: 'claude-sonnet-5',
  google: 'gemini-3.5-flash',
  mistral: 'mistral-small-2603',
  groq: 'qwen/qwen3.8-27b',
}

/** The same talk as each client says it: a picture was drawn, and now another colour is wanted. */
const TALKS = {
  '/v1/chat/completions': (model: string) => ({
    model,
    messages: [
      { role: 'user', content: 'Draw a cat' },
      { role: 'assistant', content: 'Here', images: [{ type: 'image_url', image_url: { url: URL } }] },
      { role: 'user', content: 'Make it red' },
    ],
  }),
  '/v1/responses': (model: string) => ({
    model,
    input: [
      { role: 'user', content: 'Draw a cat' },
      { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: PNG },
      { role: 'user', content: 'Make it red' },
    ],
  }),
  '/v1/messages': (model: string) => ({
    model,
    max_tokens: 100,
    messages: [
      { role: 'user', content: 'Draw a cat' },
      { role: 'assistant', content: `Here\n\n![image](${URL})\n\n` },
      { role: 'user', content: 'Make it red' },
    ],
  }),
  gemini: () => ({
    contents: [
      { role: 'user', parts: [{ text: 'Draw a cat' }] },
      { role: 'model', parts: [{ text: 'Here' }, { inlineData: { mimeType: 'image/png', data: PNG } }] },
      { role: 'user', parts: [{ text: 'Make it red' }] },
    ],
  }),
}

const open = () =>
  openGateway({
    providers: Object.fromEntries(Object.entries(MODELS).map(([id, model]) => [id, { models: { [model]: {} } }])),
  })

describe.each(Object.entries(MODELS))('%s', (provider, id) => {
  const model = `${provider}/${id}`

  test.each(Object.entries(TALKS))('sees what was drawn, said by a client of %s', async (path, talk) => {
    await using world = await open()
    const response = await world.ask(path === 'gemini' ? `/v1beta/models/${model}:generateContent` : path, talk(model))
    const [call] = world.fakes.calls
    expect([response.status, call?.refusal, world.fakes.calls.length]).toEqual([200, undefined, 1])
    const isOwn = provider === 'anthropic' && path === '/v1/messages'
    expect(JSON.stringify(call?.body)).toContain(isOwn ? `![image](${URL})` : PNG)
    if (!isOwn) expect(JSON.stringify(call?.body)).not.toContain('![image]')
  })
})

test.each([
  ['an answer in audio, by its id', { role: 'assistant', audio: { id: 'audio_1' } }, /audio/],
  [
    'a call in the old form',
    { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
    /function_call/,
  ],
])('%s is not forgotten in silence', async (_, answer, words) => {
  await using world = await open()
  const messages = [{ role: 'user', content: 'a' }, answer, { role: 'user', content: 'b' }]
  const response = await world.ask('/v1/chat/completions', { model: 'anthropic/claude-sonnet-5', messages })
  expect([response.status, world.fakes.calls.length]).toEqual([400, 0])
  expect(await response.text()).toMatch(words)
})
