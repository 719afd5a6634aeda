import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MoneyStore } from '../../test/support/moneyStore.ts'
import { ask, DAY, HOUR, NOW, row, spent, startProcess } from '../../test/support/moneyWorld.ts'
import type { BudgetHold } from './budget.ts'
import { calendarPeriod } from './period.ts'

/**
 * Simulated processes that reserve, settle, release, fail, are killed and restart in any order. After every step,
 * actual spending plus everything in flight must not exceed the limit, and no cent may be lost or counted twice. What a
 * killed process had in flight counts until one that lives returns it.
 */
type Step =
  | { readonly do: 'reserve'; readonly process: number; readonly amount: number }
  | {
      readonly do: 'end'
      readonly process: number
      readonly hold: number
      readonly share: number
      readonly call: boolean
    }
  | { readonly do: 'tick' | 'kill' | 'close'; readonly process: number }
  | { readonly do: 'wait'; readonly ms: number }

const who = fc.nat(2)
/** Small ones leave something leased between calls. */
const amount = fc.oneof(fc.nat(40), fc.nat(2))
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('reserve' as const), process: who, amount }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('end' as const),
        process: who,
        hold: fc.nat(5),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        call: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('tick' as const, 'kill' as const, 'close' as const), process: who }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(2 * HOUR) }) },
  ),
  { maxLength: 120 },
)

/** The same, with a clock that is also set back, and longer waits. */
const stepsOfAnyClock = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: steps.map((list) => list.slice(0, 8)) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: -30 * HOUR, max: 60 * HOUR }).map((ms): Step[] => [{ do: 'wait', ms }]),
    },
  ),
  { maxLength: 25 },
)

interface Entry {
  readonly at: number
  readonly origin: string
  amount: number
  /** Its process was killed while it was in flight; and what that had set aside was returned. */
  lost: boolean
  returned: boolean
}

class World {
  readonly store = new MoneyStore()
  now = NOW
  readonly #budgets: unknown
  readonly #trackers: ReturnType<typeof startProcess>[] = []
  /** Open holds of each running process. */
  readonly #open: BudgetHold[][] = []
  /** What started when and is in flight or spent: the truth that the budget must bound. */
  readonly truth: Entry[] = []
  readonly #entryOf = new Map<BudgetHold, Entry>()

  readonly #skewMs: number
  readonly #onGrant: (at: number) => void

  /** `skewMs`: how far the clock of each process is ahead of the previous one's. */
  constructor(budgets: unknown, skewMs = 0, { now = NOW, onGrant = (_at: number) => {} } = {}) {
    this.#budgets = budgets
    this.#skewMs = skewMs
    this.#onGrant = onGrant
    this.now = now
    for (let i = 0; i < 3; i++) this.#start(i)
  }

  #start(i: number): void {
    this.#trackers[i] = startProcess(this.store, this.#budgets, { now: this.#clock(i) })
    this.#open[i] = []
  }

  #clock(process: number): number {
    return this.now + process * this.#skewMs
  }

  step(step: Step): void {
    if (step.do === 'wait') this.#wait(step.ms)
    else if (step.do === 'tick') this.#tick(step.process)
    else if (step.do === 'reserve') this.#reserve(step.process, step.amount)
    else if (step.do === 'end') this.#end(step)
    else if (step.do === 'kill') this.#kill(step.process)
    else this.#trackers[step.process]!.close()
  }

  /** Those that live give a sign of it every few seconds. */
  #wait(ms: number): void {
    this.now += ms
    this.#trackers.forEach(({ origin }, i) => {
      this.store.values.set(`budget-beat:${origin}`, this.#clock(i))
    })
  }

  #tick(i: number): void {
    for (const { origin } of this.#trackers[i]!.tick(this.#clock(i), this.store))
      for (const entry of this.truth) if (entry.origin === origin && entry.lost) entry.returned = true
  }

  #reserve(i: number, amount: number): void {
    const hold = this.#trackers[i]!.reserve(ask(amount), this.#clock(i))
    if (!hold.granted) return
    const { origin } = this.#trackers[i]!
    const entry = { at: this.#clock(i), origin, amount, lost: false, returned: false }
    this.truth.push(entry)
    this.#open[i]!.push(hold)
    this.#entryOf.set(hold, entry)
    if (amount > 0) this.#onGrant(entry.at)
  }

  #end({ process: i, hold: index, share, call }: Step & { do: 'end' }): void {
    const open = this.#open[i]!
    const hold = open[index % Math.max(1, open.length)]
    if (hold === undefined) return
    open.splice(open.indexOf(hold), 1)
    const entry = this.#entryOf.get(hold)!
    entry.amount = call ? Math.floor(entry.amount * share) : 0
    if (!call) {
      this.#trackers[i]!.release(hold)
      return
    }
    this.#trackers[i]!.settle(hold, spent(entry.amount))
    const event = this.store.append(row(this.#trackers[i]!.origin, entry.at, entry.amount, { at: entry.at }))
    for (const tracker of this.#trackers) tracker.fold(event)
  }

  #kill(i: number): void {
    for (const hold of this.#open[i]!) this.#entryOf.get(hold)!.lost = true
    this.#start(i)
  }

  settleEverything(): void {
    for (let i = 0; i < 3; i++) {
      while (this.#open[i]!.length > 0) this.#end({ do: 'end', process: i, hold: 0, share: 1, call: true })
      this.#trackers[i]!.close()
    }
  }

  views() {
    return this.#trackers.map((tracker) => tracker.view(this.now)[0]!)
  }

  within(since: number, until = Number.POSITIVE_INFINITY): number {
    const counts = ({ at, returned }: Entry) => at >= since && at < until && !returned
    return this.truth.filter(counts).reduce((sum, { amount }) => sum + amount, 0)
  }

  spentWithin(since: number): number {
    return this.truth.filter(({ at, lost }) => at >= since && !lost).reduce((sum, { amount }) => sum + amount, 0)
  }

  lostWithin(since: number): number {
    return this.within(since) - this.spentWithin(since)
  }
}

describe('over any interleaving of calls, failures, kills and restarts', () => {
  const day = (now: number) => Math.floor(now / DAY) * DAY

  test('a calendar day never holds more than its limit, and every settled cent counts exactly once', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const world = new World([{ scope: 'all', usd: 100e-9, per: 'day' }])
        for (const step of list) {
          world.step(step)
          expect(world.within(day(world.now))).toBeLessThanOrEqual(100)
        }
        world.settleEverything()
        for (const view of world.views()) {
          expect(view.spent).toBe(world.spentWithin(day(world.now)))
          // What remains reserved is what killed processes had in flight, plus at most their unused lease.
          expect(view.reserved).toBeGreaterThanOrEqual(world.lostWithin(day(world.now)))
          expect(view.spent + view.reserved).toBeLessThanOrEqual(100)
        }
      }),
      { numRuns: 150 },
    )
  })

  /** Told apart from the code: the part of the period that is over when the slice ends, of the limit, rounded up. */
  const allowed = ({ start, end }: { start: number; end: number }, sliceEnd: number) =>
    Math.ceil((100 * (sliceEnd - start)) / (end - start))

  for (const { per, timezone, now, sliceMs } of [
    { per: 'hour', timezone: 'UTC', now: NOW, sliceMs: 5 * 60_000 },
    { per: 'day', timezone: 'UTC', now: NOW, sliceMs: HOUR },
    { per: 'day', timezone: 'Europe/Madrid', now: Date.parse('2026-10-24T20:00:00Z'), sliceMs: HOUR },
    { per: 'day', timezone: 'Asia/Kolkata', now: NOW, sliceMs: HOUR },
    { per: 'week', timezone: 'Europe/Madrid', now: Date.parse('2026-10-22T20:00:00Z'), sliceMs: null },
    { per: 'month', timezone: 'Europe/Madrid', now: Date.parse('2026-03-26T20:00:00Z'), sliceMs: null },
  ] as const)
    test(`a paced ${per} in ${timezone} never holds more than its shares so far, whatever the clock`, () => {
      fc.assert(
        fc.property(stepsOfAnyClock, (lists) => {
          const onGrant = (at: number) => {
            const period = calendarPeriod(per, at, timezone)
            const day = calendarPeriod('day', at, timezone)
            const sliceEnd = sliceMs === null ? day.end : at - ((at - period.start) % sliceMs) + sliceMs
            expect(world.within(period.start, period.end)).toBeLessThanOrEqual(allowed(period, sliceEnd))
          }
          const budgets = [{ scope: 'all', usd: 100e-9, per, timezone, pace: true }]
          const world = new World(budgets, 0, { now, onGrant })
          for (const step of lists.flat()) world.step(step)
        }),
        { numRuns: 60 },
      )
    })

  test('a rolling hour never holds more than its limit, even when the clocks of the processes differ by a minute', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const world = new World([{ scope: 'all', usd: 100e-9, per: 'hour', rolling: true }], 60_000)
        for (const step of list) {
          world.step(step)
          expect(world.within(world.now - HOUR)).toBeLessThanOrEqual(100)
        }
      }),
      { numRuns: 60 },
    )
  })
})
