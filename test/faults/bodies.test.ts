/** Bodies that are coded, cut, too long, or hold an error where an answer should be. */

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { DialectId } from '../../src/domain/chat.ts'
import type { FailureKind } from '../../src/domain/failure.ts'
import { DIALECTS } from '../support/askGateway.ts'
import { expectAnswer, expectCascade, MOST_WAYS, sampled } from '../support/faults/faultWorld.ts'
import { openScripted } from '../support/faults/openScripted.ts'
import { http, json, sse, wholeAnswer, wholeStream } from '../support/faults/scriptedUpstream.ts'
import { until } from '../support/gatewayWorld.ts'

const CODINGS = { gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync, deflate: deflateSync } as const

describe.each(MOST_WAYS)('a client of %s (streamed: %s)', (dialect, stream) => {
  const type = stream ? 'text/event-stream' : 'application/json'
  const text = stream ? wholeStream(dialect).join('') : JSON.stringify(wholeAnswer(dialect))
  const coded = (coding: keyof typeof CODINGS, body = CODINGS[coding](text)) =>
    http('200 OK', body, { 'content-type': type, 'content-encoding': coding })

  test('F17 gzip, br and zstd are decoded, though nobody asked for them', async () => {
    const { world, says } = await openScripted(dialect)
    for (const coding of ['gzip', 'br', 'zstd'] as const) {
      says(coded(coding))
      expectAnswer(await world.ask(stream), 'primary/first-model#1=ok')
    }
  })

  test('F17 cut in the middle, not coded at all, or of an unknown coding: the next target answers', async () => {
    const { world, says } = await openScripted(dialect)
    const wrong = [
      ...(['gzip', 'br', 'zstd'] as const).map((coding) => coded(coding, CODINGS[coding](text).subarray(0, 40))),
      coded('gzip', Buffer.from(text)),
      http('200 OK', text, { 'content-type': type, 'content-encoding': 'rot13' }),
      http('200 OK', gzipSync(gzipSync(text)), { 'content-type': type, 'content-encoding': 'gzip, gzip' }),
    ]
    for (const said of sampled(wrong, dialect, stream)) {
      says(said)
      await expectCascade(world, stream, 'server')
    }
  })
})

test('F17 a bomb is cut at its decoded size, and the next target answers', async () => {
  const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024, ' '), { level: 1 })
  const { world, says } = await openScripted('openai')
  const before = process.memoryUsage().arrayBuffers
  says(http('200 OK', bomb, { 'content-type': 'application/json', 'content-encoding': 'gzip' }))
  await expectCascade(world, false, 'server')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000)
})

test('F20 a plain answer without an end is cut at 64 MiB, and the next target answers', async () => {
  const { world, upstream, says } = await openScripted('openai')
  let sent = 0
  says((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
    const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1_048_576, ' '), Buffer.from('\r\n')])
    const more = () => {
      do sent += 1_048_576
      while (!socket.destroyed && socket.write(piece))
    }
    socket.on('drain', more)
    more()
  })
  await expectCascade(world, false, 'server')
  expect(sent).toBeGreaterThan(64 * 1_048_576)
  expect(sent).toBeLessThan(100 * 1_048_576)
  await until(() => upstream.sockets.size <= 1, 'the end of the connection')
})

test('F20 an event without an end is cut at 4 MiB: before the first content the next target answers', async () => {
  const { world, says } = await openScripted('openai')
  says((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {"choices":"')
    const piece = Buffer.alloc(1_048_576, 'x')
    const more = () => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  })
  await expectCascade(world, true, 'server')
})

interface InsideRow {
  readonly name: string
  readonly dialect: DialectId
  readonly kind: FailureKind
  readonly body: unknown
  /** Null where only whole answers are like this. */
  readonly events: string | null
  /** Whether another target is asked; a refusal of the content is the caller's. */
  readonly next?: false
}

const data = (event: unknown, name?: string) =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(event)}\n\n`
const busy = { error: { message: 'The server is overloaded', type: 'server_error', code: 'server_is_overloaded' } }
const choice = (more: object) => ({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'first-model',
  choices: [{ index: 0, ...more }],
}) // prettier-ignore
const openRouterError = {
  code: 502,
  message: 'Provider returned error',
  metadata: { error_type: 'provider_unavailable' },
}
const blocked = {
  promptFeedback: { blockReason: 'PROHIBITED_CONTENT' },
  usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 },
}

const INSIDE: readonly InsideRow[] = [
  { name: 'an error in the envelope', dialect: 'openai', kind: 'overloaded', body: busy, events: data(busy) },
  {
    name: 'an error beside a choice (OpenRouter)',
    dialect: 'openai',
    kind: 'overloaded',
    body: choice({ error: openRouterError, finish_reason: 'error', message: { role: 'assistant', content: '' } }),
    events: data({ ...choice({ delta: { content: '' }, finish_reason: 'error' }), error: openRouterError }),
  },
  {
    name: 'a finish that is an error',
    dialect: 'openai',
    kind: 'server',
    body: choice({ finish_reason: 'error', message: { role: 'assistant', content: '' } }),
    events: data(choice({ delta: {}, finish_reason: 'error' })),
  },
  {
    name: 'a finish for want of resources (DeepSeek)',
    dialect: 'openai',
    kind: 'overloaded',
    body: choice({ finish_reason: 'insufficient_system_resource', message: { role: 'assistant', content: '' } }),
    events: data(choice({ delta: {}, finish_reason: 'insufficient_system_resource' })),
  },
  {
    name: 'a response that failed',
    dialect: 'openai-responses',
    kind: 'server',
    body: {
      id: 'r',
      object: 'response',
      created_at: 1,
      status: 'failed',
      model: 'first-model',
      output: [],
      error: { code: 'server_error', message: 'it failed' },
    }, // prettier-ignore
    events: data(
      {
        type: 'response.failed',
        sequence_number: 1,
        response: {
          id: 'r',
          status: 'failed',
          model: 'first-model',
          output: [],
          error: { code: 'server_error', message: 'it failed' },
        },
      },
      'response.failed',
    ), // prettier-ignore
  },
  {
    name: 'an error event',
    dialect: 'anthropic',
    kind: 'overloaded',
    body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    events: data({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'error'),
  },
  {
    name: 'an error in a list',
    dialect: 'google',
    kind: 'overloaded',
    body: [{ error: { code: 503, message: 'The model is overloaded', status: 'UNAVAILABLE' } }],
    events: data({ error: { code: 503, message: 'The model is overloaded', status: 'UNAVAILABLE' } }),
  },
  {
    name: 'a blocked prompt',
    dialect: 'google',
    kind: 'content_filter',
    body: blocked,
    events: data(blocked),
    next: false,
  }, // prettier-ignore
]

describe('F21 an answer with status 200 that is a failure', () => {
  test.each(INSIDE)('F21 $name ($dialect) counts as $kind, and is credited to nobody', async (row) => {
    const { dialect, kind, body, events, next = true } = row
    const { world, says } = await openScripted(dialect)
    for (const stream of [false, true]) {
      if (stream && events === null) continue
      says(stream ? sse(events ?? '') : json(body))
      if (next) await expectCascade(world, stream, kind)
      else {
        const { trail } = await world.ask(stream)
        expect(trail).toBe(`primary/first-model#1=${kind}`)
      }
      expect(world.ledger()[0]).toMatchObject({ ok: false, failure: { kind }, target: { provider: 'primary' } })
    }
  })

  test('there is a row of every protocol', () => {
    expect(new Set(INSIDE.map(({ dialect }) => dialect))).toEqual(new Set(DIALECTS))
  })
})
