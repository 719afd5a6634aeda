/** Blocked, empty and malformed answers as callers of the library meet them. */

import { describe, expect, test } from 'vitest'
import type { FakeFault, FakeScenario } from '../src/lab/fake/scenario.ts'
import { APIClient } from '../src/manager/apiClient.ts'
import { type Lab, openLab } from './support/lab.ts'
import { fakeKey } from './support/labCall.ts'

/** Gemini blocks or stumbles as the faults say, for a known price; a second provider always answers. */
function scenario(faults: readonly FakeFault[], second: readonly FakeFault[] = []): FakeScenario {
  return {
    providers: {
      first: { dialect: 'google', keys: { [fakeKey('first')]: {} }, models: { m: {} }, faults: [...faults] },
      second: { keys: { [fakeKey('second')]: {} }, models: { m: { reply: 'Fine.' } }, faults: [...second] },
    },
  }
}

const priced = ({ first, ...others }: Record<string, Record<string, unknown>>) => ({
  first: { ...first, models: [{ id: 'm', price: { input: 1, output: 2 } }] },
  ...others,
})

const open = (faults: readonly FakeFault[], second: readonly FakeFault[] = []): Promise<Lab> =>
  openLab(scenario(faults, second), { config: priced, settings: { models: { pair: ['first/m', 'second/m'] } } })

const PAIR = { prompt: 'Say hi', model: 'pair' }

describe('a blocked answer', () => {
  test('is a result that says why, and is paid for', async () => {
    const lab = await open([{ do: 'blocked', reason: 'PROHIBITED_CONTENT' }])
    const { result, trail } = await lab.call(PAIR)
    expect(trail).toBe('first/m#1=content_filter')
    expect(result).toMatchObject({
      content: '',
      finishReason: 'content_filter',
      blocked: { reason: 'PROHIBITED_CONTENT', details: { safetyRatings: [{ blocked: true }] } },
      usage: { inputTokens: 9, outputTokens: 4, estimated: false },
      costUsd: 0.000_017,
      toolCalls: [],
    })
    expect(lab.asked()).toEqual(['first/m#1'])
    expect(lab.manager.engine.learned.parks.list(lab.manager.engine.now)).toEqual([])
    expect(lab.manager.getSessionSummary()).toMatchObject({ requests: 1, successes: 1, totalTokens: 13 })
  })

  test('is the same as a stream', async () => {
    const lab = await open([{ do: 'blocked', reason: 'prompt:SAFETY' }])
    const stream = lab.manager.streamWithFallback(PAIR)
    const events: string[] = []
    for await (const event of stream) events.push(event.type === 'end' ? `end ${event.finishReason}` : event.type)
    expect(events).toEqual(['usage', 'end content_filter'])
    expect(await stream.result).toMatchObject({
      content: '',
      finishReason: 'content_filter',
      blocked: { reason: 'SAFETY', details: { promptFeedback: { blockReason: 'SAFETY' } } },
      costUsd: 0.000_017,
    })
  })

  test('holds the text there is', async () => {
    const lab = await openLab({
      providers: {
        first: {
          dialect: 'openai',
          keys: { [fakeKey('first')]: {} },
          models: { m: {} },
          faults: [{ do: 'blocked', reason: 'refusal' }],
        },
      },
    })
    const { result } = await lab.call()
    expect(result).toMatchObject({ content: 'I cannot help with that.', blocked: { reason: 'refusal' } })
  })

  test('is another provider’s to answer where the caller says so, and comes back when none does', async () => {
    const lab = await open([{ do: 'blocked' }], [{ do: 'server', from: 2 }])
    expect((await lab.call({ ...PAIR, retryFiltered: true })).trail).toBe('first/m#1=content_filter; second/m#1=ok')
    const { result, trail } = await lab.call({ ...PAIR, retryFiltered: true })
    expect(trail).toMatch(/^first\/m#1=content_filter; second\/m#1=server/)
    expect(result).toMatchObject({ provider: 'first', finishReason: 'content_filter', blocked: { reason: 'SAFETY' } })
  })

  test('is an error of the client that returns a text alone', async () => {
    const lab = await open([{ do: 'blocked' }])
    const client = new APIClient({
      config: { ...priced(lab.world.config()), settings: { models: { pair: ['first/m'] } } },
      env: {},
      logger: false,
    })
    await expect(client.generatePrompt(PAIR)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('SAFETY'),
      attempts: [{ failureKind: 'content_filter' }],
    })
    await client.close()
  })
})

describe('an answer that holds nothing', () => {
  test('is the result with its attempts when no target says more', async () => {
    const lab = await open([{ do: 'says_nothing' }])
    const { result, trail } = await lab.call({ ...PAIR, model: 'first/m' })
    expect(trail).toBe('first/m#1=empty; first/m#1=empty')
    expect(result).toMatchObject({ content: '', finishReason: 'stop', costUsd: 0.000_017 })
    expect(lab.manager.getSessionSummary()).toMatchObject({ successes: 0, failures: 1 })
  })

  test('leaves the other models of its key as they were', async () => {
    const lab = await openLab({
      providers: {
        first: {
          keys: { [fakeKey('first')]: {} },
          models: { m: {}, n: {} },
          faults: [{ do: 'only_thinks', model: 'm' }],
        },
      },
    })
    const { engine } = lab.manager
    const other = engine.registry.targets.find(({ model }) => model === 'n')
    const scoreOfOther = () => other && engine.learned.router.scoreOf(other, 0)?.terms.reliability
    const before = scoreOfOther()
    for (const _ of [1, 2, 3, 4]) await lab.call({ prompt: 'Say hi', model: 'first/m' })
    expect(scoreOfOther()).toBe(before)
    expect((await lab.call({ prompt: 'Say hi', model: 'first/n' })).trail).toBe('first/n#1=ok')
  })
})

describe('JSON in prose', () => {
  test('is unwrapped, and the attempt says so, later as well', async () => {
    const lab = await open([{ do: 'fenced' }])
    const { result, attempts } = await lab.call({ ...PAIR, responseFormat: 'json' })
    expect(result?.content).toBe('{"city":"Paris"}')
    expect(attempts).toMatchObject([{ ok: true, healed: true, failureKind: null }])
    const [row] = lab.manager.engine.store.attempts({ requestId: result?.requestId ?? '' })
    expect(row).toMatchObject({ ok: true, healed: true })
  })

  test('is unwrapped in a stream, which then comes at once', async () => {
    const lab = await open([{ do: 'fenced' }])
    const texts: string[] = []
    for await (const event of lab.manager.streamWithFallback({ ...PAIR, responseFormat: 'json' }))
      if (event.type === 'text-delta') texts.push(event.text)
    expect(texts).toEqual(['{"city":"Paris"}'])
  })
})
