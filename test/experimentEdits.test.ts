/** What an edit of a running experiment does to its units and its data. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { prepareRequest } from '../src/engine/prepareRequest.ts'
import { readContext } from '../src/engine/request/readContext.ts'
import { APIManager } from '../src/manager/apiManager.ts'
import type { ExperimentRow } from '../src/views/experiments.ts'
import { until } from './support/gatewayWorld.ts'
import { openLab, openManager, own } from './support/lab.ts'
import { put, temporaryFolder } from './support/temporaryFolder.ts'

const WORLD = { providers: own('alpha', 1, ['m', 'n']) }
const clicks = { name: 'clicks', better: 'higher', minimum_effect: 1 }
const tone = {
  name: 'tone',
  unit: 'session',
  variants: [
    { name: 'now', share: 0.8, template: 'Greet: {{prompt}}' },
    { name: 'new', share: 0.2, template: 'Greet warmly: {{prompt}}', parameters: { temperature: 0.2, top_p: 0.9 } },
  ],
  metric: clicks,
}
const [now, fresh] = tone.variants

/** The variants of 300 sessions, without a call. */
function dealt({ engine }: APIManager, name = 'tone'): (string | null)[] {
  const { request } = readContext('hi', false)
  return Array.from({ length: 300 }, (_, index) => {
    const { enrolment } = prepareRequest(engine, request, { experiment: name, sessionId: `session ${index}` })
    return enrolment?.variant ?? null
  })
}

const movedIn = (one: readonly unknown[], other: readonly unknown[]) =>
  one.filter((variant, index) => variant !== other[index]).length

const unitsOf = ({ variants }: ExperimentRow, metric = 'success') =>
  variants.reduce((sum, { metrics }) => sum + (metrics[metric]?.observations ?? 0), 0)

/** Eight sessions take part and report clicks. */
async function run(manager: APIManager, first = 0): Promise<void> {
  for (let index = first; index < first + 8; index++) {
    const context = { prompt: 'hi', experiment: 'tone', sessionId: `session ${index}` }
    const { requestId } = await manager.callWithFallback(context)
    manager.report(requestId, 'clicks', index)
  }
}

describe('an edit of nothing that is compared', () => {
  const edits: readonly (readonly [what: string, edited: object, says: string | null])[] = [
    ['alpha', { ...tone, alpha: 0.04 }, 'alpha 0.05 → 0.04'],
    ['the minimum effect', { ...tone, metric: { ...clicks, minimum_effect: 2 } }, 'minimum effect 1 → 2'],
    [
      'the guard',
      { ...tone, guard: { max_success_loss: 0.1, max_cost_ratio: 3 } },
      'largest loss of success 5 % → 10 %',
    ],
    ['the range', { ...tone, metric: { ...clicks, min: 0, max: 50 } }, 'min -1000000000 → 0'],
    ['the better direction', { ...tone, metric: { ...clicks, better: 'lower' } }, 'better higher → lower'],
    ['the variables', { ...tone, variables: ['guest'] }, null],
    [
      'the order and spelling of fields',
      {
        metric: clicks,
        alpha: 0.05,
        holdout: 0,
        variants: [now, { ...fresh, parameters: { top_p: 0.9, temperature: 0.2 } }],
        unit: 'session',
        name: 'tone',
      },
      null,
    ],
  ]
  test.each(edits)('(%s) moves no unit and loses no data', async (_, edited, says) => {
    const { manager } = await openLab(WORLD)
    manager.startExperiment(tone)
    await run(manager)
    const before = dealt(manager)
    const row = manager.startExperiment(edited)
    expect(row).toMatchObject({ version: 1, state: 'running', earlierVersions: [] })
    expect(dealt(manager)).toEqual(before)
    expect([unitsOf(row), unitsOf(row, 'clicks')]).toEqual([8, 8])
    expect(row.ruleChanges.map(({ text }) => text)).toEqual(says === null ? [] : [expect.stringContaining(says)])
    // What it had seen goes on in the same fold.
    await run(manager, 8)
    expect(unitsOf(manager.experiment('tone'), 'clicks')).toBe(16)
  })

  test('reads all data by the new rules, in every process and after a restart', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await openLab(WORLD, { settings: { experiments: [tone] }, manager: { store } })
    await run(lab.manager)
    const other = openManager(lab.world, { settings: { experiments: [tone] }, manager: { store } })
    await lab.manager.close()
    const edited = { ...tone, metric: { ...clicks, min: 0, max: 3 } }
    const after = openManager(lab.world, { settings: { experiments: [edited] }, manager: { store } })
    const row = after.experiment('tone')
    // 0, 1, 2, and five clipped to 3.
    const sum = row.variants.reduce(
      (total, { metrics: { clicks: one } }) => total + (one?.mean ?? 0) * (one?.observations ?? 0),
      0,
    )
    expect(sum).toBeCloseTo(18, 9)
    // The other process still has the old configuration, and reads the same data by the same rules.
    expect(other.experiment('tone')).toEqual(row)
    await other.close()
    await after.close()
    const again = openManager(lab.world, { settings: { experiments: [edited] }, manager: { store } })
    expect(again.experiment('tone')).toEqual(row)
  })

  test('is said in the verdict where the result may have suggested it, and not where the rules only became stricter', async () => {
    const { manager } = await openLab(WORLD)
    const plain = {
      ...tone,
      name: 'tone',
      unit: 'request',
      variants: [
        { ...now, share: 0.5 },
        { ...fresh, share: 0.5 },
      ],
    }
    manager.startExperiment({ ...plain, alpha: 0.02 })
    for (let index = 0; index < 400; index++) {
      const { enrolment } = prepareRequest(manager.engine, readContext('hi', false).request, { experiment: 'tone' })
      const { trial } = enrolment!
      manager.engine.experiments.report(trial!, `r${index}`, 'user', 'clicks', trial?.variant === 'new' ? 9 : index % 5)
    }
    const decided = manager.experiment('tone').verdict
    expect(decided).toMatchObject({ state: 'decided', winner: 'new' })
    expect(decided.text).not.toContain('rules')
    const stricter = manager.startExperiment({ ...plain, alpha: 0.01 })
    expect(stricter.verdict).toMatchObject({ state: 'decided', winner: 'new' })
    expect(stricter.verdict.text).not.toContain('rules')
    const looser = manager.startExperiment({ ...plain, alpha: 0.2 })
    expect(looser.verdict.text).toContain(
      'its rules were changed while there was data (alpha 0.02 → 0.2): as certain as that only if the result did not suggest the change',
    )
  })
})

describe('an edit of what is compared', () => {
  const wordier = { ...tone, variants: [now, { ...fresh, template: 'Greet most warmly: {{prompt}}' }] }
  const edits: readonly (readonly [what: string, edited: object, says: string])[] = [
    ['a prompt', wordier, 'new asks in another way, no unit changes its variant'],
    ['the metric', { ...tone, metric: 'quality' }, 'metric clicks → quality, no unit changes its variant'],
    ['the first variant', { ...tone, variants: [fresh, now] }, 'first variant now → new, no unit changes its variant'],
  ]
  test.each(edits)('(%s) begins with new data, and every unit keeps its variant', async (_, edited, says) => {
    const { manager } = await openLab(WORLD)
    manager.startExperiment(tone)
    await run(manager)
    const before = dealt(manager)
    const row = manager.startExperiment(edited)
    expect(row).toMatchObject({ version: 2, change: says, earlierVersions: [{ version: 1 }] })
    expect(unitsOf(row)).toBe(0)
    expect(dealt(manager)).toEqual(before)
    expect(manager.startExperiment(tone)).toMatchObject({ version: 1 })
    expect(unitsOf(manager.experiment('tone'))).toBe(8)
  })

  test('a new name for a variant moves no unit', async () => {
    const { manager } = await openLab(WORLD)
    manager.startExperiment(tone)
    const before = dealt(manager)
    const row = manager.startExperiment({ ...tone, variants: [now, { ...fresh, name: 'warm' }] })
    expect(row.change).toBe('new renamed to warm, no unit changes its variant')
    expect(dealt(manager)).toEqual(before.map((variant) => (variant === 'new' ? 'warm' : variant)))
  })

  const shares = (...sizes: readonly number[]) => [
    { ...now, share: sizes[0] },
    { ...fresh, share: sizes[1] },
    ...(sizes[2] === undefined ? [] : [{ name: 'third', share: sizes[2], template: 'Hello: {{prompt}}' }]),
  ]
  for (const { from, to, holdout = 0, moved, only } of [
    { from: shares(0.8, 0.2), to: shares(0.7, 0.3), moved: 0.1, only: 'new' },
    { from: shares(0.5, 0.2, 0.3), to: shares(0.4, 0.2, 0.4), moved: 0.1, only: 'third' },
    { from: shares(0.5, 0.5), to: shares(0.4, 0.4, 0.2), moved: 0.2, only: 'third' },
    { from: shares(0.5, 0.5), to: shares(0.45, 0.45), holdout: 0.1, moved: 0.1, only: null },
  ])
    test(`shares ${from.map(({ share }) => share)} to ${to.map(({ share }) => share)} move ${moved * 100} % of the units, all to one`, async () => {
      const { manager } = await openLab(WORLD)
      manager.startExperiment({ ...tone, variants: from })
      const before = dealt(manager)
      const row = manager.startExperiment({ ...tone, variants: to, holdout })
      expect(row.change).toContain(`${moved * 100} % of the units change their variant, all others keep theirs`)
      const after = dealt(manager)
      after.forEach((variant, index) => {
        if (variant !== before[index]) expect(variant).toBe(only)
      })
      // Four standard deviations of 300 units.
      expect(Math.abs(movedIn(before, after) / 300 - moved)).toBeLessThan(4 * Math.sqrt((moved * (1 - moved)) / 300))
    })

  test('is taken over by two processes one after the other: the second runs as usual in between', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await openLab(WORLD, { settings: { experiments: [tone] }, manager: { store } })
    const edited = { ...tone, variants: shares(0.7, 0.3) }
    const before = dealt(lab.manager)
    const next = openManager(lab.world, { settings: { experiments: [edited] }, manager: { store } })
    const after = dealt(next)
    expect(movedIn(before, after)).toBeLessThan(60)
    // It has read the old configuration and the store says that its version is over.
    lab.manager.engine.experiments.tick()
    expect(new Set(dealt(lab.manager))).toEqual(new Set([null]))
    lab.manager.engine.experiments.use(next.engine.registry.config.settings.experiments, null)
    expect(dealt(lab.manager)).toEqual(after)
    expect(lab.manager.experiment('tone')).toEqual(next.experiment('tone'))
  })
})

test('an experiment of an older store keeps its units, also through later edits', async () => {
  const store = join(temporaryFolder(), 'keywise.db')
  const lab = await openLab(WORLD, { settings: { experiments: [] }, manager: { store } })
  const { engine } = lab.manager
  // As it was written before: the number of the version was hashed, and no borders were kept.
  const version = { source: 'config', startedAt: 1, startSeq: 0, stopped: null, kept: null, decidedAt: null }
  engine.store.setDoc('experiments', 'tone', {
    versions: [{ ...version, version: 3, written: tone as never }],
  })
  await lab.manager.close()
  const kept = openManager(lab.world, { settings: { experiments: [tone] }, manager: { store } })
  const before = dealt(kept)
  // The sessions 0 to 9 by the hash of the release before.
  expect(before.slice(0, 10).map((variant) => (variant === 'new' ? 1 : 0))).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  expect(kept.experiment('tone')).toMatchObject({ version: 3, change: null, ruleChanges: [] })
  await kept.close()
  const edited = {
    ...tone,
    variants: [
      { ...now, share: 0.7 },
      { ...fresh, share: 0.3 },
    ],
  }
  const after = openManager(lab.world, { settings: { experiments: [edited] }, manager: { store } })
  expect(after.experiment('tone').version).toBe(4)
  dealt(after).forEach((variant, index) => {
    if (variant !== before[index]) expect(variant).toBe('new')
  })
})

test('of versions of an older store that differ by their rules alone, the one that runs goes on', async () => {
  const store = join(temporaryFolder(), 'keywise.db')
  const lab = await openLab(WORLD, { settings: { experiments: [] }, manager: { store } })
  const version = { source: 'config', startedAt: 1, startSeq: 0, kept: null, decidedAt: null }
  const versions = [
    { ...version, version: 1, written: tone, stopped: { at: 5, cause: 'changed' } },
    { ...version, version: 2, written: { ...tone, alpha: 0.04 }, stopped: null },
  ]
  lab.manager.engine.store.setDoc('experiments', 'tone', { versions: versions as never })
  await lab.manager.close()
  const running = openManager(lab.world, { settings: { experiments: [{ ...tone, alpha: 0.04 }] }, manager: { store } })
  const before = dealt(running)
  await running.close()
  const after = openManager(lab.world, { settings: { experiments: [tone] }, manager: { store } })
  expect(after.experiment('tone')).toMatchObject({ version: 2, ruleChanges: [{ text: 'alpha 0.04 → 0.05' }] })
  expect(dealt(after)).toEqual(before)
})

test('an edit of the watched file is taken over while requests come, and feedback of a day later still counts', async () => {
  const folder = temporaryFolder()
  let at = Date.UTC(2026, 9, 25, 0, 30)
  const lab = await openLab(WORLD)
  const write = (experiment: object) =>
    put(folder, 'api-keys.json', JSON.stringify({ ...lab.world.config(), settings: { experiments: [experiment] } }))
  const config = write(tone)
  const store = join(folder, 'keywise.db')
  const manager = new APIManager({ config, store, env: {}, logger: false, now: () => at })
  onTestFinished(() => manager.close())
  await manager.ready()
  const before = dealt(manager)
  const { requestId } = await manager.callWithFallback({ prompt: 'hi', experiment: 'tone', sessionId: 'session 1' })
  write({ ...tone, alpha: 0.01, guard: { max_success_loss: 0.2 } })
  await until(() => manager.experiment('tone').ruleChanges.length > 0, 'the edit')
  expect(dealt(manager)).toEqual(before)
  // Over the end of summer time in Europe, and some.
  at += 26 * 3_600_000
  manager.report(requestId, 'clicks', 3)
  expect([unitsOf(manager.experiment('tone')), unitsOf(manager.experiment('tone'), 'clicks')]).toEqual([1, 1])
})
