import { describe, expect, test } from 'vitest'
import { MINUTE, NOON, SECOND, targetOf } from '../../../test/support/quotaFixtures.ts'
import type { Target } from '../../domain/target.ts'
import type { NextSlot, WaitResult } from './queue.ts'
import { type Timing, WaitQueue } from './waitQueue.ts'

/** A clock that is moved by hand and calls back in order. */
class HandClock implements Timing {
  #now = NOON
  #timers: { at: number; callback: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  /** Moves on by `ms`; promises settle between any two timers. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#now = Math.max(this.#now, timer.at)
      this.#timers = this.#timers.filter((other) => other !== timer)
      timer.callback()
      for (let turn = 0; turn < 4; turn++) await Promise.resolve()
    }
    this.#now = until
    for (let turn = 0; turn < 4; turn++) await Promise.resolve()
  }

  #next(until: number): { at: number; callback: () => void } | undefined {
    const due = this.#timers.filter((timer) => timer.at <= until)
    return due.sort((one, other) => one.at - other.at)[0]
  }
}

const target = as(targetOf())
const other = as(targetOf({ fingerprint: 'f2' }))

/** Of a target the room reads the account and the model only. */
function as(ref: ReturnType<typeof targetOf>): Target {
  return ref as unknown as Target
}

function setup() {
  const clock = new HandClock()
  const queue = new WaitQueue(clock)
  const left: { name: string | number; at: number; result: WaitResult }[] = []
  const join = (name: string | number, slot: () => NextSlot | null, fields: object = {}) => {
    void queue
      .wait({ soonest: slot, patienceMs: 10 * SECOND, ...fields })
      .then((result) => left.push({ name, at: clock.now() - NOON, result }))
  }
  return { clock, queue, left, join }
}

const failedAt = (retryAt: number | null, who: Target | null): WaitResult => ({ failed: { retryAt, target: who } })

describe('waiting in vain', () => {
  test('is refused at once, with the soonest time and the target', async () => {
    const { clock, left, join, queue } = setup()
    join('late', () => ({ at: NOON + 11 * SECOND, target }))
    join('never', () => null)
    await clock.pass(0)
    expect(left).toEqual([
      { name: 'late', at: 0, result: failedAt(NOON + 11 * SECOND, target) },
      { name: 'never', at: 0, result: failedAt(null, null) },
    ])
    expect([queue.size, clock.pending]).toEqual([0, 0])
  })

  test('is refused at once when earlier requests use up the limit', async () => {
    const { clock, left, join } = setup()
    for (let place = 0; place < 4; place++)
      join(place, () => ({ at: NOON + SECOND, target, limit: 3, windowMs: MINUTE }))
    await clock.pass(0)
    expect(left).toMatchObject([{ name: 3, at: 0 }])
    expect(left[0]?.result).toEqual(failedAt(NOON + SECOND + MINUTE, target))
  })

  test('ends when the slot moves beyond the patience', async () => {
    const { clock, left, join } = setup()
    let at = NOON + 2 * SECOND
    join('one', () => ({ at, target }))
    await clock.pass(500)
    at = NOON + MINUTE
    await clock.pass(1_600)
    expect(left).toMatchObject([{ name: 'one', result: failedAt(NOON + MINUTE, target) }])
    expect(left[0]?.at).toBeLessThanOrEqual(2_000)
  })

  test('ends with the patience when the turn does not come', async () => {
    const { clock, left, join } = setup()
    for (let place = 0; place < 9; place++) join(place, () => ({ at: NOON + 9 * SECOND, target }))
    await clock.pass(20 * SECOND)
    expect(left).toHaveLength(9)
    expect(Math.max(...left.map(({ at }) => at))).toBe(10 * SECOND)
    expect(clock.pending).toBe(0)
  })
})

describe('being released', () => {
  test('happens when the slot comes, first come first served', async () => {
    const { clock, left, join } = setup()
    for (const name of ['first', 'second', 'third'])
      join(name, () => ({ at: NOON + 4 * SECOND, target, limit: 10, windowMs: SECOND }))
    await clock.pass(3_999)
    expect(left).toEqual([])
    await clock.pass(2_000)
    expect(left.map(({ name }) => name)).toEqual(['first', 'second', 'third'])
    expect(left.every(({ result }) => result === 'try')).toBe(true)
  })

  test('keeps the place of a request released in vain', async () => {
    const { clock, left, join } = setup()
    const slot = () => ({ at: NOON + 4 * SECOND, target, limit: 10, windowMs: SECOND })
    join('new', slot)
    join('old', slot, { arrivedAt: NOON - 5 * SECOND })
    await clock.pass(6 * SECOND)
    expect(left.map(({ name }) => name)).toEqual(['old', 'new'])
  })

  test('is spread over a tenth of the window and never exceeds the limit: 1,000 waiters, 30 per minute', async () => {
    const { clock, left, join } = setup()
    for (let place = 0; place < 1_000; place++)
      join(place, () => ({ at: NOON + SECOND, target, limit: 30, windowMs: MINUTE }))
    await clock.pass(10 * SECOND)
    const gone = left.filter(({ result }) => result === 'try')
    expect(gone.map(({ name }) => name)).toEqual(Array.from({ length: 30 }, (_, place) => place))
    expect(gone.at(-1)!.at - gone[0]!.at).toBeGreaterThanOrEqual(5_500)
    for (let from = 0; from < 10_000; from += 100)
      expect(gone.filter(({ at }) => at >= from && at < from + 100).length).toBeLessThanOrEqual(1)
    expect(left).toHaveLength(1_000)
  })

  test('sends one request ahead where the limit is unknown, and the others when it succeeded', async () => {
    const { clock, left, join, queue } = setup()
    for (let place = 0; place < 5; place++) join(place, () => ({ at: NOON + SECOND, target }))
    await clock.pass(2_500)
    expect(left.map(({ name }) => name)).toEqual([0])
    queue.changed()
    await clock.pass(500)
    expect(left.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4])
    expect(new Set(left.map(({ at }) => at)).size).toBe(5)
  })

  test('holds the others back when the first was refused', async () => {
    const { clock, left, join, queue } = setup()
    let at = NOON + SECOND
    for (let place = 0; place < 3; place++) join(place, () => ({ at, target }))
    await clock.pass(1_500)
    at = NOON + 8 * SECOND
    queue.changed()
    await clock.pass(6_000)
    expect(left.map(({ name }) => name)).toEqual([0])
    await clock.pass(600)
    expect(left.map(({ name }) => name)).toEqual([0, 1])
  })

  test('does not wait for a timer when something became free', async () => {
    const { clock, left, join, queue } = setup()
    let at = NOON + 9 * SECOND
    join('one', () => ({ at, target }))
    await clock.pass(100)
    at = clock.now()
    queue.changed()
    await clock.pass(0)
    expect(left).toEqual([{ name: 'one', at: 100, result: 'try' }])
  })

  test('does not delay requests that wait for another target', async () => {
    const { clock, left, join } = setup()
    join('slow', () => ({ at: NOON + 8 * SECOND, target }))
    join('quick', () => ({ at: NOON + SECOND, target: other }))
    await clock.pass(SECOND)
    expect(left.map(({ name }) => name)).toEqual(['quick'])
  })

  test('follows a slot that moves to another target', async () => {
    const { clock, left, join } = setup()
    let slot: NextSlot = { at: NOON + 9 * SECOND, target }
    join('one', () => slot)
    await clock.pass(SECOND)
    slot = { at: NOON + 2 * SECOND, target: other }
    await clock.pass(2 * SECOND)
    expect(left).toMatchObject([{ name: 'one', result: 'try' }])
  })

  test('follows at once a slot that moves to a target whose requests were served before', async () => {
    const { clock, left, join } = setup()
    const free = { at: NOON + 2_200, target: other, limit: 10, windowMs: SECOND }
    join('before', () => free)
    let slot: NextSlot = { ...free, target }
    join('one', () => slot)
    await clock.pass(2_100)
    slot = free
    await clock.pass(200)
    expect(left).toMatchObject([
      { name: 'before', at: 2_200, result: 'try' },
      { name: 'one', result: 'try' },
    ])
  })

  test('happens at the end of the patience at the latest where there is room', async () => {
    const { clock, left, join } = setup()
    for (let place = 0; place < 3; place++) join(place, () => ({ at: NOON + 9 * SECOND, target }))
    await clock.pass(10 * SECOND)
    expect(left.map(({ result }) => result)).toEqual(['try', 'try', 'try'])
  })
})

test('a caller that gives up leaves at once, and its place is taken', async () => {
  const { clock, left, join, queue } = setup()
  const controller = new AbortController()
  join('gone', () => ({ at: NOON + 4 * SECOND, target }), { signal: controller.signal })
  join('next', () => ({ at: NOON + 4 * SECOND, target }))
  await clock.pass(SECOND)
  controller.abort()
  await clock.pass(0)
  await clock.pass(3 * SECOND)
  expect(left).toMatchObject([
    { name: 'gone', at: 1_000, result: 'aborted' },
    { name: 'next', at: 4_000, result: 'try' },
  ])
  join('dead', () => ({ at: NOON + 4 * SECOND, target }), { signal: controller.signal })
  await clock.pass(0)
  expect(left.at(-1)).toMatchObject({ name: 'dead', result: 'aborted' })
  expect([queue.size, clock.pending]).toEqual([0, 0])
})

test('closing refuses all waiters and leaves no timer', async () => {
  const { clock, left, join, queue } = setup()
  for (const name of ['a', 'b']) join(name, () => ({ at: NOON + 5 * SECOND, target }))
  await clock.pass(SECOND)
  queue.close()
  await clock.pass(0)
  expect(left.map(({ result }) => result)).toEqual([
    failedAt(NOON + 5 * SECOND, target),
    failedAt(NOON + 5 * SECOND, target),
  ])
  expect(clock.pending).toBe(0)
})

test('a limit of parallel calls lets through what it has room for without spacing', async () => {
  const { clock, left, join } = setup()
  let room = 0
  const slot = () => ({ at: room > 0 ? clock.now() : clock.now() + 250, target, limit: 16, windowMs: 0 })
  for (let place = 0; place < 20; place++) join(place, slot)
  await clock.pass(1_000)
  expect(left).toEqual([])
  room = 20
  await clock.pass(300)
  expect(left.length).toBe(20)
})
