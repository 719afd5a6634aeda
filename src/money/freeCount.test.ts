import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MoneyStore } from '../../test/support/moneyStore.ts'
import { ask, DAY, HOUR, NOW, row, startProcess } from '../../test/support/moneyWorld.ts'
import type { LedgerGroup } from '../domain/store.ts'
import type { BudgetHold } from './budget.ts'
import { FreeCounts, type FreeHold } from './freeCount.ts'
import type { FreeQuota } from './freeQuota.ts'

const LIMIT = 100
const quota: FreeQuota = {
  unit: 'tokens',
  limit: LIMIT,
  per: 'day',
  timeZone: 'UTC',
  models: ['m*'],
  provider: 'groq',
  account: 'groq@f1',
}

/** Lets another process act before any single step on the shared counters. */
class SharedStore extends MoneyStore {
  before: () => void = () => {}

  override addToCounter(...given: Parameters<MoneyStore['addToCounter']>) {
    this.before()
    return super.addToCounter(...given)
  }

  override counter(name: string): number {
    this.before()
    return super.counter(name)
  }

  override sums(filter: Parameters<MoneyStore['sums']>[0], by: readonly LedgerGroup[]) {
    const sums = super.sums(filter, ['account'])
    return sums.map((sum) => ({ ...sum, group: [...sum.group, 'm'].slice(0, by.length) }))
  }
}

const start = (store: MoneyStore, trouble: string | null = null) =>
  new FreeCounts({ counters: store, ledger: store, trouble: () => trouble })
const exactly = (amount: number) => ({ least: amount, most: amount })
const nothing = exactly(0)

describe('of a free quota', () => {
  test('what fits is free, what does not is paid, and in between both', () => {
    const counts = start(new MoneyStore())
    const one = (amount: number) => counts.settle(counts.begin(quota, 60, NOW), exactly(amount), NOW)
    expect([one(60), one(30), one(30), one(30)]).toEqual([exactly(60), exactly(30), exactly(10), nothing])
  })

  test('nobody knows what was free of two attempts at the same time', () => {
    const counts = start(new MoneyStore())
    const [one, other] = [counts.begin(quota, 60, NOW), counts.begin(quota, 60, NOW)]
    expect(counts.settle(one, exactly(60), NOW)).toEqual({ least: 40, most: 60 })
    expect(counts.settle(other, exactly(60), NOW)).toEqual({ least: 40, most: 60 })
    expect(counts.settle(counts.begin(quota, 60, NOW), exactly(60), NOW)).toEqual(nothing)
  })

  test('an attempt that left room for all of them is free whatever the others use', () => {
    const counts = start(new MoneyStore())
    const [one] = [counts.begin(quota, 40, NOW), counts.begin(quota, 60, NOW)]
    expect(counts.settle(one, exactly(40), NOW)).toEqual(exactly(40))
  })

  test('a killed process may have used what its calls could, until the period ends', () => {
    const store = new MoneyStore()
    start(store).begin(quota, 60, NOW)
    const counts = start(store)
    const one = (now: number) => counts.settle(counts.begin(quota, 60, now), exactly(60), now)
    expect(one(NOW)).toEqual({ least: 40, most: 60 })
    expect(one(NOW)).toEqual({ least: 0, most: 40 })
    expect(one(NOW)).toEqual(nothing)
    // A call of yesterday may have ended today.
    expect(one(NOW + DAY)).toEqual({ least: 40, most: 60 })
    expect(one(NOW + 2 * DAY)).toEqual(exactly(60))
  })

  test('an attempt over midnight may belong to either day', () => {
    const counts = start(new MoneyStore())
    const midnight = Math.ceil(NOW / DAY) * DAY
    const hold = counts.begin(quota, 60, midnight - 1)
    expect(counts.settle(hold, exactly(60), midnight + 1)).toEqual({ least: 0, most: 60 })
    const next = counts.begin(quota, 60, midnight + 2)
    expect(counts.settle(next, exactly(60), midnight + 3)).toEqual({ least: 40, most: 60 })
  })

  test('days begin where the contract says', () => {
    const counts = start(new MoneyStore())
    const tokyo = { ...quota, timeZone: 'Asia/Tokyo' }
    const used = (at: string) => {
      const now = Date.parse(at)
      return counts.settle(counts.begin(tokyo, 100, now), exactly(100), now)
    }
    expect(used('2026-11-23T14:59:59Z')).toEqual(exactly(100))
    expect(used('2026-11-23T14:59:59Z')).toEqual(nothing)
    expect(used('2026-11-23T15:00:00Z')).toEqual(exactly(100))
  })

  test('what the ledger has of the period counts when the quota is new, and each row once', () => {
    const store = new SharedStore()
    store.append(row('p', NOW - HOUR, 5))
    store.append(row('p', NOW - HOUR, 6))
    store.append(row('p', NOW - 2 * DAY, 5))
    const [one, other] = [start(store), start(store)]
    expect([one.use(quota, NOW), other.use(quota, NOW)]).toMatchObject([
      { used: 60, held: 0 },
      { used: 60, held: 0 },
    ])
    // A configuration without it let a call through.
    store.append(row('p', NOW, 7))
    expect(start(store).use(quota, NOW)).toMatchObject({ used: 60, held: 30 })
    expect(start(store).use(quota, NOW)).toMatchObject({ used: 60, held: 30 })
  })

  test('nothing is known while others cannot be seen', () => {
    const blind = start(new MoneyStore(), 'disk full')
    expect(blind.settle(blind.begin(quota, 60, NOW), exactly(60), NOW)).toEqual({ least: 0, most: 60 })
    const store = new MoneyStore()
    store.failsAfter = 0
    const failing = start(store)
    expect(failing.settle(failing.begin(quota, 60, NOW), exactly(60), NOW)).toEqual({ least: 0, most: 60 })
  })

  test('counters of periods long past are deleted', () => {
    const store = new MoneyStore()
    const counts = start(store)
    for (let day = 0; day < 5; day++)
      counts.settle(counts.begin(quota, 9, NOW + day * DAY), exactly(1), NOW + day * DAY)
    expect(new Set([...store.values.keys()].map((name) => name.split(':')[2])).size).toBe(2)
  })
})

for (let at = 0; at < 8; at++)
  test(`two attempts are not both known to be free when one ends before step ${at} of the other's end`, () => {
    const store = new SharedStore()
    const [one, other] = [start(store), start(store)]
    const [hold, others] = [one.begin(quota, 60, NOW), other.begin(quota, 60, NOW)]
    let steps = 0
    let second = { least: 0, most: 0 }
    const end = () => {
      store.before = () => {}
      second = other.settle(others, exactly(60), NOW)
    }
    store.before = () => {
      if (steps++ === at) end()
    }
    const first = one.settle(hold, exactly(60), NOW)
    if (steps <= at) end()
    // The provider may have counted either of them first.
    for (const { least, most } of [first, second]) {
      expect(least).toBeLessThanOrEqual(40)
      expect(most).toBe(60)
    }
  })

type Step =
  | { readonly do: 'begin'; readonly process: number; readonly most: number; readonly percent: number }
  | { readonly do: 'count' | 'end'; readonly attempt: number }
  | { readonly do: 'kill'; readonly process: number }
  | { readonly do: 'wait'; readonly ms: number }

interface Attempt {
  /** Negative once its process was killed. */
  readonly process: number
  readonly hold: FreeHold
  /** The hard budget's part: a token beyond the quota costs a nano-dollar. */
  readonly budget: BudgetHold
  readonly amount: number
  readonly startedAt: number
  /** How much the provider gave for nothing; null before it has counted. */
  free: number | null
  ended: boolean
}

/** Processes on one store, and the provider, which counts each attempt at any moment while it runs. */
class World {
  readonly store = new SharedStore()
  readonly #processes: { readonly counts: FreeCounts; readonly budgets: ReturnType<typeof startProcess> }[]
  readonly #attempts: Attempt[] = []
  readonly #counted = new Map<number, number>()
  /** A process does one thing at a time. */
  readonly #busy = new Set<number>()
  readonly #nested: Step[]
  #now = NOW
  #turn = 0
  billed = 0

  readonly #limit: number

  /** `nested`: what others do in the middle of a step; `limit`: of the hard budget, in nano-USD. */
  constructor(nested: readonly Step[], limit: number) {
    this.#nested = [...nested]
    this.#limit = limit
    this.#processes = [0, 1, 2].map(() => this.#start())
    this.store.before = () => {
      if (this.#busy.size === 0 || this.#turn++ % 3 !== 0) return
      const step = this.#nested.shift()
      if (step !== undefined && step.do !== 'wait') this.take(step)
    }
  }

  take(step: Step): void {
    if (step.do === 'wait') this.#wait(step.ms)
    else if (step.do === 'begin') this.#as(step.process, () => this.#begin(step))
    else if (step.do === 'kill') this.#as(step.process, () => this.#kill(step.process))
    else this.#goOn(step)
  }

  endAll(): void {
    for (let left = this.#attempts.length; left > 0; left--) this.take({ do: 'end', attempt: 0 })
  }

  /** No call lasts for more than an hour. */
  #wait(ms: number): void {
    for (const attempt of this.#attempts) {
      if (attempt.ended || this.#now + ms <= attempt.startedAt + HOUR) continue
      this.#count(attempt)
      if (attempt.process < 0) attempt.ended = true
      else this.#end(attempt)
    }
    this.#now += ms
  }

  #start() {
    const budgets = startProcess(this.store, [{ scope: 'all', usd: this.#limit / 1e9, per: 'total' }])
    return { counts: start(this.store), budgets }
  }

  #as(process: number, act: () => void): void {
    if (this.#busy.has(process)) return
    this.#busy.add(process)
    act()
    this.#busy.delete(process)
  }

  #begin({ process, most, percent }: Step & { do: 'begin' }): void {
    const { counts, budgets } = this.#processes[process]!
    const budget = budgets.reserve(ask(most), this.#now)
    if (!budget.granted) return
    const hold = counts.begin(quota, most, this.#now)
    const amount = Math.floor((most * percent) / 100)
    this.#attempts.push({ process, hold, budget, amount, startedAt: this.#now, free: null, ended: false })
  }

  #goOn(step: Step & { do: 'count' | 'end' }): void {
    const open = this.#attempts.filter(({ ended }) => !ended)
    const attempt = open[step.attempt % Math.max(1, open.length)]
    if (attempt === undefined) return
    this.#count(attempt)
    if (step.do === 'count') return
    if (attempt.process < 0) attempt.ended = true
    else this.#as(attempt.process, () => this.#end(attempt))
  }

  #end(attempt: Attempt): void {
    attempt.ended = true
    const { counts, budgets } = this.#processes[attempt.process]!
    const { hold, budget, amount } = attempt
    const { least, most } = counts.settle(hold, exactly(amount), this.#now)
    expect(least).toBeLessThanOrEqual(attempt.free!)
    expect(most).toBeGreaterThanOrEqual(attempt.free!)
    const range = { atLeast: amount - most, atMost: amount - least }
    budgets.settle(budget, { nanoUsd: least === most ? range.atMost : null, range, tokens: amount })
  }

  #count(attempt: Attempt): void {
    if (attempt.free !== null) return
    const day = Math.floor(this.#now / DAY)
    const counted = this.#counted.get(day) ?? 0
    attempt.free = Math.max(0, Math.min(attempt.amount, LIMIT - counted))
    this.#counted.set(day, counted + attempt.amount)
    this.billed += attempt.amount - attempt.free
    expect(this.billed).toBeLessThanOrEqual(this.#limit)
  }

  /** Its calls go on at the provider, and nobody settles them. */
  #kill(process: number): void {
    for (const [index, attempt] of this.#attempts.entries())
      if (attempt.process === process && !attempt.ended) this.#attempts[index] = { ...attempt, process: -1 }
    this.#processes[process] = this.#start()
  }
}

const who = fc.nat(2)
/** Often within an hour of midnight, which is twelve hours away. */
const waits = fc.constantFrom(10 * 60_000, 50 * 60_000, 11 * HOUR + 30 * 60_000, 12 * HOUR)
/** A call in which at most `longest` tokens are used; `kills`: how often a process dies. */
const stepsOf = (longest: number, kills: number): fc.Arbitrary<Step[]> => {
  const begin = fc.record({
    do: fc.constant('begin' as const),
    process: who,
    most: fc.noBias(fc.integer({ min: 1, max: longest })),
    percent: fc.noBias(fc.integer({ min: 50, max: 100 })),
  })
  const goOn = fc.record({
    do: fc.constantFrom('count' as const, 'end' as const, 'end' as const),
    attempt: fc.noBias(fc.nat(60)),
  })
  const step = fc.oneof(
    { weight: 8, arbitrary: begin },
    { weight: 8, arbitrary: goOn },
    { weight: kills, arbitrary: fc.record({ do: fc.constant('kill' as const), process: who }) },
    { weight: kills, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: waits }) },
  )
  return fc.array(step, { minLength: 60, maxLength: 120, size: 'max' })
}

function play(steps: readonly Step[], nested: readonly Step[], limit: number): World {
  const world = new World(nested, limit)
  for (const one of steps) world.take(one)
  world.endAll()
  return world
}

describe('over any interleaving of calls, in the middle of a step as well,', () => {
  test('and of kills, what is told is true of every attempt', () => {
    const property = fc.property(stepsOf(60, 1), stepsOf(60, 1), (steps, nested) => void play(steps, nested, 1e9))
    fc.assert(property, { numRuns: 100, endOnFailure: true })
  })

  test('a hard budget holds, whichever attempts were free', () => {
    let reached = 0
    const property = fc.property(stepsOf(20, 0), stepsOf(20, 0), (steps, nested) => {
      reached = Math.max(reached, play(steps, nested, 60).billed)
    })
    fc.assert(property, { numRuns: 100, endOnFailure: true })
    expect(reached).toBeGreaterThan(40)
  })
})
