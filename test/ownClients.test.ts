/** Clients that expect more of a server than their protocol says, and how the others are told of broken streams. */

import { describe, expect, test } from 'vitest'
import { askGateway, DIALECTS } from './support/askGateway.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'
import { bodySoFar } from './support/textSoFar.ts'

const MISTRAL = { 'user-agent': 'mistral-client-typescript/2.7.0' }
const OPENROUTER = { 'user-agent': 'speakeasy-sdk/typescript 1.3.19 2.914.0 1.0.0 @openrouter/sdk' }
const BODY = { stream: true, messages: [{ role: 'user', content: 'Hi' }] }

/** As OpenAI streams when usage was asked for. */
async function openaiUpstream(): Promise<object> {
  const chunk = (more: object) =>
    `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`
  const choice = (delta: object, finish_reason: string | null) =>
    chunk({ choices: [{ index: 0, delta, finish_reason }], usage: null })
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
  const said = choice({ role: 'assistant', content: 'Hi' }, null) + choice({}, 'stop') + chunk({ choices: [], usage })
  const headers = { 'content-type': 'text/event-stream' }
  const { endpoint } = await httpUpstream(() => ({ headers, body: `${said}data: [DONE]\n\n` }))
  return { dialect: 'openai', endpoint, api_key: fakeKey('usage'), models: ['m'] }
}

const chunksOf = (text: string) =>
  [...text.matchAll(/^data: (\{.*)$/gm)].map((found) => JSON.parse(found[1] ?? '') as Record<string, unknown>)

describe('usage in a stream of chat chunks', () => {
  test.each(['same', 'foreign'])('is not there for a client that did not ask, from a %s upstream', async (name) => {
    const scenario = { providers: { foreign: { dialect: 'anthropic' as const, models: { m: {} } } } }
    await using world = await openGateway(scenario, { providers: { same: await openaiUpstream() } })
    const text = await (await world.ask('/v1/chat/completions', { ...BODY, model: `${name}/m` })).text()
    expect(text).not.toContain('usage')
    expect(text).toContain('[DONE]')
  })

  const GROQ = { 'user-agent': 'Groq/Python 1.7.0' }
  const usage = { prompt_tokens: expect.any(Number), completion_tokens: expect.any(Number) }

  test.each([
    ['Mistral', MISTRAL, 'same', { usage }],
    ['Mistral', MISTRAL, 'foreign', { usage }],
    ['OpenRouter', OPENROUTER, 'same', { usage }],
    ['OpenRouter', OPENROUTER, 'foreign', { usage }],
    ['Groq', GROQ, 'same', { x_groq: { usage } }],
    ['Groq', GROQ, 'foreign', { x_groq: { usage } }],
  ])("is in the finish chunk for %s's client, where that reads it, from a %s upstream", async (_, client, name, said) => {
    const scenario = { providers: { foreign: { dialect: 'anthropic' as const, models: { m: {} } } } }
    await using world = await openGateway(scenario, { providers: { same: await openaiUpstream() } })
    const response = await world.ask('/v1/chat/completions', { ...BODY, model: `${name}/m` }, client)
    const chunks = chunksOf(await response.text())
    expect(chunks.every(({ choices }) => Array.isArray(choices) && choices.length === 1)).toBe(true)
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], ...said })
    expect(JSON.stringify(chunks.slice(0, -1))).not.toContain('usage')
  })
})

test.each([
  'openai',
  'anthropic',
] as const)("a streamed call is whole for Mistral's client, from %s", async (dialect) => {
  const scenario = { providers: { own: { dialect, models: { m: {} } } } }
  await using world = await openGateway(scenario)
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  const tools = [{ type: 'function', function: { name: 'weather', parameters } }]
  const messages = [{ role: 'user', content: 'What is the weather?' }]
  const asked = { model: 'own/m', stream: true, messages, tools }
  const text = await (await world.ask('/v1/chat/completions', asked, MISTRAL)).text()
  const deltas = chunksOf(text).flatMap(({ choices }) => choices as { delta: { tool_calls?: object[] } }[]) // as written
  expect(deltas.flatMap(({ delta }) => delta.tool_calls ?? [])).toMatchObject([
    { index: 0, type: 'function', function: { name: 'weather', arguments: expect.stringMatching(/^\{.*\}$/) } },
  ])
})

describe('an error in a stream of chat chunks', () => {
  const scenario = { providers: { own: { models: { m: {} }, faults: [{ do: 'cut_reset' as const, chunks: 2 }] } } }

  test('has a code that clients can make a number of, and our word beside it', async () => {
    await using world = await openGateway(scenario)
    const text = await (await world.ask('/v1/chat/completions', { ...BODY, model: 'own/m' })).text()
    const error = { code: '502', type: 'server_error', metadata: { failure: 'network' } }
    expect(chunksOf(text).at(-1)).toMatchObject({ error })
    expect(text).not.toContain('[DONE]')
  })

  test("is a chunk with a number for OpenRouter's client", async () => {
    await using world = await openGateway(scenario)
    const text = await (await world.ask('/v1/chat/completions', { ...BODY, model: 'own/m' }, OPENROUTER)).text()
    expect(chunksOf(text).at(-1)).toMatchObject({
      object: 'chat.completion.chunk',
      choices: [],
      error: { code: 502, metadata: { error_type: 'provider_unavailable', failure: 'network' } },
    })
  })

  test("is a number for OpenRouter's client also in place of an answer, and a word for others", async () => {
    await using world = await openGateway(scenario)
    const asked = { ...BODY, model: 'nowhere' }
    const other = await world.ask('/v1/chat/completions', asked)
    expect([other.status, await other.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }])
    const own = await world.ask('/v1/chat/completions', asked, OPENROUTER)
    const error = { code: 404, metadata: { error_type: 'not_found', failure: 'model_not_found' } }
    expect([own.status, await own.json()]).toMatchObject([404, { error }])
  })
})

describe('a stream in which the upstream says an error', () => {
  test('ends for Gemini clients in a line that is not whole, at which those throw that overlook the event', async () => {
    const scenario = { providers: { own: { models: { m: {} }, faults: [{ do: 'cut_error' as const, chunks: 3 }] } } }
    await using world = await openGateway(scenario)
    const body = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }
    const path = '/v1beta/models/own%2Fm:streamGenerateContent'
    const { text, reset } = await bodySoFar(await world.ask(`${path}?alt=sse`, body))
    expect(reset).toBe(false)
    expect(text).toMatch(/\ndata: \{"error":\{"code":\d+,.*\}\n\n: [^\n]+$/)
    // A JSON array has no comments.
    const array = await world.ask(path, body)
    const pieces = (await array.json()) as unknown[] // an array, whatever is in it
    expect(pieces.at(-1)).toMatchObject({ error: { code: expect.any(Number) } })
  })
})

describe('a stream that breaks off', () => {
  test.each(
    DIALECTS,
  )('ends with the error of %s, and for Gemini clients the connection breaks behind it', async (client) => {
    const scenario = { providers: { own: { models: { m: {} }, faults: [{ do: 'cut_clean' as const, chunks: 3 }] } } }
    await using world = await openGateway(scenario)
    let reset: boolean | undefined
    const watched = {
      ...world,
      ask: async (...asked: Parameters<typeof world.ask>) => {
        const response = await world.ask(...asked)
        const read = await bodySoFar(response)
        reset = read.reset
        return new Response(read.text, response)
      },
    }
    const { status, text, read } = await askGateway(watched, client, { model: 'own/m', stream: true })
    expect(status).toBe(200)
    expect(text).toContain('the answer broke off')
    expect(read).toBeNull()
    expect(reset).toBe(client === 'google')
  })
})
