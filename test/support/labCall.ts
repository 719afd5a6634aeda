/**
 * Simulated providers for a test, and one call of one of them by the road every call takes: config, connection,
 * dialect.
 */

import { Agent } from 'undici'
import { onTestFinished } from 'vitest'
import { loadConfig } from '../../src/config/config.ts'
import { dialectOf } from '../../src/dialects/dialects.ts'
import type { ChatChunk, ChatRequest } from '../../src/domain/chat.ts'
import { type FakeOptions, type FakeWorld, startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'
import { type CallEnd, startCall } from '../../src/upstream/call.ts'
import { type Connection, connect } from '../../src/upstream/connection.ts'
import { Deadlines } from '../../src/upstream/deadlines.ts'

/** A key that is recognisably fake. */
export const fakeKey = (provider: string, index = 1) => `fake-${provider}-${'0'.repeat(12)}${index}`

/** Starts a world that ends with the test. */
export async function openWorld(scenario: FakeScenario, options: FakeOptions = {}): Promise<FakeWorld> {
  const world = await startFakeProviders(scenario, options)
  onTestFinished(() => world.close())
  return world
}

/** The connection of the n-th key of a provider, as keywise would make it. */
export function connectionTo(world: FakeWorld, provider: string, key = 1): Connection {
  const config = loadConfig({ config: world.config(), env: {}, cwd: '/', home: '/', platform: 'linux' })
  const found = config.providers.find((one) => one.id === provider)
  if (found === undefined) throw new TypeError(`no ${provider} in the world`)
  const dispatcher = new Agent({ keepAliveTimeout: 1 })
  onTestFinished(() => dispatcher.destroy())
  return connect({ dispatcher, spec: found.spec, secret: found.keys[key - 1]?.secret ?? null, userAgent: 'test' })
}

export interface LabCall extends Partial<ChatRequest> {
  readonly key?: number
  readonly firstTokenMs?: number
  readonly idleMs?: number
  readonly connection?: Connection
}

export interface Received extends CallEnd {
  readonly chunks: readonly ChatChunk[]
}

/** Calls a model and waits for the end. */
export async function callModel(
  world: FakeWorld,
  provider: string,
  model: string,
  options: LabCall = {},
): Promise<Received> {
  const { key, firstTokenMs = 5000, idleMs = 5000, connection = connectionTo(world, provider, key), ...rest } = options
  const dialect = dialectOf(connection.dialect)
  const request: ChatRequest = { model, messages: [userMessage('Say hi')], stream: false, ...rest }
  const { path, body } = dialect.upstream.writeRequest(request, model)
  const call = startCall(
    {
      connection,
      dialect,
      model,
      path,
      headers: [],
      body: JSON.stringify(body),
      stream: request.stream,
      demand: { request, anyAnswer: false },
      firstTokenMs,
      leftMs: 60_000,
      idleMs,
    },
    {
      deadlines: new Deadlines(),
      now: Date.now,
      monotonic: () => performance.now(),
      redact: (text) => text,
      hide: (text) => text,
    },
  )
  const chunks: ChatChunk[] = []
  await call.first
  call.attach({
    onChunks: (some) => {
      chunks.push(...some)
      return true
    },
    onEnd: () => {},
  })
  return { ...(await call.done), chunks }
}

export const userMessage = (text: string): ChatRequest['messages'][number] => ({
  role: 'user',
  content: [{ type: 'text', text }],
})

/** Waits until something is so; fails the test after two seconds. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 2000
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`never so: ${isSo}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
