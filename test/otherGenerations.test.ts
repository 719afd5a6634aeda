/** Clients of Anthropic and Gemini whose request goes to a model of another generation: same wire, other rules. */

import { expect, test } from 'vitest'
import { openGateway } from './support/gatewayWorld.ts'
import { textSoFar } from './support/textSoFar.ts'

type Body = Record<string, unknown>

const PNG = 'iVBORw0KGgoAAAANSUhEUg=='
const hi = [{ role: 'user', content: 'Hi' }]
const said = [{ role: 'user', parts: [{ text: 'Hi' }] }]
const tool = { name: 'f', input_schema: { type: 'object', properties: {} } }
const declared = [{ functionDeclarations: [{ name: 'f' }] }]
const seen = [
  ...said,
  { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] },
  {
    role: 'user',
    parts: [
      {
        functionResponse: {
          name: 'f',
          response: { output: 'seen' },
          parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }],
        },
      },
    ],
  },
]

interface Trial {
  readonly model: string
  readonly body: Body
  readonly leftOut: string | null
  /** What of the client's words is not sent, or is sent in the place of it. */
  readonly gone?: RegExp
  readonly sent?: RegExp
}

const CLAUDE: readonly Trial[] = [
  { model: 'claude-sonnet-4-5', body: { temperature: 0.2, top_p: 0.5 }, leftOut: 'top_p', gone: /top_p/ },
  {
    model: 'claude-opus-5-5',
    body: { tools: [tool], tool_choice: { type: 'any' } },
    leftOut: 'tool_choice',
    gone: /tool_choice/,
  },
  {
    model: 'claude-opus-5-5',
    body: { messages: [...hi, { role: 'assistant', content: 'The' }] },
    leftOut: null,
    sent: /Continue exactly where/,
  },
]
const GEMINI: readonly Trial[] = [
  {
    model: 'gemini-2.5-flash',
    body: { contents: said, tools: declared, generationConfig: { responseMimeType: 'application/json' } },
    leftOut: null,
    gone: /responseMimeType/,
    sent: /JSON/,
  },
  {
    model: 'gemini-2.5-flash',
    body: { contents: said, generationConfig: { presencePenalty: 0.5 } },
    leftOut: 'presence_penalty',
    gone: /Penalty/,
  },
  {
    model: 'gemini-2.5-flash',
    body: { contents: seen, tools: declared },
    leftOut: null,
    sent: /"role":"user","parts":\[\{"inlineData"/,
  },
  {
    model: 'gemini-2.5-pro',
    body: { contents: said, generationConfig: { thinkingConfig: { thinkingBudget: 0 } } },
    leftOut: null,
    sent: /"thinkingBudget":128/,
  },
  {
    model: 'gemma-3-27b-it',
    body: { contents: said, generationConfig: { thinkingConfig: { thinkingBudget: 2000 } } },
    leftOut: 'thinking',
    gone: /thinking/,
  },
]

async function ask(service: 'anthropic' | 'google', { model, body }: Trial) {
  await using world = await openGateway({ providers: { [service]: { models: { [model]: { reply: 'Hello' } } } } })
  const response =
    service === 'google'
      ? await world.ask(`/v1beta/models/${model}:generateContent`, body)
      : await world.ask('/v1/messages', { model, max_tokens: 4096, messages: hi, ...body })
  const text = await textSoFar(response)
  expect([response.status, text]).toEqual([200, text])
  expect(world.fakes.calls).toHaveLength(1)
  return { sent: JSON.stringify(world.fakes.calls[0]?.body), leftOut: response.headers.get('x-keywise-left-out') }
}

test.each([
  ...CLAUDE.map((trial) => ['anthropic', trial] as const),
  ...GEMINI.map((trial) => ['google', trial] as const),
])('%s: %j', async (service, trial) => {
  const { sent, leftOut } = await ask(service, trial)
  expect(leftOut).toBe(trial.leftOut)
  if (trial.gone !== undefined) expect(sent).not.toMatch(trial.gone)
  if (trial.sent !== undefined) expect(sent).toMatch(trial.sent)
})

test('a model of a name that is no vendor’s is told all that its client says', async () => {
  const model = 'kimi-k3'
  const models = { [model]: { reply: 'Hello' } }
  await using world = await openGateway({ providers: { server: { dialect: 'anthropic', strict: false, models } } })
  const body = { model, max_tokens: 4096, messages: hi, temperature: 0.2, top_p: 0.5, top_k: 5 }
  const response = await world.ask('/v1/messages', body)
  expect([response.status, response.headers.get('x-keywise-left-out')]).toEqual([200, null])
  expect(world.fakes.calls.map((call) => call.body)).toEqual([body])
})
