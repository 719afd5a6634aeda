import { describe, expect, onTestFinished, test } from 'vitest'
import { openGateway } from '../../test/support/gatewayWorld.ts'
import type { ChatChunk } from '../domain/chat.ts'
import { Seam } from './rescue.ts'

const usage = (inputTokens: number, outputTokens: number) => ({
  inputTokens,
  outputTokens,
  totalTokens: inputTokens + outputTokens,
  estimated: false,
})

/** What is passed on of a text that comes in pieces of `size`. */
function joined(said: string, next: string, size: number): string {
  const seam = new Seam(said)
  const pieces = next.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []
  const chunks: ChatChunk[] = [...pieces.map((text) => ({ type: 'text-delta', text }) as const), { type: 'end' }]
  const passed = chunks.flatMap((chunk) => seam.join([chunk]))
  const text = passed.map((chunk) => (chunk.type === 'text-delta' ? chunk.text : '')).join('')
  expect(seam.passedOn).toBe(text)
  return text
}

describe('Seam', () => {
  const said = 'Once upon a time there was a gateway'
  test.each([
    ['goes on', ' that never lied.', ' that never lied.'],
    ['repeats the last words', 'there was a gateway that never lied.', ' that never lied.'],
    ['begins anew', `${said} that never lied.`, ' that never lied.'],
    ['begins anew and stops before', said.slice(0, 20), ''],
    ['repeats a word by chance', 'way to go', 'way to go'],
    ['says something else', 'The answer is 42.', 'The answer is 42.'],
    ['says nothing', '', ''],
  ])('passes on what is new when the next target %s', (_, next, expected) => {
    for (const size of [1, 3, 7, 1000]) expect(joined(said, next, size)).toBe(expected)
  })

  test('adds up both usages, and keeps the first start', () => {
    const seam = new Seam(said, usage(10, 5))
    const chunks = seam.join([{ type: 'start', id: 'second' }, { type: 'usage', usage: usage(20, 7) }, { type: 'end' }])
    expect(chunks).toEqual([{ type: 'usage', usage: usage(30, 12) }, { type: 'end' }])
  })
})

describe('what a continued answer puts aside', () => {
  /** alpha breaks off after a long text; beta may use `tokens` a day. An answer without a bound counts as 16,384. */
  async function askedWith(tokens: number): Promise<readonly string[]> {
    const alpha = {
      models: { m: { reply: 'a long text '.repeat(1000) } },
      faults: [{ do: 'cut_reset' as const, chunks: 900 }],
    }
    const settings = {
      routing: { strategy: 'priority', exploration: { rate: 0 } },
      streaming: { rescue: 'text' },
      budgets: [{ scope: 'beta', tokens, per: 'day' }],
    }
    const world = await openGateway({ providers: { alpha, beta: { models: { m: {} } } } }, { settings })
    onTestFinished(() => world.close())
    const messages = [{ role: 'user', content: 'Say hi' }]
    await (await world.ask('/v1/chat/completions', { model: 'm', messages, stream: true })).text()
    return world.fakes.calls.map(({ provider }) => provider)
  }

  test('is for the whole prompt, with what was said so far', async () => {
    expect(await askedWith(100_000)).toEqual(['alpha', 'beta'])
    expect(await askedWith(16_600)).toEqual(['alpha'])
  })
})
