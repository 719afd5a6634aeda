/** `new APIClient(config)`, whatever a supervisor passes: its own settings, the loaded keys file, or our options. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIClient } from '../src/manager/apiClient.ts'
import { until } from './support/gatewayWorld.ts'
import { holdSeconds } from './support/housekeepingSeconds.ts'
import { own } from './support/lab.ts'
import { openWorld } from './support/labCall.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

/** A folder with a keys file, in which a client of the supervisor runs. */
async function project(content?: (config: Record<string, Record<string, unknown>>) => object) {
  const folder = temporaryFolder()
  const world = await openWorld({ providers: { ...own('alpha', 2, ['m']), ...own('beta', 1, ['n']) } })
  const { beta: _other, ...config } = world.config()
  const file = put(folder, 'config/api-keys.json', JSON.stringify(content?.(config) ?? config))
  const environment = { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), XDG_CONFIG_HOME: join(folder, 'xdg') }
  const cwd = process.cwd()
  const before = { ...process.env }
  process.chdir(folder)
  Object.assign(process.env, environment)
  onTestFinished(() => {
    process.chdir(cwd)
    process.env = before
  })
  const open = (config: unknown) => {
    const client = new APIClient(config as object)
    onTestFinished(() => client.close())
    return client
  }
  const parsed = () => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  return { folder, world, open, parsed, stats: join(folder, 'config/apiStats.json') }
}

const ignore = () => {}
/** Keeps what it is given. */
function keeper() {
  const lines: string[] = []
  const keep = (line: string) => void lines.push(line)
  return { lines, logger: { info: keep, warn: keep, error: keep } }
}

describe('a configuration of the supervisor without any provider', () => {
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['its own fields', { projectPath: '/x', maxCycles: 3, cycle_delay_ms: 30_000 }],
    ['fields that are named like options', { env: 'production', store: { kind: 'redis' }, now: '12:00', config: 7 }],
    ['functions and objects of its own', { onCycle: ignore, github: { owner: 'a', repo: 'b' }, api: new Map() }],
    ['the text before keywise', { provider: 'alpha', apiKey: 'an-old-key-of-the-text', model: 'm' }],
    ['settings that are its own', { settings: { max_cycles: 10 } }],
    ['providers that are none', { providers: {}, settings: {} }],
  ])('takes the keys from the file: %s', async (_, config) => {
    const secondPasses = holdSeconds()
    const { open, stats } = await project()
    const client = open(config)
    expect(await client.generatePrompt({ task: 'hi' })).not.toBe('')
    expect(client.manager.engine.registry.credentials).toHaveLength(2)
    expect(client.manager.engine.store.engine).toBe('sqlite')
    secondPasses()
    await until(() => existsSync(stats))
  })

  test('uses its settings', async () => {
    const { open } = await project((config) => ({ ...config, settings: { max_attempts: 4, free_only: true } }))
    const { settings } = open({ projectPath: '/x', settings: { max_attempts: 2 } }).manager.engine.registry.config
    expect(settings).toMatchObject({ maxAttempts: 2, freeOnly: true })
  })

  test('keeps a logger and a template that are given beside', async () => {
    const { open, world } = await project()
    const { lines, logger } = keeper()
    const client = open({ projectPath: '/x', logger, template: () => 'written' })
    await client.generatePrompt({ task: 'hi' })
    expect(world.calls.at(-1)?.body).toMatchObject({ messages: [{ content: 'written' }] })
    client.manager.engine.logger.warn('heard')
    expect(lines).toContain('heard')
  })

  test('uses the one key it names where there is no other', async () => {
    const { open, folder, world } = await project()
    put(folder, 'config/api-keys.json', '{}')
    const { manager } = open({ provider: 'groq', apiKey: `gsk_${'a'.repeat(40)}`, model: 'openai/gpt-oss-20b' })
    expect(manager.rankTargets().map(({ target }) => target)).toEqual(['groq/openai/gpt-oss-20b#1'])
    expect(world.calls).toEqual([])
  })

  test('and no key anywhere is told what to do', async () => {
    const { open, folder } = await project()
    put(folder, 'config/api-keys.json', '{}')
    const client = open({ projectPath: '/x', logger: false })
    await expect(client.generatePrompt('hi')).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/no API key yet; write .*GROQ_API_KEY/),
    })
  })
})

describe('the loaded keys file', () => {
  test('uses the store and the statistics of the file', async () => {
    const secondPasses = holdSeconds()
    const { open, parsed, stats } = await project()
    const client = open(parsed())
    await client.generatePrompt('hi')
    expect(client.manager.engine.store.engine).toBe('sqlite')
    secondPasses()
    await until(() => existsSync(stats))
    expect(Object.keys(JSON.parse(readFileSync(stats, 'utf8')).providers)).toContainEqual(
      expect.stringMatching(/^alpha_key[12]$/),
    )
  })

  test('does so with fields of the supervisor and settings changed', async () => {
    const { open, parsed } = await project((config) => ({ ...config, settings: { max_attempts: 4, free_only: true } }))
    const { engine } = open({ ...parsed(), projectPath: '/x', settings: { max_attempts: 2 } }).manager
    expect(engine.store.engine).toBe('sqlite')
    expect(engine.registry.config.settings).toMatchObject({ maxAttempts: 2, freeOnly: true })
    expect(engine.registry.config.file).not.toBeNull()
  })

  test('is a configuration of its own with other keys, and keeps nothing', async () => {
    const { open, world, stats } = await project()
    for (const config of [{ beta: world.config()['beta'] }, { ...world.config() }]) {
      const { manager } = open(config)
      expect(manager.engine.store.engine).toBe('memory')
      expect(manager.engine.registry.config.file).toBeNull()
      await manager.close()
    }
    expect(existsSync(stats)).toBe(false)
  })

  test('may have options beside its providers', async () => {
    const { open, world } = await project()
    const { lines, logger } = keeper()
    const client = open({ ...world.config(), logger, maxCycles: 3, onCycle: ignore, api: new Map() })
    expect(await client.generatePrompt('hi')).not.toBe('')
    client.manager.engine.logger.warn('heard')
    expect(lines).toContain('heard')
  })
})

test('options are options', async () => {
  const { open, world } = await project()
  const client = open({ config: world.config(), env: {}, logger: false, store: 'memory:' })
  expect(client.manager.engine.registry.credentials).toHaveLength(3)
  expect(client.manager.engine.store.engine).toBe('memory')
})
