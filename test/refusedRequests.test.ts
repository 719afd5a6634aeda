/** One client's own mistake, over HTTP: it hears of it in the upstream's words, and nobody else ever does. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { type GatewayWorld, openGateway, type WorldOptions } from './support/gatewayWorld.ts'
import {
  ABILITIES_LACKED,
  CONDITIONS,
  FILTERS,
  OBJECTS,
  OF_THE_TARGET,
  PASSING,
  type SaidRefusal,
  SIZES,
  VALUES,
  WISHES,
} from './support/refusals.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
/** In a request that the upstream refuses. */
const MARK = 'refuse-this'

interface Spoken {
  readonly path: string
  readonly body: object
}

/** A request with an image, a tool and a schema for the answer, in the client's language. */
const REQUESTS: { readonly [D in DialectId]?: (text: string, model: string) => Spoken } = {
  openai: (text, model) => ({
    path: '/v1/chat/completions',
    body: {
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
          ],
        },
      ],
      tools: [{ type: 'function', function: { name: 'clock', parameters: SCHEMA } }],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } },
    },
  }),
  anthropic: (text, model) => ({
    path: '/v1/messages',
    body: {
      model,
      max_tokens: 100,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          ],
        },
      ],
      tools: [{ name: 'clock', input_schema: SCHEMA }],
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
    },
  }),
  google: (text, model) => ({
    path: `/v1beta/models/${model}:generateContent`,
    body: {
      contents: [{ role: 'user', parts: [{ text }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] }],
      tools: [{ functionDeclarations: [{ name: 'clock', parameters: { type: 'object' } }] }],
      generationConfig: { responseMimeType: 'application/json', responseSchema: { type: 'object' } },
    },
  }),
}

const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`fake-own-${'0'.repeat(12)}${index}`, {}]))

function openOwn(dialect: DialectId, options: WorldOptions = {}): Promise<GatewayWorld> {
  return openGateway(
    { providers: { own: { dialect, keys: keys(2), models: { m: { reply: '{"a":"b"}' } } } } },
    { ...options, settings: { routing: { strategy: 'priority' }, ...options.settings } },
  )
}

async function ask(world: GatewayWorld, { path, body }: Spoken) {
  const response = await world.ask(path, body)
  return { status: response.status, text: await response.text(), trail: response.headers.get('x-keywise-trail') ?? '' }
}

/** Requests with the mark are refused like this by everyone, or by some providers. */
function refuse(world: GatewayWorld, { status, body }: Pick<SaidRefusal, 'status' | 'body'>, by?: string): void {
  world.fakes.refuseIf((provider, request) =>
    JSON.stringify(request).includes(MARK) && (by === undefined || by === provider) ? { status, body } : null,
  )
}

const parked = ({ gateway }: GatewayWorld) => {
  const { engine } = gateway.opened
  return engine.learned.parks.list(engine.now).map(({ reason }) => reason)
}

/** What an upstream says, as far as it must reach the client. */
const wordsOf = ({ body, words }: SaidRefusal) =>
  words ?? (/"(?:message|msg)":"((?:[^"\\]|\\.){1,40})/.exec(JSON.stringify(body))?.[1] ?? '').replace(/\\.*$/, '')

const STATUS: { readonly [kind: string]: number } = { context_too_long: 400, too_large_for_limit: 413 }

describe.each([
  'openai',
  'anthropic',
  'google',
] as const)('through the gateway to a provider that speaks %s', (dialect) => {
  const said = [...VALUES, ...OBJECTS, ...SIZES, ...CONDITIONS].filter((one) => one.dialect === dialect)

  test('a refused request reaches its client, and no later request of the same kind suffers', async () => {
    await using world = await openOwn(dialect)
    const request = REQUESTS[dialect]!
    const wrong: unknown[] = []
    for (const [index, refusal] of said.entries()) {
      refuse(world, refusal)
      const bad = await ask(world, request(`${MARK} ${index}`, 'm'))
      const good = await ask(world, request(`Say hi ${index}`, 'm'))
      const isTold = bad.status === (STATUS[refusal.kind] ?? refusal.status) && isInside(bad.text, wordsOf(refusal))
      if (!isTold || good.status !== 200 || parked(world).length > 0)
        wrong.push([refusal.name, bad, good.status, good.text.slice(0, 200), parked(world)])
    }
    expect(wrong).toEqual([])
    for (const row of world.gateway.opened.engine.store.attempts({}).filter(({ ok }) => !ok))
      expect(row.failure?.kind).not.toBe('server')
  })
})

const isInside = (text: string, words: string) => text.includes(words) || text.includes(words.replace(/\\"/g, '"'))

describe.each([
  'openai',
  'anthropic',
  'google',
] as const)('what is no fault of the caller at a provider that speaks %s', (dialect) => {
  const said = [...OF_THE_TARGET, ...WISHES, ...PASSING].filter((one) => one.dialect === dialect)
  const request = REQUESTS[dialect]!
  const model = 'some-model'
  const open = () =>
    openGateway(
      {
        providers: {
          own: { dialect, models: { [model]: { reply: '{"a":"b"}' } } },
          other: { dialect, models: { n: {} } },
        },
      },
      { settings: { routing: { strategy: 'priority' }, models: { both: [`own/${model}`, 'other/n'] } } },
    )
  /** These say that the key or the model is of no use for a while. */
  const rests = ({ kind }: SaidRefusal) => kind === 'auth_forbidden' || kind === 'billing'
  const isGone = (refusal: SaidRefusal) => refusal.kind === 'model_not_found' && !PASSING.includes(refusal)

  test('is answered by the target beside it, and the next request goes to the first again', async () => {
    await using world = await open()
    const wrong: unknown[] = []
    for (const [index, refusal] of said.entries()) {
      refuse(world, refusal, 'own')
      const bad = await ask(world, request(`${MARK} ${index}`, 'both'))
      const good = await ask(world, request(`Say hi ${index}`, 'both'))
      const next = rests(refusal) || isGone(refusal) ? 'other/n#1=ok' : `own/${model}#1=ok`
      if (bad.trail !== `own/${model}#1=${refusal.kind}; other/n#1=ok` || good.trail !== next)
        wrong.push([refusal.name, bad.status, bad.trail, good.trail])
      await world.ask('/api/targets/retest', {}, { authorization: `Bearer ${world.adminToken}` })
    }
    expect(wrong).toEqual([])
  })
})

describe('a 404 that speaks of no model', () => {
  const empty = PASSING.find(({ name }) => name === 'an empty 404')!
  const chat = (text: string) => REQUESTS.openai!(text, 'm')

  test('rests a model for seconds, from the second in a row', async () => {
    let now = Date.UTC(2026, 10, 23, 12)
    await using world = await openOwn('openai', { clock: () => now, now: () => now })
    refuse(world, empty)
    await ask(world, chat(`${MARK} one`))
    expect(parked(world)).toEqual([])
    now += 1000
    await ask(world, chat(`${MARK} two`))
    expect(parked(world)).toEqual(['model_not_found'])
    now += 16_000
    expect((await ask(world, chat('Say hi'))).status).toBe(200)
  })

  test('is told with the address, which may be the wrong one', async () => {
    await using world = await openOwn('openai')
    refuse(world, empty)
    const answer = await ask(world, chat(MARK))
    expect(answer.status).toBe(404)
    expect(answer.text).toMatch(
      /does not serve m at http:\/\/127\.0\.0\.1:\d+.*: correct its .*models.* or its address/,
    )
  })
})

describe('content that a service withholds', () => {
  test.each(FILTERS)('$name: is sent nowhere else', async (refusal) => {
    await using world = await openGateway(
      {
        providers: {
          own: { dialect: refusal.dialect, models: { m: {} } },
          other: { dialect: 'google', models: { n: {} } },
        },
      },
      { settings: { routing: { strategy: 'priority' }, models: { both: ['own/m', 'other/n'] } } },
    )
    refuse(world, refusal)
    // Written by keywise, so that an unknown refusal would be taken for a fault of the translation.
    const { path, body } = REQUESTS[refusal.dialect === 'openai' ? 'anthropic' : 'openai']!(MARK, 'both')
    const answer = await ask(world, { path, body })
    expect(answer).toMatchObject({ status: 400, trail: 'own/m#1=content_filter' })
    expect(parked(world)).toEqual([])
  })
})

describe('MiniMax’s error inside a 200', () => {
  const codes = [
    [1002, 'rate_minute'],
    [1004, 'auth_invalid'],
    [1008, 'billing'],
    [1027, 'content_filter'],
  ] as const
  const streamed = [false, true]

  test.each(
    codes.flatMap(([code, kind]) => streamed.map((stream) => ({ code, kind, stream }))),
  )('$code is $kind, streamed: $stream', async ({ code, kind, stream }) => {
    await using world = await openGateway(
      { providers: { own: { models: { m: {} } }, other: { models: { n: {} } } } },
      { settings: { routing: { strategy: 'priority' }, models: { both: ['own/m', 'other/n'] } } },
    )
    const body = { id: 'x', choices: null, base_resp: { status_code: code, status_msg: 'refused' } }
    refuse(world, { status: 200, body }, 'own')
    const { path, body: asked } = REQUESTS.openai!(MARK, 'both')
    const answer = await ask(world, { path, body: { ...asked, stream } })
    const next = kind === 'content_filter' ? '' : '; other/n#1=ok'
    expect(answer.trail).toBe(`own/m#1=${kind}${next}`)
  })
})

describe('a missing object', () => {
  const missing = OBJECTS.find(({ name }) => name === 'a file')!

  test('is looked for on the other keys of its provider, and nowhere else', async () => {
    await using world = await openGateway(
      {
        providers: {
          own: { dialect: 'anthropic', keys: keys(3), models: { m: {} } },
          other: { dialect: 'anthropic', models: { n: {} } },
        },
      },
      { settings: { routing: { strategy: 'priority' }, models: { both: ['own/m', 'other/n'] } } },
    )
    refuse(world, missing, 'own')
    const bad = await ask(world, REQUESTS.anthropic!(MARK, 'both'))
    expect(bad).toMatchObject({
      status: 404,
      trail: 'own/m#1=bad_request; own/m#2=bad_request; own/m#3=bad_request',
    })
    expect(JSON.parse(bad.text)).toMatchObject({ error: { type: 'not_found_error' } })
    expect(bad.text).toContain('File not found: file_011abc')
  })

  test('is answered by the key that has it', async () => {
    await using world = await openOwn('anthropic')
    let calls = 0
    world.fakes.refuseIf(() => (calls++ === 0 ? { status: 404, body: missing.body } : null))
    expect(await ask(world, REQUESTS.anthropic!('Say hi', 'm'))).toMatchObject({
      status: 200,
      trail: 'own/m#1=bad_request; own/m#2=ok',
    })
  })

  test('is told as missing when the other key is refused', async () => {
    await using world = await openOwn('anthropic')
    world.fakes.revoke('own', 2)
    refuse(world, missing)
    expect(await ask(world, REQUESTS.anthropic!(MARK, 'm'))).toMatchObject({ status: 404 })
  })
})

const FORMATS = VALUES.filter(({ about }) => about === 'media')
describe.each(FORMATS)('$name that one service does not read', (refusal) => {
  const { dialect } = refusal
  const open = () =>
    openGateway(
      {
        providers: {
          own: { dialect, keys: keys(2), models: { m: {} } },
          other: { dialect: dialect === 'openai' ? 'anthropic' : 'openai', models: { n: {} } },
        },
      },
      { settings: { routing: { strategy: 'priority' }, models: { all: ['own/m', 'other/n'] } } },
    )

  test('is given to others, which may, and parks nobody', async () => {
    await using world = await open()
    refuse(world, refusal, 'own')
    const answer = await ask(world, REQUESTS[dialect]!(MARK, 'all'))
    expect([answer.status, answer.trail, parked(world)]).toEqual([200, 'own/m#1=bad_request; other/n#1=ok', []])
  })

  test('is refused in its words where no other does', async () => {
    await using world = await open()
    refuse(world, refusal)
    const answer = await ask(world, REQUESTS[dialect]!(MARK, 'all'))
    expect(answer.status).toBe(400)
    expect(isInside(answer.text, wordsOf(refusal))).toBe(true)
  })
})

describe('a size', () => {
  const larger = (dialect: DialectId = 'openai') =>
    openGateway(
      { providers: { own: { dialect, models: { m: {}, n: {} } }, other: { models: { n: {} } } } },
      { settings: { routing: { strategy: 'priority' }, models: { both: ['own/m', 'own/n', 'other/n'] } } },
    )

  test.each(SIZES.filter(({ dialect }) => dialect === 'openai'))('$name is taken elsewhere', async (refusal) => {
    await using world = await larger()
    refuse(world, refusal, 'own')
    const answer = await ask(world, REQUESTS.openai!(MARK, 'both'))
    expect(answer).toMatchObject({ status: 200, trail: expect.stringMatching(/other\/n#1=ok$/) })
    expect(parked(world)).toEqual([])
  })

  const small = [
    ['of the API', { status: 413, body: { error: { message: 'Payload Too Large', type: 'error' } } }],
    ['of images', SIZES.find(({ name }) => name === 'too many images')!],
    ['of the prompt', OF_THE_TARGET.find(({ name }) => name === 'a window at Z.ai')!],
  ] as const

  test.each(small)('%s that one model refuses is taken by a larger one of the same provider', async (_, refusal) => {
    await using world = await larger()
    world.fakes.refuseIf((_, body) => ((body as { model: string }).model === 'm' ? refusal : null))
    expect((await ask(world, REQUESTS.openai!(MARK, 'both'))).trail).toMatch(/^own\/m#1=\w+; own\/n#1=ok$/)
  })

  test('of the body that a proxy refuses is refused for all models behind it', async () => {
    await using world = await larger()
    refuse(world, { status: 413, body: '<html><h1>413 Request Entity Too Large</h1></html>' }, 'own')
    const answer = await ask(world, REQUESTS.openai!(MARK, 'both'))
    expect(answer.trail).toBe('own/m#1=bad_request; other/n#1=ok')
  })

  test('of the answer goes only to models that may write as much', async () => {
    await using world = await openGateway(
      { providers: { own: { models: { m: {}, n: {} } }, other: { models: { n: {} } } } },
      {
        settings: { routing: { strategy: 'priority' }, models: { both: ['own/m', 'own/n', 'other/n'] } },
        reconfigure: (config) => ({
          ...config,
          own: { ...config['own'], models: [{ id: 'm' }, { id: 'n', max_output_tokens: 8192 }] },
        }),
      },
    )
    refuse(world, SIZES.find(({ name }) => name.includes('GPT writes'))!, 'own')
    const { path, body } = REQUESTS.openai!(MARK, 'both')
    const answer = await ask(world, { path, body: { ...body, max_tokens: 100_000 } })
    expect(answer.trail).toBe('own/m#1=unsupported; other/n#1=ok')
    // The limit that was refused is not sent under another name.
    expect(
      world.fakes.calls.map(({ body }) => Object.keys(body as object).filter((name) => /max_/.test(name))),
    ).toEqual([['max_tokens'], ['max_tokens']])
  })
})

describe('an ability', () => {
  const noTools = ABILITIES_LACKED.find(({ name }) => name === 'tools')!
  const request = REQUESTS.openai!

  test.each(
    ABILITIES_LACKED.filter(({ dialect }) => dialect === 'openai'),
  )('$name: one refused request takes nothing from the next', async (refusal) => {
    await using world = await openOwn('openai')
    refuse(world, refusal)
    // What a server answers with 500 is still the request's.
    const status = refusal.status < 500 ? refusal.status : 400
    for (let times = 0; times < 3; times++) {
      const bad = await ask(world, request(MARK, 'm'))
      expect(bad).toMatchObject({ status, trail: expect.stringMatching(/=unsupported$/) })
    }
    expect((await ask(world, request('Say hi', 'm'))).status).toBe(200)
  })

  test('goes to the next model that has it', async () => {
    await using world = await openGateway(
      { providers: { own: { models: { m: {} } }, other: { models: { n: {} } } } },
      { settings: { routing: { strategy: 'priority' }, models: { both: ['m', 'n'] } } },
    )
    refuse(world, noTools, 'own')
    expect((await ask(world, request(MARK, 'both'))).trail).toBe('own/m#1=unsupported; other/n#1=ok')
  })

  test('is held to be missing when two requests agree, also after a restart, until a retest', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const world = await openOwn('openai', { store })
    onTestFinished(() => world.close())
    refuse(world, noTools)
    for (const which of ['one', 'two']) await ask(world, request(`${MARK} ${which}`, 'm'))
    const lacking = await ask(world, request('Say hi', 'm'))
    expect(lacking.status).toBe(400)
    expect(lacking.text).toContain('cannot do tools')
    await world.close()

    await using again = await openOwn('openai', { store })
    expect((await ask(again, request('Say hi', 'm'))).status).toBe(400)
    const retested = await again.ask('/api/targets/retest', {}, { authorization: `Bearer ${again.adminToken}` })
    expect(await retested.json()).toMatchObject({ lifted: 2 })
    expect((await ask(again, request('Say hi', 'm'))).status).toBe(200)
  })

  test('is tried again after a day, and a success in between makes a refusal nothing', async () => {
    let now = Date.UTC(2026, 10, 23, 12)
    await using world = await openOwn('openai', { clock: () => now, now: () => now })
    refuse(world, noTools)
    await ask(world, request(`${MARK} one`, 'm'))
    now += 1000
    expect((await ask(world, request('Say hi', 'm'))).status).toBe(200)
    now += 1000
    await ask(world, request(`${MARK} two`, 'm'))
    expect((await ask(world, request('Say hi', 'm'))).status).toBe(200)
    for (const which of ['three', 'four']) {
      now += 1000
      await ask(world, request(`${MARK} ${which}`, 'm'))
    }
    expect((await ask(world, request('Say hi', 'm'))).status).toBe(400)
    now += 86_400_000
    expect((await ask(world, request('Say hi', 'm'))).status).toBe(200)
  })

  test('is not shown by an answer that is empty', async () => {
    let now = Date.UTC(2026, 10, 23, 12)
    await using world = await openOwn('openai', { clock: () => now, now: () => now })
    const nothing = { status: 200, body: { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [] } }
    world.fakes.refuseIf((_, body) => (JSON.stringify(body).includes(MARK) ? noTools : nothing))
    for (const text of [`${MARK} one`, 'Say hi', `${MARK} two`]) {
      await ask(world, request(text, 'm'))
      now += 1000
    }
    const lacking = await ask(world, request(`${MARK} three`, 'm'))
    expect(lacking.text).toContain('cannot do tools')
  })
})

describe('an option', () => {
  const value = VALUES.find(({ name }) => name.startsWith('an effort'))!
  const asSuch = {
    status: 400,
    body: {
      error: {
        message: "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
        type: 'invalid_request_error',
        param: 'reasoning_effort',
        code: 'unsupported_parameter',
      },
    },
  }
  const thinking = (effort: string) => ({
    path: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content: 'hi' }], reasoning_effort: effort },
  })
  const effortsSent = ({ fakes }: GatewayWorld) =>
    fakes.calls.map(({ body }) => (body as { reasoning_effort?: string }).reasoning_effort)

  test('whose value is refused is sent with the nearest that is taken, and as it is where it is taken', async () => {
    await using world = await openOwn('openai')
    world.fakes.refuseIf((_, body) => (JSON.stringify(body).includes('minimal') ? value : null))
    expect((await ask(world, thinking('minimal'))).status).toBe(200)
    expect((await ask(world, thinking('high'))).status).toBe(200)
    expect(effortsSent(world)).toEqual(['minimal', 'low', 'high'])
  })

  test('that is unknown as such is left out, until a retest', async () => {
    await using world = await openOwn('openai')
    world.fakes.refuseIf((_, body) => (JSON.stringify(body).includes('reasoning_effort') ? asSuch : null))
    for (let times = 0; times < 2; times++) expect((await ask(world, thinking('low'))).status).toBe(200)
    await world.ask('/api/targets/retest', {}, { authorization: `Bearer ${world.adminToken}` })
    expect((await ask(world, thinking('low'))).status).toBe(200)
    expect(effortsSent(world)).toEqual(['low', undefined, undefined, 'low', undefined])
  })
})

describe('a body that keywise wrote', () => {
  const refused = {
    status: 400,
    body: { error: { message: 'messages.0: something is odd', type: 'invalid_request_error' } },
  }
  const three = (order: readonly string[], dialects: Readonly<Record<string, DialectId>>) =>
    openGateway(
      {
        providers: Object.fromEntries(order.map((id) => [id, { dialect: dialects[id]!, models: { [`${id}-m`]: {} } }])),
      },
      { settings: { routing: { strategy: 'priority' }, models: { all: order.map((id) => `${id}/${id}-m`) } } },
    )
  const DIALECTS = { a: 'openai', b: 'openai', c: 'google', d: 'anthropic' } as const
  const hello = (dialect: 'openai' | 'anthropic') =>
    dialect === 'openai'
      ? { path: '/v1/chat/completions', body: { model: 'all', messages: [{ role: 'user', content: MARK }] } }
      : { path: '/v1/messages', body: { model: 'all', max_tokens: 9, messages: [{ role: 'user', content: MARK }] } }

  test('is written once more, for a target of the client’s own dialect', async () => {
    await using world = await three(['a', 'b', 'c', 'd'], DIALECTS)
    refuse(world, refused, 'a')
    expect((await ask(world, hello('anthropic'))).trail).toBe('a/a-m#1=bad_request; d/d-m#1=ok')
  })

  test('is the caller’s fault when two dialects refuse it', async () => {
    await using world = await three(['a', 'b', 'c', 'd'], DIALECTS)
    refuse(world, refused)
    const answer = await ask(world, hello('anthropic'))
    expect(answer).toMatchObject({ status: 400, trail: 'a/a-m#1=bad_request; d/d-m#1=bad_request' })
    expect(answer.text).toContain('something is odd')
  })

  test('is the caller’s fault when nobody else speaks another dialect', async () => {
    await using world = await three(['a', 'b'], DIALECTS)
    refuse(world, refused)
    expect(await ask(world, hello('anthropic'))).toMatchObject({ status: 400, trail: 'a/a-m#1=bad_request' })
  })

  test('is nobody’s fault when the other dialect is answered by an overloaded server', async () => {
    await using world = await three(['a', 'c'], DIALECTS)
    refuse(world, refused, 'a')
    world.fakes.fault('c', { do: 'overloaded' })
    expect(await ask(world, hello('anthropic'))).toMatchObject({ status: 503 })
  })

  test('is not what a refusal of the client’s own bytes is about', async () => {
    await using world = await three(['a', 'b', 'c', 'd'], DIALECTS)
    refuse(world, refused, 'a')
    expect(await ask(world, hello('openai'))).toMatchObject({ status: 400, trail: 'a/a-m#1=bad_request' })
  })
})

test('of a model that is configured and gone, the client reads what the provider says', async () => {
  await using world = await openOwn('openai')
  refuse(world, {
    status: 404,
    body: { error: { message: 'The model `m` is retired since May.', code: 'model_not_found' } },
  })
  const answer = await ask(world, {
    path: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content: MARK }] },
  })
  expect(answer.status).toBe(404)
  expect(answer.text).toContain('is retired since May')
  expect(answer.text).not.toContain('nearest: m')
})

test('the place that a service names reaches the client, and nothing else that it writes there', async () => {
  await using world = await openGateway({ providers: { own: { models: { m: {} } } } })
  const places = ['messages[0].content', 'input.0.name', `sk-${'k'.repeat(30)} in a header`, '', 7]
  const told: unknown[] = []
  for (const param of places) {
    const error = { message: 'That is not valid.', type: 'invalid_request_error', param, code: 'invalid_value' }
    world.fakes.refuseIf(() => ({ status: 400, body: { error } }))
    const response = await world.ask('/v1/chat/completions', {
      model: 'own/m',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    told.push(((await response.json()) as { error: { param: unknown } }).error.param)
  }
  expect(told).toEqual(['messages[0].content', 'input.0.name', null, null, null])
})
