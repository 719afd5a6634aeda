import { describe, expect, test } from 'vitest'
import { makeSuccess } from '../../test/support/makeEvents.ts'
import { openTestEngine } from '../../test/support/openTestEngine.ts'
import type { Store } from '../domain/store.ts'
import type { Engine } from '../engine/engine.ts'
import { alertText } from '../observe/alerts/alert.ts'
import type { BudgetNews } from '../observe/events.ts'
import { createMemoryStore } from '../store/memory.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Midnight of a Tuesday. */
const MIDNIGHT = Date.parse('2026-11-24T00:00:00Z')
const KEY = `gsk_${'x'.repeat(20)}`

/** Processes on one store, with the alerts they told and the events their listeners got. */
class World {
  now = MIDNIGHT
  readonly store: Store = createMemoryStore()
  readonly news: BudgetNews[] = []
  readonly #budgets: readonly object[]
  readonly #engines: Engine[]

  constructor(budget: object, processes = 1) {
    this.#budgets = [{ scope: 'all', usd: 24, per: 'day', ...budget }]
    this.#engines = Array.from({ length: processes }, () => this.open())
  }

  open(): Engine {
    const config = { groq: { api_key: KEY, models: ['a'] }, settings: { budgets: this.#budgets } }
    const engine = openTestEngine({ config, store: this.store, now: () => this.now })
    engine.events.on('budget', (news) => this.news.push(news))
    return engine
  }

  /** Hours that pass, each with so many calls of so many cents, spread evenly. */
  pass(hours: number, calls: number, cents: number): void {
    for (let hour = 0; hour < hours; hour++)
      for (let minute = 0; minute < 60; minute++) {
        if (calls > 0 && minute % Math.ceil(60 / calls) === 0) this.call(cents)
        this.now += 60_000
        this.tick()
      }
  }

  call(cents: number): void {
    for (const engine of this.#engines) {
      const event = makeSuccess(engine.registry.targets[0]!, this.now, {
        ...{ origin: 'elsewhere', id: `e${this.now}-${this.store.lastSeq()}`, startedAt: this.now },
        costNanoUsd: cents * 1e7,
      })
      // One of them appends it, all of them fold it.
      if (engine === this.#engines[0]) engine.learned.record(event)
      else engine.learned.budgets.fold(event)
    }
  }

  tick(): void {
    for (const engine of this.#engines) engine.monitor.tick()
  }

  /** The text of every alert about a forecast, oldest first. */
  get texts(): readonly string[] {
    const views = this.#engines[0]!.monitor.alerts.list()
    return views
      .map(({ incident }) => incident.alert)
      .filter(({ what }) => what.includes('will be spent'))
      .map(alertText)
  }

  get forecasts(): readonly BudgetNews[] {
    return this.news.filter(({ forecast }) => forecast !== null)
  }
}

describe('a budget that will be spent before its period ends', () => {
  test('is told once, with when, how fast, and what to do', () => {
    const world = new World({})
    world.pass(2, 4, 50)
    expect(world.texts).toEqual([])
    world.pass(1, 4, 50)
    expect(world.texts).toEqual([
      [
        '💰 Budget all will be spent at 10:52 UTC, before its day ends (00:00 UTC)',
        'Since: 02:16 UTC',
        'Why: $2.21 an hour in the last 24 hours; $5.00 of $24.00 spent, about $52.94 by the end of the day at this pace',
        'Still works: everything until then; after it no call of this scope is made',
        'Expected back: next reset 00:00 UTC',
        'To do: spend less, raise the budget in the configuration, spread it with "pace": true; "keywise budget" shows what was spent on what',
      ].join('\n'),
    ])
    world.pass(3, 4, 50)
    expect(world.texts).toHaveLength(1)
    expect(world.forecasts).toEqual([
      {
        ...{ scope: 'all', per: 'day', unit: 'usd', share: 0.21, spentUsd: 5, limitUsd: 24 },
        ...{ spent: 5e9, limit: 24e9, resetsAt: '2026-11-25T00:00:00.000Z' },
        forecast: expect.objectContaining({
          perHourUsd: expect.any(Number),
          spentAt: expect.stringMatching(/^2026-11-24T10:52/),
        }),
      },
    ])
  })

  for (const { name, budget, pass, told } of [
    {
      name: 'a first call, however dear',
      budget: {},
      pass: (world: World) => {
        world.call(2000)
        world.pass(5, 0, 0)
      },
      told: false,
    },
    {
      name: 'a burst of calls',
      budget: {},
      pass: (world: World) => {
        for (let call = 0; call < 30; call++) world.call(40)
        world.pass(8, 0, 0)
      },
      told: false,
    },
    { name: 'few calls, however dear', budget: {}, pass: (world: World) => world.pass(7, 1, 200), told: false },
    { name: 'what lasts', budget: {}, pass: (world: World) => world.pass(23, 4, 24), told: false },
    { name: 'a soft budget', budget: { hard: false }, pass: (world: World) => world.pass(4, 6, 50), told: true },
    { name: 'a month', budget: { per: 'month' }, pass: (world: World) => world.pass(4, 4, 5), told: true },
    {
      name: 'a rolling week',
      budget: { per: 'week', rolling: true },
      pass: (world: World) => world.pass(4, 4, 5),
      told: true,
    },
    { name: 'a paced hard budget', budget: { pace: true }, pass: (world: World) => world.pass(4, 6, 50), told: false },
    {
      name: 'a paced soft budget',
      budget: { pace: true, hard: false },
      pass: (world: World) => world.pass(4, 6, 50),
      told: true,
    },
    { name: 'a budget in total', budget: { per: 'total' }, pass: (world: World) => world.pass(5, 6, 50), told: false },
    { name: 'an hour', budget: { per: 'hour', usd: 3 }, pass: (world: World) => world.pass(4, 6, 49), told: false },
    {
      name: 'requests',
      budget: { usd: undefined, requests: 40 },
      pass: (world: World) => world.pass(4, 6, 0),
      told: true,
    },
  ])
    test(`${told ? 'is' : 'is not'} told of ${name}`, () => {
      const world = new World(budget)
      pass(world)
      expect(world.texts.length).toBe(told ? 1 : 0)
      expect(world.forecasts.length).toBe(told ? 1 : 0)
    })

  test('is told in each period anew', () => {
    const world = new World({})
    world.pass(4, 4, 50)
    world.pass(20, 0, 0)
    expect(world.forecasts).toHaveLength(1)
    world.pass(10, 6, 50)
    expect(world.forecasts).toHaveLength(2)
  })

  test('is told again only when it was good for hours in between', () => {
    // Three days of a week are enough for both.
    const world = new World({ per: 'week', usd: 100 })
    world.pass(4, 6, 20)
    expect(world.forecasts).toHaveLength(1)
    // Worse and better around the limit changes nothing.
    for (let round = 0; round < 5; round++) {
      world.pass(2, 6, 1)
      world.pass(1, 6, 30)
    }
    expect(world.forecasts).toHaveLength(1)
    world.pass(26, 6, 1)
    world.pass(20, 6, 40)
    expect(world.forecasts).toHaveLength(2)
  })

  test('is told once over all processes, and to the listeners of each; one that starts later says nothing', () => {
    const world = new World({}, 2)
    world.pass(4, 4, 50)
    expect(world.texts).toHaveLength(1)
    expect(world.forecasts).toHaveLength(2)
    const late = world.open()
    world.now += 60_000
    late.monitor.tick()
    expect(world.texts).toHaveLength(1)
    expect(world.forecasts).toHaveLength(2)
  })

  test('says how a rolling budget, requests and a paced one are told', () => {
    const rolling = new World({ per: 'week', rolling: true })
    rolling.pass(3, 4, 5)
    expect(rolling.texts[0]).toContain('Budget all will be spent at 2026-11-28 12:48 UTC')
    expect(rolling.texts[0]).toContain(', in the rolling week\n')
    expect(rolling.texts[0]).toMatch(/ spent, about \$\d+\.\d\d in a week at this pace\n/)
    expect(rolling.texts[0]).not.toContain('"pace"')
    expect(rolling.texts[0]).not.toContain('Expected back')
    const requests = new World({ usd: undefined, requests: 100, hard: false, pace: true })
    requests.pass(3, 6, 0)
    expect(requests.texts[0]).toMatch(
      /Why: 6\.\d requests an hour in the last 24 hours; 13 requests of 100 requests spent/,
    )
    expect(requests.texts[0]).toContain('Still works: everything, also after it\n')
    expect(requests.texts[0]).not.toContain('"pace"')
  })
})

test('thresholds are told as before, without a forecast', () => {
  const world = new World({})
  for (let call = 0; call < 12; call++) world.call(100)
  expect(world.news).toMatchObject([{ share: 0.5, forecast: null }])
  expect(world.now).toBeLessThan(MIDNIGHT + DAY)
})
