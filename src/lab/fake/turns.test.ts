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
