/** The guard of an experiment through the whole engine: outages, broken variants, and who lifts a stop. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FakeFault } from '../src/lab/fake/scenario.ts'
import type { APIManager, APIManagerOptions } from '../src/manager/apiManager.ts'
import type { ExperimentRow } from '../src/views/experiments.ts'
import { type Lab, openLab, openManager, own } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const race = {
  name: 'race',
  variants: [
    { name: 'now', share: 0.5, provider: 'alpha' },
    { name: 'new', share: 0.5, provider: 'beta' },
  ],
}
const TWO = { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } }
const SECOND = 1_000

interface Racing extends Lab {
  /** Requests until a variant is stopped. */
  askUntilStopped(name: string): Promise<void>
  /** That many requests of the experiment, a second apart: how many each variant got, `usual` for none. */
  ask(requests: number, manager?: APIManager): Promise<Record<string, number>>
  wait(ms: number, manager?: APIManager): void
  row(): ExperimentRow
  readonly now: () => number
}

const DOWN: FakeFault = { do: 'server' }
const settings = (experiment: object) => ({ experiments: [experiment], timeouts: { total_ms: 2_000 } })

async function openRace(experiment: object = race, more: APIManagerOptions = {}): Promise<Racing> {
  let at = Date.UTC(2026, 10, 30, 12)
  const now = () => at
  const manager = { now, sleep: () => Promise.resolve(), ...more }
  const lab = await openLab(TWO, { settings: settings(experiment), manager })
  const wait = (ms: number, one = lab.manager) => {
    at += ms
    one.engine.store.flushNow()
    one.engine.experiments.tick()
  }
  const ask = async (requests: number, one = lab.manager) => {
    const counts: Record<string, number> = {}
    for (let request = 0; request < requests; request++) {
      wait(SECOND, one)
      const before = one.engine.store.lastSeq()
      await one.callWithFallback({ prompt: 'hi', experiment: 'race' }).catch(() => undefined)
      one.engine.store.flushNow()
      const rows = one.engine.store.read(before, 100, null, 'observation')
      const variant = rows.flatMap((row) => (row.kind === 'observation' && row.assigned ? [row.trial.variant] : []))
      const name = variant[0] ?? 'usual'
      counts[name] = (counts[name] ?? 0) + 1
    }
    wait(SECOND, one)
    return counts
  }
  const askUntilStopped = async (name: string) => {
    for (let request = 0; request < 100; request++) {
      await ask(1)
      if (stopOf(lab.manager.experiment('race'), name)?.stopped != null) return
    }
    throw new Error(`${name} was not stopped`)
  }
  return { ...lab, wait, ask, askUntilStopped, now, row: () => lab.manager.experiment('race') }
}

const stopOf = (row: ExperimentRow, name: string) => row.variants.find((one) => one.name === name)

test('an outage pauses a variant: the verdict says so, is no reason to stop, and the variant comes back by itself', async () => {
  const lab = await openRace()
  await lab.ask(60)
  lab.world.fault('beta', DOWN)
  await lab.askUntilStopped('new')
  const during = lab.row()
  expect(stopOf(during, 'new')).toMatchObject({ stopKind: 'outage', resumesAt: expect.any(String) })
  expect(during.verdict).toMatchObject({ state: 'paused', winner: null, stillNeeded: null })
  expect(during.verdict.text).toMatch(
    /^nothing can be said of new now, new was stopped during an outage of its target: it failed 6 times in a row, while now was answered; its units run as usual until the target is well again; assigned /,
  )
  expect(during.verdict.text).not.toContain('safe to stop')
  // While the target is down, requests find that out now and then, and the verdict stays what it is.
  await lab.ask(40)
  expect(lab.row().verdict).toMatchObject({ state: 'paused', winner: null })
  lab.world.clearFaults()
  lab.wait(30 * 60 * SECOND)
  const after = await lab.ask(60)
  expect(after['new']).toBeGreaterThan(15)
  const row = lab.row()
  expect(stopOf(row, 'new')).toMatchObject({ stopped: null, stopKind: null, resumesAt: null })
  // What failed in the outage counts neither for nor against it.
  expect(stopOf(row, 'new')?.metrics['success']?.mean).toBe(1)
  expect(row.verdict.counts.leftOut).toBeGreaterThan(5)
  expect(row.verdict.text).toMatch(/; \d+ units of an outage are left out$/)
  expect(row.verdict.counts.mismatch).toBeNull()
})

test('a baseline in an outage is paused as well, and its rival gains nothing by it', async () => {
  const lab = await openRace({ ...race, metric: 'success' })
  await lab.ask(60)
  lab.world.fault('alpha', DOWN)
  await lab.askUntilStopped('now')
  const during = lab.row()
  expect(stopOf(during, 'now')).toMatchObject({
    stopKind: 'outage',
    stopped: 'failed 6 times in a row, while new was answered',
  })
  expect(during.verdict).toMatchObject({ state: 'paused', winner: null })
  lab.world.clearFaults()
  lab.wait(30 * 60 * SECOND)
  await lab.ask(60)
  expect(stopOf(lab.row(), 'now')).toMatchObject({ stopped: null, metrics: { success: { mean: 1 } } })
  expect(lab.row().verdict).toMatchObject({ winner: null })
})

test('a baseline that fails by itself is stopped until a person starts it again, and nothing is concluded', async () => {
  const lab = await openRace({ ...race, metric: 'success' })
  lab.world.fault('alpha', { do: 'bad_request' })
  await lab.ask(60)
  const { verdict, variants } = lab.row()
  expect(variants[0]).toMatchObject({ stopKind: 'failures', resumesAt: null })
  expect(verdict).toMatchObject({ state: 'stopped', winner: null })
  expect(verdict.text).toMatch(
    /^nothing is compared, because the baseline fails: now was stopped: answers at most \d+ %/,
  )
  expect(verdict.text).toContain('(keywise experiment start race)')
  lab.world.clearFaults()
  lab.wait(48 * 3_600 * SECOND)
  expect((await lab.ask(20))['now']).toBeUndefined()
  expect(lab.manager.resumeExperiment('race').variants[0]).toMatchObject({ stopped: null })
  expect((await lab.ask(20))['now']).toBeGreaterThan(0)
})

test('a variant whose target stays down costs fewer and fewer requests', async () => {
  const lab = await openRace()
  await lab.ask(40)
  lab.world.fault('beta', DOWN)
  await lab.ask(60)
  let lost = 0
  for (let hour = 0; hour < 24; hour++) {
    for (let minute = 0; minute < 6; minute++) {
      lab.wait(10 * 60 * SECOND)
      lost += (await lab.ask(5))['new'] ?? 0
    }
  }
  expect(lost).toBeGreaterThan(5)
  expect(lost).toBeLessThan(60)
})

test('a stop for failures of its own is lifted by a person only, by the name or by the same definition', async () => {
  const lab = await openRace({ name: 'other', variants: race.variants })
  lab.manager.startExperiment(race)
  lab.world.fault('beta', { do: 'bad_request' })
  await lab.ask(60)
  expect(stopOf(lab.row(), 'new')).toMatchObject({ stopKind: 'failures' })
  expect(lab.row().verdict).toMatchObject({ state: 'stopped', winner: 'now' })
  lab.world.clearFaults()
  lab.wait(48 * 3_600 * SECOND)
  expect((await lab.ask(20))['new']).toBeUndefined()
  lab.manager.stopExperiment('race')
  expect(stopOf(lab.manager.startExperiment(race), 'new')).toMatchObject({ stopped: null })
  expect((await lab.ask(20))['new']).toBeGreaterThan(0)
})

test('a pause is known to every process and after a restart', async () => {
  const store = join(temporaryFolder(), 'keywise.db')
  const lab = await openRace(race, { store })
  await lab.ask(40)
  lab.world.fault('beta', DOWN)
  await lab.askUntilStopped('new')
  const other = openManager(lab.world, {
    settings: settings(race),
    manager: { store, now: lab.now, sleep: () => Promise.resolve() },
  })
  expect(other.experiment('race')).toEqual(lab.row())
  await lab.manager.close()
  expect((await lab.ask(10, other))['new']).toBeUndefined()
  lab.world.clearFaults()
  lab.wait(30 * 60 * SECOND, other)
  expect((await lab.ask(30, other))['new']).toBeGreaterThan(2)
  expect(stopOf(other.experiment('race'), 'new')).toMatchObject({ stopped: null })
})

test('a caller who leaves counts as assigned', async () => {
  const lab = await openRace()
  for (let call = 0; call < 6; call++) {
    const leaving = new AbortController()
    const answer = lab.manager.callWithFallback({ prompt: 'hi', experiment: 'race', signal: leaving.signal })
    leaving.abort()
    await answer.catch(() => undefined)
  }
  await lab.ask(2)
  const { assigned } = lab.row().verdict.counts
  expect((assigned?.[0] ?? 0) + (assigned?.[1] ?? 0)).toBe(8)
})

test('ratings that one variant lacks keep every verdict back, and the reason is told', async () => {
  const lab = await openRace()
  const rated: Record<string, number> = { now: 0, new: 0 }
  for (let call = 0; call < 120; call++) {
    lab.wait(SECOND)
    const { result } = await lab.call({ prompt: 'hi', experiment: 'race' })
    const variant = String(result?.experiment?.variant)
    rated[variant] = (rated[variant] ?? 0) + 1
    // Of one variant every fourth is rated, and better.
    if (variant === 'now') lab.manager.rate(String(result?.requestId), 0.4 + (call % 5) / 20)
    else if ((rated[variant] ?? 0) % 4 === 0) lab.manager.rate(String(result?.requestId), 0.9)
  }
  const { verdict } = lab.row()
  expect(verdict).toMatchObject({
    state: 'mismatch',
    winner: null,
    stillNeeded: null,
    counts: { mismatch: 'reported' },
  })
  expect(verdict.text).toMatch(
    /^no verdict: new is rated less often than now: 2\d(\.\d)? % against 100 % of its units; a difference in who rates can look like a difference in quality; .*; assigned \d+ and \d+ of shares 50 %\/50 %; reported \d+ and \d+$/,
  )
})
