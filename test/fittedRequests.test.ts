/** Whatever clients of other dialects say, the services refuse none of it: see `src/lab/strict`. */

import { describe, expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import { AWKWARD_REQUESTS } from './support/awkwardRequests.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { RECIPIENTS, writtenFor } from './support/strictRecipients.ts'

test('a chat client of OpenAI is given its tools by a model that refuses them beside thinking', async () => {
  await using world = await openGateway({
    providers: { openai: { models: { 'gpt-6-sol': { calls: [{ tool: 'look' }] } } } },
  })
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
  const messages = [{ role: 'user', content: 'Look' }]
  const response = await world.ask('/v1/chat/completions', { model: 'gpt-6-sol', messages, tools })
  expect(await response.json()).toMatchObject({
    choices: [{ message: { tool_calls: [{ function: { name: 'look' } }] } }],
  })
})

test.each([
  [{ temperature: 1, top_p: 0.5 }, { top_p: 0.5 }, 'temperature', null],
  [{ temperature: 0.2, top_p: 1 }, { temperature: 0.2 }, 'top_p', null],
  [{ temperature: 0.2, top_p: 0.5 }, { temperature: 0.2 }, 'top_p', 'top_p'],
])('of %o the parameter that says something is told to Claude', async (asked, sent, gone, leftOut) => {
  await using world = await openGateway({ providers: { anthropic: { models: { 'claude-haiku-4-5': {} } } } })
  const body = { model: 'claude-haiku-4-5', messages: [{ role: 'user', content: 'Hi' }], ...asked }
  const response = await world.ask('/v1/chat/completions', body)
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, leftOut])
  expect(world.fakes.calls[0]?.body).toMatchObject(sent)
  expect(world.fakes.calls[0]?.body).not.toHaveProperty(gone)
})

test.each([
  'ann@example.org',
  '+43 660 1234567',
  'tel:+43-660-1234567',
])('Claude is told a hash of %s', async (user) => {
  await using world = await openGateway({ providers: { anthropic: { models: { 'claude-haiku-4-5': {} } } } })
  const body = { model: 'claude-haiku-4-5', messages: [{ role: 'user', content: 'Hi' }], user }
  const response = await world.ask('/v1/chat/completions', body)
  expect(response.status).toBe(200)
  expect(world.fakes.calls[0]?.body).toMatchObject({ metadata: { user_id: expect.stringMatching(/^[0-9a-f]{32,}$/) } })
})

test('what a model thinks no more because a tool is forced is named', async () => {
  await using world = await openGateway({ providers: { anthropic: { models: { 'claude-haiku-4-5': {} } } } })
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
  const messages = [{ role: 'user', content: 'Look' }]
  const body = { model: 'claude-haiku-4-5', messages, tools, tool_choice: 'required', reasoning_effort: 'high' }
  const response = await world.ask('/v1/chat/completions', body)
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, 'reasoning'])
})

describe.each(RECIPIENTS.map((recipient) => ({ name: nameOf(recipient), recipient })))('$name takes', ({
  recipient,
}) => {
  const foreign = AWKWARD_REQUESTS.filter(([, client]) => client !== recipient[0].dialect)
  test.each(foreign)('%s of a client of %s', (_, client, body) => {
    const asked = dialectOf(client).client.readRequest({ model: 'm', ...body }, { model: 'm', stream: false })
    expect(writtenFor(recipient, client, asked)?.refusal ?? null).toBeNull()
  })
})

function nameOf([spec, model]: (typeof RECIPIENTS)[number]): string {
  return `${spec.id} (${spec.dialect}) ${model}`
}
