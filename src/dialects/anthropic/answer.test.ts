import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../../test/support/assembleResponse.ts'
import { replay, typedBytes } from '../../../test/support/replay.ts'
import type { ChatChunk, ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { SseReader } from '../stream/sse.ts'
import { anthropicDialect } from './anthropic.ts'

const REQUEST: ChatRequest = { model: 'm', messages: [], stream: false }
const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: 'end_turn' }
const readOk = (body: unknown): ChatResponse => {
  const read = anthropicDialect.upstream.readResponse(body)
  if (!read.ok) throw new Error('expected an answer')
  return read.response
}
/** The chunks of these events, one after the other, up to the end of the input. */
const stream = (...events: Record<string, unknown>[]): ChatChunk[] =>
  replay(anthropicDialect.upstream.streamReader(), typedBytes(events.map((event) => JSON.stringify(event))))
const start = (usage?: unknown) => ({ type: 'message_start', message: { id: 'msg_1', model: 'm', usage } })
const open = (index: number, content_block: unknown) => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, delta: unknown) => ({ type: 'content_block_delta', index, delta })
const close = (index: number) => ({ type: 'content_block_stop', index })
const stop = (stop_reason: unknown, usage?: unknown) => ({ type: 'message_delta', delta: { stop_reason }, usage })
const END = { type: 'message_stop' }
const text = (index: number, ...pieces: string[]) => [
  open(index, { type: 'text', text: '' }),
  ...pieces.map((piece) => delta(index, { type: 'text_delta', text: piece })),
]

describe('an answer', () => {
  const reasons = [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['compaction', 'other'],
    [null, 'other'],
  ] as const
  for (const [wire, reason] of reasons) {
    test(`that stopped for ${wire} finished with ${reason}`, () => {
      expect(readOk({ ...MESSAGE, stop_reason: wire }).finishReason).toBe(reason)
    })
  }

  const stopDetails = { type: 'refusal', category: 'cyber', explanation: 'Against the policy.' }
  test.each([
    ['no content', { content: [] }],
    ['content that is absent', { content: undefined }],
    ['an empty text', { content: [{ type: 'text', text: '' }] }],
    ['thoughts', { content: [{ type: 'thinking', thinking: 'Hm', signature: 'c2ln' }] }],
  ])('that was refused with %s says why', (_, content) => {
    const body = { ...MESSAGE, ...content, stop_reason: 'refusal', stop_details: stopDetails }
    expect(readOk(body)).toMatchObject({
      finishReason: 'content_filter',
      blocked: { reason: 'refusal', details: stopDetails },
    })
  })

  test('that was refused in a stream says why at its end', () => {
    const refused = { type: 'message_delta', delta: { stop_reason: 'refusal', stop_details: stopDetails } }
    expect(stream(start(), refused, END).slice(-2)).toEqual([
      { type: 'finish', finishReason: 'content_filter', blocked: { reason: 'refusal', details: stopDetails } },
      { type: 'end' },
    ])
  })

  test.each([
    [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }],
    [{ type: 'web_search_tool_result', tool_use_id: 's', content: [] }],
  ])('of %o alone is not empty, whole or streamed', (block) => {
    expect(readOk({ ...MESSAGE, content: [block], stop_reason: 'pause_turn' })).toMatchObject({ opaque: true })
    expect(stream(start(), open(0, block), close(0), stop('pause_turn'), END).map(({ type }) => type)).toContain(
      'opaque',
    )
  })

  test('that another dialect blocked tells its reason as the explanation', () => {
    const blocked = { reason: 'SAFETY', details: { finishMessage: 'Too hot.' } }
    const written = anthropicDialect.client.writeResponse(
      { model: 'm', content: [], finishReason: 'content_filter', blocked },
      REQUEST,
    )
    expect(written).toMatchObject({
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null, explanation: expect.stringContaining('SAFETY (Too hot.)') },
    })
  })

  test('counts cached tokens as input, which the wire does not', () => {
    const usage = {
      input_tokens: 10,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 1000,
      output_tokens: 5,
    }
    const response = readOk({ ...MESSAGE, usage })
    expect(response.usage).toEqual({
      inputTokens: 1110,
      outputTokens: 5,
      totalTokens: 1115,
      cachedInputTokens: 100,
      cacheWriteTokens: 1000,
      estimated: false,
    })
    expect(anthropicDialect.client.writeResponse(response, REQUEST)).toMatchObject({ usage })
  })

  test('without usage has none', () => expect(readOk(MESSAGE).usage).toBeUndefined())

  const failures: [string, unknown, object][] = [
    ['an error', { type: 'error', error: { type: 'overloaded_error', message: 'x' } }, { status: 529 }],
    ['an error without a type', { error: { message: 'x' } }, { status: undefined }],
    ['no object', 'hello', { malformed: true }],
    ['an object of another kind', { choices: [] }, { malformed: true }],
  ]
  for (const [name, body, expected] of failures) {
    test(`that is ${name} is none`, () => {
      expect(anthropicDialect.upstream.readResponse(body)).toMatchObject({ ok: false, body, ...expected })
    })
  }

  test('for a client without an id from upstream takes the given one', () => {
    const response: ChatResponse = { model: 'm', content: [], finishReason: 'stop' }
    expect(anthropicDialect.client.writeResponse(response, REQUEST, { id: 'req-7' })).toMatchObject({ id: 'req-7' })
  })
})

describe('errors', () => {
  const types = [
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [503, 'api_error'],
    [529, 'overloaded_error'],
  ] as const
  for (const [status, type] of types) {
    test(`with status ${status} are a ${type}`, () => {
      const error = { status, message: 'no', code: 'x', requestId: 'req_1' }
      expect(anthropicDialect.client.writeError(error)).toEqual({
        type: 'error',
        error: { type, message: 'no' },
        request_id: 'req_1',
      })
    })
  }
})

describe('the stream reader', () => {
  test('joins the pieces of a call, and takes an empty one for {}', () => {
    const chunks = stream(
      start(),
      open(0, { type: 'tool_use', id: 'a', name: 'f', input: {} }),
      delta(0, { type: 'input_json_delta', partial_json: '{"x"' }),
      delta(0, { type: 'input_json_delta', partial_json: ':1}' }),
      close(0),
      open(1, { type: 'tool_use', id: 'b', name: 'g', input: {} }),
      delta(1, { type: 'input_json_delta', partial_json: '' }),
      close(1),
      open(2, { type: 'tool_use', id: 'c', name: 'h', input: { whole: true } }),
      close(2),
      stop('tool_use'),
      END,
    )
    expect(chunks.filter((chunk) => chunk.type === 'tool-call')).toEqual([
      { type: 'tool-call', index: 0, id: 'a', name: 'f', arguments: '{"x":1}' },
      { type: 'tool-call', index: 1, id: 'b', name: 'g', arguments: '{}' },
      { type: 'tool-call', index: 2, id: 'c', name: 'h', arguments: '{"whole":true}' },
    ])
    expect(chunks.slice(-2)).toEqual([{ type: 'finish', finishReason: 'tool_calls' }, { type: 'end' }])
  })

  test('names the origin of signatures and of hidden thoughts', () => {
    const { content } = assembleResponse(
      stream(
        start(),
        open(0, { type: 'thinking', thinking: '', signature: '' }),
        delta(0, { type: 'thinking_delta', thinking: 'hm' }),
        delta(0, { type: 'signature_delta', signature: 'c2ln' }),
        close(0),
        open(1, { type: 'redacted_thinking', data: 'aGlk' }),
        close(1),
        ...text(2, 'Hi'),
      ),
    )
    expect(content).toEqual([
      { type: 'reasoning', text: 'hm', signature: 'anthropic:c2ln' },
      { type: 'reasoning', text: '', signature: 'anthropic:aGlk', redacted: true },
      { type: 'text', text: 'Hi' },
    ])
  })

  test('adds the counts of both events, the later ones winning', () => {
    const chunks = stream(
      start({ input_tokens: 5, cache_read_input_tokens: 3, output_tokens: 1 }),
      stop('end_turn', { input_tokens: 6, output_tokens: 9, cache_read_input_tokens: null }),
    )
    expect(assembleResponse(chunks).usage).toMatchObject({ inputTokens: 9, outputTokens: 9, cachedInputTokens: 3 })
  })

  test('reads text whose block was not announced', () => {
    const { content } = assembleResponse(stream(start(), delta(0, { type: 'text_delta', text: 'Hi' })))
    expect(content).toEqual([{ type: 'text', text: 'Hi' }])
  })

  const broken: [string, Record<string, unknown>[]][] = [
    ['before anything', []],
    ['within the text', [start(), ...text(0, 'Hi')]],
    ['before message_stop', [start(), ...text(0, 'Hi'), close(0), stop('end_turn')]],
  ]
  for (const [name, events] of broken) {
    test(`yields no end when the input stops ${name}`, () => {
      expect(stream(...events).some((chunk) => chunk.type === 'end')).toBe(false)
    })
  }

  test('yields an error with its status, and nothing after it', () => {
    const error = { type: 'error', error: { type: 'rate_limit_error', message: 'x' } }
    const chunks = stream(start(), error, ...text(0, 'Hi'), stop('end_turn'), END)
    expect(chunks.slice(1)).toEqual([{ type: 'error', body: error, status: 429 }])
  })

  test('yields an error for what is no JSON, but not for an event that was cut off', () => {
    expect(anthropicDialect.upstream.streamReader().push('ping', '{"type":')).toMatchObject([{ type: 'error' }])
    expect(anthropicDialect.upstream.streamReader().push('ping', '{"type":', true)).toEqual([])
  })
})

describe('a message that begins anew within its stream', () => {
  const call = (index: number, id: string, ...pieces: string[]) => [
    open(index, { type: 'tool_use', id, name: 'f', input: {} }),
    ...pieces.map((piece) => delta(index, { type: 'input_json_delta', partial_json: piece })),
  ]

  test('goes on where it was when it says the same again', () => {
    const chunks = stream(
      start({ input_tokens: 1, output_tokens: 1 }),
      ...text(0, 'Hel', 'lo'),
      start({ input_tokens: 1, output_tokens: 1 }),
      ...text(0, 'Hello wor', 'ld'),
      close(0),
      ...call(1, 'x', '{}'),
      close(1),
      stop('tool_use'),
      END,
    )
    expect(chunks.filter((chunk) => chunk.type === 'start')).toHaveLength(1)
    expect(assembleResponse(chunks).content).toEqual([
      { type: 'text', text: 'Hello world' },
      { type: 'tool-call', id: 'x', name: 'f', arguments: '{}' },
    ])
    expect(chunks.at(-1)).toEqual({ type: 'end' })
  })

  test('does not repeat a call that was complete', () => {
    const chunks = stream(
      start(),
      ...call(0, 'x', '{"a":1}'),
      close(0),
      start(),
      ...call(0, 'y', '{"a"', ':1}'),
      close(0),
      stop('tool_use'),
      END,
    )
    expect(chunks.filter((chunk) => chunk.type === 'tool-call')).toHaveLength(1)
    expect(chunks.at(-1)).toEqual({ type: 'end' })
  })

  const contradictions: [string, Record<string, unknown>[]][] = [
    ['says something else', [...text(0, 'Hey'), close(0)]],
    ['says less', [...text(0, 'He'), close(0)]],
    ['says nothing', []],
    ['calls instead', [...call(0, 'x', '{}'), close(0)]],
  ]
  for (const [name, events] of contradictions) {
    test(`is an error when it ${name}`, () => {
      const chunks = stream(start(), ...text(0, 'Hello'), start(), ...events, stop('end_turn'), END)
      expect(chunks.at(-1)).toMatchObject({ type: 'error', status: 500 })
    })
  }

  test('is an error when a call that was complete goes on', () => {
    const again = [...call(0, 'y', '{"a":1}', ',"b":2}'), close(0)]
    const chunks = stream(start(), ...call(0, 'x', '{"a":1}'), close(0), start(), ...again, stop('tool_use'), END)
    expect(chunks.at(-1)).toMatchObject({ type: 'error' })
  })
})

describe('the stream writer', () => {
  const write = (chunks: readonly ChatChunk[]): Record<string, unknown>[] => {
    const writer = anthropicDialect.client.streamWriter(REQUEST, { id: 'req-7' })
    const sse = new SseReader()
    const events = sse.push(Buffer.from(chunks.map((chunk) => writer.write(chunk)).join('')))
    return events.map(({ event, data }) => {
      const body = JSON.parse(data)
      expect(body.type).toBe(event)
      return body
    })
  }
  const finish: ChatChunk[] = [{ type: 'finish', finishReason: 'stop' }, { type: 'end' }]
  const usage = { inputTokens: 7, outputTokens: 3, totalTokens: 10, estimated: false }

  test('writes the events in the order that the official clients expect', () => {
    const events = write([
      { type: 'start', model: 'm' },
      { type: 'reasoning-delta', text: 'hm', signature: 'anthropic:c2ln' },
      { type: 'text-delta', text: 'Hi' },
      { type: 'text-delta', text: '!' },
      { type: 'tool-call-start', index: 0, id: 'a', name: 'f' },
      { type: 'tool-call-delta', index: 0, arguments: '{}' },
      { type: 'tool-call', index: 0, id: 'a', name: 'f', arguments: '{}' },
      { type: 'finish', finishReason: 'tool_calls' },
      { type: 'usage', usage },
      { type: 'end' },
    ])
    expect(events.map(({ type, index }) => `${type}${index ?? ''}`)).toEqual([
      ...['message_start', 'content_block_start0', 'content_block_delta0', 'content_block_delta0'],
      ...['content_block_stop0', 'content_block_start1', 'content_block_delta1', 'content_block_delta1'],
      ...['content_block_stop1', 'content_block_start2', 'content_block_delta2', 'content_block_stop2'],
      ...['message_delta', 'message_stop'],
    ])
    expect(events[0]).toMatchObject({ message: { id: 'req-7', role: 'assistant', content: [], stop_reason: null } })
    expect(events[3]).toMatchObject({ delta: { type: 'signature_delta', signature: 'c2ln' } })
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: { input_tokens: 7, output_tokens: 3 },
    })
  })

  test('lets blocks follow each other when calls arrive mixed', () => {
    const events = write([
      { type: 'tool-call-start', index: 0, id: 'a', name: 'f' },
      { type: 'tool-call-start', index: 1, id: 'b', name: 'g' },
      { type: 'tool-call-delta', index: 0, arguments: '{"a"' },
      { type: 'tool-call-delta', index: 1, arguments: '{"b":2}' },
      { type: 'tool-call-delta', index: 0, arguments: ':1}' },
      { type: 'text-delta', text: 'and' },
      { type: 'tool-call', index: 1, id: 'b', name: 'g', arguments: '{"b":2}' },
      { type: 'tool-call', index: 0, id: 'a', name: 'f', arguments: '{"a":1}' },
      ...finish,
    ])
    const indexes = events.flatMap(({ index }) => (typeof index === 'number' ? [index] : []))
    expect(indexes).toEqual([...indexes].sort())
    const bytes = typedBytes(events.map((event) => JSON.stringify(event)))
    expect(assembleResponse(replay(anthropicDialect.upstream.streamReader(), bytes)).content).toEqual([
      { type: 'tool-call', id: 'a', name: 'f', arguments: '{"a":1}' },
      { type: 'tool-call', id: 'b', name: 'g', arguments: '{"b":2}' },
      { type: 'text', text: 'and' },
    ])
  })

  test('takes a call that was never begun, and one that was never finished', () => {
    const whole: ChatChunk = { type: 'tool-call', index: 0, id: 'a', name: 'f', arguments: '{"a":1}' }
    const begun: ChatChunk = { type: 'tool-call-start', index: 1, id: 'b', name: 'g' }
    const types = write([whole, begun, { type: 'text-delta', text: 'x' }, ...finish]).map(({ type }) => type)
    expect(types.filter((type) => type === 'content_block_start')).toHaveLength(3)
    expect(types.filter((type) => type === 'content_block_stop')).toHaveLength(3)
  })

  test('ends an answer that the model gave up with an error, because no stop reason says so', () => {
    const events = write([
      { type: 'text-delta', text: 'I look it up.' },
      { type: 'finish', finishReason: 'error' },
      { type: 'end' },
    ])
    expect(events.slice(-2)).toEqual([
      { type: 'content_block_stop', index: 0 },
      { type: 'error', error: { type: 'api_error', message: 'the model gave up' } },
    ])
  })

  test('ends a broken stream with an error and nothing that looks like an end', () => {
    const writer = anthropicDialect.client.streamWriter(REQUEST)
    writer.write({ type: 'text-delta', text: 'Hi' })
    writer.write({ type: 'finish', finishReason: 'stop' })
    const failed = writer.fail({ status: 502, message: 'broke', code: 'server' })
    expect(failed).toMatch(/^event: error\ndata: .*"api_error".*\n\n$/)
    expect(writer.write({ type: 'end' })).toBe('')
  })
})
