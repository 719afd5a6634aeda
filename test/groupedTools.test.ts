/** Tools that a Responses client sends in groups, and in the input: every dialect's model can call them. */

import { expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway } from './support/gatewayWorld.ts'

const EXEC = { type: 'custom', name: 'exec', description: 'Runs a script.' }
const WAIT = {
  type: 'function',
  name: 'wait',
  parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
  strict: false,
}
const group = (name: string, ...tools: object[]) => ({ type: 'namespace', name, description: 'Does things.', tools })
const inInput = (...tools: object[]) => ({ type: 'additional_tools', id: 'at_1', role: 'developer', tools })
const said = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] })

const INPUT = [inInput(group('functions', EXEC), group('team', WAIT)), said('Go')]
const CALLS = [
  { tool: 'functions__exec', arguments: { input: 'look()' } },
  { tool: 'team__wait', arguments: {} },
]
const SERVICES = [
  ['anthropic', 'claude-sonnet-5'],
  ['google', 'gemini-3.8-flash'],
  ['openai', 'gpt-4.1'],
  ['mistral', 'mistral-large-2512'],
] as const

const scenario = (provider: string, model: string): FakeScenario => ({
  providers: { [provider]: { models: { [model]: { calls: CALLS } } } },
})

interface Item {
  readonly type: string
  readonly [field: string]: unknown
}

const callsIn = (output: readonly Item[]) => output.filter(({ type }) => type.endsWith('_call'))

const BACK = [
  expect.objectContaining({ type: 'custom_tool_call', namespace: 'functions', name: 'exec', input: 'look()' }),
  expect.objectContaining({ type: 'function_call', namespace: 'team', name: 'wait', arguments: '{}' }),
]

test.each(SERVICES)('%s is offered the tools, and its calls say their groups', async (provider, model) => {
  await using world = await openGateway(scenario(provider, model))
  const first = await world.ask('/v1/responses', { model, input: INPUT })
  const { output } = (await first.json()) as { output: readonly Item[] } // an answer of the Responses API
  expect(callsIn(output)).toEqual(BACK)
  expect(callsIn(output).map(({ id }) => String(id).split('_')[0])).toEqual(['ctc', 'fc'])

  const results = callsIn(output).map(({ type, call_id }) => ({ type: `${type}_output`, call_id, output: 'done' }))
  const second = await world.ask('/v1/responses', { model, input: [...INPUT, ...output, ...results] })
  expect(second.status).toBe(200)
  expect(JSON.stringify(world.fakes.calls.at(-1)?.body)).toContain('team__wait')
})

test.each(SERVICES)('%s streams its calls with their groups', async (provider, model) => {
  await using world = await openGateway(scenario(provider, model))
  const response = await world.ask('/v1/responses', { model, input: INPUT, stream: true })
  const events = (await response.text()).split('\n').filter((line) => line.startsWith('data: {'))
  const read = events.map((line) => JSON.parse(line.slice('data: '.length)) as { type: string; item?: Item })
  const items = read.flatMap(({ type, item }) => (type === 'response.output_item.done' && item ? [item] : []))
  expect(callsIn(items)).toEqual(BACK)
})

test('a request that is written again for its own dialect says groups and input as they were', () => {
  const responses = dialectOf('openai-responses')
  const past = [
    { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_1', namespace: 'functions', name: 'exec', input: 'look()' },
    { type: 'custom_tool_call_output', call_id: 'call_1', output: 'done' },
  ]
  const body = { model: 'm', input: [...INPUT, ...past], tools: [group('crm', WAIT), { ...WAIT, name: 'alone' }] }
  const { body: written } = responses.upstream.writeRequest(responses.client.readRequest(body), 'm')
  expect(written).toMatchObject(body)
})
