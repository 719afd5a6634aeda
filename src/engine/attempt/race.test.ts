import { describe, expect, test } from 'vitest'
import { bareFailure } from '../../../test/support/bareFailure.ts'
import { makeTarget } from '../../../test/support/makeEvents.ts'
import type { Failure } from '../../domain/failure.ts'
import type { CallEnd } from '../../upstream/call.ts'
import type { Expirable } from '../../upstream/deadlines.ts'
import { Race } from './race.ts'
import type { RunningAttempt } from './runningAttempt.ts'
import { Trail } from './trail.ts'

const NEVER = Number.POSITIVE_INFINITY
const RESPONSE = { model: 'm', content: [{ type: 'text', text: 'Hi' }], finishReason: 'stop' } as const

/** A call that does what the test says. */
class ScriptedCall {
  readonly first: Promise<void>
  deadlineAt = NEVER
  hasBegun = false
  ended: CallEnd | null = null
  #begun: () => void = () => {}

  constructor() {
    this.first = new Promise((resolve) => {
      this.#begun = resolve
    })
  }

  begin(): void {
    this.hasBegun = true
    this.#begun()
  }

  end(failure: Failure | null): void {
    if (this.ended !== null) return
    this.ended = {
      outcome: failure === null ? { ok: true, response: RESPONSE } : { ok: false, failure },
      usage: null,
      limits: [],
      status: null,
      latencyMs: 1,
      firstTokenMs: null,
      hadContent: this.hasBegun,
      raw: null,
      partial: null,
    }
    this.begin()
  }

  abort(failure: Failure): void {
    this.end(failure)
  }
}

/** A race whose time moves by hand. */
function raceUntil(deadlineAt: number) {
  let now = 0
  const watched = new Set<Expirable>()
  const deadlines = {
    watch: (one: Expirable) => void watched.add(one),
    unwatch: (one: Expirable) => void watched.delete(one),
  }
  const trail = new Trail({ maxAttempts: 5, hardCap: false, prefers: null, needs: { abilities: [] } })
  // Of the deadlines only these two are used.
  const tools = { deadlines, monotonic: () => now } as unknown as ConstructorParameters<typeof Race>[0]
  const race = new Race(tools, { deadlineAt }, trail)
  let count = 0
  const enter = (hedgeAfterMs = NEVER, reason = race.reason) => {
    const call = new ScriptedCall()
    const target = makeTarget({ provider: `p${++count}` })
    const attempt = { target, call } as unknown as RunningAttempt // what a race looks at
    race.enter(attempt, reason ?? 'idle', { hedgeAfterMs })
    return { call, attempt, target }
  }
  const pass = (ms: number) => {
    now += ms
    for (const one of watched) if (one.deadlineAt <= now) one.expire()
  }
  return { race, trail, watched, enter, pass }
}

/** Whether it is settled once everything that can happen has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  void promise.then(() => {
    settled = true
  })
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  return settled
}

describe('a race with one runner', () => {
  test('wants a target while nothing runs, and none while it has its time', () => {
    const { race, enter } = raceUntil(10_000)
    expect([race.isEmpty, race.reason]).toEqual([true, 'idle'])
    enter()
    expect([race.isEmpty, race.reason]).toEqual([false, null])
  })

  test('hands it out at its first content, whose time is then no longer watched', async () => {
    const { race, enter, watched } = raceUntil(10_000)
    const { call, attempt } = enter()
    const next = race.next()
    expect(watched.size).toBe(1)
    call.begin()
    expect(await next).toBe(attempt)
    expect([race.isEmpty, watched.size]).toEqual([true, 0])
  })

  test('watches nothing when its own time is over before half of the deadline', async () => {
    const { race, enter, watched } = raceUntil(10_000)
    const { call, attempt } = enter()
    call.deadlineAt = 5000
    const next = race.next()
    expect(watched.size).toBe(0)
    call.end(bareFailure('timeout'))
    expect(await next).toBe(attempt)
  })

  test('wants another at half of what is left, and counts the silent one then', async () => {
    const { race, enter, pass, trail, watched } = raceUntil(10_000)
    const { target } = enter()
    const next = race.next()
    pass(4999)
    expect(await isSettled(next)).toBe(false)
    pass(1)
    expect(await next).toBeNull()
    expect([race.reason, watched.size, trail.calls]).toEqual(['late', 0, 1])
    expect(trail.excludes(target)).toBe('being asked by this request')
  })

  test('looks for another at half of what is left, again and again while none is found', async () => {
    const { race, enter, pass } = raceUntil(10_000)
    const { call, attempt } = enter()
    const waits: number[] = []
    for (let left = 5000; left >= 50; left /= 2) {
      const next = race.next()
      pass(left)
      expect(await next).toBeNull()
      expect(race.reason).toBe('late')
      race.foundNone('late')
      expect(race.reason).toBeNull()
      waits.push(left)
    }
    expect(waits).toHaveLength(7)
    const last = race.next()
    pass(1000)
    expect(await isSettled(last)).toBe(false)
    call.begin()
    expect(await last).toBe(attempt)
  })

  test('has no half of a deadline that is too near, or of none', async () => {
    for (const deadlineAt of [90, NEVER]) {
      const { race, enter, pass } = raceUntil(deadlineAt)
      enter()
      const next = race.next()
      pass(80)
      expect(await isSettled(next)).toBe(false)
      expect(race.reason).toBeNull()
    }
  })
})

describe('a race with several runners', () => {
  async function two() {
    const made = raceUntil(10_000)
    const first = made.enter()
    const silent = made.race.next()
    made.pass(5000)
    await silent
    const second = made.enter()
    return { ...made, first, second }
  }

  test('gives each its half', async () => {
    const { race, pass, trail } = await two()
    expect([race.reason, trail.calls]).toEqual([null, 2])
    const next = race.next()
    pass(2499)
    expect(await isSettled(next)).toBe(false)
    pass(1)
    expect(await next).toBeNull()
    expect(race.reason).toBe('late')
  })

  test('is won by the first content; the others end as slower', async () => {
    const { race, first, second } = await two()
    const next = race.next()
    second.call.begin()
    expect(await next).toBe(second.attempt)
    const [beaten, ...more] = race.end()
    expect(more).toEqual([])
    expect(beaten).toMatchObject({ attempt: first.attempt, failure: { kind: 'slower' } })
    expect(first.call.ended?.outcome).toMatchObject({ ok: false, failure: { kind: 'slower' } })
    expect(race.isEmpty).toBe(true)
    expect(race.end()).toEqual([])
  })

  test('prefers content to a failure of the same moment, which keeps its own kind', async () => {
    const { race, first, second } = await two()
    const next = race.next()
    first.call.end(bareFailure('server'))
    second.call.begin()
    expect(await next).toBe(second.attempt)
    expect(race.end()).toMatchObject([{ attempt: first.attempt, failure: { kind: 'server' } }])
  })

  test('of two answers of the same moment keeps what the other one reported', async () => {
    const { race, first, second } = await two()
    const next = race.next()
    first.call.end(null)
    second.call.end(null)
    expect(await next).toBe(first.attempt)
    expect(race.end()).toMatchObject([
      { attempt: second.attempt, end: { latencyMs: 1, outcome: { ok: false, failure: { kind: 'slower' } } } },
    ])
  })

  test('wants the next at once when one fails beside one that had its half', async () => {
    const { race, second } = await two()
    const next = race.next()
    second.call.end(bareFailure('server'))
    expect(await next).toBe(second.attempt)
    expect(race.reason).toBe('late')
  })

  test('wants none when the older one fails and the other has its time', async () => {
    const { race, first } = await two()
    first.call.end(bareFailure('server'))
    expect(await race.next()).toBe(first.attempt)
    expect([race.reason, race.isEmpty]).toEqual([null, false])
  })

  test('wants none while something waits to be handed out', async () => {
    const { race, first, second } = await two()
    first.call.end(bareFailure('server'))
    second.call.begin()
    expect(race.reason).toBeNull()
  })
})

describe('a hedge', () => {
  test('is wanted after the silence that is allowed', async () => {
    const { race, enter, pass } = raceUntil(600_000)
    enter(1500)
    const next = race.next()
    pass(1499)
    expect(await isSettled(next)).toBe(false)
    pass(1)
    expect(await next).toBeNull()
    expect(race.reason).toBe('hedge')
  })

  test('is wanted once: not when none was found, nor for the one that was asked, nor after it', async () => {
    const { race, enter, pass } = raceUntil(600_000)
    enter(1500)
    pass(1500)
    race.foundNone('hedge')
    expect(race.reason).toBeNull()

    const other = raceUntil(600_000)
    const first = other.enter(1500)
    other.pass(1500)
    const second = other.enter(1500)
    other.pass(1500)
    expect(other.race.reason).toBeNull()
    for (const { call, attempt } of [second, first]) {
      call.end(bareFailure('server'))
      expect(await other.race.next()).toBe(attempt)
    }
    other.enter(1500)
    other.pass(1500)
    expect(other.race.reason).toBeNull()
  })

  test('does not keep the deadline from being shared', async () => {
    const { race, enter, pass } = raceUntil(10_000)
    enter(1500)
    pass(1500)
    race.foundNone('hedge')
    const next = race.next()
    pass(3500)
    expect(await next).toBeNull()
    expect(race.reason).toBe('late')
  })
})
