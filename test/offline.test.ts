/** Without a network every host fails at once, and no provider is at fault. Host names are resolved by the test. */

import dns from 'node:dns'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Lab, openLab, own } from './support/lab.ts'
import { until } from './support/labCall.ts'

const DOWN = new Set<string>()

beforeEach(() => {
  DOWN.clear()
  vi.spyOn(dns, 'lookup').mockImplementation(((host: string, ...rest: unknown[]) => {
    const answer = rest.at(-1) as (error: Error | null, addresses?: unknown) => void // dns.lookup ends in its callback
    const [name = ''] = host.split('.')
    if (DOWN.has(name)) answer(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }))
    else answer(null, [{ address: '127.0.0.1', family: 4 }])
  }) as unknown as typeof dns.lookup)
})
afterEach(() => vi.restoreAllMocks())

/** The hosts are away from now on, with the connections to them. */
async function goAway({ world }: Lab, ...names: string[]): Promise<void> {
  for (const name of names) DOWN.add(name)
  world.dropConnections()
  await until(() => world.openSockets() === 0)
}

/** Three providers, each under a host name of its own. */
async function openNamed(clock: { now: number }): Promise<Lab> {
  const providers = { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']), ...own('gamma', 1, ['m']) }
  const lab = await openLab(
    { providers },
    {
      manager: { now: () => clock.now, sleep: () => Promise.resolve() },
      config: (config) =>
        Object.fromEntries(
          Object.entries(config).map(([name, block]) => [
            name,
            { ...block, endpoint: String(block['endpoint']).replace('127.0.0.1', `${name}.keywise.invalid`) },
          ]),
        ),
    },
  )
  // The models lists have been read, so that no connection is still on its way.
  await until(() => lab.world.openSockets() === 3 && lab.world.inFlight() === 0)
  return lab
}

const scores = (lab: Lab) => lab.manager.rankTargets().map(({ target, score, eligible }) => [target, score, eligible])

test('when every host fails, nobody is parked and nobody is charged, and all is well when the network is back', async () => {
  const clock = { now: Date.now() }
  const lab = await openNamed(clock)
  expect((await lab.call()).trail).toBe('alpha/m#1=ok')
  clock.now += 60_000
  const before = scores(lab)
  await goAway(lab, 'alpha', 'beta', 'gamma')
  for (let call = 0; call < 4; call++) {
    const { error, attempts } = await lab.call()
    expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED' })
    expect(attempts.every((attempt) => attempt.failureKind === 'network')).toBe(true)
  }
  expect(lab.manager.engine.learned.parks.list(clock.now)).toEqual([])
  DOWN.clear()
  expect(scores(lab)).toEqual(before)
  expect((await lab.call()).trail).toBe('alpha/m#1=ok')
})

test('one host that is away is to blame itself, while others answer', async () => {
  const clock = { now: Date.now() }
  const lab = await openNamed(clock)
  await goAway(lab, 'alpha')
  for (let call = 0; call < 3; call++) {
    clock.now += 10_000
    expect((await lab.call()).result?.provider).toBe('beta')
  }
  expect(lab.manager.engine.learned.parks.list(clock.now)).toMatchObject([{ scope: 'provider', reason: 'network' }])
  lab.world.forget()
  expect((await lab.call()).trail).toBe('beta/m#1=ok')
})
