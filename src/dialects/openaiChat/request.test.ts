import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { someCalls, someName, someText } from '../../../test/support/chatArbitraries.ts'
import type { ChatRequest, Message } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { openaiChatDialect } from './openaiChat.ts'

const read = openaiChatDialect.client.readRequest
const write = (request: ChatRequest) => openaiChatDialect.upstream.writeRequest(request, 'up/stream').body
const user = (content: unknown) => ({ role: 'user', content })
const withMessages = (...messages: unknown[]) => read({ model: 'm', messages })
const firstPart = (part: unknown) => withMessages(user([part])).messages[0]?.content[0]

describe('openaiChat reads requests', () => {
  test('with every field in its place', () => {
    const request = read({
      model: 'auto',
      messages: [user('Hi')],
      max_tokens: 10,
      max_completion_tokens: 20,
      temperature: 0,
      top_p: 0.5,
      top_k: 3,
      stop: 'END',
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      reasoning_effort: 'low',
      user: 'u1',
      stream: true,
      stream_options: { include_usage: true },
      parallel_tool_calls: false,
      tools: [
        { type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object' }, strict: true } },
    })
    expect(request).toEqual({
      model: 'auto',
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      maxTokens: 20,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      stop: ['END'],
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      reasoning: { effort: 'low' },
      user: 'u1',
      stream: true,
      wantsUsage: true,
      parallelToolCalls: false,
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
      toolChoice: { name: 'f' },
      responseFormat: { type: 'json-schema', name: 'n', schema: { type: 'object' }, strict: true },
    })
  })

  test('keeping what only OpenAI understands, and hands it back to an upstream of its own', () => {
    const body = {
      n: 2,
      functions: [{ name: 'old' }],
      logit_bias: { 5: 1 },
      tools: [{ type: 'web_search' }],
      tool_choice: { type: 'web_search' },
      response_format: { type: 'grammar' },
      reasoning_effort: 'colossal',
      stream_options: { include_obfuscation: false },
    }
    const request = read({ model: 'm', messages: [user('Hi')], stream: true, ...body })
    expect(request.extra).toEqual({ dialect: 'openai', fields: body })
    expect(write(request)).toMatchObject({
      ...body,
      stream_options: { include_obfuscation: false, include_usage: true },
    })
    const foreign = { ...request, extra: { dialect: 'anthropic' as const, fields: body } }
    expect(Object.keys(write(foreign)).sort()).toEqual(['messages', 'model', 'n', 'stream', 'stream_options'])
  })

  test('with null in place of every optional field', () => {
    const nothing = Object.fromEntries(
      [
        'tools',
        'tool_choice',
        'stop',
        'max_tokens',
        'stream',
        'stream_options',
        'response_format',
        'user',
        'seed',
        'n',
      ].map((name) => [name, null]),
    )
    expect(read({ ...nothing, model: 'm', messages: [user('Hi')] })).toEqual(withMessages(user('Hi')))
  })

  const parts: { name: string; wire: unknown; part: unknown }[] = [
    { name: 'text', wire: { type: 'text', text: 'a' }, part: { type: 'text', text: 'a' } },
    {
      name: 'text with a cache mark',
      wire: { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
      part: { type: 'text', text: 'a', extra: { dialect: 'openai', fields: { cache_control: { type: 'ephemeral' } } } },
    },
    {
      name: 'an image URL',
      wire: { type: 'image_url', image_url: { url: 'https://x.test/a.png', detail: 'low' } },
      part: { type: 'image', url: 'https://x.test/a.png', extra: { dialect: 'openai', fields: { detail: 'low' } } },
    },
    {
      name: 'image data',
      wire: { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      part: { type: 'image', mediaType: 'image/png', data: 'AAAA' },
    },
    {
      name: 'audio',
      wire: { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
      part: { type: 'file', mediaType: 'audio/mpeg', data: 'AAAA' },
    },
    {
      name: 'a file',
      wire: { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
      part: { type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: 'a.pdf' },
    },
    {
      name: 'an uploaded file',
      wire: { type: 'file', file: { file_id: 'file-1' } },
      part: { type: 'file', extra: { dialect: 'openai', fields: { file_id: 'file-1' } } },
    },
    {
      name: 'a part of an unknown kind',
      wire: { type: 'video_url', video_url: { url: 'x' } },
      part: { type: 'file', extra: { dialect: 'openai', fields: { type: 'video_url', video_url: { url: 'x' } } } },
    },
  ]
  for (const { name, wire, part } of parts) {
    test(`with ${name}, and writes it as it was`, () => {
      expect(firstPart(wire)).toEqual(part)
      const [message] = write(withMessages(user(['first', wire]))).messages as { content: unknown }[]
      const isPlain = (wire as { type: string }).type === 'text' && Object.keys(wire as object).length === 2
      expect(message?.content).toEqual(isPlain ? 'first\n\na' : [{ type: 'text', text: 'first' }, wire])
    })
  }

  test('with a conversation of tools and thoughts', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }
    const wire = [
      { role: 'developer', content: 'Be brief' },
      { role: 'user', name: 'ann', content: 'Hi' },
      { role: 'assistant', content: null, reasoning_content: 'Hm', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ]
    const request = withMessages(...wire)
    expect(request.messages).toEqual([
      { role: 'system', content: [{ type: 'text', text: 'Be brief' }] },
      { role: 'user', name: 'ann', content: [{ type: 'text', text: 'Hi' }] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm' },
          { type: 'tool-call', id: 'c1', name: 'f', arguments: '{"a":1}' },
        ],
      },
      { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c1', content: [{ type: 'text', text: 'done' }] }] },
    ])
    expect(write(request).messages).toEqual([{ role: 'system', content: 'Be brief' }, ...wire.slice(1)])
  })

  test('with thoughts of OpenRouter, which go back as they came', () => {
    const details = [{ type: 'reasoning.text', text: 'Hm', signature: 'sig' }]
    const request = withMessages({ role: 'assistant', content: 'a', reasoning: 'Hm', reasoning_details: details })
    expect(request.messages[0]?.content[0]).toMatchObject({ type: 'reasoning', text: 'Hm', signature: 'openai:sig' })
    expect(write(request).messages).toEqual([
      { role: 'assistant', content: 'a', reasoning_content: 'Hm', reasoning_details: details },
    ])
  })

  const foreign: { name: string; message: object; parts: object[] }[] = [
    {
      name: 'signed in a stream, where the text came apart from the signature',
      message: {
        reasoning_content: 'Hm',
        reasoning_details: [{ type: 'reasoning.text', text: '', signature: 'anthropic:s' }],
      },
      parts: [{ type: 'reasoning', text: 'Hm', signature: 'anthropic:s' }],
    },
    {
      name: 'of several blocks',
      message: {
        reasoning_content: 'ab',
        reasoning_details: [
          { type: 'reasoning.text', text: 'ab', signature: 'anthropic:s' },
          { type: 'reasoning.encrypted', data: 'anthropic:t' },
        ],
      },
      parts: [
        { type: 'reasoning', text: 'ab', signature: 'anthropic:s' },
        { type: 'reasoning', text: '', signature: 'anthropic:t', redacted: true },
      ],
    },
    {
      name: 'of several blocks in a stream, without signatures of which nobody knows what they signed',
      message: {
        reasoning_content: 'ab',
        reasoning_details: [
          { type: 'reasoning.text', text: '', signature: 'anthropic:s' },
          { type: 'reasoning.text', text: '', signature: 'anthropic:t' },
        ],
      },
      parts: [{ type: 'reasoning', text: 'ab' }],
    },
  ]
  for (const { name, message, parts } of foreign) {
    test(`with thoughts of another dialect ${name}, of which an upstream gets the text`, () => {
      const request = withMessages({ role: 'assistant', content: null, ...message })
      expect(request.messages[0]?.content).toEqual(parts)
      expect(write(request).messages).toEqual([
        {
          role: 'assistant',
          content: '',
          reasoning_content: parts.map((part) => 'text' in part && part.text).join(''),
        },
      ])
    })
  }

  test('with the old role of functions, which only an OpenAI upstream is told', () => {
    const wire = { role: 'function', name: 'f', content: '4' }
    expect(write(withMessages(wire)).messages).toEqual([wire])
  })

  const wrongs: { name: string; body: unknown; parameter: string | null }[] = [
    { name: 'a body that is no object', body: [], parameter: null },
    { name: 'no model', body: { messages: [user('a')] }, parameter: 'model' },
    { name: 'no messages', body: { model: 'm' }, parameter: 'messages' },
    { name: 'empty messages', body: { model: 'm', messages: [] }, parameter: 'messages' },
    { name: 'a message that is no object', body: { model: 'm', messages: ['a'] }, parameter: 'messages[0]' },
    { name: 'an unknown role', body: { model: 'm', messages: [{ role: 'toString' }] }, parameter: 'messages[0].role' },
    { name: 'a number as content', body: { model: 'm', messages: [user(5)] }, parameter: 'messages[0].content' },
    {
      name: 'a part without a type',
      body: { model: 'm', messages: [user([{}])] },
      parameter: 'messages[0].content[0].type',
    },
    {
      name: 'an image without a URL',
      body: { model: 'm', messages: [user([{ type: 'image_url', image_url: {} }])] },
      parameter: 'messages[0].content[0].image_url.url',
    },
    {
      name: 'a tool result without its call',
      body: { model: 'm', messages: [{ role: 'tool', content: 'a' }] },
      parameter: 'messages[0].tool_call_id',
    },
    {
      name: 'a tool call without a function',
      body: { model: 'm', messages: [{ role: 'assistant', tool_calls: [{ id: 'a' }] }] },
      parameter: 'messages[0].tool_calls[0].function',
    },
    { name: 'tools that are no array', body: { model: 'm', messages: [user('a')], tools: {} }, parameter: 'tools' },
    {
      name: 'a tool without a name',
      body: { model: 'm', messages: [user('a')], tools: [{ function: {} }] },
      parameter: 'tools[0].function.name',
    },
    {
      name: 'a text as temperature',
      body: { model: 'm', messages: [user('a')], temperature: '1' },
      parameter: 'temperature',
    },
    { name: 'no token at all', body: { model: 'm', messages: [user('a')], max_tokens: 0 }, parameter: 'max_tokens' },
    { name: 'a number as stop', body: { model: 'm', messages: [user('a')], stop: [1] }, parameter: 'stop' },
    { name: 'a text as stream', body: { model: 'm', messages: [user('a')], stream: 'yes' }, parameter: 'stream' },
  ]
  for (const { name, body, parameter } of wrongs) {
    test(`and refuses ${name}, naming the field`, () => {
      expect(() => read(body)).toThrow(InvalidRequestError)
      expect(() => read(body)).toThrow(expect.objectContaining({ parameter, status: 400 }))
    })
  }

  test('and anything else either reads or is refused as invalid', () => {
    fc.assert(
      fc.property(
        fc.record({ model: fc.anything(), messages: fc.anything(), tools: fc.anything(), stop: fc.anything() }),
        (body) => {
          try {
            read(JSON.parse(JSON.stringify(body)))
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidRequestError)
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('openaiChat writes requests', () => {
  test('as text where everything is text, with what tools show as a message of the user behind them', () => {
    const messages: Message[] = [
      {
        role: 'system',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'x' },
          { type: 'text', text: 'y' },
          { type: 'tool-call', id: '1', name: 'f', arguments: '{}' },
          { type: 'tool-call', id: '2', name: 'f', arguments: '{}' },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool-result',
            toolCallId: '1',
            content: [
              { type: 'text', text: 'see' },
              { type: 'image', url: 'https://x.test/a' },
            ],
          },
          { type: 'tool-result', toolCallId: '2', content: [] },
          { type: 'text', text: 'go on' },
        ],
      },
    ]
    const written = write({ model: 'm', messages, stream: false }).messages as { role: string; content: unknown }[]
    expect(written.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'a\n\nb'],
      ['assistant', 'xy'],
      ['tool', 'see'],
      ['tool', ''],
      ['user', [{ type: 'image_url', image_url: { url: 'https://x.test/a' } }]],
      ['user', 'go on'],
    ])
  })

  test('with usage asked for in every stream, and nothing of the kind otherwise', () => {
    const request: ChatRequest = { model: 'm', messages: [], stream: true }
    expect(write(request)['stream_options']).toEqual({ include_usage: true })
    expect('stream_options' in write({ ...request, stream: false })).toBe(false)
  })

  test('to /chat/completions with the name the upstream gives the model', () => {
    const { path, body } = openaiChatDialect.upstream.writeRequest(
      { model: 'auto', messages: [], stream: false },
      'x/y',
    )
    expect([path, body['model']]).toEqual(['/chat/completions', 'x/y'])
  })

  test('so that reading them gives the same request', () => {
    fc.assert(
      fc.property(someRequest, (request) => {
        const body = JSON.parse(JSON.stringify(write(request)))
        expect(read(body)).toEqual({ ...request, model: 'up/stream', ...(request.stream && { wantsUsage: true }) })
      }),
      { numRuns: 200 },
    )
  })
})

const media = fc.constantFrom(
  { type: 'image', url: 'https://x.test/a.png' } as const,
  { type: 'image', mediaType: 'image/webp', data: 'AAAA' } as const,
  { type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: 'a.pdf' } as const,
  { type: 'file', mediaType: 'audio/wav', data: 'AAAA' } as const,
)
const textPart = someText.map((text) => ({ type: 'text' as const, text }))
const someMessages: fc.Arbitrary<Message[]> = fc.array(
  fc.oneof(
    textPart.map((text): Message => ({ role: 'system', content: [text] })),
    fc
      .tuple(textPart, fc.array(media, { maxLength: 2 }))
      .map(([text, more]): Message => ({ role: 'user', content: [text, ...more] })),
    fc.tuple(fc.option(textPart), fc.option(someText), someCalls).map(
      ([text, thought, calls]): Message => ({
        role: 'assistant',
        content: [
          ...(thought === null ? [] : [{ type: 'reasoning' as const, text: thought }]),
          ...(text === null ? [] : [text]),
          ...calls,
        ],
      }),
    ),
    fc.tuple(someName, textPart).map(
      ([toolCallId, text]): Message => ({
        role: 'tool',
        content: [{ type: 'tool-result', toolCallId, content: [text] }],
      }),
    ),
  ),
  { minLength: 1, maxLength: 5 },
)
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const someRequest: fc.Arbitrary<ChatRequest> = fc.record({
  model: someName,
  messages: someMessages,
  tools: optional(
    fc.array(
      fc.record({ name: someName, description: optional(someText), parameters: fc.constant({ type: 'object' }) }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
  toolChoice: optional(
    fc.oneof(fc.constantFrom('auto' as const, 'none' as const, 'required' as const), fc.record({ name: someName })),
  ),
  parallelToolCalls: optional(fc.boolean()),
  responseFormat: optional(
    fc.constantFrom(
      { type: 'text' as const },
      { type: 'json' as const },
      { type: 'json-schema' as const, name: 'n', schema: { a: 1 }, strict: true },
    ),
  ),
  maxTokens: optional(fc.integer({ min: 1, max: 1e6 })),
  temperature: optional(fc.integer({ min: 0, max: 2 })),
  stop: optional(fc.array(someText, { minLength: 1, maxLength: 3 })),
  seed: optional(fc.integer()),
  reasoning: optional(fc.record({ effort: fc.constantFrom('none' as const, 'low' as const, 'xhigh' as const) })),
  user: optional(someName),
  stream: fc.boolean(),
  extra: optional(fc.constant({ dialect: 'openai' as const, fields: { store: true, logit_bias: { 1: 2 } } })),
})
