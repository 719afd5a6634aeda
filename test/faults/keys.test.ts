/** Keys that are revoked, keys files that are being edited, and lists of models that vanish. */

import { renameSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../../src/manager/apiManager.ts'
import { modelsView } from '../../src/views/models.ts'
import { until } from '../support/gatewayWorld.ts'
import { httpUpstream } from '../support/httpUpstream.ts'
import { openLab, own, told } from '../support/lab.ts'
import { listening } from '../support/listening.ts'
import { put, temporaryFolder } from '../support/temporaryFolder.ts'

const key = (index: number) => `fake-own-${'0'.repeat(16)}${index}`
const revoked = { status: 401, body: { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } } }

describe('F35 a key that is revoked while calls of it are under way', () => {
  test('F35 is out after one clear refusal, and successes that began before do not bring it back', async () => {
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let isRevoked = false
    const upstream = await httpUpstream((asked) => {
      const isFirst = asked.key.endsWith(key(1))
      if (isFirst && isRevoked) return revoked
      return isFirst ? { after: held } : {}
    })
    const manager = new APIManager({
      config: {
        own: { dialect: 'openai', endpoint: upstream.endpoint, api_keys: [key(1), key(2)], models: ['m'] },
        settings: { routing: { strategy: 'priority', exploration: { rate: 0 }, probes: 'free' } },
      },
      env: {},
      logger: false,
      sleep: () => Promise.resolve(),
    })
    onTestFinished(() => manager.close())
    const alerts: string[] = []
    manager.on('alert', ({ event }) => void alerts.push(event))
    const underWay = Array.from({ length: 4 }, () => told(manager, 'hi'))
    await until(() => upstream.calls.length === 4, 'the calls')
    isRevoked = true
    const met = await told(manager, 'hi')
    expect(met.trail).toBe('own/m#1=auth_invalid; own/m#2=ok')
    release()
    for (const { trail } of await Promise.all(underWay)) expect(trail).toBe('own/m#1=ok')
    const parks = manager.engine.learned.parks.list(manager.engine.now)
    expect(parks).toMatchObject([{ reason: 'auth_invalid', scope: 'key', target: { keyIndex: 1 } }])
    // Others are not affected, and nobody asks the dead key again.
    const asked = upstream.calls.length
    for (let call = 0; call < 10; call++) expect((await told(manager, 'hi')).trail).toBe('own/m#2=ok')
    expect(upstream.calls.slice(asked).filter(({ key: sent }) => sent.endsWith(key(1)))).toEqual([])
    await until(() => alerts.length > 0, 'the alert')
    expect(alerts).toEqual(['key_revoked'])
  })

  test('F35 a refusal that speaks of no key takes none away: overload, firewall, one model', async () => {
    for (const fault of ['overloaded', 'server', 'html', 'reset', 'auth_forbidden', 'model_not_found'] as const) {
      const lab = await openLab({
        providers: { ...own('alpha', 1, ['m', 'n'], { faults: [{ do: fault, model: 'm' }] }) },
      })
      await lab.call({ prompt: 'hi', model: 'm' })
      const { parks } = lab.manager.engine.learned
      expect([fault, parks.list(lab.manager.engine.now).filter(({ scope }) => scope === 'key')]).toEqual([fault, []])
      expect([fault, (await lab.call({ prompt: 'hi', model: 'n' })).result?.model]).toEqual([fault, 'n'])
    }
  })
})

describe('F34 a keys file that is edited while calls are under way', () => {
  test('F34 what is saved by half changes nothing, what is whole is in force, and running calls end', async () => {
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let holds = true
    const upstream = await httpUpstream(() => (holds ? { after: held } : {}))
    const folder = temporaryFolder()
    const text = (...keys: readonly string[]) =>
      JSON.stringify(
        {
          own: { dialect: 'openai', endpoint: upstream.endpoint, api_keys: keys, models: ['m'] },
          settings: { routing: { strategy: 'priority', exploration: { rate: 0 } } },
        },
        null,
        2,
      )
    const file = put(folder, 'config/api-keys.json', text(key(1), key(2)))
    const logged: string[] = []
    const note = (line: string) => void logged.push(line)
    const manager = new APIManager({
      config: file,
      store: 'memory:',
      env: {},
      cwd: folder,
      logger: { info: note, warn: note, error: note },
    })
    onTestFinished(() => manager.close())
    const indexes = () => manager.engine.registry.targets.map(({ fingerprint }) => fingerprint)
    await manager.ready()
    const [first, second] = indexes()
    const running = told(manager, 'hi')
    await until(() => upstream.calls.length === 1, 'the call')

    // An editor that truncates and writes in pieces.
    truncateSync(file)
    writeFileSync(file, text(key(2)).slice(0, 60))
    await until(() => logged.some((line) => line.includes('stays in force')), 'the remark')
    expect(indexes()).toEqual([first, second])
    expect(logged.join('\n')).not.toContain(key(2).slice(0, 20))

    // One that writes beside and renames: the first key is gone.
    writeFileSync(join(folder, 'config/.api-keys.json.swp'), text(key(2)))
    renameSync(join(folder, 'config/.api-keys.json.swp'), file)
    await until(() => indexes().length === 1, 'the new configuration')
    expect(indexes()).toEqual([second])
    holds = false
    expect((await told(manager, 'hi')).result?.content).toBe('hello')
    expect(upstream.calls.at(-1)?.key).toContain(key(2))
    release()
    expect((await running).result?.content).toBe('hello')
    expect(upstream.calls[0]?.key).toContain(key(1))
  })
})

describe('F43 a list of models', () => {
  const listed = (ids: readonly string[]) =>
    JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) })
  type Serve = (response: ServerResponse) => void
  const json =
    (text: string | Buffer): Serve =>
    (response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  const status =
    (code: number): Serve =>
    (response) =>
      void response.writeHead(code).end('{}')

  async function open() {
    let list: Serve = json(listed(['one', 'two']))
    const server = createServer((_request, response) => list(response))
    const endpoint = `${await listening(server)}/v1`
    const time = { now: Date.UTC(2026, 10, 23, 12) }
    const manager = new APIManager({
      config: { own: { dialect: 'openai', endpoint, api_key: key(1), models: 'discover' } },
      env: {},
      logger: false,
      now: () => time.now,
    })
    onTestFinished(() => manager.close())
    await manager.ready()
    const { engine } = manager
    const read = async (next: Serve) => {
      list = next
      time.now += 7 * 3_600_000
      await engine.lists.refresh(engine.registry.credentials)
    }
    return { engine, time, read, models: () => engine.registry.targets.map(({ model }) => model).sort() }
  }

  test.each<[string, Serve]>([
    ['is gone (404)', status(404)],
    ['fails (500)', status(500)],
    ['is refused (401)', status(401)],
    ['is empty', json('')],
    ['has no model', json(listed([]))],
    ['is half a list', json(listed(['one', 'two']).slice(0, 40))],
    ['is a page of HTML', json('<!DOCTYPE html><title>Just a moment</title>')],
    ['is null', json('null')],
    ['has models without names', json('{"data":[{},null,7,{"id":5}]}')],
    [
      'breaks off',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
        response.write('{"data":[', () => response.destroy())
      },
    ],
  ])('F43 that %s: the last good one is kept, with its age', async (_, serve) => {
    const { engine, read, models, time } = await open()
    const readAt = time.now
    await read(serve)
    expect(models()).toEqual(['one', 'two'])
    const [credential] = engine.registry.credentials
    expect(engine.lists.of(credential!)?.readAt).toBe(readAt)
    const shown = modelsView(engine)
    expect(JSON.stringify(shown)).toContain(new Date(readAt).toISOString().slice(0, 13))
  })

  test('F43 that changes is followed: new models come, vanished ones go', async () => {
    const { read, models } = await open()
    await read(json(listed(['two', 'three'])))
    expect(models()).toEqual(['three', 'two'])
  })

  test('F43 that is a bare array is read', async () => {
    const { read, models } = await open()
    await read(json(JSON.stringify([{ id: 'two' }, { id: 'four' }])))
    expect(models()).toEqual(['four', 'two'])
  })

  test.each([
    [
      'of far more models than any provider has',
      listed(Array.from({ length: 10_001 }, (_, index) => `model-${index}`)),
    ],
    ['of more than 10 MB', listed(['x'.repeat(11_000_000)])],
  ])('F43 %s is refused, and the last good one is kept', async (_, text) => {
    const { engine, read, models } = await open()
    await read(json(text))
    expect(models()).toEqual(['one', 'two'])
    const [credential] = engine.registry.credentials
    expect(engine.lists.trouble(credential!)).toMatch(/more than 10000 models|longer than 10 MiB/)
  })
})
