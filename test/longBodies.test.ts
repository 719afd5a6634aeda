/**
 * Conversations through the whole gateway, also to services of the client's own dialect: a long request, of which only
 * an outline is read at first, is told as a short one is, and no service refuses what it gets.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import { fit as fitRequest } from '../src/dialects/fit/fit.ts'
import type { ChatRequest, DialectId, Message } from '../src/domain/chat.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { DIALECTS } from './support/askGateway.ts'
import { someConversation } from './support/conversations.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { textSoFar } from './support/textSoFar.ts'

const SERVICES: readonly (readonly [service: string, model: string])[] = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-5.1'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['anthropic', 'claude-opus-5-5'],
  ['google', 'gemini-2.5-flash'],
  ['google', 'gemini-3.8-flash'],
  ['google', 'gemma-3-27b-it'],
  ['groq', 'openai/gpt-oss-120b'],
  ['mistral', 'mistral-small-2603'],
  ['deepseek', 'deepseek-v4-flash'],
]

function scenario(): FakeScenario {
  const providers: FakeScenario['providers'] = {}
  for (const [service, model] of SERVICES)
    providers[service] = { models: { ...providers[service]?.models, [model]: { reply: 'Hello' } } }
  return { providers }
}

const PATHS: { readonly [D in DialectId]: (model: string) => string } = {
  openai: () => '/v1/chat/completions',
  'openai-responses': () => '/v1/responses',
  anthropic: () => '/v1/messages',
  google: (model) => `/v1beta/models/${model}:generateContent`,
}

/** The body that a client of the dialect sends. */
function bodyOf(client: DialectId, conversation: ChatRequest, model: string): Record<string, unknown> {
  const { request } = fitRequest(conversation, { dialect: client, wire: {}, maxOutputTokens: null, roomTokens: null })
  return dialectOf(client).upstream.writeRequest(request, model).body
}

const LONG = 'lengthy '.repeat(10_000)
const begun = (conversation: ChatRequest, text: string): ChatRequest => {
  const said: Message = { role: 'user', content: [{ type: 'text', text }] }
  return { ...conversation, messages: [said, ...conversation.messages] }
}

test('of conversations of every client', { timeout: 600_000 }, async () => {
  await using world = await openGateway(scenario(), {})
  const ask = async (client: DialectId, conversation: ChatRequest, model: string) => {
    const before = world.fakes.calls.length
    const response = await world.ask(PATHS[client](model), bodyOf(client, conversation, model), {
      'user-agent': `${client}/1`,
    })
    const text = await textSoFar(response)
    const calls = world.fakes.calls.slice(before)
    return {
      status: response.status,
      leftOut: response.headers.get('x-keywise-left-out'),
      error: response.ok ? null : text.slice(0, 400).replace(/kw_[\w-]+/, ''),
      sent: JSON.stringify(calls.at(-1)?.body ?? null).replace(LONG, 'short'),
      refusals: calls.flatMap(({ refusal }) => refusal ?? []),
    }
  }
  await fc.assert(
    fc.asyncProperty(
      someConversation,
      fc.constantFrom(...DIALECTS),
      fc.constantFrom(...SERVICES),
      async (conversation, client, [service, model]) => {
        const name = `${service}/${model}`
        // Once more, since the first of its kind may teach what the service refuses.
        await ask(client, begun(conversation, 'short'), name)
        const short = await ask(client, begun(conversation, 'short'), name)
        const long = await ask(client, begun(conversation, LONG), name)
        expect({ name, client, ...long }).toEqual({ name, client, ...short, refusals: [] })
      },
    ),
    { numRuns: Number(process.env['KEYWISE_CONVERSATIONS'] ?? 60) },
  )
})
