import { describe, expect, test } from 'vitest'
import type { ChatRequest, Message, Part, TextPart } from '../../domain/chat.ts'
import { anthropicDialect } from './anthropic.ts'
import { DEFAULT_MAX_TOKENS } from './defaultMaxTokens.ts'

const read = (body: Record<string, unknown>) =>
  anthropicDialect.client.readRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body })
const write = (request: Partial<ChatRequest>) =>
  anthropicDialect.upstream.writeRequest({ model: 'auto', messages: [user('Hi')], stream: false, ...request }, 'm').body
const text = (text: string): TextPart => ({ type: 'text', text })
const user = (said: string): Message => ({ role: 'user', content: [text(said)] })

describe('a client request', () => {
  test('is read with every field that has a word of ours', () => {
    const request = read({
      system: 'Be brief.',
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ['END'],
      tools: [{ name: 'f', description: 'd', input_schema: { type: 'object' }, strict: true }],
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      thinking: { type: 'enabled', budget_tokens: 2048, display: 'summarized' },
      metadata: { user_id: 'u1' },
      output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
      stream: true,
    })
    expect(request).toEqual({
      model: 'm',
      messages: [{ role: 'system', content: [text('Be brief.')] }, user('Hi')],
      tools: [{ name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }],
      toolChoice: { name: 'f' },
      parallelToolCalls: false,
      responseFormat: { type: 'json-schema', schema: { type: 'object' }, strict: true },
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      reasoning: { effort: 'high', budgetTokens: 2048, visible: true },
      user: 'u1',
      stream: true,
    })
  })

  const contents: { name: string; block: unknown; part: Part }[] = [
    {
      name: 'a base64 image',
      block: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
      part: { type: 'image', mediaType: 'image/png', data: 'AAAA' },
    },
    {
      name: 'an image by URL',
      block: { type: 'image', source: { type: 'url', url: 'https://x.invalid/a.png' } },
      part: { type: 'image', url: 'https://x.invalid/a.png' },
    },
    {
      name: 'a PDF with a title',
      block: { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' }, title: 't' },
      part: { type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: 't' },
    },
    {
      name: 'a plain text document',
      block: { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'grüezi' } },
      part: { type: 'file', mediaType: 'text/plain', data: Buffer.from('grüezi').toString('base64') },
    },
    {
      name: 'cache_control',
      block: { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
      part: {
        type: 'text',
        text: 'a',
        extra: { dialect: 'anthropic', fields: { cache_control: { type: 'ephemeral' } } },
      },
    },
    {
      name: 'a block we have no word for',
      block: { type: 'container_upload', file_id: 'file_1' },
      part: { type: 'file', extra: { dialect: 'anthropic', fields: { type: 'container_upload', file_id: 'file_1' } } },
    },
    {
      name: 'an uploaded image',
      block: { type: 'image', source: { type: 'file', file_id: 'file_1' } },
      part: {
        type: 'file',
        extra: { dialect: 'anthropic', fields: { type: 'image', source: { type: 'file', file_id: 'file_1' } } },
      },
    },
  ]
  for (const { name, block, part } of contents) {
    test(`keeps ${name}, and it is written as it came`, () => {
      const { messages } = read({ messages: [{ role: 'user', content: [block, { type: 'text', text: 'x', n: 1 }] }] })
      expect(messages[0]?.content[0]).toEqual(part)
      expect(write({ messages })).toMatchObject({ messages: [{ role: 'user', content: [block, { text: 'x', n: 1 }] }] })
    })
  }

  test('becomes a tool message and a user message where it answers calls', () => {
    const results = [
      { type: 'tool_result', tool_use_id: 'a', content: 'ok' },
      { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: 'no' }], is_error: true },
    ]
    const { messages } = read({ messages: [{ role: 'user', content: [...results, { type: 'text', text: 'go on' }] }] })
    expect(messages).toEqual([
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'a', content: [text('ok')] },
          { type: 'tool-result', toolCallId: 'b', content: [text('no')], isError: true },
        ],
      },
      user('go on'),
    ])
  })

  test('keeps tools that run at the provider, in their place, for the same dialect alone', () => {
    const tools = [
      { type: 'web_search_20250305', name: 'web_search', max_uses: 3 },
      { name: 'f', input_schema: { type: 'object' } },
    ]
    const request = read({ tools })
    expect(request.tools).toEqual([{ name: 'f', parameters: { type: 'object' } }])
    expect(write(request)['tools']).toEqual(tools)
  })

  const kept: Record<string, unknown>[] = [
    { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' } },
    { metadata: { user_id: 'u', session: 's' } },
    { output_config: { effort: 'low', task_budget: { type: 'tokens', total: 5 } } },
    { context_management: { edits: [] }, service_tier: 'auto' },
  ]
  for (const fields of kept) {
    test(`keeps ${JSON.stringify(fields)} for the same dialect`, () => {
      expect(write(read(fields))).toMatchObject(fields)
    })
  }

  const choices = [
    [{ type: 'auto' }, 'auto'],
    [{ type: 'any' }, 'required'],
    [{ type: 'none' }, 'none'],
    [{ type: 'tool', name: 'f' }, { name: 'f' }],
  ] as const
  for (const [wire, choice] of choices) {
    test(`reads and writes tool_choice ${wire.type}`, () => {
      const request = read({ tool_choice: wire, tools: [{ name: 'f', input_schema: {} }] })
      expect(request.toolChoice).toEqual(choice)
      expect(write(request)['tool_choice']).toEqual(wire)
    })
  }

  const wrong: [string, unknown, string | null][] = [
    ['no object', [], null],
    ['no model', { messages: [] }, 'model'],
    ['no messages', { model: 'm' }, 'messages'],
    ['a foreign role', { model: 'm', messages: [{ role: 'robot', content: '' }] }, 'messages.0.role'],
    ['content that is a number', { model: 'm', messages: [{ role: 'user', content: 1 }] }, 'messages.0.content'],
    [
      'text without text',
      { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'text' }] }] },
      'messages.0.content.1',
    ],
    ['a wrong temperature', { model: 'm', messages: [], temperature: 'hot' }, 'temperature'],
    ['half a token', { model: 'm', messages: [], max_tokens: 0.5 }, 'max_tokens'],
    ['a nameless tool', { model: 'm', messages: [], tools: [{}] }, 'tools.0.name'],
    ['stop sequences of numbers', { model: 'm', messages: [], stop_sequences: [1] }, 'stop_sequences'],
    ['a choice of nothing', { model: 'm', messages: [], tool_choice: { type: 'x' } }, 'tool_choice.type'],
  ]
  for (const [name, body, parameter] of wrong) {
    test(`with ${name} is refused, naming ${parameter ?? 'the whole'}`, () => {
      expect(() => anthropicDialect.client.readRequest(body)).toThrow(
        expect.objectContaining({ code: 'INVALID_REQUEST', parameter }),
      )
    })
  }
})

describe('an upstream request', () => {
  test('is the smallest one for the smallest question', () => {
    expect(
      anthropicDialect.upstream.writeRequest({ model: 'auto', messages: [user('Hi')], stream: false }, 'm'),
    ).toEqual({
      path: '/messages',
      body: { model: 'm', max_tokens: DEFAULT_MAX_TOKENS, messages: [{ role: 'user', content: 'Hi' }] },
    })
  })

  test('merges neighbours of one role, tool results first, and drops what the wire refuses', () => {
    const messages: Message[] = [
      { role: 'system', content: [text('A')] },
      user('1'),
      user('2'),
      { role: 'assistant', content: [text(''), { type: 'tool-call', id: 'c.1', name: 'f', arguments: '{"a":1}' }] },
      user('meanwhile'),
      { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c.1', content: [text('r')] }] },
      { role: 'system', content: [text('B')] },
      { role: 'assistant', content: [text('')] },
      user('3'),
    ]
    expect(write({ messages })).toMatchObject({
      system: [
        { type: 'text', text: 'A' },
        { type: 'text', text: 'B' },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: '1' },
            { type: 'text', text: '2' },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'c_1', name: 'f', input: { a: 1 } }] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'c_1', content: 'r' },
            { type: 'text', text: 'meanwhile' },
            { type: 'text', text: '3' },
          ],
        },
      ],
    })
  })

  test('keeps call arguments that are not a JSON object readable', () => {
    const call: Part = { type: 'tool-call', id: 'c', name: 'f', arguments: '{"a":' }
    const body = write({ messages: [{ role: 'assistant', content: [call] }] })
    expect(body['messages']).toMatchObject([{ content: [{ input: { unparsed: '{"a":' } }] }])
  })

  const reasonings: [string, Partial<ChatRequest>, Record<string, unknown>][] = [
    [
      'a budget beside the default max_tokens',
      { reasoning: { budgetTokens: 5000 } },
      { max_tokens: 5000 + DEFAULT_MAX_TOKENS, thinking: { type: 'enabled', budget_tokens: 5000 } },
    ],
    [
      'a budget below max_tokens',
      { reasoning: { budgetTokens: 9000 }, maxTokens: 2000 },
      { max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 1999 } },
    ],
    [
      'at least the smallest budget',
      { reasoning: { budgetTokens: 10 } },
      { thinking: { type: 'enabled', budget_tokens: 1024 } },
    ],
    [
      'an effort as adaptive thinking',
      { reasoning: { effort: 'minimal', visible: true } },
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } },
    ],
    ['no thinking', { reasoning: { effort: 'none' } }, { thinking: { type: 'disabled' } }],
  ]
  for (const [name, request, expected] of reasonings) {
    test(`asks for ${name}`, () => expect(write(request)).toMatchObject(expected))
  }

  test('does not think where max_tokens leaves no room for it', () => {
    expect(write({ reasoning: { budgetTokens: 2000 }, maxTokens: 100 })).not.toHaveProperty('thinking')
  })

  test('sends a schema the wire accepts as format, any other in words', () => {
    const closed = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false }
    const limited = { type: 'object', properties: { a: { type: 'string', minLength: 2 } } }
    const open = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: true }
    const strict = write({ responseFormat: { type: 'json-schema', schema: closed } })
    expect(strict['output_config']).toEqual({ format: { type: 'json_schema', schema: closed } })
    expect(strict).not.toHaveProperty('system')
    // What allows no more than was asked for: a closed object, with its limits in words.
    const narrowed = write({ responseFormat: { type: 'json-schema', schema: limited } })
    const properties = { a: { type: 'string', description: '{minLength: 2}' } }
    expect(narrowed['output_config']).toEqual({ format: { type: 'json_schema', schema: { ...closed, properties } } })
    const worded = write({ responseFormat: { type: 'json-schema', schema: open } })
    expect(worded).not.toHaveProperty('output_config')
    expect(worded['system']).toContain(JSON.stringify(open))
    expect(write({ responseFormat: { type: 'json' } })['system']).toContain('JSON object')
  })

  test('keeps within the wire what other dialects allow more of', () => {
    const body = write({ temperature: 1.7, stop: ['\n', 'END'], parallelToolCalls: false })
    expect(body).toMatchObject({ temperature: 1, stop_sequences: ['END'] })
    expect(body).not.toHaveProperty('tool_choice')
  })

  test('leaves out what only another dialect can name', () => {
    const messages: Message[] = [
      {
        role: 'user',
        content: [text('a'), { type: 'file', extra: { dialect: 'openai', fields: { file: { file_id: 'f' } } } }],
      },
    ]
    expect(write({ messages })['messages']).toEqual([{ role: 'user', content: 'a' }])
  })

  test('is not derailed by hostile nesting', () => {
    let block: unknown = { type: 'text', text: 'x' }
    let schema: Record<string, unknown> = { type: 'string' }
    for (let depth = 0; depth < 20_000; depth++) {
      block = { type: 'tool_result', tool_use_id: 'a', content: [block] }
      schema = { type: 'array', items: schema }
    }
    const request = read({ messages: [{ role: 'user', content: [block] }] })
    expect(request.messages).toHaveLength(1)
    expect(write({ responseFormat: { type: 'json-schema', schema } })).toHaveProperty('system')
  })
})
