/** Facts files: installed from a file or an address that the user names, believed in their place, undone, and shown. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { APIManager } from '../src/index.ts'
import { openEngine } from '../src/manager/openEngine.ts'
import { type RefreshedFacts, refreshFacts, undoFacts } from '../src/manager/refreshFacts.ts'
import { type ModelRow, type ModelsView, modelsView } from '../src/views/models.ts'
import type { statusView } from '../src/views/status.ts'
import { openLab } from './support/lab.ts'
import { openWorld } from './support/labCall.ts'
import { listening } from './support/listening.ts'
import { makeHome, serving } from './support/runKeywise.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const TODAY = new Date().toISOString().slice(0, 10)
const YEAR = Number(TODAY.slice(0, 4))
const NEXT_YEAR = `${YEAR + 1}-12-31`
const KEY = `gsk_${'x'.repeat(20)}`
const MODEL = 'openai/gpt-oss-120b'

const COMMON = {
  provider: 'groq',
  model: MODEL,
  source: 'https://example.com/limits',
  checked: TODAY,
  as_of_after: NEXT_YEAR,
}
const fact = (more: object) => ({ ...COMMON, ...more })
const PRICE = fact({ kind: 'price', price: { input: 0.2, output: 0.7, cached_input: 0.02 } })
const LIMIT = fact({ kind: 'limit', model: 'openai/gpt-oss-*', unit: 'requests', window: 'day', limit: 777 })

const fileOf = (...facts: readonly object[]) => JSON.stringify({ keywise_facts: 1, published: TODAY, facts })
const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Models are named, and nobody answers at the address, so that nothing is read over the network. */
const configWith = (more: object = {}) => ({
  groq: { api_key: KEY, endpoint: 'http://127.0.0.1:9/v1', models: [MODEL], local: false, ...more },
})

interface Installation {
  readonly folder: string
  readonly options: {
    readonly config: object
    readonly store: string
    readonly env: Record<string, string>
    readonly cwd: string
  }
  /** `models --refresh FILE [--digest …]` */
  install(text: string, digest?: string): Promise<RefreshedFacts>
  undo(): Promise<RefreshedFacts>
  /** What a process that starts now knows. */
  view(now?: number): Promise<ModelsView>
  rowOf(id?: string, now?: number): Promise<ModelRow | undefined>
}

/** A store in a folder of its own, as several processes would use it one after another. */
function installation(more: object = {}): Installation {
  const folder = temporaryFolder()
  const options = { config: configWith(more), store: join(folder, 'keywise.db'), env: {}, cwd: folder }
  const view = async (now?: number) => {
    const opened = openEngine({ ...options, logger: false, ...(now !== undefined && { now: () => now }) })
    await opened.prepare()
    const seen = modelsView(opened.engine)
    await opened.close()
    return seen
  }
  return {
    folder,
    options,
    install: (text, digest) => refreshFacts(put(folder, 'facts.json', text), digest, options),
    undo: () => undoFacts(options),
    view,
    rowOf: async (id = `groq/${MODEL}`, now) => (await view(now)).models.find((row) => row.id === id),
  }
}

const kept = (folder: string, text: string) => join(folder, 'facts', `${digestOf(text).slice(7)}.json`)

test('keywise models --refresh FILE installs it for every later process, and --undo takes it back', async () => {
  const home = makeHome(configWith())
  const text = fileOf(PRICE, LIMIT, fact({ kind: 'window', context_tokens: 65_536 }))
  put(home.folder, 'facts.json', text)
  const ran = await home.entry('models', '--refresh', 'facts.json')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  expect(ran.stdout).toContain(digestOf(text))
  expect(ran.stdout).toContain(`+ groq/${MODEL}: $0.2 / $0.7 per million tokens in/out (and 1 other rate)`)
  expect(ran.stdout).toContain('+ groq/openai/gpt-oss-*: 777 requests a day')
  expect(ran.stdout).toContain('3 added, 0 changed, 0 dropped')
  const shown = await home.keywise('models', '--facts')
  expect(shown.stdout).toMatch(new RegExp(`groq/${MODEL} +context +65,536 +${TODAY}: ${COMMON.source}`))
  expect(shown.stdout).toMatch(/requests\/day +777/)
  const back = await home.keywise('models', '--refresh', '--undo')
  expect(back.stdout).toContain('No facts file is installed any more')
  expect(back.stdout).toContain('0 added, 0 changed, 3 dropped')
  const nothing = await home.keywise('models', '--undo')
  expect([nothing.code, nothing.stderr]).toEqual([
    78,
    'keywise: no facts file is installed, so there is nothing to undo\n',
  ])
}, 30_000)

test('keywise models --refresh says which prices budgets will take for nothing', async () => {
  const home = makeHome(configWith())
  put(home.folder, 'facts.json', fileOf(fact({ kind: 'price', price: { input: 0, output: 0 } }), LIMIT))
  const ran = await home.keywise('models', '--refresh', 'facts.json')
  expect(ran.stdout).toContain(
    '\n1 price says that a call costs nothing: budgets believe it, "free_only" does not; take it out if that is wrong\n',
  )
  put(home.folder, 'facts.json', fileOf(PRICE))
  expect((await home.keywise('models', '--refresh', 'facts.json')).stdout).not.toContain('costs nothing')
}, 30_000)

test('keywise models tells what does not go together', async () => {
  const home = makeHome(configWith())
  for (const [args, code, text] of [
    [['--refresh', 'x.json', '--undo'], 2, '--undo takes no file'],
    [['--digest', 'sha256:0'], 2, '--digest belongs to'],
    [['--refresh', 'x.json'], 78, 'x.json: the file does not exist'],
    [['--refresh', 'x.json', '--store', 'memory:'], 78, 'this store keeps nothing'],
    [['--refresh', 'x.json', '--digest', 'abc'], 78, '--digest takes "sha256:" and 64 hex digits'],
  ] as const) {
    const ran = await home.keywise('models', ...args)
    expect([ran.code, ran.stderr.includes(text)], ran.stderr).toEqual([code, true])
  }
}, 30_000)

describe('an installation', () => {
  test('is in force for every process that starts, readable by its owner alone, and as it was given', async () => {
    const { folder, install, rowOf, view } = installation()
    const text = `\ufeff${fileOf(PRICE, LIMIT)}`
    expect(await install(text)).toMatchObject({ digest: digestOf(text), published: TODAY, facts: 2, unchanged: false })
    expect((await view()).installed).toMatchObject({ digest: digestOf(text), published: TODAY, facts: 2 })
    const row = await rowOf()
    expect(row?.price).toEqual({ input: 0.2, output: 0.7 })
    expect(row?.facts).toContainEqual({
      fact: 'requests/day',
      value: 777,
      source: COMMON.source,
      checkedAt: TODAY,
      asOf: false,
    })
    for (const file of readdirSync(join(folder, 'facts')))
      expect(statSync(join(folder, 'facts', file)).mode & 0o077).toBe(0)
    expect(readFileSync(kept(folder, text), 'utf8')).toBe(text)
    expect(await install(text)).toMatchObject({ unchanged: true, changes: [] })
  })

  test('is undone step by step, ten steps back', async () => {
    const { folder, install, undo, rowOf } = installation()
    const shipped = await rowOf()
    for (let input = 1; input <= 12; input++)
      await install(fileOf(fact({ kind: 'price', price: { input, output: 1 } })))
    expect((await rowOf())?.price?.input).toBe(12)
    const { changes } = await undo()
    expect(changes).toEqual([
      {
        change: 'changed',
        provider: 'groq',
        model: MODEL,
        before: '$12 / $1 per million tokens in/out',
        after: '$11 / $1 per million tokens in/out',
      },
    ])
    expect((await rowOf())?.price?.input).toBe(11)
    for (let step = 0; step < 9; step++) await undo()
    expect((await rowOf())?.price?.input).toBe(2)
    expect(await undo()).toMatchObject({ digest: null, facts: 0 })
    expect((await rowOf())?.price).toEqual(shipped?.price)
    expect(readdirSync(join(folder, 'facts'))).toEqual(['installed.json'])
    await expect(undo()).rejects.toThrow('nothing to undo')
  })

  test('with a digest refuses another content, and changes nothing', async () => {
    const { install, rowOf, view } = installation()
    const text = fileOf(PRICE)
    await expect(install(text, `sha256:${'0'.repeat(64)}`)).rejects.toThrow(`has the digest ${digestOf(text)}, not`)
    expect((await view()).installed).toBeNull()
    await install(text, digestOf(text).slice(7).toUpperCase())
    expect((await rowOf())?.price?.input).toBe(0.2)
  })

  test('reports unknown providers, kinds and fields, and leaves them out', async () => {
    const { install, rowOf } = installation()
    const newer = [fact({ kind: 'speed', value: 9 }), fact({ ...PRICE, above: 9 }), { ...PRICE, provider: 'acme' }]
    const { skipped } = await install(fileOf(LIMIT, ...newer))
    expect(skipped).toEqual([
      'facts[1] is left out: this keywise knows no kind "speed"',
      'facts[2] is left out: this keywise does not know its field "above"',
      '1 fact about "acme", which is no provider here',
    ])
    expect((await rowOf())?.price?.input).not.toBe(0.2)
  })

  test('that was changed on the disk is not used, and replaced by the next', async () => {
    const { folder, options, install, rowOf } = installation()
    const text = fileOf(PRICE)
    await install(text)
    writeFileSync(kept(folder, text), fileOf(fact({ kind: 'price', price: { input: 0, output: 0 } })))
    const warnings: string[] = []
    const logger = { info: () => {}, warn: (line: string) => void warnings.push(line), error: () => {} }
    await openEngine({ ...options, logger }).close()
    expect(warnings.join()).toContain('is not what was installed')
    expect((await rowOf())?.price?.input).not.toBe(0)
    await install(fileOf(LIMIT))
    expect((await rowOf())?.facts.some(({ value }) => value === 777)).toBe(true)
  })

  test('that was changed on the disk is in force again when the same file is installed again', async () => {
    const { folder, install, rowOf } = installation()
    const text = fileOf(PRICE)
    await install(text)
    writeFileSync(kept(folder, text), '{}')
    expect(await install(text)).toMatchObject({ unchanged: false, changes: [{ change: 'added' }] })
    expect((await rowOf())?.price?.input).toBe(0.2)
  })

  test('is not undone where the one before was changed on the disk, until that is installed again', async () => {
    const { folder, install, undo, rowOf } = installation()
    const first = fileOf(PRICE)
    await install(first)
    await install(fileOf(fact({ kind: 'price', price: { input: 7, output: 1 } })))
    writeFileSync(kept(folder, first), '{}')
    await expect(undo()).rejects.toThrow(
      /is not what was installed .*"keywise models --refresh FILE" installs it again; nothing was undone$/,
    )
    expect((await rowOf())?.price?.input).toBe(7)
    await install(first)
    expect((await rowOf())?.price?.input).toBe(0.2)
    expect(await undo()).toMatchObject({ facts: 1 })
    expect((await rowOf())?.price?.input).toBe(7)
  })

  test('mends a list of installations that is damaged', async () => {
    const { folder, install, undo, rowOf } = installation()
    await install(fileOf(LIMIT))
    put(folder, 'facts/installed.json', '{')
    await expect(undo()).rejects.toThrow('is damaged; install the facts again')
    expect(await install(fileOf(PRICE))).toMatchObject({ unchanged: false })
    expect((await rowOf())?.price?.input).toBe(0.2)
    expect(await undo()).toMatchObject({ digest: null })
  })

  test('says what is in the way where nothing can be kept', async () => {
    const { folder, install } = installation()
    put(folder, 'facts', '')
    await expect(install(fileOf(PRICE))).rejects.toThrow(
      `${join(folder, 'facts')}: facts cannot be kept here (EEXIST); nothing was changed`,
    )
  })

  test('is one step for each of several processes that install at once', async () => {
    const { folder, options, undo } = installation()
    const inputs = [1, 2, 3, 4, 5, 6]
    await Promise.all(
      inputs.map((input) =>
        refreshFacts(
          put(folder, `${input}.json`, fileOf(fact({ kind: 'price', price: { input, output: 1 } }))),
          undefined,
          options,
        ),
      ),
    )
    for (const left of [5, 4, 3, 2, 1, 0]) {
      await undo()
      expect(readdirSync(join(folder, 'facts'))).toHaveLength(left + 1)
    }
  })
})

describe('models --refresh ADDRESS', () => {
  async function servedAt(answers: Record<string, (respond: Respond) => void>) {
    const asked: IncomingHttpHeaders[] = []
    const server = createServer((request, response) => {
      asked.push(request.headers)
      const answer = answers[request.url ?? '']
      if (answer === undefined) response.writeHead(404).end()
      else answer((status, headers, body) => response.writeHead(status, headers).end(body))
    })
    return { origin: await listening(server), asked }
  }
  type Respond = (status: number, headers: Record<string, string>, body: string) => void

  test('reads it without key or identifying header, and keeps the address without its query', async () => {
    const { folder, options, rowOf } = installation()
    const { origin, asked } = await servedAt({
      '/moved?token=canary': (respond) => respond(302, { location: '/facts.json' }, ''),
      '/facts.json': (respond) => respond(200, {}, fileOf(PRICE)),
    })
    const result = await refreshFacts(`${origin}/moved?token=canary`, undefined, options)
    expect(result.from).toBe(`${origin}/moved`)
    expect(JSON.stringify(result)).not.toContain('canary')
    expect(asked.map((headers) => Object.keys(headers).sort())).toEqual(
      Array(2).fill(['accept', 'connection', 'host', 'user-agent']),
    )
    expect(asked.map((headers) => headers['user-agent'])).toEqual(['keywise', 'keywise'])
    expect(readFileSync(join(folder, 'facts/installed.json'), 'utf8')).not.toContain('canary')
    expect((await rowOf())?.price?.input).toBe(0.2)
    expect(asked).toHaveLength(2)
  })

  test('is refused where it is not safe, too long or no answer', async () => {
    const { options } = installation()
    const { origin } = await servedAt({
      '/away': (respond) => respond(301, { location: 'https://facts.invalid/x' }, ''),
      '/long': (respond) => respond(200, {}, ' '.repeat(8 * 1024 * 1024 + 1)),
      '/round': (respond) => respond(302, { location: '/round' }, ''),
      '/text': (respond) => respond(200, {}, 'hello'),
    })
    const host = origin.slice('http://'.length)
    for (const [address, why] of [
      ['http://facts.invalid/f.json', 'is not encrypted; use https, or a file'],
      [`http://user:canary@${host}/f.json`, 'holds a user name or password'],
      ['ftp://127.0.0.1/f.json', 'is not encrypted'],
      [`${origin}/away`, 'redirects from http:// to https://'],
      [`${origin}/long`, 'is longer than 8388608 bytes'],
      [`${origin}/round`, 'redirects more than 5 times'],
      [`${origin}/none`, 'answers with status 404'],
      [`${origin}/text`, 'is not JSON'],
    ] as const) {
      const error = await refreshFacts(address, undefined, options).catch((reason: unknown) => reason)
      expect(String(error)).toContain(why)
      expect(String(error)).not.toContain('canary')
    }
  })
})

describe('an answer that never ends', () => {
  test('is not waited for where its status or its redirect says all', async () => {
    const { options } = installation()
    const server = createServer((request, response) => {
      if (request.url === '/facts.json') response.end(fileOf(PRICE))
      else if (request.url === '/moved') response.writeHead(302, { location: '/facts.json' }).write('x')
      else response.writeHead(503).write('x')
    })
    const origin = await listening(server)
    await expect(refreshFacts(`${origin}/none`, undefined, options)).rejects.toThrow('/none: answers with status 503')
    expect(await refreshFacts(`${origin}/moved`, undefined, options)).toMatchObject({ facts: 1 })
  })
})

test('a compressed file that grows beyond all bounds is called too long', async () => {
  const { options } = installation()
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))
  const server = createServer((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
  const origin = await listening(server)
  await expect(refreshFacts(`${origin}/f`, undefined, options)).rejects.toThrow('/f: is longer than 8388608 bytes')
})

test('an address with one slash is an address, whose password is not repeated', async () => {
  const { options } = installation()
  for (const address of ['https:/user:canary@localhost:9/f', 'HTTPS:user:canary@localhost:9/f']) {
    const error = await refreshFacts(address, undefined, options).catch((reason: unknown) => reason)
    expect(String(error)).toContain('holds a user name or password')
    expect(String(error)).not.toContain('canary')
  }
})

test('a running gateway takes installed facts over without a restart, and gives them up again', async () => {
  const token = 'admin'.repeat(8)
  const home = makeHome(configWith(), { KEYWISE_ADMIN_TOKEN: token })
  const { origin } = await serving(home, '--port', '0', '--no-open')
  const input = async () => {
    const answer = await fetch(`${origin}/api/models`, { headers: { authorization: `Bearer ${token}` } })
    const { models } = (await answer.json()) as ModelsView
    return models.find(({ id }) => id === `groq/${MODEL}`)?.price?.input
  }
  const before = await input()
  expect(before).not.toBe(0.2)
  put(home.folder, 'facts.json', fileOf(PRICE))
  await home.keywise('models', '--refresh', 'facts.json')
  await expect.poll(input, { timeout: 10_000 }).toBe(0.2)
  await home.keywise('models', '--undo')
  await expect.poll(input, { timeout: 10_000 }).toBe(before)
}, 40_000)

describe('installed facts are believed', () => {
  async function rowWith(facts: readonly object[], more: object = {}, now?: number) {
    const { install, rowOf } = installation(more)
    await install(fileOf(...facts))
    return rowOf(undefined, now)
  }

  test('after the configuration', async () => {
    const models = [{ id: MODEL, price: { input: 9, output: 9 }, context_tokens: 1000 }]
    const row = await rowWith([PRICE, fact({ kind: 'window', context_tokens: 65_536 })], { models })
    expect(row).toMatchObject({ price: { input: 9 }, contextTokens: 1000 })
    expect(row?.facts.find((one) => one.fact === 'context')?.source).toBe('configuration')
  })

  test('before what was shipped only when they are not older', async () => {
    const old = { checked: '2024-01-01', as_of_after: '2024-06-01' }
    const facts = [fact({ kind: 'window', context_tokens: 65_536, ...old }), { ...LIMIT, ...old }, { ...PRICE, ...old }]
    const row = await rowWith(facts)
    expect(row).toMatchObject({ contextTokens: 131_072 })
    expect(row?.price?.input).not.toBe(0.2)
    expect(row?.facts).toContainEqual(expect.objectContaining({ fact: 'requests/day', value: 1000 }))
  })

  test('by the most precise model: an id before a pattern, a long pattern before a short one', async () => {
    const window = (model: string, context_tokens: number) => fact({ kind: 'window', model, context_tokens })
    const facts = [window(MODEL, 3000), window('*', 1000), window('openai/*', 2000)]
    expect((await rowWith(facts))?.contextTokens).toBe(3000)
    expect((await rowWith(facts.slice(1)))?.contextTokens).toBe(2000)
  })

  test('of abilities, free tiers and the end of a model', async () => {
    const row = await rowWith([
      fact({ kind: 'ability', abilities: { tools: false, images: true } }),
      fact({ kind: 'free_tier', free_tier: false }),
      fact({ kind: 'retired', on: NEXT_YEAR, successor: 'openai/gpt-oss-20b' }),
    ])
    expect(row?.abilities).toContain('images')
    expect(row?.abilities).not.toContain('tools')
    expect(row).toMatchObject({ retiresOn: NEXT_YEAR, retired: null })
    expect(row?.facts).toContainEqual(expect.objectContaining({ fact: 'free_tier', value: false }))
    const gone = await rowWith([fact({ kind: 'retired', on: '2026-01-02', successor: 'b' })])
    expect(gone?.retired).toEqual({ on: '2026-01-02', successor: 'b' })
  })

  test('after their day as "as of": a price stays, what excludes or promises does not', async () => {
    const over = { checked: TODAY, as_of_after: TODAY }
    const facts = [
      { ...PRICE, ...over },
      { ...LIMIT, ...over },
      fact({ kind: 'ability', abilities: { tools: false }, ...over }),
      fact({ kind: 'free_tier', model: 'openai/gpt-oss-*', free_tier: true, ...over }),
    ]
    const [today, later] = [await rowWith(facts), await rowWith(facts, {}, Date.parse(TODAY) + 40 * 86_400_000)]
    expect(today?.abilities).not.toContain('tools')
    expect(later?.abilities).toContain('tools')
    expect(later?.price?.input).toBe(0.2)
    const asOf = { asOf: true, checkedAt: TODAY, source: COMMON.source }
    expect(later?.facts).toContainEqual({ fact: 'price', value: '0.2 / 0.7', ...asOf })
    expect(later?.facts).toContainEqual({ fact: 'requests/day', value: 777, ...asOf })
    expect(today?.facts.filter((one) => one.asOf && one.source === COMMON.source)).toEqual([])
  })

  test('of a price with every rate of the configuration, in integers, under its own source', async () => {
    const { install, options } = installation()
    await install(fileOf(PRICE))
    const manager = new APIManager({ ...options, logger: false })
    await manager.ready()
    const { registry } = manager.engine
    const price = registry.priceOf({ stateId: registry.targets[0]?.stateId ?? '' })
    expect(price?.source).toMatch(new RegExp(`^facts ${TODAY} [0-9a-f]{8}$`))
    expect(price?.windows[0]?.tiers[0]?.rates).toMatchObject({ input: 200_000, output: 700_000, cachedInput: 20_000 })
    await manager.close()
  })

  test('when a day comes that ends their time, by a running process too', async () => {
    const { install, options } = installation()
    await install(fileOf({ ...PRICE, as_of_after: TODAY }))
    let now = Date.now()
    const opened = openEngine({ ...options, logger: false, now: () => now })
    await opened.prepare()
    const source = () => {
      const { registry } = opened.engine
      return registry.priceOf({ stateId: registry.targets[0]?.stateId ?? '' })?.source
    }
    expect(source()).toMatch(new RegExp(`^facts ${TODAY} [0-9a-f]{8}$`))
    now += 86_400_000
    await expect.poll(source, { timeout: 5000 }).toMatch(new RegExp(`^facts as of ${TODAY} [0-9a-f]{8}$`))
    await opened.close()
  })
})

describe('what a key was seen to do', () => {
  test('wins over what is published, and the difference is shown', async () => {
    const world = await openWorld({
      providers: {
        groq: {
          keys: { [KEY]: {} },
          limits: [{ unit: 'requests', window: 'day', limit: 50 }],
          models: { [MODEL]: { context_tokens: 32_768 } },
        },
      },
    })
    const home = makeHome(world.config())
    put(home.folder, 'facts.json', fileOf(LIMIT))
    await home.keywise('models', '--refresh', 'facts.json')
    expect((await home.keywise('call', 'Say hi')).code).toBe(0)
    const text = `groq/${MODEL}#1: listed 777 a day, yours 50`
    const listed = `groq/${MODEL}#1: listed 131,072 tokens of context, the key's list says 32,768`
    const models = await home.keywise('models')
    expect(models.stdout).toContain(text)
    expect(models.stdout).toContain(listed)
    expect((await home.keywise('keys', 'list')).stdout).toContain(text)
    const status = JSON.parse((await home.keywise('status', '--json')).stdout) as ReturnType<typeof statusView>
    const limit = status.targets[0]?.limits.find(({ window, unit }) => window === 'day' && unit === 'requests')
    expect(limit).toMatchObject({
      limit: 50,
      published: { limit: 777, source: COMMON.source, checkedAt: TODAY, asOf: false },
    })
    expect(status.targets[0]?.differences).toContainEqual(
      expect.objectContaining({ about: 'limit', listed: 777, yours: 50, by: 'header' }),
    )
  })

  test('is shown of abilities that were refused and of windows that a refusal stated', async () => {
    const world = {
      models: { [MODEL]: { lacks: ['tools' as const], context_tokens: 2000, unlisted: true } },
      keys: { [KEY]: {} },
    }
    const lab = await openLab({ providers: { groq: world } }, { config: namedModels })
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }]
    for (const prompt of ['one', 'two']) await lab.call({ prompt, tools })
    await lab.call({ prompt: 'word '.repeat(4000) })
    const [row] = modelsView(lab.manager.engine).models
    expect(row?.differences.map(({ text, by }) => `${text} (${by})`)).toEqual([
      'listed 131,072 tokens of context, a refusal said 2,000 (refusal)',
      'listed tools, seen not (refusal)',
    ])
    expect(row?.facts).toContainEqual(expect.objectContaining({ fact: 'tools', value: false, source: 'refusal' }))
    expect(row?.facts).toContainEqual(expect.objectContaining({ fact: 'context', value: 2000, source: 'refusal' }))
  })
})

/** Its model is named, so that no list says anything of it. */
const namedModels = (config: Record<string, Record<string, unknown>>) => ({
  groq: { ...config['groq'], models: [MODEL] },
})
