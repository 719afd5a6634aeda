/** What a service refuses of its own dialect, said by chat clients that were made for another service of it. */

import { describe, expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'

const HI = { role: 'user', content: 'Hi' }
const TOOLS = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
const LOOP = [
  HI,
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
  },
  { role: 'tool', tool_call_id: 'call_1', content: 'seen' },
]
const NOT_THINKING = { thinking: { type: 'disabled' } }

async function ask(provider: string, model: string, body: object, reply = 'Hello') {
  await using world = await openGateway({ providers: { [provider]: { models: { [model]: { reply } } } } })
  const response = await world.ask('/v1/chat/completions', { model, messages: [HI], ...body })
  const text = await response.text()
  expect([response.status, world.fakes.calls.map(({ status, refusal }) => [status, refusal]), text]).toEqual([
    200,
    [[200, undefined]],
    expect.any(String),
  ])
  return {
    text,
    leftOut: response.headers.get('x-keywise-left-out'),
    sent: world.fakes.calls[0]?.body as Record<string, unknown>, // JSON of ours
  }
}

describe('is taken at the first try', () => {
  test.each<[string, string, string, object, object, string | null]>([
    [
      'a tool loop that another model began',
      'deepseek',
      'deepseek-v4-pro',
      { messages: LOOP, tools: TOOLS },
      NOT_THINKING,
      null,
    ],
    [
      'ids of calls that come again in each turn',
      'deepseek',
      'deepseek-v4-pro',
      { messages: [...LOOP, ...LOOP.slice(1)], tools: TOOLS },
      NOT_THINKING,
      null,
    ],
    [
      'a forced tool beside an effort',
      'deepseek',
      'deepseek-v4-pro',
      { tools: TOOLS, tool_choice: 'required', reasoning_effort: 'high' },
      { ...NOT_THINKING, tool_choice: 'required' },
      'reasoning',
    ],
    [
      'a temperature above its highest',
      'mistral',
      'mistral-small-2603',
      { temperature: 1.9 },
      { temperature: 1.5 },
      'temperature',
    ],
    ['a usual temperature', 'mistral', 'mistral-small-2603', { temperature: 0.7 }, { temperature: 0.7 }, null],
  ])('%s by %s', async (_, provider, model, body, sent, leftOut) => {
    const asked = await ask(provider, model, body)
    expect(asked.sent).toMatchObject(sent)
    expect(asked.leftOut).toBe(leftOut)
  })

  test('the thoughts of its own tool loop', async () => {
    const [user, call, result] = LOOP
    const messages = [user, { ...call, reasoning_content: 'I should look.' }, result]
    const { sent } = await ask('deepseek', 'deepseek-v4-pro', { messages, tools: TOOLS })
    expect(sent).not.toHaveProperty('thinking')
    expect(JSON.stringify(sent)).toContain('I should look.')
  })
})

describe.each([
  ['openai', 'gpt-6-luna'],
  ['xai', 'grok-4.5'],
])('a stop sequence that %s does not take', (provider, model) => {
  test.each([false, true])('ends the answer all the same (stream: %s)', async (stream) => {
    const { sent, text } = await ask(provider, model, { stop: ['END'], stream }, 'one END two')
    expect(sent).not.toHaveProperty('stop')
    expect(text).toContain('one')
    expect(text).not.toMatch(/END|two/)
    expect(text).toContain('"finish_reason":"stop"')
  })
})

test('Claude goes no hotter than 1, and it is said', async () => {
  await using world = await openGateway({ providers: { anthropic: { models: { 'claude-haiku-4-5': {} } } } })
  const response = await world.ask('/v1/chat/completions', {
    model: 'claude-haiku-4-5',
    messages: [HI],
    temperature: 1.9,
  })
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, 'temperature'])
  expect(world.fakes.calls[0]?.body).toMatchObject({ temperature: 1 })
})

describe('an answer that keywise ends at a stop sequence', () => {
  const CLIENTS: readonly [string, object, RegExp][] = [
    ['/v1/chat/completions', { messages: [HI], stop: ['END'] }, /data: \[DONE\]\n\n$/],
    [
      '/v1/messages',
      { messages: [HI], max_tokens: 50, stop_sequences: ['END'] },
      /"stop_sequence":"END"[\s\S]*event: message_stop/,
    ],
  ]
  test.each(
    CLIENTS,
  )('is whole for a client of %s, however long the model would have gone on', async (path, body, end) => {
    const reply = `one END ${'two '.repeat(2000)}`
    await using world = await openGateway({
      providers: { openai: { models: { 'gpt-6-luna': { reply, tokens_per_second: 2000 } } } },
    })
    const response = await world.ask(path, { model: 'gpt-6-luna', stream: true, ...body })
    const text = await response.text()
    expect([response.status, text]).toEqual([200, expect.stringMatching(end)])
    expect(text).not.toMatch(/error"|two/)
  })
})

describe('a wish to think that another generation takes', () => {
  const claude = (thinking: object, more: object = {}) => ({ max_tokens: 4000, messages: [HI], thinking, ...more })
  const gemini = (thinkingConfig: object) => ({
    contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    generationConfig: { thinkingConfig },
  })
  const ADAPTIVE = { type: 'adaptive' }
  const BUDGET = { type: 'enabled', budget_tokens: 3000 }
  test.each<[string, string, object, object]>([
    ['anthropic', 'claude-haiku-4-5', claude(ADAPTIVE), { thinking: { type: 'enabled' } }],
    [
      'anthropic',
      'claude-haiku-4-5',
      claude(ADAPTIVE, { output_config: { effort: 'low' } }),
      { thinking: { type: 'enabled', budget_tokens: 1024 } },
    ],
    ['anthropic', 'claude-sonnet-5', claude(BUDGET), { thinking: ADAPTIVE, output_config: { effort: 'medium' } }],
    ['anthropic', 'claude-opus-5-5', claude({ type: 'disabled' }), { thinking: ADAPTIVE }],
    ['anthropic', 'claude-sonnet-5', claude(ADAPTIVE), claude(ADAPTIVE)],
    ['anthropic', 'claude-haiku-4-5', claude(BUDGET), claude(BUDGET)],
    ['anthropic', 'claude-haiku-4-5', claude({ type: 'disabled' }), claude({ type: 'disabled' })],
    ['google', 'gemini-2.5-flash', gemini({ thinkingLevel: 'HIGH' }), gemini({ thinkingBudget: 24_576 })],
    ['google', 'gemini-2.5-flash', gemini({ thinkingBudget: 32_768 }), gemini({ thinkingBudget: 24_576 })],
    ['google', 'gemini-2.5-pro', gemini({ thinkingBudget: 100 }), gemini({ thinkingBudget: 128 })],
    ['google', 'gemini-2.5-flash', gemini({ thinkingBudget: -1 }), gemini({ thinkingBudget: -1 })],
    ['google', 'gemini-3.5-flash', gemini({ thinkingLevel: 'low' }), gemini({ thinkingLevel: 'low' })],
  ])('is told %s %s in its own form: %j', async (provider, model, body, sent) => {
    await using world = await openGateway({ providers: { [provider]: { models: { [model]: {} } } } })
    const path = provider === 'google' ? `/v1beta/models/${model}:generateContent` : '/v1/messages'
    const response = await world.ask(path, { model, ...body })
    expect([response.status, world.fakes.calls.map(({ status, refusal }) => [status, refusal])]).toEqual([
      200,
      [[200, undefined]],
    ])
    expect(world.fakes.calls[0]?.body).toMatchObject(sent)
  })
})

describe.each([
  ['groq', 'openai/gpt-oss-120b'],
  ['cerebras', 'gpt-oss-120b'],
  ['mistral', 'mistral-small-2603'],
  ['xai', 'grok-4.5'],
])('%s is not told of an answer', (provider, model) => {
  test.each([
    [
      'what it does not hold',
      { content: 'Hello', refusal: null, annotations: [], audio: null, function_call: null },
      'Hello',
    ],
    ['in a field that it does not know', { content: null, refusal: 'I will not.' }, 'I will not.'],
  ])('%s', async (_, answer, words) => {
    const { sent } = await ask(provider, model, { messages: [HI, { role: 'assistant', ...answer }, HI] })
    expect(JSON.stringify(sent)).not.toMatch(/refusal|annotations|audio|function_call/)
    expect(JSON.stringify(sent)).toContain(words)
  })
})

describe.each([
  'openai',
  'openai-responses',
  'anthropic',
  'google',
] as const)('a model of %s that its user says does not reason', (dialect) => {
  const USER = { role: 'user', content: 'Hi' }
  const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
  test.each<[string, object]>([
    ['/v1/chat/completions', { messages: [USER], reasoning_effort: 'high' }],
    ['/v1/chat/completions', { messages: [USER], reasoning: { effort: 'high' } }],
    ['/v1/responses', { input: 'Hi', reasoning: { effort: 'high' } }],
    ['/v1/messages', { messages: [USER], max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 2000 } }],
    [
      '/v1beta/models/own/m:generateContent',
      { contents, generationConfig: { thinkingConfig: { thinkingBudget: 2000 } } },
    ],
  ])('is not asked to by a client of %s %j, which is told', async (path, body) => {
    await using world = await openGateway(
      { providers: { own: { dialect, models: { m: {} } } } },
      {
        reconfigure: (config) => ({
          own: { ...config['own'], models: [{ id: 'm', abilities: { reasoning: false } }] },
        }),
      },
    )
    const response = await world.ask(path, { model: 'own/m', ...body })
    expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, 'reasoning'])
    expect(JSON.stringify(world.fakes.calls[0]?.body)).not.toMatch(/reasoning|thinking/)
  })
})
