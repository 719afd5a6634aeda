/** A mistake that is corrected: what it caused ends at once, and until then the error says how to correct it. */

import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { APIManager } from '../src/manager/apiManager.ts'
import { told } from './support/lab.ts'
import { until } from './support/labCall.ts'
import { listening } from './support/listening.ts'
import { makeFailure } from './support/makeEvents.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const NOW = Date.UTC(2026, 10, 23, 9)
const KEY = `gsk_${'m'.repeat(20)}`

/** Answers with the status that the first part of the path names, `ok` with 200. */
async function openServer(): Promise<{ readonly origin: string; readonly calls: () => number }> {
  let calls = 0
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    if (request.method === 'GET') return response.writeHead(404).end('{}')
    calls++
    const status = Number(request.url?.split('/')[1]) || 200
    response.writeHead(status, { 'content-type': 'application/json' })
    const message = { role: 'assistant', content: 'hello' }
    const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
    const answer = { id: '1', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }], usage }
    const error = { message: status === 404 ? 'The model `m` does not exist' : 'no', code: CODES[status] ?? null }
    response.end(JSON.stringify(status === 200 ? answer : { error }))
  })
  return { origin: await listening(server), calls: () => calls }
}

const CODES: Readonly<Record<number, string>> = { 404: 'model_not_found', 401: 'invalid_api_key' }

interface Home {
  readonly folder: string
  /** Writes the keys file; `groq`: its block, beside the key. */
  write(groq: object): void
  /** A manager over the file and a store that outlives it. */
  open(options?: { readonly now?: () => number }): APIManager
}

function openHome(): Home {
  const folder = temporaryFolder()
  return {
    folder,
    write: (groq) =>
      void put(folder, 'config/api-keys.json', JSON.stringify({ groq: { api_key: KEY, models: ['m'], ...groq } })),
    open: ({ now = () => NOW } = {}) => {
      const manager = new APIManager({
        config: join(folder, 'config/api-keys.json'),
        store: join(folder, 'keywise.db'),
        env: {},
        logger: false,
        sleep: () => Promise.resolve(),
        now,
      })
      onTestFinished(() => manager.close())
      return manager
    },
  }
}

const MISTAKES = [
  ['an unknown model', 404, 'model_not_found'],
  ['a refused key', 401, 'auth_invalid'],
  ['a missing permission', 403, 'auth_forbidden'],
  ['an empty account', 402, 'billing'],
] as const

describe('what a wrong address caused', () => {
  for (const [name, status, kind] of MISTAKES) {
    test(`(${name}) is over when it is corrected between two runs`, async () => {
      const server = await openServer()
      const home = openHome()
      home.write({ endpoint: `${server.origin}/${status}/v1` })
      const first = home.open()
      expect((await told(first, 'hi')).trail).toBe(`groq/m#1=${kind}`)
      await first.close()
      // It is still in force as long as nothing was corrected.
      const second = home.open()
      expect(await told(second, 'hi')).toMatchObject({ trail: '', error: { code: 'ALL_TARGETS_FAILED' } })
      await second.close()
      home.write({ endpoint: `${server.origin}/ok/v1` })
      expect((await told(home.open(), 'hi')).trail).toBe('groq/m#1=ok')
    })

    test(`(${name}) is over when it is corrected while running`, async () => {
      const server = await openServer()
      const home = openHome()
      home.write({ endpoint: `${server.origin}/${status}/v1` })
      const manager = home.open()
      await manager.ready()
      expect((await told(manager, 'hi')).trail).toBe(`groq/m#1=${kind}`)
      const before = manager.engine.registry
      home.write({ endpoint: `${server.origin}/ok/v1` })
      await until(() => manager.engine.registry.config !== before.config)
      expect((await told(manager, 'hi')).trail).toBe('groq/m#1=ok')
    })
  }

  test('(a host that cannot be reached) is over when it is corrected', async () => {
    const [server, home] = [await openServer(), openHome()]
    // Port 1 is never listened on.
    home.write({ endpoint: 'http://127.0.0.1:1/v1' })
    let now = NOW
    const first = home.open({ now: () => (now += 100) })
    for (let call = 0; call < 3; call++) await told(first, 'hi')
    expect(first.engine.learned.parks.list(now)).toMatchObject([{ reason: 'network' }])
    await first.close()
    home.write({ endpoint: `${server.origin}/ok/v1` })
    const second = home.open({ now: () => now })
    expect(second.engine.learned.parks.list(now)).toEqual([])
    expect((await told(second, 'hi')).trail).toBe('groq/m#1=ok')
  })

  test('is not over for another setting of the file, nor is a limit by another address', async () => {
    const [server, home] = [await openServer(), openHome()]
    home.write({ endpoint: `${server.origin}/401/v1` })
    const first = home.open()
    await told(first, 'hi')
    await first.close()
    home.write({ endpoint: `${server.origin}/401/v1`, models: ['m', 'n'] })
    const second = home.open()
    expect((await told(second, 'hi')).trail).toBe('')
    await second.close()
    home.write({ endpoint: `${server.origin}/429/v1` })
    const third = home.open()
    expect((await told(third, { prompt: 'hi', model: 'groq/m' })).trail).toBe('groq/m#1=rate_minute')
    await third.close()
    home.write({ endpoint: `${server.origin}/ok/v1` })
    expect(home.open().engine.learned.parks.list(NOW)).toMatchObject([{ reason: 'rate_minute' }])
  })

  test('is over when the account of the key is named', async () => {
    const [server, home] = [await openServer(), openHome()]
    const endpoint = `${server.origin}/402/v1`
    home.write({ endpoint })
    const first = home.open()
    await told(first, 'hi')
    await first.close()
    home.write({ endpoint, api_key: undefined, api_keys: [{ key: KEY, account: 'other' }] })
    expect((await told(home.open(), 'hi')).trail).toBe('groq/m#1=billing')
  })
})

describe('when nothing can be called, the error ends with what mends it', () => {
  const retest = /; mended already\? run "keywise keys retest"$/
  const texts = [
    [404, /Groq does not serve m at http:\/\/127\.0\.0\.1:\d+\/404\/v1: correct its "models" or its address/],
    [401, /Groq refuses its key: replace .*api-keys\.json groq\.api_key at https:\/\/console\.groq\.com\/keys/],
    [402, /the account of .*api-keys\.json groq\.api_key has no credit: add some at https/],
    [403, /api-keys\.json groq\.api_key may not use m: allow it in the account at https/],
  ] as const

  for (const [status, text] of texts)
    test(`after a ${status}, called or not`, async () => {
      const [server, home] = [await openServer(), openHome()]
      home.write({ endpoint: `${server.origin}/${status}/v1` })
      const manager = home.open()
      const [called, held] = [await told(manager, 'hi'), await told(manager, 'hi')]
      expect(called.error?.message).toMatch(/^the only attempt failed \(groq\/m#1 /)
      expect(held.error?.message).toMatch(/^nothing can be called now: parked: /)
      for (const { error } of [called, held]) {
        expect(error?.message).toMatch(text)
        expect(error?.message).toMatch(retest)
        expect(error?.message).not.toContain(KEY)
      }
      expect(server.calls()).toBe(1)
    })

  test('a host that is refused is no matter of the key', async () => {
    const [server, home] = [await openServer(), openHome()]
    home.write({ endpoint: `${server.origin}/ok/v1` })
    const manager = home.open()
    const failure = { kind: 'auth_forbidden', hostBlocked: true, status: 403, message: 'not here' } as const
    const [target] = manager.engine.registry.targets
    manager.engine.learned.record(makeFailure(target!, NOW, 'auth_forbidden', { failure }))
    expect((await told(manager, 'hi')).error?.message).toMatch(/Groq refuses this host or region: .*HTTPS_PROXY/)
  })

  test('and a refused key has no time at which it heals', async () => {
    const [server, home] = [await openServer(), openHome()]
    home.write({ endpoint: `${server.origin}/401/v1` })
    const manager = home.open()
    for (let call = 0; call < 2; call++) {
      const { error } = await told(manager, 'hi')
      expect(error).toMatchObject({ code: 'ALL_TARGETS_FAILED', retryAt: null })
      expect(error?.message).not.toContain('soonest')
    }
  })

  test('a guess of ours names the command, a stated time is enough by itself', async () => {
    const [server, home] = [await openServer(), openHome()]
    home.write({ endpoint: `${server.origin}/500/v1` })
    let now = NOW
    const manager = home.open({ now: () => (now += 100) })
    for (let call = 0; call < 2; call++) await told(manager, 'hi')
    expect((await told(manager, 'hi')).error?.message).toMatch(retest)
    const stated = { kind: 'rate_minute', status: 429, message: 'slow down', retryAfterMs: 60_000 } as const
    const [target] = manager.engine.registry.targets
    manager.engine.lift(target!, ['server'])
    manager.engine.learned.record(makeFailure(target!, now, 'rate_minute', { failure: stated }))
    const { error } = await told(manager, 'hi')
    expect(error?.message).toMatch(/^nothing can be called now: .*; soonest: groq\/m#1 at 2026-11-23T09:01:\d\d\.\d+Z$/)
  })
})
