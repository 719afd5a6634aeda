/** Memory follows the bytes that came, not the pieces in which they came. */

import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import type { Dispatcher } from 'undici'
import { describe, expect, test } from 'vitest'
import { openaiChatDialect } from '../src/dialects/openaiChat/openaiChat.ts'
import { SseReader } from '../src/dialects/stream/sse.ts'
import { findProvider } from '../src/providers/catalog.ts'
import { readBody } from '../src/server/body.ts'
import { EventAligner } from '../src/server/inference/eventAligner.ts'
import { FormScanner } from '../src/server/inference/formScanner.ts'
import { Spool } from '../src/server/inference/spool.ts'
import { type Call, startCall } from '../src/upstream/call.ts'
import type { Connection } from '../src/upstream/connection.ts'
import { Deadlines } from '../src/upstream/deadlines.ts'
import { heldBytes } from './support/heldMemory.ts'

const PIECES = 100_000
const MIB = 1_048_576
/** Fresh memory for each, as a socket gives them. */
const byte = (text = 'x') => Buffer.from(text)

/** A call whose upstream is played by the test. */
function openCall(stream: boolean, type: string, status = 200): { call: Call; data(bytes: Buffer): void; end(): void } {
  const controller = { pause() {}, resume() {}, abort() {} } as unknown as Dispatcher.DispatchController // all it uses
  const connection = {
    dispatcher: { dispatch: () => true },
    spec: findProvider('openai'),
    headers: [],
    origin: 'http://127.0.0.1',
    basePath: '',
    traces: null,
  } as unknown as Connection // nothing is dispatched
  const input = { connection, dialect: openaiChatDialect, model: 'm', path: '/x', body: '{}', headers: [] }
  const times = { firstTokenMs: 60_000, leftMs: 60_000, idleMs: 60_000 }
  const same = (text: string) => text
  const tools = { deadlines: new Deadlines(() => 1), now: () => 1, monotonic: () => 1, redact: same, hide: same }
  const call = startCall({ ...input, ...times, stream, demand: { request: {}, anyAnswer: false } }, tools)
  call.onResponseStart(controller, status, { 'content-type': type })
  return {
    call,
    data: (bytes) => call.onResponseData(controller, bytes),
    end: () => call.onResponseEnd(),
  }
}

const messageOf = ({ ended }: Call) => (ended?.outcome.ok === false ? ended.outcome.failure : null)

describe('pieces of one byte take about the memory of their bytes in', () => {
  const cases: [string, () => { push(piece: Buffer): void }][] = [
    ['an upstream plain answer', () => push(openCall(false, 'application/json'))],
    ['an upstream stream that is silent', () => push(openCall(true, 'text/event-stream'))],
    ['an answer in the place of a stream', () => push(openCall(true, 'application/json'))],
    ['a line of a stream', () => new SseReader()],
    ['an event that is passed through', () => new EventAligner(null)],
    ['a form', () => new FormScanner('edge')],
  ]
  test.each(cases)('%s', (_what, open) => {
    const held = heldBytes(open(), (reader) => {
      for (let at = 0; at < PIECES; at++) reader.push(byte())
    })
    expect(held).toBeLessThan(2 * MIB)
  })

  test('a body without length', () => {
    const request = Object.assign(new PassThrough(), { headers: {}, complete: false }) as unknown as IncomingMessage
    void readBody(request, 32 * MIB).catch(() => {})
    const held = heldBytes(request, () => {
      for (let at = 0; at < PIECES; at++) request.emit('data', byte())
    })
    expect(held).toBeLessThan(2 * MIB)
  })

  test('the spool of a form', async () => {
    const spool = new Spool()
    const before = heldBytes(spool, () => {})
    for (let at = 0; at < PIECES; at++) await spool.write(byte())
    expect(heldBytes(spool, () => {}) - before).toBeLessThan(2 * MIB)
    expect(spool.whole()?.length).toBe(PIECES)
    await spool.close()
  })

  test('an event of many lines', () => {
    const held = heldBytes(new SseReader(), (reader) => {
      for (let at = 0; at < PIECES; at++) reader.push(byte('data:x\n'))
    })
    // Two characters for each line.
    expect(held).toBeLessThan(4 * MIB)
  })
})

function push({ data }: { data(bytes: Buffer): void }): { push(piece: Buffer): void } {
  return { push: data }
}

describe('a stream that says nothing of an answer fails at 4 MiB:', () => {
  const LONG = 'x'.repeat(4000)
  test.each([
    ['comments', `: ${LONG}\n\n`],
    ['role chunks', `data: {"choices":[{"index":0,"delta":{"role":"assistant","x":"${LONG}"}}]}\n\n`],
    ['events that nobody knows', `event: x\ndata: {"a":"${LONG}"}\n\n`],
    ['empty texts', `data: {"x":"${LONG}","choices":[{"index":0,"delta":{"content":""}}]}\n\n`],
  ])('%s', (_what, text) => {
    const { call, data } = openCall(true, 'text/event-stream')
    let sent = 0
    for (; call.ended === null && sent < 8 * MIB; sent += text.length) data(byte(text))
    expect(messageOf(call)).toMatchObject({
      kind: 'server',
      message: 'the stream wrote 4 MiB and nothing of an answer',
    })
    expect(sent).toBeGreaterThan(4 * MIB)
    expect(sent).toBeLessThan(5 * MIB)
  })
})

test.each([
  ['answers', 20_000, (at: number) => ({ index: at + 1, delta: { content: 'x' } })],
  ['tool calls', 200_000, (at: number) => callOf(at, 'f')],
  ['long names of tools', 100, (at: number) => callOf(at, 'f'.repeat(1_000_000))],
  ['likely tokens', 40_000, () => ({ index: 0, delta: { content: 'x' }, logprobs: { content: [likely] } })],
])('a stream of too many %s ends as one that says too much', (_what, most, choice) => {
  const { call, data } = openCall(true, 'text/event-stream')
  call.attach({ onChunks: () => true, onEnd: () => {} })
  data(byte('data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'))
  let sent = 0
  for (; call.ended === null && sent < most; sent++)
    data(byte(`data: ${JSON.stringify({ choices: [choice(sent)] })}\n\n`))
  expect(messageOf(call)).toMatchObject({ kind: 'server', message: 'the answer is longer than 64 MiB' })
  // A long answer of its kind is none of these.
  expect(sent).toBeGreaterThan(most / 3)
})

const top = Array.from({ length: 20 }, (_, at) => ({ token: `t${at}`, logprob: -at, bytes: [1] }))
const likely = { token: 'x', logprob: 0, bytes: [120], top_logprobs: top }

function callOf(index: number, name: string): object {
  const call = { index, id: `c${index}`, type: 'function', function: { name, arguments: '' } }
  return { index: 0, delta: { tool_calls: [call] } }
}

test('a streamed answer that says more than 64 MiB ends as a failure of its server, like a plain one', () => {
  const { call, data } = openCall(true, 'text/event-stream')
  const text = 'x'.repeat(MIB)
  const event = Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`)
  call.attach({ onChunks: () => true, onEnd: () => {} })
  let sent = 0
  for (; call.ended === null && sent < 80; sent++) data(event)
  expect(messageOf(call)).toMatchObject({ kind: 'server', message: 'the answer is longer than 64 MiB' })
  expect(sent).toBe(65)
})
