/** Tools that a client defers: services that cannot hide them are told of those only that something refers to. */

import { describe, expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'

type Body = Record<string, unknown>

const FOREIGN = [
  ['openai', 'gpt-4.1'],
  ['google', 'gemini-3.8-flash'],
] as const
const OWN = ['anthropic', 'claude-sonnet-5'] as const

const scenario = ([provider, model]: readonly [string, string]): FakeScenario => ({
  providers: { [provider]: { models: { [model]: { reply: 'Good.' } } } },
})

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } } }
const tool = (name: string, more: Body = {}) => ({ name, input_schema: SCHEMA, ...more })
const TOOLS = [tool('find'), tool('weather', { defer_loading: true }), tool('never_call', { defer_loading: true })]
const NAMES = TOOLS.map(({ name }) => name)

/** A turn with a call and what came of it. */
const called = (name: string, ...content: Body[]) => [
  { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name, input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content }] },
]
const reference = { type: 'tool_reference', tool_name: 'weather' }
const searched = [
  { type: 'server_tool_use', id: 's1', name: 'tool_search_tool_regex', input: { query: 'weather' } },
  {
    type: 'tool_search_tool_result',
    tool_use_id: 's1',
    content: { type: 'tool_search_tool_search_result', tool_references: [reference] },
  },
  { type: 'text', text: 'There is one.' },
]

const user = (content: string) => ({ role: 'user', content })
const talk = (...messages: Body[]) => ({ tools: TOOLS, messages: [user('Hi'), ...messages] })

const ROWS: readonly (readonly [says: string, request: Body, offered: readonly string[]])[] = [
  ['nothing refers to one', talk(), ['find']],
  ['the result of a search refers to one', talk(...called('find', reference)), ['find', 'weather']],
  ['one was called', talk(...called('weather', { type: 'text', text: 'rain' })), ['find', 'weather']],
  [
    'a search at the provider found one',
    talk({ role: 'assistant', content: searched }, user('Go on')),
    ['find', 'weather'],
  ],
  ['one is forced', { ...talk(), tool_choice: { type: 'tool', name: 'weather' } }, ['find', 'weather']],
  [
    'the search would run at the provider',
    { ...talk(), tools: [...TOOLS, { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' }] },
    NAMES,
  ],
]

async function sent(world: GatewayWorld, path: string, body: Body): Promise<readonly [told: string, leftOut: string]> {
  const response = await world.ask(path, body, { 'anthropic-version': '2023-06-01' })
  expect([response.status, response.status === 200 ? '' : await response.text()]).toEqual([200, ''])
  return [JSON.stringify(world.fakes.calls.at(-1)?.body), response.headers.get('x-keywise-left-out') ?? '']
}

/** Which tools the body defines, in whatever form its dialect has for them. */
function offeredIn(told: string): readonly string[] {
  const tools = JSON.stringify((JSON.parse(told) as { tools?: unknown }).tools ?? [])
  return NAMES.filter((name) => tools.includes(`"name":"${name}"`))
}

describe.each(FOREIGN)('a Messages client to %s', (...service) => {
  test.each(ROWS)('where %s', async (_, request, offered) => {
    await using world = await openGateway(scenario(service))
    const [told, leftOut] = await sent(world, '/v1/messages', { model: service[1], max_tokens: 999, ...request })
    expect(offeredIn(told)).toEqual(offered)
    const hidden = NAMES.filter((name) => !offered.includes(name))
    expect(leftOut.split(', ').filter((name) => NAMES.includes(name))).toEqual(hidden)
    expect(told).not.toContain('defer_loading')
  })

  test('is told in words what a search has found', async () => {
    await using world = await openGateway(scenario(service))
    const request = { model: service[1], max_tokens: 999, ...talk(...called('find', reference)) }
    expect((await sent(world, '/v1/messages', request))[0]).toContain('The tool \\"weather\\" can be called now.')
  })
})

test('a service of the client’s own dialect is told of all as the client says it', async () => {
  await using world = await openGateway(scenario(OWN))
  const request = { model: OWN[1], max_tokens: 999, ...talk(...called('find', reference)) }
  const [told, leftOut] = await sent(world, '/v1/messages', request)
  expect(JSON.parse(told)).toMatchObject({ tools: TOOLS, messages: request.messages })
  expect(leftOut).toBe('')
})

const named = (name: string, more: Body = {}) => ({
  type: 'function',
  name,
  parameters: SCHEMA,
  strict: false,
  ...more,
})
const FOUND = [
  { type: 'tool_search_call', call_id: 's1', execution: 'client', status: 'completed', arguments: { query: 'rain' } },
  {
    type: 'tool_search_output',
    call_id: 's1',
    execution: 'client',
    status: 'completed',
    tools: [named('weather', { defer_loading: true })],
  },
]

test.each([
  ...FOREIGN,
  OWN,
])('a Responses client tells %s of the tools that its search has found', async (...service) => {
  await using world = await openGateway(scenario(service))
  const tools = [named('find'), named('weather', { defer_loading: true }), named('never_call', { defer_loading: true })]
  const request = { model: service[1], tools, input: [user('Hi'), ...FOUND, user('Go on')] }
  const [told, leftOut] = await sent(world, '/v1/responses', request)
  expect(offeredIn(told)).toEqual(['find', 'weather'])
  expect(leftOut).toBe('never_call')
})

const PARAMETERS = { type: 'object', properties: { goal: { type: 'string' } }, required: ['goal'] }
const SEARCH = { type: 'tool_search', execution: 'client', description: 'Finds tools.', parameters: PARAMETERS }
const DEFERRED = [named('weather', { defer_loading: true }), named('never_call', { defer_loading: true })]
const CALLED = {
  type: 'tool_search_call',
  execution: 'client',
  status: 'completed',
  call_id: expect.any(String),
  id: expect.stringMatching(/^tsc_/),
  arguments: { goal: 'rain' },
}

describe.each([
  ...FOREIGN,
  OWN,
])('a search for tools that a Responses client runs is a function for %s', (...service) => {
  const [provider, model] = service
  const calling = {
    providers: {
      [provider]: { models: { [model]: { calls: [{ tool: 'tool_search', arguments: { goal: 'rain' } }] } } },
    },
  }
  const request = { model, tools: [SEARCH, named('find'), ...DEFERRED], input: [user('Hi')] }

  test('and its call, and what it has found, come back as their own items', async () => {
    await using world = await openGateway(calling)
    const response = await world.ask('/v1/responses', request)
    expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, null])
    const { output } = (await response.json()) as { output: Body[] } // an answer of the Responses API
    expect(output).toContainEqual(CALLED)
    const first = JSON.stringify(world.fakes.calls.at(-1)?.body)
    expect(offeredIn(first)).toEqual(['find'])
    expect(first).toMatch(/Finds tools\..*weather, never_call/)

    const { call_id } = output.find(({ type }) => type === 'tool_search_call') ?? {}
    const found = {
      type: 'tool_search_output',
      execution: 'client',
      call_id,
      status: 'completed',
      tools: [DEFERRED[0]],
    }
    const second = { ...request, input: [user('Hi'), ...output, found] }
    const [told] = await sent(world, '/v1/responses', second)
    expect(offeredIn(told)).toEqual(['find', 'weather'])
    expect(told).toContain('These tools can be called now: weather.')
  })

  test('and is streamed as its own item', async () => {
    await using world = await openGateway(calling)
    const text = await (await world.ask('/v1/responses', { ...request, stream: true })).text()
    const events = text.split('\n').filter((line) => line.startsWith('data: {'))
    const read = events.map((line) => JSON.parse(line.slice('data: '.length)) as Body)
    const items = read.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item)
    expect(items).toContainEqual(CALLED)
    expect(text).not.toContain('function_call_arguments')
  })
})

test('a search for tools is written again for its own dialect as it was', () => {
  const { client, upstream } = dialectOf('openai-responses')
  const body = {
    model: 'm',
    tools: [SEARCH, ...DEFERRED],
    input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }, ...FOUND],
  }
  expect(upstream.writeRequest(client.readRequest(body), 'm').body).toMatchObject(body)
})

const CHAT_TOOLS = [
  { type: 'function', function: { name: 'find', parameters: SCHEMA } },
  { type: 'function', function: { name: 'weather', parameters: SCHEMA }, defer_loading: true },
]
const asked = (model: string) => ({ model, messages: [user('Hi')], tools: CHAT_TOOLS })

describe('a chat completions client, whose vendor has no search for tools,', () => {
  test.each([OWN, FOREIGN[1]])('has its tool offered by %s', async (...service) => {
    await using world = await openGateway(scenario(service))
    const [told, leftOut] = await sent(world, '/v1/chat/completions', asked(service[1]))
    expect([offeredIn(told), leftOut]).toEqual([['find', 'weather'], 'tools[].defer_loading'])
  })

  test('is understood by a service of its dialect that has one', async () => {
    const service = { models: { 'some/model': { reply: 'Good.' } } }
    await using world = await openGateway({ providers: { openrouter: service } })
    const [told, leftOut] = await sent(world, '/v1/chat/completions', asked('some/model'))
    expect([JSON.parse(told), leftOut]).toEqual([expect.objectContaining({ tools: CHAT_TOOLS }), ''])
  })
})
