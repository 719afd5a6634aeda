/** A foreign upstream: @copilotkit/aimock speaks OpenAI, Anthropic and Gemini, and fails on demand. */

import { LLMock } from '@copilotkit/aimock'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { trailOf } from './support/lab.ts'

const mock = new LLMock({ port: 0 })

beforeAll(() => mock.start())
afterAll(() => mock.stop())
beforeEach(() => {
  mock.reset()
  mock.onMessage(/weather/, { toolCalls: [{ name: 'weather', arguments: '{"city":"Malaga"}' }] })
  mock.onMessage(
    /broken/,
    { content: 'This answer will not arrive whole, sorry about that' },
    { truncateAfterChunks: 2 },
  )
  mock.onMessage(/hello/, { content: 'Hello from a stranger' })
})

const PROVIDERS = [
  { name: 'openai', dialect: 'openai', path: '/v1', model: 'gpt-4o' },
  { name: 'responses', dialect: 'openai-responses', path: '/v1', model: 'gpt-4o' },
  { name: 'anthropic', dialect: 'anthropic', path: '/v1', model: 'claude-sonnet-4-5' },
  { name: 'google', dialect: 'google', path: '/v1beta', model: 'gemini-2.5-flash' },
] as const

async function withManager(
  { name, dialect, path, model }: (typeof PROVIDERS)[number],
  use: (manager: APIManager) => Promise<void>,
): Promise<void> {
  const api_keys = ['fake-stranger-key-1', 'fake-stranger-key-2']
  const config = {
    [name]: { dialect, endpoint: `${mock.url}${path}`, api_keys, models: [model] },
    settings: { routing: { strategy: 'priority' }, timeouts: { idle_ms: 500 } },
  }
  const manager = new APIManager({ config, env: {}, logger: false, random: () => 0 })
  try {
    await use(manager)
  } finally {
    await manager.close()
  }
}

for (const provider of PROVIDERS) {
  describe(`aimock as ${provider.name}`, () => {
    test('answers, plain and streamed', () =>
      withManager(provider, async (manager) => {
        const plain = await manager.callWithFallback('hello')
        expect(plain).toMatchObject({ content: 'Hello from a stranger', finishReason: 'stop' })
        const streamed = await manager.streamWithFallback('hello').result
        expect(streamed).toMatchObject({ content: 'Hello from a stranger', finishReason: 'stop' })
      }))

    test('calls a tool, plain and streamed', () =>
      withManager(provider, async (manager) => {
        const context = {
          prompt: 'weather',
          tools: [{ name: 'weather', parameters: { type: 'object', properties: {} } }],
        }
        for (const result of [
          await manager.callWithFallback(context),
          await manager.streamWithFallback(context).result,
        ]) {
          expect(result.finishReason).toBe('tool_calls')
          expect(result.toolCalls.map(({ name, arguments: args }) => [name, JSON.parse(args)])).toEqual([
            ['weather', { city: 'Malaga' }],
          ])
        }
      }))

    test('an injected failure goes on to the next key', () =>
      withManager(provider, async (manager) => {
        mock.nextRequestError(429, { message: 'Rate limit exceeded', type: 'rate_limit_error' })
        const result = await manager.callWithFallback('hello')
        expect(trailOf(result.attempts)).toMatch(/#1=rate_minute; .*#2=ok$/)
        mock.nextRequestError(401, { message: 'Invalid API key', type: 'authentication_error' })
        const second = await manager.callWithFallback({ prompt: 'hello', maxAttempts: 1 }).catch((error) => error)
        expect(second.attempts[0]).toMatchObject({ keyIndex: 2, failureKind: 'auth_invalid' })
      }))

    test('a stream that is cut throws', () =>
      withManager(provider, async (manager) => {
        const error = await manager.streamWithFallback('broken').result.catch((thrown) => thrown)
        expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED' })
      }))
  })
}
