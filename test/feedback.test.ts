/** Who may say how good an answer was, and what is said to everybody else. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { ADMIN_TOKEN, type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { own } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const SCENARIO = { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['n']) } }
const clicks = { name: 'clicks', minimum_effect: 1 }
const RACE = {
  name: 'race',
  metric: clicks,
  variants: [
    { name: 'now', share: 0.5, model: 'alpha/m' },
    { name: 'new', share: 0.5, model: 'beta/n' },
  ],
}

/** What one token does at a gateway. */
const caller = (world: GatewayWorld, token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  const ask = async (model = 'alpha/m') => {
    const body = { model, messages: [{ role: 'user', content: 'Say hi' }] }
    const answer = await world.ask('/v1/chat/completions', body, headers)
    await answer.arrayBuffer()
    return answer.headers.get('x-keywise-request-id') ?? ''
  }
  const feed = async (body: unknown) => {
    const answer = await world.ask('/v1/feedback', body, headers)
    const shown = [...answer.headers].filter(([name]) => name !== 'date')
    return { status: answer.status, body: await answer.text(), headers: shown }
  }
  const rate = async (id: string, score: number) => (await feed({ request_id: id, score })).status
  return { ask, feed, rate }
}

const scoresIn = (world: GatewayWorld) =>
  world.gateway.opened.engine.store.read(0, 10_000, null, 'quality').map((event) => 'score' in event && event.score)
/** What was reported, and not how requests ended; rows without values say nothing of either. */
const observationsIn = (world: GatewayWorld) =>
  world.gateway.opened.engine.store
    .read(0, 10_000, null, 'observation')
    .flatMap((event) => ('values' in event && !('success' in event.values) ? [event.values] : []))
    .filter((values) => Object.keys(values).length > 0)

let world: GatewayWorld
let owner: ReturnType<typeof caller>
let other: ReturnType<typeof caller>
let admin: ReturnType<typeof caller>
beforeAll(async () => {
  world = await openGateway(SCENARIO, { settings: { experiments: [RACE] } })
  owner = caller(world, TOKEN)
  other = caller(world, world.gateway.tokens.add('other', 'inference'))
  admin = caller(world, ADMIN_TOKEN)
})
afterAll(() => world.close())

describe('a request is rated', () => {
  test('by the token that made it and by the administrator, not by another token', async () => {
    const before = scoresIn(world).length
    const id = await owner.ask()
    expect(await other.rate(id, 0)).toBe(404)
    expect(scoresIn(world)).toHaveLength(before)
    expect(await owner.rate(id, 0.25)).toBe(200)
    expect(await admin.rate(id, 0.75)).toBe(200)
    expect(scoresIn(world).slice(before)).toEqual([0.25, 0.75])
  })

  test('and its metrics are written by nobody else either, whatever they are', async () => {
    const before = observationsIn(world).length
    const id = await owner.ask('experiment:race')
    for (const metrics of [{ clicks: 1e9 }, { quality: 0 }, { latency: 5 }, { unheard_of: 1 }])
      expect((await other.feed({ request_id: id, metrics })).status).toBe(404)
    expect(observationsIn(world)).toHaveLength(before)
    expect((await owner.feed({ request_id: id, metrics: { clicks: 3 } })).status).toBe(200)
    expect(observationsIn(world).slice(before)).toEqual([{ clicks: 3 }])
  })

  test('by the library that has the store, whoever made it; and one of the library by the administrator alone', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    await using gateway = await openGateway(SCENARIO, { store })
    const made = await caller(gateway, TOKEN).ask()
    const logger = { info() {}, warn() {}, error() {} }
    const manager = new APIManager({ config: gateway.fakes.config(), store, env: {}, logger })
    try {
      const { requestId } = await manager.callWithFallback({ prompt: 'Say hi', model: 'alpha/m' })
      await gateway.gateway.opened.engine.store.flushed()
      manager.rate(made, 1)
      await manager.engine.store.flushed()
      expect(await caller(gateway, TOKEN).rate(requestId, 1)).toBe(404)
      expect(await caller(gateway, ADMIN_TOKEN).rate(requestId, 1)).toBe(200)
    } finally {
      await manager.close()
    }
  })

  test('not by a token that took over the name of the one that made it', async () => {
    const first = caller(world, world.gateway.tokens.add('app', 'inference'))
    const id = await first.ask()
    expect(await first.rate(id, 1)).toBe(200)
    world.gateway.tokens.revoke('app')
    expect(await first.rate(id, 1)).toBe(401)
    const second = caller(world, world.gateway.tokens.add('app', 'inference'))
    expect(await second.rate(id, 0)).toBe(404)
    expect(await admin.rate(id, 0.5)).toBe(200)
  })

  test('after a restart as before, and at another gateway of the same store', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const first = await openGateway(SCENARIO, { store })
    const token = first.gateway.tokens.add('app', 'inference')
    const id = await caller(first, token).ask()
    await first.gateway.opened.engine.store.flushed()
    await using second = await openGateway(SCENARIO, { store })
    expect(await caller(second, TOKEN).rate(id, 0)).toBe(404)
    expect(await caller(second, token).rate(id, 1)).toBe(200)
    await first.close()
    await using third = await openGateway(SCENARIO, { store })
    expect(await caller(third, TOKEN).rate(id, 0)).toBe(404)
    expect(await caller(third, token).rate(id, 1)).toBe(200)
  })
})

test('an answer of several choices is rated by the id in its header', async () => {
  const body = { model: 'alpha/m', prompt: ['Say hi', 'Say bye'] }
  const answer = await world.ask('/v1/completions', body)
  expect([answer.status, ((await answer.json()) as { choices: unknown[] }).choices.length]).toEqual([200, 2])
  expect(await owner.rate(answer.headers.get('x-keywise-request-id') ?? '', 1)).toBe(200)
})

describe('an id that the token has no request of', () => {
  const IDS: readonly (readonly [name: string, id: () => Promise<string>])[] = [
    ['of another token', () => owner.ask()],
    ['of another token, in an experiment', () => owner.ask('experiment:race')],
    ['of another token, whose request failed', () => owner.ask('no/such')],
    ['that was never given', async () => `kw_${'A'.repeat(16)}`],
    ['of the old form', async () => 'kw_jMxJDmuo8yS0000005'],
    ['that is none', async () => 'x'],
    ['that is empty', async () => ''],
    ['of control characters', async () => '\u0000\u001b[2J\r\n\u202e'],
    ['of a lone surrogate', async () => '\ud83d'],
    ['of SQL', async () => "' OR request_id LIKE 'kw_%"],
    ['that is very long', async () => 'kw_'.repeat(20_000)],
    ['in another case', async () => (await other.ask()).toUpperCase().replace(/^KW_/, 'kw_')],
    ['with a blank after it', async () => `${await other.ask()} `],
  ]

  test.each(IDS)('%s gets the same answer as every other', async (_name, id) => {
    const request_id = await id()
    const known = await other.feed({ request_id: 'kw_unknown', score: 0.5 })
    expect(known.status).toBe(404)
    expect(await other.feed({ request_id, score: 0.5 })).toEqual(known)
    for (const metrics of [{ clicks: 1 }, { none: 1 }, { latency: 1 }])
      expect(await other.feed({ request_id, metrics })).toEqual(known)
  })

  test('and what is wrong with the numbers is said alike for all', async () => {
    for (const body of [{ score: 2 }, { score: 'x' }, { metrics: { clicks: 'many' } }, {}]) {
      const answers = [await owner.ask(), await other.ask(), 'kw_unknown'].map((request_id) =>
        other.feed({ request_id, ...body }),
      )
      const [foreign, mine, unknown] = await Promise.all(answers)
      expect(foreign?.status).toBe(400)
      expect([mine, unknown]).toEqual([foreign, foreign])
    }
  })

  test('a text in the place of a number, and an id that is unknown, are named as they were sent', async () => {
    const text = await owner.feed({ request_id: await owner.ask(), metrics: { clicks: '3' } })
    expect(text.body).toContain('the value of \\"clicks\\" must be a number, not the text \\"3\\"')
    expect((await owner.feed({ request_id: 'kw_unknown', score: 1 })).body).toContain('"param":"request_id"')
    const odd = await owner.feed({ request_id: await owner.ask(), metrics: { clicks: { toString: 1 } } })
    expect(odd).toMatchObject({ status: 400, body: expect.stringContaining('must be a number, not {') })
  })

  test('like that of a request which the ledger no longer has', async () => {
    await using fresh = await openGateway(SCENARIO)
    const me = caller(fresh, TOKEN)
    const id = await me.ask()
    fresh.gateway.opened.engine.store.prune(Number.POSITIVE_INFINITY)
    expect(await me.feed({ request_id: id, score: 1 })).toEqual(await me.feed({ request_id: 'kw_unknown', score: 1 }))
  })
})

describe('feedback is taken whole or not at all', () => {
  test.each([
    [{ score: 0.5, metrics: { clicks: 'many' } }, 400],
    [{ score: 0.5, metrics: { clicks: 1, unheard_of: 1 } }, 400],
    [{ score: 0.5, metrics: { clicks: 1, latency: 1 } }, 400],
    [{ score: 0.5, metrics: { quality: 0.6 } }, 400],
    [{ score: 0.5, metrics: { quality: 7 } }, 400],
    [{ score: 1.5, metrics: { clicks: 1 } }, 400],
    [{ metrics: { clicks: 1, quality: -1 } }, 400],
    [{ score: 0.5, metrics: 'clicks' }, 400],
    [{ score: 0.5, metrics: [1] }, 400],
    [{ score: null, metrics: { clicks: 1 } }, 400],
    [{ score: true }, 400],
    [{ score: '0.5' }, 400],
    [{ score: [0.5] }, 400],
    [{ score: 1.000001 }, 400],
    [{ score: -1e-9 }, 400],
    [{ score: 1e308 }, 400],
    [{ metrics: { clicks: true } }, 400],
    [{ metrics: { clicks: '3' } }, 400],
    [{ metrics: { clicks: null } }, 400],
    [{ metrics: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`m${at}`, 1])) }, 400],
    ['{"request_id":"ID","score":NaN}', 400],
    ['{"request_id":"ID","score":1e999}', 400],
    ['{"request_id":"ID","metrics":{"clicks":-1e999}}', 400],
  ] as const)('%j is refused and leaves nothing', async (body, status) => {
    const [scores, observations] = [scoresIn(world).length, observationsIn(world).length]
    const request_id = await owner.ask('experiment:race')
    const sent = typeof body === 'string' ? body.replace('ID', request_id) : { request_id, ...body }
    expect((await owner.feed(sent)).status).toBe(status)
    expect([scoresIn(world).length, observationsIn(world).length]).toEqual([scores, observations])
  })

  test('-0 is 0, and the largest number is a number', async () => {
    const request_id = await owner.ask('experiment:race')
    const answer = await owner.feed(`{"request_id":"${request_id}","score":-0,"metrics":{"clicks":1e308}}`)
    expect(JSON.parse(answer.body)).toEqual({ request_id, score: 0, metrics: { clicks: 1e308 } })
    expect(Object.is(scoresIn(world).at(-1), 0)).toBe(true)
  })
})
