import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mutate, someResponse } from '../../../test/support/chatArbitraries.ts'
import { recordings } from '../../../test/support/replay.ts'
import { hasTestData, readTestData } from '../../../test/support/testData.ts'
import type { ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { openaiChatDialect } from './openaiChat.ts'

const readResponse = openaiChatDialect.upstream.readResponse
const request: ChatRequest = { model: 'asked', messages: [], stream: false }

function answerOf(body: unknown): ChatResponse {
  const read = readResponse(body)
  if (!read.ok) expect.fail(`no answer: ${JSON.stringify(read)}`)
  return read.response
}

const withMessage = (message: object, finish_reason: unknown = 'stop') => ({
  id: 'a1',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
})

describe('openaiChat reads answers', () => {
  const contents: { name: string; message: object; content: unknown[] }[] = [
    { name: 'text', message: { content: 'Hi' }, content: [{ type: 'text', text: 'Hi' }] },
    { name: 'no text', message: { content: null }, content: [] },
    {
      name: "Mistral's thoughts",
      message: {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] },
          { type: 'text', text: 'Hi' },
        ],
      },
      content: [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'Hi' },
      ],
    },
    {
      name: "DeepSeek's thoughts",
      message: { content: 'Hi', reasoning_content: 'Hm' },
      content: [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'Hi' },
      ],
    },
    {
      name: "Groq's thoughts",
      message: { content: 'Hi', reasoning: 'Hm' },
      content: [
        { type: 'reasoning', text: 'Hm' },
        { type: 'text', text: 'Hi' },
      ],
    },
    {
      name: "OpenRouter's hidden thoughts",
      message: { content: 'Hi', reasoning_details: [{ type: 'reasoning.encrypted', data: 'zzz' }] },
      content: [
        {
          type: 'reasoning',
          text: '',
          signature: 'openai:zzz',
          redacted: true,
          extra: { dialect: 'openai', fields: { reasoning_details: [{ type: 'reasoning.encrypted', data: 'zzz' }] } },
        },
        { type: 'text', text: 'Hi' },
      ],
    },
    {
      name: 'a call without an id and with an object as arguments',
      message: { tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] },
      content: [{ type: 'tool-call', id: 'call_a1_0', name: 'f', arguments: '{"a":1}' }],
    },
    {
      name: 'a call that says no arguments',
      message: { tool_calls: [{ id: 'c', function: { name: 'f', arguments: '' } }] },
      content: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}' }],
    },
    {
      name: 'a call of a custom tool',
      message: { tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'grep', input: 'a b' } }] },
      content: [{ type: 'tool-call', id: 'c', name: 'grep', arguments: 'a b', custom: true }],
    },
    {
      name: "Gemini's signature of a call",
      message: {
        tool_calls: [
          { id: 'c', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 's' } } },
        ],
      },
      content: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}', signature: 'google:s' }],
    },
    {
      name: 'an image',
      message: { content: '', images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] },
      content: [{ type: 'image', mediaType: 'image/png', data: 'AAAA' }],
    },
  ]
  for (const { name, message, content } of contents) {
    test(`with ${name}`, () => expect(answerOf(withMessage(message)).content).toEqual(content))
  }

  const reasons: [wire: unknown, message: object, reason: string][] = [
    ['stop', {}, 'stop'],
    ['length', {}, 'length'],
    ['model_length', {}, 'length'],
    ['tool_calls', {}, 'tool_calls'],
    ['function_call', {}, 'tool_calls'],
    ['content_filter', {}, 'content_filter'],
    ['stop', { tool_calls: [{ id: 'c', function: { name: 'f' } }] }, 'tool_calls'],
    ['stop', { refusal: 'No.' }, 'content_filter'],
    ['abort', {}, 'error'],
    [null, {}, 'other'],
    ['toString', {}, 'other'],
    [7, {}, 'other'],
  ]
  for (const [wire, message, reason] of reasons) {
    test(`that end with ${JSON.stringify(wire)} and ${JSON.stringify(message)} as ${reason}`, () => {
      expect(answerOf(withMessage(message, wire)).finishReason).toBe(reason)
    })
  }

  const failures: { name: string; body: unknown; expected: object }[] = [
    { name: 'an error object', body: { error: { message: 'x', code: 502 } }, expected: { status: 502 } },
    { name: 'an error text', body: { error: 'x' }, expected: { body: { error: 'x' } } },
    {
      name: "Gemini's array",
      body: [{ error: { code: 429, message: 'x' } }],
      expected: { status: 429, body: { error: { code: 429, message: 'x' } } },
    },
    { name: "vLLM's bare error", body: { object: 'error', message: 'x', code: 400 }, expected: { status: 400 } },
    {
      name: 'an error of the choice',
      body: { choices: [{ error: { code: 503, message: 'x' }, message: { content: '' } }] },
      expected: { status: 503, body: { error: { code: 503, message: 'x' } } },
    },
    { name: 'the finish reason error', body: withMessage({ content: 'half' }, 'error'), expected: { status: 502 } },
    {
      name: "DeepSeek's lack of resources",
      body: withMessage({ content: 'half' }, 'insufficient_system_resource'),
      expected: { status: 503 },
    },
    { name: 'no choices', body: { id: 'a' }, expected: { malformed: true } },
    { name: 'null choices', body: { choices: null }, expected: { malformed: true } },
    { name: 'a text', body: 'Hello', expected: { malformed: true } },
    { name: 'nothing', body: undefined, expected: { malformed: true } },
  ]
  for (const { name, body, expected } of failures) {
    test(`but takes ${name} for a failure`, () => expect(readResponse(body)).toMatchObject({ ok: false, ...expected }))
  }
})

describe('openaiChat reads an answer that', () => {
  test.each([
    [{ choices: [] }],
    [{ choices: [{ finish_reason: 'stop' }] }],
    [{ choices: [{ index: 0, message: null, finish_reason: 'stop' }] }],
    [withMessage({ content: null })],
    [withMessage({ content: '', tool_calls: [] })],
  ])('holds nothing: %o', (body) => {
    expect(answerOf(body)).toMatchObject({ content: [] })
    expect(answerOf(body).opaque).toBeUndefined()
  })

  test.each([
    [withMessage({ content: null, function_call: { name: 'f', arguments: '{}' } }, 'function_call')],
    [withMessage({ content: [{ type: 'reference', reference_ids: [1] }] })],
    [{ choices: [{ message: { content: '' } }, { index: 1, message: { content: 'Hi' } }] }],
  ])('holds what only bytes pass on: %o', (body) => expect(answerOf(body).opaque).toBe(true))

  const url = 'data:image/png;base64,AAAA'
  const image = { type: 'image', mediaType: 'image/png', data: 'AAAA' }
  test.each([
    [
      withMessage({ content: 'A', images: [{ type: 'image_url', image_url: { url } }] }),
      { type: 'text', text: 'A' },
      image,
    ],
    [withMessage({ content: [{ type: 'image_url', image_url: { url } }] }), image],
    [withMessage({ content: [{ type: 'image_url', image_url: url }] }), image],
    [
      withMessage({ content: null, audio: { id: 'audio_1', data: 'UklGRgAA', transcript: 'Hi' } }),
      { type: 'text', text: 'Hi' },
      { type: 'file', mediaType: 'audio/wav', data: 'UklGRgAA' },
    ],
  ])('holds pictures and recordings: %o', (body, ...content) => {
    expect(answerOf(body).content).toMatchObject(content)
    expect(answerOf(body).opaque).toBeUndefined()
  })

  test('names its sources', () => {
    const page = { url: 'https://a.example/', title: 'A', start_index: 0, end_index: 2 }
    const annotations = [
      { type: 'url_citation', url_citation: page },
      { type: 'file', file: { hash: 'x' } },
    ]
    const read = answerOf(withMessage({ content: 'Hi', annotations }))
    expect(read.citations).toEqual([{ url: page.url, title: 'A', start: 0, end: 2 }])
  })

  const filters = { content_filter_results: { hate: { filtered: true, severity: 'high' } } }
  const withheld: [object, object][] = [
    [
      { choices: [{ message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] },
      { reason: 'refusal', details: { refusal: 'No.' } },
    ],
    [
      { choices: [{ message: { content: '' }, finish_reason: 'content_filter', ...filters }] },
      { reason: 'content_filter', details: filters },
    ],
    [
      { prompt_filter_results: [1], choices: [{ message: {}, finish_reason: 'content_filter' }] },
      { reason: 'content_filter', details: { prompt_filter_results: [1] } },
    ],
    // Gemini's compatible endpoint, and others that hand on the words of what is behind them.
    ...['content_filter: PROHIBITED_CONTENT', 'SAFETY', 'sensitive', 'guardrail_intervened'].map(
      (reason): [object, object] => [
        { choices: [{ message: { content: '' }, finish_reason: reason }] },
        { reason, details: {} },
      ],
    ),
  ]
  test.each(withheld)('was withheld says why: %o', (body, blocked) => {
    expect(answerOf(body)).toMatchObject({ finishReason: 'content_filter', blocked })
  })
})

describe('openaiChat writes answers', () => {
  test('that its own reader reads as the same', () => {
    fc.assert(
      fc.property(someResponse, (response) => {
        const body = JSON.parse(JSON.stringify(openaiChatDialect.client.writeResponse(response, request)))
        expect({ ...answerOf(body), extra: undefined, blocked: undefined }).toEqual(response)
      }),
      { numRuns: 200 },
    )
  })

  test('with their date, and an id and a model where the upstream gave none', () => {
    const response: ChatResponse = { model: '', content: [], finishReason: 'stop' }
    const body = openaiChatDialect.client.writeResponse(response, request, { now: 1_790_000_000_999, id: 'req_7' })
    expect(body).toMatchObject({ id: 'req_7', object: 'chat.completion', created: 1_790_000_000, model: 'asked' })
  })

  test('with signatures where a client can hand them back', () => {
    const response: ChatResponse = {
      model: 'm',
      content: [
        { type: 'reasoning', text: 'Hm', signature: 'anthropic:s1' },
        { type: 'tool-call', id: 'c', name: 'f', arguments: '{}', signature: 'google:s2' },
      ],
      finishReason: 'tool_calls',
    }
    const { choices } = openaiChatDialect.client.writeResponse(response, request) as { choices: { message: object }[] }
    const echoed = openaiChatDialect.client.readRequest({ model: 'm', messages: [choices[0]?.message] })
    expect(echoed.messages[0]?.content).toMatchObject(response.content)
  })

  test('with what the upstream said beyond the canonical answer', () => {
    const body = { ...withMessage({ content: 'Hi', annotations: [{ a: 1 }] }), created: 5, system_fingerprint: 'fp' }
    expect(openaiChatDialect.client.writeResponse(answerOf(body), request)).toMatchObject(body)
  })

  test('and errors in the envelope of OpenAI', () => {
    expect(
      openaiChatDialect.client.writeError({ status: 429, message: 'slow down', code: 'rate_minute', requestId: 'r' }),
    ).toEqual({
      error: { message: 'slow down', type: 'rate_limit_error', param: null, code: 'rate_minute', request_id: 'r' },
    })
  })
})

describe.runIf(hasTestData)('openaiChat reads the recorded answer of', () => {
  const folders = ['openai-chat', 'groq', 'deepseek', 'mistral', 'xai', 'moonshot', 'alibaba']
  const expected: Record<string, { shape: string; finish: string; usage: number[] }> = {
    'openai-text.json': { shape: 'text:1842', finish: 'stop', usage: [16, 363, 0, 0] },
    'groq-reasoning.json': { shape: 'reasoning:1724,text:206', finish: 'stop', usage: [17, 649, -1, 570] },
    'groq-text.json': { shape: 'text:2953', finish: 'stop', usage: [45, 607, -1, -1] },
    'groq-tool-call.json': { shape: 'weather({})', finish: 'tool_calls', usage: [218, 15, -1, -1] },
    'deepseek-text.json': { shape: 'text:1375', finish: 'length', usage: [13, 300, 0, -1] },
    'deepseek-tool-call.json': {
      shape: 'reasoning:242,weather({"location": "San Francisco"})',
      finish: 'tool_calls',
      usage: [339, 92, 320, 48],
    },
    'mistral-reasoning.json': { shape: 'reasoning:60,text:9', finish: 'stop', usage: [10, 46, -1, -1] },
    'mistral-text.json': { shape: 'text:1926', finish: 'stop', usage: [13, 434, -1, -1] },
    'mistral-tool-call.json': {
      shape: 'weather({"location": "San Francisco"})',
      finish: 'tool_calls',
      usage: [124, 22, -1, -1],
    },
    'xai-text.json': { shape: 'reasoning:189,text:5', finish: 'stop', usage: [12, 229, 2, 228] },
    'xai-tool-call.json': {
      shape: 'reasoning:357,weather({"location":"San Francisco"})',
      finish: 'tool_calls',
      usage: [291, 215, 244, 189],
    },
    'moonshotai-text.json': { shape: 'text:13', finish: 'stop', usage: [9, 5, -1, -1] },
    'alibaba-text.json': { shape: 'text:4892', finish: 'stop', usage: [18, 1064, 0, -1] },
  }
  for (const folder of folders) {
    for (const name of recordings(folder, '.json').filter((name) => !name.includes('error'))) {
      test(name, () => {
        const response = answerOf(JSON.parse(readTestData('fixtures', folder, name)))
        const {
          inputTokens,
          outputTokens,
          cachedInputTokens = -1,
          reasoningTokens = -1,
        } = response.usage ?? expect.fail()
        const usage = [inputTokens, outputTokens, cachedInputTokens, reasoningTokens]
        expect({ shape: shapeOf(response), finish: response.finishReason, usage }).toEqual(expected[name])
      })
    }
  }

  test('an error as a failure', () => {
    const body = JSON.parse(readTestData('fixtures', 'openai-chat', 'reasoning-model-legacy-parameter-error.json'))
    expect(readResponse(body)).toEqual({ ok: false, body })
  })

  test("Cohere's native protocol as no answer of this dialect", () => {
    expect(readResponse(JSON.parse(readTestData('fixtures', 'cohere', 'cohere-text.json')))).toMatchObject({
      malformed: true,
    })
  })

  test('anybody with fields dropped and retyped, without ever throwing', () => {
    const bodies = folders.flatMap((folder) =>
      recordings(folder, '.json').map((name): unknown => JSON.parse(readTestData('fixtures', folder, name))),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...bodies),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (body, dice) => {
          const read = readResponse(mutate(body, () => dice.next().value ?? 0))
          if (read.ok) openaiChatDialect.client.writeResponse(read.response, request)
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** `reasoning:12,text:5,name(arguments)` */
function shapeOf(response: ChatResponse): string {
  return response.content
    .map((part) => {
      if (part.type === 'tool-call') return `${part.name}(${part.arguments})`
      return part.type === 'image' || part.type === 'file' ? part.type : `${part.type}:${part.text.length}`
    })
    .join()
}
