/** What a serving gateway writes to its log besides one line per request. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import { startGateway } from '../src/server/serve.ts'
import { until } from './support/gatewayWorld.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const TOKEN = 't'.repeat(24)

async function served(settings: object) {
  const fakes = await startFakeProviders({ providers: { groq: { models: { m: { price: { input: 1, output: 1 } } } } } })
  onTestFinished(() => fakes.close())
  const file = join(temporaryFolder(), 'api-keys.json')
  const write = (more: object) => writeFileSync(file, JSON.stringify({ ...fakes.config(), settings: more }))
  write(settings)
  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  const gateway = await startGateway({
    config: file,
    store: 'memory:',
    port: 0,
    env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: `test-admin-${'a'.repeat(20)}` },
    logger: { info: log, warn: log, error: log },
  })
  onTestFinished(() => gateway.close(0))
  await gateway.opened.ready()
  const ask = async () => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] })
    const answer = await fetch(`${gateway.app.origin}/v1/chat/completions`, { method: 'POST', headers, body })
    expect(answer.status, await answer.text()).toBe(200)
  }
  return { write, lines, ask, gateway }
}

const tone = (alpha: number) => ({
  name: 'tone',
  variants: [
    { name: 'plain', share: 0.5 },
    { name: 'warm', share: 0.5, parameters: { temperature: 1 } },
  ],
  metric: 'quality',
  alpha,
})

test('says that an edit was read, and what it means for a running experiment', async () => {
  const { write, lines } = await served({ experiments: [tone(0.05)] })
  write({ experiments: [tone(0.01)] })
  await until(() => lines.includes('the configuration was read again and is in force'))
  expect(lines).toContainEqual(expect.stringMatching(/^experiment tone: alpha 0\.05 → 0\.01/))
})

test('keeps to settings.log, also when it is edited', async () => {
  const { write, lines, ask, gateway } = await served({ log: { calls: false } })
  await ask()
  write({ log: { level: 'error' }, experiments: [] })
  await until(() => gateway.opened.engine.registry.config.settings.log.level === 'error')
  await ask()
  await gateway.close(0)
  expect(lines).toEqual([])
})
