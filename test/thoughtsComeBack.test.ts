/** A conversation that comes back to a service of the client's own dialect after others have answered in between. */

import { describe, expect, test } from 'vitest'
import type { DialectId } from '../src/domain/chat.ts'
import { DIALECTS } from './support/askGateway.ts'
import { type GatewayWorld, openGateway } from './support/gatewayWorld.ts'

const MODELS: { readonly [D in DialectId]: readonly [provider: string, model: string] } = {
  openai: ['groq', 'openai/gpt-oss-120b'],
  'openai-responses': ['openai', 'gpt-5.1-codex'],
  anthropic: ['anthropic', 'claude-haiku-4-5'],
  google: ['google', 'gemini-3.5-flash'],
}
const nameOf = (dialect: DialectId) => MODELS[dialect].join('/')

function open(): Promise<GatewayWorld> {
  const providers = Object.values(MODELS).map(([provider, model]) => [
    provider,
    { models: { [model]: { thinks: 20, turns: [[{ tool: 'look' }, { tool: 'look' }], [{ tool: 'look' }], []] } } },
  ])
  return openGateway(
    { providers: Object.fromEntries(providers) },
    {
      reconfigure: (config) => ({
        ...config,
        openai: { ...config['openai'], dialect: ['openai', 'openai-responses'] },
      }),
    },
  )
}

const SCHEMA = { type: 'object', properties: {} }
type Fields = Readonly<Record<string, unknown>>
type Items = readonly Fields[]

/** How a client says a conversation, and what it adds to it after an answer: all it was given, and the tools' results. */
interface Client {
  readonly begin: Items
  ask(world: GatewayWorld, model: string, history: Items): Promise<Response>
  turn(answer: Fields): Items
}

const list = (value: unknown) => (Array.isArray(value) ? (value as Items) : []) // answers of ours
const CLIENTS: { readonly [D in 'openai-responses' | 'anthropic' | 'google']: Client } = {
  anthropic: {
    begin: [{ role: 'user', content: 'Look twice' }],
    ask: (world, model, messages) =>
      world.ask('/v1/messages', {
        model,
        max_tokens: 4000,
        thinking: { type: 'enabled', budget_tokens: 1024 },
        tools: [{ name: 'look', input_schema: SCHEMA }],
        messages,
      }),
    turn: ({ content }) => {
      const calls = list(content).filter(({ type }) => type === 'tool_use')
      const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'seen' }))
      return [{ role: 'assistant', content }, ...(results.length > 0 ? [{ role: 'user', content: results }] : [])]
    },
  },
  'openai-responses': {
    begin: [{ role: 'user', content: 'Look twice' }],
    ask: (world, model, input) =>
      world.ask('/v1/responses', {
        model,
        store: false,
        include: ['reasoning.encrypted_content'],
        reasoning: { effort: 'low', summary: 'auto' },
        tools: [{ type: 'function', name: 'look', parameters: SCHEMA }],
        input,
      }),
    turn: ({ output }) => [
      ...list(output),
      ...list(output)
        .filter(({ type }) => type === 'function_call')
        .map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'seen' })),
    ],
  },
  google: {
    begin: [{ role: 'user', parts: [{ text: 'Look twice' }] }],
    ask: (world, model, contents) =>
      world.ask(`/v1beta/models/${model}:generateContent`, {
        contents,
        generationConfig: { thinkingConfig: { includeThoughts: true } },
        tools: [{ functionDeclarations: [{ name: 'look' }] }],
      }),
    turn: (answer) => {
      const content = list(answer['candidates'])[0]?.['content'] as Fields | undefined // answers of ours
      const calls = list(content?.['parts']).flatMap(
        ({ functionCall }): Items => (functionCall === undefined ? [] : [functionCall as Fields]),
      )
      const parts = calls.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: 'seen' } } }))
      return [...(content ? [content] : []), ...(parts.length > 0 ? [{ role: 'user', parts }] : [])]
    },
  },
}

const PAIRS = (Object.keys(CLIENTS) as (keyof typeof CLIENTS)[]).flatMap((own) =>
  DIALECTS.filter((other) => other !== own).map((other) => [own, other] as const),
)

describe('from a service to another one and back', () => {
  test.each(PAIRS)('a client of %s is answered by each, with %s in between', async (own, other) => {
    await using world = await open()
    const client = CLIENTS[own]
    let history = client.begin
    for (const dialect of [other, own, other, own]) {
      const response = await client.ask(world, nameOf(dialect), history)
      expect([response.status, world.fakes.calls.at(-1)?.refusal, dialect]).toEqual([200, undefined, dialect])
      history = [...history, ...client.turn((await response.json()) as Fields)]
    }
    expect(world.fakes.calls).toHaveLength(4)
  })

  test.each(
    Object.entries(CLIENTS),
  )('a client of %s has its bytes passed where all is signed', async (name, client) => {
    await using world = await open()
    const own = name as keyof typeof CLIENTS // a key of CLIENTS
    const first = await client.ask(world, nameOf(own), client.begin)
    const history = [...client.begin, ...client.turn((await first.json()) as Fields)]
    const second = await client.ask(world, nameOf(own), history)
    expect([second.status, second.headers.get('x-keywise-left-out')]).toEqual([200, null])
    const sent = JSON.stringify(world.fakes.calls[1]?.body)
    expect(sent).toContain(JSON.stringify(history))
  })
})

describe('thoughts that their service hid, in a tool loop that moves to one that demands them', () => {
  const LOOK = { type: 'function', name: 'look', parameters: SCHEMA }
  const call = { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' }
  const output = { type: 'function_call_output', call_id: 'call_1', output: 'seen' }
  const hidden = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' }
  const use = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }
  const seen = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'seen' }] }
  const user = { role: 'user', content: 'Look' }
  const messages = (thought: object) => [user, { role: 'assistant', content: [thought, use] }, seen]
  const anthropic = { max_tokens: 4000, tools: [{ name: 'look', input_schema: SCHEMA }] }

  test.each<[string, string, object]>([
    ['OpenAI', '/v1/responses', { input: [user, hidden, call, output], tools: [LOOK] }],
    [
      'Claude',
      '/v1/messages',
      { ...anthropic, messages: messages({ type: 'thinking', thinking: '', signature: 'c2ln' }) },
    ],
    [
      'Claude, redacted',
      '/v1/messages',
      { ...anthropic, messages: messages({ type: 'redacted_thinking', data: 'eA' }) },
    ],
  ])('%s', async (_, path, body) => {
    await using world = await openGateway({ providers: { deepseek: { models: { 'deepseek-v4-flash': {} } } } })
    const response = await world.ask(path, { model: 'deepseek-v4-flash', ...body })
    const [sent] = world.fakes.calls
    expect([response.status, sent?.refusal, world.fakes.calls.length]).toEqual([200, undefined, 1])
    expect(sent?.body).toMatchObject({ thinking: { type: 'disabled' } })
  })
})
