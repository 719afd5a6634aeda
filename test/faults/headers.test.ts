/** Faults around the headers of an answer: none, odd ones before them, redirects, and answers that are none. */

import { describe, expect, test } from 'vitest'
import { expectAnswer, expectCascade, looks, MOST_WAYS, openFaultWorld, sampled } from '../support/faults/faultWorld.ts'
import { openScripted } from '../support/faults/openScripted.ts'
import {
  http,
  json,
  scriptedUpstream,
  sse,
  wellSaid,
  wholeAnswer,
  wholeStream,
} from '../support/faults/scriptedUpstream.ts'
import { until } from '../support/gatewayWorld.ts'
import { HandClock } from '../support/handClock.ts'

const FOUR_SECONDS = { timeouts: { first_token_ms: 4000 } }

describe.each(MOST_WAYS)('a client of %s (streamed: %s)', (dialect, stream) => {
  test('F10 no headers: the next target answers after the time that the user allows, and no sooner', async () => {
    const clock = new HandClock()
    const world = await openFaultWorld({ dialect, clock, settings: FOUR_SECONDS })
    world.strike('silence', 'request')
    const asking = world.ask(stream)
    await until(() => world.proxy.struck === 1, 'the call')
    clock.pass(3900)
    await looks()
    expect(world.ledger()).toEqual([])
    clock.pass(200)
    expectAnswer(await asking, 'primary/first-model#1=timeout; fallback/second-model#1=ok')
    expect(world.ledger()[0]?.failure).toMatchObject({ kind: 'timeout', phase: 'first-token' })
    await world.expectReleased()
  })

  test('F10 headers and then nothing: the same', async () => {
    const world = await openFaultWorld({ dialect, clock: new HandClock(), settings: FOUR_SECONDS })
    world.strike('silence', { after: '\r\n\r\n' })
    expectAnswer(await world.askWhile(2100, stream), 'primary/first-model#1=timeout; fallback/second-model#1=ok')
    await world.expectReleased()
  })

  test('F18 100, 102, 103 and others before the answer are ignored', async () => {
    const { world, upstream, says } = await openScripted(dialect)
    for (const line of ['100 Continue', '102 Processing', '103 Early Hints', '199 Something']) {
      const early = `HTTP/1.1 ${line}\r\nlink: </style.css>; rel=preload\r\n\r\n`
      says(Buffer.concat([Buffer.from(early.repeat(3)), wellSaid(dialect, stream)]))
      expectAnswer(await world.ask(stream), 'primary/first-model#1=ok')
    }
    expect(upstream.asked).toHaveLength(4)
  })

  test('F18 101 that nobody asked for: the next target answers', async () => {
    const { world, upstream, says } = await openScripted(dialect)
    says('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    const { trail, status } = await world.ask(stream)
    expect([status, trail]).toEqual([200, expect.stringMatching(/#1=(?:server|network); fallback\/second-model#1=ok$/)])
    await until(() => upstream.sockets.size === 0, 'the end of the connection')
  })

  test('F19 redirects are not followed, and the key goes nowhere else', async () => {
    const elsewhere = await scriptedUpstream(() => wellSaid(dialect, stream))
    const { world, upstream, says } = await openScripted(dialect)
    const statuses = sampled([300, 301, 302, 303, 304, 307, 308], dialect, stream)
    for (const status of statuses) {
      says(http(`${status} Moved`, '', { location: `${elsewhere.endpoint}/chat/completions` }))
      await expectCascade(world, stream, 'server')
    }
    expect([upstream.asked.length, elsewhere.asked.length]).toEqual([statuses.length, 0])
  })

  test('F16 a 200 that is no answer: the next target answers', async () => {
    const { world, says } = await openScripted(dialect)
    for (const [name, said] of sampled(NO_ANSWERS, dialect, stream)) {
      says(said)
      const answer = await world.ask(stream)
      const trail = expect.stringMatching(/^primary\/first-model#1=(?:server|empty); fallback\/second-model#1=ok$/)
      expect([name, answer.status, answer.trail]).toEqual([name, 200, trail])
      expect(world.ledger()).toMatchObject([{ ok: false }, { ok: true }])
      await world.expectReleased()
    }
  })

  test('F16 a good answer under a wrong type is read', async () => {
    const { world, says } = await openScripted(dialect)
    const body = stream ? wholeStream(dialect).join('') : JSON.stringify(wholeAnswer(dialect))
    for (const type of sampled(
      [undefined, 'text/plain', 'application/octet-stream', 'text/html', 'nonsense'],
      dialect,
      stream,
    )) {
      says(http('200 OK', body, type === undefined ? {} : { 'content-type': type }))
      expectAnswer(await world.ask(stream), 'primary/first-model#1=ok')
    }
  })

  test('F16 a stream for a whole answer is refused, a whole answer for a stream is told as one', async () => {
    const { world, says } = await openScripted(dialect)
    says(wellSaid(dialect, !stream))
    if (stream) expectAnswer(await world.ask(true), 'primary/first-model#1=ok')
    else await expectCascade(world, false, 'server')
    await world.expectReleased()
  })
})

const NO_ANSWERS: readonly (readonly [string, Buffer])[] = [
  ['HTML', http('200 OK', '<!DOCTYPE html><title>Just a moment</title>', { 'content-type': 'text/html' })],
  ['nothing', http('200 OK', '', { 'content-type': 'application/json' })],
  ['white space', json('  \n ')],
  ['null', json('null')],
  ['an empty object', json('{}')],
  ['an empty list', json('[]')],
  ['a number', json('42')],
  ['half of an object', json('{"choices":[{"message":')],
  ['an empty event stream', sse('')],
  ['comments alone', sse(': ping\n\n: ping\n\n')],
  ['binary', http('200 OK', Buffer.from([0, 255, 254, 1, 2, 3]), { 'content-type': 'application/octet-stream' })],
]
