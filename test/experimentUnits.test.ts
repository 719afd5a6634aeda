/** What one unit of an experiment is, who is none, and what answers in the place of a variant's target. */

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ExperimentRow } from '../src/views/experiments.ts'
import { experimentView } from '../src/views/experiments.ts'
import { openGateway } from './support/gatewayWorld.ts'
import { openLab, openManager, own } from './support/lab.ts'
import { temporaryFolder } from './support/temporaryFolder.ts'

const WORLD = { providers: own('alpha', 1, ['m', 'n']) }
/** As in docs/experiments.md. */
const greeting = {
  name: 'greeting',
  unit: 'session',
  variables: ['guest'],
  variants: [
    { name: 'plain', share: 0.5, template: 'Greet {{guest}}.' },
    { name: 'warm', share: 0.5, template: 'Greet {{guest}} like an old friend.', model: 'alpha/n' },
  ],
}
const chat = {
  name: 'chat',
  unit: 'session',
  variants: [
    { name: 'now', share: 0.5, model: 'alpha/m' },
    { name: 'new', share: 0.5, model: 'alpha/n' },
  ],
}

const unitsOf = ({ variants }: ExperimentRow) =>
  variants.reduce((sum, { metrics }) => sum + (metrics['success']?.observations ?? 0), 0)

describe('a session that is not named', () => {
  test('is told apart by its variables: 60 guests are 60 units, and a guest keeps the variant', async () => {
    const lab = await openLab(WORLD, { settings: { experiments: [greeting] } })
    const variantOf = async (guest: number) =>
      (await lab.call({ experiment: 'greeting', variables: { guest } })).result?.experiment?.variant
    const first: unknown[] = []
    for (let guest = 0; guest < 60; guest++) first.push(await variantOf(guest))
    expect(unitsOf(lab.manager.experiment('greeting'))).toBe(60)
    expect(new Set(first)).toEqual(new Set(['plain', 'warm']))
    for (let guest = 0; guest < 10; guest++) expect(await variantOf(guest)).toBe(first[guest])
    expect(unitsOf(lab.manager.experiment('greeting'))).toBe(60)
  })

  test('keeps its variant over the turns of a conversation with the same variables', async () => {
    const prompted = greeting.variants.map((one) => ({ ...one, template: `${one.template} {{prompt}}` }))
    const lab = await openLab(WORLD, { settings: { experiments: [{ ...greeting, variants: prompted }] } })
    for (let guest = 0; guest < 12; guest++) {
      const say = (role: string, content: string) => ({ role, content })
      const turns = [say('user', 'hi')]
      const seen = new Set<unknown>()
      for (let turn = 0; turn < 3; turn++) {
        const context = { messages: turns, experiment: 'greeting', variables: { guest } } as never
        const { result } = await lab.call(context)
        seen.add(result?.experiment?.variant)
        turns.push(say('assistant', result?.content ?? ''), say('user', `and ${turn}?`))
      }
      expect(seen.size).toBe(1)
    }
    expect(unitsOf(lab.manager.experiment('greeting'))).toBe(12)
  })

  const nameless = [
    { experiment: 'chat', prompt: 'hi' },
    { experiment: 'chat', prompt: 'hi', variables: {} },
    { model: 'experiment:chat', prompt: 'hi' },
    { model: 'experiment:chat', messages: [{ role: 'user', content: 'hi' }] },
    { model: 'experiment:chat', prompt: 'hi', system: 'Be brief.' },
  ] as const
  test.each(nameless)('is refused with what to send: %j', async (context) => {
    const lab = await openLab(WORLD, { settings: { experiments: [chat] } })
    const { error } = await lab.call(context as never)
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', parameter: 'sessionId' })
    for (const word of ['"chat"', 'sessionId', 'x-keywise-session', 'variables', '"unit": "request"'])
      expect(error?.message).toContain(word)
    expect(lab.asked()).toEqual([])
  })

  test('runs as usual where only the label asks for the experiment, which says so and counts it', async () => {
    const store = join(temporaryFolder(), 'keywise.db')
    const lab = await openLab(WORLD, { settings: { experiments: [chat] }, manager: { store } })
    for (let call = 0; call < 5; call++) {
      const { result } = await lab.call({ prompt: 'hi', model: 'alpha/n', labels: { experiment: 'chat' } })
      expect(result).toMatchObject({
        model: 'n',
        experiment: { name: 'chat', version: 1, variant: null, reason: 'no_session' },
      })
    }
    // A ranking is no request.
    lab.manager.rankTargets({ prompt: 'hi', labels: { experiment: 'chat' } })
    const row = lab.manager.experiment('chat')
    expect([row.ranAsUsual.no_session, unitsOf(row)]).toEqual([5, 0])
    const other = openManager(lab.world, { settings: { experiments: [chat] }, manager: { store } })
    await other.callWithFallback({ prompt: 'hi', labels: { experiment: 'chat' } })
    await other.close()
    expect(lab.manager.experiment('chat').ranAsUsual.no_session).toBe(6)
  })
})

test('why else a request runs as usual is said and counted', async () => {
  const byCustomer = { ...chat, name: 'customers', unit: 'label:customer' }
  const held = { ...chat, name: 'held', unit: 'request', holdout: 0.98 }
  const share = 0.01
  const gone = {
    ...chat,
    name: 'gone',
    unit: 'request',
    variants: chat.variants.map((one) => ({ ...one, model: 'alpha/x' })),
  }
  const experiments = [byCustomer, { ...held, variants: chat.variants.map((one) => ({ ...one, share })) }, gone]
  const lab = await openLab(WORLD, { settings: { experiments } })
  const reasonOf = async (experiment: string, more = {}) =>
    (await lab.call({ prompt: 'hi', model: 'alpha/m', experiment, ...more })).result?.experiment?.reason
  expect(await reasonOf('customers')).toBe('no_label')
  expect(await reasonOf('customers', { labels: { customer: 'ana' } })).toBeUndefined()
  expect(await reasonOf('gone')).toBe('no_model')
  const reasons = new Set<unknown>()
  for (let call = 0; call < 20; call++) reasons.add(await reasonOf('held'))
  expect(reasons).toContain('holdout')
  lab.manager.stopExperiment('gone', { keep: 'now' })
  expect(await reasonOf('gone')).toBe('stopped')
  const none = { holdout: 0, guard: 0, stopped: 0, no_session: 0, no_label: 0, no_model: 0 }
  expect(lab.manager.experiment('customers').ranAsUsual).toEqual({ ...none, no_label: 1 })
  expect(lab.manager.experiment('gone').ranAsUsual).toEqual({ ...none, no_model: 1, stopped: 1 })
  expect(lab.manager.experiment('held').ranAsUsual.holdout).toBeGreaterThan(15)
})

test('at the gateway a session is named by the header or by a known client, and each token has its own', async () => {
  const world = await openGateway(WORLD, { settings: { experiments: [chat] } })
  onTestFinished(() => world.close())
  const ask = (headers: Readonly<Record<string, string>>, model = 'experiment:chat', more = {}) =>
    world.ask('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }], ...more }, headers)
  const refused = await ask({})
  expect(refused.status).toBe(400)
  expect(await refused.text()).toMatch(
    /names no session: send sessionId \(at the gateway the header x-keywise-session\)/,
  )
  const labelled = await ask({ 'x-keywise-labels': 'experiment=chat' }, 'alpha/m')
  expect([labelled.status, labelled.headers.get('x-keywise-experiment')]).toEqual([200, 'chat@1'])
  expect(labelled.headers.get('x-keywise-experiment-reason')).toBe('no_session')
  const placeOf = async (headers: Readonly<Record<string, string>>) =>
    (await ask(headers)).headers.get('x-keywise-experiment')
  const mine = await Promise.all(Array.from({ length: 12 }, (_, one) => placeOf({ 'x-keywise-session': `s${one}` })))
  const known = await Promise.all(Array.from({ length: 12 }, (_, one) => placeOf({ session_id: `s${one}` })))
  expect(new Set(mine)).toEqual(new Set(['chat@1/now', 'chat@1/new']))
  expect(known).toEqual(mine)
  const authorization = `Bearer ${world.gateway.tokens.add('other', 'inference')}`
  const theirs = await Promise.all(
    Array.from({ length: 12 }, (_, one) => placeOf({ authorization, 'x-keywise-session': `s${one}` })),
  )
  // The same names of sessions of another token are other sessions.
  expect(new Set(theirs)).toEqual(new Set(['chat@1/now', 'chat@1/new']))
  expect(theirs).not.toEqual(mine)
  const row = experimentView(world.gateway.opened.engine, 'chat')
  expect(unitsOf(row)).toBe(24)
  expect(row.ranAsUsual.no_session).toBe(1)
})

describe('an answer of another target', () => {
  const fails = (model: string) => ({ faults: [{ do: 'overloaded', model }] as const })
  const alias = { models: { careful: ['alpha/n', 'alpha/m'] } }
  const race = {
    name: 'race',
    variants: [
      { name: 'now', share: 0.5, model: 'alpha/m' },
      { name: 'new', share: 0.5, model: 'careful' },
    ],
  }

  test('counts for the variant that was asked, and is shown', async () => {
    const scenario = { providers: own('alpha', 1, ['m', 'n'], fails('n')) }
    const lab = await openLab(scenario, { settings: { ...alias, experiments: [race] } })
    let asked = 0
    for (let call = 0; call < 24; call++) {
      const { result } = await lab.call({ prompt: 'hi', experiment: 'race' })
      expect(result?.model).toBe('m')
      if (result?.experiment?.variant === 'new') asked++
    }
    const row = lab.manager.experiment('race')
    expect(row.variants.map(({ name, answered }) => ({ name, ...answered }))).toEqual([
      { name: 'now', ended: 24 - asked, elsewhere: 0 },
      // Also those that went straight on, because the first was parked.
      { name: 'new', ended: asked, elsewhere: asked },
    ])
    expect(row.variants[1]?.metrics['success']).toEqual({ observations: asked, mean: 1 })
  })

  test('is none where the variant allows one provider only: then the request fails', async () => {
    const scenario = { providers: { ...own('alpha', 1, ['m']), ...own('beta', 1, ['m'], fails('m')) } }
    const variants = [
      { name: 'now', share: 0.5, provider: 'alpha' },
      { name: 'new', share: 0.5, provider: 'beta' },
    ]
    const lab = await openLab(scenario, { settings: { experiments: [{ ...race, variants }] } })
    for (let call = 0; call < 8; call++) await lab.call({ prompt: 'hi', experiment: 'race' })
    const row = lab.manager.experiment('race')
    expect(row.variants.map(({ answered }) => answered.elsewhere)).toEqual([0, 0])
    expect(row.variants[1]?.metrics['success']?.mean).toBe(0)
  })

  test('is none where another key of the same model answers', async () => {
    const keys = own('alpha', 2, ['m', 'n'], { faults: [{ do: 'rate_minute', model: 'n', key: 1 }] })
    const lab = await openLab({ providers: keys }, { settings: { ...alias, experiments: [race] } })
    let second = 0
    for (let call = 0; call < 12; call++)
      if ((await lab.call({ prompt: 'hi', experiment: 'race' })).result?.keyIndex === 2) second++
    expect(second).toBeGreaterThan(0)
    expect(lab.manager.experiment('race').variants.map(({ answered }) => answered.elsewhere)).toEqual([0, 0])
  })
})
