import { describe, expect, test } from 'vitest'
import type { ChatChunk, ChatRequest, DialectId, Message, Part } from '../../domain/chat.ts'
import type { ModelWire } from '../../domain/wireFacts.ts'
import { dialectOf } from '../dialects.ts'
import { withChanges } from './changedAnswer.ts'
import { fit as fitRequest } from './fit.ts'

const said = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] })
const answered = (...content: Part[]): Message => ({ role: 'assistant', content })
const call = (id: string, name = 'f', args = '{}'): Part => ({ type: 'tool-call', id, name, arguments: args })
const result = (toolCallId: string, text = 'r'): Part => ({
  type: 'tool-result',
  toolCallId,
  content: text === '' ? [] : [{ type: 'text', text }],
})
const results = (...content: Part[]): Message => ({ role: 'tool', content })

function fitted(
  request: Partial<ChatRequest>,
  dialect: DialectId,
  wire: ModelWire = {},
  maxOutputTokens: number | null = null,
) {
  const whole: ChatRequest = { model: 'm', messages: [said('Hi')], stream: false, ...request }
  return fitRequest(whole, { dialect, wire, maxOutputTokens, roomTokens: null })
}

const textsOf = (messages: readonly Message[]) =>
  messages.map(
    ({ role, content }) => `${role}: ${content.map((part) => ('text' in part ? part.text : part.type)).join('|')}`,
  )

describe('a conversation', () => {
  test.each<[string, Message[], DialectId, ModelWire, string[]]>([
    [
      'loses blank turns for Anthropic',
      [said('a'), answered({ type: 'text', text: '\n' }), said('b')],
      'anthropic',
      {},
      ['user: a', 'user: b'],
    ],
    [
      'of system messages alone is the user’s',
      [{ role: 'system', content: [{ type: 'text', text: 's' }] }],
      'google',
      {},
      ['user: s'],
    ],
    [
      'keeps system messages alone for chat',
      [{ role: 'system', content: [{ type: 'text', text: 's' }] }],
      'openai',
      {},
      ['system: s'],
    ],
    [
      'that was interrupted says so',
      [said('a'), answered(call('c')), said('b')],
      'openai',
      {},
      ['user: a', 'assistant: tool-call', 'tool: tool-result', 'user: b'],
    ],
    [
      'has results where its calls are',
      [said('a'), answered(call('c')), said('b'), results(result('c'))],
      'google',
      {},
      ['user: a', 'assistant: tool-call', 'tool: tool-result', 'user: b'],
    ],
    [
      'tells a result without its call as words',
      [said('a'), results(result('x', 'found'))],
      'anthropic',
      {},
      ['user: a', 'user: Result of the tool call x:|found'],
    ],
    [
      'goes on behind a turn that cannot be continued',
      [said('a'), answered({ type: 'text', text: 'b' })],
      'anthropic',
      { prefill: false },
      ['user: a', 'assistant: b', 'user: Continue exactly where your last message ends, without repeating any of it.'],
    ],
    [
      'does not end in white space for Claude',
      [said('a'), answered({ type: 'text', text: 'b ' })],
      'anthropic',
      {},
      ['user: a', 'assistant: b'],
    ],
  ])('%s', (_, messages, dialect, wire, expected) => {
    expect(textsOf(fitted({ messages }, dialect, wire).request.messages)).toEqual(expected)
  })

  test('has an id of its own for each call, the same for its result, in every turn', () => {
    const messages = [
      said('a'),
      answered(call('call_0')),
      results(result('call_0')),
      answered(call('call_0')),
      results(result('call_0')),
    ]
    const ids = fitted({ messages }, 'anthropic').request.messages.flatMap(({ content }) =>
      content.map((part) =>
        part.type === 'tool-call' ? part.id : part.type === 'tool-result' ? part.toolCallId : null,
      ),
    )
    expect([ids[1], ids[3]]).toEqual([ids[2], ids[4]])
    expect(ids[1]).not.toBe(ids[3])
    expect(ids).toEqual(
      fitted({ messages }, 'anthropic').request.messages.flatMap(({ content }) =>
        content.map((part) =>
          part.type === 'tool-call' ? part.id : part.type === 'tool-result' ? part.toolCallId : null,
        ),
      ),
    )
  })

  test('has ids of nine letters and digits where only those are taken', () => {
    const messages = [said('a'), answered(call('toolu_01VpEm')), results(result('toolu_01VpEm'))]
    const [, calls, answers] = fitted({ messages }, 'openai', { toolCallIdLength: 9 }).request.messages
    expect(calls?.content[0]).toMatchObject({ id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/) })
    expect(answers?.content[0]).toMatchObject({ toolCallId: (calls?.content[0] as { id: string }).id })
  })
})

describe('thinking', () => {
  const loop = (signature: string | undefined): Message[] => [
    said('q'),
    answered({ type: 'reasoning', text: 't', signature }, call('c')),
    results(result('c')),
  ]

  test('with a budget is given up within a tool loop that another upstream began', () => {
    const reasoning = { budgetTokens: 2048 }
    const asked = (signature: string) =>
      fitted({ messages: loop(signature), reasoning }, 'anthropic', { thinking: 'budget' }).request.reasoning
    expect(asked('google:abc')).toBeUndefined()
    expect(asked('anthropic:abc')).toEqual({ budgetTokens: 2048, visible: undefined })
  })

  test.each<[string, ChatRequest['reasoning'], DialectId, ModelWire, ChatRequest['reasoning']]>([
    ['a budget is an effort for OpenAI', { budgetTokens: 2000 }, 'openai', {}, { effort: 'low' }],
    ['a large budget is a high effort', { budgetTokens: 30_000 }, 'openai-responses', {}, { effort: 'high' }],
    ['adaptive thinking is a high effort', { adaptive: true }, 'openai', {}, { effort: 'high', adaptive: true }],
    [
      'an effort is a budget where only those are taken',
      { effort: 'high' },
      'anthropic',
      { thinking: 'budget', budget: [1024, 9000] },
      { budgetTokens: 9000 },
    ],
    [
      'an unknown effort is the nearest',
      { effort: 'xhigh' },
      'google',
      { thinking: 'effort', efforts: ['low', 'high'] },
      { effort: 'high' },
    ],
    [
      'none is the least where thinking cannot be switched off',
      { effort: 'none' },
      'google',
      { thinking: 'budget', budget: [128, 9000], alwaysThinks: true },
      { budgetTokens: 128 },
    ],
    ['none is none elsewhere', { effort: 'none' }, 'anthropic', { thinking: 'effort' }, { effort: 'none' }],
  ])('%s', (_, reasoning, dialect, wire, expected) => {
    expect(fitted({ reasoning }, dialect, wire).request.reasoning).toEqual(expected)
  })

  test('that a model cannot do is left out and named', () => {
    const { request, leftOut } = fitted({ reasoning: { effort: 'high' } }, 'openai', { thinking: 'none' })
    expect([request.reasoning, leftOut]).toEqual([undefined, ['reasoning']])
  })
})

describe('sampling', () => {
  test.each<[string, Partial<ChatRequest>, DialectId, ModelWire, string[]]>([
    [
      'keeps temperature where top_p excludes it',
      { temperature: 0.7, topP: 0.9 },
      'anthropic',
      { sampling: 'one' },
      ['top_p'],
    ],
    ['is not named where it was the usual value', { temperature: 1, topP: 1 }, 'anthropic', { sampling: 'one' }, []],
    [
      'gives way to thinking',
      { temperature: 0.2, reasoning: { effort: 'high' } },
      'anthropic',
      { samplingBesideThinking: false },
      ['temperature'],
    ],
    [
      'without a field is named',
      { seed: 1, topK: 3, presencePenalty: 1 },
      'openai-responses',
      {},
      ['top_k', 'seed', 'presence_penalty'],
    ],
    ['names top_k where it is unknown', { topK: 3 }, 'openai', { topK: false }, ['top_k']],
  ])('%s', (_, request, dialect, wire, expected) => {
    expect(fitted(request, dialect, wire).leftOut).toEqual(expected)
  })
})

describe('tools', () => {
  test('have names that the service takes, and the client its own in the answer', () => {
    const long = `mcp__${'server_'.repeat(12)}get`
    const { request, answer } = fitted(
      { tools: [{ name: long }, { name: 'files.read' }, { name: 'files_read' }] },
      'openai',
    )
    const names = request.tools?.map(({ name }) => name) ?? []
    expect(names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true)
    expect(new Set(names).size).toBe(3)
    expect(names.map((name) => answer?.toolNames?.get(name) ?? name)).toEqual([long, 'files.read', 'files_read'])
  })

  test('are only those that may be called', () => {
    const tools = [{ name: 'read' }, { name: 'delete' }]
    expect(fitted({ tools, allowedTools: ['read'], toolChoice: 'auto' }, 'anthropic').request.tools).toMatchObject([
      { name: 'read' },
    ])
  })

  test('are never chosen among where there are none', () => {
    const { request } = fitted({ toolChoice: 'required', parallelToolCalls: false }, 'openai')
    expect([request.toolChoice, request.parallelToolCalls]).toEqual([undefined, undefined])
  })

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['no properties', { type: 'object' }, { type: 'object', properties: {} }],
    ['no type', { properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
    [
      'alternatives',
      {
        anyOf: [
          { type: 'object', properties: { a: {} }, required: ['a'] },
          { type: 'object', properties: { b: {} } },
        ],
      },
      { type: 'object', properties: { a: {}, b: {} } },
    ],
    [
      'a reference',
      { $ref: '#/$defs/A', $defs: { A: { type: 'object', properties: { a: {} } } } },
      { type: 'object', properties: { a: {} }, $defs: { A: { type: 'object', properties: { a: {} } } } },
    ],
    [
      'old words',
      { type: 'object', properties: { n: { type: 'integer', minimum: 0, exclusiveMinimum: true } } },
      { type: 'object', properties: { n: { type: 'integer', exclusiveMinimum: 0 } } },
    ],
    [
      'texts for counts',
      { type: 'object', properties: { n: { type: 'string', minLength: '2' } } },
      { type: 'object', properties: { n: { type: 'string', minLength: 2 } } },
    ],
  ])('have whole schemas where the client’s has %s', (_, parameters, expected) => {
    expect(fitted({ tools: [{ name: 'f', parameters }] }, 'openai').request.tools?.[0]?.parameters).toEqual(expected)
  })
})

describe('an answer to a request that was said in another way', () => {
  const chunk = (delta: object, finish: string | null = null) =>
    JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })

  function read(request: Partial<ChatRequest>, ...events: readonly string[]): ChatChunk[] {
    const { answer } = fitted(request, 'openai')
    const reader = withChanges(dialectOf('openai'), answer ?? {}).upstream.streamReader()
    return [...events.flatMap((event) => reader.push('', event)), ...reader.end()]
  }
  const textOf = (chunks: readonly ChatChunk[]) =>
    chunks.map((one) => (one.type === 'text-delta' ? one.text : '')).join('')

  test('ends at a stop sequence that the service was not told, however it is cut', () => {
    const stop = ['1', '2', '3', '4', 'END']
    const chunks = read(
      { stop },
      chunk({ content: 'a E' }),
      chunk({ content: 'N' }),
      chunk({ content: 'D b' }),
      chunk({}, 'stop'),
    )
    expect(textOf(chunks)).toBe('a ')
    expect(chunks.at(-2)).toMatchObject({ type: 'finish', finishReason: 'stop', stopSequence: 'END' })
    expect(chunks.at(-1)).toEqual({ type: 'end' })
  })

  test('keeps what only began like a stop sequence', () => {
    expect(textOf(read({ stop: ['1', '2', '3', '4', 'END'] }, chunk({ content: 'THE EN' }), chunk({}, 'stop')))).toBe(
      'THE EN',
    )
  })

  test('has the call of a custom tool with its text', () => {
    const tools = [{ name: 'patch', custom: {} }]
    const begin = { index: 0, id: 'a', function: { name: 'patch', arguments: '{"input":"*** Be' } }
    const rest = { index: 0, function: { arguments: 'gin\\n"}' } }
    const chunks = read(
      { tools },
      chunk({ tool_calls: [begin] }),
      chunk({ tool_calls: [rest] }),
      chunk({}, 'tool_calls'),
    )
    expect(chunks).toContainEqual({ type: 'tool-call-delta', index: 0, arguments: '*** Begin\n' })
    expect(chunks).toContainEqual({
      type: 'tool-call',
      index: 0,
      id: 'a',
      name: 'patch',
      custom: true,
      arguments: '*** Begin\n',
    })
  })
})
