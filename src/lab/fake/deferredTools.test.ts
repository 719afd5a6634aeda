/** The simulated Claude calls a deferred tool only when a search has found it. */

import { expect, test } from 'vitest'
import { openWorld } from '../../../test/support/labCall.ts'

const MODEL = 'claude-sonnet-5'
const tool = (name: string, more: object = {}) => ({ name, input_schema: { type: 'object' }, ...more })
const DEFERRED = tool('weather', { defer_loading: true })
const TOOLS = [tool('find'), DEFERRED]
const user = (content: unknown) => ({ role: 'user', content })
const asked = [user('Go')]
const search = (...content: object[]) => [
  ...asked,
  { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'find', input: {} }] },
  user([{ type: 'tool_result', tool_use_id: 'c1', content }]),
]
const found = search({ type: 'tool_reference', tool_name: 'weather' })

/** The names of the tools that the answer calls. */
async function calls(messages: unknown, tools: unknown, model: object): Promise<readonly string[]> {
  const world = await openWorld({ providers: { anthropic: { models: { [MODEL]: model } } } })
  const response = await fetch(`${world.endpoint('anthropic')}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: MODEL, max_tokens: 99, tools, messages }),
  })
  expect(response.status).toBe(200)
  const { content } = (await response.json()) as { content: readonly { type: string; name: string }[] } // a message
  return content.flatMap(({ type, name }) => (type === 'tool_use' ? [name] : []))
}

const BOTH = { calls: [{ tool: 'weather' }, { tool: 'find' }] }
const STEPS = { steps: [[{ tool: 'find' }], [{ tool: 'weather' }]] }

test('a tool that nobody has found is not called', async () => {
  expect(await calls(asked, TOOLS, BOTH)).toEqual(['find'])
  expect(await calls(search({ type: 'text', text: 'nothing' }), TOOLS, STEPS)).toEqual([])
})

test('a tool that a search has found is called', async () => {
  expect(await calls(found, TOOLS, STEPS)).toEqual(['weather'])
})

test('a search at the service finds it within the answer', async () => {
  const hosted = { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' }
  expect(await calls(asked, [hosted, DEFERRED], BOTH)).toEqual(['weather'])
})
