/** Wishes that chat clients say in the forms of the servers they know reach services that have other words. */

import { describe, expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'

const HI = { role: 'user', content: 'Hi' }
const tool = (name: string) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: {} } },
})

async function ask(provider: string, model: string, path: string, body: object) {
  await using world = await openGateway({ providers: { [provider]: { models: { [model]: {} } } } })
  const response = await world.ask(path, { model: `${provider}/${model}`, ...body })
  expect([response.status, world.fakes.calls.map(({ status, refusal }) => [status, refusal])]).toEqual([
    200,
    [[200, undefined]],
  ])
  return {
    sent: world.fakes.calls[0]?.body as Record<string, unknown>, // JSON of ours
    leftOut: response.headers.get('x-keywise-left-out'),
  }
}

const CLAUDE = ['anthropic', 'claude-haiku-4-5'] as const
const GEMINI = ['google', 'gemini-2.5-flash'] as const
const ROUTER = ['openrouter', 'z-ai/glm-5.3-flash'] as const
const DEEPSEEK = ['deepseek', 'deepseek-v4-pro'] as const
const budgetOf = (thinkingBudget: number) => ({ generationConfig: { thinkingConfig: { thinkingBudget } } })

describe('how much to think', () => {
  test.each<[readonly [string, string], object, object]>([
    [CLAUDE, { reasoning: { max_tokens: 2000 } }, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    [CLAUDE, { reasoning: { effort: 'low' } }, { thinking: { type: 'enabled', budget_tokens: 1024 } }],
    [
      CLAUDE,
      { thinking: { type: 'enabled', budget_tokens: 3000 } },
      { thinking: { type: 'enabled', budget_tokens: 3000 } },
    ],
    [GEMINI, { reasoning: { enabled: false } }, budgetOf(0)],
    [GEMINI, { thinking: { type: 'disabled' } }, budgetOf(0)],
    [GEMINI, { reasoning: { enabled: true } }, budgetOf(8192)],
    [ROUTER, { reasoning: { effort: 'high' } }, { reasoning: { effort: 'high' } }],
    [DEEPSEEK, { thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }],
  ])('is told %j of %j', async ([provider, model], said, sent) => {
    const asked = await ask(provider, model, '/v1/chat/completions', { messages: [HI], max_tokens: 4000, ...said })
    expect(asked.sent).toMatchObject(sent)
    expect(asked.sent).not.toHaveProperty('reasoning_effort')
    expect(asked.leftOut).toBeNull()
  })

  test('is not said twice in a body that is written anew', async () => {
    const messages = [HI, { role: 'assistant', content: 'a', reasoning_content: 'Hm' }, HI]
    const { sent } = await ask(...ROUTER, '/v1/chat/completions', { messages, reasoning: { effort: 'high' } })
    expect(sent).toMatchObject({ reasoning: { effort: 'high' } })
    expect(sent).not.toHaveProperty('reasoning_effort')
  })
})

test.each([
  [
    { type: 'function', name: 'look' },
    { type: 'tool', name: 'look' },
  ],
  [
    { type: 'tool', name: 'look' },
    { type: 'tool', name: 'look' },
  ],
])('the choice %j is understood', async (tool_choice, sent) => {
  const body = { messages: [HI], tools: [tool('look'), tool('find')], tool_choice }
  expect((await ask(...CLAUDE, '/v1/chat/completions', body)).sent).toMatchObject({ tool_choice: sent })
})

test('a search beside functions in one entry of Gemini’s tools is named as left out', async () => {
  const tools = [{ googleSearch: {}, functionDeclarations: [{ name: 'look' }] }]
  const contents = [{ role: 'user', parts: [{ text: 'Hi' }] }]
  const asked = await ask(...CLAUDE, `/v1beta/models/${CLAUDE.join('/')}:generateContent`, { contents, tools })
  expect(asked.leftOut).toBe('googleSearch')
  expect(asked.sent).toMatchObject({ tools: [{ name: 'look' }] })
})
