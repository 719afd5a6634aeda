import { describe, expect, test } from 'vitest'
import type { ChatRequest, Message, Part, TextPart } from '../../domain/chat.ts'
import { googleDialect } from './google.ts'

const PATH = { model: 'models/gemini-x', stream: false }
const HI = [{ role: 'user', parts: [{ text: 'Hi' }] }]
const read = (body: Record<string, unknown>, path = PATH) =>
  googleDialect.client.readRequest({ contents: HI, ...body }, path)
const write = (request: Partial<ChatRequest>, model = 'gemini-3-flash') =>
  googleDialect.upstream.writeRequest({ model: 'auto', messages: [user('Hi')], stream: false, ...request }, model).body
const text = (text: string): TextPart => ({ type: 'text', text })
const user = (said: string): Message => ({ role: 'user', content: [text(said)] })
const calling = (part: Partial<Part> = {}): Message => ({
  role: 'assistant',
  content: [{ type: 'tool-call', id: 'c', name: 'f', arguments: '{}', ...part } as Part], // a call with changes
})

describe('a client request', () => {
  const camel = {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: { type: 'object' } }] }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
    generationConfig: {
      maxOutputTokens: 10,
      temperature: 0.1,
      topP: 0.2,
      topK: 3,
      stopSequences: ['END'],
      seed: 4,
      frequencyPenalty: 0.5,
      presencePenalty: 0.6,
      responseMimeType: 'application/json',
      responseJsonSchema: { type: 'object', additionalProperties: false },
      thinkingConfig: { thinkingBudget: 128, includeThoughts: true },
    },
  }
  const snake = {
    system_instruction: camel.systemInstruction,
    tools: [{ function_declarations: [{ name: 'f', description: 'd', parameters_json_schema: { type: 'object' } }] }],
    tool_config: { function_calling_config: { mode: 'any', allowed_function_names: ['f'] } },
    generation_config: {
      max_output_tokens: 10,
      temperature: 0.1,
      top_p: 0.2,
      top_k: 3,
      stop_sequences: ['END'],
      seed: 4,
      frequency_penalty: 0.5,
      presence_penalty: 0.6,
      response_mime_type: 'application/json',
      response_json_schema: { type: 'object', additionalProperties: false },
      thinking_config: { thinking_budget: 128, include_thoughts: true },
    },
  }
  for (const [spelling, body] of Object.entries({ camelCase: camel, snake_case: snake })) {
    test(`in ${spelling} is read with every field that has a word of ours`, () => {
      expect(read(body)).toEqual({
        model: 'gemini-x',
        messages: [{ role: 'system', content: [text('Be brief.')] }, user('Hi')],
        tools: [{ name: 'f', description: 'd', parameters: { type: 'object' } }],
        toolChoice: { name: 'f' },
        maxTokens: 10,
        temperature: 0.1,
        topP: 0.2,
        topK: 3,
        stop: ['END'],
        seed: 4,
        frequencyPenalty: 0.5,
        presencePenalty: 0.6,
        responseFormat: { type: 'json-schema', schema: { type: 'object', additionalProperties: false }, strict: true },
        reasoning: { budgetTokens: 128, visible: true },
        stream: false,
      })
    })
  }

  test('takes model and streaming from the path', () => {
    expect(read({}, { model: 'vendor/model', stream: true })).toMatchObject({ model: 'vendor/model', stream: true })
  })

  test('may be sloppy where Google is: one content, no role, a bare string', () => {
    expect(read({ contents: { parts: { text: 'Hi' } } }).messages).toEqual([user('Hi')])
    expect(read({ contents: 'Hi', systemInstruction: 'S' }).messages).toEqual([
      { role: 'system', content: [text('S')] },
      user('Hi'),
    ])
  })

  test('gets ids for its calls, and each result the id of its call', () => {
    const call = (name: string) => ({ functionCall: { name, args: { n: 1 } } })
    const result = (name: string, output: string) => ({ functionResponse: { name, response: { output } } })
    const { messages } = read({
      contents: [
        { role: 'model', parts: [call('f'), call('g'), call('f')] },
        { role: 'user', parts: [result('f', '1'), result('g', '2'), result('f', '3'), { text: 'go on' }] },
        { role: 'model', parts: [call('f')] },
        { role: 'function', parts: [result('f', '4')] },
      ],
    })
    const ids = (at: number) =>
      messages[at]?.content.map((part) => (part.type === 'tool-result' ? part.toolCallId : 'id' in part && part.id))
    expect(ids(0)).toEqual(['call_0_f', 'call_1_g', 'call_2_f'])
    expect(ids(1)).toEqual(['call_0_f', 'call_1_g', 'call_2_f'])
    expect(messages[2]).toEqual(user('go on'))
    expect(ids(3)).toEqual(['call_3_f'])
    expect(ids(4)).toEqual(['call_3_f'])
  })

  const results: { name: string; response: Record<string, unknown>; text: string; isError?: true }[] = [
    { name: 'output', response: { output: 'ok' }, text: 'ok' },
    { name: 'error', response: { error: 'no' }, text: 'no', isError: true },
    { name: 'the SDK examples’ result', response: { result: 'ok' }, text: 'ok' },
    { name: 'any object', response: { degrees: 7, unit: 'C' }, text: '{"degrees":7,"unit":"C"}' },
  ]
  for (const { name, response, text: said, isError } of results) {
    test(`understands a functionResponse of ${name}, and it is written as it came`, () => {
      const part = { functionResponse: { id: 'i', name: 'f', response } }
      const { messages } = read({ contents: [{ role: 'user', parts: [part] }] })
      expect(messages[0]?.content[0]).toMatchObject({ toolCallId: 'i', name: 'f', content: [text(said)] })
      expect(messages[0]?.content[0]).toHaveProperty('isError', isError)
      expect(write({ messages })['contents']).toEqual([{ role: 'user', parts: [part] }])
    })
  }

  const kept: [string, Record<string, unknown>][] = [
    ['media with its settings', { inlineData: { mimeType: 'video/mp4', data: 'AA' }, videoMetadata: { fps: 1 } }],
    ['a file by address', { fileData: { mimeType: 'image/png', fileUri: 'https://x.invalid/a.png' } }],
    ['code that ran at Google', { executableCode: { language: 'PYTHON', code: '1' }, thoughtSignature: 'c2ln' }],
    ['a signature without text', { text: '', thoughtSignature: 'c2ln' }],
    ['a signed thought', { text: 'hm', thought: true, thoughtSignature: 'c2ln' }],
  ]
  for (const [name, part] of kept) {
    test(`keeps ${name}`, () => {
      const contents = [{ role: 'model', parts: [{ text: 'a' }, part, { text: 'b' }] }]
      expect(write(read({ contents }))['contents']).toEqual(contents)
    })
  }

  test('takes a signature alone for an empty thought: a client leaves the empty text out', () => {
    const alone = (thoughtSignature: string) => [{ role: 'model', parts: [{ thoughtSignature }, { text: 'Hi' }] }]
    expect(write(read({ contents: alone('c2ln') }))['contents']).toEqual([
      { role: 'model', parts: [{ text: '', thoughtSignature: 'c2ln' }, { text: 'Hi' }] },
    ])
    const packed = Buffer.from('anthropic:c2ln').toString('base64')
    expect(write(read({ contents: alone(packed) }))['contents']).toEqual([{ role: 'model', parts: [{ text: 'Hi' }] }])
  })

  const extras: Record<string, unknown>[] = [
    { safetySettings: [{ category: 'X', threshold: 'BLOCK_NONE' }], cachedContent: 'cachedContents/1' },
    { tools: [{ googleSearch: {} }, { functionDeclarations: [{ name: 'f' }] }] },
    {
      tools: [{ functionDeclarations: [{ name: 'f' }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f', 'g'] } },
    },
    { generationConfig: { temperature: 1, candidateCount: 1, speechConfig: {} } },
    { generationConfig: { thinkingConfig: { thinkingBudget: -1 } } },
    { generationConfig: { responseMimeType: 'text/x.enum', responseSchema: { type: 'STRING', enum: ['a'] } } },
  ]
  for (const fields of extras) {
    test(`keeps ${JSON.stringify(fields).slice(0, 60)} for the same dialect`, () => {
      expect(write(read(fields))).toMatchObject(fields)
    })
  }

  test('has its OpenAPI schemas read as JSON Schema', () => {
    const parameters = {
      type: 'OBJECT',
      properties: { a: { type: 'STRING', nullable: true }, b: { type: 'ARRAY', items: { type: 'INTEGER' } } },
    }
    expect(read({ tools: [{ functionDeclarations: [{ name: 'f', parameters }] }] }).tools?.[0]?.parameters).toEqual({
      type: 'object',
      properties: { a: { type: ['string', 'null'] }, b: { type: 'array', items: { type: 'integer' } } },
    })
  })

  const wrong: [string, unknown, string | null][] = [
    ['no object', null, null],
    ['no contents', {}, 'contents'],
    ['a foreign role', { contents: [{ role: 'robot', parts: [] }] }, 'contents[0].role'],
    ['no parts', { contents: [{ role: 'user' }] }, 'contents[0].parts'],
    ['a nameless call', { contents: [{ role: 'model', parts: [{ functionCall: {} }] }] }, 'contents[0].parts[0]'],
    ['text that is none', { contents: [{ parts: [{ text: 1 }] }] }, 'contents[0].parts[0]'],
    [
      'a nameless tool',
      { contents: [], tools: [{ functionDeclarations: [{}] }] },
      'tools[0].functionDeclarations[0].name',
    ],
    ['a wrong temperature', { contents: [], generationConfig: { temperature: '1' } }, 'generationConfig.temperature'],
  ]
  for (const [name, body, parameter] of wrong) {
    test(`with ${name} is refused, naming ${parameter ?? 'the whole'}`, () => {
      expect(() => googleDialect.client.readRequest(body, PATH)).toThrow(
        expect.objectContaining({ code: 'INVALID_REQUEST', parameter }),
      )
    })
  }
})

describe('an upstream request', () => {
  const paths: [string, boolean, string][] = [
    ['gemini-x', false, '/models/gemini-x:generateContent'],
    ['models/gemini-x', true, '/models/gemini-x:streamGenerateContent?alt=sse'],
    ['vendor/model x?', false, '/models/vendor/model%20x%3F:generateContent'],
    ['broken\ud800', false, '/models/broken%EF%BF%BD:generateContent'],
  ]
  for (const [model, stream, path] of paths) {
    test(`for ${JSON.stringify(model)} goes to ${path}`, () => {
      expect(googleDialect.upstream.writeRequest({ model: 'auto', messages: [], stream }, model).path).toBe(path)
    })
  }

  test('is the smallest one for the smallest question', () => {
    expect(write({})).toEqual({ contents: HI })
  })

  test('names the function of a result, and answers all calls of a step in one content', () => {
    const result = (id: string): Message => ({
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: id, content: [text(id)] }],
    })
    const messages = [calling(), calling({ id: 'd', name: 'g' } as Part), result('c'), result('d'), user('and?')]
    expect(write({ messages }, 'gemini-2.5-flash')['contents']).toEqual([
      {
        role: 'model',
        parts: [{ functionCall: { id: 'c', name: 'f', args: {} } }, { functionCall: { id: 'd', name: 'g', args: {} } }],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'c', name: 'f', response: { output: 'c' } } },
          { functionResponse: { id: 'd', name: 'g', response: { output: 'd' } } },
        ],
      },
      { role: 'user', parts: [{ text: 'and?' }] },
    ])
  })

  const signatures: [string, string, string | undefined, string | undefined][] = [
    ['its own', 'gemini-3-flash', 'google:c2ln', 'c2ln'],
    ['another’s', 'gemini-3-flash', 'anthropic:c2ln', 'skip_thought_signature_validator'],
    ['none', 'gemini-flash-latest', undefined, 'skip_thought_signature_validator'],
    ['none', 'gemini-2.5-pro', undefined, undefined],
  ]
  for (const [whose, model, signature, written] of signatures) {
    test(`signs a call that has ${whose} for ${model} with ${written ?? 'nothing'}`, () => {
      const body = write({ messages: [calling({ signature } as Part)] }, model)
      expect(body['contents']).toEqual([
        { role: 'model', parts: [{ functionCall: { id: 'c', name: 'f', args: {} }, thoughtSignature: written }] },
      ])
    })
  }

  test('leaves out thoughts signed by others', () => {
    const messages: Message[] = [
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'a', signature: 'anthropic:c2ln' },
          { type: 'reasoning', text: 'b', signature: 'raw', extra: { dialect: 'openai-responses', fields: {} } },
          text('Hi'),
        ],
      },
    ]
    expect(write({ messages })['contents']).toEqual([{ role: 'model', parts: [{ text: 'Hi' }] }])
  })

  test('puts images that a tool answered beside its text', () => {
    const content = [text('see'), { type: 'image', mediaType: 'image/png', data: 'AA' } as const]
    const messages: Message[] = [
      { role: 'tool', content: [{ type: 'tool-result', toolCallId: 'c', name: 'f', content }] },
    ]
    const body = write({ messages })
    expect(body['contents']).toMatchObject([
      {
        parts: [
          {
            functionResponse: {
              response: { output: 'see' },
              parts: [{ inlineData: { mimeType: 'image/png', data: 'AA' } }],
            },
          },
        ],
      },
    ])
  })

  const efforts: [string, ChatRequest['reasoning'], object][] = [
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { effort: 'high', visible: true }, { thinkingBudget: 24_576, includeThoughts: true }],
    ['gemini-3-flash', { effort: 'none' }, { thinkingLevel: 'low' }],
    ['gemini-3-flash', { effort: 'max' }, { thinkingLevel: 'high' }],
    ['gemini-3-flash', { effort: 'low', budgetTokens: 99 }, { thinkingBudget: 99 }],
  ]
  for (const [model, reasoning, thinkingConfig] of efforts) {
    test(`asks ${model} for ${JSON.stringify(reasoning)} as ${JSON.stringify(thinkingConfig)}`, () => {
      expect(write({ reasoning }, model)['generationConfig']).toEqual({ thinkingConfig })
    })
  }

  const schemas: [string, Record<string, unknown> | undefined, string | null][] = [
    ['none', undefined, null],
    ['an empty object', { $schema: 'x', type: 'object', properties: {}, additionalProperties: false }, null],
    ['a plain one', { $schema: 'x', type: 'object', properties: { a: { type: 'string' } } }, 'parameters'],
    [
      'a closed one',
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
      'parametersJsonSchema',
    ],
    ['a number enum', { type: 'object', properties: { a: { type: 'integer', enum: [1] } } }, 'parametersJsonSchema'],
    ['a union type', { type: 'object', properties: { a: { type: ['string', 'null'] } } }, 'parametersJsonSchema'],
    ['an email', { type: 'object', properties: { a: { type: 'string', format: 'email' } } }, 'parametersJsonSchema'],
    ['an empty child', { type: 'object', properties: { a: { type: 'object' } } }, 'parametersJsonSchema'],
    ['a reference', { type: 'object', properties: { a: { $ref: '#/$defs/a' } } }, 'parametersJsonSchema'],
  ]
  for (const [name, parameters, field] of schemas) {
    test(`declares a tool with ${name} of parameters in ${field ?? 'no field'}`, () => {
      const body = write({ tools: [{ name: 'f', parameters }], toolChoice: 'required' })
      const { $schema: _, ...schema } = parameters ?? {}
      expect(body).toMatchObject({ toolConfig: { functionCallingConfig: { mode: 'ANY' } } })
      expect(body['tools']).toEqual([
        { functionDeclarations: [field ? { name: 'f', [field]: schema } : { name: 'f' }] },
      ])
    })
  }

  test('asks for JSON with and without a schema', () => {
    const config = (responseFormat: ChatRequest['responseFormat']) => write({ responseFormat })['generationConfig']
    const plain = { type: 'object', properties: { a: { type: 'string' } } }
    const closed = { ...plain, additionalProperties: false }
    const responseMimeType = 'application/json'
    expect(config({ type: 'json' })).toEqual({ responseMimeType })
    expect(config({ type: 'json-schema', schema: plain })).toEqual({ responseMimeType, responseSchema: plain })
    expect(config({ type: 'json-schema', schema: closed })).toEqual({ responseMimeType, responseJsonSchema: closed })
  })

  test('is not derailed by hostile nesting', () => {
    let schema: Record<string, unknown> = { type: 'STRING' }
    for (let depth = 0; depth < 20_000; depth++) schema = { type: 'ARRAY', items: schema, properties: {} }
    const request = read({ tools: [{ functionDeclarations: [{ name: 'f', parameters: schema }] }] })
    expect(write(request)).toHaveProperty(['tools', 0, 'functionDeclarations', 0, 'parametersJsonSchema'])
  })
})
