/** What keywise makes of usage that no honest upstream reports, or that none reports at all. */

import { createServer } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { told } from './support/lab.ts'
import { listening } from './support/listening.ts'
import { budget } from './support/spendWorld.ts'

const PRICE = { input: 1, output: 1000 }
const TEXT = 'It was the best of times, it was the worst of times, it was the age of wisdom.'

/** An upstream that answers everything with this body, or with these events. */
async function answering(body: object | readonly object[]): Promise<APIManager> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(200, { 'content-type': Array.isArray(body) ? 'text/event-stream' : 'application/json' })
    const events = Array.isArray(body) ? body.map((event) => `data: ${JSON.stringify(event)}\n\n`) : []
    response.end(Array.isArray(body) ? `${events.join('')}data: [DONE]\n\n` : JSON.stringify(body))
  })
  const endpoint = `${await listening(server)}/v1`
  const mine = { dialect: 'openai', endpoint, api_key: 'fake-key-000000', models: [{ id: 'm', price: PRICE }] }
  const config = { mine, settings: { budgets: [budget(1000)] } }
  const manager = new APIManager({ config, env: {}, logger: false })
  onTestFinished(() => manager.close())
  return manager
}

const answer = (usage?: unknown) => ({
  id: 'x',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
  ...(usage !== undefined && { usage }),
})

describe('usage', () => {
  for (const { name, usage } of [
    { name: 'that is missing', usage: undefined },
    { name: 'that is negative', usage: { prompt_tokens: -5, completion_tokens: -5, total_tokens: -10 } },
    { name: 'that is absurd', usage: { prompt_tokens: 1e300, completion_tokens: 1e300, total_tokens: 1e300 } },
    { name: 'in words', usage: { prompt_tokens: 'NaN', completion_tokens: 'many', total_tokens: {} } },
    { name: 'that is no object', usage: [1, 2] },
  ])
    test(`${name} is counted from the text, marked, and priced`, async () => {
      const manager = await answering(answer(usage))
      const { result } = await told(manager, 'Tell me how it was, in one sentence, please.')
      expect(result?.usage.estimated).toBe(true)
      expect(result?.usage.inputTokens).toBeGreaterThan(6)
      expect(result?.usage.inputTokens).toBeLessThan(16)
      expect(result?.usage.outputTokens).toBeGreaterThan(14)
      expect(result?.usage.outputTokens).toBeLessThan(26)
      const [row] = manager.engine.store.attempts({})
      expect(row?.costNanoUsd).toBe((row?.usage?.inputTokens ?? 0) * 1000 + (row?.usage?.outputTokens ?? 0) * 1_000_000)
      expect(manager.engine.learned.budgets.spent('all', manager.engine.now)).toBe(row?.costNanoUsd)
    })

  for (const { name, usage, input, output } of [
    { name: 'prompt is missing', usage: { completion_tokens: 20 }, input: 11, output: 20 },
    { name: 'prompt is in words', usage: { prompt_tokens: '100', completion_tokens: 20 }, input: 11, output: 20 },
    { name: 'prompt is negative', usage: { prompt_tokens: -1, completion_tokens: 20 }, input: 11, output: 20 },
    { name: 'answer is missing', usage: { prompt_tokens: 30 }, input: 30, output: 20 },
    {
      name: 'answer is null',
      usage: { prompt_tokens: 30, completion_tokens: null, total_tokens: null },
      input: 30,
      output: 20,
    },
    {
      name: 'answer is nothing',
      usage: { prompt_tokens: 30, completion_tokens: 0, total_tokens: 30 },
      input: 30,
      output: 20,
    },
  ])
    test(`whose ${name} has that side counted from the text, and is marked`, async () => {
      const manager = await answering(answer(usage))
      const { result } = await told(manager, 'Tell me how it was, in one sentence, please.')
      expect(result?.usage.estimated).toBe(true)
      expect(Math.abs((result?.usage.inputTokens ?? 0) - input)).toBeLessThanOrEqual(5)
      expect(Math.abs((result?.usage.outputTokens ?? 0) - output)).toBeLessThanOrEqual(6)
      const [row] = manager.engine.store.attempts({})
      expect(row?.costNanoUsd).toBe((row?.usage?.inputTokens ?? 0) * 1000 + (row?.usage?.outputTokens ?? 0) * 1_000_000)
    })

  test('that counts a word or two as none is believed, and is marked', async () => {
    const short = answer({ prompt_tokens: 100_000, completion_tokens: 0, total_tokens: 100_000 })
    const choices = [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }]
    const { result } = await told(await answering({ ...short, choices }), 'Say hi')
    expect(result?.usage).toMatchObject({ inputTokens: 100_000, outputTokens: 0, estimated: true })
    expect(result?.costUsd).toBe(0.1)
  })

  test('whose one side is missing takes it from the total', async () => {
    const manager = await answering(answer({ completion_tokens: 20, total_tokens: 30 }))
    expect((await told(manager, 'Say hi')).result?.usage).toMatchObject({
      inputTokens: 10,
      outputTokens: 20,
      estimated: false,
    })
  })

  test('that the provider prices itself costs what it says, whatever the tokens are', async () => {
    const manager = await answering(
      answer({ prompt_tokens: 10, completion_tokens: 20, total_tokens: 30, cost: 0.0042 }),
    )
    const { result } = await told(manager, 'Say hi')
    expect(result?.costUsd).toBe(0.0042)
    expect(manager.engine.store.attempts({})[0]?.priceSource).toBe('reported')
  })

  const tokens = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 }
  for (const { name, details, costUsd } of [
    { name: 'and what the service behind it charged', details: { upstream_inference_cost: 0.036 }, costUsd: 0.0378 },
    // The tokens at their price, 10 at $1 and 20 at $1,000 per million, and the fee.
    { name: 'and nothing else costs the tokens and the fee', details: null, costUsd: 0.02181 },
  ])
    test(`that states the fee for a key of the user ${name}`, async () => {
      const manager = await answering(answer({ ...tokens, cost: 0.0018, is_byok: true, cost_details: details }))
      const { result } = await told(manager, 'Say hi')
      expect(result?.costUsd).toBe(costUsd)
    })

  test('of tokens that nobody believes does not make its tier and tools untrue', async () => {
    const usage = { prompt_tokens: 1e300, completion_tokens: 2, server_tool_use: { web_search_requests: 2 } }
    const manager = await answering({ ...answer(usage), service_tier: 'flex' })
    expect((await told(manager, 'Say hi')).result?.usage).toMatchObject({
      estimated: true,
      parts: { serviceTier: 'flex', serverTools: { web_search: 2 } },
    })
  })

  test('that shrinks while it streams counts with its largest numbers', async () => {
    const delta = (text: string) => ({ id: 'x', model: 'm', choices: [{ index: 0, delta: { content: text } }] })
    const usage = (prompt_tokens: number, completion_tokens: number) => ({
      id: 'x',
      model: 'm',
      choices: [],
      usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
    })
    const end = { id: 'x', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
    const manager = await answering([delta('It was'), usage(100, 50), delta(' wise.'), end, usage(0, 8)])
    await manager.streamWithFallback('Say hi').result
    const [row] = manager.engine.store.attempts({})
    expect(row?.usage).toMatchObject({ inputTokens: 100, outputTokens: 50 })
    expect(row?.costNanoUsd).toBe(100 * 1000 + 50 * 1_000_000)
  })
})
