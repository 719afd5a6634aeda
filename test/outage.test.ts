/** What an outage costs, and how soon its end is noticed: through the library, over HTTP, on a clock of the test's own. */

import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager, type APIManagerOptions } from '../src/manager/apiManager.ts'
import { HandClock } from './support/handClock.ts'
import { holdSeconds } from './support/housekeepingSeconds.ts'
import { trailOf } from './support/lab.ts'
import { until } from './support/labCall.ts'
import { listening } from './support/listening.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const START = Date.UTC(2026, 10, 23, 9)

/** What the upstream does with the next call of a provider. */
type Mood = 'ok' | 'silence' | 'reset' | { readonly status: number; readonly retryAfter?: string }

interface Upstream {
  readonly origin: string
  /** By provider; default `ok`. */
  readonly moods: Map<string, Mood>
  /** The providers asked since the last time, in order. */
  asked(): string[]
}

/** One server for all providers: the first part of the path names the provider. */
async function openUpstream(): Promise<Upstream> {
  const moods = new Map<string, Mood>()
  let asked: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const provider = request.url?.split('/')[1] ?? ''
    if (request.method === 'GET') return response.writeHead(404).end('{}')
    asked.push(provider)
    const mood = moods.get(provider) ?? 'ok'
    if (mood === 'silence') return
    if (mood === 'reset') return request.socket.destroy()
    if (mood !== 'ok') {
      const wait = mood.retryAfter === undefined ? {} : { 'retry-after': mood.retryAfter }
      response.writeHead(mood.status, { 'content-type': 'application/json', ...wait })
      return response.end(JSON.stringify({ error: { message: mood.status === 429 ? 'Too many requests' : 'broken' } }))
    }
    if (body.includes('"stream":true')) answerStream(response)
    else answer(response)
  })
  return {
    origin: await listening(server),
    moods,
    asked: () => {
      const calls = asked
      asked = []
      return calls
    },
  }
}

const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }

function answer(response: ServerResponse): void {
  const message = { role: 'assistant', content: 'hello' }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({ id: '1', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage: USAGE }),
  )
}

function answerStream(response: ServerResponse): void {
  const chunk = (delta: object, finish_reason: string | null) =>
    `data: ${JSON.stringify({ id: '1', model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`${chunk({ role: 'assistant', content: 'hello' }, null)}${chunk({}, 'stop')}data: [DONE]\n\n`)
}

interface World {
  readonly upstream: Upstream
  readonly manager: APIManager
  /** For another manager over the same world. */
  readonly options: APIManagerOptions
  now: number
  /** The trail of one request. */
  call(context?: object): Promise<string>
}

/** Providers with one model each, in this order; the first is the better one. */
async function openOutage(
  providers: readonly string[],
  settings: object = {},
  // Pauses between two tries take no time.
  options: APIManagerOptions = { sleep: () => Promise.resolve() },
): Promise<World> {
  const upstream = await openUpstream()
  const block = (provider: string, index: number) => ({
    dialect: 'openai',
    endpoint: `${upstream.origin}/${provider}/v1`,
    api_key: `key-of-${provider}`,
    models: [{ id: 'm', quality: index === 0 ? 0.9 : 0.5, price: { input: 1, output: 1 } }],
  })
  const config = {
    ...Object.fromEntries(providers.map((provider, index) => [provider, block(provider, index)])),
    settings: {
      models: { work: providers.map((provider) => `${provider}/m`) },
      timeouts: { patience_ms: 300 },
      ...settings,
    },
  }
  const clock = { now: START }
  const all: APIManagerOptions = { config, env: {}, logger: false, random: () => 0.5, now: () => clock.now, ...options }
  const manager = new APIManager(all)
  onTestFinished(() => manager.close())
  const world: World = Object.assign(clock, {
    upstream,
    manager,
    options: all,
    call: async (context: object = {}) => {
      const asked = { prompt: `request at ${world.now}`, model: 'work', ...context }
      try {
        return trailOf((await manager.callWithFallback(asked)).attempts)
      } catch (error) {
        return trailOf((error as { attempts: [] }).attempts)
      }
    },
  })
  await manager.ready()
  // Each is known a little.
  for (const provider of providers) await traffic(world, 4 * SECOND, 12 * SECOND, { model: `${provider}/m` })
  return world
}

/** Why the provider is out, as a text; undefined when it is not. */
const parkOf = ({ manager }: World, provider: string): string | undefined =>
  manager
    .rankTargets({ prompt: '-', model: 'work' })
    .find(({ target, eligible }) => target === `${provider}/m#1` && !eligible)?.reason ?? undefined

/** One request each `everyMs`, for `forMs`; what was asked for each. */
async function traffic(world: World, everyMs: number, forMs: number, context?: object): Promise<string[]> {
  const trails: string[] = []
  for (let passed = 0; passed < forMs; passed += everyMs) {
    trails.push(await world.call(context))
    world.now += everyMs
  }
  return trails
}

const STRATEGIES = ['learned', 'score', 'priority', 'round-robin'] as const
const FAILURES: readonly Mood[] = [{ status: 503 }, { status: 500 }, { status: 529 }, 'reset']

describe('after an outage of 60 s, with one request each 4 s', () => {
  for (const strategy of STRATEGIES)
    for (const model of ['work', 'auto'])
      for (const mood of strategy === 'learned' || strategy === 'priority' ? FAILURES : FAILURES.slice(0, 1))
        test(`(${JSON.stringify(mood)}) the better provider answers again within 30 s, as ${model} by ${strategy}`, async () => {
          holdSeconds()
          const world = await openOutage(['first', 'second'], { routing: { strategy } })
          await traffic(world, 4 * SECOND, MINUTE, { model })
          world.upstream.moods.set('first', mood)
          world.upstream.asked()
          const during = await traffic(world, 4 * SECOND, MINUTE, { model })
          for (const trail of during) expect(trail).toMatch(/second\/m#1=ok$/)
          // A first failure and a second one that opens the breaker; then probes. A reset before any answer is tried twice.
          const tries = during.filter((trail) => trail.startsWith('first'))
          expect(tries.length).toBeLessThanOrEqual(2 + 3)
          world.upstream.moods.delete('first')
          const after = await traffic(world, 4 * SECOND, MINUTE, { model })
          for (const trail of after) expect(trail).toMatch(/=ok$/)
          const back = after.findIndex((trail) => trail.startsWith('first'))
          expect(back * 4).toBeLessThanOrEqual(30)
          // Not once, but as before.
          const last = after.slice(9)
          const used = last.filter((trail) => trail.startsWith('first')).length
          expect(used / last.length).toBeGreaterThanOrEqual(strategy === 'round-robin' ? 0.3 : 0.6)
        })
})

describe('an outage of everything', () => {
  const limited = (retryAfter?: string): Mood => ({ status: 429, ...(retryAfter !== undefined && { retryAfter }) })
  const MOODS: readonly Mood[] = [
    limited(),
    limited('0'),
    limited('0.05'),
    limited('1'),
    limited('3'),
    { status: 503 },
    { status: 503, retryAfter: '0' },
    { status: 500 },
    'reset',
  ]
  // Providers whose limits are per model, so that one refusal says nothing about their other models.
  const [first, second] = ['groq', 'openai']
  const four = [first, second, 'deepseek', 'cerebras']

  for (const strategy of ['learned', 'priority'])
    for (const mood of MOODS)
      test(`(${JSON.stringify(mood)}) costs at most 1.2 calls per request once it is known, by ${strategy}`, async () => {
        holdSeconds()
        const world = await openOutage(four, { routing: { strategy } })
        for (const provider of four) world.upstream.moods.set(provider, mood)
        await traffic(world, 10 * SECOND, 2 * MINUTE)
        world.upstream.asked()
        await traffic(world, 10 * SECOND, 10 * MINUTE)
        // One of each provider's calls is repeated on a new connection when it is reset before any answer.
        const calls = world.upstream.asked().length / (mood === 'reset' ? 2 : 1)
        expect(calls / 60).toBeLessThanOrEqual(1.2)
      })

  for (const everyMs of [5 * SECOND, 10 * SECOND, MINUTE])
    for (const mood of MOODS)
      test(`(${JSON.stringify(mood)}) that was asked each ${everyMs / SECOND} s keeps the better provider away no longer than twice what it lasted`, async () => {
        const lasts = 5 * MINUTE
        holdSeconds()
        const world = await openOutage([first, second], { routing: { strategy: 'priority' } })
        for (const provider of [first, second]) world.upstream.moods.set(provider, mood)
        await traffic(world, everyMs, lasts)
        world.upstream.moods.delete(second)
        await world.call()
        world.now += everyMs
        world.upstream.moods.delete(first)
        const after = await traffic(world, MINUTE, 2 * lasts)
        expect(after.some((trail) => trail.startsWith(first))).toBe(true)
      })

  test('is asked about by one call of each request, of the target whose rest ends first', async () => {
    holdSeconds()
    const world = await openOutage([first, second], { routing: { strategy: 'priority' } })
    world.upstream.moods.set(first, { status: 503 })
    await traffic(world, SECOND, 3 * SECOND)
    for (const provider of [first, second]) world.upstream.moods.set(provider, { status: 503 })
    await traffic(world, SECOND, 2 * SECOND)
    expect(await world.call()).toBe('groq/m#1=overloaded')
    world.upstream.moods.delete(first)
    expect(await world.call()).toBe('groq/m#1=ok')
  })
})

test('an outage of everything is left to the requests while they come, and looked at without them', async () => {
  const second = holdSeconds()
  const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority' } })
  for (const provider of ['first', 'second']) world.upstream.moods.set(provider, { status: 503 })
  const lookedAt = async (hasTraffic: boolean) => {
    world.upstream.asked()
    let requests = 0
    for (let passed = 0; passed < 60; passed++) {
      if (hasTraffic && passed % 3 === 0) requests += (await world.call()).split('; ').length
      world.now += SECOND
      second()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => world.manager.engine.waiting.size === 0)
    return world.upstream.asked().length - requests
  }
  await traffic(world, SECOND, 5 * SECOND)
  // Of the twenty requests a fifth at most may have a call beside it.
  expect(await lookedAt(true)).toBeLessThanOrEqual(4)
  expect(await lookedAt(false)).toBeGreaterThanOrEqual(2)
})

describe('probes of an outage', () => {
  test('stay below a fifth of the requests, however many providers fail', async () => {
    const broken = Array.from({ length: 12 }, (_, index) => `broken${index}`)
    const world = await openOutage([...broken, 'healthy'], { routing: { strategy: 'priority' }, max_attempts: 20 })
    for (const provider of broken) world.upstream.moods.set(provider, { status: 503 })
    await traffic(world, SECOND, MINUTE)
    world.upstream.asked()
    const trails = await traffic(world, SECOND, 10 * MINUTE)
    for (const trail of trails) expect(trail).toMatch(/healthy\/m#1=ok$/)
    const probes = world.upstream.asked().filter((provider) => provider !== 'healthy')
    expect(probes.length / trails.length).toBeLessThanOrEqual(0.2)
    // All of them have their turns.
    expect(new Set(probes).size).toBe(broken.length)
  })

  test('come once in 30 s when there are few requests', async () => {
    const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority' } })
    world.upstream.moods.set('first', { status: 503 })
    await traffic(world, 30 * SECOND, 10 * MINUTE)
    world.upstream.moods.delete('first')
    expect(await world.call()).toBe('first/m#1=ok')
  })

  test('do not use up the attempts of a request', async () => {
    const world = await openOutage(['first', 'second', 'third'], { routing: { strategy: 'priority' } })
    world.upstream.moods.set('first', { status: 503 })
    await traffic(world, 4 * SECOND, MINUTE)
    world.upstream.moods.set('second', { status: 503 })
    const trails: string[] = []
    for (let request = 0; request < 30; request++) {
      trails.push(await world.call())
      world.now += 4 * SECOND
    }
    for (const trail of trails) expect(trail).toMatch(/third\/m#1=ok$/)
  })

  test('leave a conversation where it is, and ask beside it', async () => {
    const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority' } })
    world.upstream.moods.set('first', { status: 503 })
    const messages = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ]
    await traffic(world, 4 * SECOND, 12 * SECOND, { prompt: undefined, messages })
    world.upstream.asked()
    const trails = await traffic(world, 4 * SECOND, MINUTE, { prompt: undefined, messages })
    expect(new Set(trails)).toEqual(new Set(['second/m#1=ok']))
    await until(() => world.upstream.asked().includes('first'))
    // As soon as it works, new conversations begin there.
    world.upstream.moods.delete('first')
    await traffic(world, 4 * SECOND, 28 * SECOND, { prompt: undefined, messages })
    await until(() => parkOf(world, 'first') === undefined)
    expect(await world.call()).toBe('first/m#1=ok')
  })

  test('are made beside requests for a target that no request would choose', async () => {
    for (const mood of ['reset', { status: 503 }] as const) {
      const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority' } })
      world.upstream.moods.set('second', mood)
      await traffic(world, SECOND, 3 * SECOND, { model: 'second/m' })
      expect(parkOf(world, 'second')).toMatch(/^parked/)
      world.upstream.moods.delete('second')
      const trails = await traffic(world, 4 * SECOND, 28 * SECOND)
      expect(new Set(trails)).toEqual(new Set(['first/m#1=ok']))
      await until(() => parkOf(world, 'second') === undefined)
    }
  })

  test('are shared by processes that come and go, such as commands', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority' } }, { store })
    world.upstream.moods.set('first', { status: 503 })
    await traffic(world, SECOND, 12 * SECOND)
    await world.manager.close()
    world.upstream.asked()
    let tries = 0
    for (let command = 0; command < 12; command++) {
      const next = new APIManager({ ...world.options, store })
      const { attempts } = await next.callWithFallback({ prompt: 'hi', model: 'work' })
      await next.close()
      if (attempts.length > 1) tries++
      world.now += 4 * SECOND
    }
    expect(tries).toBeLessThanOrEqual(3)
    expect(tries).toBeGreaterThanOrEqual(1)
  })

  test('are not made while the upstream stated how long it stays away', async () => {
    const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority' } })
    world.upstream.moods.set('first', { status: 503, retryAfter: '300' })
    await world.call()
    world.upstream.asked()
    await traffic(world, 4 * SECOND, 290 * SECOND)
    expect(world.upstream.asked()).not.toContain('first')
  })

  for (const probes of ['free', 'traffic'])
    test(`are made by requests alone with "probes": "${probes}"`, async () => {
      const world = await openOutage(['first', 'second'], { routing: { strategy: 'priority', probes } })
      world.upstream.moods.set('first', { status: 503 })
      await traffic(world, 4 * SECOND, MINUTE)
      world.upstream.moods.delete('first')
      const after = await traffic(world, 4 * SECOND, 32 * SECOND)
      expect(after.some((trail) => trail === 'first/m#1=ok')).toBe(true)
    })
})

describe('a provider that was silent', () => {
  interface Silence extends World {
    /** The time that deadlines are measured by; it stands while an answer is on its way. */
    readonly deadlines: HandClock
  }

  /** Streams are given up after 1.5 s; one request each 4 s. */
  async function openSilence(routing: object = {}): Promise<Silence> {
    const deadlines = new HandClock()
    const world = await openOutage(
      ['first', 'second'],
      { routing: { strategy: 'priority', ...routing }, timeouts: { first_token_ms: 1500 } },
      { sleep: () => Promise.resolve(), monotonic: deadlines.monotonic },
    )
    world.upstream.moods.set('first', 'silence')
    return Object.assign(world, { deadlines })
  }

  const streamed = async (world: World): Promise<string> => {
    const { attempts } = await world.manager.streamWithFallback({ prompt: `at ${world.now}`, model: 'work' }).result
    world.now += 4 * SECOND
    return trailOf(attempts)
  }

  /** A request that asks the silent provider until its time is over. */
  const inVain = async (world: Silence, tick: () => void): Promise<string> => {
    world.upstream.asked()
    const trail = streamed(world)
    await until(() => world.upstream.asked().includes('first'))
    world.deadlines.pass(1500)
    tick()
    return trail
  }

  /** Requests that are answered; between two of them, tiny calls end by their own deadline. */
  const answered = async (world: Silence, requests: number, tick: () => void): Promise<string[]> => {
    const trails: string[] = []
    for (let request = 0; request < requests; request++) {
      trails.push(await streamed(world))
      world.deadlines.pass(4 * SECOND)
      tick()
    }
    return trails
  }

  test('is asked beside requests and never in front of one, and answers again within 30 s', async () => {
    const tick = holdSeconds()
    const world = await openSilence()
    // Twice to learn that it is silent.
    for (const _ of [1, 2]) expect(await inVain(world, tick)).toBe('first/m#1=timeout; second/m#1=ok')
    // For twelve minutes, which is longer than any allowance for calls lasts that is not filled up in time.
    expect(new Set(await answered(world, 180, tick))).toEqual(new Set(['second/m#1=ok']))
    expect(world.upstream.asked().filter((provider) => provider === 'first').length).toBeGreaterThanOrEqual(24)
    world.upstream.moods.delete('first')
    const after: string[] = []
    for (let request = 0; request < 8; request++) {
      after.push(...(await answered(world, 1, tick)))
      // The tiny call is under way beside the request.
      if (world.upstream.asked().includes('first')) await until(() => parkOf(world, 'first') === undefined)
    }
    expect(after.every((trail) => trail.endsWith('=ok'))).toBe(true)
    expect(after).toContain('first/m#1=ok')
  }, 15_000)

  test('is tried by a request in need', async () => {
    const tick = holdSeconds()
    const world = await openSilence()
    for (const _ of [1, 2]) await inVain(world, tick)
    await streamed(world)
    world.upstream.moods.set('second', { status: 500 })
    const alone = { model: 'first/m', stream: true }
    world.upstream.moods.delete('first')
    expect(await world.call(alone)).toBe('first/m#1=ok')
  })
})
