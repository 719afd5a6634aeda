/** Several answers to one request, and the probabilities of their tokens, in the words of every client that can ask. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { asArray, asRecord, asString } from '../src/domain/json.ts'
import { parseJson } from '../src/domain/parseJson.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { fakeKey } from './support/labCall.ts'
import { textSoFar } from './support/textSoFar.ts'

type Body = Record<string, unknown>

const REPLY = 'The sea is wide.'
const TOKENS = ['The ', 'sea ', 'is w', 'ide.']

const PATHS: { readonly [D in DialectId]: (stream: boolean) => string } = {
  openai: () => '/v1/chat/completions',
  'openai-responses': () => '/v1/responses',
  anthropic: () => '/v1/messages',
  google: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
}

const MODELS = {
  openai: ['openai', 'gpt-4o'],
  google: ['google', 'gemini-2.5-flash'],
  anthropic: ['anthropic', 'claude-sonnet-4-5'],
  groq: ['groq', 'openai/gpt-oss-20b'],
  newer: ['google', 'gemini-3.8-flash'],
  reasoner: ['openai', 'o3'],
  gpt51: ['openai', 'gpt-5.1'],
  gpt55: ['openai', 'gpt-5.5'],
} as const
type Service = keyof typeof MODELS

const hi = [{ role: 'user', content: 'Hi' }]
const several: { readonly [D in DialectId]?: Body } = {
  openai: { messages: hi, n: 2 },
  google: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { candidateCount: 2 } },
}
const probable: { readonly [D in DialectId]?: Body } = {
  openai: { messages: hi, logprobs: true, top_logprobs: 2 },
  'openai-responses': { input: 'Hi', top_logprobs: 2, include: ['message.output_text.logprobs'] },
  google: {
    contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    generationConfig: { responseLogprobs: true, logprobs: 2 },
  },
}

interface Asked {
  readonly client: DialectId
  readonly body: Body | undefined
  readonly stream?: boolean
  readonly reply?: string
}

async function ask(services: readonly Service[], { client, body = {}, stream = false, reply = REPLY }: Asked) {
  const providers: FakeScenario['providers'] = {}
  for (const service of services) {
    const [provider, model] = MODELS[service]
    providers[provider] = { models: { ...providers[provider]?.models, [model]: { reply } } }
  }
  const m = services.map((service) => MODELS[service].join('/'))
  const settings = { models: { m }, routing: { strategy: 'priority' } }
  await using world = await openGateway({ providers }, { settings })
  const asked = client === 'google' ? body : { model: 'm', ...body, stream }
  const response = await world.ask(PATHS[client](stream), asked)
  return {
    status: response.status,
    text: await textSoFar(response),
    trail: response.headers.get('x-keywise-trail'),
    leftOut: response.headers.get('x-keywise-left-out'),
    sent: world.fakes.calls.at(-1)?.body as Body | undefined,
  }
}

const eventsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Body)

const record = (value: unknown) => asRecord(value) ?? {}
const list = (value: unknown) => (asArray(value) ?? []).map(record)
const indexed = (choices: readonly Body[], index: number) => choices.filter((choice) => choice['index'] === index)

/** The texts and the reasons for the end, by index, as a client of chat completions or Gemini reads them. */
function answersIn(client: DialectId, text: string, stream: boolean): readonly (readonly [string, unknown])[] {
  const bodies = stream ? eventsOf(text) : [record(JSON.parse(text))]
  const choices = bodies.flatMap((body) => list(body[client === 'google' ? 'candidates' : 'choices']))
  return [0, 1].map((index) => {
    const own = indexed(choices, index)
    const said = own.map((choice) =>
      client === 'google'
        ? list(record(choice['content'])['parts'])
            .map((part) => asString(part['text']) ?? '')
            .join('')
        : (asString(record(choice['message'] ?? choice['delta'])['content']) ?? ''),
    )
    const reasons = own
      .map((choice) => choice['finish_reason'] ?? choice['finishReason'])
      .filter((reason) => reason != null)
    return [said.join(''), reasons.join(',')] as const
  })
}

const BOTH = ['openai', 'google'] as const

describe.each(BOTH)('several answers for a client of %s', (client) => {
  const reason = client === 'google' ? 'STOP' : 'stop'
  const expected = [
    [REPLY, reason],
    [`${REPLY} (2)`, reason],
  ]

  test.each(
    BOTH.flatMap((service) => [false, true].map((stream) => ({ service, stream }))),
  )('from $service, streamed: $stream', async ({ service, stream }) => {
    const { status, text, sent, leftOut } = await ask([service], { client, body: several[client], stream })
    expect([status, text]).toEqual([200, text])
    expect(leftOut).toBeNull()
    expect(JSON.stringify(sent)).toMatch(service === 'google' ? /"candidateCount":2/ : /"n":2/)
    expect(answersIn(client, text, stream)).toEqual(expected)
  })

  test('are asked of a model that gives them, and without one the client is told', async () => {
    for (const service of ['anthropic', 'groq', 'newer'] as const) {
      const alone = await ask([service], { client, body: several[client] })
      // A model of the client’s own dialect is no exception: it would refuse.
      expect([service, alone.status, alone.sent, alone.text]).toEqual([
        service,
        400,
        undefined,
        expect.stringContaining(client === 'google' ? 'candidateCount' : '\\"n\\"'),
      ])
      const { status, trail } = await ask([service, 'openai'], { client, body: several[client] })
      expect([service, status, trail]).toEqual([service, 200, 'openai/gpt-4o#1=ok'])
    }
  })

  test('stop where the client wants it, each of them', async () => {
    const body = { ...several[client] }
    const stop = ['a1', 'b2', 'c3', 'd4', 'e5', 'sea']
    if (client === 'google') body['generationConfig'] = { candidateCount: 2, stopSequences: stop.slice(1) }
    else body['stop'] = stop
    const other = client === 'google' ? 'openai' : 'google'
    for (const stream of [false, true]) {
      const { status, text } = await ask([other], { client, body, stream })
      expect([status, text]).toEqual([200, text])
      expect(answersIn(client, text, stream)).toEqual([
        ['The ', reason],
        ['The ', reason],
      ])
    }
  })
})

/** The tokens and their alternatives, with the first probability, as a client reads them. */
function tokensIn(client: DialectId, text: string, stream: boolean): readonly (readonly [unknown, number, unknown])[] {
  const bodies = stream ? eventsOf(text) : [record(JSON.parse(text))]
  return bodies.flatMap((body) => READ[client](body))
}

const openaiTokens = (tokens: unknown) =>
  list(tokens).map((token) => [token['token'], list(token['top_logprobs']).length, token['logprob']] as const)

const READ: { readonly [D in DialectId]: (body: Body) => readonly (readonly [unknown, number, unknown])[] } = {
  openai: (body) => list(body['choices']).flatMap((choice) => openaiTokens(record(choice['logprobs'])['content'])),
  'openai-responses': (body) => {
    if (body['type'] === 'response.output_text.delta') return openaiTokens(body['logprobs'])
    if (body['type'] !== undefined) return []
    return list(body['output']).flatMap((item) =>
      list(item['content']).flatMap((part) => openaiTokens(part['logprobs'])),
    )
  },
  anthropic: () => [],
  google: (body) =>
    list(body['candidates']).flatMap((candidate) => {
      const result = record(candidate['logprobsResult'])
      const top = list(result['topCandidates'])
      return list(result['chosenCandidates']).map(
        (token, step) => [token['token'], list(top[step]?.['candidates']).length, token['logProbability']] as const,
      )
    }),
}

const CLIENTS = ['openai', 'openai-responses', 'google'] as const

describe.each(CLIENTS)('probabilities for a client of %s', (client) => {
  const expected = TOKENS.map((token, at) => [token, 2, -(at + 1) / 8])

  test.each(
    BOTH.flatMap((service) => [false, true].map((stream) => ({ service, stream }))),
  )('from $service, streamed: $stream', async ({ service, stream }) => {
    const { status, text, sent, leftOut } = await ask([service], { client, body: probable[client], stream })
    expect([status, text]).toEqual([200, text])
    expect(leftOut).toBeNull()
    expect(JSON.stringify(sent)).toMatch(
      service === 'google' ? /"responseLogprobs":true/ : /"logprobs":true|message\.output_text\.logprobs/,
    )
    expect(tokensIn(client, text, stream)).toEqual(expected)
  })

  test('are asked of a model that gives them, and without one the client is told', async () => {
    for (const service of ['anthropic', 'groq', 'newer', 'reasoner'] as const) {
      const alone = await ask([service], { client, body: probable[client] })
      expect([service, alone.status, alone.sent, alone.text]).toEqual([
        service,
        400,
        undefined,
        expect.stringMatching(/log ?probs|log probabilities/i),
      ])
      const { status, trail } = await ask([service, 'openai'], { client, body: probable[client] })
      expect([service, status, trail]).toEqual([service, 200, 'openai/gpt-4o#1=ok'])
    }
  })
})

test('a model that gives probabilities only without thinking is asked for them where it does not think', async () => {
  const told = { ...probable.openai, reasoning_effort: 'none' }
  const asked = { ...probable.openai, reasoning_effort: 'low' }
  const rows = [
    ['gpt51', probable.openai, 200],
    ['gpt51', told, 200],
    ['gpt51', asked, 400],
    ['gpt55', probable.openai, 400],
    ['gpt55', told, 200],
    ['gpt55', asked, 400],
  ] as const
  for (const [service, body, expected] of rows) {
    const { status, sent } = await ask([service], { client: 'openai', body })
    expect([service, body, status, sent === undefined]).toEqual([service, body, expected, expected === 400])
    const { trail } = await ask([service, 'openai'], { client: 'openai', body: probable.openai })
    expect(trail).toBe(service === 'gpt51' ? 'openai/gpt-5.1#1=ok' : 'openai/gpt-4o#1=ok')
  }
})

test('a Responses stream says the probabilities at its end as well', async () => {
  const { text } = await ask(['google'], {
    client: 'openai-responses',
    body: probable['openai-responses'],
    stream: true,
  })
  const done = eventsOf(text).find(({ type }) => type === 'response.output_text.done')
  expect(openaiTokens(done?.['logprobs']).map(([token]) => token)).toEqual(TOKENS)
  const completed = record(eventsOf(text).find(({ type }) => type === 'response.completed')?.['response'])
  expect(READ['openai-responses'](completed).map(([token]) => token)).toEqual(TOKENS)
})

test('both together, each answer with its own', async () => {
  const body = { messages: hi, n: 2, logprobs: true }
  const { text } = await ask(['google'], { client: 'openai', body })
  const choices = list(record(JSON.parse(text))['choices'])
  const tokens = choices.map((choice) =>
    openaiTokens(record(choice['logprobs'])['content'])
      .map(([token]) => token)
      .join(''),
  )
  expect(tokens).toEqual([REPLY, `${REPLY} (2)`])
})

test('a probability keeps its digits', async () => {
  const chosen = '{"token":"Hi","tokenId":1,"logProbability":-0.1000000000000000055}'
  const candidate = `{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP","index":0,"logprobsResult":{"chosenCandidates":[${chosen}]}}`
  const upstream = await httpUpstream(() => ({
    body: `{"candidates":[${candidate}],"modelVersion":"m","responseId":"r"}`,
  }))
  const block = { dialect: 'google', endpoint: upstream.endpoint, api_key: fakeKey('only'), models: ['m'] }
  await using world = await openGateway({ providers: {} }, { providers: { providers: { only: block } } })
  const response = await world.ask('/v1/chat/completions', { model: 'only/m', messages: hi, logprobs: true })
  expect(JSON.stringify(parseJson(await response.text()))).toContain(
    '"logprobs":{"content":[{"token":"Hi","logprob":-0.1000000000000000055,"bytes":[72,105],"top_logprobs":[]}]',
  )
})

describe('a stream that ends while one of its answers is under way is no whole answer', () => {
  const chat = (index: number, delta: object, finish_reason: string | null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index, delta, finish_reason }],
  })
  const gemini = (index: number, text: string, finishReason?: string) => ({
    candidates: [{ index, content: { role: 'model', parts: [{ text }] }, ...(finishReason && { finishReason }) }],
    responseId: 'r',
  })
  const said: { readonly [D in 'openai' | 'google']: readonly object[] } = {
    openai: [chat(0, { content: 'one' }, 'stop'), chat(1, { content: 'tw' }, null)],
    google: [gemini(0, 'one', 'STOP'), gemini(1, 'tw')],
  }
  test.each([
    ['openai', 'openai'],
    ['openai', 'google'],
    ['google', 'openai'],
    ['google', 'google'],
  ] as const)('from %s to a client of %s', async (dialect, client) => {
    const body = said[dialect].map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    const { endpoint } = await httpUpstream(() => ({ headers: { 'content-type': 'text/event-stream' }, body }))
    const block = { dialect, endpoint, api_key: fakeKey('mine'), models: ['m'] }
    await using world = await openGateway({ providers: {} }, { providers: { mine: block } })
    const asked = client === 'google' ? several.google : { model: 'm', stream: true, ...several.openai }
    const text = await textSoFar(await world.ask(PATHS[client](true), asked))
    expect(text).toContain('"error"')
    expect(text).not.toMatch(/\[DONE\]|OTHER/)
  })
})
