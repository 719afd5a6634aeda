import { expect, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { type GatewayWorld, openGateway, TOKEN } from './support/gatewayWorld.ts'
import { own, type Told, told } from './support/lab.ts'

const DIALECTS = [
  ['openai', '/v1'],
  ['openai-responses', '/v1'],
  ['anthropic', '/v1'],
  ['google', '/v1beta'],
] as const

/** One call through a keywise that has the gateway as its only upstream. */
async function callThrough(
  { origin }: GatewayWorld,
  [dialect, path]: (typeof DIALECTS)[number],
  token = TOKEN,
): Promise<Told> {
  const next = { dialect, endpoint: origin + path, api_key: token, models: ['m'] }
  await using manager = new APIManager({
    config: { next, settings: { timeouts: { patience_ms: 0 } } },
    env: {},
    logger: false,
    random: () => 0,
    // Pauses between two tries take no time.
    sleep: () => Promise.resolve(),
  })
  return await told(manager, { prompt: 'Say hi', model: 'next/m' })
}

for (const row of DIALECTS) {
  const [dialect] = row

  test(`a keywise behind another one by ${dialect}: out of requests for a while is a wait of that while`, async () => {
    await using world = await openGateway(
      { providers: own('alpha', 1, ['m'], { faults: [{ do: 'rate_minute', retry_after: 25 }] }) },
      { settings: { timeouts: { patience_ms: 0 } } },
    )
    // The second finds it parked: "nothing can be called now".
    for (const _ of [1, 2]) {
      const { attempts, error } = await callThrough(world, row)
      expect(attempts.at(-1)).toMatchObject({ failureKind: 'rate_minute', status: 429 })
      const waitMs = Date.parse((error as { retryAt?: string } | null)?.retryAt ?? '') - Date.now()
      expect(waitMs).toBeGreaterThan(10_000)
      expect(waitMs).toBeLessThan(40_000)
    }
  })

  test(`a keywise behind another one by ${dialect}: what it says of its own limits is not ours`, async () => {
    const limits = [{ unit: 'requests' as const, window: 'day' as const, limit: 1 }]
    await using world = await openGateway(
      { providers: own('alpha', 1, ['m'], { limits }) },
      { settings: { timeouts: { patience_ms: 0 } } },
    )
    expect((await callThrough(world, row)).error).toBeNull()
    // "the only attempt failed (alpha/m#1 quota_day)", then "nothing can be called now: parked: daily limit of alpha/m"
    for (const words of ['quota_day', 'daily limit']) {
      const { attempts } = await callThrough(world, row)
      expect(attempts.at(-1)).toMatchObject({ failureKind: 'rate_minute', status: 429 })
      expect(attempts.at(-1)?.message).toContain(words)
    }
  })

  test(`a keywise behind another one by ${dialect}: its empty accounts and refused keys are not ours`, async () => {
    for (const fault of ['billing', 'auth_invalid'] as const) {
      await using world = await openGateway({ providers: own('alpha', 1, ['m'], { faults: [{ do: fault }] }) })
      for (const _ of [1, 2]) {
        const { attempts } = await callThrough(world, row)
        expect(attempts.at(-1)).toMatchObject({ failureKind: 'server', status: 502 })
      }
    }
  })

  test(`a keywise behind another one by ${dialect}: a token that it does not know is refused`, async () => {
    await using world = await openGateway({ providers: own('alpha', 1, ['m']) })
    const { attempts } = await callThrough(world, row, `wrong-token-${'0'.repeat(20)}`)
    expect(attempts.at(-1)).toMatchObject({ failureKind: 'auth_invalid', status: 401 })
  })

  test(`a keywise behind another one by ${dialect}: a model that is down is overloaded`, async () => {
    await using world = await openGateway({ providers: own('alpha', 1, ['m'], { faults: [{ do: 'server' }] }) })
    const { attempts } = await callThrough(world, row)
    expect(attempts.at(-1)).toMatchObject({ failureKind: 'overloaded', status: 503 })
  })

  test(`a keywise behind another one by ${dialect}: the client’s own fault stays it`, async () => {
    await using world = await openGateway({
      providers: own('alpha', 1, ['m'], { faults: [{ do: 'context_too_long' }] }),
    })
    const { attempts, error } = await callThrough(world, row)
    expect(attempts.at(-1)?.failureKind).toBe('context_too_long')
    expect(error?.code).toBe('INVALID_REQUEST')
  })
}

test('every error of the gateway names its code in a header', async () => {
  await using world = await openGateway({ providers: own('alpha', 1, ['m'], { faults: [{ do: 'quota_day' }] }) })
  const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'x' }] }
  expect((await world.ask('/v1/messages', body)).headers.get('x-keywise-error')).toBe('quota_day')
  expect((await world.ask('/v1/messages', body, { authorization: 'Bearer no' })).headers.get('x-keywise-error')).toBe(
    'unauthorized',
  )
})
