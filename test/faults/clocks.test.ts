/** Clocks that are wrong, that jump while calls are under way, and a process that stood still. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../../src/manager/apiManager.ts'
import { expectAnswer, looks, openFaultWorld } from '../support/faults/faultWorld.ts'
import { openScripted } from '../support/faults/openScripted.ts'
import { json, wholeAnswer } from '../support/faults/scriptedUpstream.ts'
import { until } from '../support/gatewayWorld.ts'
import { HandClock } from '../support/handClock.ts'
import { httpUpstream } from '../support/httpUpstream.ts'
import { told } from '../support/lab.ts'
import { temporaryFolder } from '../support/temporaryFolder.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOON = Date.UTC(2026, 10, 23, 12)
const body = { error: { message: 'Rate limit reached', code: 'rate_limit_exceeded' } }

/** A manager whose upstream refuses while the test says so. */
async function openRefused(wait: string, options: { store?: string; date?: (now: number) => number } = {}) {
  const time = { now: NOON, refuses: true }
  const upstream = await httpUpstream(() => {
    const { date } = options
    const headers = { 'retry-after': wait, ...(date !== undefined && { date: new Date(date(time.now)).toUTCString() }) }
    return time.refuses ? { status: 429, headers, body } : {}
  })
  const open = () => {
    const manager = new APIManager({
      config: {
        relay: { dialect: 'openai', api_key: `fake-${'0'.repeat(24)}`, endpoint: upstream.endpoint, models: ['m'] },
        settings: { timeouts: { patience_ms: 0 }, routing: { probes: 'free' } },
      },
      env: {},
      logger: false,
      random: () => 0,
      sleep: () => Promise.resolve(),
      now: () => time.now,
      ...(options.store !== undefined && { store: options.store }),
    })
    onTestFinished(() => manager.close())
    return manager
  }
  return { time, upstream, open }
}

const waitOf = (error: unknown, now: number) => Date.parse((error as { retryAt?: string } | null)?.retryAt ?? '') - now

describe('F26 a clock that is a day off', () => {
  test.each([
    ['fast', DAY],
    ['slow', -DAY],
  ])('F26 our clock is a day %s: a date of the upstream is read by the upstream’s own clock', async (_, skew) => {
    // The upstream's clock is right; ours is `skew` ahead of it.
    const upstreamNow = (now: number) => now - skew
    const ends = new Date(upstreamNow(NOON) + 5 * MINUTE).toUTCString()
    const { time, open } = await openRefused(ends, { date: upstreamNow })
    const { error } = await told(open(), 'hi')
    expect(waitOf(error, time.now)).toBeGreaterThanOrEqual(5 * MINUTE - SECOND)
    expect(waitOf(error, time.now)).toBeLessThanOrEqual(6 * MINUTE)
  })
})

describe('F26 a clock that jumps', () => {
  test.each([
    ['back an hour', -HOUR],
    ['back a day', -DAY],
    ['forward a day', DAY],
    ['back a year', -365 * DAY],
  ])('F26 %s while a call is under way: its duration is that of the monotonic clock', async (_, jump) => {
    let now = NOON
    const clock = new HandClock()
    const { world, upstream, says } = await openScripted('openai', { clock, world: { clock: () => now } })
    let finish: () => void = () => {}
    says((socket) => {
      finish = () => void socket.write(json(wholeAnswer('openai')))
    })
    const asking = world.ask(false)
    await until(() => upstream.asked.length === 1, 'the call')
    clock.pass(200)
    now += jump
    await looks()
    finish()
    expectAnswer(await asking, 'primary/first-model#1=ok')
    const [row] = world.ledger()
    expect(row).toMatchObject({ latencyMs: 200 })
  })

  test.each([
    ['back an hour', -HOUR],
    ['back a year', -365 * DAY],
    ['forward an hour', HOUR],
  ])('F26 %s: a rest of a minute stays one, and the target serves again', async (_, jump) => {
    const { time, open } = await openRefused('60')
    const manager = open()
    await told(manager, 'hi')
    time.now += jump
    time.refuses = false
    const { error, result } = await told(manager, 'hi')
    if (result === null) expect(waitOf(error, time.now)).toBeLessThanOrEqual(67 * SECOND)
    time.now += 68 * SECOND
    expect((await told(manager, 'hi')).result?.content).toBe('hello')
  })

  test('F26 what was stored by a clock of the future rests nothing for longer than 31 days', async () => {
    const store = join(temporaryFolder(), 'store.db')
    const { time, open } = await openRefused(String(20 * 86_400), { store })
    time.now = NOON + 3650 * DAY
    const first = open()
    await told(first, 'hi')
    await first.close()
    time.now = NOON
    const { error, result } = await told(open(), 'hi')
    if (result === null) expect(waitOf(error, time.now)).toBeLessThanOrEqual(31 * DAY)
  })
})

describe('a process that stood still', () => {
  test('F42 our own standstill counts against no target, when answers lie in the socket', async () => {
    const clock = new HandClock()
    const { world, upstream, says } = await openScripted('openai', {
      clock,
      settings: { timeouts: { first_token_ms: 4000 } },
    })
    let finish: () => void = () => {}
    says((socket) => {
      finish = () => void socket.write(json(wholeAnswer('openai')))
    })
    const asking = world.ask(false)
    await until(() => upstream.asked.length === 1, 'the call')
    // The answer comes in time, but this process does not run until the time is over.
    finish()
    const end = performance.now() + 350
    clock.pass(60_000)
    while (performance.now() < end);
    expectAnswer(await asking, 'primary/first-model#1=ok')
    expect(world.ledger()).toMatchObject([{ ok: true }])
  })

  test('F42 nor when an upstream waited for us meanwhile, and answers a moment after', async () => {
    const clock = new HandClock()
    const { world, upstream, says } = await openScripted('openai', {
      clock,
      settings: { timeouts: { first_token_ms: 4000 } },
    })
    let finish: () => void = () => {}
    says((socket) => {
      finish = () => void socket.write(json(wholeAnswer('openai')))
    })
    const asking = world.ask(false)
    await until(() => upstream.asked.length === 1, 'the call')
    const end = performance.now() + 600
    clock.pass(60_000)
    while (performance.now() < end);
    setTimeout(finish, 250)
    expectAnswer(await asking, 'primary/first-model#1=ok')
    expect(world.ledger()).toMatchObject([{ ok: true }])
  })

  test('F26 a laptop that slept: sockets that died meanwhile are charged to nobody', async () => {
    let now = NOON
    const world = await openFaultWorld({ world: { clock: () => now } })
    expectAnswer(await world.ask(false), 'primary/first-model#1=ok')
    now += 8 * HOUR
    world.proxy.dropIdle()
    for (const stream of [false, true]) expectAnswer(await world.ask(stream), 'primary/first-model#1=ok')
    expect(world.ledger().every(({ ok }) => ok)).toBe(true)
    await world.expectReleased()
  })
})
