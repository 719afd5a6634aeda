/** Names of tools that a service refuses, from clients of its own dialect: other names there, and the client's own back. */

import { describe, expect, test } from 'vitest'
import { openGateway, type WorldOptions } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'

const LONG = `mcp__${'some_long_name_'.repeat(6)}x`
const NAMES = [LONG, 'files.read', 'a b', 'naïve']
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } }
const LEGAL = /^[a-zA-Z0-9_-]{1,64}$/
const CHAT = '/v1/chat/completions'

function chat(name: string) {
  const call = { id: 'call_123a', type: 'function', function: { name, arguments: '{}' } }
  return {
    tools: [name, 'look'].map((one) => ({ type: 'function', function: { name: one, parameters: SCHEMA } })),
    tool_choice: { type: 'function', function: { name } },
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_123a', content: 'ok' },
      { role: 'user', content: 'Once more' },
    ],
  }
}

const responses = (name: string) => ({
  tools: [{ type: 'function', name, parameters: SCHEMA }],
  tool_choice: { type: 'function', name },
  input: [
    { role: 'user', content: 'Hi' },
    { type: 'function_call', call_id: 'call_1', name, arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_1', output: 'ok' },
  ],
})

const bothDialects: WorldOptions = {
  reconfigure: ({ openai, ...config }) => ({
    ...config,
    openai: { ...openai, dialect: ['openai', 'openai-responses'] },
  }),
}

describe.each([
  ['openai', 'gpt-4o', CHAT, chat, {}],
  ['mistral', 'mistral-small-2603', CHAT, chat, {}],
  ['deepseek', 'deepseek-v4-flash', CHAT, chat, {}],
  ['openai', 'gpt-5.1-codex', '/v1/responses', responses, bothDialects],
] as const)('%s %s', (provider, model, path, bodyOf, options) => {
  test.each(NAMES)('takes a tool called %s', async (name) => {
    await using world = await openGateway({ providers: { [provider]: { models: { [model]: {} } } } }, options)
    const response = await world.ask(path, { model, ...bodyOf(name) })
    const [call] = world.fakes.calls
    expect([response.status, call?.refusal, world.fakes.calls.length]).toEqual([200, undefined, 1])
    const sent = [...JSON.stringify(call?.body).matchAll(/"name":"([^"]+)"/g)].map(([, one = '']) => one)
    expect(sent.filter((one) => !LEGAL.test(one))).toEqual([])
    expect(new Set(sent.filter((one) => one !== 'look')).size).toBe(1)
  })
})

test.each(NAMES)('the client hears of %s by its name', async (name) => {
  const { endpoint } = await httpUpstream(({ text }) => {
    const { tools, stream } = JSON.parse(text) as { tools: [{ function: object }]; stream: boolean } // written by us
    const call = { index: 0, id: 'call_1', type: 'function', function: { ...tools[0].function, arguments: '{}' } }
    const said = { role: 'assistant', content: null, tool_calls: [call] }
    const about = { id: 'chatcmpl-1', created: 1, model: 'gpt-4o' }
    const choice = { index: 0, finish_reason: 'tool_calls' }
    if (!stream) return { body: { ...about, object: 'chat.completion', choices: [{ ...choice, message: said }] } }
    const chunk = { ...about, object: 'chat.completion.chunk', choices: [{ ...choice, delta: said }] }
    const headers = { 'content-type': 'text/event-stream' }
    return { headers, body: `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n` }
  })
  const openai = { endpoint, api_key: fakeKey('openai'), models: ['gpt-4o'] }
  await using world = await openGateway({ providers: {} }, { providers: { openai } })
  for (const stream of [false, true]) {
    const response = await world.ask(CHAT, { model: 'gpt-4o', stream, ...chat(name) })
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(`"name":"${name}"`)])
  }
})

test('the bytes of other requests pass', async () => {
  await using world = await openGateway({ providers: { openai: { models: { 'gpt-4o': {} } } } })
  const body = JSON.stringify({ model: 'gpt-4o', ...chat('files_read') })
  const response = await world.ask(CHAT, body)
  expect([response.status, world.fakes.calls[0]?.headers['content-length']]).toEqual([200, String(body.length)])
})
