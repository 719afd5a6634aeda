/** Access to the gateway: what is admitted, and in which protocol everything else is refused. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { rawRequest } from './support/rawHttp.ts'

const CHAT = { model: 'talker', messages: [{ role: 'user', content: 'Hi' }] }

let world: GatewayWorld
let readToken: string
beforeAll(async () => {
  world = await openGateway(
    {
      providers: {
        own: { models: { talker: { reply: 'Hello there' }, 'vendor/slashed': { reply: 'Hello from afar' } } },
      },
    },
    {
      settings: {
        gateway: { max_body_mb: 0.1, allowed_hosts: ['box.local'], allowed_origins: ['https://good.example'] },
      },
    },
  )
  readToken = world.gateway.tokens.add('reader', 'read')
})
afterAll(() => world.close())

const INFERENCE: readonly (readonly ['GET' | 'POST', string])[] = [
  ...['', '/openai'].flatMap(
    (prefix) =>
      [
        ['POST', `${prefix}/v1/chat/completions`],
        ['POST', `${prefix}/v1/responses`],
        ['POST', `${prefix}/v1/embeddings`],
        ['GET', `${prefix}/v1/models`],
        ['GET', `${prefix}/v1/models/talker`],
      ] as const,
  ),
  ['POST', '/v1/messages'],
  ['POST', '/v1/messages?beta=true'],
  ['POST', '/v1/messages/count_tokens'],
  ['POST', '/v1/feedback'],
  ['GET', '/v1beta/models'],
  ...['/v1', '/v1beta'].flatMap((version) =>
    ['generateContent', 'streamGenerateContent', 'countTokens'].map(
      (method) => ['POST', `${version}/models/talker:${method}`] as const,
    ),
  ),
]
const MANAGEMENT: readonly (readonly ['GET' | 'POST', string])[] = [
  ['GET', '/api/requests'],
  ['GET', '/api/events'],
  ['POST', '/api/targets/retest'],
  ['POST', '/api/test'],
  ['GET', '/api/status'],
]

describe('tokens', () => {
  test.each([
    ...INFERENCE,
    ...MANAGEMENT,
    ['GET', '/metrics'],
    ['GET', '/nothing'],
    ['POST', '/v1/nothing'],
  ] as const)('%s %s needs one', async (method, path) => {
    for (const headers of [{}, { authorization: `Bearer ${'x'.repeat(40)}` }, { authorization: 'Basic abc' }]) {
      const response = await fetch(world.origin + path, { method, headers })
      expect(response.status).toBe(401)
      expect(await response.json()).toHaveProperty('error')
    }
  })

  test.each(['authorization', 'x-api-key', 'x-goog-api-key', 'api-key'])('may come in %s', async (name) => {
    const value = name === 'authorization' ? `Bearer ${TOKEN}` : TOKEN
    for (const [method, path] of INFERENCE) {
      const response = await fetch(world.origin + path, { method, headers: { [name]: value } })
      expect([401, 403, 500]).not.toContain(response.status)
      await response.arrayBuffer()
    }
  })

  test('of the administrator may say how good an answer was, those of readers may not', async () => {
    const statusFor = async (token: string) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const body = JSON.stringify({ request_id: 'kw_none', score: 1 })
      return (await fetch(`${world.origin}/v1/feedback`, { method: 'POST', headers, body })).status
    }
    expect(await statusFor(ADMIN_TOKEN)).toBe(404)
    expect(await statusFor(readToken)).toBe(403)
  })

  test.each(
    INFERENCE.filter(([, path]) => path !== '/v1/feedback'),
  )('of the administrator and of readers do not open %s %s', async (method, path) => {
    for (const token of [ADMIN_TOKEN, readToken]) {
      const response = await fetch(world.origin + path, { method, headers: { authorization: `Bearer ${token}` } })
      expect(response.status).toBe(403)
    }
  })

  test.each(
    MANAGEMENT,
  )('for inference do not open %s %s, nor do those of readers where it changes things', async (method, path) => {
    const statusFor = async (token: string) =>
      (await fetch(world.origin + path, { method, headers: { authorization: `Bearer ${token}` } })).status
    expect(await statusFor(TOKEN)).toBe(403)
    if (method === 'POST') expect(await statusFor(readToken)).toBe(403)
  })

  test('of every scope open the metrics', async () => {
    for (const token of [TOKEN, ADMIN_TOKEN, readToken]) {
      const response = await fetch(`${world.origin}/metrics`, { headers: { authorization: `Bearer ${token}` } })
      expect(response.status).toBe(200)
    }
  })
})

describe('what is open', () => {
  test('are the signs of life and one page', async () => {
    for (const [path, body] of [
      ['/healthz', 'ok\n'],
      ['/readyz', 'yes\nstore: degraded, it is in memory and ends with keywise; "keywise status" says more\n'],
    ] as const) {
      const response = await fetch(world.origin + path)
      expect([response.status, await response.text()]).toEqual([200, body])
    }
    expect(await (await fetch(world.origin)).text()).toContain('<h1>keywise is running</h1>')
    expect((await fetch(world.origin, { method: 'HEAD' })).status).toBe(200)
  })

  test('no page of another origin is ever told that it may read an answer', async () => {
    const response = await world.ask('/v1/chat/completions', CHAT, { origin: 'https://good.example' })
    expect(response.status).toBe(200)
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

/** A request line and headers, with the token unless said otherwise. */
function get(target: string, headers: readonly string[] = [], host: string | null = 'localhost'): string {
  const all = [...(host === null ? [] : [`Host: ${host}`]), `Authorization: Bearer ${TOKEN}`, ...headers]
  return `GET ${target} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`
}

function post(target: string, headers: readonly string[], body: string): string {
  const all = ['Host: localhost', `Authorization: Bearer ${TOKEN}`, ...headers]
  return `POST ${target} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`
}

const statusOf = async (bytes: string) => (await rawRequest(world.origin, bytes))[0]?.status

describe('Host and Origin', () => {
  const GOOD = [
    'localhost',
    'LOCALHOST',
    'localhost:5397',
    '127.0.0.1',
    '127.0.0.1:1',
    '[::1]',
    '[::1]:80',
    'box.local',
  ]
  test.each(GOOD)('a request for %s is let in', async (host) => {
    expect(await statusOf(get('/v1/models', [], host))).toBe(200)
  })

  const BAD = [
    'evil.example',
    'localhost.evil.example',
    'localhost.',
    '127.0.0.1.nip.io',
    '2130706433',
    '0x7f000001',
    '127.1',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    'localhost@evil.example',
    'localhost:80:80',
    'localhost:',
    'localhost/?',
    'localhost/#',
    'localhost?x',
    'user:pass@localhost',
    'box.local.evil.example',
    '',
  ]
  test.each(BAD)('a request for "%s" is not', async (host) => {
    expect([400, 403]).toContain(await statusOf(get('/v1/models', [], host)))
    expect([400, 403]).toContain(await statusOf(get('/healthz', [], host)))
  })

  test('none, and two, are refused', async () => {
    expect(await statusOf(get('/v1/models', [], null))).toBe(400)
    expect(await statusOf(get('/v1/models', ['Host: localhost']))).toBe(400)
    expect(await statusOf(get('/v1/models', ['HOST: evil.example']))).toBe(400)
  })

  test.each([
    ['https://good.example', 200],
    ['http://localhost', 200],
    ['https://evil.example', 403],
    ['http://localhost.evil.example', 403],
    ['http://localhost:1', 403],
    ['https://localhost', 403],
    ['null', 403],
    ['', 403],
  ])('a page of "%s" gets %i', async (origin, status) => {
    expect(await statusOf(get('/v1/models', [`Origin: ${origin}`]))).toBe(status)
    const simple = post(
      '/v1/chat/completions',
      [`Origin: ${origin}`, 'Content-Type: text/plain', 'Content-Length: 2'],
      '{}',
    )
    expect(await statusOf(simple)).toBe(status === 200 ? 415 : 403)
  })
})

describe('request targets', () => {
  test.each([
    '//v1/models',
    '/v1//models',
    '/V1/models',
    '/v1/../api/requests',
    '/v1/models/../../api/requests',
    '/v1/%2e%2e/api/requests',
    '/%2e%2e/api/requests',
    '/api/../v1/nothing',
    '/v1/models;x',
    'http://localhost/v1/models',
    'http://evil.example/v1/models',
    '/v1/models/%',
    '/v1/models/%ff',
    '*',
    '/.env',
    '/healthz/../api/requests',
    '/constructor',
    '/__proto__',
    '/v1/models/__proto__',
  ])('%s finds nothing', async (target) => {
    const [answer] = await rawRequest(world.origin, get(target))
    expect([400, 403, 404]).toContain(answer?.status)
    expect(answer?.body).not.toContain('generatedAt')
  })

  test('an unknown path is told in the words of its protocol', async () => {
    const told = async (path: string) => (await world.ask(path, CHAT)).json()
    expect(await told('/v1/nothing')).toMatchObject({ error: { message: expect.any(String), code: 'not_found' } })
    expect(await told('/v1/messages/batches')).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
    expect(await told('/v1beta/nothing')).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } })
  })

  test.each(INFERENCE)('%s %s names the one method it takes', async (method, path) => {
    for (const other of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].filter((one) => one !== method)) {
      const response = await fetch(world.origin + path, { method: other, headers: { 'x-api-key': TOKEN } })
      expect([response.status, response.headers.get('allow')]).toEqual([405, method])
      expect(await response.json()).toHaveProperty('error')
    }
  })

  test('HEAD is answered like GET, without a body', async () => {
    const response = await fetch(`${world.origin}/v1/models`, { method: 'HEAD', headers: { 'x-api-key': TOKEN } })
    expect([response.status, await response.text()]).toEqual([200, ''])
    const wrong = await fetch(`${world.origin}/v1/responses`, { method: 'HEAD', headers: { 'x-api-key': TOKEN } })
    expect(wrong.status).toBe(405)
  })

  test.each([
    '/v1',
    '/v1beta',
  ])('Gemini models may have slashes in %s, and unknown queries are ignored', async (version) => {
    const body = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] }
    for (const path of ['vendor/slashed', 'vendor%2Fslashed', 'own/vendor/slashed']) {
      const response = await world.ask(`${version}/models/${path}:generateContent?key=none&alt=json`, body)
      expect(await response.text()).toContain('Hello from afar')
    }
  })
})

describe('bytes on the wire', () => {
  const body = JSON.stringify(CHAT)
  const json = 'Content-Type: application/json'
  const path = '/v1/chat/completions'

  test('a client that waits to be told to continue is', async () => {
    const request = post(path, [json, 'Expect: 100-continue', `Content-Length: ${body.length}`], body)
    expect(await statusOf(request)).toBe(200)
  })

  test('other expectations are not met', async () => {
    expect(await statusOf(post(path, [json, 'Expect: magic', `Content-Length: ${body.length}`], body))).toBe(417)
  })

  test('a body in chunks is read, with extensions and trailers', async () => {
    const chunks = `5;note=x\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\nX-Late: 1\r\n\r\n`
    expect(await statusOf(post(path, [json, 'Transfer-Encoding: chunked'], chunks))).toBe(200)
  })

  test('requests sent at once are answered in their order', async () => {
    const one = post(path, [json, `Content-Length: ${body.length}`], body)
    const answers = await rawRequest(world.origin, one + get('/v1/models/talker') + one, 3)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(answers.map(({ body }) => body.includes('Hello there'))).toEqual([true, false, true])
  })

  const SMUGGLED = get('/v1/models/smuggled')
  test.each([
    ['CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['two lengths', ['Content-Length: 2', 'Content-Length: 200'], `{}${SMUGGLED}`],
    ['an unknown coding', ['Transfer-Encoding: xchunked'], `0\r\n\r\n${SMUGGLED}`],
    ['two codings', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0\r\n\r\n${SMUGGLED}`],
    ['a folded header', ['X-A: 1\r\n Transfer-Encoding: chunked', 'Content-Length: 2'], `{}`],
    ['a space before the colon', ['Content-Length : 2'], '{}'],
    ['a negative length', ['Content-Length: -1'], '{}'],
    ['a NUL', ['X-A: a\0b', 'Content-Length: 2'], '{}'],
    ['a bad chunk size', ['Transfer-Encoding: chunked'], 'zz\r\n{}\r\n0\r\n\r\n'],
  ])('%s is refused, and nothing after it is answered', async (_, headers, rest) => {
    const answers = await rawRequest(world.origin, post(path, [json, ...headers], rest), 2)
    expect(answers.every(({ status }) => status >= 400 && status < 500)).toBe(true)
    expect(answers.length).toBeLessThanOrEqual(1)
  })

  test('headers that are too large get 431', async () => {
    expect(await statusOf(get('/v1/models', [`X-Large: ${'x'.repeat(40_000)}`]))).toBe(431)
  })

  test('a body that is too large gets 413, whether it says so or not', async () => {
    const large = JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(300_000) }] })
    const [told] = await rawRequest(world.origin, post(path, [json, `Content-Length: ${large.length}`], large))
    expect(told).toMatchObject({ status: 413, headers: { connection: 'close' } })
    expect(told?.body).toContain('max_body_mb')
    const chunked = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
    const [found] = await rawRequest(world.origin, post(path, [json, 'Transfer-Encoding: chunked'], chunked))
    expect(found?.status).toBe(413)
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
  ])('%s gets 415', async (type) => {
    const response = await world.ask(path, CHAT, { 'content-type': type })
    expect([response.status, await response.json()]).toMatchObject([415, { error: {} }])
  })

  test('a compressed body gets 415', async () => {
    expect((await world.ask(path, CHAT, { 'content-encoding': 'gzip' })).status).toBe(415)
  })
})
