/** S2, S3, S16, S21: what a client or an upstream writes leads to no other host, and changes nothing for others. */

import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askGateway, DIALECTS } from '../support/askGateway.ts'
import { type GatewayWorld, openGateway } from '../support/gatewayWorld.ts'

const ANSWER = JSON.stringify({
  id: 'a',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
})

let world: GatewayWorld
/** Requests that the canary was sent: none may ever come. */
let lured = 0
let canary = ''
let seen: IncomingHttpHeaders = {}
let reply: (response: ServerResponse) => void = whole
const servers: { close(): void }[] = []

function whole(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER)
}

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}

beforeAll(async () => {
  canary = await listening((_request, response) => {
    lured++
    response.end('{}')
  })
  const upstream = await listening((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(404).end()
    seen = request.headers
    request.resume().on('end', () => reply(response))
  })
  const mine = { dialect: 'openai', endpoint: `${upstream}/v1`, api_key: `fake-${'6'.repeat(20)}`, models: ['m'] }
  world = await openGateway({ providers: {} }, { providers: { mine } })
})
afterAll(async () => {
  await world.close()
  for (const server of servers) server.close()
})

const NAMES = [
  'api_base',
  'base_url',
  'baseURL',
  'baseUrl',
  'api_url',
  'endpoint',
  'custom_host',
  'host',
  'url',
  'proxy',
  'http_proxy',
  'azure_endpoint',
  'api_host',
  'upstream',
  'target',
  'callback_url',
  'webhook',
  'redirect_uri',
]
const HEADERS = [
  'x-portkey-custom-host',
  'x-base-url',
  'x-api-base',
  'x-forwarded-host',
  'x-original-url',
  'x-rewrite-url',
  'x-upstream',
  'forwarded',
  'proxy',
  'x-target-url',
  'helicone-target-url',
  'destination',
]
const chat = (more: object) => ({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more })

test("S2: no field, header, query or name of a model leads to a host of the client's choice", async () => {
  lured = 0
  for (const name of NAMES) {
    const values = { [name]: canary, extra_body: { [name]: canary }, metadata: { [name]: canary } }
    await (await world.ask(`/v1/chat/completions?${name}=${encodeURIComponent(canary)}`, chat(values))).text()
    await (await world.ask('/v1/messages', { ...chat(values), max_tokens: 9 })).text()
  }
  const all = Object.fromEntries(HEADERS.map((name) => [name, canary]))
  for (const dialect of DIALECTS) await askGateway(world, dialect, { model: 'm', stream: false, headers: all })
  for (const model of [
    `${canary}/v1/m`,
    `mine/../../${canary}`,
    `${canary}#/m`,
    `//${canary.slice(7)}/m`,
    '__proto__/m',
    '../m',
    'openai/m',
  ]) {
    const response = await world.ask('/v1/chat/completions', chat({ model }))
    expect([model, response.status, response.headers.get('x-keywise-error')]).toEqual([model, 404, 'model_not_found'])
    expect(await response.text()).toContain('no key has a model')
  }
  expect(lured).toBe(0)
})

test('a model that nobody has is a 404 in the words of every protocol, which names what there is', async () => {
  for (const dialect of DIALECTS) {
    const { status, text } = await askGateway(world, dialect, { model: 'nobody/mm', stream: false })
    expect(status).toBe(404)
    expect(text).toContain('no key has a model')
  }
})

test.each([
  301, 302, 303, 307, 308,
])('S3: a redirect with %i is not followed, and the key goes nowhere', async (status) => {
  lured = 0
  reply = (response) => void response.writeHead(status, { location: `${canary}/v1/chat/completions` }).end()
  for (const stream of [false, true])
    expect((await askGateway(world, 'openai', { model: 'm', stream })).status).toBeGreaterThanOrEqual(500)
  reply = whole
  expect(lured).toBe(0)
  const { engine } = world.gateway.opened
  for (const target of engine.registry.targets) engine.lift(target, ['server', 'overloaded'])
})

test('S16: of the headers of a client only those that are listed reach an upstream', async () => {
  const sent = {
    cookie: 'session=1',
    'x-api-key': 'of-a-client',
    'x-forwarded-for': '10.0.0.1',
    'x-forwarded-host': 'evil.example',
    forwarded: 'for=10.0.0.1',
    'x-real-ip': '10.0.0.1',
    'proxy-authorization': 'Basic eA==',
    referer: 'http://evil.example/',
    'user-agent': 'a-client/1',
    te: 'trailers',
    'x-custom': 'a',
    'anthropic-beta': 'a',
    'openai-organization': 'org-of-a-client',
    via: '1.1 evil',
  }
  const { status } = await askGateway(world, 'openai', { model: 'm', stream: false, headers: sent })
  expect(status).toBe(200)
  const MAY = [
    'accept',
    'accept-encoding',
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
    'user-agent',
    'x-keywise-via',
  ]
  expect(Object.keys(seen).filter((name) => !MAY.includes(name))).toEqual([])
  expect(seen['authorization']).toBe(`Bearer fake-${'6'.repeat(20)}`)
  expect(seen['user-agent']).toMatch(/^keywise(?:\/|$)/)
})

test('S21: names that all objects have are names like others, in bodies of clients and of upstreams', async () => {
  const POISON = ['__proto__', 'constructor', 'prototype']
  for (const name of POISON) {
    const inside = JSON.parse(`{"${name}":{"polluted":true,"prototype":{"polluted":true}}}`)
    for (const more of [
      inside,
      { metadata: inside },
      { tools: [{ type: 'function', function: { name: 'f', parameters: inside } }] },
      { model: name },
      { messages: [inside] },
    ]) {
      const body = JSON.stringify(chat(more)).replace('"model"', `"${name}":{"polluted":1},"model"`)
      for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1beta/models/m:generateContent'])
        expect((await world.ask(path, body)).status).toBeLessThan(500)
    }
    reply = (response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(ANSWER.replace('{', `{"${name}":{"polluted":1},`))
    expect((await askGateway(world, 'anthropic', { model: 'm', stream: false })).status).toBe(200)
    reply = whole
    expect(
      (await world.ask('/v1/chat/completions', chat({}), { 'x-keywise-labels': `${name}=polluted` })).status,
    ).toBeLessThan(500)
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
})
