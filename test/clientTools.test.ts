/** Tools of Anthropic's that the client runs: other services are offered them as functions with their documented input. */

import { describe, expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'

type Body = Record<string, unknown>

const SERVICES = [
  ['openai', 'gpt-4.1'],
  ['openai', 'gpt-5.6-luna'],
  ['google', 'gemini-3.8-flash'],
  ['mistral', 'mistral-large-2512'],
] as const

const BASH = { type: 'bash_20250124', name: 'bash' }
const EDITOR = { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' }
const OLD_EDITOR = { type: 'text_editor_20250124', name: 'str_replace_editor' }
const MEMORY = { type: 'memory_20250818', name: 'memory' }
const COMPUTER = { type: 'computer_20251124', name: 'computer', display_width_px: 800, display_height_px: 600 }
const HEADERS = { 'anthropic-version': '2023-06-01' }

const CALLS = [
  { tool: 'bash', arguments: { command: 'ls' } },
  { tool: EDITOR.name, arguments: { command: 'view', path: '/a', view_range: [1, 2] } },
  { tool: 'memory', arguments: { command: 'rename', old_path: '/memories/a', new_path: '/memories/b' } },
]
const uses = CALLS.map(({ tool, arguments: input }) => expect.objectContaining({ type: 'tool_use', name: tool, input }))

const scenario = (provider: string, model: string): FakeScenario => ({
  providers: { [provider]: { models: { [model]: { calls: CALLS } } } },
})
const talk = (model: string, more: Body = {}) => ({
  model,
  max_tokens: 999,
  messages: [{ role: 'user', content: 'Look around' }],
  tools: [BASH, EDITOR, MEMORY],
  ...more,
})
const ask = (world: GatewayWorld, body: Body) => world.ask('/v1/messages', body, HEADERS)
const sentTo = (world: GatewayWorld) => JSON.stringify(world.fakes.calls.at(-1)?.body)

describe.each(SERVICES)('%s (%s)', (provider, model) => {
  test('calls them, and is told what came of it', async () => {
    await using world = await openGateway(scenario(provider, model))
    const first = await ask(world, talk(model))
    expect([first.status, first.headers.get('x-keywise-left-out')]).toEqual([200, null])
    const { content } = (await first.json()) as { content: readonly Body[] } // a message of Anthropic's
    const calls = content.filter(({ type }) => type === 'tool_use')
    expect(calls).toEqual(uses)
    for (const word of ['restart', 'view_range', 'old_path']) expect(sentTo(world)).toContain(`"${word}"`)

    const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'done well' }))
    const { messages } = talk(model)
    const past = [...messages, { role: 'assistant', content }, { role: 'user', content: results }]
    expect((await ask(world, talk(model, { messages: past }))).status).toBe(200)
    expect(sentTo(world).split('done well')).toHaveLength(4)
  })

  test('streams its calls of them', async () => {
    await using world = await openGateway(scenario(provider, model))
    const events = await (await ask(world, talk(model, { stream: true }))).text()
    for (const { tool } of CALLS) expect(events).toContain(`"name":"${tool}"`)
  })

  test('may be forced to call one', async () => {
    await using world = await openGateway(scenario(provider, model))
    const choice = { type: 'tool', name: 'bash' }
    expect((await ask(world, talk(model, { tools: [BASH], tool_choice: choice }))).status).toBe(200)
  })

  test('is not asked to use a computer, for which its model is not trained', async () => {
    await using world = await openGateway(scenario(provider, model))
    const beside = await ask(world, talk(model, { tools: [BASH, COMPUTER] }))
    expect([beside.status, beside.headers.get('x-keywise-left-out')]).toEqual([200, 'computer'])
    expect((await ask(world, talk(model, { tools: [COMPUTER] }))).status).toBe(400)
  })
})

test.each([
  [EDITOR, ['insert_text', 'new_str'], 'undo_edit'],
  [{ ...EDITOR, type: 'text_editor_20250429' }, ['insert_text'], 'undo_edit'],
  [OLD_EDITOR, ['undo_edit', 'new_str'], 'insert_text'],
])('each version of the editor has its own input: $type', async (tool, has, lacks) => {
  await using world = await openGateway(scenario('openai', 'gpt-4.1'))
  await ask(world, talk('gpt-4.1', { tools: [tool] }))
  for (const word of has) expect(sentTo(world)).toContain(word)
  expect(sentTo(world)).not.toContain(lacks)
})

test('a service that has them itself is asked first, in its own words', async () => {
  const providers = {
    ...scenario('openai', 'gpt-4.1').providers,
    ...scenario('anthropic', 'claude-sonnet-5').providers,
  }
  await using world = await openGateway(
    { providers },
    { settings: { routing: { strategy: 'priority' }, models: { both: ['openai/*', 'anthropic/*'] } } },
  )
  const response = await ask(world, talk('both'))
  expect(response.headers.get('x-keywise-target')).toMatch(/^anthropic/)
  expect(world.fakes.calls.at(-1)?.body).toMatchObject({ tools: [BASH, EDITOR, MEMORY] })
})

test('a request that is written again for its own dialect says them as they were', () => {
  const { client, upstream } = dialectOf('anthropic')
  const tools = [
    { ...EDITOR, max_characters: 10_000, cache_control: { type: 'ephemeral' } },
    { name: 'f', input_schema: { type: 'object' } },
    BASH,
  ]
  const { body } = upstream.writeRequest(client.readRequest(talk('m', { tools })), 'm')
  expect(body['tools']).toEqual(tools)
})
