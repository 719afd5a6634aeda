/** Gateways whose upstreams lead back to themselves: a request ends at once, and other upstreams still answer. */

import { expect, onTestFinished, test } from 'vitest'
import type { AttemptReport } from '../src/domain/attempt.ts'
import { startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import { type RunningGateway, startGateway } from '../src/server/serve.ts'
import { freePort } from './support/freePort.ts'
import { TOKEN } from './support/gatewayWorld.ts'
import { own } from './support/lab.ts'

const logged: string[] = []
const log = (line: string) => void logged.push(line)

async function open(port: number, config: object): Promise<RunningGateway> {
  const gateway = await startGateway({
    config,
    store: 'memory:',
    port,
    env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: `test-admin-${'a'.repeat(20)}` },
    logger: { info: log, warn: log, error: log },
    sleep: () => Promise.resolve(),
  })
  onTestFinished(() => gateway.close(0))
  await gateway.opened.ready()
  return gateway
}

const upstreamAt = (port: number, dialect: string) => ({
  dialect,
  endpoint: `http://127.0.0.1:${port}/${dialect === 'google' ? 'v1beta' : 'v1'}`,
  api_key: TOKEN,
  models: ['m'],
})

function ask(port: number): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
  })
}

test.each([
  'openai',
  'openai-responses',
  'anthropic',
  'google',
])('a gateway that is its own upstream by %s says so', async (dialect) => {
  const port = await freePort()
  const { opened } = await open(port, { me: upstreamAt(port, dialect) })
  const attempts: AttemptReport[] = []
  opened.engine.events.on('attempt', (attempt) => void attempts.push(attempt))
  const response = await ask(port)
  expect(response.status).toBe(503)
  expect(await response.text()).toContain('me/m#1 server')
  // Asked once more as the only one, and refused at the door each time.
  expect(attempts).toHaveLength(2)
  for (const attempt of attempts)
    expect(attempt).toMatchObject({ status: 508, message: expect.stringContaining('its own upstream') })
})

test('two gateways that are each other’s upstream end as well', async () => {
  const ports = [await freePort(), await freePort()] as const
  await open(ports[0], { other: upstreamAt(ports[1], 'openai') })
  await open(ports[1], { other: upstreamAt(ports[0], 'openai'), settings: { max_attempts: 1 } })
  expect((await ask(ports[0])).status).toBe(503)
})

test('two gateways of the same configuration are no circle', async () => {
  const fakes = await startFakeProviders({ providers: own('alpha', 1, ['m']) })
  onTestFinished(() => fakes.close())
  const port = await freePort()
  const config = {
    behind: upstreamAt(port, 'openai'),
    ...fakes.config(),
    settings: { routing: { strategy: 'priority' } },
  }
  // The second asks alpha, as its own address answers nothing before it listens.
  const front = await open(await freePort(), config)
  await open(port, fakes.config())
  const response = await ask(front.port)
  expect(response.headers.get('x-keywise-trail')).toBe('behind/m#1=ok')
})

test('another upstream answers beside one that leads back', async () => {
  const port = await freePort()
  const fakes = await startFakeProviders({ providers: own('alpha', 1, ['m']) })
  onTestFinished(() => fakes.close())
  await open(port, {
    me: upstreamAt(port, 'openai'),
    ...fakes.config(),
    settings: { routing: { strategy: 'priority' } },
  })
  const response = await ask(port)
  expect(response.status).toBe(200)
  expect(response.headers.get('x-keywise-trail')).toBe('me/m#1=server; alpha/m#1=ok')
})
