/** What a provider lists today is served today, whatever the catalogue says of it. */

import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { APIManager, testApiKeys } from '../src/index.ts'
import { openLab } from './support/lab.ts'
import { fakeKey } from './support/labCall.ts'
import { listening } from './support/listening.ts'
import { makeHome } from './support/runKeywise.ts'

/** In the catalogue as retired on 2026-08-16. */
const OLD = 'llama-3.3-70b-versatile'
const CURRENT = 'openai/gpt-oss-120b'
const NOW = Date.parse('2026-11-23T12:00:00Z')

const groq = (models: readonly string[]) => ({
  providers: {
    groq: { keys: { [fakeKey('groq')]: {} }, models: Object.fromEntries(models.map((model) => [model, {}])) },
  },
})

async function openGroq(models: readonly string[]) {
  const lab = await openLab(groq(models), { manager: { now: () => NOW }, settings: { routing: { strategy: 'score' } } })
  await lab.manager.engine.lists.settled(5000)
  return lab
}

test('a listed model that the catalogue calls retired is used where it is named', async () => {
  const lab = await openGroq([OLD, CURRENT])
  for (const model of [OLD, `groq/${OLD}`, `groq/${OLD}#1`])
    expect((await lab.call({ prompt: 'hi', model })).trail).toBe(`groq/${OLD}#1=ok`)
})

test('it is left out of "auto" until it has answered once', async () => {
  const lab = await openGroq([OLD, CURRENT])
  const rowOfOld = () => lab.manager.rankTargets().find(({ model }) => model === OLD)
  expect(rowOfOld()).toMatchObject({
    eligible: false,
    reason: 'retired by the catalogue on 2026-08-16; used by "auto" once it has answered',
  })
  for (let time = 0; time < 5; time++) expect((await lab.call()).trail).toBe(`groq/${CURRENT}#1=ok`)
  await lab.call({ prompt: 'hi', model: OLD })
  expect(rowOfOld()).toMatchObject({ eligible: true })
})

test('where nothing else is left "auto" tries it all the same', async () => {
  const lab = await openGroq([OLD])
  expect((await lab.call()).trail).toBe(`groq/${OLD}#1=ok`)
  const two = await openGroq([OLD, CURRENT])
  two.world.retire('groq', CURRENT)
  expect((await two.call()).trail).toBe(`groq/${CURRENT}#1=model_not_found; groq/${OLD}#1=ok`)
})

test('a model that the list no longer has stays away', async () => {
  const lab = await openGroq([CURRENT])
  expect(lab.manager.rankTargets().map(({ model }) => model)).toEqual([CURRENT])
})

test('the tester calls it and says what the catalogue thinks', async () => {
  const lab = await openGroq([OLD, CURRENT])
  const report = await testApiKeys({ config: lab.world.config(), env: {}, logger: false, now: () => NOW })
  expect(report.tests.map(({ model, status }) => `${model} ${status}`).sort()).toEqual([
    `${OLD} success`,
    `${CURRENT} success`,
  ])
  expect(report.tests.find(({ model }) => model === OLD)?.note).toBe('retired by the catalogue on 2026-08-16')
})

test('"keywise models" marks it', async () => {
  const lab = await openGroq([OLD, CURRENT])
  const home = makeHome(lab.world.config())
  const { stdout } = await home.keywise('models')
  expect(stdout).toContain(
    `groq/${OLD} is listed, though retired by the catalogue on 2026-08-16; "auto" uses it once it has answered`,
  )
  const { models } = JSON.parse((await home.keywise('models', '--json')).stdout)
  expect(models.find(({ model }: { model: string }) => model === OLD)).toMatchObject({
    keys: [1],
    listed: true,
    retired: { on: '2026-08-16', successor: CURRENT },
  })
})

test('a server without a readable list, and no named models: the call says why', async () => {
  for (const [body, why] of [
    [
      { error: 'Unexpected endpoint or method. (GET /v1/models)' },
      /box: no models list: Unexpected endpoint or method/,
    ],
    [{ object: 'list', data: [] }, /box: the models list is empty/],
    [{ status: 'fine' }, /box: no models list: the answer has an unknown shape/],
  ] as const) {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(body))
    })
    const endpoint = `${await listening(server)}/v1`
    const block = { dialect: 'openai', endpoint, api_key: 'none', models: 'discover' }
    const manager = new APIManager({ config: { box: block }, env: {}, logger: false })
    onTestFinished(() => manager.close())
    await expect(manager.callWithFallback('hi')).rejects.toThrow(why)
  }
})
