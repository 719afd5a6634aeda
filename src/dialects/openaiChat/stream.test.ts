import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../../test/support/assembleResponse.ts'
import { mutate, someResponse, streamOf } from '../../../test/support/chatArbitraries.ts'
import { chatBytes, everyCut, falseEnds, harmfulCut, recordedStreams, replay } from '../../../test/support/replay.ts'
import { hasTestData } from '../../../test/support/testData.ts'
import type { ChatChunk, ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { openaiChatDialect } from './openaiChat.ts'

const request: ChatRequest = { model: 'asked', messages: [], stream: true, wantsUsage: true }
const reader = () => openaiChatDialect.upstream.streamReader()

function readAll(...events: unknown[]): ChatChunk[] {
  const stream = reader()
  const chunks = events.flatMap((event) => stream.push('', typeof event === 'string' ? event : JSON.stringify(event)))
  return [...chunks, ...stream.end()]
}

const delta = (fields: object, finish_reason: string | null = null) => ({
  id: 'a1',
  model: 'm',
  choices: [{ index: 0, delta: fields, finish_reason }],
})
const call = (fields: object) => delta({ tool_calls: [fields] })
const start: ChatChunk = { type: 'start', id: 'a1', model: 'm' }
const stopped: ChatChunk[] = [{ type: 'finish', finishReason: 'stop' }, { type: 'end' }]

describe('openaiChat reads calls that all have the index 0 and no id', () => {
  const piece = (args: string, name?: string) =>
    call({ index: 0, function: { ...(name && { name }), arguments: args } })
  const cases: [name: string, events: unknown[], calls: string[]][] = [
    ['whole ones', [piece('{"n":1}', 'f'), piece('{"n":2}', 'f')], ['f {"n":1}', 'f {"n":2}']],
    ['of several functions', [piece('{}', 'f'), piece('{}', 'g')], ['f {}', 'g {}']],
    [
      'in one delta',
      [
        delta({
          tool_calls: ['{"n":1}', '{"n":2}'].map((args) => ({ index: 0, function: { name: 'f', arguments: args } })),
        }),
      ],
      ['f {"n":1}', 'f {"n":2}'],
    ],
    [
      'in pieces',
      [piece('', 'f'), piece('{"n"'), piece(':1}'), piece('', 'f'), piece('{"n":'), piece('2}')],
      ['f {"n":1}', 'f {"n":2}'],
    ],
    [
      'and one whose name comes with every piece',
      [piece('', 'f'), piece('{"a":{', 'f'), piece('}}', 'f'), piece('', 'f')],
      ['f {"a":{}}'],
    ],
  ]
  test.each(cases)('%s', (_name, events, calls) => {
    const found = readAll(...events, delta({}, 'tool_calls')).filter((chunk) => chunk.type === 'tool-call')
    expect(found.map((chunk) => `${chunk.name} ${chunk.arguments}`)).toEqual(calls)
    expect(new Set(found.map((chunk) => chunk.id)).size).toBe(calls.length)
  })
})

describe('openaiChat reads streams', () => {
  const cases: { name: string; events: unknown[]; chunks: ChatChunk[] }[] = [
    {
      name: 'of text, whose role alone is no content',
      events: [delta({ role: 'assistant', content: '' }), delta({ content: 'Hi' }), delta({}, 'stop'), '[DONE]'],
      chunks: [start, { type: 'text-delta', text: 'Hi' }, ...stopped],
    },
    {
      name: 'that end without [DONE]',
      events: [delta({ content: 'Hi' }, 'stop')],
      chunks: [start, { type: 'text-delta', text: 'Hi' }, ...stopped],
    },
    {
      name: 'that break off, without an end',
      events: [delta({ content: 'Hi' })],
      chunks: [start, { type: 'text-delta', text: 'Hi' }],
    },
    {
      name: 'of servers that give no finish reason',
      events: [delta({ content: 'Hi' }), '[DONE]'],
      chunks: [start, { type: 'text-delta', text: 'Hi' }, { type: 'finish', finishReason: 'other' }, { type: 'end' }],
    },
    { name: 'of nothing but [DONE], without an end', events: ['[DONE]'], chunks: [] },
    {
      name: 'that say nothing before [DONE]',
      events: [{ ...delta({}), choices: [] }, '[DONE]'],
      chunks: [start, { type: 'finish', finishReason: 'other' }, { type: 'end' }],
    },
    {
      name: 'with a picture',
      events: [
        delta({ content: '', images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }),
        delta({}, 'stop'),
      ],
      chunks: [start, { type: 'media', part: { type: 'image', mediaType: 'image/png', data: 'AAAA' } }, ...stopped],
    },
    {
      name: 'of speech, whose words come as they are said and whose sound comes whole',
      events: [
        delta({ audio: { id: 'audio_1', transcript: 'Hi' } }),
        delta({ audio: { data: 'UklGRg==' } }),
        delta({ audio: { transcript: '!', data: 'AAA=' } }),
        delta({ audio: { expires_at: 1 } }, 'stop'),
      ],
      chunks: [
        start,
        { type: 'text-delta', text: 'Hi' },
        { type: 'opaque' },
        { type: 'text-delta', text: '!' },
        { type: 'media', part: { type: 'file', mediaType: 'audio/wav', data: 'UklGRgAA' } },
        ...stopped,
      ],
    },
    {
      name: 'with its sources behind the text',
      events: [
        delta({
          content: 'Hi',
          annotations: [
            { type: 'url_citation', url_citation: { url: 'https://a.example/', start_index: 0, end_index: 2 } },
          ],
        }),
        delta({}, 'stop'),
      ],
      chunks: [
        start,
        { type: 'text-delta', text: 'Hi' },
        { type: 'citations', citations: [{ url: 'https://a.example/', start: 0, end: 2 }] },
        ...stopped,
      ],
    },
    {
      name: "that begin with Azure's chunk without id and model",
      events: [{ id: '', model: '', choices: [], prompt_filter_results: [] }, delta({ content: 'Hi' }, 'stop')],
      chunks: [start, { type: 'text-delta', text: 'Hi' }, ...stopped],
    },
    {
      name: 'of thoughts under both names',
      events: [
        delta({ reasoning_content: 'a' }),
        delta({ reasoning: 'b' }),
        delta(
          {
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: 'c' }] },
              { type: 'text', text: 'd' },
            ],
          },
          'stop',
        ),
      ],
      chunks: [
        start,
        { type: 'reasoning-delta', text: 'a' },
        { type: 'reasoning-delta', text: 'b' },
        { type: 'reasoning-delta', text: 'c' },
        { type: 'text-delta', text: 'd' },
        ...stopped,
      ],
    },
    {
      name: "of OpenRouter's thoughts, said twice",
      events: [
        delta({ reasoning: 'a', reasoning_details: [{ text: 'a' }] }),
        delta({ reasoning_details: [{ type: 'reasoning.text', signature: 's' }] }),
        delta({}, 'stop'),
      ],
      chunks: [
        start,
        { type: 'reasoning-delta', text: 'a' },
        { type: 'reasoning-delta', text: '', signature: 'openai:s' },
        ...stopped,
      ],
    },
    {
      name: 'of calls whose index begins at 1 and whose id comes once',
      events: [
        call({ index: 1, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } }),
        call({ index: 2, id: 'c2', function: { name: 'g', arguments: '{"b"' } }),
        call({ index: 1, function: { arguments: '{"a":1}' } }),
        call({ index: 2, id: '', function: { arguments: ':2}' } }),
        delta({}, 'tool_calls'),
      ],
      chunks: [
        start,
        { type: 'tool-call-start', index: 0, id: 'c1', name: 'f' },
        { type: 'tool-call-start', index: 1, id: 'c2', name: 'g' },
        { type: 'tool-call-delta', index: 1, arguments: '{"b"' },
        { type: 'tool-call-delta', index: 0, arguments: '{"a":1}' },
        { type: 'tool-call-delta', index: 1, arguments: ':2}' },
        { type: 'tool-call', index: 0, id: 'c1', name: 'f', arguments: '{"a":1}' },
        { type: 'tool-call', index: 1, id: 'c2', name: 'g', arguments: '{"b":2}' },
        { type: 'finish', finishReason: 'tool_calls' },
        { type: 'end' },
      ],
    },
    {
      name: 'of whole calls without index and id, that finish with stop',
      events: [
        call({ function: { name: 'f', arguments: '{}' } }),
        call({ function: { name: 'g', arguments: '{}' } }),
        delta({}, 'stop'),
      ],
      chunks: [
        start,
        { type: 'tool-call-start', index: 0, id: 'call_a1_0', name: 'f' },
        { type: 'tool-call-delta', index: 0, arguments: '' },
        { type: 'tool-call-start', index: 1, id: 'call_a1_1', name: 'g' },
        { type: 'tool-call-delta', index: 1, arguments: '' },
        { type: 'tool-call', index: 0, id: 'call_a1_0', name: 'f', arguments: '{}' },
        { type: 'tool-call', index: 1, id: 'call_a1_1', name: 'g', arguments: '{}' },
        { type: 'finish', finishReason: 'tool_calls' },
        { type: 'end' },
      ],
    },
    {
      name: 'of two calls that share the index 0',
      events: [
        call({ index: 0, id: 'x', function: { name: 'f', arguments: '' } }),
        call({ index: 0, id: 'y', function: { name: 'f', arguments: '' } }),
        delta({}, 'tool_calls'),
      ],
      chunks: [
        start,
        { type: 'tool-call-start', index: 0, id: 'x', name: 'f' },
        { type: 'tool-call-start', index: 1, id: 'y', name: 'f' },
        { type: 'tool-call', index: 0, id: 'x', name: 'f', arguments: '{}' },
        { type: 'tool-call', index: 1, id: 'y', name: 'f', arguments: '{}' },
        { type: 'finish', finishReason: 'tool_calls' },
        { type: 'end' },
      ],
    },
    {
      name: 'of a refusal, which is filtered content',
      events: [delta({ refusal: 'No' }), delta({}, 'stop')],
      chunks: [
        start,
        { type: 'text-delta', text: 'No' },
        {
          type: 'finish',
          finishReason: 'content_filter',
          blocked: { reason: 'refusal', details: { refusal: 'No' } },
        },
        { type: 'end' },
      ],
    },
    {
      name: 'of several choices',
      events: [
        { ...delta({}), choices: [{ index: 1, delta: { content: 'b' }, finish_reason: 'stop' }] },
        delta({ content: 'a' }, 'stop'),
      ],
      chunks: [
        start,
        { type: 'other', index: 1, chunk: { type: 'text-delta', text: 'b' } },
        { type: 'other', index: 1, chunk: { type: 'finish', finishReason: 'stop' } },
        { type: 'text-delta', text: 'a' },
        ...stopped,
      ],
    },
    {
      name: "with Groq's usage beside the finish",
      events: [
        {
          ...delta({ content: 'a' }, 'stop'),
          x_groq: { usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
        },
        '[DONE]',
      ],
      chunks: [
        start,
        { type: 'text-delta', text: 'a' },
        { type: 'finish', finishReason: 'stop' },
        { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false } },
        { type: 'end' },
      ],
    },
    {
      name: 'with garbage behind the finish, which spoils nothing',
      events: [delta({ content: 'a' }, 'stop'), '{"id":"x","usa'],
      chunks: [start, { type: 'text-delta', text: 'a' }, ...stopped],
    },
    {
      name: 'with things of the wrong type, which are skipped',
      events: [
        '5',
        'null',
        '"x"',
        '[]',
        { choices: null },
        { choices: [null] },
        { choices: [{ delta: null }] },
        call({ index: 'x', function: 7 }),
        delta({ tool_calls: 'x', content: 5 }),
        call({ index: 3, function: { arguments: 'lost' } }),
      ],
      chunks: [start],
    },
  ]
  for (const { name, events, chunks } of cases) {
    test(name, () => expect(readAll(...events)).toEqual(chunks))
  }

  const errors: { name: string; event: unknown; expected: object }[] = [
    {
      name: "OpenRouter's",
      event: { ...delta({ content: '' }, 'error'), error: { code: 502, message: 'x' } },
      expected: { status: 502 },
    },
    {
      name: "OpenAI's",
      event: { error: { message: 'x', type: 'server_error', param: null, code: null } },
      expected: { body: { error: { message: 'x' } } },
    },
    {
      name: "vLLM's",
      event: { object: 'error', message: 'x', code: 400 },
      expected: { status: 400, body: { error: { message: 'x' } } },
    },
    { name: "Gemini's", event: [{ error: { code: 503, status: 'UNAVAILABLE' } }], expected: { status: 503 } },
    { name: "DeepSeek's", event: delta({}, 'insufficient_system_resource'), expected: { status: 503 } },
    { name: 'a text', event: { error: 'overloaded' }, expected: { body: { error: 'overloaded' } } },
    { name: 'no JSON', event: '<html>', expected: { status: 502 } },
  ]
  for (const { name, event, expected } of errors) {
    test(`with an error in the form of ${name}, after which nothing counts`, () => {
      const chunks = readAll(delta({ content: 'Hi' }), event, delta({ content: 'more' }, 'stop'), '[DONE]')
      expect(chunks).toEqual([start, { type: 'text-delta', text: 'Hi' }, expect.objectContaining({ type: 'error' })])
      expect(chunks.at(-1)).toMatchObject(expected)
    })
  }

  test('with an event that is named an error, whatever is in it', () => {
    expect(reader().push('error', '{"message":"x"}')).toEqual([{ type: 'error', body: { error: { message: 'x' } } }])
  })

  test('whose input stopped inside an event: dropped when it does not parse, taken when it does', () => {
    const stream = reader()
    stream.push('', JSON.stringify(delta({ content: 'a' })))
    expect(stream.push('', '{"id":"a1","cho', true)).toEqual([])
    expect(stream.push('', JSON.stringify(delta({}, 'stop')), true)).toEqual([{ type: 'finish', finishReason: 'stop' }])
    expect(stream.end()).toEqual([{ type: 'end' }])
  })
})

describe('openaiChat writes streams', () => {
  test('that its own reader reads as the same answer', () => {
    fc.assert(
      fc.property(someResponse, fc.double({ min: 0, max: 1, noNaN: true }), (response, share) => {
        const writer = openaiChatDialect.client.streamWriter(request)
        const chunks = streamOf(response, (length) => Math.floor(length * share))
        const text = chunks.map((chunk) => writer.write(chunk)).join('')
        const read = assembleResponse(replay(reader(), Buffer.from(text)))
        expect({ ...read, blocked: undefined }).toEqual(response)
      }),
      { numRuns: 200 },
    )
  })

  test('that say the role once, nothing before the first content, and usage only to who asked', () => {
    const chunks: ChatChunk[] = [
      start,
      { type: 'usage', usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false } },
      { type: 'text-delta', text: 'a' },
      { type: 'text-delta', text: 'b' },
      { type: 'finish', finishReason: 'length' },
      { type: 'end' },
    ]
    const writer = openaiChatDialect.client.streamWriter({ ...request, wantsUsage: false }, { now: 5000 })
    const written = chunks.map((chunk) => writer.write(chunk))
    const head = { id: 'a1', object: 'chat.completion.chunk', created: 5, model: 'm' }
    expect(written.slice(0, 2)).toEqual(['', ''])
    expect(written.slice(2, 5).map((text) => JSON.parse(text.slice('data: '.length)))).toEqual([
      { ...head, choices: [{ index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null }] },
      { ...head, choices: [{ index: 0, delta: { content: 'b' }, finish_reason: null }] },
      { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'length' }] },
    ])
    expect(written[5]).toBe('data: [DONE]\n\n')
    const asking = openaiChatDialect.client.streamWriter(request)
    expect(chunks.map((chunk) => asking.write(chunk)).join('')).toContain('"choices":[],"usage":{"prompt_tokens":1,')
  })

  test('with the signatures of thoughts and calls where its own reader finds them', () => {
    const chunks: ChatChunk[] = [
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'reasoning-delta', text: '', signature: 'anthropic:s1' },
      { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
      { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}', signature: 'google:s2' },
      { type: 'tool-call', index: 1, id: 'd', name: 'g', arguments: '{}' },
      { type: 'finish', finishReason: 'tool_calls' },
      { type: 'end' },
    ]
    const writer = openaiChatDialect.client.streamWriter(request)
    const text = chunks.map((chunk) => writer.write(chunk)).join('')
    expect(assembleResponse(replay(reader(), Buffer.from(text))).content).toEqual([
      { type: 'reasoning', text: 'Hm', signature: 'anthropic:s1' },
      { type: 'tool-call', id: 'c', name: 'f', arguments: '{"a":1}', signature: 'google:s2' },
      { type: 'tool-call', id: 'd', name: 'g', arguments: '{}' },
    ])
  })

  test('that the official client reads', async () => {
    const response: ChatResponse = {
      id: 'a1',
      model: 'm',
      content: [
        { type: 'text', text: 'Grüße' },
        { type: 'tool-call', id: 'c', name: 'f', arguments: '{"a":1}' },
      ],
      finishReason: 'tool_calls',
      usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, estimated: false },
    }
    const writer = openaiChatDialect.client.streamWriter(request)
    const text = streamOf(response, () => 2)
      .map((chunk) => writer.write(chunk))
      .join('')
    const completion = await clientOf(text).chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion()
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Grüße',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
    })
    expect(completion.usage).toMatchObject({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 })
  })

  test('that break off so that the official client throws', async () => {
    const writer = openaiChatDialect.client.streamWriter(request)
    const text =
      writer.write({ type: 'text-delta', text: 'half' }) +
      writer.fail({ status: 502, message: 'gone', code: 'network' })
    expect(text).not.toContain('[DONE]')
    const stream = await clientOf(text).chat.completions.create({ model: 'm', messages: [], stream: true })
    await expect(drain(stream)).rejects.toThrow('gone')
    expect(replay(reader(), Buffer.from(text)).map(({ type }) => type)).not.toContain('end')
  })
})

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** The official client, talking to somebody who answers this. */
function clientOf(text: string): OpenAI {
  const headers = { 'content-type': 'text/event-stream' }
  return new OpenAI({
    apiKey: 'none',
    baseURL: 'http://127.0.0.1/v1',
    fetch: async () => new Response(text, { headers }),
  })
}

describe.runIf(hasTestData)('openaiChat reads the recorded stream', () => {
  const streams = ['openai-chat', 'groq', 'deepseek', 'mistral', 'xai', 'moonshot', 'alibaba'].flatMap(recordedStreams)
  const expected: Record<string, { content: string[]; finish: string; usage: number[] }> = {
    'openai-chat/openai-text.chunks.txt': { content: ['text'], finish: 'stop', usage: [16, 300, 0, 0] },
    'groq/groq-text.chunks.txt': { content: ['text'], finish: 'stop', usage: [45, 662, -1, -1] },
    'deepseek/deepseek-text.chunks.txt': { content: ['text'], finish: 'length', usage: [13, 400, 0, -1] },
    'mistral/mistral-text.chunks.txt': { content: ['text'], finish: 'stop', usage: [13, 8, -1, -1] },
    'xai/xai-text.chunks.txt': { content: ['reasoning', 'text'], finish: 'stop', usage: [12, 291, 11, 290] },
    'xai/xai-tool-call.chunks.txt': {
      content: ['reasoning', 'weather({"location":"San Francisco"})'],
      finish: 'tool_calls',
      usage: [307, 253, 306, 227],
    },
    'moonshot/moonshotai-stream.chunks.txt': { content: ['reasoning', 'text'], finish: 'stop', usage: [9, 12, -1, 7] },
    'alibaba/alibaba-tool-call.chunks.txt': {
      content: ['weather({"location": "San Francisco"})'],
      finish: 'tool_calls',
      usage: [295, 22, 0, -1],
    },
  }

  for (const { name, lines } of streams) {
    const bytes = chatBytes(lines)

    test(`${name} as what it says`, () => {
      const chunks = replay(reader(), bytes)
      const { content, finishReason, usage } = assembleResponse(chunks)
      const { inputTokens = 0, outputTokens = 0, cachedInputTokens = -1, reasoningTokens = -1 } = usage ?? {}
      expect({
        content: content.map((part) => (part.type === 'tool-call' ? `${part.name}(${part.arguments})` : part.type)),
        finish: finishReason,
        usage: [inputTokens, outputTokens, cachedInputTokens, reasoningTokens],
      }).toEqual(expected[name])
      expect(chunks.at(-1)).toEqual({ type: 'end' })
      expect(chunks.filter(({ type }) => type === 'end' || type === 'finish')).toHaveLength(2)
      expect(textIn(lines)).toBe(content.map((part) => (part.type === 'text' ? part.text : '')).join(''))
    })

    test(`${name} the same wherever it is cut`, () => {
      expect(harmfulCut(bytes)).toBeUndefined()
      expect(replay(reader(), bytes, everyCut(bytes))).toEqual(replay(reader(), bytes))
    })

    test(`${name} without an end when it is cut before the finish`, () => {
      expect(falseEnds(reader, lines, (line) => /"finish_reason":\s*"/.test(line))).toEqual([])
    })
  }

  test('with fields dropped and retyped, without ever throwing', () => {
    const parsed = streams.map(({ lines }) =>
      [...lines.slice(0, 6), ...lines.slice(-4)].map((line): unknown => JSON.parse(line)),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...parsed),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (lines, dice) => {
          const writer = openaiChatDialect.client.streamWriter(request)
          const chunks = readAll(...lines.map((line) => mutate(line, () => dice.next().value ?? 0)))
          for (const chunk of chunks) writer.write(chunk)
          assembleResponse(chunks)
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** The text of a recorded stream, found without our reader. */
function textIn(lines: readonly string[]): string {
  return lines.map((line) => JSON.parse(line).choices?.[0]?.delta?.content ?? '').join('')
}
