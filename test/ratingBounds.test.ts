/** How far ratings reach: one of them, a thousand of one token, and those of the owner. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { WhyView } from '../src/views/why.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN, type WorldOptions } from './support/gatewayWorld.ts'
import { own } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

/** Two services that differ in nothing. */
const TWINS = { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } }
const NOON = Date.UTC(2026, 10, 23, 12, 10)
const HOUR = 3_600_000

/** A gateway whose clock stands still until it is moved. */
async function open(options: WorldOptions & { readonly at?: number } = {}) {
  const clock = { now: options.at ?? NOON }
  const world = await openGateway(TWINS, { clock: () => clock.now, ...options })
  onTestFinished(() => world.close())
  return { world, clock }
}

const caller = (world: GatewayWorld, token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  const ask = async (model = 'auto', more = {}) => {
    const body = { model, messages: [{ role: 'user', content: 'Say hi' }] }
    const answer = await world.ask('/v1/chat/completions', body, { ...headers, ...more })
    await answer.arrayBuffer()
    return {
      id: answer.headers.get('x-keywise-request-id') ?? '',
      target: answer.headers.get('x-keywise-target') ?? '',
    }
  }
  const rate = async (request_id: string, score: number) =>
    (await world.ask('/v1/feedback', { request_id, score }, headers)).status
  /** Asks for answers and rates each. */
  const judge = async (count: number, model: string, score: (index: number) => number, more = {}) => {
    for (let index = 0; index < count; index++) await rate((await ask(model, more)).id, score(index))
  }
  const askOften = async (times: number) => {
    for (let time = 0; time < times; time++) await ask()
  }
  return { ask, rate, judge, askOften }
}

const why = async (world: GatewayWorld) => {
  const answer = await world.ask('/api/why', undefined, { authorization: `Bearer ${ADMIN_TOKEN}` })
  return (await answer.json()) as WhyView
}
const qualityOf = async (world: GatewayWorld, target: string) =>
  (await why(world)).ranking.find((row) => row.target === target)?.terms.quality ?? Number.NaN

/** What is shown of the ratings of a target. */
const shownOf = async (world: GatewayWorld, target: string) => {
  const answer = await world.ask('/api/status', undefined, { authorization: `Bearer ${ADMIN_TOKEN}` })
  const { targets } = (await answer.json()) as { targets: { target: string; qualityScore: number | null }[] }
  return targets.find((row) => row.target === target)?.qualityScore
}

describe('a request that is rated more than once', () => {
  test('counts with its last score, however often it is rated', async () => {
    const { world } = await open()
    const me = caller(world, TOKEN)
    await me.judge(6, 'alpha/m', () => 0.5)
    const before = await qualityOf(world, 'alpha/m#1')
    const { id } = await me.ask('alpha/m')
    for (let time = 0; time < 40; time++) await me.rate(id, time % 2)
    await me.rate(id, 0.5)
    const after = await qualityOf(world, 'alpha/m#1')
    expect(await shownOf(world, 'alpha/m#1')).toBe(0.5)
    // As one more rating of 0.5, and no more than that.
    expect(before - after).toBeGreaterThanOrEqual(0)
    expect(before - after).toBeLessThan(0.03)
  })

  test('with the same score, as by a double click, leaves one row in the log', async () => {
    const { world } = await open()
    const me = caller(world, TOKEN)
    const { id } = await me.ask('alpha/m')
    expect(await Promise.all([me.rate(id, 0.4), me.rate(id, 0.4), me.rate(id, 0.4)])).toEqual([200, 200, 200])
    expect(world.gateway.opened.engine.store.read(0, 100, null, 'quality')).toHaveLength(1)
  })

  test('by its token and by the administrator has both scores, each the last of its rater', async () => {
    const { world } = await open()
    const [me, admin] = [caller(world, TOKEN), caller(world, ADMIN_TOKEN)]
    const { id } = await me.ask('alpha/m')
    for (const score of [0, 1, 0.2]) await me.rate(id, score)
    for (const score of [0, 0.6]) await admin.rate(id, score)
    expect(await shownOf(world, 'alpha/m#1')).toBeCloseTo(0.4, 9)
  })

  test('at two gateways of one store, before and after a restart, still counts once everywhere', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const { world: one } = await open({ store })
    const { world: two } = await open({ store })
    const [atOne, atTwo] = [caller(one, TOKEN), caller(two, TOKEN)]
    const { id } = await atOne.ask('alpha/m')
    await one.gateway.opened.engine.store.flushed()
    for (const score of [0, 0.9, 0.1]) {
      expect(await atOne.rate(id, score)).toBe(200)
      expect(await atTwo.rate(id, 1 - score)).toBe(200)
    }
    for (const world of [one, two]) world.gateway.opened.engine.learned.sync()
    expect([await shownOf(one, 'alpha/m#1'), await shownOf(two, 'alpha/m#1')]).toEqual([0.9, 0.9])
    await one.close()
    await two.close()
    const { world: three } = await open({ store })
    expect(await shownOf(three, 'alpha/m#1')).toBe(0.9)
    expect(await caller(three, TOKEN).rate(id, 0.3)).toBe(200)
    expect(await shownOf(three, 'alpha/m#1')).toBeCloseTo(0.3, 9)
  })
})

describe('one rating', () => {
  test('of 0 takes no traffic from one of two that are alike', async () => {
    const { world } = await open()
    const me = caller(world, TOKEN)
    await me.askOften(12)
    const { id, target } = await me.ask()
    const before = await qualityOf(world, target)
    for (let time = 0; time < 30; time++) await me.rate(id, 0)
    expect(await qualityOf(world, target)).toBeCloseTo(before, 9)
  })
})

describe('a thousand ratings of a token among several', () => {
  const other = (world: GatewayWorld) => caller(world, world.gateway.tokens.add('other', 'inference'))

  test('count as one of each hour: nothing moves at first, and little in the hours after', async () => {
    const { world, clock } = await open()
    const [me, rival] = [caller(world, TOKEN), other(world)]
    await me.askOften(12)
    const { target: best } = await me.ask()
    const model = best.replace('#1', '')
    const before = await qualityOf(world, best)
    const { id } = await rival.ask(model)
    await rival.rate(id, 1)
    await rival.judge(50, model, () => 0)
    for (let time = 0; time < 40; time++) await rival.rate(id, time % 2)
    expect(await qualityOf(world, best)).toBeCloseTo(before, 9)
    expect((await why(world)).ratings).toEqual([{ target: best, token: 'other', given: 51, counted: 1 }])
    let last = before
    for (let hour = 1; hour <= 3; hour++) {
      clock.now += HOUR
      await rival.judge(3, model, () => 0)
      const now = await qualityOf(world, best)
      expect(last - now).toBeLessThan(0.1)
      expect(last - now).toBeGreaterThan(0)
      last = now
    }
    expect((await why(world)).ratings).toEqual([{ target: best, token: 'other', given: 3, counted: 1 }])
  })

  test('whatever tasks it names', async () => {
    const { world } = await open()
    const [me, rival] = [caller(world, TOKEN), other(world)]
    const admin = caller(world, ADMIN_TOKEN)
    for (let time = 0; time < 5; time++)
      await admin.rate((await me.ask('alpha/m', { 'x-keywise-task': 'code' })).id, 0.9)
    const before = await qualityOf(world, 'alpha/m#1')
    for (let task = 0; task < 24; task++)
      await rival.judge(1, 'alpha/m', () => 0, { 'x-keywise-task': task % 2 === 0 ? 'code' : `task-${task}` })
    expect(await qualityOf(world, 'alpha/m#1')).toBeCloseTo(before, 9)
  })

  test('at two gateways of one store, and after a restart within the hour', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const { world: one } = await open({ store })
    const token = one.gateway.tokens.add('other', 'inference')
    const { world: two } = await open({ store })
    await caller(one, TOKEN).ask('alpha/m')
    const before = await qualityOf(one, 'alpha/m#1')
    await caller(one, token).judge(10, 'alpha/m', () => 0)
    await one.gateway.opened.engine.store.flushed()
    await caller(two, token).judge(10, 'alpha/m', () => 0)
    await two.gateway.opened.engine.store.flushed()
    for (const world of [one, two]) {
      world.gateway.opened.engine.learned.sync()
      expect((await why(world)).ratings).toMatchObject([{ given: 20, counted: 1 }])
      expect(await qualityOf(world, 'alpha/m#1')).toBeCloseTo(before, 9)
    }
    await one.close()
    await two.close()
    const { world: three } = await open({ store, at: NOON + 60_000 })
    await caller(three, token).judge(10, 'alpha/m', () => 0)
    expect((await why(three)).ratings).toMatchObject([{ given: 30, counted: 1 }])
    expect(await qualityOf(three, 'alpha/m#1')).toBeCloseTo(before, 9)
  })

  test('also where the other token is that of another gateway', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const { world: one } = await open({ store })
    await caller(one, TOKEN).ask('alpha/m')
    const { tokens } = one.gateway
    const mine = tokens.find(TOKEN)
    expect(mine !== null && tokens.hasOthers(mine)).toBe(false)
    one.gateway.opened.engine.store.setDoc('tokens-in-use', 'of-another-gateway', { at: NOON - HOUR })
    one.gateway.opened.engine.store.setDoc('tokens-in-use', 'of-last-year', { at: NOON - 9000 * HOUR })
    tokens.list()
    expect(mine !== null && tokens.hasOthers(mine)).toBe(true)
    one.gateway.opened.engine.store.deleteDoc('tokens-in-use', 'of-another-gateway')
    tokens.list()
    expect(mine !== null && tokens.hasOthers(mine)).toBe(false)
  })
})

describe('the owner teaches as before', () => {
  test('with a single token: a drop from 0.9 to 0.3 leaves the target within 60 requests', async () => {
    const { world, clock } = await open()
    const me = caller(world, TOKEN)
    await me.judge(24, 'alpha/m', () => 0.9)
    await me.judge(12, 'beta/m', () => 0.8)
    let asked = 0
    for (let elsewhere = 0; elsewhere < 8 && asked < 150; asked++) {
      clock.now += 1000
      const { id, target } = await me.ask()
      const isDropped = target === 'alpha/m#1'
      elsewhere = isDropped ? 0 : elsewhere + 1
      await me.rate(id, isDropped ? 0.3 : 0.8)
    }
    expect(asked).toBeLessThan(60)
  })

  test('beside other tokens with that of the administrator', async () => {
    const { world } = await open()
    const me = caller(world, TOKEN)
    const admin = caller(world, ADMIN_TOKEN)
    world.gateway.tokens.add('other', 'inference')
    const before = await qualityOf(world, 'alpha/m#1')
    for (let time = 0; time < 12; time++) await admin.rate((await me.ask('alpha/m')).id, 0.3)
    expect(before - (await qualityOf(world, 'alpha/m#1'))).toBeGreaterThan(0.3)
  })
})
