import { expect, test } from 'vitest'
import { diceOf, experimentOf } from '../../test/support/experimentCases.ts'
import { Evidence } from './evidence.ts'
import { experimentResultOf } from './result.ts'

interface Run {
  readonly metric?: string
  readonly requests?: number
  /** The probability that a variant is answered; else its target fails. */
  readonly answers: (variant: string, request: number) => number
  readonly seed?: number
}

/** A request a second; the pauses of the guard end as soon as they may. */
function run({ metric = 'quality', requests = 6_000, answers, seed = 1 }: Run) {
  const dice = diceOf(seed)
  const evidence = new Evidence(experimentOf({ name: 'guarded', units: 0, metric, draw: () => 0 }))
  const trial = (variant: string, at: number) => ({ experiment: 'case', version: 1, variant, unit: '', at })
  let stops = 0
  let lost = 0
  for (let request = 1; request <= requests; request++) {
    const at = request * 1_000
    for (const { variant, until, number } of evidence.stopped())
      if (until !== null && at >= until) evidence.fold({ trial: trial(variant, at), at, values: {}, lifted: number })
    const variant = dice() < 0.5 ? 'v0' : 'v1'
    if (evidence.stopped().some((stop) => stop.variant === variant)) continue
    const ok = dice() < answers(variant, request)
    evidence.fold({ trial: trial(variant, at), at, values: {}, assigned: true })
    const before = evidence.stopped().length
    evidence.fold({ trial: trial(variant, at), at, values: { success: ok ? 1 : 0 }, ...(!ok && { outage: true }) })
    if (ok) evidence.fold({ trial: trial(variant, at), at, values: { quality: dice() } })
    if (evidence.stopped().length > before) stops++
    if (!ok) lost++
  }
  return { evidence, stops, lost }
}

test.each([0.85, 0.7, 0.4])('a variant of which %d of the requests are answered does not come and go', (rate) => {
  const { stops } = run({ answers: (variant) => (variant === 'v1' ? rate : 1) })
  // Pauses that double: nine of them fill the 100 minutes.
  expect(stops).toBeLessThanOrEqual(9)
})

test('an outage is one also where a failure of the variant itself came shortly before', () => {
  const evidence = new Evidence(experimentOf({ name: 'mixed', units: 0, draw: () => 0 }))
  let at = 0
  const end = (variant: string, ok: boolean, outage = false) => {
    const trial = { experiment: 'case', version: 1, variant, unit: '', at: ++at }
    evidence.fold({ trial, at, values: {}, assigned: true })
    evidence.fold({ trial, at, values: { success: ok ? 1 : 0 }, ...(outage && { outage }) })
  }
  for (let request = 0; request < 60; request++) for (const variant of ['v0', 'v1']) end(variant, true)
  end('v1', false)
  for (let request = 0; request < 30; request++) {
    end('v0', true)
    if (evidence.stopped().length === 0) end('v1', request < 3, true)
  }
  expect(evidence.stopped()).toMatchObject([{ variant: 'v1', kind: 'outage' }])
  expect(experimentResultOf(evidence)).toMatchObject({ state: 'paused' })
  // Tried again too early, with an empty answer among its failures.
  const lifted = evidence.stopped()[0]?.number ?? 0
  evidence.fold({ trial: { experiment: 'case', version: 1, variant: 'v1', unit: '' }, at, values: {}, lifted })
  for (const outage of [true, false, true]) end('v1', false, outage)
  expect(evidence.stopped()).toMatchObject([{ variant: 'v1', kind: 'outage' }])
})

test('what set out before an outage, and fails by it after its stop, is left out as well', () => {
  const evidence = new Evidence(experimentOf({ name: 'late', units: 0, metric: 'success', draw: () => 0 }))
  const trial = (variant: string, at: number) => ({ experiment: 'case', version: 1, variant, unit: '', at })
  const assign = (variant: string, at: number) =>
    evidence.fold({ trial: trial(variant, at), at, values: {}, assigned: true })
  const end = (variant: string, at: number, ok: boolean) =>
    evidence.fold({ trial: trial(variant, at), at, values: { success: ok ? 1 : 0 }, ...(!ok && { outage: true }) })
  for (let at = 1; at <= 200; at++) assign(at % 2 === 0 ? 'v0' : 'v1', at)
  for (let at = 1; at <= 200; at++) if (![21, 41].includes(at)) end(at % 2 === 0 ? 'v0' : 'v1', at, true)
  for (let at = 201; evidence.stopped().length === 0; at++) {
    const variant = at % 2 === 0 ? 'v0' : 'v1'
    assign(variant, at)
    end(variant, at, variant === 'v0')
  }
  const { leftOut } = evidence.counts()
  for (const at of [21, 41]) end('v1', at, false)
  const row = evidence.variants().find(({ variant, metric }) => variant === 'v1' && metric === 'success')
  expect(row?.mean).toBe(1)
  const { assigned, reported, ...counts } = evidence.counts()
  expect(counts.leftOut).toBe(leftOut + 2)
  expect(reported[1]).toBe(assigned?.[1])
})

test('after a decision and an outage the difference is shown by what is known now', () => {
  const isDown = (request: number) => request > 3_000 && request < 3_100
  const { evidence, stops } = run({
    metric: 'success',
    answers: (variant, request) => (variant === 'v0' ? 1 : isDown(request) ? 0 : 0.9),
  })
  expect(stops).toBeGreaterThan(0)
  const [pair] = evidence.pairs()
  expect(pair?.decided).toMatchObject({ outcome: 'first-higher' })
  expect(pair?.interval?.high).toBeLessThan(-0.05)
  expect(pair?.interval?.low).toBeGreaterThan(-0.15)
})

test('variants that never failed but in an outage come to a verdict after it', () => {
  const answers = (variant: string, request: number) => (variant === 'v1' && request > 300 && request < 340 ? 0 : 1)
  const during = run({ metric: 'success', requests: 900, answers }).evidence.pairs()[0]?.interval
  for (const end of during == null ? [] : [during.low, during.high]) expect(end).not.toBeNaN()
  const { evidence } = run({ metric: 'success', requests: 8_000, answers })
  expect(evidence.pairs()[0]?.interval?.low).toBeGreaterThan(-0.05)
  expect(experimentResultOf(evidence)).toMatchObject({ state: 'equal' })
})

test('a variant that costs something beside one that is free is stopped in words without a number', () => {
  const evidence = new Evidence({
    ...experimentOf({ name: 'free', units: 0, draw: () => 0 }),
    guard: { maxSuccessLoss: 0.05, maxCostRatio: 2 },
  })
  for (let request = 0; request < 80; request++) {
    evidence.observe('v0', 'cost', 0)
    evidence.observe('v1', 'cost', 0.001)
  }
  expect(evidence.stopped()).toMatchObject([
    { variant: 'v1', kind: 'cost', reason: 'has a cost, and the first variant has none' },
  ])
})

test('while all targets fail it is said that a decision waits for an outage', () => {
  const { evidence } = run({ metric: 'success', answers: () => 0 })
  const verdict = experimentResultOf(evidence)
  expect(verdict).toMatchObject({ state: 'undecided', stillNeeded: null })
  expect(verdict.text).toMatch(
    /^a decision on v0 and v1 waits: the last requests of one of them all failed because of its target, which may be an outage; assigned /,
  )
})

test('while the counts are in doubt it is said that a decision waits for them', () => {
  const verdicts = Array.from({ length: 20 }, (_, seed) => {
    const evidence = new Evidence(experimentOf({ name: 'counts', units: 0, draw: () => 0 }))
    const dice = diceOf(seed)
    for (let at = 1; at <= 120; at++) {
      const index = dice() < 0.5 ? 0 : 1
      const trial = { experiment: 'case', version: 1, variant: `v${index}`, unit: '', at }
      evidence.fold({ trial, at, values: {}, assigned: true })
      const value = 0.6 * dice() + 0.3 * index
      if (index === 0 || dice() < 0.7) evidence.fold({ trial, at, values: { quality: value } })
    }
    return experimentResultOf(evidence)
  })
  const waiting = verdicts.filter(({ text }) =>
    text.startsWith('a decision on v0 and v1 waits until more units show whether their counts fit; assigned '),
  )
  expect(waiting.length).toBeGreaterThan(0)
  for (const verdict of waiting) expect(verdict).toMatchObject({ state: 'undecided', stillNeeded: null })
})
