import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Home, makeHome, type Ran } from '../../test/support/runKeywise.ts'
import { put } from '../../test/support/temporaryFolder.ts'
import { type FakeWorld, startFakeProviders } from '../lab/fake/fakeProviders.ts'

/** Keys that must never appear in any output; long enough for their masks to differ. */
const CANARIES = ['groq', 'google-one', 'google-two'].map((name) => `canary-${name}-${'7'.repeat(20)}`)
const [GROQ, GOOGLE, REVOKED] = CANARIES as [string, string, string] // three are made above

let world: FakeWorld

beforeAll(async () => {
  world = await startFakeProviders({
    providers: {
      groq: {
        keys: { [GROQ]: {} },
        limits: [{ unit: 'requests', window: 'minute', limit: 30 }],
        models: { 'openai/gpt-oss-120b': {}, 'openai/gpt-oss-20b': {} },
      },
      google: {
        keys: { [GOOGLE]: { account: 'a' }, [REVOKED]: { revoked: true } },
        models: { 'gemini-3.8-flash': {} },
      },
    },
  })
})
afterAll(() => world.close())

const configWith = (settings: object = {}) => ({ ...world.config(), settings })

/** Parses the output as JSON, after checking that it contains no secret. */
function jsonOf(ran: Ran): Record<string, unknown> {
  checkSecrecy(ran)
  return JSON.parse(ran.stdout)
}

function checkSecrecy({ stdout, stderr }: Ran): void {
  for (const canary of CANARIES) {
    expect(stdout).not.toContain(canary)
    expect(stderr).not.toContain(canary)
  }
}

describe('call', () => {
  test.each([[[]], [['--stream']]])('of a blocked answer says why and ends with 1 (%s)', async (more) => {
    const blocking = await startFakeProviders({
      providers: { google: { keys: { [GOOGLE]: {} }, models: { m: {} }, faults: [{ do: 'blocked', reason: 'SPII' }] } },
    })
    // Named, because a listed model of unknown price is not used.
    const home = makeHome({ google: { ...blocking.config()['google'], models: ['m'] }, settings: {} })
    const ran = await home.keywise('call', 'Say hi', '--store', 'memory:', ...more)
    await blocking.close()
    checkSecrecy(ran)
    expect([ran.code, ran.stdout.trim()]).toEqual([1, ''])
    expect(ran.stderr).toContain('the provider withheld the answer: SPII')
  })

  test('prints the answer to stdout, the trail to stderr, and records it all for status, why, keys and apiStats', async () => {
    const home = makeHome(configWith({ models: { smart: ['groq/openai/gpt-oss-120b'] }, budgets: [BUDGET] }))
    const answer = await home.entry('call', 'Say hi')
    checkSecrecy(answer)
    expect(answer.code).toBe(0)
    expect(answer.stdout).toMatch(/^This is .+ answering "Say hi"/)
    expect(answer.stderr).toContain('[1/5] Trying: ')
    expect(answer.stderr).toMatch(/✅ Success in \d+ms/)
    const requestId = /kw_[\w-]+/.exec(answer.stderr)?.[0] ?? ''
    await Promise.all([checkStatus(home), checkWhy(home, requestId), checkModels(home)])
    await checkKeys(home)
    const stats = JSON.parse(readFileSync(join(home.folder, 'config/apiStats.json'), 'utf8'))
    expect(Object.keys(stats)).toEqual(expect.arrayContaining(['lastUpdated', 'providers', 'rankings']))
  })

  test('gives the result object with --json, and streams with --stream', async () => {
    const home = makeHome(configWith())
    const result = jsonOf(await home.keywise('call', 'Say hi', '--json', '--store', 'memory:'))
    const fields =
      'content provider model keyIndex responseTime timestamp requestId finishReason toolCalls usage costUsd score attempts'
    expect(Object.keys(result)).toEqual(expect.arrayContaining(fields.split(' ')))
    const streamed = await home.keywise('call', 'Say hi', '--stream', '--store', 'memory:')
    expect(streamed.stdout).toMatch(/answering "Say hi"/)
    expect(streamed.code).toBe(0)
  })

  test('exits 4 when every target fails, with the attempts as JSON and one sentence on stderr', async () => {
    const home = makeHome({
      ...configWith({ max_attempts: 2 }),
      google: { api_keys: [REVOKED], endpoint: world.endpoint('google'), models: ['gemini-3.8-flash'] },
      groq: undefined,
    })
    const ran = await home.entry('call', 'Say hi', '--json')
    expect(ran.code).toBe(4)
    const failure = jsonOf(ran)
    expect(failure).toMatchObject({
      error: { code: 'ALL_TARGETS_FAILED' },
      attempts: [{ ok: false, failureKind: 'auth_invalid' }],
    })
    expect(ran.stderr).toMatch(/^keywise: the only attempt failed .*replace .*api-keys\.json.*keywise keys retest/m)
  })
})

const BUDGET = { scope: 'groq', usd: 1, per: 'day' }

async function checkStatus(home: Home): Promise<void> {
  const status = jsonOf(await home.keywise('status', '--json'))
  expect(Object.keys(status).sort()).toEqual([
    'alertChannels',
    'allClosed',
    'budgets',
    'credits',
    'eventLoops',
    'generatedAt',
    'providers',
    'session',
    'shortage',
    'store',
    'targets',
  ])
  const targets = status['targets'] as Record<string, unknown>[] // our own JSON
  const fields =
    'target provider model keyIndex status score terms value avgResponseTime p95ResponseTime successCount failCount totalTokens costUsd qualityScore lastSuccess lastError parked limits'
  for (const target of targets) expect(Object.keys(target)).toEqual(expect.arrayContaining(fields.split(' ')))
  const working = targets.find((target) => target['status'] === 'working')
  expect(working).toMatchObject({
    successCount: 1,
    avgResponseTime: expect.any(Number),
    p95ResponseTime: expect.any(Number),
  })
  expect(status['budgets']).toMatchObject([{ scope: 'groq', per: 'day', limitUsd: 1, hard: true }])
  const [shown, byHour] = await Promise.all([
    home.keywise('status'),
    home.keywise('status', '--hours', '--zone', 'UTC'),
  ])
  checkSecrecy(shown)
  expect(byHour.stdout).toMatch(
    /^Hours by the clock of UTC\n\ntarget +00 +01 .+23\ngroq\/openai\/gpt-oss-120b#1 +first +[\d.]+ .+\n +seen .+\n[\s\S]* ok % .*100/,
  )
  expect(shown.stdout).not.toContain('\u001b')
  expect(shown.stdout).toMatch(/^Budget groq: .* per day, until /m)
  expect(shown.stdout).toMatch(/\d+ requests a minute \(published, \d+ days ago\)/)
}

async function checkWhy(home: Home, requestId: string): Promise<void> {
  const [present, past] = await Promise.all([
    home.keywise('why', '--json'),
    home.keywise('why', '--request', requestId, '--json'),
  ])
  const now = jsonOf(present)
  expect(now).toMatchObject({ model: 'auto', chosen: expect.any(String), explored: false })
  const then = jsonOf(past)
  expect(then).toMatchObject({ requestId, model: 'auto', chosen: expect.any(String) })
  for (const row of [...(now['ranking'] as object[]), ...(then['ranking'] as object[])])
    expect(Object.keys(row)).toEqual(
      expect.arrayContaining(['rank', 'target', 'score', 'terms', 'value', 'eligible', 'reason']),
    )
  const attempts = then['attempts'] as Record<string, unknown>[] // our own JSON
  expect(attempts.at(-1)).toMatchObject({ ok: true, failureKind: null })
}

async function checkModels(home: Home): Promise<void> {
  const view = jsonOf(await home.keywise('models', '--json'))
  expect(view).toMatchObject({ generatedAt: expect.any(String), aliases: { smart: ['groq/openai/gpt-oss-120b#1'] } })
  const models = view['models'] as Record<string, unknown>[] // our own JSON
  expect(models.find((model) => model['id'] === 'groq/openai/gpt-oss-120b')).toMatchObject({
    keys: [1],
    listed: true,
    aliases: ['smart'],
  })
  const retired = models.filter((model) => model['retired'] !== null)
  expect(retired.length).toBeGreaterThan(0)
}

async function checkKeys(home: Home): Promise<void> {
  const again = await home.keywise('keys', 'retest', '--json')
  expect(again.code).toBe(1)
  expect((jsonOf(again)['keys'] as { check: string }[]).map(({ check }) => check)).toEqual([
    'valid',
    'valid',
    'refused',
  ])
  const list = jsonOf(await home.keywise('keys', 'list', '--json'))
  expect(list['keys']).toMatchObject([
    { provider: 'groq', keyIndex: 1, key: 'canary-…7777', state: 'valid' },
    { provider: 'google', keyIndex: 1, account: 'a', state: 'valid' },
    { provider: 'google', keyIndex: 2, state: 'refused' },
  ])
}

describe('bad input', () => {
  for (const { args, code, says } of [
    { args: ['stats'], code: 2, says: 'did you mean "status"?' },
    { args: ['status', '--jsn'], code: 2, says: '--json' },
    { args: ['keys', 'lst'], code: 2, says: 'did you mean "list"?' },
    { args: ['call', 'hi', '--model', 'gpt-oss-120c'], code: 2, says: 'nearest: ' },
    { args: ['why', '--request', 'kw_unknown'], code: 2, says: 'no request "kw_unknown"' },
    { args: ['status', '--config', 'nowhere.json'], code: 78, says: 'nowhere.json' },
  ]) {
    test(`keywise ${args.join(' ')} exits ${code} and says what to do`, async () => {
      const ran = await makeHome(configWith()).keywise(...args)
      checkSecrecy(ran)
      expect(ran.stderr).toContain(says)
      expect(ran).toMatchObject({ code, stdout: '' })
    })
  }

  test('without any key it explains how to add one and exits 78', async () => {
    const ran = await makeHome(null).entry('status')
    expect(ran.code).toBe(78)
    expect(ran.stderr).toMatch(/^keywise: config\/api-keys\.json: no API key yet; .+GROQ_API_KEY/)
  })
})

test('keywise alone tests the keys and serves', async () => {
  const home = makeHome(configWith({ gateway: { port: 0 } }))
  const ran = await home.entry('--seconds', '1')
  checkSecrecy(ran)
  expect(ran.code).toBe(0)
  expect(ran.stdout).toContain('TEST SUMMARY')
  expect(ran.stdout.indexOf('keywise serves on ')).toBeGreaterThan(ran.stdout.indexOf('TEST SUMMARY'))
  expect(existsSync(join(home.folder, 'api-test-results.json'))).toBe(true)
})

test('--help of every command shows an example and opens nothing', async () => {
  const home = makeHome(null)
  const help = await home.keywise('--help')
  expect(help.code).toBe(0)
  for (const name of ['call', 'status', 'why', 'models', 'keys', 'doctor', 'init', 'fake', 'test', 'serve'])
    expect(help.stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
  expect((await home.keywise('why', '--help')).stdout).toContain('Examples:')
  expect(existsSync(join(home.folder, 'home/state'))).toBe(false)
})

describe('doctor', () => {
  test('finds a refused key, a taken port and a keys file that others can read, and exits 1', async () => {
    const other = createServer((_, response) => response.end('something else'))
    await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready))
    const { port } = other.address() as AddressInfo // listening on TCP
    const home = makeHome(configWith({ gateway: { port } }))
    chmodSync(join(home.folder, 'config/api-keys.json'), 0o644)
    const ran = await home.keywise('doctor', '--json')
    other.close()
    expect(ran.code).toBe(1)
    const { findings } = jsonOf(ran) as {
      findings: { check: string; state: string; message: string; advice: string | null }[]
    } // our own JSON
    const stateOf = (check: string, part: string) =>
      findings.find((one) => one.check === check && one.message.includes(part))?.state
    expect(stateOf('port', 'is in use')).toBe('warning')
    expect(stateOf('key', 'google#2')).toBe('problem')
    expect(stateOf('key', 'google#1')).toBe('ok')
    expect(stateOf('network', world.origin)).toBe('ok')
    expect(stateOf('clock', 'agrees')).toBe('ok')
    if (process.platform !== 'win32') expect(stateOf('configuration', 'other users')).toBe('warning')
    for (const { state, advice } of findings) if (state === 'problem') expect(advice).not.toBeNull()
  })

  test('reports one finding for a host that does not answer, and a damaged store', async () => {
    const home = makeHome({ groq: { api_key: GROQ, endpoint: 'http://127.0.0.1:9/v1', models: ['m'] } })
    put(home.folder, 'damaged.db', 'x'.repeat(4096))
    const ran = await home.keywise('doctor', '--store', 'damaged.db')
    checkSecrecy(ran)
    expect(ran.code).toBe(1)
    expect(ran.stdout).toMatch(/❌ network: http:\/\/127\.0\.0\.1:9 .+cannot be reached/)
    expect(ran.stdout).toMatch(/❌ store: .+damaged\.db is damaged/)
  })

  test('exits 78 for an unreadable keys file, and says where it is wrong', async () => {
    const home = makeHome(null)
    put(home.folder, 'config/api-keys.json', '{ "groq": ')
    const ran = await home.keywise('doctor')
    expect(ran.code).toBe(78)
    expect(ran.stdout).toMatch(/❌ configuration: config\/api-keys\.json:1:\d+: the file ends too early/)
  })
})

const SUPERVISOR = join(import.meta.dirname, '../../examples/supervisor')

describe('init --compat', () => {
  test('the example supervisor runs unchanged on the shims', async () => {
    const home = makeHome(configWith())
    for (const file of readdirSync(SUPERVISOR)) {
      const path = join(SUPERVISOR, file)
      if (statSync(path).isFile()) put(home.folder, file, readFileSync(path))
    }
    expect((await home.keywise('init', '--compat')).code).toBe(0)
    const ran = await home.node('supervisor.js')
    checkSecrecy(ran)
    expect(ran.stdout).toMatch(/^store a value a minute: This is /m)
    expect(ran.stdout).toMatch(/answered; 1 of 1 calls worked \(1\)/)
    const stats = JSON.parse(readFileSync(join(home.folder, 'config/apiStats.json'), 'utf8'))
    const rows = Object.values(stats.providers as Record<string, { models: Record<string, { qualityScore?: number }> }>)
    expect(rows.flatMap(({ models }) => Object.values(models)).some(({ qualityScore }) => qualityScore === 0.9)).toBe(
      true,
    )
  })

  test('an ES module program finds its classes through both import styles', async () => {
    const home = makeHome(configWith())
    put(home.folder, 'package.json', '{ "type": "module" }')
    put(
      home.folder,
      'original.js',
      `import APIClient, { APIClient as Named } from './apiClient.js'
       import { APIManager } from './apiManager.js'
       const manager = new APIManager('config/api-keys.json')
       const { content } = await manager.callWithFallback('Say hi')
       console.log(Named === APIClient, content)`,
    )
    await home.keywise('init', '--compat')
    const ran = await home.node('original.js')
    expect(ran.stdout).toMatch(/^true This is /)
    expect(ran.code).toBe(0)
  })

  test('existing files are left alone, or kept as copies with --force', async () => {
    const home = makeHome(null)
    put(home.folder, 'apiManager.js', 'module.exports = 1')
    const refused = await home.keywise('init', '--compat')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('apiManager.js: already here')
    expect(existsSync(join(home.folder, 'apiClient.js'))).toBe(false)
    await home.keywise('init', '--compat', '--force')
    expect(readFileSync(join(home.folder, 'apiManager.js.original'), 'utf8')).toBe('module.exports = 1')
    expect(readFileSync(join(home.folder, 'apiManager.js'), 'utf8')).toContain('extends Manager')
  })
})

test('compiled code is cached in the cache folder of the user, and nowhere else', async () => {
  const home = makeHome(null)
  const caches = join(home.folder, 'caches')
  const ran = await makeHome(null, { XDG_CACHE_HOME: caches }).entry('--help')
  expect(ran.code).toBe(0)
  expect(readdirSync(join(caches, 'keywise', 'compiled'))).toHaveLength(1)
  expect((await makeHome(null, { XDG_CACHE_HOME: 'not/absolute' }).entry('--help')).code).toBe(0)
  expect(await makeHome(null, { XDG_CACHE_HOME: '/dev/null' }).entry('--help')).toMatchObject({ code: 0, stderr: '' })
})
