/** Custom tools of Responses, asked of a model of the same dialect that knows only functions. */

import { expect, test } from 'vitest'
import { openGateway, type WorldOptions } from './support/gatewayWorld.ts'

/** As OpenAI itself speaks. */
const BOTH: WorldOptions['reconfigure'] = ({ openai }) => ({
  openai: { ...openai, dialect: ['openai', 'openai-responses'] },
})
const PATCH = { type: 'custom', name: 'apply_patch', description: 'Changes a file.' }
const CALL = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_1', name: 'apply_patch', input: '*** Begin' }
const OUTPUT = { type: 'custom_tool_call_output', call_id: 'call_1', output: 'done' }
const FUNCTION = { type: 'function_call', id: 'fc_1', call_id: 'call_2', name: 'look', arguments: '{}' }
const SEEN = { type: 'function_call_output', call_id: 'call_2', output: 'seen' }

test.each([
  ['gpt-4o-mini', ['function_call', 'function_call_output']],
  ['gpt-5.6-luna', ['custom_tool_call', 'custom_tool_call_output']],
])('%s is told of the calls of before as it knows them', async (model, [call, output]) => {
  await using world = await openGateway({ providers: { openai: { models: { [model]: {} } } } }, { reconfigure: BOTH })
  const input = [{ role: 'user', content: 'Mend it' }, CALL, FUNCTION, OUTPUT, SEEN]
  const response = await world.ask('/v1/responses', { model, tools: [PATCH], input })
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, null])
  const { path, body } = world.fakes.calls.at(-1) ?? {}
  expect(path).toContain('/responses')
  const items = (body as { input: readonly { type: string; call_id?: string }[] }).input // as it was sent
  expect(items.filter(({ call_id: id }) => id === 'call_1').map(({ type }) => type)).toEqual([call, output])
  expect(items.filter(({ call_id: id }) => id === 'call_2').map(({ type }) => type)).toEqual([
    'function_call',
    'function_call_output',
  ])
})

test.each([
  'gpt-4o-mini',
  'gpt-5.6-luna',
])('%s calls them as the client knows them, without a script too', async (model) => {
  const steps = [[{ tool: 'apply_patch' }]]
  for (const facts of [{}, { steps }]) {
    await using world = await openGateway(
      { providers: { openai: { models: { [model]: facts } } } },
      { reconfigure: BOTH },
    )
    const body = { model, tools: [PATCH], input: 'Use the tool', tool_choice: 'required' }
    const { output } = (await (await world.ask('/v1/responses', body)).json()) as { output: object[] } // a response
    expect(output).toContainEqual(expect.objectContaining({ type: 'custom_tool_call', name: 'apply_patch' }))
  }
})
