/** How every official client learns that something went wrong: errors, aborts, and answers that broke off. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'
import { type GatewayWorld, openGateway, TOKEN, until } from '../support/gatewayWorld.ts'
import { clientNames, clientOf } from './all.ts'
import { modelOf, REPLY, sdkScenario, UPSTREAMS } from './world.ts'

const CUTS = ['cut_clean', 'cut_reset', 'cut_stall', 'cut_error', 'bad_chunk'] as const

function countRequests(world: GatewayWorld): { count: number } {
  const seen = { count: 0 }
  world.gateway.app.server.on('request', () => seen.count++)
  return seen
}

/** One provider for every way to break and every dialect, each called once: none is parked for another's fault. */
function cutScenario(): FakeScenario {
  const providers = UPSTREAMS.flatMap((dialect) =>
    CUTS.map((cut) => [
      `${dialect}-${cut.replace('_', '-')}`,
      { dialect, models: { [`${dialect}-${cut}`]: { reply: REPLY } }, faults: [{ do: cut, chunks: 3 }] },
    ]),
  )
  return { providers: Object.fromEntries(providers) }
}

describe.each(clientNames)('%s', (name) => {
  test('never takes an answer that broke off for a whole one, whoever broke it and however', async () => {
    await using world = await openGateway(cutScenario(), { settings: { timeouts: { idle_ms: 100 } } })
    const driver = clientOf(name, { origin: world.origin, token: TOKEN })
    const asked = UPSTREAMS.flatMap((dialect) => CUTS.map((cut) => `${dialect}-${cut}`))
    const ends = await Promise.all(
      asked.map((model) =>
        driver.stream(model).then(
          ({ complete }) => [model, complete ? 'taken for whole' : 'broken'],
          () => [model, 'broken'],
        ),
      ),
    )
    expect(ends.filter(([, end]) => end !== 'broken')).toEqual([])
  })
})

/** One provider of every dialect that blocks, and one that answers nothing. */
function oddScenario(): FakeScenario {
  const providers = UPSTREAMS.flatMap((dialect) =>
    (['blocked', 'says_nothing'] as const).map((fault) => [
      `${dialect}-${fault.replace('_', '-')}`,
      { dialect, models: { [`${dialect}-${fault}`]: {} }, faults: [{ do: fault }] },
    ]),
  )
  return { providers: Object.fromEntries(providers) }
}

describe.each(clientNames)('%s', (name) => {
  test('reads a blocked answer and an empty one of every upstream to their end', async () => {
    await using world = await openGateway(oddScenario())
    const driver = clientOf(name, { origin: world.origin, token: TOKEN })
    for (const upstream of UPSTREAMS) {
      for (const fault of ['blocked', 'says_nothing']) {
        const model = `${upstream}-${fault}`
        expect(await driver.plain(model, 'Hello'), model).toMatchObject({ text: expect.any(String) })
        // A blocked answer ends as what it is, not as a complete one.
        expect(await driver.stream(model), model).toMatchObject({ complete: fault !== 'blocked' })
      }
    }
  })
})

describe('with all upstreams well or refusing', () => {
  let world: GatewayWorld
  beforeAll(async () => {
    world = await openGateway(sdkScenario())
  })
  afterAll(() => world.close())
  const driverOf = (name: string) => clientOf(name, { origin: world.origin, token: TOKEN })

  test.each(clientNames)('%s that is aborted in the middle has its upstream cancelled', async (name) => {
    for (const upstream of UPSTREAMS) {
      const controller = new AbortController()
      const ended = driverOf(name)
        .stream(modelOf(upstream, 'drips'), controller.signal, () => controller.abort())
        .then(
          ({ complete }) => complete,
          () => false,
        )
      expect(await ended).toBe(false)
      await until(() => world.fakes.inFlight() === 0, 'the end of the upstream call')
    }
  })

  test.each(clientNames)('%s is told of an unknown model with status 404 and the nearest names', async (name) => {
    const error = await driverOf(name)
      .plain('openai-talk', 'Hello')
      .catch((caught: unknown) => caught)
    expect(statusOf(error)).toBe(404)
    expect(messageOf(error)).toContain('openai-talks')
  })

  test.each(clientNames)('%s asks once only when every target failed', async (name) => {
    await using broken = await openGateway({
      providers: { lone: { dialect: 'openai', models: { 'lone-model': {} }, faults: [{ do: 'auth_invalid' }] } },
    })
    const seen = countRequests(broken)
    const error = await clientOf(name, { origin: broken.origin, token: TOKEN })
      .plain('lone-model', 'Hello')
      .catch((caught: unknown) => caught)
    expect(statusOf(error)).toBe(502)
    expect(seen.count).toBe(1)
  })

  test.each(clientNames)('%s is told when to come back', async (name) => {
    await using limited = await openGateway({
      providers: {
        lone: {
          dialect: 'openai',
          models: { 'lone-model': {} },
          faults: [{ do: 'rate_minute', retry_after: 50 }],
        },
      },
    })
    const error = await clientOf(name, { origin: limited.origin, token: TOKEN })
      .plain('lone-model', 'Hello')
      .catch((caught: unknown) => caught)
    expect(statusOf(error)).toBe(429)
    expect(retryAfterOf(error)).toBeGreaterThan(40)
  })
})

/** The clients name it differently and wrap errors in errors. */
function statusOf(error: unknown): unknown {
  return find(error, (one) => one['status'] ?? one['statusCode'])
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function retryAfterOf(error: unknown): number {
  const found = find(error, ({ headers, responseHeaders, message }) => {
    if (headers instanceof Headers) return headers.get('retry-after')
    const plain = (responseHeaders ?? headers) as Record<string, string> | undefined // what remains is a plain object
    return plain?.['retry-after'] ?? /"retryDelay":"(\d+(?:\.\d+)?)s"/.exec(String(message))?.[1]
  })
  return Number(found)
}

function find(error: unknown, read: (one: Record<string, unknown>) => unknown): unknown {
  let one = error as Record<string, unknown> | undefined // an error is looked at as the record of its fields
  for (let depth = 0; one !== undefined && one !== null && depth < 4; depth++) {
    const found = read(one)
    if (found !== undefined && found !== null) return found
    one = (one['lastError'] ?? one['cause']) as Record<string, unknown> | undefined
  }
  return undefined
}
