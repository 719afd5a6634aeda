import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../../test/support/assembleResponse.ts'
import { mutate, someResponse, streamOf } from '../../../test/support/chatArbitraries.ts'
import { everyCut, falseEnds, harmfulCut, recordedStreams, replay, typedBytes } from '../../../test/support/replay.ts'
import { hasTestData } from '../../../test/support/testData.ts'
import type { ChatChunk, ChatRequest, ChatResponse, Extra } from '../../domain/chat.ts'
import { openaiResponsesDialect } from './openaiResponses.ts'

const request: ChatRequest = { model: 'asked', messages: [], stream: true }
const reader = () => openaiResponsesDialect.upstream.streamReader()
const ours = (fields: Record<string, unknown>): Extra => ({ dialect: 'openai-responses', fields })

function readAll(...events: unknown[]): ChatChunk[] {
  const stream = reader()
  const chunks = events.flatMap((event) => stream.push('', typeof event === 'string' ? event : JSON.stringify(event)))
  return [...chunks, ...stream.end()]
}

const created = { type: 'response.created', response: { id: 'resp_1', model: 'm' } }
const completed = {
  type: 'response.completed',
  response: { id: 'resp_1', model: 'm', status: 'completed', output: [] },
}
const textDelta = (delta: string) => ({ type: 'response.output_text.delta', output_index: 0, delta })
const item = (type: 'added' | 'done', output_index: number, fields: object) => ({
  type: `response.output_item.${type}`,
  output_index,
  item: fields,
})
const start: ChatChunk = { type: 'start', id: 'resp_1', model: 'm' }
const stopped: ChatChunk[] = [{ type: 'finish', finishReason: 'stop' }, { type: 'end' }]
const called: ChatChunk[] = [{ type: 'finish', finishReason: 'tool_calls' }, { type: 'end' }]

describe('openaiResponses reads streams', () => {
  const cases: { name: string; events: unknown[]; chunks: ChatChunk[] }[] = [
    {
      name: 'of text',
      events: [created, textDelta('Hi'), completed],
      chunks: [start, { type: 'text-delta', text: 'Hi' }, ...stopped],
    },
    {
      name: 'that break off, without an end',
      events: [created, textDelta('Hi')],
      chunks: [start, { type: 'text-delta', text: 'Hi' }],
    },
    {
      name: 'cut at the limit',
      events: [
        created,
        textDelta('Hi'),
        { type: 'response.incomplete', response: { incomplete_details: { reason: 'max_output_tokens' } } },
      ],
      chunks: [start, { type: 'text-delta', text: 'Hi' }, { type: 'finish', finishReason: 'length' }, { type: 'end' }],
    },
    {
      name: 'of a summary in parts and its encrypted content',
      events: [
        created,
        { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 0, delta: 'a' },
        { type: 'response.reasoning_summary_text.delta', output_index: 0, summary_index: 1, delta: 'b' },
        item('done', 0, {
          type: 'reasoning',
          id: 'rs_1',
          summary: [{ text: 'a' }, { text: 'b' }],
          encrypted_content: 'gAAA',
        }),
        completed,
      ],
      chunks: [
        start,
        { type: 'reasoning-delta', text: 'a' },
        { type: 'reasoning-delta', text: '\n\nb' },
        { type: 'reasoning-delta', text: '', signature: 'openai-responses:gAAA', extra: ours({ id: 'rs_1' }) },
        ...stopped,
      ],
    },
    {
      name: 'of thoughts said both ways, once',
      events: [
        created,
        { type: 'response.reasoning_text.delta', delta: 'a' },
        { type: 'response.reasoning_summary_text.delta', delta: 'b' },
        completed,
      ],
      chunks: [start, { type: 'reasoning-delta', text: 'a' }, ...stopped],
    },
    {
      name: 'of calls',
      events: [
        created,
        item('added', 1, { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '' }),
        { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"a"' },
        { type: 'response.function_call_arguments.delta', output_index: 1, delta: ':1}' },
        { type: 'response.function_call_arguments.done', output_index: 1, arguments: '{"a":1}' },
        item('done', 1, { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '{"a":1}' }),
        completed,
      ],
      chunks: [
        start,
        { type: 'tool-call-start', index: 0, id: 'c', name: 'f', extra: ours({ id: 'fc' }) },
        { type: 'tool-call-delta', index: 0, arguments: '{"a"' },
        { type: 'tool-call-delta', index: 0, arguments: ':1}' },
        { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}', extra: ours({ id: 'fc' }) },
        ...called,
      ],
    },
    {
      name: 'of a call whose item never said that it was done',
      events: [
        created,
        item('added', 0, { type: 'function_call', call_id: 'c', name: 'f' }),
        { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"a":1}' },
        completed,
      ],
      chunks: [
        start,
        { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
        { type: 'tool-call-delta', index: 0, arguments: '{"a":1}' },
        { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}' },
        ...called,
      ],
    },
    {
      name: 'of items without deltas',
      events: [
        created,
        item('done', 0, { type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }),
        item('done', 1, { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' }),
        completed,
      ],
      chunks: [
        start,
        { type: 'text-delta', text: 'Hi' },
        { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
        { type: 'tool-call-delta', index: 0, arguments: '{"a":1}' },
        { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}' },
        ...called,
      ],
    },
    {
      name: 'that say everything in the last event',
      events: [
        {
          ...completed,
          response: {
            ...completed.response,
            output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No' }] }],
            usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
          },
        },
        '[DONE]',
      ],
      chunks: [
        start,
        { type: 'text-delta', text: 'No' },
        { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false } },
        {
          type: 'finish',
          finishReason: 'content_filter',
          blocked: { reason: 'refusal', details: { refusal: 'No' } },
        },
        { type: 'end' },
      ],
    },
    {
      name: 'with things of the wrong type and unknown events, which are skipped',
      events: [
        '5',
        'null',
        '[]',
        { type: 7 },
        { type: 'response.new_thing' },
        textDelta(''),
        { ...textDelta('x'), delta: 5 },
        item('added', 0, []),
        { type: 'response.output_item.done' },
      ],
      chunks: [],
    },
  ]
  for (const { name, events, chunks } of cases) {
    test(name, () => expect(readAll(...events)).toEqual(chunks))
  }

  const errors: { name: string; event: unknown; expected: object }[] = [
    {
      name: 'nested',
      event: { type: 'error', error: { code: 'insufficient_quota', message: 'x' } },
      expected: { body: { error: { code: 'insufficient_quota', message: 'x' } } },
    },
    {
      name: 'flat',
      event: { type: 'error', code: 'server_error', message: 'x', param: null },
      expected: { body: { error: { code: 'server_error', message: 'x' } } },
    },
    { name: 'without a type', event: { error: { code: 503, message: 'x' } }, expected: { status: 503 } },
    {
      name: 'of a failed answer',
      event: {
        type: 'response.failed',
        response: { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'x' } },
      },
      expected: { body: { error: { code: 'rate_limit_exceeded' } } },
    },
    { name: 'of a failed answer without a reason', event: { type: 'response.failed' }, expected: { status: 502 } },
    {
      name: 'of an answer completed as failed',
      event: { type: 'response.completed', response: { status: 'failed' } },
      expected: { status: 502 },
    },
    { name: 'that is no JSON', event: '<html>', expected: { status: 502 } },
  ]
  for (const { name, event, expected } of errors) {
    test(`with an error ${name}, after which nothing counts`, () => {
      const chunks = readAll(created, textDelta('Hi'), event, completed)
      expect(chunks).toEqual([start, { type: 'text-delta', text: 'Hi' }, expect.objectContaining({ type: 'error' })])
      expect(chunks.at(-1)).toMatchObject(expected)
    })
  }

  test('by the name of the event where the data has no type', () => {
    expect(reader().push('response.output_text.delta', '{"delta":"a"}')).toEqual([{ type: 'text-delta', text: 'a' }])
  })
})

function writeAll(chunks: readonly ChatChunk[]): string {
  const writer = openaiResponsesDialect.client.streamWriter(request, { now: 5000, id: 'req_7' })
  return chunks.map((chunk) => writer.write(chunk)).join('')
}

describe('openaiResponses writes streams', () => {
  test('that its own reader reads as the same answer, and whose last event says it whole', () => {
    fc.assert(
      fc.property(someResponse, fc.double({ min: 0, max: 1, noNaN: true }), (response, share) => {
        const text = writeAll(streamOf(response, (length) => Math.floor(length * share)))
        const read = assembleResponse(replay(reader(), Buffer.from(text)))
        expect({ ...withoutExtra(read), blocked: undefined }).toEqual(response)
        const last = text.slice(text.lastIndexOf('\ndata: ') + '\ndata: '.length)
        const whole = openaiResponsesDialect.upstream.readResponse(JSON.parse(last).response)
        expect(whole.ok && { ...withoutExtra(whole.response), blocked: undefined }).toEqual(response)
      }),
      { numRuns: 200 },
    )
  })

  test("with the upstream's id of a reasoning item, to which its encrypted content is bound", () => {
    const summary = [{ type: 'summary_text', text: 'a' }]
    const thought = { type: 'reasoning', id: 'rs_up', summary, encrypted_content: 'gAAA' }
    const delta = { type: 'response.reasoning_summary_text.delta', item_id: 'rs_up', output_index: 0, delta: 'a' }
    const text = writeAll(readAll(created, delta, item('done', 0, thought), completed))
    expect(text).not.toContain('"rs_1_0"')
    expect(text).toContain(
      `"item":${JSON.stringify({ id: 'rs_up', type: 'reasoning', summary, encrypted_content: 'gAAA' })}`,
    )
  })

  test("with Gemini's signature of a call in an item before it, which comes back as the call's", () => {
    const chunks: ChatChunk[] = [
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'tool-call-start', index: 0, id: 'c', name: 'f', signature: 'google:s' },
      { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{}', signature: 'google:s' },
      { type: 'finish', finishReason: 'tool_calls' },
      { type: 'end' },
    ]
    const [, last] = /"type":"response.completed".*?"output":(.*),"parallel_tool_calls"/.exec(writeAll(chunks)) ?? []
    const { messages } = openaiResponsesDialect.client.readRequest({ model: 'm', input: JSON.parse(last ?? '') })
    expect(messages[0]?.content).toMatchObject([
      { type: 'reasoning', text: 'Hm' },
      { type: 'tool-call', id: 'c', name: 'f', arguments: '{}', signature: 'google:s' },
    ])
  })

  test('with one item after another, also where calls are only at the end said to be whole', () => {
    const call = (index: number) => ({ index, id: `c${index}`, name: `f${index}` })
    const piece = (index: number, text: string): ChatChunk => ({ type: 'tool-call-delta', index, arguments: text })
    const chunks: ChatChunk[] = [
      { type: 'tool-call-start', ...call(0) },
      piece(0, '{"a":'),
      { type: 'tool-call-start', ...call(1) },
      piece(1, '{"b":2}'),
      piece(0, '1}'),
      { type: 'text-delta', text: 'Hi' },
      { type: 'tool-call', ...call(0), arguments: '{"a":1}' },
      { type: 'tool-call', ...call(1), arguments: '{"b":2}' },
      { type: 'finish', finishReason: 'tool_calls' },
      { type: 'end' },
    ]
    // Without the chunks that say the calls whole, they end with the answer.
    for (const said of [chunks, chunks.filter(({ type }) => type !== 'tool-call')]) {
      const events = [...writeAll(said).matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data))
      const places = events.map((event) => event.output_index).filter((place) => place !== undefined)
      expect(places).toEqual([...places].sort())
      const output = events.at(-1)?.response.output
      expect(output.map(({ arguments: text }: { arguments?: string }) => text)).toEqual([
        '{"a":1}',
        '{"b":2}',
        undefined,
      ])
    }
  })

  test('with nothing before the first content, and every event numbered', () => {
    const writer = openaiResponsesDialect.client.streamWriter(request)
    expect(writer.write(start)).toBe('')
    const text = [{ type: 'text-delta', text: 'a' } as const, ...stopped].map((chunk) => writer.write(chunk)).join('')
    const events = text
      .split('\n\n')
      .filter(Boolean)
      .map((event) => JSON.parse(event.split('\ndata: ')[1] ?? ''))
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(
      text
        .split('\n\n')
        .filter(Boolean)
        .map((event) => event.split('\n')[0]),
    ).toEqual(events.map(({ type }) => `event: ${type}`))
  })

  test('that the official client reads', async () => {
    const chunks: ChatChunk[] = [
      start,
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'reasoning-delta', text: '', signature: 'google:s' },
      { type: 'text-delta', text: 'Grü' },
      { type: 'text-delta', text: 'ße' },
      { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
      { type: 'tool-call-start', index: 1, id: 'd', name: 'grep', custom: true },
      { type: 'tool-call-delta', index: 1, arguments: 'a b' },
      { type: 'tool-call-delta', index: 0, arguments: '{"a":1}' },
      { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}' },
      {
        type: 'tool-call',
        index: 1,
        id: 'd',
        name: 'grep',
        arguments: 'a b',
        custom: true,
      },
      { type: 'finish', finishReason: 'tool_calls' },
      { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false } },
      { type: 'end' },
    ]
    const response = await clientOf(writeAll(chunks)).responses.stream({ model: 'm', input: 'a' }).finalResponse()
    expect(response.output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'google:s' },
      { type: 'message', content: [{ type: 'output_text', text: 'Grüße' }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{"a":1}' },
      { type: 'custom_tool_call', call_id: 'd', name: 'grep', input: 'a b' },
    ])
    expect(response).toMatchObject({
      id: 'resp_1',
      model: 'm',
      status: 'completed',
      created_at: 5,
      usage: { total_tokens: 3 },
    })
  })

  for (const chunks of [
    [],
    [{ type: 'text-delta', text: 'half' }],
    [{ type: 'finish', finishReason: 'error' }, { type: 'end' }],
  ] as ChatChunk[][]) {
    test(`that break off after ${JSON.stringify(chunks)} so that the official client throws`, async () => {
      const writer = openaiResponsesDialect.client.streamWriter(request)
      const said = chunks.map((chunk) => writer.write(chunk)).join('')
      const text = said.includes('response.failed')
        ? said
        : said + writer.fail({ status: 502, message: 'the model gave up', code: 'network' })
      const names = text.split('\n').filter((line) => line.startsWith('event: '))
      expect(names.slice(-2)).toEqual(['event: error', 'event: response.failed'])
      await expect(clientOf(text).responses.stream({ model: 'm', input: 'a' }).finalResponse()).rejects.toThrow(
        'the model gave up',
      )
      expect(replay(reader(), Buffer.from(text)).map(({ type }) => type)).not.toContain('end')
    })
  }
})

/** The official client, talking to somebody who answers this. */
function clientOf(text: string): OpenAI {
  const headers = { 'content-type': 'text/event-stream' }
  return new OpenAI({
    apiKey: 'none',
    baseURL: 'http://127.0.0.1/v1',
    fetch: async () => new Response(text, { headers }),
  })
}

/** The answer without what the wire adds: the ids of items. */
function withoutExtra(response: ChatResponse): ChatResponse {
  const { extra: _, ...rest } = response
  return { ...rest, content: response.content.map(({ extra: __, ...part }) => part) }
}

describe.runIf(hasTestData)('openaiResponses reads the recorded stream', () => {
  const streams = ['openai-responses', 'azure', 'lmstudio-responses'].flatMap(recordedStreams)

  for (const { name, lines } of streams.filter(({ name }) => !name.includes('error'))) {
    const bytes = typedBytes(lines)

    test(`${name} as the answer its last event says`, () => {
      const chunks = replay(reader(), bytes)
      const whole = openaiResponsesDialect.upstream.readResponse(JSON.parse(lines.at(-1) ?? '').response)
      if (!whole.ok) expect.fail('the recording does not say the whole answer')
      const streamed = withoutExtra(assembleResponse(chunks))
      const { content, ...stated } = withoutExtra(whole.response)
      const { content: said, ...rest } = streamed
      expect(rest).toEqual(stated)
      expect(flat(said)).toEqual(flat(content))
      expect(chunks.at(-1)).toEqual({ type: 'end' })
    })

    test(`${name} the same wherever it is cut`, () => {
      expect(harmfulCut(bytes)).toBeUndefined()
      expect(replay(reader(), bytes, everyCut(bytes))).toEqual(replay(reader(), bytes))
    })

    test(`${name} without an end when it is cut before the finish`, () => {
      expect(falseEnds(reader, lines, (line) => line.startsWith('{"type":"response.completed"'))).toEqual([])
    })
  }

  test('of an error as the error', () => {
    const [stream] = streams.filter(({ name }) => name.includes('error'))
    const chunks = replay(reader(), typedBytes(stream?.lines ?? []))
    expect(chunks.map(({ type }) => type)).toEqual(['start', 'error'])
    expect(chunks[1]).toMatchObject({ body: { error: { code: 'insufficient_quota' } } })
  })

  test('with fields dropped and retyped, without ever throwing', () => {
    const parsed = streams.map(({ lines }) =>
      [...lines.slice(0, 8), ...lines.slice(-5)].map((line): unknown => JSON.parse(line)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...parsed),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (lines, dice) => {
          const writer = openaiResponsesDialect.client.streamWriter(request)
          const chunks = readAll(...lines.map((line) => mutate(line, () => dice.next().value ?? 0)))
          for (const chunk of chunks) writer.write(chunk)
          assembleResponse(chunks)
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** Texts in a row joined; without signatures, which OpenAI encrypts anew each time it says them. */
function flat(content: ChatResponse['content']): string[] {
  const joined: string[] = []
  let previous = ''
  for (const part of content) {
    const text = part.type === 'text' ? part.text : JSON.stringify({ ...part, signature: undefined })
    if (part.type === 'text' && previous === 'text') joined[joined.length - 1] += text
    else joined.push(text)
    previous = part.type
  }
  return joined
}
