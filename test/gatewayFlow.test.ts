/** Clients that leave, clients that are slow, and a gateway that is stopped. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type GatewayWorld, openGateway, TOKEN, until, type WorldOptions } from './support/gatewayWorld.ts'
import { listening } from './support/listening.ts'
import { rawRequest } from './support/rawHttp.ts'

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
const delta = (text: string) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`
const FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

type Serve = (response: ServerResponse, request: IncomingMessage) => void

/** A gateway over one upstream that does as the test says. */
async function open(serve: Serve, settings: object = {}, options: WorldOptions = {}): Promise<GatewayWorld> {
  const server = createServer((request, response) => {
    request.resume()
    if (request.method === 'GET') return void response.writeHead(404).end()
    response.setHeader('content-type', 'text/event-stream')
    serve(response, request)
  })
  const endpoint = `${await listening(server)}/v1`
  const own = { dialect: 'openai', endpoint, api_key: `fake-${'0'.repeat(16)}`, models: ['m'] }
  const world = await openGateway({ providers: {} }, { ...options, providers: { own }, settings })
  onTestFinished(() => world.close())
  return world
}

interface Booked {
  readonly failure: { readonly kind: string } | null
  readonly usage: { readonly totalTokens: number; readonly outputTokens: number; readonly estimated: boolean } | null
}

function booked(world: GatewayWorld): readonly Booked[] {
  const { store } = world.gateway.opened.engine
  return store.attempts({ limit: 1000 }) as readonly Booked[] // what is stored is wider
}

describe('a client that leaves', () => {
  test.each([
    ['while the answer comes', true],
    ['before the first word', false],
  ])('%s has its upstream cancelled, its holds released, and what was used booked', async (_, begun) => {
    let asked = false
    let closed = false
    const budgets = [{ scope: 'all', tokens: 100_000, per: 'day' }]
    const world = await open(
      (response) => {
        asked = true
        response.on('close', () => {
          closed = true
        })
        response.flushHeaders()
        if (begun) response.write(delta('half an answer, which costs as well'))
      },
      { budgets },
    )
    const controller = new AbortController()
    const answer = world.ask('/v1/chat/completions', { ...CHAT, stream: true }, {}, controller.signal)
    if (begun) await (await answer).body?.getReader().read()
    else await until(() => asked, 'the call')
    controller.abort()
    await answer.catch(() => undefined)
    await until(() => closed && booked(world).length === 1, 'the end of the upstream call')
    expect(booked(world)).toMatchObject([
      {
        failure: { kind: 'client_gone' },
        usage: {
          outputTokens: begun ? expect.toSatisfy((tokens: number) => tokens > 5 && tokens < 12) : 0,
          estimated: true,
        },
      },
    ])
    const [budget] = world.gateway.opened.engine.learned.budgets.view(Date.now())
    expect(budget).toMatchObject({ spent: booked(world)[0]?.usage?.totalTokens, reserved: 0 })
  })

  test('a hundred times leaves nothing behind', async () => {
    const running = new Set<ServerResponse>()
    const world = await open((response) => {
      running.add(response)
      response.on('close', () => running.delete(response))
      response.write(delta('word'))
    })
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const controller = new AbortController()
          const answer = await world.ask('/v1/chat/completions', { ...CHAT, stream: true }, {}, controller.signal)
          await answer.body?.getReader().read()
          controller.abort()
        }),
      )
    }
    await until(() => running.size === 0, 'the end of every upstream call')
    await until(() => booked(world).length === 100, 'the booking')
  })
})

describe('a client that does not read', () => {
  test('pauses its upstream, costs little memory, and is given everything when it reads again', async () => {
    const piece = delta('x'.repeat(16_000))
    const pieces = 3800 // 61 MB, more than all buffers of the kernel, and less than an answer may say
    let sent = 0
    const world = await open((response) => {
      const fill = () => {
        while (sent < pieces) {
          sent++
          if (!response.write(piece)) return void response.once('drain', fill)
        }
        response.end(FINISH)
      }
      fill()
    })
    const socket = await request(world)
    // The buffers of the kernel and of both servers are full when nothing moves any more.
    let before = -1
    await until(() => {
      const still = before === sent && sent > 0
      before = sent
      return still
    }, 'a pause')
    await settled(() => sent)
    expect(sent).toBeLessThan(pieces * 0.8)
    const { writableLength } = responseOf(world)
    expect(writableLength).toBeLessThan(1_048_576)
    let received = 0
    let tail = ''
    socket.on('data', (chunk) => {
      received += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-100)
    })
    await until(() => tail.includes('[DONE]'), 'the end')
    expect(received).toBeGreaterThan(piece.length * pieces)
    socket.destroy()
  })

  test('counts as gone when it takes nothing for too long, and lets its upstream go', async () => {
    const piece = delta('x'.repeat(16_000))
    let isOver = false
    const world = await open(
      (response) => {
        response.on('close', () => {
          isOver = true
        })
        const fill = () => {
          while (response.write(piece) && !response.destroyed);
          if (!response.destroyed) response.once('drain', fill)
        }
        fill()
      },
      {},
      { clientStallMs: 200 },
    )
    const socket = await request(world)
    await until(() => isOver, 'the end of the upstream call')
    await until(() => booked(world).length === 1, 'the booking')
    expect(booked(world)[0]?.failure?.kind).toBe('client_gone')
    socket.destroy()
  })
})

describe('a gateway that stops', () => {
  test('lets running answers end, and takes nothing new', async () => {
    let running: ServerResponse | undefined
    const world = await open((response) => {
      running = response
      response.write(delta('first '))
    })
    const kept = await request(world, 'GET /healthz HTTP/1.1')
    const answer = await world.ask('/v1/chat/completions', { ...CHAT, stream: true })
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = (await reader.read()).value ?? ''
    const closed = world.gateway.app.close(5000)
    await expect(world.ask('/v1/models')).rejects.toThrow()
    kept.destroy()
    running!.end(delta('second') + FINISH)
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += piece.value
    expect(text).toContain('second')
    expect(text).toContain('[DONE]')
    await closed
  })

  test('answers 503 on connections that are still open', async () => {
    let running: ServerResponse | undefined
    const world = await open((response) => {
      running = response
      response.write(delta('first '))
    })
    const body = JSON.stringify({ ...CHAT, stream: true })
    const head = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json`
    const first = `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const socket = connect(Number(new URL(world.origin).port), '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.write(first)
    await until(() => received.includes('first '), 'the first word')
    const closed = world.gateway.app.close(5000)
    socket.write(`GET /v1/models HTTP/1.1\r\n${head}\r\n\r\n`)
    running!.end(FINISH)
    await until(() => received.includes('HTTP/1.1 503'), 'the refusal')
    expect(received).toContain('shutting down')
    await closed
  })

  test.each([
    ['/v1/chat/completions', CHAT, /\ndata: \{"error":/],
    ['/v1/messages', { ...CHAT, max_tokens: 10 }, /\nevent: error\n/],
    ['/v1/responses', { model: 'm', input: 'Hi' }, /\nevent: response\.failed\n/],
  ] as const)('at the end of its patience tells streams of %s that they broke off', async (path, body, expected) => {
    const world = await open((response) => void response.write(delta('half')))
    const answer = await world.ask(path, { ...body, stream: true })
    const closed = world.gateway.app.close(30)
    const text = await answer.text()
    expect(text).toMatch(expected)
    expect(text).toContain('shutting down')
    expect(text).not.toContain('[DONE]')
    await closed
    // It was not the upstream's fault.
    expect(booked(world)).toMatchObject([{ failure: { kind: 'client_gone' } }])
  })

  test('at the end of its patience refuses what nobody has answered yet', async () => {
    let asked = false
    const world = await open(() => {
      asked = true
    })
    const answer = world.ask('/v1/chat/completions', CHAT)
    await until(() => asked, 'the call')
    const closed = world.gateway.app.close(30)
    expect([(await answer).status, await (await answer).json()]).toMatchObject([
      503,
      { error: { code: 'shutting_down' } },
    ])
    await closed
  })

  test('is not held up by idle connections', async () => {
    const world = await open((response) => response.end(delta('all') + FINISH))
    await rawRequest(world.origin, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await (await world.ask('/v1/chat/completions', { ...CHAT, stream: true })).text()
    await world.gateway.app.close(60_000)
  })
})

/** A socket that has sent a streaming request (or what is given) and does not read. */
async function request(world: GatewayWorld, line?: string): Promise<Socket> {
  const body = JSON.stringify({ ...CHAT, stream: true })
  const head = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json`
  const socket = connect(Number(new URL(world.origin).port), '127.0.0.1')
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  if (line !== undefined) socket.write(`${line}\r\nHost: localhost\r\n\r\n`)
  else {
    responses.set(world, null)
    world.gateway.app.server.once('request', (_request, response: ServerResponse) => responses.set(world, response))
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  }
  return socket
}

const responses = new WeakMap<GatewayWorld, ServerResponse | null>()

function responseOf(world: GatewayWorld): ServerResponse {
  const response = responses.get(world)
  if (!response) throw new TypeError('no request has come')
  return response
}

/** Resolves when a number has not changed over many turns of the event loop. */
async function settled(read: () => number): Promise<void> {
  let last = read()
  let still = 0
  await until(() => {
    still = read() === last ? still + 1 : 0
    last = read()
    return still > 50
  }, 'quiet')
}
