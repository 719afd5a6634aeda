import { describe, expect, test } from 'vitest'
import type { Json } from '../domain/json.ts'
import { assign } from './assign.ts'
import { dealtByVersion } from './dealing.ts'
import { Evidence, savedState } from './evidence.ts'
import { type Experiment, readExperiment } from './experiment.ts'
import { experimentResultOf } from './result.ts'

function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

/** A value around `mean`, spread evenly over 0.4. */
const around = (mean: number, random: () => number) => Math.min(1, Math.max(0, mean + 0.4 * (random() - 0.5)))

function experiment(names: readonly string[], more: object = {}): Experiment {
  const variants = names.map((name) => ({ name, share: 1 / names.length }))
  const reading = readExperiment({ name: 'tone', variants, ...more }, 'e', [])
  if (!reading.ok) throw new Error(reading.problems.join('\n'))
  return reading.experiment
}

interface Truth {
  readonly quality: number
  readonly success?: number
  readonly costUsd?: number
  readonly latencyMs?: number
}

/** Serves that many units with the true properties of each variant, and none with stopped variants. */
function serve(evidence: Evidence, truths: Readonly<Record<string, Truth>>, units: number, seed = 1): Evidence {
  const random = dice(seed)
  for (let i = 0; i < units; i++) {
    const name = assign(dealtByVersion(evidence.experiment), `unit-${seed}-${i}`) ?? ''
    const truth = truths[name]
    if (truth === undefined || evidence.stopped().some(({ variant }) => variant === name)) continue
    evidence.observe(name, 'success', random() < (truth.success ?? 1) ? 1 : 0)
    evidence.observe(name, 'quality', around(truth.quality, random))
    evidence.observe(name, 'cost', (truth.costUsd ?? 0.01) * (0.5 + random()))
    evidence.observe(name, 'latency', (truth.latencyMs ?? 1_000) * (0.5 + random()))
  }
  return evidence
}

describe('experimentResultOf()', () => {
  test('says by how much a variant is better, what it costs, and that it is safe to stop', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    serve(evidence, { A: { quality: 0.6 }, B: { quality: 0.68, costUsd: 0.0112 } }, 6_000)
    const verdict = experimentResultOf(evidence)
    expect(verdict).toMatchObject({ state: 'decided', winner: 'B', stillNeeded: 0 })
    expect(verdict.text).toMatch(
      /^B is better by 0\.0\d{3} to 0\.(0\d{3}|1\d\d) in quality \(0\.6\d\d against 0\.60\d points\), costs 1[0-4] % more \(\$0\.01\d+ against \$0\.0\d+ a request\); assigned 2976 and 3024 of shares 50 %\/50 %; reported 2976 and 3024; safe to stop$/,
    )
  })

  test('reports the first variant when it is the better one', () => {
    const evidence = serve(new Evidence(experiment(['A', 'B'])), { A: { quality: 0.7 }, B: { quality: 0.6 } }, 2_000)
    expect(experimentResultOf(evidence)).toMatchObject({ state: 'decided', winner: 'A' })
  })

  test('treats less as better where less is better, and gives times in per cent', () => {
    const evidence = new Evidence(experiment(['A', 'B'], { metric: 'latency' }))
    serve(evidence, { A: { quality: 0.6, latencyMs: 1_000 }, B: { quality: 0.6, latencyMs: 800 } }, 4_000)
    const { winner, text } = experimentResultOf(evidence)
    expect(winner).toBe('B')
    expect(text).toMatch(/^B is 1\d to 2\d % faster \(7\d\d ms against 9\d\d ms\)/)
  })

  test('says that it is too early, then how much more is needed, then that there is no difference that matters', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    const same = { A: { quality: 0.6 }, B: { quality: 0.6 } }
    expect(experimentResultOf(serve(evidence, same, 40))).toMatchObject({
      state: 'collecting',
      text: 'too early to say anything; assigned 25 and 15 of shares 50 %/50 %; reported 25 and 15',
    })
    const early = experimentResultOf(serve(evidence, same, 100, 2))
    expect(early.text).toMatch(/^no difference in quality is certain yet; about \d+ more observations; assigned /)
    expect(experimentResultOf(serve(evidence, same, 2_000, 3)).text).toMatch(
      /^no difference of 0\.05 points or more in quality; assigned .*; safe to stop$/,
    )
  })

  test('does not call it early where hundreds of values do not differ', () => {
    const evidence = new Evidence(experiment(['A', 'B'], { metric: 'cost' }))
    const free = { A: { quality: 0.6, costUsd: 0 }, B: { quality: 0.6, costUsd: 0 } }
    expect(experimentResultOf(serve(evidence, free, 100)).text).toMatch(/^too early to say anything; /)
    expect(experimentResultOf(serve(evidence, free, 900, 2))).toMatchObject({
      state: 'collecting',
      stillNeeded: null,
      text: expect.stringMatching(
        /^nearly all values of cost are alike so far, and it takes many more to be certain that they stay so; assigned /,
      ),
    })
  })

  test('names the best of several only when it beats each of them', () => {
    const evidence = new Evidence(experiment(['A', 'B', 'C']))
    serve(evidence, { A: { quality: 0.5 }, B: { quality: 0.6 }, C: { quality: 0.7 } }, 8_000)
    expect(experimentResultOf(evidence).text).toMatch(/^C is better than B, the next best, by/)
    expect(evidence.pairs().map(({ first, second }) => first + second)).toEqual(['AB', 'AC', 'BC'])
  })

  test('names the best ones when two of them are equally good', () => {
    const evidence = new Evidence(experiment(['A', 'B', 'C']))
    serve(evidence, { A: { quality: 0.5 }, B: { quality: 0.65 }, C: { quality: 0.65 } }, 8_000)
    expect(experimentResultOf(evidence)).toMatchObject({
      state: 'decided',
      winner: 'B',
      text: 'B and C are the best, with no difference of 0.05 points or more in quality between them; assigned 2689, 2634 and 2677 of shares 33.3 %/33.3 %/33.3 %; reported 2689, 2634 and 2677; safe to stop',
    })
  })

  test('calls any two of three equal variants different in at most 5 % of experiments', () => {
    let different = 0
    for (let seed = 1; seed <= 400; seed++) {
      const evidence = new Evidence(experiment(['A', 'B', 'C']))
      const random = dice(seed)
      for (let i = 0; i < 1_200; i++) {
        const name = 'ABC'[Math.floor(random() * 3)] ?? 'A'
        evidence.observe(name, 'quality', around(0.6, random))
      }
      if (evidence.pairs().some(({ decided }) => decided !== null && decided.outcome !== 'equal')) different++
    }
    expect(different / 400).toBeLessThanOrEqual(0.05)
  })

  test('says which variant was stopped and why, and which remain', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    const random = dice(1)
    for (let at = 1; at <= 100; at++)
      for (const [variant, success] of [
        ['A', 0.98],
        ['B', 0.1],
      ] as const) {
        const trial = { experiment: 'tone', version: 1, variant, unit: '', at }
        evidence.fold({ trial, at, values: {}, assigned: true })
        evidence.fold({ trial, at, values: { success: random() < success ? 1 : 0 } })
      }
    const verdict = experimentResultOf(evidence)
    expect(verdict).toMatchObject({ state: 'stopped', winner: 'A' })
    expect(verdict.text).toMatch(/^A remains, B was stopped: answers at most \d+ % .*; safe to stop$/)
  })

  test('does not call a stop by an older keywise, which may have been an outage, safe', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    serve(evidence, { A: { quality: 0.6, success: 0.98 }, B: { quality: 0.9, success: 0.1 } }, 400)
    const { text, state } = experimentResultOf(evidence)
    expect(state).toBe('stopped')
    expect(text).toContain(
      ', an older keywise did not record whether it was an outage of the target (keywise experiment start tone tries again); ',
    )
    expect(text).not.toContain('safe to stop')
  })
})

describe('the guard', () => {
  test('stops a variant that only fails after about a dozen of its requests', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    let requests = 0
    while (evidence.stopped().length === 0) {
      evidence.observe('A', 'success', 1)
      evidence.observe('B', 'success', 0)
      requests++
    }
    expect(requests).toBeLessThan(16)
  })

  test('compares nothing with a stopped variant', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    serve(evidence, { A: { quality: 0.6 }, B: { quality: 0.6, success: 0 } }, 100)
    const before = evidence.pairs()
    for (let i = 0; i < 1_000; i++) evidence.observe('A', 'quality', 1)
    expect(evidence.pairs()).toEqual(before)
  })

  test('stops a variant that costs more than the user allows', () => {
    const evidence = new Evidence(experiment(['A', 'B'], { guard: { max_cost_ratio: 2 } }))
    serve(evidence, { A: { quality: 0.6 }, B: { quality: 0.6, costUsd: 0.05 } }, 1_000)
    expect(evidence.stopped()[0]?.reason).toMatch(/^costs at least [2-5]\.\d times as much as the first variant$/)
  })

  test('stops at most 1 % of variants that fail no more than the first, checked after every request', () => {
    let stopped = 0
    for (let seed = 1; seed <= 500; seed++) {
      const evidence = new Evidence(experiment(['A', 'B'], { guard: { max_success_loss: 0 } }))
      const random = dice(seed)
      for (let i = 0; i < 400; i++) evidence.observe(i % 2 === 0 ? 'A' : 'B', 'success', random() < 0.9 ? 1 : 0)
      stopped += evidence.stopped().length
    }
    expect(stopped / 500).toBeLessThanOrEqual(0.01)
  })
})

describe('Evidence', () => {
  test('ignores unknown variants, unknown metrics and values that are not numbers', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    evidence.observe('Z', 'quality', 1)
    evidence.observe('A', '__proto__', 1)
    evidence.observe('A', 'quality', Number.NaN)
    expect(evidence.variants().every(({ observations }) => observations === 0)).toBe(true)
  })

  test('clips values to the range of the metric', () => {
    const evidence = new Evidence(experiment(['A', 'B']))
    evidence.observe('A', 'quality', 1e300)
    evidence.observe('A', 'latency', Number.POSITIVE_INFINITY)
    expect(evidence.variants().find(({ variant, metric }) => variant === 'A' && metric === 'quality')?.mean).toBe(1)
  })

  test('survives a restart, and keeps the data of another version separate', () => {
    const truths = { A: { quality: 0.6 }, B: { quality: 0.64 } }
    const before = serve(new Evidence(experiment(['A', 'B'])), truths, 300)
    const saved = JSON.parse(JSON.stringify(before))
    const after = new Evidence(before.experiment, savedState(before.experiment, saved))
    for (const evidence of [before, after]) serve(evidence, truths, 300, 2)
    expect(after.pairs()).toEqual(before.pairs())
    expect(savedState({ ...before.experiment, version: 2 }, saved)).toBeUndefined()
  })

  const head = { experiment: 'tone', version: 1 }
  const damages: readonly Json[] = [
    null,
    5,
    [],
    {},
    head,
    // As an older keywise saved it.
    { ...head, metrics: {}, sums: [1, 2], stopped: [null, null] },
    { ...head, format: 2, metrics: { quality: 5 }, guard: { variants: [1, 2] }, blocks: { delays: [1, 2] } },
    { ...head, format: 2, metrics: {}, guard: { variants: [1] }, blocks: { delays: [1, 2] } },
  ]
  for (const damaged of damages)
    test(`starts again when the saved state is ${JSON.stringify(damaged)}`, () =>
      expect(savedState(experiment(['A', 'B']), damaged)).toBeUndefined())
})
