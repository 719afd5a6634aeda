/** New keys are tried, as users see it: three requests each, spread, and none that must not fail. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startFakeProviders } from '../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { FastClock } from '../src/lab/fastClock.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { type RunningGateway, startGateway } from '../src/server/serve.ts'
import { whyRequestView } from '../src/views/why.ts'
import { ADMIN_TOKEN, TOKEN, until } from './support/gatewayWorld.ts'
import { HandClock } from './support/handClock.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const NOON = Date.UTC(2026, 10, 23, 12)
const STRATEGIES = ['learned', 'score', 'score-original', 'priority', 'round-robin'] as const

/** No saved tries, so that what is explored are the pulls. */
const PULLS_ONLY = { seed: 7, exploration: { burst: 0 } }

interface SceneOptions {
  readonly settings?: object
  /** What a block of the configuration says besides. */
  readonly blocks?: Readonly<Record<string, object>>
}

/** A library whose keys are written to a watched file, one provider after another, on a clock without waiting. */
async function open(providers: FakeScenario['providers'], first: readonly string[], options: SceneOptions = {}) {
  const clock = new FastClock(NOON)
  const { now, monotonic, sleep } = clock
  const world = await startFakeProviders({ providers }, { now, sleep })
  onTestFinished(() => world.close())
  const folder = temporaryFolder()
  const routing = PULLS_ONLY
  const settings = { routing, ...options.settings }
  const write = (names: readonly string[]) => put(folder, 'config/api-keys.json', JSON.stringify(config(names)))
  const config = (names: readonly string[]) => ({
    ...Object.fromEntries(names.map((name) => [name, { ...world.config()[name], ...options.blocks?.[name] }])),
    settings,
  })
  const file = write(first)
  return { clock, world, file, folder, write, engineOptions: { now, monotonic, sleep, env: {} } }
}

type Scene = Awaited<ReturnType<typeof open>>

async function openLibrary(providers: FakeScenario['providers'], first: readonly string[], options: SceneOptions = {}) {
  const scene = await open(providers, first, options)
  const { file, folder, engineOptions } = scene
  const store = join(folder, 'keywise.db')
  const reopen = async () => {
    const manager = new APIManager({ ...engineOptions, config: file, store, logger: false })
    onTestFinished(() => manager.close())
    await manager.ready()
    return manager
  }
  const manager = await reopen()
  const add = async (names: readonly string[]) => {
    scene.write(names)
    await until(() => new Set(manager.engine.registry.targets.map(({ provider }) => provider)).size === names.length)
  }
  return { ...scene, manager, add, reopen }
}

/** Sends requests one after another; the providers that were asked first. */
async function send(manager: APIManager, { world }: Scene, count: number, context: object = {}) {
  const asked: string[] = []
  for (let number = 0; number < count; number++) {
    world.forget()
    await manager.callWithFallback({ prompt: `Question ${number}`, ...context })
    asked.push(world.calls[0]?.provider ?? 'nobody')
  }
  return asked
}

const places = (asked: readonly string[], provider: string) =>
  asked.flatMap((one, number) => (one === provider ? number : []))

async function openOn({ file, engineOptions }: Scene): Promise<RunningGateway> {
  const gateway = await startGateway({
    ...engineOptions,
    config: file,
    env: { KEYWISE_TOKEN: TOKEN, KEYWISE_ADMIN_TOKEN: ADMIN_TOKEN },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    store: 'memory:',
    port: 0,
  })
  onTestFinished(() => gateway.close(0))
  await gateway.opened.ready()
  return gateway
}

async function post({ app }: RunningGateway, path: string, body: object) {
  const response = await fetch(`${app.origin}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.text()
  const said = (name: string) => response.headers.get(name) ?? ''
  return { id: said('x-keywise-request-id'), target: said('x-keywise-target') }
}

const model = (latency: number) => ({ models: { [`m${latency}`]: { latency_ms: latency } } })
const old = { old: model(500) }

describe('a key that is added to a watched configuration', () => {
  test('and is faster, is found by requests through the gateway, which say so', async () => {
    const scene = await open({ ...old, swift: model(40) }, ['old'], { settings: { routing: { seed: 7 } } })
    const gateway = await openOn(scene)
    const ask = (number: number) =>
      post(gateway, 'chat/completions', {
        model: 'auto',
        messages: [{ role: 'user', content: `Question ${number}` }],
      })
    for (let number = 0; number < 25; number++) expect((await ask(number)).target).toBe('old/m500#1')
    scene.write(['old', 'swift'])
    await until(() => gateway.opened.engine.registry.targets.length === 2)
    const asked = []
    for (let number = 0; number < 90; number++) asked.push(await ask(100 + number))
    const swift = places(
      asked.map(({ target }) => target),
      'swift/m40#1',
    )
    expect(swift.slice(0, 2)).toEqual([0, 2])
    expect(swift.filter((number) => number >= 60).length).toBeGreaterThan(24)
    const why = await fetch(`${gateway.app.origin}/api/why?request=${asked[2]!.id}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    })
    expect(await why.json()).toMatchObject({ explored: true, cause: { kind: 'new', pull: 2, pulls: 3 } })
  })

  for (const strategy of STRATEGIES)
    test(`and is slower, gets three requests under the strategy ${strategy}, spread`, async () => {
      const scene = await openLibrary({ ...old, lame: model(9000) }, ['old'], {
        settings: { routing: { ...PULLS_ONLY, strategy } },
      })
      const { manager, add } = scene
      await send(manager, scene, 9)
      await add(['old', 'lame'])
      const lame = places(await send(manager, scene, 12), 'lame')
      expect(lame.slice(0, 3)).toEqual([0, 2, 4])
      if (strategy !== 'round-robin') expect(lame).toHaveLength(3)
    })

  test('is not tried again after a restart', async () => {
    const scene = await openLibrary({ ...old, lame: model(9000) }, ['old'])
    await send(scene.manager, scene, 25)
    await scene.add(['old', 'lame'])
    expect(places(await send(scene.manager, scene, 3), 'lame')).toEqual([0, 2])
    await scene.manager.close()
    const again = await scene.reopen()
    expect(places(await send(again, scene, 20), 'lame')).toHaveLength(1)
  })

  test('gets its three requests from all processes of a store together', async () => {
    const scene = await openLibrary({ ...old, lame: model(9000) }, ['old'])
    const { manager, add } = scene
    await send(manager, scene, 25)
    await manager.engine.store.flushed()
    const other = await scene.reopen()
    await add(['old', 'lame'])
    await until(() => other.engine.registry.targets.length === 2)
    const asked: string[] = []
    for (let round = 0; round < 6; round++)
      for (const one of [manager, other]) {
        asked.push(...(await send(one, scene, 1)))
        await one.engine.store.flushed()
      }
    expect(places(asked, 'lame')).toHaveLength(3)
  })
})

describe('no request that must not fail is a try:', () => {
  /** How often the new key was asked first by ten requests like this one, and then by ten ordinary ones. */
  async function tries(context: object, options: SceneOptions = {}, fresh: FakeScenario['providers'] = {}) {
    const scene = await openLibrary({ ...old, lame: model(9000), ...fresh }, ['old'], options)
    await send(scene.manager, scene, 25)
    await scene.add(['old', 'lame'])
    const guarded = places(await send(scene.manager, scene, 10, context), 'lame').length
    return [guarded, places(await send(scene.manager, scene, 10), 'lame').length]
  }

  test('of one attempt', async () => {
    expect(await tries({ maxAttempts: 1 })).toEqual([0, 3])
  })

  test('with a deadline shorter than twice what the known key needs', async () => {
    expect(await tries({ timeoutMs: 950 })).toEqual([0, 3])
  })

  test('with settings of one attempt', async () => {
    expect(await tries({}, { settings: { max_attempts: 1 } })).toEqual([0, 0])
  })

  test('later in a conversation', async () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'And now?' },
    ]
    expect(await tries({ prompt: undefined, messages })).toEqual([0, 3])
  })

  const priced = (input: number, output: number) => ({ models: [{ id: 'm500', price: { input, output } }] })
  const lame = (price: object) => ({ models: [{ id: 'm9000', ...price }] })
  const budgets = { settings: { budgets: [{ scope: 'all', usd: 5, per: 'day' }] } }

  test.each([
    ['a far higher price under a budget', lame({ price: { input: 15, output: 75 } }), budgets, 0],
    ['an unknown price under a budget', lame({}), budgets, 0],
    ['a price like the other under a budget', lame({ price: { input: 0.2, output: 0.8 } }), budgets, 3],
    ['a far higher price without a budget', lame({ price: { input: 15, output: 75 } }), {}, 3],
    ['a price where only free keys may be used', lame({ price: { input: 1, output: 1 } }), { free: true }, 0],
  ])('%s', async (_, block, given, expected) => {
    const isFree = 'free' in given
    const blocks = { old: isFree ? { free: true } : priced(0.1, 0.4), lame: block }
    const settings = isFree ? { free_only: true } : 'settings' in given ? given.settings : {}
    expect((await tries({ maxTokens: 100 }, { blocks, settings }))[0]).toBe(expected)
  })
})

describe('a new key', () => {
  test('is tried by streams too', async () => {
    const scene = await openLibrary({ ...old, lame: model(9000) }, ['old'])
    const stream = async () => {
      scene.world.forget()
      await scene.manager.streamWithFallback('Hi').result
      return scene.world.calls[0]?.provider ?? 'nobody'
    }
    for (let number = 0; number < 25; number++) await stream()
    await scene.add(['old', 'lame'])
    const asked = []
    for (let number = 0; number < 8; number++) asked.push(await stream())
    expect(places(asked, 'lame')).toEqual([0, 2, 4])
  })

  test('is tried by embeddings too, among the keys of their model', async () => {
    const embedder = (latency: number) => ({ models: { vectors: { kind: 'embedding' as const, latency_ms: latency } } })
    const scene = await open({ first: embedder(300), second: embedder(9000) }, ['first'])
    const gateway = await openOn(scene)
    const ask = async () => (await post(gateway, 'embeddings', { model: 'vectors', input: 'Hi' })).target
    for (let number = 0; number < 9; number++) expect(await ask()).toBe('first/vectors#1')
    scene.write(['first', 'second'])
    await until(() => gateway.opened.engine.registry.targets.length === 2)
    const asked: string[] = []
    for (let number = 0; number < 8; number++) asked.push(await ask())
    expect(places(asked, 'second/vectors#1')).toEqual([0, 2, 4])
  })

  test('that fails costs its request one attempt, and nobody an answer', async () => {
    const broken = { broken: { models: { m1: {} }, faults: [{ do: 'server' as const }] } }
    const scene = await openLibrary({ ...old, ...broken }, ['old'])
    await send(scene.manager, scene, 9)
    await scene.add(['old', 'broken'])
    const asked = await send(scene.manager, scene, 30)
    expect(places(asked, 'broken').length).toBeGreaterThan(0)
    expect(places(asked, 'broken').length).toBeLessThanOrEqual(3)
  })

  test('that calls every request malformed leaves them to the known one, whose word counts', async () => {
    const strange = { strange: { models: { m1: {} }, faults: [{ do: 'bad_request' as const }] } }
    const scene = await openLibrary({ ...old, ...strange }, ['old'])
    const { manager, world, add } = scene
    await send(manager, scene, 9)
    await add(['old', 'strange'])
    const asked = await send(manager, scene, 12)
    expect(places(asked, 'strange').length).toBeGreaterThan(0)
    world.fault('old', { do: 'bad_request' })
    world.forget()
    const refused = manager.callWithFallback({ prompt: 'Wrong', model: 'auto:fast' })
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    expect(world.calls.filter(({ provider }) => provider === 'old')).toHaveLength(1)
  })

  test('that hangs gets the known one beside it, long before the deadline', async () => {
    const clock = new HandClock()
    const { monotonic, sleep } = clock
    const now = () => NOON + monotonic()
    const world = await startFakeProviders({ providers: { ...old, stuck: model(300_000) } }, { now, sleep })
    onTestFinished(() => world.close())
    const manager = new APIManager({ config: world.config(), store: 'memory:', env: {}, logger: false, now, monotonic })
    onTestFinished(() => manager.close())
    await manager.ready()
    const ask = async (provider: string, ms: number, context: object = {}) => {
      const answer = manager.callWithFallback({ prompt: 'Hi', ...context })
      await until(() => world.calls.at(-1)?.provider === provider && clock.asleep > 0)
      clock.pass(ms)
      return answer
    }
    for (let number = 0; number < 3; number++) await ask('old', 500, { model: 'old/m500' })
    world.forget()
    const answer = ask('stuck', 20_000)
    await until(() => world.calls.at(-1)?.provider === 'old')
    clock.pass(500)
    const { attempts, requestId } = await answer
    expect(attempts.map(({ provider, failureKind }) => [provider, failureKind])).toEqual([
      ['stuck', 'slower'],
      ['old', null],
    ])
    const asked = whyRequestView(manager.engine, requestId).attempts.map(({ why }) => why)
    expect(asked[1]).toBe('asked beside stuck/m300000#1, which is new and was silent for as long as a try may be')
    // The one after it is no try again, although this one was decided twice.
    world.forget()
    await ask('old', 500)
    expect(world.calls.map(({ provider }) => provider)).toEqual(['old'])
  })

  test('gets one of fifty requests that come at once', async () => {
    const scene = await openLibrary({ ...old, lame: model(9000) }, ['old'])
    await send(scene.manager, scene, 25)
    await scene.add(['old', 'lame'])
    scene.world.forget()
    await Promise.all(Array.from({ length: 50 }, (_, number) => scene.manager.callWithFallback(`At once ${number}`)))
    expect(scene.world.calls.filter(({ provider }) => provider === 'lame')).toHaveLength(1)
  })

  test('whose caller leaves has had no try', async () => {
    const scene = await openLibrary({ ...old, lame: model(9000) }, ['old'])
    await send(scene.manager, scene, 25)
    await scene.add(['old', 'lame'])
    const leaving = new AbortController()
    const left = scene.manager.callWithFallback({ prompt: 'Hi', signal: leaving.signal }).catch(() => 'left')
    await until(() => scene.world.calls.at(-1)?.provider === 'lame')
    leaving.abort()
    expect(await left).toBe('left')
    expect(places(await send(scene.manager, scene, 20), 'lame')).toHaveLength(3)
  })
})

describe('where nobody tested any key', () => {
  test.each([1, 2])('the faster of two is found, whichever was first (seed %i)', async (seed) => {
    const settings = { routing: { seed } }
    const scene = await openLibrary({ one: model(700), two: model(150) }, ['one', 'two'], { settings })
    const asked = await send(scene.manager, scene, 40)
    expect(places(asked, 'one').length).toBeGreaterThanOrEqual(3)
    expect(places(asked.slice(-20), 'two').length).toBeGreaterThan(15)
  })

  for (const strategy of STRATEGIES)
    test(`${strategy}: each of two equal ones is asked`, async () => {
      const providers = { one: model(100), two: { models: { m100: { latency_ms: 100 } } } }
      const settings = { routing: { strategy, seed: 7 } }
      const scene = await openLibrary(providers, ['one', 'two'], { settings })
      const asked = await send(scene.manager, scene, 16)
      for (const provider of ['one', 'two']) expect(places(asked, provider).length).toBeGreaterThanOrEqual(3)
    })
})
