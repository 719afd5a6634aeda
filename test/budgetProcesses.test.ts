/** Budgets over several processes on one store, and over processes that end in the middle of spending. */

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FakeWorld } from '../src/lab/fake/fakeProviders.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite.ts'
import { openManager, own } from './support/lab.ts'
import { openWorld } from './support/labCall.ts'
import { budget, PER_CALL, priced, pricedConfig } from './support/spendWorld.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const script = join(import.meta.dirname, 'support/spendChild.ts')

interface Scene {
  readonly world: FakeWorld
  readonly config: string
  readonly store: string
}

async function openScene(usd: number): Promise<Scene> {
  const folder = temporaryFolder()
  const world = await openWorld({ providers: own('paid', 1, ['m']) })
  const settings = { budgets: [budget(usd, { per: 'total' })] }
  const config = join(folder, 'api-keys.json')
  writeFileSync(config, JSON.stringify({ ...pricedConfig(world.config(), { paid: priced }), settings }))
  return { world, config, store: join(folder, 'keywise.db') }
}

interface Spender {
  readonly process: ChildProcess
  /** Requests whose answer the process had in hand. */
  readonly paid: string[]
  readonly ended: Promise<number | null>
}

function startSpender({ config, store }: Scene, count: number, width: number, killAfter = Infinity): Spender {
  const args = ['--disable-warning=ExperimentalWarning', script, config, store, String(count), String(width)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const paid: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    paid.push(...lines.filter((line) => line.endsWith(String(PER_CALL))).map((line) => line.split(' ')[0] ?? ''))
    if (paid.length >= killAfter) child.kill('SIGKILL')
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { process: child, paid, ended }
}

/** What a kill cut off is in the ledger too, failed, with the most that it can have cost. */
function rowsOf(scene: Scene) {
  const warnings: string[] = []
  const store = openSqliteStore(scene.store, { now: Date.now, warn: (line) => warnings.push(line) })
  const rows = store.attempts({}).filter(({ ok }) => ok)
  const [sum] = store.sums({}, [])
  void store.close()
  expect(warnings.filter((line) => !line.includes('under way when keywise was killed'))).toEqual([])
  return {
    ids: rows.map(({ requestId }) => requestId),
    sumNanoUsd: sum?.costNanoUsd ?? 0,
  }
}

test('two processes of 100 parallel calls each share one budget and send only what fits', async () => {
  const scene = await openScene(0.02)
  const spenders = [startSpender(scene, 100, 100), startSpender(scene, 100, 100)]
  expect(await Promise.all(spenders.map(({ ended }) => ended))).toEqual([0, 0])
  const sent = scene.world.calls.length
  expect(sent).toBeLessThanOrEqual(20)
  // Near the limit nothing is leased in advance, so hardly anything is left lying.
  expect(sent).toBeGreaterThanOrEqual(18)
  const { ids, sumNanoUsd } = rowsOf(scene)
  expect(new Set(ids).size).toBe(sent)
  expect(sumNanoUsd).toBe(sent * 1_000_000)
  const last = startSpender(scene, 50, 10)
  expect(await last.ended).toBe(0)
  expect(scene.world.calls.length).toBe(20)
})

test('a process that is killed while it spends loses no settled cent and counts none twice: 20 times', async () => {
  const scene = await openScene(1)
  const paid: string[] = []
  // Each round ends four processes at once, each after another number of calls, with others of its calls under way.
  for (let round = 0; round < 5; round++) {
    const spenders = [0, 1, 2, 3].map((lane) => startSpender(scene, 1000, 3, 1 + ((round * 7 + lane * 5) % 11)))
    await Promise.all(spenders.map(({ ended }) => ended))
    for (const spender of spenders) {
      expect(spender.process.signalCode).toBe('SIGKILL')
      paid.push(...spender.paid)
    }
  }
  const sent = scene.world.calls.length
  const { ids, sumNanoUsd } = rowsOf(scene)
  // What a caller had in hand is there; nothing is there twice; nothing is there that was not sent.
  expect(paid.filter((id) => !ids.includes(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBeLessThanOrEqual(sent)
  expect(sumNanoUsd).toBe(ids.length * 1_000_000)
  expect(sent).toBeLessThanOrEqual(1000)

  // The next process knows what was spent, and what is held for what was under way: the budget holds for all of it.
  const next = openManager(scene.world, { config: () => ({}), manager: { config: scene.config, store: scene.store } })
  await next.ready()
  const view = () => next.engine.learned.budgets.view(next.engine.now)[0]
  expect(view()?.spent).toBe(sumNanoUsd)
  expect((view()?.spent ?? 0) + (view()?.reserved ?? 0)).toBeGreaterThanOrEqual(sent * 1_000_000)
  await Promise.all(Array.from({ length: 1000 }, () => next.callWithFallback('Say hi').catch(() => null)))
  expect(scene.world.calls.length).toBeLessThanOrEqual(1000)
}, 60_000)
