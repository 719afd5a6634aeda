/** Simulated providers refuse what their services refuse, unless the scenario says otherwise. */

import { expect, test } from 'vitest'
import { callModel, fakeKey, openWorld, userMessage } from '../../../test/support/labCall.ts'
import { signatureOf } from '../strict/signatures.ts'
import type { FakeWorld } from './fakeProviders.ts'
import { type FakeScenario, scenarioSchema } from './scenario.ts'

type Fields = Readonly<Record<string, unknown>>

/** The Messages API wants to be told. */
const VERSION = { 'anthropic-version': '2023-06-01' }
const HI = { role: 'user', content: 'Hi' }

const scenario = (id: string, more: Fields = {}): FakeScenario => ({
  providers: { [id]: { keys: { [fakeKey(id)]: {} }, models: { m: {} }, ...more } },
})

async function ask(
  world: FakeWorld,
  id: string,
  fields: Fields,
  { key = fakeKey(id), path = '/chat/completions' } = {},
) {
  const response = await fetch(`${world.endpoint(id)}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...VERSION },
    body: JSON.stringify({ model: 'm', messages: [HI], ...fields }),
  })
  return { status: response.status, body: (await response.json()) as unknown }
}

const refusing = (message: string) => ({ status: 400, body: { error: expect.objectContaining({ message }) } })

test('a provider of the catalogue refuses in the words of its service', async () => {
  const world = await openWorld(scenario('groq'))
  expect(await ask(world, 'groq', { store: true })).toEqual(refusing("property 'store' is unsupported"))
  expect(await ask(world, 'groq', {})).toMatchObject({ status: 200 })
  expect(world.calls.map(({ status }) => status)).toEqual([400, 200])
})

test('the envelope is the service’s own', async () => {
  const world = await openWorld(scenario('mistral'))
  expect(await ask(world, 'mistral', { seed: 1 })).toEqual({
    status: 422,
    body: {
      detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs are not permitted', input: 1 }],
    },
  })
})

test('the key and the limits are looked at first', async () => {
  const limits = [{ unit: 'requests', window: 'minute', limit: 1 }]
  const world = await openWorld(scenario('groq', { limits }))
  expect(await ask(world, 'groq', { store: true }, { key: 'wrong' })).toMatchObject({ status: 401 })
  expect(await ask(world, 'groq', {})).toMatchObject({ status: 200 })
  expect(await ask(world, 'groq', { store: true })).toMatchObject({ status: 429 })
})

test('what keywise itself could not read is refused in the words of the service', async () => {
  const world = await openWorld(scenario('openai'))
  const words = "Invalid type for 'messages[0]': expected an object, but got a string instead."
  expect(await ask(world, 'openai', { messages: ['Hi'] })).toEqual(refusing(words))
  expect(await ask(world, 'openai', { messages: ['Hi'] }, { key: 'wrong' })).not.toEqual(refusing(words))
})

test('the Responses API and embeddings have rules of their own', async () => {
  const world = await openWorld(scenario('openai', { models: { m: {}, e: { kind: 'embedding' } } }))
  expect(
    await ask(world, 'openai', { messages: undefined, input: 'Hi', max_output_tokens: 5 }, { path: '/responses' }),
  ).toEqual(
    refusing("Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 5 instead."),
  )
  expect(
    await ask(world, 'openai', { messages: undefined, model: 'e', input: 'Hi', top_k: 1 }, { path: '/embeddings' }),
  ).toEqual(refusing("Unknown parameter: 'top_k'."))
})

test('a server of the user’s own takes what any imitation takes', async () => {
  const world = await openWorld(scenario('own', { dialect: 'openai' }))
  expect(await ask(world, 'own', { top_k: 4, store: true })).toMatchObject({ status: 200 })
  expect(await ask(world, 'own', { max_tokens: 0 })).toEqual(refusing('max_tokens must be at least 1'))
})

test('a scenario gives a provider the rules of a service, or none', async () => {
  const strict = await openWorld(scenario('own', { dialect: 'openai', strict: 'openai' }))
  expect(await ask(strict, 'own', { top_k: 4 })).toEqual(refusing('Unrecognized request argument supplied: top_k'))
  const lax = await openWorld(scenario('groq', { strict: false }))
  expect(await ask(lax, 'groq', { store: true })).toMatchObject({ status: 200 })
})

test('a service without rules is no choice', () => {
  expect(() => scenarioSchema.parse(scenario('own', { strict: 'nobody' }))).toThrow()
})

test('what keywise sends a strict service is taken', async () => {
  for (const id of ['openai', 'groq', 'mistral', 'cerebras', 'openrouter', 'xai']) {
    const world = await openWorld(scenario(id))
    const { outcome } = await callModel(world, id, 'm', {
      messages: [userMessage('What is the weather in Malaga?')],
      tools: [{ name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }],
    })
    expect([id, outcome.ok]).toEqual([id, true])
  }
})

test('a scripted model takes one step after the other, each with a tool that it is offered, then it answers', async () => {
  const steps = [[{ tool: 'look' }], [{ tool: 'absent' }, { tool: 'change', arguments: { to: 2 } }]]
  const world = await openWorld(scenario('deadco', { models: { m: { steps } } }))
  const tools = ['look', 'change'].map((name) => ({ type: 'function', function: { name, parameters: OBJECT } }))
  const talk: unknown[] = [HI]
  const called: unknown[] = []
  for (let turn = 0; turn < 3; turn++) {
    const { body } = await ask(world, 'deadco', { messages: talk, tools })
    const message = messageIn(body)
    const call = message.tool_calls?.[0]
    called.push(call?.function ?? null)
    talk.push(message, { role: 'tool', tool_call_id: call?.id, content: 'done' })
  }
  expect(called).toEqual([{ name: 'look', arguments: '{}' }, { name: 'change', arguments: '{"to":2}' }, null])
})

interface Said {
  readonly tool_calls?: readonly { readonly id: string; readonly function: unknown }[]
}

const OBJECT = { type: 'object', properties: {} }
const messageIn = (body: unknown) => (body as { choices: readonly [{ message: Said }] }).choices[0].message // a chat

test('a service takes back the thoughts that it signed itself, and not those of another', async () => {
  const thinker = { models: { m: { thinks: 8 } }, strict: 'anthropic', dialect: 'anthropic' }
  const world = await openWorld(scenario('deadco', thinker))
  const send = (messages: unknown) => ask(world, 'deadco', { messages, max_tokens: 99 }, { path: '/messages' })
  const { body } = await send([HI])
  const { content } = body as { content: readonly { signature?: string }[] } // an answer of the Messages API
  const again = { role: 'user', content: 'Sure?' }
  expect(await send([HI, { role: 'assistant', content }, again])).toMatchObject({ status: 200 })
  const foreign = content.map((block) => ({ ...block, ...(block.signature && { signature: signatureOf('google') }) }))
  expect(await send([HI, { role: 'assistant', content: foreign }, again])).toMatchObject({ status: 400 })
  expect(world.calls.at(-1)?.refusal).toMatchObject({
    error: { message: 'messages.1.content.0: Invalid `signature` in `thinking` block' },
  })
})
