/** Servers that give the calls of their answers no ids, empty ones, or the same to all: every client tells them apart. */

import { describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'
import { httpUpstream, type Reply } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'

const PATHS = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
} as const

async function withServer(reply: (stream: boolean) => Reply): Promise<GatewayWorld> {
  const { endpoint } = await httpUpstream(({ text }) => reply(text.includes('"stream":true')))
  return openGateway(
    { providers: { anthropic: { models: { 'claude-haiku-4-5': {} } } } },
    { providers: { mine: { dialect: 'openai', endpoint, api_key: fakeKey('mine'), models: ['m'] } } },
  )
}

const callsWith = (ids: readonly unknown[]) =>
  ids.map((id, index) => ({ id, type: 'function', function: { name: 'look', arguments: `{"n":${index}}` } }))

function answering(ids: readonly unknown[]): (stream: boolean) => Reply {
  const calls = callsWith(ids)
  const about = { id: 'chatcmpl-1', created: 1, model: 'm' }
  const whole = {
    index: 0,
    message: { role: 'assistant', content: null, tool_calls: calls },
    finish_reason: 'tool_calls',
  }
  const delta = { role: 'assistant', tool_calls: calls.map((call, index) => ({ index, ...call })) }
  const chunk = (choice: object) =>
    `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] })}\n\n`
  const events = [chunk({ delta, finish_reason: null }), chunk({ delta: {}, finish_reason: 'tool_calls' })]
  return (stream) =>
    stream
      ? { headers: { 'content-type': 'text/event-stream' }, body: `${events.join('')}data: [DONE]\n\n` }
      : { body: { ...about, object: 'chat.completion', choices: [whole] } }
}

const SCHEMA = { type: 'object', properties: {} }
const TOOLS = [{ type: 'function', function: { name: 'look', parameters: SCHEMA } }]
const USER = { role: 'user', content: 'Look' }
const WAYS: readonly (readonly [string, readonly unknown[]])[] = [
  ['the same', ['call_0', 'call_0']],
  ['empty ones', ['', '']],
  ['none', [null, null]],
]

describe.each(WAYS)('%s: each call has an id of its own', (_, ids) => {
  const asked = { messages: [USER], tools: [{ name: 'look', input_schema: SCHEMA }], max_tokens: 50 }
  test.each<[string, string, object, RegExp]>([
    ['Anthropic', PATHS.messages, asked, /"type":"tool_use","id":"([^"]+)"/g],
    [
      'Responses',
      PATHS.responses,
      { input: 'Look', tools: [{ type: 'function', name: 'look' }] },
      /"call_id":"([^"]+)"/g,
    ],
  ])('to a client of %s', async (_client, path, body, pattern) => {
    await using world = await withServer(answering(ids))
    for (const stream of [false, true]) {
      const response = await world.ask(path, { model: 'm', stream, ...body })
      const found = [...(await response.text()).matchAll(pattern)].map(([, id]) => id)
      expect([response.status, new Set(found).size]).toEqual([200, 2])
    }
  })
})

test.each(WAYS.slice(1))('a chat client may hand back calls with %s', async (_, ids) => {
  await using world = await withServer(() => ({}))
  const tool = (id: unknown, content: string) => ({ role: 'tool', tool_call_id: id, content })
  const results = ids.map((id, index) => tool(id, `seen ${index}`))
  const messages = [USER, { role: 'assistant', content: null, tool_calls: callsWith(ids) }, ...results]
  for (const model of ['mine/m', 'anthropic/claude-haiku-4-5']) {
    const response = await world.ask(PATHS.chat, { model, messages, tools: TOOLS })
    expect([model, response.status, await response.text()]).toEqual([model, 200, expect.any(String)])
  }
  const told = world.fakes.calls.find(({ provider }) => provider === 'anthropic')
  const [, uses, answers] = (told?.body as { messages: { content: { id?: string; tool_use_id?: string }[] }[] })
    .messages
  const made = uses?.content.map(({ id }) => id) ?? []
  expect([new Set(made).size, answers?.content.map((block) => block.tool_use_id)]).toEqual([2, made])
})
