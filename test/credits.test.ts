/** What accounts have left, end to end: asked of strict services, shown with how long it lasts, alerted, and acted on. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { creditLine } from '../src/cli/status/credits.ts'
import type { EventMap } from '../src/index.ts'
import type { FakeScenario } from '../src/lab/fake/scenario.ts'
import { APIManager, type APIManagerOptions } from '../src/manager/apiManager.ts'
import { gaugesOf } from '../src/server/management/gauges.ts'
import { creditsView } from '../src/views/credits.ts'
import { keysView } from '../src/views/keys.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { type Lab, type LabOptions, openManager as openBeside, openLab } from './support/lab.ts'
import { fakeKey } from './support/labCall.ts'
import { makeHome } from './support/runKeywise.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const KEY = fakeKey('openrouter', 1)
const SECOND_MS = 1000
const HOUR_MS = 3_600_000
/** A Monday. */
const NOON = Date.parse('2026-11-30T12:00:00Z')

type Keys = NonNullable<FakeScenario['providers'][string]['keys']>

interface Scene extends Lab {
  /** Everything that was alerted. */
  readonly alerts: string[]
  readonly told: EventMap['credit'][]
  readonly options: LabOptions
  pass(ms: number): void
  /** As long as it takes to ask what is due, and to draw the conclusions. */
  look(): Promise<void>
  /** The lines of `keywise status`. */
  lines(): readonly string[]
}

/** One provider whose calls cost a dollar by its configuration, and beside it one that is free. */
async function open(keys: Keys, settings: object = {}, provider = 'openrouter', store?: string): Promise<Scene> {
  let now = NOON
  const providers = {
    [provider]: { keys, models: { m: {} } },
    beta: { keys: { [fakeKey('beta')]: {} }, models: { m: {} } },
  }
  const options: LabOptions = {
    settings,
    world: { now: () => now },
    manager: { now: () => now, ...(store !== undefined && { store }) },
    config: ({ [provider]: block, beta }) => ({
      [provider]: { ...block, models: [{ id: 'm', price: { input: 0, output: 0, request: 1 } }] },
      beta: { ...beta, free: true },
    }),
  }
  const lab = await openLab({ providers }, options)
  const { engine } = lab.manager
  const [alerts, told]: [string[], EventMap['credit'][]] = [[], []]
  lab.manager.on('alert', ({ text }) => void alerts.push(text))
  lab.manager.on('credit', (news) => void told.push(news))
  const pass = (ms: number) => {
    now += ms
  }
  const look = async () => {
    for (let times = 0; times < 2; times++) {
      engine.monitor.tick()
      await engine.credits.settled()
      pass(5 * SECOND_MS)
    }
    engine.monitor.tick()
  }
  const lines = () => creditsView(engine).map((credit) => creditLine(credit, now))
  return { ...lab, alerts, told, options, pass, look, lines }
}

function openManager(options: APIManagerOptions): APIManager {
  const manager = new APIManager({ env: {}, logger: false, ...options })
  onTestFinished(() => manager.close())
  return manager
}

const openrouter = (facts: Keys[string]): Keys => ({ [KEY]: facts })
const account = (credit: number): Keys => openrouter({ credit, sees_credits: true })

describe('what is left is shown', () => {
  test('with the time it was told, and how long it lasts at the pace of the last day', async () => {
    const scene = await open(account(4.2))
    await scene.call()
    scene.pass(2 * HOUR_MS)
    await scene.call()
    scene.manager.engine.monitor.tick()
    await scene.manager.engine.credits.settled()
    expect(scene.lines()).toEqual([
      'openrouter#1: $4.20 left as of 14:00 UTC, runs out in about 4 h at this pace (Mon 18:12 UTC)',
    ])
    expect(creditsView(scene.manager.engine)).toEqual([
      {
        provider: 'openrouter',
        keyIndex: 1,
        account: null,
        of: 'account',
        left: '4.20',
        currency: 'USD',
        limit: null,
        resetsAt: null,
        available: null,
        asOf: '2026-11-30T14:00:00.000Z',
        perHour: '1.00',
        perHourUsd: 1,
        runsOutAt: '2026-11-30T18:12:00.000Z',
        trouble: null,
        askedAt: '2026-11-30T14:00:00.000Z',
      },
    ])
  })

  test('without a prediction where nothing is spent', async () => {
    const scene = await open(account(4.2))
    await scene.look()
    expect(scene.lines()).toEqual(['openrouter#1: $4.20 left as of 12:00 UTC'])
  })

  test('by what others spend from the same account', async () => {
    const scene = await open(account(10))
    await scene.call()
    await scene.look()
    scene.pass(HOUR_MS)
    await scene.call()
    scene.world.setCredit('openrouter', 1, 6)
    await scene.look()
    // One dollar an hour is ours, of four that are gone.
    expect(scene.lines()).toEqual([
      expect.stringMatching(
        /^openrouter#1: \$6\.00 left as of 13:00 UTC, runs out in about 9\d min at this pace \(Mon 14:3\d UTC\)$/,
      ),
    ])
  })

  test('as the limit that a key has for itself, until it begins anew', async () => {
    const scene = await open(openrouter({ limit: 5, limit_reset: 'daily' }))
    await scene.call()
    await scene.look()
    expect(scene.lines()).toEqual([
      'openrouter#1: $5.00 left of its limit of $5.00 as of 12:00 UTC, runs out in about 5 h at this pace (Mon 17:00 UTC), begins anew Tue 00:00 UTC',
    ])
    scene.pass(6 * HOUR_MS)
    await scene.look()
    // What is refilled at midnight does not run out at noon.
    expect(scene.lines()).toEqual([
      'openrouter#1: $5.00 left of its limit of $5.00 as of 18:00 UTC, begins anew Tue 00:00 UTC',
    ])
    scene.pass(7 * HOUR_MS)
    expect(scene.lines()).toEqual(['openrouter#1: $5.00 left of its limit of $5.00 as of 2026-11-30 18:00 UTC'])
  })

  test('of the key and of its account, which several keys share and one tells', async () => {
    const scene = await open({
      [fakeKey('openrouter', 1)]: { account: 'team', credit: 20, sees_credits: true, limit: 5 },
      [fakeKey('openrouter', 2)]: { account: 'team', sees_credits: true },
    })
    await scene.look()
    expect(scene.lines()).toEqual([
      'openrouter#1: $5.00 left of its limit of $5.00 as of 12:00 UTC',
      'openrouter team: $20.00 left as of 12:00 UTC',
    ])
    const { keys } = keysView(scene.manager.engine)
    expect(keys.map(({ creditLeftUsd }) => creditLeftUsd)).toEqual([5, 20, null])
    expect(scene.told).toMatchObject([
      { provider: 'openrouter', keyIndex: 1, of: 'key', left: '5.00', currency: 'USD', runsOutAt: null },
      { provider: 'openrouter', keyIndex: 1, of: 'account', left: '20.00' },
    ])
  })

  test('in the currency of the account', async () => {
    const scene = await open({ [fakeKey('deepseek')]: { credit: 110, currency: 'CNY' } }, {}, 'deepseek')
    await scene.call()
    await scene.look()
    // What our calls cost is known in USD, so nothing is predicted.
    expect(scene.lines()).toEqual(['deepseek#1: 110.00 CNY left as of 12:00 UTC'])
    expect(creditsView(scene.manager.engine)).toMatchObject([{ currency: 'CNY', perHour: null, perHourUsd: null }])
    scene.pass(HOUR_MS)
    await scene.call()
    scene.world.setCredit('deepseek', 1, 100)
    await scene.look()
    expect(scene.lines()).toEqual([
      expect.stringMatching(
        /^deepseek#1: 100\.00 CNY left as of 13:00 UTC, runs out in about 10 h at this pace \(Mon 23:0\d UTC\)$/,
      ),
    ])
  })

  test("of a server of one's own, by the fields that the configuration names", async () => {
    const served: unknown[] = []
    const server = createServer((request, response) => {
      served.push([request.url, request.headers.authorization])
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end('{"code":0,"data":{"available_balance":49.58894,"voucher_balance":46.58893,"cash_balance":3.00001}}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo // listening on TCP
    const config = {
      kimi: {
        api_key: 'k'.repeat(20),
        models: ['m'],
        endpoint: `http://127.0.0.1:${port}/v1`,
        balance: { path: '/users/me/balance', left: 'data.available_balance', currency: 'CNY' },
      },
    }
    const { engine } = openManager({ config, now: () => NOON })
    engine.monitor.tick()
    await engine.credits.settled()
    expect(served).toEqual([['/v1/users/me/balance', `Bearer ${'k'.repeat(20)}`]])
    expect(creditsView(engine).map((credit) => creditLine(credit, NOON))).toEqual([
      'kimi#1: 49.59 CNY left as of 12:00 UTC',
    ])
  })

  test.each([
    [
      { path: 'https://elsewhere.invalid/balance', left: 'left' },
      /"kimi\.balance\.path" is wrong: expected a path below/,
    ],
    [{ path: '//elsewhere.invalid/balance', left: 'left' }, /"kimi\.balance\.path" is wrong: expected a path below/],
    [{ path: '/balance' }, /"kimi\.balance" needs "left", or "total" and "used"/],
    [{ path: '/balance', left: 'data..left' }, /"kimi\.balance\.left" is wrong: expected the name of a field/],
    [
      { path: '/balance', left: 'left', currency: 'dollars' },
      /"kimi\.balance\.currency" is wrong: expected a currency/,
    ],
  ])('from nowhere else than the server itself: %j', (balance, message) => {
    const config = { kimi: { api_key: 'k'.repeat(20), models: ['m'], endpoint: 'https://kimi.invalid/v1', balance } }
    expect(() => openManager({ config })).toThrow(message)
  })

  test('nowhere for a key that is not told, which says nothing about the key', async () => {
    const scene = await open(openrouter({ credit: 20 }))
    await scene.look()
    expect(scene.lines()).toEqual([])
    expect((await scene.call()).trail).toBe('openrouter/m#1=ok')
    expect(scene.alerts).toEqual([])
  })
})

describe('it is asked', () => {
  /** The times at which the account was asked, in minutes after noon. */
  async function askedDuring(scene: Scene, minutes: number, each: (minute: number) => Promise<unknown>) {
    const at = new Set<string>()
    for (let minute = 0; minute < minutes; minute++) {
      await each(minute)
      await scene.look()
      for (const { askedAt } of creditsView(scene.manager.engine)) at.add(askedAt)
      scene.pass(60_000 - 10 * SECOND_MS)
    }
    return [...at].map((iso) => Math.floor((Date.parse(iso) - NOON) / 60_000))
  }

  test('at the start, and every quarter of an hour while the key is used', async () => {
    const scene = await open(account(500))
    expect(await askedDuring(scene, 40, () => scene.call())).toEqual([0, 15, 30])
  })

  test('not while nobody uses the key, nor where the settings say never', async () => {
    const scene = await open(account(500))
    expect(await askedDuring(scene, 40, () => Promise.resolve())).toEqual([0])
    const silent = await open(account(500), { credit: { check_minutes: 0 } })
    expect(await askedDuring(silent, 3, () => silent.call())).toEqual([])
    const quiet = await open(account(500), { routing: { strategy: 'priority', probes: 'traffic' } })
    expect(await askedDuring(quiet, 3, () => quiet.call())).toEqual([])
  })

  test('soon after a refusal for want of credit', async () => {
    const scene = await open(account(500))
    const refuse = () => {
      scene.world.fault('openrouter', { do: 'billing' })
      return scene.call()
    }
    expect(
      (await askedDuring(scene, 4, (minute) => (minute === 2 ? refuse() : Promise.resolve()))).slice(0, 2),
    ).toEqual([0, 2])
  })

  test('in vain without taking a target away, and what was told before stays', async () => {
    const scene = await open(account(4.2))
    await scene.look()
    scene.world.revoke('openrouter', 1)
    scene.pass(HOUR_MS)
    const { engine } = scene.manager
    await Promise.all(engine.credits.questions(engine.registry.credentials).map((one) => engine.credits.ask(one)))
    scene.world.restore('openrouter', 1)
    const [line = ''] = scene.lines()
    expect(line).toMatch(/^openrouter#1: \$4\.20 left as of 12:00 UTC \(asked again at 13:00 UTC: User not found\.\)$/)
    expect((await scene.call()).trail).toBe('openrouter/m#1=ok')
  })

  test('by one process, and shown by every other one on the store', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const world = await openGateway({ providers: { openrouter: { keys: account(4.2), models: { m: {} } } } }, { store })
    onTestFinished(() => world.close())
    const { engine } = world.gateway.opened
    engine.monitor.tick()
    await engine.credits.settled()
    const headers = { authorization: `Bearer ${world.adminToken}` }
    const shown = await (await world.ask('/api/status', undefined, headers)).json()
    expect(shown).toMatchObject({ credits: [{ provider: 'openrouter', left: '4.20', of: 'account' }] })
    expect(await (await world.ask('/metrics', undefined, headers)).text()).toContain(
      'keywise_credit_left{provider="openrouter",key="1",of="account",currency="USD"} 4.2\n',
    )
    const home = makeHome(world.fakes.config())
    const ran = await home.keywise('status', '--store', store)
    expect(ran.stdout).toMatch(/^openrouter#1: \$4\.20 left as of \d\d:\d\d UTC$/m)
    world.fakes.setCredit('openrouter', 1, 3)
    const again = await home.keywise('status', '--store', store, '--refresh', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ credits: [{ left: '3.00', trouble: null }] })
  })
})

describe('alerts', () => {
  const LOW = [
    '⏳ openrouter key 1 has $4.20 left, which lasts about 4 hours at this pace',
    'Since: 12:00 UTC',
    'Why: $1.00 per hour in the last day',
    'Still works: 2 of 2 targets (openrouter, beta)',
    'To do: add credit at openrouter before 16:12 UTC',
  ].join('\n')

  /** A dollar was spent in the first hour, and the rest of what there is was told. */
  async function running(credit: number, settings: object = {}, keys = account(credit)): Promise<Scene> {
    const scene = await open(keys, settings)
    await scene.call()
    await scene.look()
    return scene
  }

  test('tell once a day that credit runs out within a day', async () => {
    const scene = await running(4.2)
    expect(scene.alerts).toEqual([LOW])
    for (let hour = 0; hour < 20; hour++) {
      scene.pass(HOUR_MS)
      await scene.look()
    }
    expect(scene.alerts).toHaveLength(1)
    scene.pass(5 * HOUR_MS)
    await scene.call()
    await scene.look()
    expect(scene.alerts).toHaveLength(2)
  })

  test('tell nothing that lasts longer than the settings ask for', async () => {
    expect((await running(30)).alerts).toEqual([])
    expect((await running(4.2, { credit: { warn_hours: 3 } })).alerts).toEqual([])
    expect((await running(30, { credit: { warn_hours: 48 } })).alerts).toHaveLength(1)
  })

  test('tell that it is gone, and when there is some again', async () => {
    const scene = await running(4.2)
    scene.world.setCredit('openrouter', 1, 0)
    scene.pass(HOUR_MS)
    await scene.call('Say hi')
    await scene.look()
    scene.pass(2 * SECOND_MS)
    expect(scene.alerts[1]).toMatch(/^💳 openrouter key 1 has no credit left\n/)
    scene.world.setCredit('openrouter', 1, 20)
    scene.pass(HOUR_MS / 4)
    await scene.look()
    expect(scene.alerts[2]).toMatch(/^🟢 openrouter key 1 has credit again: \$20\.00\n/)
    expect(scene.alerts).toHaveLength(3)
  })

  test('tell that the limit of a key is gone with when it begins anew', async () => {
    const scene = await running(0, {}, openrouter({ limit: 4.2, limit_reset: 'weekly' }))
    expect(scene.alerts[0]).toContain('To do: raise the limit of the key at openrouter before ')
    expect(scene.alerts[0]).toContain('openrouter key 1 has $4.20 of $4.20 left, which lasts about 4 hours')
    expect(scene.alerts[0]).toContain('Expected back: the limit begins anew 2026-12-07 00:00 UTC')
  })

  test('tell nothing of an account that never had any, nor of a key that is free', async () => {
    expect((await running(0)).alerts.filter((text) => text.includes('⏳'))).toEqual([])
    const never = await open(account(0))
    await never.look()
    expect(never.alerts).toEqual([])
  })
})

describe('an account without credit', () => {
  const isBack = async (manager: APIManager) =>
    (await manager.callWithFallback('Say hi')).attempts.map(({ target }) => target).join()

  test('is called again as soon as it was paid for, long before its time is over', async () => {
    const scene = await open(account(0))
    expect((await scene.call()).trail).toBe('openrouter/m#1=billing; beta/m#1=ok')
    await scene.look()
    expect(await isBack(scene.manager)).toBe('beta/m#1')
    scene.world.setCredit('openrouter', 1, 20)
    scene.pass(16 * 60_000)
    await scene.look()
    expect(await isBack(scene.manager)).toBe('openrouter/m#1')
  })

  test('is not called again for the little that it had when it refused', async () => {
    const scene = await open(account(0.01))
    scene.world.fault('openrouter', { do: 'billing' })
    await scene.call()
    scene.world.clearFaults()
    for (let quarter = 0; quarter < 3; quarter++) {
      await scene.look()
      scene.pass(15 * 60_000)
    }
    expect(await isBack(scene.manager)).toBe('beta/m#1')
  })

  test('stays out for a limit that was raised, while the account behind it is empty', async () => {
    const scene = await open({ [KEY]: { credit: 0, sees_credits: true, limit: 5 } })
    await scene.call()
    await scene.look()
    scene.pass(16 * 60_000)
    await scene.look()
    expect(await isBack(scene.manager)).toBe('beta/m#1')
  })

  test('is another one than a key whose own limit is reached: its other keys go on', async () => {
    const [one, two] = [1, 2].map((index) => fakeKey('openrouter', index)) as [string, string] // two are made
    const scene = await open({ [one]: { account: 'team', limit: 0 }, [two]: { account: 'team' } })
    expect((await scene.call()).trail).toBe('openrouter/m#1=billing; openrouter/m#2=ok')
    for (let hour = 0; hour < 5; hour++) {
      expect(await isBack(scene.manager)).toBe('openrouter/m#2')
      scene.pass(HOUR_MS)
      await scene.manager.engine.probes.due()
    }
  })

  test('stays out for a payment that was told before it refused, after a restart too', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const scene = await open(account(1), {}, 'openrouter', store)
    await scene.look()
    scene.world.setCredit('openrouter', 1, 20)
    scene.pass(16 * 60_000)
    await scene.call()
    await scene.look()
    expect(scene.lines()[0]).toContain('$20.00 left')
    scene.world.fault('openrouter', { do: 'billing' })
    await scene.call()
    scene.world.clearFaults()
    await scene.manager.close()
    const again = openBeside(scene.world, { ...scene.options, settings: { credit: { check_minutes: 0 } } })
    again.engine.monitor.tick()
    expect(await isBack(again)).toBe('beta/m#1')
  })

  test('is asked with no request while its provider says that it is empty, however long that takes', async () => {
    const scene = await open(account(0))
    await scene.call()
    for (let hour = 0; hour < 30; hour++) {
      scene.pass(HOUR_MS)
      await scene.manager.engine.probes.due()
      expect(await isBack(scene.manager)).toBe('beta/m#1')
    }
    scene.world.setCredit('openrouter', 1, 20)
    scene.pass(25 * HOUR_MS)
    await scene.manager.engine.probes.due()
    expect(await isBack(scene.manager)).toBe('openrouter/m#1')
  })

  test('is found by what its calls cost', async () => {
    let now = NOON
    const price = { input: 0, output: 100_000 }
    const lab = await openLab(
      {
        providers: {
          openrouter: { keys: account(1.5), models: { m: { price, reply: 'one two three four five six seven' } } },
        },
      },
      { manager: { now: () => now }, config: ({ openrouter: block }) => ({ openrouter: { ...block, models: ['m'] } }) },
    )
    const left = async () => {
      now += 16 * 60_000
      lab.manager.engine.monitor.tick()
      await lab.manager.engine.credits.settled()
      return Number(creditsView(lab.manager.engine)[0]?.left)
    }
    expect(await left()).toBe(1.5)
    await lab.call()
    const after = await left()
    expect(after).toBeLessThan(1.5)
    const trails: string[] = []
    while (trails.at(-1) !== 'openrouter/m#1=billing') trails.push((await lab.call()).trail)
    expect(trails.length).toBeLessThan(10)
    expect(await left()).toBeLessThanOrEqual(0)
  })
})

test('/metrics names each key of one label apart, because no two series may be the same', async () => {
  const keys = {
    [KEY]: { credit: 3, sees_credits: true },
    [fakeKey('openrouter', 2)]: { credit: 4, sees_credits: true },
  }
  const lab = await openLab(
    { providers: { openrouter: { keys, models: { m: {} } } } },
    {
      config: ({ openrouter }) => ({
        openrouter: { ...openrouter, api_keys: Object.keys(keys).map((key) => ({ key, label: 'work' })), api_key: [] },
      }),
    },
  )
  const { engine } = lab.manager
  await Promise.all(engine.credits.questions(engine.registry.credentials).map((one) => engine.credits.ask(one)))
  for (const name of ['keywise_credit_left', 'keywise_target_score']) {
    const rows = gaugesOf(engine).find((gauge) => gauge.name === name)?.rows ?? []
    expect(rows.map(({ labels }) => labels['key'])).toEqual(['work', 'work #2'])
  }
})

describe('secrets', () => {
  test('are in nothing that is kept or shown, whatever a provider writes back', async () => {
    const canary = `canary-${'7'.repeat(24)}`
    let asked = 0
    const server = createServer((request, response) => {
      const isFine = asked++ % 2 === 0
      const told = { is_available: true, balance_infos: [{ currency: canary, total_balance: canary }] }
      const refused = { error: { message: `no such key ${canary}, ${request.headers.authorization}`, code: 500 } }
      response.writeHead(isFine ? 200 : 500, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isFine ? told : refused))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo // listening on TCP
    const deepseek = { api_key: canary, models: ['m'], endpoint: `http://127.0.0.1:${port}` }
    const { engine } = openManager({ config: { deepseek } })
    for (let times = 0; times < 3; times++) {
      await Promise.all(engine.credits.questions(engine.registry.credentials).map((one) => engine.credits.ask(one)))
      const kept = engine.store.listDocs('credits')
      expect(kept).toHaveLength(1)
      expect(JSON.stringify([kept, creditsView(engine)])).not.toContain(canary)
    }
    expect(asked).toBe(3)
  })
})
