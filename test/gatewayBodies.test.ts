/** Invalid bodies: always a 4xx in the protocol's own shape, never a 500, never a hang. */

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'

let world: GatewayWorld
beforeAll(async () => {
  world = await openGateway({ providers: { own: { models: { talker: { reply: 'Hello' } } } } })
})
afterAll(() => world.close())

const TEXT = { role: 'user', content: 'Hi' }
const ROUTES = {
  chat: { path: '/v1/chat/completions', good: { model: 'talker', messages: [TEXT] } },
  responses: { path: '/v1/responses', good: { model: 'talker', input: 'Hi' } },
  messages: { path: '/v1/messages', good: { model: 'talker', max_tokens: 10, messages: [TEXT] } },
  count: { path: '/v1/messages/count_tokens', good: { model: 'talker', messages: [TEXT] } },
  gemini: {
    path: '/v1beta/models/talker:generateContent',
    good: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
  },
  embeddings: { path: '/v1/embeddings', good: { model: 'talker', input: 'Hi' } },
  feedback: { path: '/v1/feedback', good: { request_id: 'kw_none', score: 1 } },
} as const
const NAMES = Object.keys(ROUTES) as (keyof typeof ROUTES)[] // its own keys

/** The shape in which each protocol's clients look for an error. */
function isError(name: keyof typeof ROUTES, body: unknown): boolean {
  const { error, type } = body as { error?: Record<string, unknown>; type?: unknown } // what is looked at is being checked
  if (typeof error !== 'object' || typeof error['message'] !== 'string') return false
  if (name === 'messages' || name === 'count') return type === 'error' && typeof error['type'] === 'string'
  return name === 'gemini' ? typeof error['code'] === 'number' && typeof error['status'] === 'string' : 'code' in error
}

async function refused(name: keyof typeof ROUTES, body: string): Promise<void> {
  const response = await world.ask(ROUTES[name].path, body)
  const told: unknown = await response.json()
  expect(response.status, `${name}: ${body.slice(0, 200)}`).toBeGreaterThanOrEqual(400)
  expect(response.status, `${name}: ${body.slice(0, 200)}`).toBeLessThan(500)
  expect(isError(name, told), JSON.stringify(told)).toBe(true)
}

describe.each(NAMES)('%s', (name) => {
  test.each([
    ['nothing', ''],
    ['half an object', '{"model": "talker", "mess'],
    ['no JSON', 'model=talker'],
    ['two values', '{} {}'],
    ['a text', '"talker"'],
    ['a number', '5'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an empty object', '{}'],
    ['deep lists', `{"model":"talker","messages":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['deep objects', `{"contents":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`],
    ['deep lists that never close', `{"input":${'['.repeat(100_000)}`],
    ['an invalid character', '{"model":"\u0001"}'],
  ])('%s is refused', (_, body) => refused(name, body))

  test.each([
    1,
    true,
    null,
    [],
    {},
    [1],
    { a: 1 },
    '',
    [null],
    [[]],
    [{}],
    ['x'],
    -1,
    1e300,
    '\u0000',
  ])('%j in the place of any field is taken or refused', async (wrong) => {
    const { good, path } = ROUTES[name]
    for (const field of [
      ...Object.keys(good),
      'tools',
      'stop',
      'stream',
      'temperature',
      'generationConfig',
      'system',
    ]) {
      const response = await world.ask(path, { ...good, [field]: wrong })
      await response.arrayBuffer()
      expect(response.status, `${field}: ${JSON.stringify(wrong)}`).toBeLessThan(500)
    }
  })

  test('any JSON in the place of any part is taken or refused', async () => {
    const { good, path } = ROUTES[name]
    const mutated = fc.tuple(fc.constantFrom(...pathsIn(good)), fc.jsonValue({ maxDepth: 4 }))
    await fc.assert(
      fc.asyncProperty(mutated, async ([place, value]) => {
        const response = await world.ask(path, replaced(good, place, value))
        await response.arrayBuffer()
        expect(response.status).toBeLessThan(500)
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ])('a model named %s is not found', async (model) => {
    const { good, path } = ROUTES[name]
    if (!Object.hasOwn(good, 'model') || name === 'count') return
    expect((await world.ask(path, { ...good, model })).status).toBe(404)
  })

  test('names of prototypes change nobody', async () => {
    const { good, path } = ROUTES[name]
    const body = JSON.stringify(good).replace('{', '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},')
    await (await world.ask(path, body)).arrayBuffer()
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })
})

test('a model named twice, or in escapes, is the one that is asked', async () => {
  for (const body of ['{"model":"none","model":"talker",', '{"model":"none","mod\\u0065l":"talker",']) {
    world.fakes.forget()
    await (await world.ask('/v1/chat/completions', `${body}"messages":[{"role":"user","content":"Hi"}]}`)).text()
    expect(world.fakes.calls.map((call) => call.body)).toMatchObject([{ model: 'talker' }])
  }
})

function pathsIn(value: unknown): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...pathsIn(inner).map((rest) => [key, ...rest])])
}

function replaced(value: unknown, [key = '', ...rest]: readonly string[], by: unknown): unknown {
  const copy = structuredClone(value) as Record<string, unknown> // a place inside it was found by pathsIn
  copy[key] = rest.length === 0 ? by : replaced(copy[key], rest, by)
  return copy
}
