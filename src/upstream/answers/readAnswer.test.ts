import { describe, expect, test } from 'vitest'
import type { ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { FirstContent } from './firstContent.ts'
import { type Demand, readAnswer, readBegun } from './readAnswer.ts'

type Content = ChatResponse['content']

const text = (said: string): Content => [{ type: 'text', text: said }]
const thought: Content = [{ type: 'reasoning', text: 'Hm.' }]
const call = (name: string, args = '{}', custom?: true): Content => [
  { type: 'tool-call', id: 'c', name, arguments: args, ...(custom && { custom }) },
]
const asking = (request: Partial<ChatRequest> = {}, anyAnswer = false): Demand => ({ request, anyAnswer })
const JSON_ASKED = asking({ responseFormat: { type: 'json' } })
const TOOLS = asking({ tools: [{ name: 'f' }] })

function kindOf(content: Content, more: Partial<ChatResponse> = {}, expected = asking()): string {
  const read = readAnswer({ model: 'm', content, finishReason: 'stop', ...more }, expected)
  return read.ok ? (read.healed ? 'healed' : 'ok') : read.kind
}

describe('readAnswer() calls', () => {
  test.each([
    ['text', kindOf(text('Hi')), 'ok'],
    ['no content', kindOf([]), 'empty'],
    ['white space', kindOf(text(' \n\t')), 'empty'],
    ['thoughts alone', kindOf(thought), 'empty'],
    ['thoughts and white space', kindOf([...thought, ...text('\n')]), 'empty'],
    ['nothing for an unknown reason', kindOf([], { finishReason: 'other' }), 'empty'],
    ['a call', kindOf(call('f'), { finishReason: 'tool_calls' }, TOOLS), 'ok'],
    ['a picture', kindOf([{ type: 'image', url: 'https://example.com/a.png' }]), 'ok'],
    ['what only bytes pass on', kindOf([], { opaque: true }), 'ok'],
    ['nothing within the caller’s limit', kindOf([], { finishReason: 'length' }), 'ok'],
    ['thoughts within the caller’s limit', kindOf(thought, { finishReason: 'length' }), 'ok'],
    ['nothing before the caller’s stop sequence', kindOf([], { stopSequence: 'END' }), 'ok'],
    ['a blocked answer', kindOf([], { finishReason: 'content_filter' }), 'content_filter'],
    ['an answer blocked later', kindOf(text('Hi'), { finishReason: 'content_filter' }), 'content_filter'],
    ['an answer that the model gave up', kindOf([], { finishReason: 'error' }), 'malformed'],
    ['text that the model gave up', kindOf(text('Hi'), { finishReason: 'error' }), 'malformed'],
  ])('%s by its name', (_, kind, expected) => expect(kind).toBe(expected))

  test.each([
    ['a tool that is offered', kindOf(call('f', '{"a":1}'), {}, TOOLS), 'ok'],
    ['a tool that is not offered', kindOf(call('g'), {}, TOOLS), 'malformed'],
    ['any tool where none is offered', kindOf(call('f'), {}, asking()), 'malformed'],
    ['broken arguments', kindOf(call('f', '{"a":'), {}, TOOLS), 'malformed'],
    ['arguments cut by the caller’s limit', kindOf(call('f', '{"a":'), { finishReason: 'length' }, TOOLS), 'ok'],
    ['no arguments', kindOf(call('f', ''), {}, TOOLS), 'ok'],
    ['null as arguments', kindOf(call('f', 'null'), {}, TOOLS), 'ok'],
    ['a call beside text', kindOf([...text('Wait.'), ...call('g')], {}, TOOLS), 'malformed'],
    ['a custom tool with text as its input', kindOf(call('f', 'SELECT 1', true), {}, TOOLS), 'ok'],
    ...['tools', 'functions', 'mcp_servers', 'previous_response_id', 'prompt', 'cachedContent'].map((field) => [
      `a tool that may come with ${field}`,
      kindOf(call('g'), {}, asking({ extra: { dialect: 'openai', fields: { [field]: ['x'] } } })),
      'ok',
    ]),
  ])('a call of %s by its name', (_, kind, expected) => expect(kind).toBe(expected))

  test.each([
    ['JSON', kindOf(text('{"a":1}'), {}, JSON_ASKED), 'ok'],
    ['JSON in a fence', kindOf(text('```json\n{"a":1}\n```'), {}, JSON_ASKED), 'healed'],
    ['prose', kindOf(text('Sure!'), {}, JSON_ASKED), 'malformed'],
    ['JSON cut by the caller’s limit', kindOf(text('{"a":'), { finishReason: 'length' }, JSON_ASKED), 'ok'],
    [
      'a call in the place of JSON',
      kindOf(call('f'), {}, asking({ ...JSON_ASKED.request, tools: [{ name: 'f' }] })),
      'ok',
    ],
    [
      'an array for a schema of one',
      kindOf(text('Here: [1]'), {}, asking({ responseFormat: { type: 'json-schema', schema: { type: 'array' } } })),
      'healed',
    ],
    ['prose where text is asked for', kindOf(text('Sure!'), {}, asking({ responseFormat: { type: 'text' } })), 'ok'],
  ])('%s where JSON is asked for by its name', (_, kind, expected) => expect(kind).toBe(expected))

  test.each([
    ['thoughts alone', kindOf(thought, {}, asking({}, true)), 'ok'],
    ['hidden thoughts', kindOf([], { usage: USAGE }, asking({}, true)), 'ok'],
    ['nothing at all', kindOf([], {}, asking({}, true)), 'empty'],
    ['prose for JSON', kindOf(text('Sure!'), {}, asking(JSON_ASKED.request, true)), 'ok'],
    ['an unknown tool', kindOf(call('g'), {}, asking({}, true)), 'ok'],
    ['a block without text', kindOf([], { finishReason: 'content_filter' }, asking({}, true)), 'content_filter'],
    ['a block behind text', kindOf(text('Hi'), { finishReason: 'content_filter' }, asking({}, true)), 'ok'],
  ])('%s of a test by its name', (_, kind, expected) => expect(kind).toBe(expected))

  test('the healed answer by what is left of it', () => {
    const content: Content = [...thought, ...text('Here:\n'), ...text('{"a":1}')]
    const read = readAnswer({ model: 'm', content, finishReason: 'stop' }, JSON_ASKED)
    expect(read.ok && read.response.content).toEqual([...thought, ...text('{"a":1}')])
  })
})

const USAGE = { inputTokens: 1, outputTokens: 9, totalTokens: 10, reasoningTokens: 9, estimated: false }

test('readBegun() judges no form of an answer that has begun', () => {
  const begun = (content: Content, finishReason: ChatResponse['finishReason'] = 'stop') =>
    readBegun({ model: 'm', content, finishReason }, JSON_ASKED)
  expect(begun(text('Sure!')).ok).toBe(true)
  expect(begun(call('g')).ok).toBe(true)
  expect(begun([], 'error').ok).toBe(true)
  expect(begun(thought)).toMatchObject({ ok: false, kind: 'empty' })
  expect(begun(text('Hi'), 'content_filter')).toMatchObject({ ok: false, kind: 'content_filter' })
})

describe('FirstContent sees', () => {
  const begin = { type: 'tool-call-start', index: 0, id: 'c' } as const
  test.each([
    ['nothing in white space', asking(), [{ type: 'text-delta', text: ' \n' }], 'nothing'],
    [
      'nothing in a start, usage and a finish',
      asking(),
      [{ type: 'start' }, { type: 'finish', finishReason: 'stop' }],
      'nothing',
    ],
    ['thoughts', asking(), [{ type: 'reasoning-delta', text: 'Hm' }], 'thought'],
    ['hidden thoughts', asking(), [{ type: 'reasoning-delta', text: '', redacted: true }], 'thought'],
    [
      'content behind thoughts',
      asking(),
      [
        { type: 'reasoning-delta', text: 'Hm' },
        { type: 'text-delta', text: 'Hi' },
      ],
      'content',
    ],
    ['content in what only bytes pass on', asking(), [{ type: 'opaque' }], 'content'],
    ['content in a call', TOOLS, [{ ...begin, name: 'f' }], 'content'],
    ['doubt in a call of an unknown tool', TOOLS, [{ ...begin, name: 'g' }], 'doubt'],
    [
      'content in a bracket',
      JSON_ASKED,
      [
        { type: 'text-delta', text: '\n' },
        { type: 'text-delta', text: ' {"a' },
      ],
      'content',
    ],
    [
      'doubt in prose',
      JSON_ASKED,
      [
        { type: 'text-delta', text: 'Sure: ' },
        { type: 'text-delta', text: '{' },
      ],
      'doubt',
    ],
    ['doubt in a fence', JSON_ASKED, [{ type: 'text-delta', text: '```json\n{' }], 'doubt'],
  ] as const)('%s', (_, expected, chunks, sight) => {
    const seen = new FirstContent(expected)
    let last = seen.look([])
    for (const chunk of chunks) last = seen.look([chunk])
    expect(last).toBe(sight)
    expect(new FirstContent(expected).look(chunks)).toBe(sight)
  })
})
