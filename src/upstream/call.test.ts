import type { Dispatcher } from 'undici'
import { expect, test } from 'vitest'
import { openaiChatDialect } from '../dialects/openaiChat/openaiChat.ts'
import type { ChatChunk, ChatRequest } from '../domain/chat.ts'
import { findProvider } from '../providers/catalog.ts'
import { type Call, startCall } from './call.ts'
import type { Connection } from './connection.ts'
import { Deadlines } from './deadlines.ts'

const said = (text: string) => `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`
const thought = (text: string) => said('').replace('"content":""', `"reasoning_content":"${text}"`)
const STOPPED = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
const BROKEN = 'data: {"error":{"message":"gone","type":"server_error"}}\n\n'

/** A call whose upstream is played by the test: what the dispatcher would tell it is told by hand. */
function begun(
  request: Partial<ChatRequest> = {},
  leftMs = 60_000,
): {
  call: Call
  data(text: string): void
  end(): void
  at(ms: number): void
  isPaused(): boolean
} {
  let now = 1_000_000
  let paused = false
  const controller = {
    pause: () => {
      paused = true
    },
    resume: () => {
      paused = false
    },
    abort() {},
  } as unknown as Dispatcher.DispatchController // the part of it that a call uses
  const connection = {
    dispatcher: { dispatch: () => true },
    spec: findProvider('openai'),
    headers: [],
    origin: 'http://127.0.0.1',
    hostname: '127.0.0.1',
    basePath: '',
    traces: null,
  } as unknown as Connection // nothing is dispatched
  const call = startCall(
    {
      connection,
      dialect: openaiChatDialect,
      model: 'm',
      path: '/chat/completions',
      body: '{}',
      headers: [],
      stream: true,
      demand: { request, anyAnswer: false },
      firstTokenMs: 1000,
      leftMs,
      idleMs: 500,
    },
    {
      deadlines: new Deadlines(() => now),
      now: () => now,
      monotonic: () => now,
      redact: (text) => text,
      hide: (text) => text,
    },
  )
  call.onRequestStart(controller)
  call.onResponseStart(controller, 200, { 'content-type': 'text/event-stream' })
  return {
    call,
    data: (text) => call.onResponseData(controller, Buffer.from(text)),
    end: () => call.onResponseEnd(),
    at: (ms) => {
      now = 1_000_000 + ms
    },
    isPaused: () => paused,
  }
}

function attach(call: Call): { texts: string[]; failed(): string | null } {
  const texts: string[] = []
  call.attach({
    onChunks: (chunks: readonly ChatChunk[]) => {
      for (const chunk of chunks) if (chunk.type === 'text-delta') texts.push(chunk.text)
      return true
    },
    onEnd: () => {},
  })
  return { texts, failed: () => (call.ended?.outcome.ok === false ? call.ended.outcome.failure.kind : null) }
}

test('what comes between the first content and the one who takes it is kept', async () => {
  const { call, data, isPaused } = begun()
  data(said('one'))
  expect(isPaused()).toBe(true)
  data(said('two'))
  await call.first
  const { texts } = attach(call)
  data(said('three'))
  expect(texts).toEqual(['one', 'two', 'three'])
  expect(isPaused()).toBe(false)
  call.abort()
})

test('what was said in the same piece before an error is passed on', () => {
  const { call, data } = begun()
  data(said('one'))
  const { texts, failed } = attach(call)
  data(said('two') + BROKEN)
  expect(texts).toEqual(['one', 'two'])
  expect(failed()).toBe('server')
  expect(call.ended?.partial?.content).toEqual([{ type: 'text', text: 'onetwo' }])
})

test('an error in the same piece as the first content is an ordinary failure, for nothing has reached the client', async () => {
  const { call, data } = begun()
  data(said('one') + BROKEN)
  await call.first
  expect(call.ended).toMatchObject({ outcome: { ok: false }, hadContent: false })
})

test('comments right after the first content keep a stream alive, but not for ever', () => {
  const { call, data, at } = begun()
  data(said('one'))
  attach(call)
  at(400)
  data(': ping\n\n')
  expect(call.deadlineAt).toBe(1_000_000 + 900)
  at(119_900)
  data(': ping\n\n')
  expect(call.deadlineAt).toBe(1_000_000 + 120_000)
  call.abort()
})

test('thoughts are held for a moment, in which an answer of thoughts alone can be replaced', async () => {
  const { call, data, at, end } = begun()
  at(100)
  data(thought('Hm'))
  expect(call.deadlineAt).toBe(1_000_000 + 500)
  at(300)
  data(STOPPED)
  end()
  await call.first
  expect(call.ended).toMatchObject({ outcome: { ok: false, failure: { kind: 'empty', status: 200 } } })
  expect(call.ended?.partial?.content).toEqual([{ type: 'reasoning', text: 'Hm' }])
})

test('thoughts that go on longer are passed on live, and the answer behind them is one', async () => {
  const { call, data, at, end } = begun()
  at(100)
  data(thought('Hm'))
  at(510)
  call.expire()
  await call.first
  expect(call.ended).toBeNull()
  const { texts } = attach(call)
  expect(call.deadlineAt).toBe(1_000_000 + 510 + 500)
  data(said('Hi') + STOPPED)
  end()
  expect(texts).toEqual(['Hi'])
  expect(call.ended).toMatchObject({ outcome: { ok: true }, firstTokenMs: 100 })
})

test('thoughts that were passed on stay the answer when nothing follows, and it counts as empty', async () => {
  const { call, data, at, end } = begun()
  data(thought('Hm'))
  at(500)
  call.expire()
  attach(call)
  data(STOPPED)
  end()
  const { outcome } = await call.done
  expect(outcome).toMatchObject({ ok: false, failure: { kind: 'empty' }, response: { finishReason: 'stop' } })
})

test('text ends the wait of thoughts at once', async () => {
  const { call, data } = begun()
  data(thought('Hm'))
  expect(call.ended).toBeNull()
  data(said('Hi'))
  await call.first
  expect(attach(call).texts).toEqual(['Hi'])
  call.abort()
})

test('a stream that may not be what was asked for is held whole, as long as it moves on', async () => {
  const { call, data, at, end } = begun({ responseFormat: { type: 'json' } })
  data(said('Sure: '))
  expect(call.deadlineAt).toBe(1_000_000 + 500)
  at(400)
  data(said('{}'))
  expect(call.deadlineAt).toBe(1_000_000 + 900)
  data(STOPPED)
  end()
  await call.first
  expect(call.ended).toMatchObject({ outcome: { ok: true, healed: true }, raw: null })
  expect(attach(call).texts).toEqual(['{}'])
})

test('a stream that is held whole has no more time than its caller', async () => {
  const { call, data, at } = begun({ responseFormat: { type: 'json' } }, 1200)
  data(said('Sure: '))
  for (const ms of [400, 800, 1100]) {
    at(ms)
    data(said('and '))
  }
  expect(call.deadlineAt).toBe(1_000_000 + 1200)
  call.abort()
})

test('a stream that is held whole and stands still ends by its deadline', async () => {
  const { call, data, at } = begun({ responseFormat: { type: 'json' } })
  data(said('Sure: '))
  at(500)
  call.expire()
  expect((await call.done).outcome).toMatchObject({ ok: false, failure: { kind: 'timeout' } })
})
