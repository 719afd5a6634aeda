/** `updateQualityScore`, as programs call it: in any spelling, before and after a model is served. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { startListServer } from './support/listServer.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const KEY = `gsk_${'q'.repeat(40)}`
const RETIRED = 'llama-3.3-70b-versatile'

function open(config: object, store = 'memory:') {
  const warnings: string[] = []
  const ignore = () => {}
  const logger = { info: ignore, error: ignore, warn: (line: string) => void warnings.push(line) }
  const manager = new APIManager({ config, store, env: {}, logger })
  onTestFinished(() => manager.close())
  const rated = () =>
    manager.engine.learned.tally.rows().map(({ provider, model, keyIndex, qualitySum }) => ({
      target: `${provider}/${model}#${keyIndex}`,
      score: qualitySum,
    }))
  return { manager, warnings, rated }
}

const groq = (models: readonly string[]) => ({ groq: { api_keys: [KEY, `${KEY}2`], models } })

describe('a rating', () => {
  test.each([
    ['groq', 'Openai/GPT-oss-120B', 1],
    ['GROQ', 'openai/gpt-oss-120b', '1'],
    [' Groq ', 'gpt-oss-120b', ' 1 '],
    ['groq', 'GPT-OSS-120b', 1],
  ])('of %j %j %j finds its target', (provider, model, keyIndex) => {
    const { manager, rated, warnings } = open(groq(['openai/gpt-oss-120b', 'openai/gpt-oss-20b']))
    manager.updateQualityScore(provider, model, keyIndex as number, 0.9)
    expect(rated()).toEqual([{ target: 'groq/openai/gpt-oss-120b#1', score: 0.9 }])
    expect(warnings).toEqual([])
  })

  test('of a provider under its other name', () => {
    const { manager, rated } = open({ google: { api_key: `AIza${'g'.repeat(35)}`, models: ['gemini-3.8-flash'] } })
    manager.updateQualityScore('Gemini', 'gemini-3.8-flash', 1, 1)
    expect(rated()).toEqual([{ target: 'google/gemini-3.8-flash#1', score: 1 }])
  })

  test('of a model that is no longer served is kept, with one warning', async () => {
    const { manager, rated, warnings } = open(groq(['openai/gpt-oss-120b']))
    for (let time = 0; time < 3; time++) manager.updateQualityScore('groq', RETIRED, 1, 0.5)
    await manager.engine.store.flushed()
    expect(rated()).toEqual([{ target: `groq/${RETIRED}#1`, score: 1.5 }])
    expect(warnings).toEqual([`groq/${RETIRED} is not served now; its ratings are kept for when it is`])
  })

  test('counts once the model is served', async () => {
    const server = await startListServer({ [KEY]: ['m'] })
    const store = join(temporaryFolder(), 'keywise.db')
    const block = { endpoint: `${server.origin}/v1`, api_key: KEY }
    const first = open({ groq: block }, store)
    first.manager.updateQualityScore('groq', 'm', 1, 0)
    await first.manager.close()
    const second = open({ groq: { ...block, models: ['m', 'n'] } }, store)
    const ranked = second.manager.rankTargets()
    expect(ranked.find(({ model }) => model === 'm')?.terms.quality).toBeLessThan(
      ranked.find(({ model }) => model === 'n')?.terms.quality ?? 0,
    )
  })

  test('prefers the model whose id ends in the name, served or only listed by the catalogue', () => {
    const served = open(groq(['openai/gpt-oss-20b-preview', 'openai/gpt-oss-20b']))
    served.manager.updateQualityScore('groq', 'GPT-oss-20b', 1, 1)
    expect(served.rated()).toEqual([{ target: 'groq/openai/gpt-oss-20b#1', score: 1 }])
    const missing = open(groq(['m']))
    missing.manager.updateQualityScore('groq', 'gpt-oss-20b', 1, 1)
    expect(missing.rated()).toEqual([{ target: 'groq/openai/gpt-oss-20b#1', score: 1 }])
  })

  test('is not given to a longer name when the model itself is known', () => {
    const { manager, rated } = open(groq([`${RETIRED}-next`]))
    manager.updateQualityScore('groq', RETIRED, 1, 1)
    expect(rated()).toEqual([{ target: `groq/${RETIRED}#1`, score: 1 }])
  })

  test.each([
    [['groq', 'm', 0, 1], /^key 0: indexes begin with 1$/],
    [['groq', 'm', '0', 1], /^key 0: indexes begin with 1$/],
    [['groq', 'm', -1, 1], /^key -1: indexes begin with 1$/],
    [['groq', 'm', 1.5, 1], /^key 1\.5: an index is a whole number from 1$/],
    [['groq', 'm', 'first', 1], /^key first: an index is a whole number from 1$/],
    [['groq', 'm', null, 1], /^key null: an index is a whole number from 1$/],
    [['groq', 'm', 3, 1], /^groq has 2 keys; there is no key 3$/],
    [['grok', 'm', 1, 1], /^no provider "grok" is configured; nearest: groq$/],
    [['', 'm', 1, 1], /^no provider "" is configured/],
    [['groq', '', 1, 1], /^the model is missing/],
    [['groq', 'm', 1, 1.5], /from 0 to 1/],
    [['groq', 'mod', 1, 1], /ambiguous: model-a, model-b/],
  ])('of %j says what is wrong', (args, message) => {
    const { manager, rated } = open(groq(['m', 'model-a', 'model-b']))
    const [provider, model, keyIndex, score] = args as [string, string, number, number]
    const rate = () => manager.updateQualityScore(provider, model, keyIndex, score)
    expect(rate).toThrow(message)
    expect(rate).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
    expect(rated()).toEqual([])
  })
})
