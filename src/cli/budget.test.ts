import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { own } from '../../test/support/lab.ts'
import { openWorld } from '../../test/support/labCall.ts'
import { makeHome } from '../../test/support/runKeywise.ts'
import { budget, priced, pricedConfig } from '../../test/support/spendWorld.ts'
import { temporaryFolder } from '../../test/support/temporaryFolder.ts'
import { APIManager } from '../manager/apiManager.ts'
import { run } from './budget.ts'
import { UsageError } from './command.ts'

/** A store with two recorded calls: $0.001 and some tokens. */
async function spent(budgets: readonly object[] = [budget(1)]) {
  const world = await openWorld({ providers: own('paid', 1, ['m']) })
  const providers = pricedConfig(world.config(), { paid: { ...priced, input: 1, output: 2 } })
  const config = { ...providers, settings: { budgets } }
  const store = join(temporaryFolder(), 'keywise.db')
  const home = makeHome(config, { KEYWISE_STORE: store })
  const manager = new APIManager({ config, store, env: {}, logger: false })
  for (let call = 0; call < 2; call++) await manager.callWithFallback('Say hi')
  await manager.close()
  return { home, store }
}

/** Runs the command in this process and returns its output. */
async function shown({ home, store }: Awaited<ReturnType<typeof spent>>, args: string[], options: object = {}) {
  const text = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof text) => {
    const through = new PassThrough()
    through.on('data', (data) => {
      text[name] += String(data)
    })
    return through as unknown as NodeJS.WriteStream // all that the command uses of a stream
  }
  const [stdout, stderr] = [stream('stdout'), stream('stderr')]
  const config = join(home.folder, 'config/api-keys.json')
  const code = await run({ args, options: { config, store, ...options }, env: {}, cwd: home.folder, stdout, stderr })
  await new Promise((done) => setImmediate(done))
  return { code, ...text }
}

test('what was saved is no more than "at most" where a cost is not known', async () => {
  const world = await openWorld({ providers: own('paid', 1, ['m', 'unknown']) })
  const models = [{ id: 'm', price: { input: 1, output: 10 } }, { id: 'unknown' }]
  const config = { paid: { ...world.config()['paid'], local: false, models } }
  const store = join(temporaryFolder(), 'keywise.db')
  const home = makeHome(config, { KEYWISE_STORE: store })
  const manager = new APIManager({ config, store, env: {}, logger: false })
  await manager.callWithFallback({ prompt: 'Say hi', model: 'paid/unknown' })
  await manager.close()
  const { stdout } = await home.keywise('budget')
  expect(stdout).toMatch(/Spent today at least \$0\.00 \(1 not wholly known\)/)
  expect(stdout).toMatch(/\(the dearest\): saved at most \$0\.000\d+ to \$0\.000\d+\./)
})

test('keywise budget shows limits and spending, and on what the money went', async () => {
  const world = await spent()
  const { code, stdout } = await world.home.keywise('budget')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Budget all: \$0\.00\d+ of \$1\.00 per day, until /)
  expect(stdout).toMatch(/ UTC; lasts its day at this pace: about \$0\.0\d+ of \$1\.00\n/)
  expect(stdout).toMatch(/Spent today \$0\.00\d+, this month \$0\.00\d+ \(UTC\)\./)
  expect(stdout).toMatch(/The same tokens would have cost \$0\.000\d+ at paid\/m#1/)
  expect(stdout).toMatch(/\nprovider +cost +calls.*\npaid +\$0\.00\d+ +2 +2 /)
  expect(stdout).toMatch(/\nkey .*\npaid#1 /)

  const told = JSON.parse((await shown(world, [], { json: true, by: 'model' })).stdout)
  expect(told).toMatchObject({
    budgets: [{ scope: 'all', per: 'day', limitUsd: 1, reservedUsd: 0, hard: true, forecast: { spentAt: null } }],
    spend: { model: [{ group: { model: 'm' }, attempts: 2, successes: 2 }] },
  })
  expect(told.total.costUsd).toBe(told.budgets[0].spentUsd)
  expect((await shown(world, ['forgive'])).stdout).toMatch(/No killed process/)
})

test('keywise budget --by target tells what caches saved and what misses cost', async () => {
  const world = await openWorld({ providers: own('paid', 1, ['m']) })
  const price = { input: 1, output: 2, cached_input: 0.25 }
  const config = pricedConfig(world.config(), { paid: price })
  const store = join(temporaryFolder(), 'keywise.db')
  const home = makeHome(config, { KEYWISE_STORE: store })
  const manager = new APIManager({ config, store, env: {}, logger: false })
  for (let call = 0; call < 2; call++) await manager.callWithFallback('Say hi')
  const tokens = manager.engine.store.attempts({ limit: 1 })[0]?.usage?.inputTokens ?? expect.fail()
  await manager.close()

  const told = JSON.parse((await shown({ home, store }, [], { json: true, by: 'target,session' })).stdout)
  const [row] = told.spend['target,session']
  // The second call repeats the whole first one, at 0.75 more for a million tokens than a hit.
  expect(row).toMatchObject({
    group: { target: 'paid/m#1', session: expect.stringMatching(/^[0-9a-f]{24}$/) },
    caches: { hitRate: 0, cacheableTokens: 2 * tokens, savedUsd: 0, missedTokens: tokens, missedByMovingTokens: 0 },
  })
  expect(row.caches.missedUsd).toBeCloseTo((tokens * 0.75) / 1e6, 12)
  expect(told.cachesSince).toMatch(/^\d{4}-/)
  const { stdout } = await shown({ home, store }, [], { by: 'target' })
  expect(stdout).toMatch(
    /\ntarget .* tokens out +hit rate +saved by cache +missed *\npaid\/m#1 .* 0% +\$0 +about \$0\.0000/,
  )
  expect((await shown({ home, store }, [], { by: 'provider' })).stdout).not.toContain('hit rate')
})

test('keywise budget and status tell what a paced budget allows so far, and when one will be spent', async () => {
  const world = await spent([budget(24, { pace: true }), budget(0.0021, { scope: 'paid', per: 'total', hard: false })])
  const { stdout } = await shown(world, [])
  expect(stdout).toMatch(
    /^Budget all: \$0\.002 of \$24\.00 per day, until .* UTC, paced: \$\d+\.00 until .* UTC; lasts its day as it is paced: about \$0\.0\d+ of \$24\.00\n/,
  )
  const paid =
    /\nBudget paid: \$0\.002 of \$0\.0021 in total, soft; spent by .*\d\d:\d\d UTC at this pace \(\$0\.002 an hour\)\n/
  expect(stdout).toMatch(paid)
  // Another minute may have begun, and with it another share of the day.
  const atAnyTime = (text: string) => text.replaceAll(/\d\d:\d\d/g, '00:00').replace(/paced: \$\d+/, 'paced: $0')
  const status = atAnyTime((await world.home.keywise('status')).stdout)
  for (const line of stdout.split('\n').filter((one) => one.startsWith('Budget '))) {
    const [amounts = ''] = line.split(' about ')
    expect(status).toContain(`\n${atAnyTime(amounts)}`)
  }
})

test('keywise budget --by price shows what each version of a price says', async () => {
  const world = await spent()
  const { stdout } = await world.home.keywise('budget', '--by', 'price')
  const [, version = ''] = /\n(config [0-9a-f]{8}) +\$0/.exec(stdout) ?? []
  expect(stdout).toMatch(new RegExp(`\\n${version} +paid/m +1 / 2 +\\d\\d:\\d\\d UTC`))
  const told = JSON.parse((await shown(world, [], { json: true, by: 'price,model' })).stdout)
  expect(told.spend['price,model']).toMatchObject([{ group: { price: version, model: 'm' }, attempts: 2 }])
  const rates = [{ input: 1, output: 2, cached_input: 1, cache_write: 1, reasoning: 2, request: 0.001 }]
  expect(told.prices).toEqual([
    { version, provider: 'paid', model: 'm', firstUsedAt: expect.stringMatching(/^20.*Z$/), terms: { rates } },
  ])
  expect((await shown(world, ['export'])).stdout).toContain(version)
})

test('keywise budget export writes every attempt as CSV or JSON lines', async () => {
  const world = await spent()
  const csv = (await shown(world, ['export'])).stdout.trim().split('\n')
  expect(csv).toHaveLength(3)
  expect(csv[0]).toMatch(/^started_at,request_id,.*cost_usd,price_source/)
  const told = await shown(world, ['export'], { jsonl: true, out: 'ledger.jsonl' })
  expect([told.stdout, told.stderr]).toEqual(['', '2 attempts written to ledger.jsonl\n'])
  const file = join(world.home.folder, 'ledger.jsonl')
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      provider: 'paid',
      model: 'm',
      key_index: 1,
      outcome: 'ok',
      price_source: expect.stringMatching(/^config [0-9a-f]{8}$/),
    },
    { source: 'live' },
  ])
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
  const past = await shown(world, ['export'], { since: '2020-01-01', until: '2020-02-01' })
  expect(past.stdout).toMatch(/^started_at[^\n]*\n$/)
})

test('keywise budget reports what is wrong with its arguments', async () => {
  const world = await spent()
  await expect(shown(world, [], { since: 'yesterday' })).rejects.toThrow(
    '--since takes a time such as 2026-11-23 or 7d',
  )
  await expect(shown(world, ['sell'])).rejects.toThrow(UsageError)
  await expect(shown(world, ['export'], { csv: true, jsonl: true })).rejects.toThrow('not both')
  await expect(shown(world, [], { by: 'colour' })).rejects.toThrow('cannot be told by "colour"; use provider')
})
