import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { someCalls, someName, someText } from '../../../test/support/chatArbitraries.ts'
import type { ChatRequest, Extra, Message, Part } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { openaiChatDialect } from '../openaiChat/openaiChat.ts'
import { openaiResponsesDialect } from './openaiResponses.ts'

const read = openaiResponsesDialect.client.readRequest
const write = (request: ChatRequest) => openaiResponsesDialect.upstream.writeRequest(request, 'up/stream').body
const ours = (fields: Record<string, unknown> = {}): Extra => ({ dialect: 'openai-responses', fields })
const withInput = (...input: unknown[]) => read({ model: 'm', input })
const text = (value: string): Part => ({ type: 'text', text: value })

describe('openaiResponses reads requests', () => {
  test('with every field in its place', () => {
    const request = read({
      model: 'auto',
      input: 'Hi',
      instructions: 'Be brief',
      max_output_tokens: 20,
      temperature: 0,
      top_p: 0.5,
      reasoning: { effort: 'high', summary: 'detailed' },
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
      tools: [
        { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' }, strict: true },
        { type: 'web_search' },
      ],
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: true,
      user: 'u1',
      stream: true,
      store: false,
      previous_response_id: 'resp_1',
      include: ['reasoning.encrypted_content'],
    })
    expect(request).toEqual({
      model: 'auto',
      messages: [
        { role: 'system', content: [text('Be brief')] },
        { role: 'user', content: [text('Hi')] },
      ],
      maxTokens: 20,
      temperature: 0,
      topP: 0.5,
      reasoning: { effort: 'high', visible: true },
      responseFormat: { type: 'json-schema', name: 'n', schema: { type: 'object' }, strict: true },
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
      toolChoice: { name: 'f' },
      parallelToolCalls: true,
      user: 'u1',
      stream: true,
      extra: ours({
        store: false,
        previous_response_id: 'resp_1',
        include: ['reasoning.encrypted_content'],
        text: { verbosity: 'low' },
        reasoning: { summary: 'detailed' },
        tools: [{ type: 'web_search' }],
      }),
    })
    expect(write(request)).toMatchObject({
      instructions: 'Be brief',
      store: false,
      previous_response_id: 'resp_1',
      reasoning: { effort: 'high', summary: 'detailed' },
      text: { format: { type: 'json_schema', name: 'n' }, verbosity: 'low' },
      tools: [{ type: 'function', name: 'f', strict: true }, { type: 'web_search' }],
      tool_choice: { type: 'function', name: 'f' },
    })
  })

  const conversation = [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'gAAA' },
    {
      type: 'message',
      id: 'msg_1',
      phase: 'commentary',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Let me look' }],
    },
    { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{}' },
    { type: 'custom_tool_call', id: 'ct_1', call_id: 'c2', name: 'grep', input: 'a b' },
    { type: 'function_call_output', call_id: 'c1', output: 'done' },
    {
      type: 'custom_tool_call_output',
      call_id: 'c2',
      output: [
        { type: 'input_text', text: 'found' },
        { type: 'input_image', detail: 'auto', image_url: 'data:image/png;base64,AAAA' },
      ],
    },
    { type: 'message', id: 'msg_2', role: 'assistant', content: [{ type: 'output_text', text: 'There' }] },
    { type: 'message', id: 'msg_3', role: 'assistant', content: [{ type: 'refusal', refusal: 'No more' }] },
  ]

  test('with items, of which what the assistant made in a row is one message', () => {
    expect(withInput(...conversation).messages).toEqual([
      { role: 'user', content: [text('Hi')] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm', signature: 'openai-responses:gAAA', extra: ours({ id: 'rs_1' }) },
          { ...text('Let me look'), extra: ours({ item: { id: 'msg_1', phase: 'commentary' } }) },
          { type: 'tool-call', id: 'c1', name: 'f', arguments: '{}', extra: ours({ id: 'fc_1' }) },
          {
            type: 'tool-call',
            id: 'c2',
            name: 'grep',
            arguments: 'a b',
            custom: true,
            extra: ours({ id: 'ct_1' }),
          },
        ],
      },
      { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c1', content: [text('done')] }] },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            toolCallId: 'c2',
            content: [
              text('found'),
              { type: 'image', mediaType: 'image/png', data: 'AAAA', extra: ours({ detail: 'auto' }) },
            ],
            extra: ours({ type: 'custom_tool_call_output' }),
          },
        ],
      },
      {
        role: 'assistant',
        content: [
          { ...text('There'), extra: ours({ item: { id: 'msg_2' } }) },
          { ...text('No more'), extra: ours({ refusal: true, item: { id: 'msg_3' } }) },
        ],
      },
    ])
  })

  test('and writes the items as they were', () => {
    expect(write(withInput(...conversation)).input).toEqual(conversation)
  })

  test('with items only this dialect understands, which stay where they were', () => {
    const items = [
      { type: 'item_reference', id: 'x' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
      { type: 'web_search_call', id: 'ws', status: 'completed' },
      { type: 'local_shell_call', id: 'ls' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b' }] },
    ]
    const request = withInput(...items)
    expect(request.messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', [text('Hi')]],
      ['assistant', [text('a')]],
      ['assistant', [text('b')]],
    ])
    expect(write(request).input).toEqual(items)
  })

  test('with the short form of messages', () => {
    expect(withInput({ role: 'developer', content: 'a' }, { role: 'assistant', content: 'b' }).messages).toEqual([
      { role: 'system', content: [text('a')] },
      { role: 'assistant', content: [text('b')] },
    ])
  })

  const parts: { name: string; wire: object; part: object }[] = [
    {
      name: 'an image URL',
      wire: { type: 'input_image', image_url: 'https://x.test/a', detail: 'low' },
      part: { type: 'image', url: 'https://x.test/a', extra: ours({ detail: 'low' }) },
    },
    {
      name: 'an uploaded image',
      wire: { type: 'input_image', file_id: 'file-1' },
      part: { type: 'file', extra: ours({ type: 'input_image', file_id: 'file-1' }) },
    },
    {
      name: 'a file',
      wire: { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
      part: { type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: 'a.pdf' },
    },
    {
      name: 'a file URL',
      wire: { type: 'input_file', file_url: 'https://x.test/a.pdf' },
      part: { type: 'file', url: 'https://x.test/a.pdf' },
    },
    {
      name: 'an uploaded file',
      wire: { type: 'input_file', file_id: 'file-1' },
      part: { type: 'file', extra: ours({ file_id: 'file-1' }) },
    },
    {
      name: 'audio',
      wire: { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
      part: { type: 'file', mediaType: 'audio/wav', data: 'AAAA' },
    },
    {
      name: 'a part of an unknown kind',
      wire: { type: 'computer_screenshot', x: 1 },
      part: { type: 'file', extra: ours({ type: 'computer_screenshot', x: 1 }) },
    },
  ]
  for (const { name, wire, part } of parts) {
    test(`with ${name}, and writes it as it was`, () => {
      const request = withInput({ type: 'message', role: 'user', content: [wire] })
      expect(request.messages[0]?.content).toEqual([part])
      expect(write(request).input).toEqual([{ type: 'message', role: 'user', content: [wire] }])
    })
  }

  const wrongs: { name: string; body: object; parameter: string | null }[] = [
    { name: 'no model', body: { input: 'a' }, parameter: 'model' },
    { name: 'no input', body: { model: 'm' }, parameter: 'input' },
    { name: 'an empty input', body: { model: 'm', input: [] }, parameter: 'input' },
    { name: 'a number as input', body: { model: 'm', input: 5 }, parameter: 'input' },
    { name: 'an item that is no object', body: { model: 'm', input: ['a'] }, parameter: 'input[0]' },
    { name: 'an item without type and role', body: { model: 'm', input: [{}] }, parameter: 'input[0].role' },
    {
      name: 'a call without an id',
      body: { model: 'm', input: [{ type: 'function_call', name: 'f' }] },
      parameter: 'input[0].call_id',
    },
    {
      name: 'an output without its call',
      body: { model: 'm', input: [{ type: 'function_call_output', output: '' }] },
      parameter: 'input[0].call_id',
    },
    { name: 'a text as reasoning', body: { model: 'm', input: 'a', reasoning: 'high' }, parameter: 'reasoning' },
    {
      name: 'a function without a name',
      body: { model: 'm', input: 'a', tools: [{ type: 'function' }] },
      parameter: 'tools[0].name',
    },
  ]
  for (const { name, body, parameter } of wrongs) {
    test(`and refuses ${name}, naming the field`, () => {
      expect(() => read(body)).toThrow(InvalidRequestError)
      expect(() => read(body)).toThrow(expect.objectContaining({ parameter }))
    })
  }

  test('without input where the upstream remembers the conversation', () => {
    const request = read({ model: 'm', previous_response_id: 'resp_1' })
    expect(request.messages).toEqual([])
    expect(request.extra?.fields).toEqual({ previous_response_id: 'resp_1' })
  })

  test('and anything else either reads or is refused as invalid', () => {
    const item = fc.record({
      type: fc.constantFrom('message', 'reasoning', 'function_call', 'x'),
      role: fc.anything(),
      content: fc.anything(),
      call_id: fc.anything(),
      summary: fc.anything(),
    })
    fc.assert(
      fc.property(
        fc.record({ model: fc.constant('m'), input: fc.oneof(fc.array(item), fc.anything()), text: fc.anything() }),
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

describe('openaiResponses writes requests', () => {
  test('of another dialect without asking to be remembered, with tools that are not strict and at least 16 tokens', () => {
    const request = openaiChatDialect.client.readRequest({
      model: 'm',
      messages: [
        { role: 'system', content: 'a' },
        { role: 'user', content: 'b' },
        { role: 'system', content: 'c' },
      ],
      max_tokens: 5,
      stop: 'x',
      seed: 1,
      logit_bias: {},
      tools: [{ type: 'function', function: { name: 'f' } }],
    })
    expect(write(request)).toEqual({
      model: 'up/stream',
      instructions: 'a',
      input: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'b' }] },
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'c' }] },
      ],
      max_output_tokens: 16,
      store: false,
      stream: false,
      tools: [{ type: 'function', name: 'f', parameters: null, strict: false }],
    })
  })

  test('without thoughts that the upstream could not check', () => {
    const content: Part[] = [{ type: 'reasoning', text: 'Hm', signature: 'anthropic:zzz' }, text('a')]
    expect(write({ model: 'm', messages: [{ role: 'assistant', content }], stream: false }).input).toEqual([
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
    ])
  })

  test('to /responses', () => {
    expect(openaiResponsesDialect.upstream.writeRequest({ model: 'm', messages: [], stream: true }, 'x').path).toBe(
      '/responses',
    )
  })

  test('so that reading them gives the same request', () => {
    fc.assert(
      fc.property(someRequest, (request) => {
        const body = JSON.parse(JSON.stringify(write(request)))
        expect(read(body)).toEqual({ ...request, model: 'up/stream' })
      }),
      { numRuns: 200 },
    )
  })
})

const media = fc.constantFrom(
  { type: 'image', mediaType: 'image/webp', data: 'AAAA', extra: ours({ detail: 'low' }) } as const,
  { type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: 'a.pdf' } as const,
  { type: 'file', mediaType: 'audio/wav', data: 'AAAA' } as const,
)
const someThought = fc.tuple(someText, fc.option(someName)).map(
  ([thought, signature]): Part => ({
    type: 'reasoning',
    text: thought,
    ...(signature !== null && { signature: `openai-responses:${signature}` }),
    extra: ours({ id: 'rs_1' }),
  }),
)
const others: fc.Arbitrary<Message> = fc.oneof(
  fc
    .tuple(someText, fc.array(media, { maxLength: 2 }))
    .map(([value, more]): Message => ({ role: 'user', content: [text(value), ...more] })),
  fc.tuple(someName, someText).map(
    ([toolCallId, value]): Message => ({
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId, content: [{ type: 'text', text: value }] }],
    }),
  ),
)
/** Never two in a row: they would be read as one. */
const assistant: fc.Arbitrary<Message[]> = fc
  .tuple(fc.option(someThought), fc.option(someText), someCalls, others)
  .map(([thought, value, calls, next]) => {
    const content = [...(thought === null ? [] : [thought]), ...(value === null ? [] : [text(value)]), ...calls]
    return content.length === 0 ? [next] : [{ role: 'assistant', content }, next]
  })
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const someRequest: fc.Arbitrary<ChatRequest> = fc.record({
  model: someName,
  messages: fc
    .tuple(fc.option(someText), fc.array(assistant, { minLength: 1, maxLength: 4 }))
    .map(([system, rest]): Message[] => [
      ...(system === null ? [] : [{ role: 'system' as const, content: [text(system)] }]),
      ...rest.flat(),
    ]),
  tools: optional(
    fc.array(
      fc.record({
        name: someName,
        description: optional(someText),
        parameters: fc.constant({ a: 1 }),
        strict: fc.boolean(),
      }),
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
  topP: optional(fc.integer({ min: 0, max: 1 })),
  reasoning: optional(fc.record({ effort: fc.constantFrom('none' as const, 'low' as const, 'xhigh' as const) })),
  user: optional(someName),
  stream: fc.boolean(),
  extra: fc.constantFrom(
    ours(),
    ours({ store: false, metadata: { a: 'b' }, tools: [{ type: 'web_search' }], text: { verbosity: 'low' } }),
  ),
})
