/** Arguments whose names Claude refuses: other names there and back, and the client never sees them. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { asArray, asRecord } from '../src/domain/json.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { DIALECTS, readBack } from './support/askGateway.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { textSoFar } from './support/textSoFar.ts'

const LONG = `a ${'very '.repeat(20)}long name`

/** Names that are refused: outermost, in lists, in definitions, in what refers to them, and two that would become one. */
const SCHEMA = {
  type: 'object',
  properties: {
    'filter[id]': { type: 'integer' },
    filter_id_: { type: 'string' },
    [LONG]: { type: 'string' },
    '': { type: 'string' },
    rows: { type: 'array', items: { $ref: '#/$defs/row' } },
    same: { $ref: '#/properties/filter[id]' },
    free: { type: 'object', additionalProperties: { type: 'string' } },
  },
  required: ['filter[id]', 'rows'],
  $defs: {
    row: {
      type: 'object',
      properties: { 'user name': { type: 'string' }, $top: { type: 'integer' } },
      required: ['user name'],
      default: { 'user name': 'Ana' },
    },
  },
}

const ARGUMENTS = {
  'filter[id]': 1,
  filter_id_: 'other',
  [LONG]: 'long',
  '': 'empty',
  rows: [{ 'user name': 'Ana', $top: 3 }],
  free: { user_name: 'kept', 'a b': 'kept too' },
}

type Body = Record<string, unknown>

/** What Claude is told in place of a name. */
function namesSent(body: unknown): readonly string[] {
  const schema = asRecord(asRecord(asArray(asRecord(body)?.['tools'])?.[0])?.['input_schema'])
  const row = asRecord(asRecord(schema?.['$defs'])?.['row'])
  return [schema, row].flatMap((one) => Object.keys(asRecord(one?.['properties']) ?? {}))
}

const LEGAL = /^[a-zA-Z0-9_.-]{1,64}$/
const WIRE_ARGUMENTS = (names: readonly string[]) => {
  const [id = '', other = '', long = '', empty = '', rows = '', , free = '', user = '', top = ''] = names
  return {
    [id]: 1,
    [other]: 'other',
    [long]: 'long',
    [empty]: 'empty',
    [rows]: [{ [user]: 'Ana', [top]: 3 }],
    [free]: ARGUMENTS.free,
  }
}

const PATHS: { readonly [D in DialectId]: (stream: boolean) => string } = {
  openai: () => '/v1/chat/completions',
  'openai-responses': () => '/v1/responses',
  anthropic: () => '/v1/messages',
  google: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
}

const text = JSON.stringify(ARGUMENTS)
/** A request with the tool, and with a call of an earlier turn. */
const BODIES: { readonly [D in DialectId]: Body } = {
  openai: {
    messages: [
      { role: 'user', content: 'Look' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: text } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'seen' },
      { role: 'user', content: 'Again' },
    ],
    tools: [{ type: 'function', function: { name: 'look', parameters: SCHEMA } }],
  },
  'openai-responses': {
    input: [
      { role: 'user', content: 'Look' },
      { type: 'function_call', call_id: 'c1', name: 'look', arguments: text },
      { type: 'function_call_output', call_id: 'c1', output: 'seen' },
      { role: 'user', content: 'Again' },
    ],
    tools: [{ type: 'function', name: 'look', parameters: SCHEMA, strict: false }],
  },
  anthropic: {
    max_tokens: 2048,
    messages: [
      { role: 'user', content: 'Look' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'look', input: ARGUMENTS }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c1', content: 'seen' },
          { type: 'text', text: 'Again' },
        ],
      },
    ],
    tools: [{ name: 'look', input_schema: SCHEMA }],
  },
  google: {
    contents: [
      { role: 'user', parts: [{ text: 'Look' }] },
      { role: 'model', parts: [{ functionCall: { name: 'look', args: ARGUMENTS } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'look', response: { output: 'seen' } } }] },
      { role: 'user', parts: [{ text: 'Again' }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: SCHEMA }] }],
  },
}

/** A world in which Claude calls the tool with these arguments, once and again. */
function worldOf(args: Body, provider = 'anthropic', model = 'claude-sonnet-4-5'): FakeScenario {
  const call = [{ tool: 'look', arguments: args }]
  return { providers: { [provider]: { models: { [model]: { turns: [call, call] } } } } }
}

const settings = { models: { m: ['*'] } }

interface Asked {
  readonly client: DialectId
  readonly stream: boolean
  readonly body?: Body
}

async function ask(args: Body, { client, stream, body = BODIES[client] }: Asked, world = worldOf(args)) {
  await using gateway = await openGateway(world, { settings })
  const asked = client === 'google' ? body : { model: 'm', ...body, stream }
  const response = await gateway.ask(PATHS[client](stream), asked, { 'anthropic-version': '2023-06-01' })
  const answer = await textSoFar(response)
  expect([response.status, answer]).toEqual([200, answer])
  const calls = readBack(client, answer, stream)?.content.filter((part) => part.type === 'tool-call') ?? []
  return { sent: gateway.fakes.calls.at(-1)?.body, calls }
}

describe.each(DIALECTS)('a client of %s', (client) => {
  test.each([false, true])('is called in its own names by Claude, streamed: %s', async (stream) => {
    const names = namesSent((await ask({}, { client, stream: false })).sent)
    expect(names.filter((name) => !LEGAL.test(name))).toEqual([])
    expect(new Set(names).size).toBe(names.length)
    const { calls } = await ask(WIRE_ARGUMENTS(names), { client, stream })
    expect(calls.map((call) => JSON.parse(call.arguments))).toEqual([ARGUMENTS])
  })

  test('has its earlier calls, and all that names a property, told in the names of the schema', async () => {
    const { sent } = await ask({}, { client, stream: false })
    const names = namesSent(sent)
    const body = asRecord(sent)
    const schema = asRecord(asRecord(asArray(body?.['tools'])?.[0])?.['input_schema']) ?? {}
    const row = asRecord(asRecord(schema['$defs'])?.['row']) ?? {}
    const [id, , , , , , , user] = names
    expect(schema['required']).toEqual([id, 'rows'])
    expect(row['required']).toEqual([user])
    expect(row['default']).toEqual({ [String(user)]: 'Ana' })
    expect(asRecord(schema['properties'])?.['same']).toEqual({ $ref: `#/properties/${id}` })
    const history = JSON.stringify(body?.['messages'])
    expect(history).toContain(JSON.stringify(WIRE_ARGUMENTS(names)))
  })
})

test('a request of Claude’s own dialect without such names passes as it is', async () => {
  const plain = {
    max_tokens: 99,
    messages: [{ role: 'user', content: 'Hi' }],
    tools: [{ name: 'look', input_schema: { type: 'object', properties: { a: {} } } }],
  }
  const { sent } = await ask({}, { client: 'anthropic', stream: false, body: plain })
  expect(sent).toMatchObject(plain)
})

test('beside a tool that runs at Anthropic the names of the others are mended as well', async () => {
  const { tools, ...rest } = BODIES.anthropic
  const server = { type: 'web_search_20250305', name: 'web_search' }
  const body = { ...rest, tools: [...(asArray(tools) ?? []), server] }
  const { sent } = await ask({}, { client: 'anthropic', stream: false, body })
  expect(namesSent(sent).filter((name) => !LEGAL.test(name))).toEqual([])
  expect(asArray(asRecord(sent)?.['tools'])?.[1]).toEqual(server)
})

test('services that take every name are told the client’s', async () => {
  for (const [provider, model] of [
    ['openai', 'gpt-4o'],
    ['google', 'gemini-2.5-flash'],
  ] as const) {
    const { sent, calls } = await ask(
      ARGUMENTS,
      { client: 'anthropic', stream: false },
      worldOf(ARGUMENTS, provider, model),
    )
    expect(JSON.stringify(sent)).toContain('filter[id]')
    expect(calls.map((call) => JSON.parse(call.arguments))).toEqual([ARGUMENTS])
  }
})

test('a name that the old field of Gemini may not have goes into the new one', async () => {
  const parametersOf = async (name: string) => {
    const body = {
      messages: [{ role: 'user', content: 'Look' }],
      tools: [
        {
          type: 'function',
          function: { name: 'look', parameters: { type: 'object', properties: { [name]: { type: 'string' } } } },
        },
      ],
    }
    const { sent } = await ask({}, { client: 'openai', stream: false, body }, worldOf({}, 'google', 'gemini-2.5-flash'))
    const tool = asRecord(asArray(asRecord(sent)?.['tools'])?.[0])
    return Object.keys(asRecord(asArray(tool?.['functionDeclarations'])?.[0]) ?? {})
  }
  expect(await parametersOf('user_name')).toEqual(['name', 'parameters'])
  expect(await parametersOf('user name')).toEqual(['name', 'parametersJsonSchema'])
})

test('a schema beyond the limits of OpenAI’s strict mode is told without it', async () => {
  const nested = (levels: number): Body =>
    levels === 0
      ? { type: 'string' }
      : { type: 'object', properties: { a: nested(levels - 1) }, required: ['a'], additionalProperties: false }
  const wide = (count: number): Body => {
    const names = Array.from({ length: count }, (_, index) => `${'name'.repeat(30)}${index}`)
    const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
    return { type: 'object', properties, required: names, additionalProperties: false }
  }
  const strictOf = async (schema: Body) => {
    const tools = [{ name: 'look', input_schema: schema, strict: true }]
    const body = { max_tokens: 99, messages: [{ role: 'user', content: 'Look' }], tools }
    const { sent } = await ask({}, { client: 'anthropic', stream: false, body }, worldOf({ a: '' }, 'openai', 'gpt-4o'))
    const tool = asRecord(asArray(asRecord(sent)?.['tools'])?.[0])
    return asRecord(tool?.['function'])?.['strict']
  }
  expect(await strictOf(nested(10))).toBe(true)
  expect(await strictOf(nested(11))).toBe(false)
  expect(await strictOf(wide(100))).toBe(true)
  expect(await strictOf(wide(1000))).toBe(false)
})
