/** The end of a gateway, hurried by a second signal: every client is told in its protocol, and nothing is lost. */

import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { askGateway, DIALECTS } from './support/askGateway.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN, until } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'

const CHUNK = { id: 'a', object: 'chat.completion.chunk', created: 1, model: 'm' }
const piece = (content: string) =>
  `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }] })}\n\n`

/** Begins streams and never ends them; plain calls are never answered. */
function endless(asked: (response: ServerResponse) => void): Server {
  return createServer((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(404).end()
    let body = ''
    request.on('data', (data) => (body += data))
    request.on('end', () => {
      if (body.includes('"stream":true')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(piece('It begins'))
      }
      asked(response)
    })
  })
}

async function openEndless(settings: object = {}): Promise<{ world: GatewayWorld; asked: readonly ServerResponse[] }> {
  const asked: ServerResponse[] = []
  const endpoint = `${await listening(endless((response) => asked.push(response)))}/v1`
  const mine = { dialect: 'openai', endpoint, api_key: `fake-${'4'.repeat(20)}`, models: ['m'] }
  const world = await openGateway({ providers: {} }, { providers: { mine }, settings })
  return { world, asked }
}

/** How each protocol says in a stream that it broke off. */
const BROKEN = {
  openai: /data: \{"error":\{"message":"the answer broke off: keywise is shutting down"/,
  'openai-responses': /event: (?:response\.failed|error)\ndata: .*keywise is shutting down/,
  anthropic: /event: error\ndata: .*keywise is shutting down/,
  google: /data: \{"error":\{.*keywise is shutting down/,
} as const

test('ends streams with the error of their protocol and refuses plain requests with 503, and records all of them', async () => {
  const { world, asked } = await openEndless()
  const streams = DIALECTS.map((dialect) => askGateway(world, dialect, { model: 'm', stream: true }))
  const plain = DIALECTS.map((dialect) => askGateway(world, dialect, { model: 'm', stream: false }))
  await until(() => asked.length === 8, 'all calls')
  const events = await fetch(`${world.origin}/api/events`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  const { engine } = world.gateway.opened
  const rows = new Promise((resolve) => {
    let count = 0
    engine.events.on('attempt', () => ++count === 8 && resolve(count))
  })

  const closing = world.gateway.close(30_000)
  // The reader of events is let go at once: it would never end by itself.
  expect(await events.text()).toContain(': keywise')
  const began = performance.now()
  world.gateway.hurry()
  for (const [index, dialect] of DIALECTS.entries()) {
    const stream = await streams[index]
    expect(stream).toMatchObject({ status: 200, read: null })
    expect(stream?.text).toMatch(BROKEN[dialect])
    const { status, text } = (await plain[index]) ?? {}
    expect([status, JSON.parse(text ?? '')]).toEqual([503, expect.objectContaining({ error: expect.anything() })])
    expect(text).toContain('keywise is shutting down')
  }
  await Promise.all([closing, rows])
  expect(performance.now() - began).toBeLessThan(5000)
  await world.close()
})

test('ends half-sent bodies, waiting requests and attempts to change the protocol, which keep nothing open', async () => {
  const { world, asked } = await openEndless({ providers: {} })
  const head = (path: string, ...headers: string[]) =>
    `${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n${headers.join('\r\n')}\r\n\r\n`
  const json = 'Content-Type: application/json'
  const sockets = [
    `${head('POST /v1/chat/completions', json, 'Content-Length: 1000')}{"model":"m",`,
    `${head('POST /v1/messages', json, 'Transfer-Encoding: chunked')}5\r\n{"mod\r\n`,
    head('POST /v1/chat/completions', json, 'Expect: 100-continue', 'Content-Length: 1000'),
    'GET /v1/models HTTP/1.1\r\nHost: localhost\r\n',
    head(
      'GET /v1/realtime',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ),
  ].map((bytes) => opened(world.origin, bytes))
  const call = askGateway(world, 'openai', { model: 'm', stream: false })
  await until(() => asked.length === 1 && sockets[4]?.said() !== '' && sockets[2]?.said() !== '', 'all of them')
  const closing = world.gateway.close(30_000)
  world.gateway.hurry()
  const said = await Promise.all(sockets.map(({ closed }) => closed))
  await closing
  expect((await call).status).toBe(503)
  expect(said[0]).toMatch(/^HTTP\/1\.1 503 /)
  expect(said[1]).toMatch(/^HTTP\/1\.1 503 [\s\S]*"type":"error"/)
  expect(said[2]).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 503 /)
  expect(said[3]).toBe('')
  expect(said[4]).toMatch(/^HTTP\/1\.1 404 [\s\S]*realtime/)
  await world.close()
})

test('says nothing of it while there is time: a hurry without an end changes nothing', async () => {
  const { world, asked } = await openEndless()
  world.gateway.hurry()
  const call = askGateway(world, 'openai', { model: 'm', stream: false })
  await until(() => asked.length === 1, 'the call')
  const answer = {
    ...CHUNK,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: 'whole' }, finish_reason: 'stop' }],
  }
  asked[0]?.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  expect((await call).text).toContain('whole')
  await world.close()
})

function opened(origin: string, bytes: string): { readonly closed: Promise<string>; readonly said: () => string } {
  let text = ''
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.on('data', (data) => (text += data.toString()))
  socket.on('error', () => undefined)
  socket.write(bytes)
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(text)))
  return { closed, said: () => text }
}
