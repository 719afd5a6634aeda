import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { holdSeconds } from './support/housekeepingSeconds.ts'
import { openLab, openManager, own, told } from './support/lab.ts'
import { fakeKey, openWorld, until } from './support/labCall.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const parksOf = (manager: ReturnType<typeof openManager>) =>
  manager.engine.learned.parks.list(Date.now()).map(({ scope, reason }) => `${scope} ${reason}`)

describe('one store', () => {
  test('managers that share it learn of each other within about a second', async () => {
    const secondPasses = holdSeconds()
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await openLab(
      { providers: own('alpha', 2, ['m'], { faults: [{ do: 'auth_invalid', key: 1 }] }) },
      { manager: { store } },
    )
    const other = openManager(lab.world, { manager: { store } })
    await other.ready()
    expect((await lab.call()).trail).toBe('alpha/m#1=auth_invalid; alpha/m#2=ok')
    secondPasses()
    expect(parksOf(other)).not.toEqual([])
    lab.world.forget()
    expect((await told(other, 'hi')).trail).toBe('alpha/m#2=ok')
    expect(lab.asked()).toEqual(['alpha/m#2'])
  })

  test('a restart keeps parks and scores, with and without a snapshot', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await openLab(
      {
        providers: {
          ...own('alpha', 1, ['m'], { faults: [{ do: 'quota_day', retry_after: 7200 }] }),
          ...own('beta', 1, ['m']),
        },
      },
      { manager: { store, now: () => NOW } },
    )
    for (let call = 0; call < 5; call++) await lab.call()
    const before = lab.manager.rankTargets()
    expect(parksOf(lab.manager)).toEqual(['account+model quota_day'])
    await lab.manager.close()

    const again = openManager(lab.world, { manager: { store, now: () => NOW } })
    await again.ready()
    expect(parksOf(again)).toEqual(['account+model quota_day'])
    expect(again.rankTargets()).toEqual(before)
    lab.world.forget()
    expect((await told(again, 'hi')).trail).toBe('beta/m#1=ok')
    expect(lab.asked()).toEqual(['beta/m#1'])
  })
  const NOW = Date.now()

  test('what was learned follows the key and not its place', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await openLab(
      { providers: own('alpha', 3, ['m'], { faults: [{ do: 'auth_invalid', key: 2 }] }) },
      { manager: { store } },
    )
    expect((await lab.call({ prompt: 'hi', model: 'alpha/m#2' })).trail).toBe('alpha/m#2=auth_invalid')
    await lab.manager.close()
    const keys = [2, 3].map((index) => fakeKey('alpha', index))
    const again = openManager(lab.world, {
      manager: { store },
      config: (config) => ({ alpha: { ...config['alpha'], api_keys: keys } }),
    })
    await again.ready()
    expect(again.rankTargets().map(({ target, eligible }) => [target, eligible])).toEqual([
      ['alpha/m#2', true],
      ['alpha/m#1', false],
    ])
  })
})

describe('an edited configuration', () => {
  test('is used within a second; a removed key gets no new request, and a running stream goes on', async () => {
    const folder = temporaryFolder()
    const world = await openWorld({
      providers: own('alpha', 2, ['m'], { models: { m: { reply: 'z'.repeat(2400), tokens_per_second: 200 } } }),
    })
    const write = (keys: readonly string[]) => {
      const settings = { routing: { strategy: 'priority', exploration: { rate: 0 } } }
      const config = { alpha: { ...world.config()['alpha'], api_keys: keys }, settings }
      return put(folder, 'config/api-keys.json', JSON.stringify(config))
    }
    const [first, second] = [fakeKey('alpha', 1), fakeKey('alpha', 2)]
    const file = write([first, second])
    const manager = openManager(world, { manager: { config: file, store: 'memory:', cwd: folder } })
    await manager.ready()
    const stream = manager.streamWithFallback('long')
    await until(() => world.inFlight() === 1)
    write([second])
    await until(() => manager.engine.registry.credentials.length === 1)
    expect((await told(manager, 'hi')).result?.content).toHaveLength(2400)
    expect(world.calls.map((call) => call.key)).toEqual([1, 2])
    expect((await stream.result).content).toHaveLength(2400)
  })

  test('that is broken keeps the one before it', async () => {
    const folder = temporaryFolder()
    const world = await openWorld({ providers: own('alpha', 1, ['m']) })
    const file = put(folder, 'config/api-keys.json', JSON.stringify(world.config()))
    const errors: string[] = []
    const logger = { info: () => {}, warn: () => {}, error: (line: string) => errors.push(line) }
    const manager = openManager(world, { manager: { config: file, store: 'memory:', cwd: folder, logger } })
    await manager.ready()
    put(folder, 'config/api-keys.json', '{ "alpha": ')
    await until(() => errors.length > 0)
    expect(errors[0]).toMatch(/api-keys.json:1:12: .*stays in force/)
    expect((await told(manager, 'hi')).trail).toBe('alpha/m#1=ok')
  })
})
