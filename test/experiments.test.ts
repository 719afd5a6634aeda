/** Experiments through the whole engine, against simulated providers. */

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ExperimentRow } from '../src/views/experiments.ts'
import { experimentsView } from '../src/views/experiments.ts'
import { type Lab, openLab, openManager, own } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const TWO_MODELS = { providers: own('alpha', 1, ['m', 'n']) }

const tone = {
  name: 'tone',
  variables: ['who'],
  unit: 'session',
  variants: [
    { name: 'plain', share: 0.5, template: 'Greet {{who}}.' },
    {
      name: 'warm',
      share: 0.5,
      template: 'Greet {{ who }} warmly.',
      model: 'alpha/n',
      parameters: { temperature: 0.2 },
    },
  ],
}
const race = {
  name: 'race',
  variants: [
    { name: 'now', share: 0.5, model: 'alpha/m' },
    { name: 'new', share: 0.5, model: 'alpha/n' },
  ],
}

const open = (experiments: readonly object[], scenario: Parameters<typeof openLab>[0] = TWO_MODELS, manager = {}) =>
  openLab(scenario, { settings: { experiments }, manager })

/** The units that a metric was seen of, by variant. */
const unitsOf = ({ variants }: ExperimentRow, metric = 'success') =>
  Object.fromEntries(variants.map(({ name, metrics }) => [name, metrics[metric]?.observations ?? 0]))

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, count) => sum + count, 0)

/** The text and fields that a provider was sent last. */
function lastBody({ world }: Lab): { messages: { content: string }[]; temperature?: number; model: string } {
  return world.calls.at(-1)?.body as never // OpenAI's dialect, which the tests read by field
}

describe('a variant', () => {
  test('fills its template, takes its model and parameters, and stays with its session', async () => {
    const lab = await open([tone])
    const seen = new Map<string, Set<string>>()
    for (let call = 0; call < 40; call++) {
      const sessionId = `session ${call % 10}`
      const { result } = await lab.call({ experiment: 'tone', variables: { who: 'Ana' }, sessionId })
      const { name, version, variant } = result?.experiment ?? {}
      const { messages, temperature, model } = lastBody(lab)
      expect([name, version]).toEqual(['tone', 1])
      const warm = variant === 'warm'
      expect(messages.at(-1)?.content).toBe(warm ? 'Greet Ana warmly.' : 'Greet Ana.')
      expect([temperature, model]).toEqual(warm ? [0.2, 'n'] : [undefined, 'm'])
      seen.set(sessionId, (seen.get(sessionId) ?? new Set()).add(String(variant)))
    }
    expect([...seen.values()].every((variants) => variants.size === 1)).toBe(true)
    // One value per unit: ten sessions, however many requests.
    expect(total(unitsOf(lab.manager.experiment('tone')))).toBe(10)
    expect(total(unitsOf(lab.manager.experiment('tone'), 'latency'))).toBe(10)
  })

  test('puts the prompt into its template, and leaves the rest of a conversation as it is', async () => {
    const template = 'In one word: {{prompt}}'
    const lab = await open([
      {
        ...race,
        variants: [
          { name: 'a', share: 0.5, template },
          { name: 'b', share: 0.5, template },
        ],
      },
    ])
    await lab.call({
      experiment: 'race',
      messages: [
        { role: 'system', content: 'You are brief.' },
        { role: 'user', content: 'What is {{red}}?' },
      ],
    })
    expect(lastBody(lab).messages.map(({ content }) => content)).toEqual([
      'You are brief.',
      'In one word: What is {{red}}?',
    ])
  })

  test('is asked of its own provider', async () => {
    const scenario = { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m']) } }
    const variants = [
      { name: 'a', share: 0.5, provider: 'alpha' },
      { name: 'b', share: 0.5, provider: 'beta' },
    ]
    const lab = await open([{ ...race, variants }], scenario)
    for (let call = 0; call < 12; call++) {
      const { result } = await lab.call({ prompt: 'hi', labels: { experiment: 'race' } })
      expect(result?.provider).toBe(result?.experiment?.variant === 'a' ? 'alpha' : 'beta')
    }
  })

  test('whose model nobody has any more is not given out', async () => {
    const variants = [race.variants[0], { ...race.variants[1], model: 'alpha/gone' }]
    const lab = await open([{ ...race, variants }])
    for (let call = 0; call < 12; call++)
      expect((await lab.call({ prompt: 'hi', experiment: 'race' })).error).toBeNull()
    const row = lab.manager.experiment('race')
    expect(unitsOf(row)['new']).toBe(0)
    expect(row.problems).toEqual(['no key has the model "alpha/gone" of variant "new"; its units run as usual'])
  })
})

describe('a request', () => {
  test('takes part by option, by model or by label, and not otherwise', async () => {
    const lab = await open([race])
    const partOf = async (context: object) => (await lab.call(context as never)).result?.experiment?.name ?? null
    expect(await partOf({ prompt: 'hi', experiment: 'race' })).toBe('race')
    expect(await partOf({ prompt: 'hi', model: 'experiment:race' })).toBe('race')
    expect(await partOf({ prompt: 'hi', labels: { experiment: 'race' } })).toBe('race')
    expect(await partOf({ prompt: 'hi', labels: { experiment: 'another' } })).toBeNull()
    expect(await partOf({ prompt: 'hi' })).toBeNull()
    // The state of a supervisor may have a field of that name.
    expect(await partOf({ experiment: 'race', step: 3 })).toBeNull()
  })

  for (const { context, says } of [
    { context: { prompt: 'hi', experiment: 'rase' }, says: 'unknown experiment "rase"; did you mean "race"?' },
    { context: { prompt: 'hi', model: 'experiment:rase' }, says: 'nearest: experiment:race' },
    {
      context: { experiment: 'tone', variables: {} },
      says: 'needs {{who}}; give variables: { who: … } (at the gateway the header x-keywise-variables: {"who":"…"})',
    },
    { context: { experiment: 'tone', variables: { who: ['Ana'] } }, says: '"who" must be a text or a number' },
    {
      context: { experiment: 'race', variables: {} },
      says: 'variant "now" of experiment "race" has no template; give a prompt',
    },
  ] as const)
    test(`is told: ${says}`, async () => {
      const lab = await open([race, tone])
      const { error, attempts } = await lab.call(context as never)
      expect(error?.message).toContain(says)
      expect(attempts).toEqual([])
      expect(total(unitsOf(lab.manager.experiment('race')))).toBe(0)
    })

  test('of the holdout, without the label, or after the end runs as usual and is not compared', async () => {
    const holdout = { ...race, holdout: 0.98, variants: race.variants.map((variant) => ({ ...variant, share: 0.01 })) }
    const byCustomer = { ...race, name: 'customers', unit: 'label:customer' }
    const lab = await open([holdout, byCustomer])
    const { result } = await lab.call({ prompt: 'hi', model: 'alpha/n', experiment: 'customers' })
    expect(result).toMatchObject({ model: 'n', experiment: { name: 'customers', variant: null } })
    let held = 0
    for (let call = 0; call < 20; call++)
      if ((await lab.call({ prompt: 'hi', experiment: 'race' })).result?.experiment?.variant === null) held++
    expect(held).toBeGreaterThan(15)
    expect(total(unitsOf(lab.manager.experiment('race')))).toBe(20 - held)
    lab.manager.stopExperiment('customers', { keep: 'new' })
    const after = await lab.call({ prompt: 'hi', experiment: 'customers', labels: { customer: 'ana' } })
    expect(after.result).toMatchObject({ model: 'n', experiment: { variant: null } })
    expect(total(unitsOf(lab.manager.experiment('customers')))).toBe(0)
  })
})

describe('what is observed', () => {
  test('success, latency and cost of the whole request, and what people report', async () => {
    const metric = { name: 'clicks', better: 'higher', minimum_effect: 1, min: 0, max: 50 }
    const lab = await open([{ ...race, metric }])
    const { result } = await lab.call({ prompt: 'hi', experiment: 'race' })
    const id = String(result?.requestId)
    lab.manager.report(id, 'clicks', 7)
    lab.manager.report(id, 'clicks', 9)
    lab.manager.rate(id, 0.5)
    const row = lab.manager.experiment('race')
    const seen = row.variants.find(({ name }) => name === result?.experiment?.variant)?.metrics
    // The last value counts.
    expect(seen).toMatchObject({
      clicks: { observations: 1, mean: 9 },
      quality: { observations: 1, mean: 0.5 },
      success: { observations: 1, mean: 1 },
      latency: { observations: 1 },
    })
    expect(() => lab.manager.report(id, 'click', 1)).toThrow(
      'has no metric "click" to report; it takes quality and clicks',
    )
    expect(() => lab.manager.report(id, 'clicks', Number.NaN)).toThrow('must be a number')
    expect(() => lab.manager.report('kw_nobody', 'clicks', 1)).toThrow('no answered request "kw_nobody" is known')
    const other = await lab.call({ prompt: 'hi' })
    expect(() => lab.manager.report(String(other.result?.requestId), 'clicks', 1)).not.toThrow()
  })

  test('is the same in every process of a store and after a restart, each value once', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await open([race], TWO_MODELS, { store })
    const other = openManager(lab.world, { settings: { experiments: [race] }, manager: { store } })
    await other.ready()
    const ids: string[] = []
    for (let call = 0; call < 30; call++) {
      const manager = call % 2 === 0 ? lab.manager : other
      ids.push((await manager.callWithFallback({ prompt: 'hi', experiment: 'race' })).requestId)
    }
    // Both hear of every rating, and say it of requests that the other one made.
    for (const [index, id] of ids.entries()) {
      lab.manager.rate(id, index / 30)
      other.rate(id, 0)
    }
    await Promise.all([lab.manager, other].map((manager) => manager.engine.store.flushed()))
    const row = lab.manager.experiment('race')
    expect(total(unitsOf(row))).toBe(30)
    expect(total(unitsOf(row, 'quality'))).toBe(30)
    expect(other.experiment('race')).toEqual(row)
    await lab.manager.close()
    await other.close()
    const again = openManager(lab.world, { settings: { experiments: [race] }, manager: { store } })
    expect(again.experiment('race')).toEqual(row)
    const afresh = openManager(lab.world, { settings: { experiments: [race] }, manager: { store } })
    afresh.engine.store.setDoc('evidence', 'race@1', { damaged: true })
    await afresh.close()
    const refolded = openManager(lab.world, { settings: { experiments: [race] }, manager: { store } })
    expect(refolded.experiment('race')).toEqual(row)
  })

  test('of a changed experiment is kept apart, and goes on when the change is taken back', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await open([race], TWO_MODELS, { store })
    for (let call = 0; call < 4; call++) await lab.call({ prompt: 'hi', experiment: 'race' })
    await lab.manager.close()
    const changed = { ...race, variants: [race.variants[0], { ...race.variants[1], parameters: { top_p: 0.5 } }] }
    const next = openManager(lab.world, { settings: { experiments: [changed] }, manager: { store } })
    await next.callWithFallback({ prompt: 'hi', experiment: 'race' })
    const row = next.experiment('race')
    expect([row.version, total(unitsOf(row))]).toEqual([2, 1])
    expect(row.earlierVersions).toMatchObject([{ version: 1 }])
    await next.close()
    const back = openManager(lab.world, { settings: { experiments: [race] }, manager: { store } })
    expect([back.experiment('race').version, total(unitsOf(back.experiment('race')))]).toEqual([1, 4])
    await back.close()
    const without = openManager(lab.world, { settings: {}, manager: { store } })
    expect(experimentsView(without.engine).experiments).toMatchObject([{ name: 'race', version: 1, state: 'running' }])
  })
})

test('the guard stops a variant that fails, whose units then run as usual', async () => {
  const faults = [{ do: 'bad_request', model: 'n' }] as const
  const lab = await open([race], { providers: own('alpha', 1, ['m', 'n'], { faults }) })
  for (let call = 0; call < 60; call++) {
    await lab.call({ prompt: 'hi', experiment: 'race' })
    lab.manager.engine.experiments.tick()
  }
  const row = lab.manager.experiment('race')
  expect(row.variants[1]?.stopped).toMatch(/^answers at most \d+ % of its requests/)
  expect(row.verdict).toMatchObject({ state: 'stopped', winner: 'now' })
  lab.world.forget()
  for (let call = 0; call < 10; call++) expect((await lab.call({ prompt: 'hi', experiment: 'race' })).error).toBeNull()
  expect(lab.asked().every((target) => target === 'alpha/m#1')).toBe(true)
})

test('a verdict is told once, as an alert', async () => {
  const lab = await open([{ ...race, metric: 'quality', minimum_effect: 0.3 }])
  const told: string[] = []
  lab.manager.on('alert', ({ event, text }) => told.push(`${event} ${text}`))
  for (let call = 0; call < 260; call++) {
    const { result } = await lab.call({ prompt: 'hi', experiment: 'race' })
    lab.manager.rate(
      String(result?.requestId),
      result?.experiment?.variant === 'new' ? 0.9 - (call % 3) / 20 : 0.3 + (call % 5) / 20,
    )
    if (call % 20 === 0) lab.manager.engine.experiments.tick()
  }
  lab.manager.engine.experiments.tick()
  const { verdict } = lab.manager.experiment('race')
  expect(verdict).toMatchObject({ state: 'decided', winner: 'new' })
  expect(verdict.text).toMatch(/^new is better by 0\.\d+ to 0\.\d+ in quality.*; safe to stop$/)
  expect(told.filter((line) => line.startsWith('experiment_decided'))).toHaveLength(1)
  expect(told.join()).toContain('keywise experiment stop race --keep new')
})

describe('started by a program', () => {
  test('an experiment begins at once, changes as a new version, and ends', async () => {
    const lab = await open([])
    expect(lab.manager.startExperiment(race)).toMatchObject({
      name: 'race',
      version: 1,
      state: 'running',
      source: 'command',
    })
    expect(lab.manager.startExperiment(race).version).toBe(1)
    expect(
      lab.manager.startExperiment({
        ...race,
        holdout: 0.1,
        variants: race.variants.map((one) => ({ ...one, share: 0.45 })),
      }).version,
    ).toBe(2)
    expect(lab.manager.stopExperiment('race')).toMatchObject({ state: 'stopped', stopCause: 'person', kept: null })
    expect(lab.manager.startExperiment(race)).toMatchObject({ version: 1, state: 'running' })
    expect(() => lab.manager.stopExperiment('race', { keep: 'old' })).toThrow('has no variant "old"; it has now, new')
  })

  test('what is wrong is said, all of it, and nothing begins', async () => {
    const lab = await open([tone])
    const wrong = {
      ...race,
      holdout: 0.5,
      metrik: 'x',
      variants: [
        { ...race.variants[0], template: '{{x}}' },
        { ...race.variants[1], parameters: { temprature: 1 } },
      ],
    }
    expect(() => lab.manager.startExperiment(wrong)).toThrow(
      /"experiments\[0\]\.metrik" is unknown; did you mean "metric"\?.*unknown variable {{x}}; known: prompt.*did you mean "temperature".*add up to 1\.5 instead of 1/,
    )
    expect(() => lab.manager.startExperiment(tone)).toThrow('"tone" is defined in settings.experiments')
    expect(() => lab.manager.experiment('race')).toThrow('unknown experiment "race"')
  })
})
