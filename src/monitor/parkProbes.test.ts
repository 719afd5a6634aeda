import { expect, test } from 'vitest'
import { type Lab, openLab, own } from '../../test/support/lab.ts'
import { makeFailure } from '../../test/support/makeEvents.ts'
import type { FakeFault, FakeScenario } from '../lab/fake/scenario.ts'
import { statusView } from '../views/status.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Setting {
  readonly probes?: 'calls' | 'free' | 'traffic'
  readonly config?: (config: Record<string, Record<string, unknown>>) => object
}

/** A lab whose clock is set by hand; its keys are free unless `config` says otherwise. */
async function openAt(scenario: FakeScenario, { probes = 'calls', config }: Setting = {}) {
  let now = Date.UTC(2026, 10, 23, 12)
  const clock = () => now
  const lab = await openLab(scenario, {
    settings: { routing: { strategy: 'priority', probes }, timeouts: { patience_ms: 1 } },
    config: config ?? free,
    manager: { now: clock },
    world: { now: clock },
  })
  const pass = async (ms: number) => {
    now += ms
    await lab.manager.engine.probes.due()
  }
  return { ...lab, pass }
}

const free = (config: Record<string, Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(config).map(([provider, block]) => [
      provider,
      { ...block, api_keys: (block['api_keys'] as string[]).map((key) => ({ key, free: true })) }, // as the world writes them
    ]),
  )

/** Models that stay targets whatever the list says. */
const named = (config: Record<string, Record<string, unknown>>) => ({
  ...config,
  groq: { ...config['groq'], models: ['a', 'b'] },
})

const parksOf = ({ manager }: Lab) => {
  const { engine } = manager
  const { parks } = engine.learned
  return { now: parks.list(engine.now).length, unproven: parks.awaiting(engine.now).length }
}
const alpha = (fault: FakeFault) => own('alpha', 1, ['m'], { faults: [fault] })
const groq = (faults: FakeFault[], models: object = { a: {}, b: {} }) => ({
  groq: { keys: { 'fake-groq-0000001': {} }, models: models as FakeScenario['providers'][string]['models'], faults },
})

test('a refused key comes back by its free check, never by a user request', async () => {
  const lab = await openAt({ providers: { ...groq([]), ...own('beta', 1, ['m']) } }, { config: named })
  lab.world.revoke('groq', 1)
  expect((await lab.call()).trail).toMatch(/^groq\/a#1=auth_invalid; .*ok$/)
  lab.asked()
  await lab.pass(16 * MINUTE)
  expect((await lab.call()).trail).toBe('beta/m#1=ok')
  lab.world.restore('groq', 1)
  await lab.pass(16 * MINUTE)
  expect((await lab.call()).trail).toBe('beta/m#1=ok')
  await lab.pass(15 * MINUTE)
  expect((await lab.call()).trail).toBe('groq/a#1=ok')
  expect(lab.asked()).toEqual(['beta/m#1', 'beta/m#1', 'groq/a#1'])
})

test('a key that several models refuse comes back by its free check, where the check refuses it as well', async () => {
  const models = { a: {}, b: {}, c: {} }
  const lab = await openAt(
    { providers: { ...groq([], models), ...own('beta', 1, ['m']) } },
    { config: (config) => ({ ...config, groq: { ...config['groq'], models: ['a', 'b', 'c'] } }) },
  )
  const { engine } = lab.manager
  for (const target of engine.registry.targets.filter(({ provider }) => provider === 'groq'))
    engine.learned.record(makeFailure(target, engine.now, 'auth_forbidden'))
  const scopes = () => engine.learned.parks.list(engine.now).map(({ scope }) => scope)
  expect(scopes()).toContain('key')
  lab.world.revoke('groq', 1)
  await lab.pass(6 * MINUTE)
  expect((await lab.call()).trail).toBe('beta/m#1=ok')
  lab.world.restore('groq', 1)
  await lab.pass(11 * MINUTE)
  await lab.pass(11 * MINUTE)
  expect((await lab.call()).trail).toBe('groq/a#1=ok')
  expect(lab.asked()).toEqual(['beta/m#1', 'groq/a#1'])
})

test('a missing model stays out while its list lacks it, and comes back when the list has it again', async () => {
  const lab = await openAt({ providers: groq([]) }, { config: named })
  lab.world.retire('groq', 'a')
  expect((await lab.call()).trail).toBe('groq/a#1=model_not_found; groq/b#1=ok')
  for (const minutes of [16, 31, 61]) {
    await lab.pass(minutes * MINUTE)
    expect((await lab.call()).trail).toBe('groq/b#1=ok')
  }
  lab.world.setModel('groq', 'a', {})
  await lab.manager.engine.lists.refresh(lab.manager.engine.registry.credentials, true)
  expect((await lab.call()).trail).toBe('groq/a#1=ok')
})

test('a withdrawn model that is named in the configuration names its successor', async () => {
  const id = 'llama-3.3-70b-versatile'
  const named = (config: Record<string, Record<string, unknown>>) => ({
    groq: { ...config['groq'], models: [id, 'openai/gpt-oss-120b'] },
  })
  const lab = await openAt({ providers: groq([], { 'openai/gpt-oss-120b': {} }) }, { config: named })
  await lab.call({ prompt: 'hi', model: `groq/${id}` })
  const { targets } = statusView(lab.manager.engine, lab.manager.getSessionSummary())
  expect(targets.find(({ model }) => model === id)?.reason).toMatch(
    /^parked: unknown model .*; use openai\/gpt-oss-120b$/,
  )
})

test('an empty account comes back when its provider reports credit', async () => {
  const scenario: FakeScenario = {
    providers: {
      deepseek: {
        keys: { 'fake-deepseek-0001': {} },
        models: { 'deepseek-v4-flash': {} },
        faults: [{ do: 'billing', to: 1 }],
      },
    },
  }
  const lab = await openAt(scenario, { config: (config) => config })
  await lab.call()
  expect(parksOf(lab).now).toBe(1)
  lab.asked()
  await lab.pass(61 * MINUTE)
  expect(parksOf(lab)).toEqual({ now: 0, unproven: 0 })
  expect(lab.asked()).toEqual([])
})

test('a guessed park of a free key ends with one small call, which counts like any other', async () => {
  const lab = await openAt({
    providers: own('alpha', 1, ['m'], { dialect: 'anthropic', faults: [{ do: 'rate_minute', to: 1 }] }),
  })
  await lab.call()
  lab.asked()
  await lab.pass(31_000)
  expect(lab.asked()).toEqual(['alpha/m#1'])
  expect(parksOf(lab)).toEqual({ now: 0, unproven: 0 })
  expect(lab.manager.engine.learned.quota.load(lab.manager.engine.registry.targets[0]!, lab.manager.engine.now)).toBe(1)
})

const GUESS: FakeFault = { do: 'zero_quota', to: 1 }
const REFUSED: readonly (readonly [string, FakeScenario, Setting])[] = [
  ['a key that may be billed, without a budget', { providers: alpha(GUESS) }, { config: (config) => config }],
  ['what was stated', { providers: alpha({ do: 'rate_minute', retry_after: 60, to: 1 }) }, {}],
  ['anything, when only free checks are allowed', { providers: alpha(GUESS) }, { probes: 'free' }],
  ['anything, when only traffic may', { providers: alpha(GUESS) }, { probes: 'traffic' }],
  [
    'an account of 40 requests a day, of which one is more than 2 %',
    {
      providers: {
        alpha: {
          ...alpha(GUESS)['alpha']!,
          limits: [{ unit: 'requests', window: 'day', limit: 40 }],
        },
      },
    },
    {},
  ],
]
for (const [what, scenario, setting] of REFUSED)
  test(`no call is spent on ${what}`, async () => {
    const lab = await openAt(scenario, setting)
    await lab.call()
    expect(parksOf(lab).now).toBe(1)
    lab.asked()
    await lab.pass(25 * HOUR)
    await lab.pass(2 * MINUTE)
    expect(lab.asked()).toEqual([])
    expect(parksOf(lab).unproven).toBe(1)
    expect((await lab.call()).trail).toBe('alpha/m#1=ok')
  })

test('overload is left to ordinary traffic', async () => {
  const lab = await openAt({ providers: alpha({ do: 'overloaded', to: 4 }) })
  for (let call = 0; call < 2; call++) {
    await lab.call()
    await lab.pass(1_000)
  }
  lab.asked()
  await lab.pass(HOUR)
  expect(lab.asked()).toEqual([])
  expect(parksOf(lab).unproven).toBe(1)
})

test('a check that meets an outage is inconclusive and repeated a minute later', async () => {
  const lab = await openAt({ providers: { ...groq([]), ...own('beta', 1, ['m']) } }, { config: named })
  lab.world.revoke('groq', 1)
  await lab.call()
  await lab.world.close()
  await lab.pass(16 * MINUTE)
  expect(parksOf(lab)).toEqual({ now: 0, unproven: 1 })
  expect(lab.manager.engine.learned.parks.awaiting(lab.manager.engine.now)).toMatchObject([{ reason: 'auth_invalid' }])
})
