/** Limits as a user meets them: a real manager over simulated providers that count. */

import type { OutgoingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { FakeFault, FakeScenario } from '../src/lab/fake/scenario.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import { retest } from '../src/manager/retest.ts'
import { statusView } from '../src/views/status.ts'
import { httpUpstream } from './support/httpUpstream.ts'
import { type Lab, openLab, openManager, own, told } from './support/lab.ts'
import { fakeKey, openWorld } from './support/labCall.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOON = Date.UTC(2026, 10, 23, 12)
const AUTO = { routing: { probes: 'free' } }

/** A clock that tests set; everything waits in real time, so nothing here waits. */
function clockAt(start: number) {
  let now = start
  return { now: () => now, pass: (ms: number) => (now += ms), set: (at: number) => (now = at) }
}

type Clock = ReturnType<typeof clockAt>
const openAt = (scenario: FakeScenario, clock: Clock, settings: object = {}) =>
  openLab(scenario, { settings, manager: { now: clock.now }, world: { now: clock.now } })

const refusals = ({ world }: Lab) => world.calls.filter(({ status }) => status === 429).length
const many = (lab: Lab, count: number) => Promise.all(Array.from({ length: count }, () => lab.call()))
const served = (all: readonly { readonly error: unknown }[]) => all.filter(({ error }) => error === null).length
const ready = ({ manager }: Lab) =>
  manager
    .rankTargets()
    .filter(({ eligible }) => eligible)
    .map(({ target }) => target)
    .sort()

describe('parallel requests', () => {
  const perMinute = (limit: number, stated: boolean) => ({
    limits: [{ unit: 'requests' as const, window: 'minute' as const, limit, stated }],
  })

  for (const stated of [true, false])
    test(`24 at once over 4 keys of 6 a minute are all served without a 429, limits ${stated ? 'told by headers' : 'known to nobody'}`, async () => {
      const clock = clockAt(NOON)
      const lab = await openAt({ providers: own('alpha', 4, ['m'], perMinute(6, stated)) }, clock, AUTO)
      if (stated) {
        await many(lab, 4)
        clock.pass(61_000)
      }
      expect(served(await many(lab, 24))).toBe(24)
      expect(refusals(lab)).toBe(0)
    })

  test('what no limit lets through now fails at once, and says when and with whom it can work', async () => {
    const clock = clockAt(NOON)
    const lab = await openAt({ providers: own('alpha', 2, ['m'], perMinute(3, true)) }, clock, AUTO)
    await many(lab, 6)
    const { error, attempts } = await lab.call()
    expect(attempts).toEqual([])
    expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED', retryAt: new Date(NOON + MINUTE).toISOString() })
    expect(error?.message).toContain('0 of 3 requests left this minute (header), until 12:01:00 UTC')
    expect(error?.message).toContain('soonest: alpha/m#')
    expect(refusals(lab)).toBe(0)
  })

  test('keys nobody knows share the load evenly', async () => {
    const lab = await openLab({ providers: own('alpha', 4, ['m']) }, { settings: { routing: {} } })
    for (let call = 0; call < 40; call++) await lab.call()
    const counts = Object.values(Object.groupBy(lab.asked(), (target) => target)).map((calls) => calls?.length)
    for (const count of counts) expect(count).toBeGreaterThanOrEqual(8)
    expect(counts).toHaveLength(4)
  })

  test('a conversation stays on its key as long as that has room', async () => {
    const clock = clockAt(NOON)
    const lab = await openAt({ providers: own('alpha', 3, ['m'], perMinute(6, true)) }, clock, { routing: {} })
    const turn = () => lab.call({ prompt: 'go on', sessionId: 'talk' })
    const { result } = await turn()
    for (let count = 0; count < 5; count++) expect((await turn()).result?.keyIndex).toBe(result?.keyIndex)
    expect((await turn()).result?.keyIndex).not.toBe(result?.keyIndex)
    expect(refusals(lab)).toBe(0)
  })
})

describe('who is parked', () => {
  const KEYS = { a1: 'a', a2: 'a', b1: 'b' }
  const two = (faults: FakeFault[]): FakeScenario => ({
    providers: {
      alpha: {
        keys: Object.fromEntries(
          Object.entries(KEYS).map(([key, account]) => [`fake-alpha-000000${key}`, { account }]),
        ),
        models: { m: {}, n: {} },
        faults,
      },
      ...own('beta', 1, ['m']),
    },
  })
  const ALL = ['alpha/m#1', 'alpha/m#2', 'alpha/m#3', 'alpha/n#1', 'alpha/n#2', 'alpha/n#3', 'beta/m#1']
  const without = (pattern: RegExp) => ALL.filter((target) => !pattern.test(target))
  const rows: readonly (readonly [FakeFault['do'], string, readonly string[], number?])[] = [
    ['rate_minute', 'the model for the whole account', without(/alpha\/m#[12]/)],
    ['quota_day', 'the model for the whole account', without(/alpha\/m#[12]/)],
    ['auth_invalid', 'the key alone', without(/alpha.*#1/)],
    ['model_not_found', 'the model of the key alone', without(/alpha\/m#1/)],
    ['overloaded', 'the model of the provider, from the second time in a row', without(/alpha\/m/), 2],
    ['reset', 'nobody after one broken connection', ALL],
  ]
  for (const [fault, whom, expected, times = 1] of rows)
    test(`${fault} parks ${whom}`, async () => {
      const to = fault === 'reset' ? 1 : 5
      const lab = await openLab(two([{ do: fault, key: 1, model: 'm', retry_after: 300, to }]))
      for (let call = 0; call < times; call++) await lab.call({ prompt: 'hi', model: 'alpha/m#1' })
      expect(ready(lab)).toEqual(expected)
      await retest(lab.manager.engine, null)
      expect(ready(lab)).toEqual(ALL)
    })
})

describe('days', () => {
  const gemini = (zone: 'America/Los_Angeles'): FakeScenario => ({
    providers: {
      google: {
        keys: { 'fake-google-0000001': { account: 'project-b' } },
        models: { 'gemini-3.8-flash': {} },
        limits: [{ unit: 'requests', window: 'day', limit: 2, zone }],
      },
    },
  })
  const nights: readonly (readonly [string, string, string])[] = [
    ['an ordinary day', '2026-11-23T12:00:00Z', '2026-11-24T08:00:00Z'],
    ['the day of 25 hours, when the clocks go back', '2026-11-01T07:30:00Z', '2026-11-02T08:00:00Z'],
    ['the day of 23 hours, when they go forward', '2026-03-08T08:30:00Z', '2026-03-09T07:00:00Z'],
  ]
  for (const [title, now, midnight] of nights)
    test(`a day of Gemini lasts until Pacific midnight: ${title}`, async () => {
      const clock = clockAt(Date.parse(now))
      const lines: string[] = []
      const logger = { debug() {}, info: (line: string) => void lines.push(line), warn() {}, error() {} }
      const scenario = gemini('America/Los_Angeles')
      const world = await openWorld(scenario, { now: clock.now })
      const manager = openManager(world, { manager: { now: clock.now, logger } })
      const asks = async () => (await told(manager, 'hi')).trail.replace(/.*=/, '')
      expect([await asks(), await asks(), await asks()]).toEqual(['ok', 'ok', 'quota_day'])
      const { error, attempts } = await told(manager, 'hi')
      expect(attempts).toEqual([])
      const retryAt = Date.parse((error as unknown as { retryAt: string }).retryAt)
      expect(retryAt).toBeGreaterThanOrEqual(Date.parse(midnight))
      expect(retryAt).toBeLessThan(Date.parse(midnight) + MINUTE)
      expect(lines.at(-1)).toMatch(
        /\[1\/5\] parked: daily limit of google project-b for gemini-3.8-flash until .*0[78]:\d\d UTC \(Pacific midnight\)/,
      )
      clock.set(retryAt)
      expect(await asks()).toBe('ok')
    })

  test('what is known survives a restart in the middle', async () => {
    const clock = clockAt(NOON)
    const scenario: FakeScenario = {
      providers: own('alpha', 2, ['m'], { limits: [{ unit: 'requests', window: 'day', limit: 5, zone: 'UTC' }] }),
    }
    const world = await openWorld(scenario, { now: clock.now })
    const store = join(temporaryFolder(), 'store.db')
    const open = () => openManager(world, { manager: { now: clock.now, store } })
    const first = open()
    for (let call = 0; call < 8; call++) await told(first, 'hi')
    await first.close()
    clock.pass(HOUR)
    const second = open()
    for (let call = 0; call < 2; call++) expect((await told(second, 'hi')).error).toBeNull()
    const { error, attempts } = await told(second, 'hi')
    expect(attempts).toEqual([])
    expect(error).toMatchObject({ retryAt: expect.stringMatching(/^2026-11-24T/) })
    expect(world.calls.filter(({ status }) => status === 429)).toEqual([])
    const limits = statusView(second.engine, second.getSessionSummary()).targets.map((target) => target.limits)
    for (const all of limits) expect(all).toMatchObject([{ window: 'day', limit: 5, remaining: 0, source: 'header' }])
  })

  test('two processes on one store count every call once', async () => {
    const clock = clockAt(NOON)
    const limits = [{ unit: 'requests', window: 'minute', limit: 10, stated: true }]
    const world = await openWorld({ providers: own('alpha', 1, ['m'], { limits }) }, { now: clock.now })
    const store = join(temporaryFolder(), 'store.db')
    const [one, other] = [0, 1].map(() => openManager(world, { manager: { now: clock.now, store } }))
    for (const manager of [one, one, one, one, other, other, other]) await told(manager!, 'hi')
    for (const { engine } of [one!, other!]) {
      engine.learned.sync()
      const [target] = engine.registry.targets
      expect(engine.learned.quota.limitsOf(target!, clock.now())).toMatchObject([{ limit: 10, remaining: 3 }])
    }
    for (let call = 0; call < 3; call++) expect((await told(one!, 'hi')).error).toBeNull()
    other!.engine.learned.sync()
    expect((await told(other!, 'hi')).attempts).toEqual([])
    expect(world.calls.filter(({ status }) => status === 429)).toEqual([])
  })

  for (const [name, jump] of [
    ['back by a day', -DAY],
    ['back by a year', -365 * DAY],
    ['forward by a month', 30 * DAY],
    ['forward by ten years', 3650 * DAY],
  ] as const)
    test(`a clock that jumps ${name} keeps no healthy key out for longer than its window`, async () => {
      const clock = clockAt(NOON)
      const limits = [{ unit: 'requests', window: 'minute', limit: 2, stated: true }]
      const lab = await openAt({ providers: own('alpha', 1, ['m'], { limits }) }, clock)
      await many(lab, 2)
      expect((await lab.call()).attempts).toEqual([])
      clock.pass(jump)
      // The simulated provider has jumped as well; ours may not hold longer than a minute from now.
      const { error } = await lab.call()
      if (error !== null) {
        const retryAt = Date.parse((error as unknown as { retryAt: string }).retryAt)
        expect(retryAt - clock.now()).toBeLessThanOrEqual(66_000)
      }
    })
})

describe('headers of a hostile or broken upstream', () => {
  const SOON = 10 * MINUTE
  /** An upstream that answers with these headers. */
  async function upstreamWith(headersOf: () => OutgoingHttpHeaders, status = 200, failure?: object): Promise<string> {
    const { endpoint } = await httpUpstream(({ call }) => ({
      ...(call === 1 && { status, ...(failure !== undefined && { body: failure }) }),
      headers: headersOf(),
    }))
    return endpoint
  }

  async function managerAt(endpoint: string, clock: Clock): Promise<APIManager> {
    const manager = new APIManager({
      config: {
        alpha: { endpoint, api_key: fakeKey('alpha'), models: ['m'] },
        settings: { routing: { probes: 'free' } },
      },
      env: {},
      logger: false,
      now: clock.now,
      random: () => 0,
    })
    onTestFinished(() => manager.close())
    await manager.ready()
    return manager
  }

  const limit = (size: string, left: string, reset: string) => ({
    'x-ratelimit-limit-requests': size,
    'x-ratelimit-remaining-requests': left,
    'x-ratelimit-reset-requests': reset,
  })
  const HOSTILE: readonly (readonly [string, OutgoingHttpHeaders])[] = [
    ['negative numbers', limit('-5', '-1', '-30')],
    ['an absurd size', limit('9'.repeat(40), '0', '5s')],
    ['a reset beyond a month', limit('100', '0', '99999h')],
    ['a reset in the past', limit('100', '0', '2020-01-01T00:00:00Z')],
    ['a limit of nothing', limit('0', '0', '86400')],
    ['more left than there is', limit('5', '50', '1h')],
    ['no numbers at all', limit('NaN', 'Infinity', 'soon')],
    ['a remaining of nothing and no reset', { 'x-ratelimit-remaining-requests': '0' }],
    ['two that contradict each other', { ...limit('1', '9', '1h'), 'x-ratelimit-limit-requests-hour': '0' }],
  ]
  for (const [name, headers] of HOSTILE)
    test(`${name}: the key serves again within its probe interval`, async () => {
      const clock = clockAt(NOON)
      const manager = await managerAt(await upstreamWith(() => headers), clock)
      expect((await told(manager, 'hi')).error).toBeNull()
      clock.pass(SOON + 1)
      expect((await told(manager, 'hi')).error).toBeNull()
    })

  test('sizes that change with every answer never keep a key that answers out', async () => {
    const clock = clockAt(NOON)
    let size = 7
    const next = () => {
      size = (size * 31) % 97
      return size
    }
    const manager = await managerAt(await upstreamWith(() => limit(String(next()), '5', '1s')), clock)
    for (let call = 0; call < 50; call++) {
      expect((await told(manager, 'hi')).error).toBeNull()
      clock.pass(2_000)
    }
  })

  test('of two limits in one answer both are kept, and the one that ends last holds', async () => {
    const clock = clockAt(NOON)
    let left = '1'
    const both = () => ({
      'x-ratelimit-limit-requests-minute': '10',
      'x-ratelimit-remaining-requests-minute': left,
      'x-ratelimit-reset-requests-minute': '30',
      'x-ratelimit-limit-requests-hour': '100',
      'x-ratelimit-remaining-requests-hour': left,
      'x-ratelimit-reset-requests-hour': '1800',
    })
    const manager = await managerAt(await upstreamWith(both), clock)
    await told(manager, 'hi')
    left = '0'
    await told(manager, 'hi')
    const { error } = await told(manager, 'hi')
    expect(error).toMatchObject({ retryAt: new Date(NOON + 1_800_000).toISOString() })
    const [row] = statusView(manager.engine, manager.getSessionSummary()).targets
    expect(row?.limits.map(({ window, remaining, source }) => `${window} ${remaining} ${source}`)).toEqual([
      'minute 0 header',
      'hour 0 header',
    ])
  })

  test('a wait of years in a refusal is no information', async () => {
    const clock = clockAt(NOON)
    const failure = { error: { message: 'slow down', type: 'rate_limit_error', code: 'rate_limit_exceeded' } }
    const manager = await managerAt(await upstreamWith(() => ({ 'retry-after': '99999999' }), 429, failure), clock)
    expect((await told(manager, 'hi')).error?.message).toContain('2026-11-23T12:00:3')
    clock.pass(31_000)
    expect((await told(manager, 'hi')).error).toBeNull()
  })
})
