import { expect, test } from 'vitest'
import { until } from '../../../test/support/gatewayWorld.ts'
import { callModel, fakeKey, openWorld, userMessage } from '../../../test/support/labCall.ts'
import type { Message, ToolCallPart } from '../../domain/chat.ts'
import { exampleValue } from './example.ts'
import type { FakeScenario } from './scenario.ts'

const own = (model: object): FakeScenario => ({
  providers: { own: { dialect: 'openai', keys: { [fakeKey('own')]: {} }, models: { m: model } } },
})

const TOOLS = [{ name: 'look_up', parameters: { type: 'object' } }, { name: 'note' }]
const TURNS = [
  [{ tool: 'look_up', arguments: { city: 'Oslo' } }, { tool: 'absent' }],
  [{ tool: 'note' }, { tool: 'look_up', arguments: { city: 'Bergen' } }],
  [{ tool: 'absent' }],
]

test('a simulated model calls the tools of one turn after another, and repeats what they said', async () => {
  const world = await openWorld(own({ turns: TURNS, reply: 'All of it: {results}' }))
  const messages: Message[] = [userMessage('Go')]
  const calls: string[][] = []
  let text = ''
  while (text === '') {
    const { outcome } = await callModel(world, 'own', 'm', { messages, tools: TOOLS })
    if (!outcome.ok) throw new Error(JSON.stringify(outcome))
    const { content } = outcome.response
    const asked = content.filter((part): part is ToolCallPart => part.type === 'tool-call')
    text = content.map((part) => (part.type === 'text' ? part.text : '')).join('')
    calls.push(asked.map((call) => `${call.name} ${call.arguments}`))
    messages.push({ role: 'assistant', content })
    for (const call of asked) messages.push(answerTo(call))
  }
  expect(calls).toEqual([['look_up {"city":"Oslo"}'], ['note {}', 'look_up {"city":"Bergen"}'], []])
  expect(text).toBe('All of it: look_up {"city":"Oslo"} | note {} | look_up {"city":"Bergen"}')
})

test('a simulated model that is told of its calls and their results in words goes on to its next turn', async () => {
  const world = await openWorld(own({ turns: TURNS }))
  const said = { role: 'assistant', content: [{ type: 'text', text: 'Calling look_up' }] } as const
  const messages = [userMessage('Go'), said, userMessage('Observation: rain')]
  const { outcome } = await callModel(world, 'own', 'm', { messages, tools: TOOLS })
  const names = outcome.ok && outcome.response.content.map((part) => part.type === 'tool-call' && part.name)
  expect(names).toEqual(['note', 'look_up'])
})

const answerTo = ({ id, name, arguments: text }: ToolCallPart): Message => ({
  role: 'tool',
  content: [{ type: 'tool-result', toolCallId: id, content: [{ type: 'text', text: `${name} ${text}` }] }],
})

test('a simulated provider knows what an answer cost, and whether its caller went away', async () => {
  const world = await openWorld(own({ reply: 'A slow word.', tokens_per_second: 1 }))
  const { usage } = await callModel(world, 'own', 'm')
  expect(world.calls[0]).toMatchObject({ usage, left: false })
  await callModel(world, 'own', 'm', { stream: true, idleMs: 50 })
  await until(() => world.calls[1]?.left === true, 'the end of the call')
})

const EXAMPLES: readonly (readonly [says: string, schema: object, example: unknown])[] = [
  ['the first value of an enum', { enum: ['Oslo', 'Bergen'] }, 'Oslo'],
  ['a constant', { const: 7 }, 7],
  ['one item of a list', { type: 'array', items: { type: 'integer' } }, [1]],
  ['the first of several types', { type: ['boolean', 'null'] }, true],
  ['the first of several schemas', { anyOf: [{ type: 'number' }, { type: 'null' }] }, 1.5],
  ['a type in the capitals of Gemini', { type: 'OBJECT', properties: { a: { type: 'STRING' } } }, { a: 'text' }],
  [
    'what a reference names',
    {
      properties: { place: { $ref: '#/$defs/Place' } },
      $defs: { Place: { type: 'object', properties: { inland: { type: 'boolean' } } } },
    },
    { place: { inland: true } },
  ],
]

for (const [says, schema, example] of EXAMPLES) {
  test(`an example of a schema has ${says}`, () => {
    expect(exampleValue(schema as Record<string, unknown>)).toEqual(example)
  })
}

test('an example of a schema that refers to itself ends', () => {
  const schema = { properties: { next: { $ref: '#' } } }
  expect(JSON.stringify(exampleValue(schema)).length).toBeLessThan(200)
})

test('a simulated model that is asked for a summary gives it, and takes its step afterwards', async () => {
  const summary = { asked_by: 'Sum it up', reply: 'So far.' }
  const world = await openWorld(own({ steps: [[{ tool: 'note' }]], summary }))
  const said: unknown[] = []
  for (const prompt of ['Sum it up, please.', 'Go on.']) {
    const { outcome } = await callModel(world, 'own', 'm', { messages: [userMessage(prompt)], tools: TOOLS })
    said.push(outcome.ok ? outcome.response.content[0] : outcome)
  }
  expect(said).toMatchObject([{ type: 'text', text: 'So far.' }, { name: 'note' }])
})

test.each([
  [true, ['look_up', 'note', undefined]],
  [undefined, ['look_up', 'look_up', 'look_up']],
])('a simulated model knows its step in a conversation that shows none only if it counts (%s)', async (counts, names) => {
  const world = await openWorld(own({ steps: [[{ tool: 'look_up' }], [{ tool: 'note' }]], counts_steps: counts }))
  const called: unknown[] = []
  for (const _ of names) {
    const { outcome } = await callModel(world, 'own', 'm', { messages: [userMessage('Go')], tools: TOOLS })
    const [part] = outcome.ok ? outcome.response.content : []
    called.push(part?.type === 'tool-call' ? part.name : undefined)
  }
  expect(called).toEqual(names)
})

test('a window of a simulated model holds the tools as well as the messages', async () => {
  const world = await openWorld(own({ context_tokens: 200 }))
  const large = [{ name: 'look_up', description: 'word '.repeat(200), parameters: { type: 'object' } }]
  expect((await callModel(world, 'own', 'm', { messages: [userMessage('Go')] })).outcome.ok).toBe(true)
  const { outcome } = await callModel(world, 'own', 'm', { messages: [userMessage('Go')], tools: large })
  expect(outcome).toMatchObject({ ok: false, failure: { kind: 'context_too_long', limitTokens: 200 } })
})

test.each([
  'openai',
  'openai-responses',
  'anthropic',
  'google',
] as const)('no two answers of simulated providers of %s have the same id, in whatever world', async (dialect) => {
  const scenario = { providers: { own: { dialect, keys: { [fakeKey('own')]: {} }, models: { m: {} } } } }
  const ids: (string | undefined)[] = []
  for (const world of [await openWorld(scenario), await openWorld(scenario)])
    for (const stream of [false, true]) {
      const { outcome } = await callModel(world, 'own', 'm', { stream })
      ids.push(outcome.ok ? outcome.response.id : JSON.stringify(outcome))
    }
  expect(new Set(ids).size).toBe(4)
  expect(ids).not.toContain(undefined)
})
