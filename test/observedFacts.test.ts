/** `test --facts FILE`: what keys were seen to do, for others, and nothing of whoever saw it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testApiKeys } from '../src/index.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { openEngine } from '../src/manager/openEngine.ts'
import { refreshFacts } from '../src/manager/refreshFacts.ts'
import { groq } from '../src/providers/groq.ts'
import { modelsView } from '../src/views/models.ts'
import { openWorld } from './support/labCall.ts'
import { makeHome } from './support/runKeywise.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const MODEL = 'openai/gpt-oss-120b'
const SMALL = 'openai/gpt-oss-20b'
/** Whatever belongs to the owner of the keys has this in it. */
const CANARY = 'canary'
const KEY = `gsk_${CANARY}${'x'.repeat(20)}`
const OTHER = `gsk_${CANARY}${'y'.repeat(20)}`
/** A model that was trained for its owner. */
const TUNED = `ft:${MODEL}:${CANARY}-org::1`

const SCENARIO: FakeScenario = {
  providers: {
    groq: {
      keys: { [KEY]: {}, [OTHER]: {} },
      limits: [{ unit: 'requests', window: 'day', limit: 50 }],
      models: {
        [MODEL]: { context_tokens: 32_768, reply: `hello ${CANARY}` },
        [SMALL]: { lacks: ['tools'] },
        [TUNED]: { context_tokens: 4096 },
      },
    },
  },
}

/** The file that a test of keys at their provider writes; its server is the provider's own as far as keywise knows. */
async function seen(): Promise<string> {
  const world = await openWorld(SCENARIO)
  const folder = temporaryFolder()
  const { endpoint } = world.config()['groq'] as unknown as { endpoint: string }
  const keys = [KEY, OTHER].map((key) => ({ key, label: `${CANARY}-label`, account: `${CANARY}-account` }))
  await testApiKeys({
    config: { groq: { api_keys: keys }, acme: { api_key: KEY, endpoint, models: [`${CANARY}-model`] } },
    providers: [{ ...groq, baseUrl: endpoint }],
    abilities: true,
    out: null,
    facts: join(folder, 'seen.json'),
    env: {},
    logger: false,
  })
  return readFileSync(join(folder, 'seen.json'), 'utf8')
}

interface WrittenFact {
  readonly kind: string
  readonly model: string
}

test('the file says what was seen, one fact a line, and nothing of the keys, accounts, texts and own models', async () => {
  const text = await seen()
  const { facts } = JSON.parse(text) as { facts: readonly WrittenFact[] }
  const today = new Date().toISOString().slice(0, 10)
  const of = (kind: string, model = MODEL) => facts.find((one) => one.kind === kind && one.model === model)
  expect(of('limit')).toMatchObject({ unit: 'requests', window: 'day', limit: 50, scope: 'account+model' })
  expect(of('window')).toMatchObject({ context_tokens: 32_768, source: 'observed', checked: today })
  expect(of('ability')).toMatchObject({ abilities: { tools: true, streaming: true } })
  expect(of('ability', SMALL)).toMatchObject({ abilities: { tools: false } })
  expect(of('listed')).toMatchObject({ listed: true })
  expect(of('listed', 'qwen/qwen3.8-27b')).toMatchObject({ listed: false })
  expect(text.split('\n').filter((line) => line.includes('"kind"'))).toHaveLength(facts.length)
  expect(new Set(facts.map((one) => 'provider' in one && one.provider))).toEqual(new Set(['groq']))
  for (const secret of [CANARY, '127.0.0.1', 'ft:', 'acme', 'hello']) expect(text).not.toContain(secret)
}, 30_000)

test('another installation takes it', async () => {
  const text = await seen()
  const folder = temporaryFolder()
  const options = {
    config: { groq: { api_key: OTHER, endpoint: 'http://127.0.0.1:9/v1', models: [MODEL, SMALL], local: false } },
    store: join(folder, 'keywise.db'),
    env: {},
    cwd: folder,
  }

  const { skipped, facts } = await refreshFacts(put(folder, 'seen.json', text), undefined, options)
  expect(skipped).toEqual([])
  expect(facts).toBeGreaterThan(5)
  const opened = openEngine({ ...options, logger: false })
  const rows = modelsView(opened.engine).models
  await opened.close()
  expect(rows.find(({ model }) => model === MODEL)).toMatchObject({ contextTokens: 32_768 })
  expect(rows.find(({ model }) => model === SMALL)?.abilities).not.toContain('tools')
  expect(rows.find(({ model }) => model === MODEL)?.facts).toContainEqual(
    expect.objectContaining({ fact: 'requests/day', value: 50, source: 'observed' }),
  )
}, 30_000)

test('keywise test --facts leaves out what was seen at other addresses than the provider’s own', async () => {
  const world = await openWorld(SCENARIO)
  const home = makeHome(world.config())
  const ran = await home.keywise('test', '--facts', 'seen.json')
  expect(ran.stderr).toMatch(/seen\.json has no facts: nothing was seen of providers at their own addresses/)
  expect(ran.code, ran.stderr).toBe(0)
  expect(JSON.parse(readFileSync(join(home.folder, 'seen.json'), 'utf8'))).toMatchObject({
    keywise_facts: 1,
    facts: [],
  })
}, 30_000)
