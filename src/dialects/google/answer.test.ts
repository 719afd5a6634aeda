import { describe, expect, test } from 'vitest'
import { assembleResponse } from '../../../test/support/assembleResponse.ts'
import { replay } from '../../../test/support/replay.ts'
import type { ChatChunk, ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { parseJson } from '../../domain/parseJson.ts'
import { googleDialect } from './google.ts'

const REQUEST: ChatRequest = { model: 'm', messages: [], stream: false }
const answer = (parts: unknown[], finishReason?: string, more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts }, finishReason, index: 0 }],
  modelVersion: 'm',
  responseId: 'r1',
  ...more,
})
const readOk = (body: unknown): ChatResponse => {
  const read = googleDialect.upstream.readResponse(body)
  if (!read.ok) throw new Error('expected an answer')
  return read.response
}
/** The chunks of these pieces, one after the other, up to the end of the input. */
const stream = (...pieces: unknown[]): ChatChunk[] =>
  replay(
    googleDialect.upstream.streamReader(),
    Buffer.from(pieces.map((piece) => `data: ${JSON.stringify(piece)}\n\n`).join('')),
  )
const call = (functionCall: object, thoughtSignature?: string) => ({ functionCall, thoughtSignature })

describe('an answer', () => {
  const reasons = [
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['BLOCKLIST', 'content_filter'],
    ['PROHIBITED_CONTENT', 'content_filter'],
    ['SPII', 'content_filter'],
    ['IMAGE_SAFETY', 'content_filter'],
    ['LANGUAGE', 'content_filter'],
    ['MODEL_ARMOR', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['OTHER', 'other'],
    ['FINISH_REASON_UNSPECIFIED', 'other'],
  ] as const
  for (const [wire, reason] of reasons) {
    test(`that stopped for ${wire} finished with ${reason}`, () => {
      expect(readOk(answer([{ text: 'Hi' }], wire)).finishReason).toBe(reason)
      expect(stream(answer([{ text: 'Hi' }], wire)).slice(-2)).toMatchObject([
        { type: 'finish', finishReason: reason },
        { type: 'end' },
      ])
    })
  }

  test('that calls is not merely stopped, and its calls have ids of their own', () => {
    const body = answer([call({ name: 'f', args: { a: 1 } }, 'c2ln'), call({ name: 'g', id: 'own' })], 'STOP')
    const expected = {
      finishReason: 'tool_calls',
      content: [
        { type: 'tool-call', id: 'call_r1_0', name: 'f', arguments: '{"a":1}', signature: 'google:c2ln' },
        { type: 'tool-call', id: 'own', name: 'g', arguments: '{}' },
      ],
    }
    expect(readOk(body)).toMatchObject(expected)
    expect(assembleResponse(stream(body))).toMatchObject(expected)
  })

  test('without an id of its own gives its calls ids by place and name', () => {
    const body = { candidates: [{ content: { parts: [call({ name: 'f' })] }, finishReason: 'STOP' }] }
    expect(readOk(body).content).toMatchObject([{ id: 'call_0_f' }])
  })

  test('counts thoughts as output and what tools put into the prompt as input', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      toolUsePromptTokenCount: 5,
      cachedContentTokenCount: 4,
      candidatesTokenCount: 2,
      thoughtsTokenCount: 3,
      totalTokenCount: 20,
    }
    const usage = {
      inputTokens: 15,
      outputTokens: 5,
      totalTokens: 20,
      cachedInputTokens: 4,
      reasoningTokens: 3,
      estimated: false,
    }
    expect(readOk(answer([], 'STOP', { usageMetadata })).usage).toEqual(usage)
    const pieces = [answer([{ text: 'a' }], undefined, { usageMetadata: { promptTokenCount: 10 } })]
    expect(assembleResponse(stream(...pieces, answer([], 'STOP', { usageMetadata }))).usage).toEqual(usage)
  })

  const ratings = [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'HIGH', blocked: true }]
  const promptFeedback = { blockReason: 'JAILBREAK', safetyRatings: ratings }
  const blocked = (candidate: object) => ({
    candidates: [{ index: 0, ...candidate }],
    usageMetadata: { promptTokenCount: 3 },
  })
  const withheld: [string, object, object][] = [
    ['a blocked prompt', { promptFeedback }, { reason: 'JAILBREAK', details: { promptFeedback } }],
    ['no content', blocked({ finishReason: 'SAFETY' }), { reason: 'SAFETY', details: {} }],
    [
      'empty content, ratings and words',
      blocked({ finishReason: 'SPII', content: {}, safetyRatings: ratings, finishMessage: 'No.' }),
      { reason: 'SPII', details: { safetyRatings: ratings, finishMessage: 'No.' } },
    ],
    [
      'a role alone',
      blocked({ finishReason: 'BLOCKLIST', content: { role: 'model' } }),
      { reason: 'BLOCKLIST', details: {} },
    ],
    ['empty text', answer([{ text: '' }], 'RECITATION'), { reason: 'RECITATION', details: {} }],
    [
      'thoughts alone',
      answer([{ text: 'hm', thought: true }], 'PROHIBITED_CONTENT'),
      { reason: 'PROHIBITED_CONTENT', details: {} },
    ],
  ]
  for (const [name, body, why] of withheld) {
    test(`that was blocked with ${name} says why, whole or streamed`, () => {
      expect(readOk(body)).toMatchObject({ finishReason: 'content_filter', blocked: why })
      const chunks = stream(body)
      expect(chunks.slice(-2)).toEqual([
        { type: 'finish', finishReason: 'content_filter', blocked: why },
        { type: 'end' },
      ])
    })
  }

  test('whose call went wrong is not blocked, whole or streamed', () => {
    const body = { candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] }
    expect(readOk(body)).toMatchObject({ finishReason: 'error', content: [] })
    expect(stream(body).slice(-2)).toEqual([{ type: 'finish', finishReason: 'error' }, { type: 'end' }])
  })

  for (const body of [{ candidates: [] }, { modelVersion: 'm' }, { usageMetadata: { promptTokenCount: 1 } }]) {
    test(`holds nothing when it is ${JSON.stringify(body)}`, () => {
      expect(readOk(body)).toMatchObject({ content: [], finishReason: 'other' })
    })
  }

  test.each([
    [{ inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }, { type: 'file', mediaType: 'audio/wav', data: 'AAAA' }],
    [
      { inline_data: { mime_type: 'image/png', data: 'AAAA' } },
      { type: 'image', mediaType: 'image/png', data: 'AAAA' },
    ],
    [{ executableCode: { language: 'PYTHON', code: '1' } }, { type: 'text', text: '\n```python\n1\n```\n' }],
    [{ executableCode: { language: { toString: 1 }, code: '1' } }, { type: 'text', text: '\n```\n1\n```\n' }],
    [{ codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1\n' } }, { type: 'text', text: '\n```\n1\n```\n' }],
  ])('of %o alone is read, whole or streamed', (part, read) => {
    expect(readOk(answer([part], 'STOP')).content).toMatchObject([read])
    expect(assembleResponse(stream(answer([part], 'STOP'))).content).toMatchObject([read])
  })

  test('of code that ran is said to a Gemini client in its own form, whole or streamed', () => {
    const parts = [{ text: 'So:' }, { executableCode: { language: 'PYTHON', code: '1' } }, { text: 'Done' }]
    const response = readOk(answer(parts, 'STOP'))
    expect(googleDialect.client.writeResponse(response, REQUEST)).toMatchObject(answer(parts, 'STOP'))
    const writer = googleDialect.client.streamWriter(REQUEST)
    const written = stream(answer(parts, 'STOP'))
      .map((chunk) => writer.write(chunk))
      .join('')
    expect(written).toContain('{"executableCode":{"language":"PYTHON","code":"1"}}')
  })

  test('of something without words says so to a client of another dialect, whole or streamed', () => {
    expect(readOk(answer([{ hologram: 'x' }], 'STOP'))).toMatchObject({ content: [], opaque: true })
    expect(stream(answer([{ hologram: 'x' }], 'STOP')).map(({ type }) => type)).toContain('opaque')
  })

  test('leaves out the pictures of its thoughts, whole or streamed', () => {
    const picture = (data: string) => ({ inlineData: { mimeType: 'image/png', data } })
    const body = answer([{ ...picture('AAAA'), thought: true }, picture('BBBB')], 'STOP')
    for (const { content } of [readOk(body), assembleResponse(stream(body))])
      expect(content).toMatchObject([{ type: 'image', data: 'BBBB' }])
  })

  test('names its sources by the characters they stand behind, whole or streamed', () => {
    const text = 'Größe: 7 €. Und.'
    const segment = { startIndex: 9, endIndex: Buffer.byteLength('Größe: 7 €.'), text: '7 €.' }
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a.example/x', title: 'A' } }, { web: { uri: 'https://b.example/' } }],
      groundingSupports: [{ segment, groundingChunkIndices: [0, 1] }],
    }
    const body = {
      candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', groundingMetadata }],
    }
    const places = { start: 7, end: 11 }
    const citations = [
      { url: 'https://a.example/x', title: 'A', ...places },
      { url: 'https://b.example/', ...places },
    ]
    for (const read of [readOk(body), assembleResponse(stream(body))]) {
      expect(read.citations).toEqual(citations)
      expect(googleDialect.client.writeResponse(read, REQUEST)).toMatchObject({
        candidates: [
          {
            groundingMetadata: {
              ...groundingMetadata,
              groundingSupports: [{ segment, groundingChunkIndices: [0] }, {}],
            },
          },
        ],
      })
    }
  })

  test('is whole although text that is no JSON follows its finish, and is not when it goes on behind that', () => {
    const said = answer([{ text: 'Hi' }], 'STOP')
    const read = (...datas: string[]) => {
      const reader = googleDialect.upstream.streamReader()
      return [...datas.flatMap((data) => reader.push('', data)), ...reader.end()].map(({ type }) => type)
    }
    expect(read(JSON.stringify(said), '<html>')).toEqual(['start', 'text-delta', 'finish', 'end'])
    expect(read(JSON.stringify(said), '<html>', JSON.stringify(said)).at(-1)).toBe('error')
    expect(read(JSON.stringify(answer([{ text: 'Hi' }])), '<html>').at(-1)).toBe('error')
  })

  test.each([
    [{}],
    [{ thoughtSignature: 'c2lnbmVk' }],
    [{ thought_signature: 'c2lnbmVk' }],
  ])('of %o alone holds nothing, whole or streamed', (part) => {
    const { content, opaque } = readOk(answer([part], 'STOP'))
    expect(content.filter(({ type }) => type !== 'reasoning')).toEqual([])
    expect(opaque).toBeUndefined()
    expect(stream(answer([part], 'STOP')).map(({ type }) => type)).not.toContain('opaque')
  })

  const error = { error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }
  for (const [name, body] of [['an error', error] as const, ['an error in an array', [error]] as const]) {
    test(`is none with ${name}, whole or streamed`, () => {
      expect(googleDialect.upstream.readResponse(body)).toEqual({ ok: false, body: error, status: 503 })
      expect(stream(answer([{ text: 'a' }]), body, answer([], 'STOP')).at(-1)).toEqual({
        type: 'error',
        body: error,
        status: 503,
      })
    })
  }

  for (const body of ['hello', {}, []]) {
    test(`is malformed when it is ${JSON.stringify(body)}`, () => {
      expect(googleDialect.upstream.readResponse(body)).toEqual({ ok: false, body, malformed: true })
    })
  }

  test('that used up its tokens thinking is an answer', () => {
    expect(googleDialect.upstream.readResponse({ candidates: [{ finishReason: 'MAX_TOKENS' }] }).ok).toBe(true)
  })
})

describe('the stream reader', () => {
  test('takes STOP in every piece of older models for the end only where the input ends', () => {
    const chunks = stream(answer([{ text: 'a' }], 'STOP'), answer([{ text: 'b' }], 'STOP'))
    expect(chunks.filter((chunk) => chunk.type === 'finish')).toHaveLength(1)
    expect(assembleResponse(chunks).content).toEqual([{ type: 'text', text: 'ab' }])
  })

  test('yields no end when no finish reason came', () => {
    expect(stream(answer([{ text: 'a' }])).some((chunk) => chunk.type === 'end')).toBe(false)
  })

  test('passes thoughts and signatures on, named', () => {
    const pieces = [answer([{ text: 'hm', thought: true }]), answer([{ text: '', thoughtSignature: 'c2ln' }], 'STOP')]
    expect(assembleResponse(stream(...pieces)).content).toEqual([
      { type: 'reasoning', text: 'hm', signature: 'google:c2ln' },
    ])
  })

  const partial: { name: string; pieces: object[]; expected: unknown }[] = [
    {
      name: 'strings that go on',
      pieces: [
        { jsonPath: '$.a', stringValue: 'Bos', willContinue: true },
        { jsonPath: '$.a', stringValue: 'ton', willContinue: true },
        { jsonPath: '$.a', stringValue: '' },
      ],
      expected: { a: 'Boston' },
    },
    {
      name: 'every kind of value, in objects and lists',
      pieces: [
        { jsonPath: '$.list[0].n', numberValue: 1.5 },
        { jsonPath: "$.list[1]['odd key']", boolValue: false },
        { jsonPath: '$["x"].y', nullValue: 'NULL_VALUE' },
      ],
      expected: { list: [{ n: 1.5 }, { 'odd key': false }], x: { y: null } },
    },
    {
      name: 'paths that are none, or too far',
      pieces: [
        { jsonPath: 'a', stringValue: 'x' },
        { jsonPath: '$..a', stringValue: 'x' },
        { jsonPath: '$', stringValue: 'x' },
        { jsonPath: `$${'.a'.repeat(10_000)}`, stringValue: 'x' },
        { jsonPath: '$.l[999999]', stringValue: 'x' },
        { stringValue: 'x' },
        { jsonPath: '$.nothing' },
      ],
      expected: { l: ['x'] },
    },
  ]
  for (const { name, pieces, expected } of partial) {
    test(`joins partial arguments: ${name}`, () => {
      const chunks = stream(
        answer([call({ name: 'f', willContinue: true })]),
        ...pieces.map((piece) => answer([call({ partialArgs: [piece], willContinue: true })])),
        answer([call({})], 'STOP'),
      )
      const whole = chunks.find((chunk) => chunk.type === 'tool-call')
      expect(JSON.parse(whole?.type === 'tool-call' ? whole.arguments : '')).toEqual(expected)
    })
  }

  test('keeps every digit of partial arguments, and takes no number for an object', () => {
    const pieces = ['"$.id","numberValue":2512292042121000001', '"$.a","numberValue":1.0', '"$.a.b","numberValue":2.0']
    const chunks = stream(
      answer([call({ name: 'f', willContinue: true })]),
      ...pieces.map((piece) =>
        answer([call({ partialArgs: [parseJson(`{"jsonPath":${piece}}`)], willContinue: true })]),
      ),
      answer([call({})], 'STOP'),
    )
    expect(chunks).toContainEqual(expect.objectContaining({ arguments: '{"id":2512292042121000001,"a":{"b":2.0}}' }))
  })

  test.each([
    ['nothing', undefined, '{}'],
    ['an object encoded twice', '{"id":1.0}', '{"id":1.0}'],
    ['a list', [1], '[1]'],
  ])('reads arguments that are %s', (_what, args, text) => {
    const chunks = stream(answer([call({ name: 'f', args })], 'STOP'))
    expect(chunks).toContainEqual(expect.objectContaining({ type: 'tool-call', arguments: text }))
  })

  test('keeps a hostile path away from every prototype', () => {
    const pieces = ['$.__proto__.polluted', '$.constructor.prototype.polluted', '$.a.__proto__.polluted'].map(
      (jsonPath) => ({ jsonPath, stringValue: 'x' }),
    )
    stream(answer([call({ name: 'f', args: { a: {} }, partialArgs: pieces })], 'STOP'))
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('the stream writer', () => {
  const chunks: ChatChunk[] = [
    { type: 'start', id: 'r1', model: 'm' },
    { type: 'text-delta', text: 'Hi' },
    { type: 'tool-call-start', index: 0, id: 'c', name: 'f' },
    { type: 'tool-call-delta', index: 0, arguments: '{"a":1}' },
    { type: 'tool-call', index: 0, id: 'c', name: 'f', arguments: '{"a":1}', signature: 'google:c2ln' },
    { type: 'finish', finishReason: 'tool_calls' },
    { type: 'usage', usage: { inputTokens: 1, outputTokens: 5, totalTokens: 6, reasoningTokens: 2, estimated: false } },
    { type: 'end' },
  ]
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 3, thoughtsTokenCount: 2, totalTokenCount: 6 }
  const pieces = [
    answer([{ text: 'H' }]),
    answer([{ text: 'i' }]),
    answer([call({ id: 'c', name: 'f', args: { a: 1 } }, 'c2ln')], 'STOP', { usageMetadata }),
  ]

  test('never ends with an empty text, nor without a part', () => {
    for (const deltas of [['Hi'], ['H', 'i'], ['👍'], ['a', '👍🏽'], ['x', '']]) {
      const writer = googleDialect.client.streamWriter(REQUEST)
      const all: ChatChunk[] = deltas.map((text) => ({ type: 'text-delta', text }))
      const bodies = [...all, { type: 'finish', finishReason: 'stop' } as const, { type: 'end' } as const]
        .map((chunk) => writer.write(chunk))
        .join('')
        .split('\n\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line.slice(6)))
      const texts = bodies.map((body) => body.candidates[0].content.parts.map((part: { text: string }) => part.text))
      expect(texts.flat().join('')).toBe(deltas.join(''))
      expect(texts.flat()).not.toContain('')
      expect(texts.at(-1)).toHaveLength(1)
      expect(bodies.at(-1).candidates[0].finishReason).toBe('STOP')
    }
  })

  test('writes each part as an answer of its own', () => {
    const writer = googleDialect.client.streamWriter(REQUEST)
    const written = chunks.map((chunk) => writer.write(chunk)).join('')
    expect(written).toMatch(/^(?:data: .*\n\n){3}$/)
    expect(written.split('\n\n', 3).map((line) => JSON.parse(line.slice(6)))).toEqual(
      JSON.parse(JSON.stringify(pieces)), // without the fields that are undefined
    )
  })

  test('writes one JSON array for a client without alt=sse, also when it breaks', () => {
    const request: ChatRequest = { ...REQUEST, extra: { dialect: 'google', fields: { $alt: 'json' } } }
    const writer = googleDialect.client.streamWriter(request)
    expect(JSON.parse(chunks.map((chunk) => writer.write(chunk)).join(''))).toHaveLength(3)
    const broken = googleDialect.client.streamWriter(request)
    const text = broken.write(chunks[1]!) + broken.fail({ status: 502, message: 'x', code: 'server' })
    expect(JSON.parse(text)).toMatchObject([
      { candidates: [{ content: { parts: [{ text: 'H' }] } }] },
      { candidates: [{ content: { parts: [{ text: 'i' }] } }] },
      { error: { code: 502 } },
    ])
    expect(googleDialect.upstream.writeRequest(request, 'm').body).not.toHaveProperty('$alt')
  })

  test('ends a broken stream with an error that the official client throws', () => {
    const writer = googleDialect.client.streamWriter(REQUEST)
    writer.write({ type: 'finish', finishReason: 'stop' })
    expect(writer.fail({ status: 200, message: 'x', code: 'server' })).toBe(
      'data: {"error":{"code":500,"message":"x","status":"INTERNAL"}}\n\n',
    )
    expect(writer.write({ type: 'end' })).toBe('')
  })
})

test('errors carry the wait in the body, where Gemini’s clients look for it', () => {
  const error = { status: 429, message: 'slow', code: 'rate_minute', retryAfterMs: 1500 }
  expect(googleDialect.client.writeError(error)).toEqual({
    error: {
      code: 429,
      message: 'slow',
      status: 'RESOURCE_EXHAUSTED',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
    },
  })
})
