/** Clients that leave, are slow, or speak HTTP in unusual ways; and a gateway that is told to stop. */

import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { DIALECTS } from '../support/askGateway.ts'
import { BROKEN, LONG, openFaultWorld, REPLY } from '../support/faults/faultWorld.ts'
import { openScripted } from '../support/faults/openScripted.ts'
import { wholeStream } from '../support/faults/scriptedUpstream.ts'
import { TOKEN, until } from '../support/gatewayWorld.ts'
import { rawRequest } from '../support/rawHttp.ts'

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'

const questions = {
  openai: ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }], stream: true }],
  'openai-responses': ['/v1/responses', { input: 'Hi', stream: true }],
  anthropic: ['/v1/messages', { max_tokens: 99, messages: [{ role: 'user', content: 'Hi' }], stream: true }],
  google: [
    '/v1beta/models/pair:streamGenerateContent?alt=sse',
    { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
  ],
} as const

describe.each(DIALECTS)('F27 a client of %s that leaves', (dialect) => {
  test.each([
    ['while the answer comes', true],
    ['before the first word', false],
  ])('F27 %s: the upstream is told at once, everything is released, what was used is booked', async (_, begun) => {
    const budgets = [{ scope: 'all', tokens: 10_000_000, per: 'day' }]
    const { world, upstream, says } = await openScripted(dialect, { settings: { budgets } })
    const [start = '', first = ''] = wholeStream(dialect, ['half an answer, which costs as well', ' the rest'])
    says((socket) => void socket.write(begun ? HEAD + start + first : ''))
    const [path, body] = questions[dialect]
    const rounds = (LONG ? 1000 : 20) / 20
    const waits: number[] = []
    for (let round = 1; round <= rounds; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const controller = new AbortController()
          const asking = world.gateway.ask(path, { model: 'pair', ...body }, {}, controller.signal)
          if (begun) await (await asking).body?.getReader().read()
          else await until(() => upstream.asked.length > (round - 1) * 20 + index, 'the call')
          controller.abort()
          await asking.catch(() => undefined)
        }),
      )
      const since = performance.now()
      await until(() => [...upstream.sockets].every((socket) => socket.readyState === 'closed'), 'the end of the calls')
      waits.push(performance.now() - since)
    }
    await until(() => world.ledger().length === rounds * 20, 'the booking')
    expect(new Set(world.ledger().map(({ failure }) => failure?.kind))).toEqual(new Set(['client_gone']))
    if (begun) for (const { usage } of world.ledger()) expect(usage).toMatchObject({ estimated: true })
    await world.expectReleased()
    expect(upstream.sockets.size).toBe(0)
    const sorted = waits.sort((a, b) => a - b)
    if (LONG)
      console.log(
        `${dialect}: the last upstream of 20 was closed ${sorted.at(-1)?.toFixed(1)} ms after its client left, at most`,
      )
  })
})

describe('F44 unusual HTTP', () => {
  const { messages } = questions.openai[1]
  const question = JSON.stringify({ model: 'pair', messages })
  const head = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json`
  const post = (body: string, more = '', path = '/v1/chat/completions') =>
    `POST ${path} HTTP/1.1\r\n${head}\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  const chunked = (body: string, size: number) =>
    `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\nTransfer-Encoding: chunked\r\n\r\n${[...(body.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [])].map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`

  test('F44 pipelined, kept alive, chunked in slivers, with Expect: 100-continue: all are answered in order', async () => {
    const world = await openFaultWorld()
    const { origin } = world.gateway
    const cases: readonly (readonly [string, number])[] = [
      [post(question).repeat(3), 3],
      [chunked(question, 1), 1],
      [chunked(question, 7) + post(question), 2],
      [post(question, 'Expect: 100-continue\r\n'), 1],
      [post(question, 'Connection: keep-alive\r\n') + post(question, 'Connection: close\r\n'), 2],
    ]
    for (const [bytes, count] of cases) {
      const answers = await rawRequest(origin, bytes, count)
      expect([bytes.slice(0, 200), answers.map(({ status }) => status)]).toEqual([
        bytes.slice(0, 200),
        Array(count).fill(200),
      ])
      for (const { body } of answers) expect(body).toContain(REPLY.slice(0, 20))
    }
    await world.expectReleased()
  })

  test.each([
    ['HEAD of a route that takes POST', `HEAD /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n`],
    ['OPTIONS', `OPTIONS /v1/chat/completions HTTP/1.1\r\n${head}\r\n\r\n`],
    ['no body', `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\nContent-Length: 0\r\n\r\n`],
    [
      'both lengths',
      `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a broken chunk', `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
    ['an absolute address', post(question, '', 'http://localhost/v1/chat/completions')],
    ['another expectation', post(question, 'Expect: the-impossible\r\n')],
  ])('F44 %s is refused with a 4xx, and nothing is asked upstream', async (_, bytes) => {
    const world = await openFaultWorld()
    const socket = connect(Number(new URL(world.gateway.origin).port), '127.0.0.1')
    let received = ''
    socket.on('error', () => {}).on('data', (data) => (received += data.toString('latin1')))
    socket.write(bytes)
    await until(() => received.includes('\r\n\r\n'), 'the refusal')
    socket.destroy()
    expect(received).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(world.gateway.fakes.calls).toEqual([])
  })
})

describe('F38 a gateway that is told to stop', () => {
  test('F38 200 streams end whole within the drain, in their own time', async () => {
    const { world, says } = await openScripted('openai')
    const [start = '', ...rest] = wholeStream('openai')
    const running: (() => void)[] = []
    says((socket) => {
      socket.write(HEAD.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n') + start)
      running.push(() => void socket.end(rest.join('')))
    })
    const asking = Array.from({ length: LONG ? 200 : 40 }, () => world.ask(true))
    await until(() => running.length === asking.length, 'the streams')
    const closed = world.gateway.gateway.app.close(20_000)
    for (const finish of running) finish()
    const answers = await Promise.all(asking)
    expect(answers.filter(({ read }) => read !== null)).toHaveLength(asking.length)
    await closed
    await world.expectReleased()
  })

  test.each(DIALECTS)('F38 what has not ended by then ends with the error of %s', async (dialect) => {
    const { world, says } = await openScripted(dialect)
    const [start = '', first = ''] = wholeStream(dialect, ['half an answer', ' and the rest'])
    says((socket) => void socket.write(HEAD + start + first))
    const asking = Array.from({ length: 5 }, () => world.ask(true))
    await until(() => world.gateway.gateway.opened.engine.tools.deadlines.size === 5, 'the streams')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await world.gateway.gateway.app.close(20)
    for (const answer of await Promise.all(asking)) {
      expect(answer.read).toBeNull()
      if (answer.status === 200) expect(`\n${answer.text}`).toMatch(BROKEN[dialect])
    }
    await world.expectReleased()
  })

  test('F38 readers of live events and bodies that were sent by half do not hold it up', async () => {
    const world = await openFaultWorld()
    const { port } = new URL(world.gateway.origin)
    const half = connect(Number(port), '127.0.0.1').on('error', () => {})
    half.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"model":`,
    )
    const events = await fetch(`${world.gateway.origin}/api/events`, {
      headers: { authorization: `Bearer ${world.gateway.adminToken}` },
    })
    expect(events.status).toBe(200)
    const reading = events.text().catch(() => '')
    await world.gateway.gateway.app.close(50)
    await reading
    half.destroy()
  })
})
