import { describe, expect, test, vi } from 'vitest'
import { MoneyStore } from '../../test/support/moneyStore.ts'
import {
  ask,
  CENT,
  DAY,
  HOUR,
  held,
  NOW,
  other,
  row,
  spent,
  startProcess,
  target,
} from '../../test/support/moneyWorld.ts'
import { usdToNano } from './amount.ts'
import type { Crossing } from './budgetCounter.ts'
import { BUDGET_LEASE_MS } from './lease.ts'

const oneDollar = [{ scope: 'all', usd: 1, per: 'day' }]

describe('a hard budget', () => {
  test('of $1 with $0.99 spent lets exactly one of 200 parallel calls of one cent through', () => {
    const store = new MoneyStore()
    const tracker = startProcess(store, oneDollar)
    tracker.settle(held(tracker.reserve(ask(99 * CENT), NOW)), spent(99 * CENT))
    const results = Array.from({ length: 200 }, () => tracker.reserve(ask(CENT), NOW))
    expect(results.filter((result) => result.granted)).toHaveLength(1)
    for (const result of results) if (result.granted) tracker.settle(result, spent(CENT))
    expect(tracker.view(NOW)).toMatchObject([{ limitUsd: 1, spentUsd: 1, reservedUsd: 0 }])
  })

  test('counts twenty times $0.001 as exactly $0.02', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    for (let i = 0; i < 20; i++)
      tracker.settle(held(tracker.reserve(ask(usdToNano(0.01)), NOW)), spent(usdToNano(0.001)))
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.02, reservedUsd: 0 })
  })

  test('says which budget is used up, why, and when it resets', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'groq', usd: 1, per: 'day', on_exceeded: 'reject' }])
    tracker.settle(held(tracker.reserve(ask(97 * CENT), NOW)), spent(97 * CENT))
    expect(tracker.reserve(ask(5 * CENT), NOW)).toEqual({
      granted: false,
      scope: 'groq',
      reason: 'budget groq: $1.00 per day, $0.97 spent; this call may need $0.05',
      resetsAt: Date.parse('2026-11-24T00:00:00Z'),
      onExceeded: 'reject',
    })
    expect(tracker.peek(ask(5 * CENT), NOW)?.reason).toContain('$0.97 spent')
    expect(tracker.peek(ask(2 * CENT), NOW)).toBeNull()
    expect(tracker.reserve(ask(5 * CENT, { target: other }), NOW).granted).toBe(true)
  })

  test('counts one request in the singular', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', requests: 1, per: 'day' }])
    tracker.settle(held(tracker.reserve(ask(0), NOW)), spent(0))
    const refusal = tracker.reserve(ask(0), NOW)
    expect(refusal).toMatchObject({
      reason: 'budget all: 1 request per day, 1 request spent; this call may need 1 request',
    })
  })

  for (const { name, toolsNanoUsd, outputTokens, advice } of [
    {
      name: 'tools alone are too dear',
      toolsNanoUsd: 101 * CENT,
      outputTokens: 20,
      advice: 'raise the budget, or bound the tools that run at the provider ("max_uses", "max_tool_calls")',
    },
    {
      name: 'tools and answer are too dear together',
      toolsNanoUsd: 60 * CENT,
      outputTokens: 20,
      advice:
        'raise the budget, lower "max_tokens", or bound the tools that run at the provider ("max_uses", "max_tool_calls")',
    },
    {
      name: 'no tool runs',
      toolsNanoUsd: undefined,
      outputTokens: 20,
      advice: 'raise the budget, or lower "max_tokens"',
    },
    {
      name: 'there is no length to lower',
      toolsNanoUsd: undefined,
      outputTokens: 0,
      advice: 'raise the budget, or ask for less at once',
    },
  ])
    test(`advises what helps where ${name}`, () => {
      const tracker = startProcess(new MoneyStore(), oneDollar)
      const worstCase = { nanoUsd: 120 * CENT, inputTokens: 10, outputTokens, ...(toolsNanoUsd && { toolsNanoUsd }) }
      const refusal = tracker.reserve(ask(0, { worstCase }), NOW)
      expect(refusal).toMatchObject({ granted: false, reason: expect.stringMatching(/: raise/) as unknown })
      expect('reason' in refusal && refusal.reason.endsWith(`: ${advice}`)).toBe(true)
    })

  test('of 0 allows only free calls', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 0, per: 'total' }])
    expect(tracker.reserve(ask(0), NOW).granted).toBe(true)
    expect(tracker.reserve(ask(1), NOW).granted).toBe(false)
    expect(tracker.reserve(ask(null), NOW)).toMatchObject({ granted: false, resetsAt: null })
  })

  test('allows a free call after it is used up', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    tracker.settle(held(tracker.reserve(ask(100 * CENT), NOW)), spent(100 * CENT))
    expect(tracker.reserve(ask(0), NOW).granted).toBe(true)
  })

  test('counts a call that cost more than its worst case in full', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    tracker.settle(held(tracker.reserve(ask(CENT), NOW)), spent(150 * CENT))
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 1.5, reservedUsd: 0 })
    expect(tracker.reserve(ask(1), NOW).granted).toBe(false)
  })

  test('returns what a call did not need, and everything when the call was never made', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    const first = held(tracker.reserve(ask(60 * CENT), NOW))
    expect(tracker.reserve(ask(60 * CENT), NOW).granted).toBe(false)
    tracker.release(first)
    const second = held(tracker.reserve(ask(60 * CENT), NOW))
    tracker.settle(second, spent(10 * CENT))
    expect(tracker.reserve(ask(90 * CENT), NOW).granted).toBe(true)
  })

  test('is settled once: a second settlement or release of the same hold has no effect', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    const hold = held(tracker.reserve(ask(10 * CENT), NOW))
    tracker.settle(hold, spent(5 * CENT))
    tracker.settle(hold, spent(5 * CENT))
    tracker.release(hold)
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.05, reservedUsd: 0 })
  })

  test('keeps the worst case committed when the cost of a priced call is unknown', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    tracker.settle(held(tracker.reserve(ask(60 * CENT), NOW)), { nanoUsd: null, tokens: null })
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0, reservedUsd: 0.6, unpricedAttempts: 1 })
    expect(tracker.reserve(ask(60 * CENT), NOW).granted).toBe(false)
  })

  test('treats NaN, negative and infinite amounts as unknown', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar, { unknownPrice: 'block' })
    for (const odd of [Number.NaN, -5, Number.POSITIVE_INFINITY])
      expect(tracker.reserve(ask(odd), NOW).granted).toBe(false)
    tracker.settle(held(tracker.reserve(ask(CENT), NOW)), spent(Number.NaN))
    tracker.settle(held(tracker.reserve(ask(CENT), NOW)), spent(-100))
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0, reservedUsd: 0.02 })
  })

  test('refuses while the shared counter cannot be read, and loses nothing meanwhile', () => {
    const store = new MoneyStore()
    const tracker = startProcess(store, oneDollar)
    const hold = held(tracker.reserve(ask(10 * CENT), NOW))
    store.failsAfter = store.writes
    expect(tracker.reserve(ask(10 * CENT), NOW)).toMatchObject({
      granted: false,
      reason: expect.stringContaining('disk full'),
    })
    tracker.settle(hold, spent(30 * CENT))
    store.failsAfter = Number.POSITIVE_INFINITY
    tracker.tick(NOW, store)
    tracker.tick(NOW, store)
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.3, reservedUsd: 0 })
    expect(tracker.reserve(ask(71 * CENT), NOW).granted).toBe(false)
  })
})

describe('budgets of other kinds', () => {
  test('requests count each call that was made, whatever its outcome', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'groq', requests: 3, per: 'minute' }])
    tracker.settle(held(tracker.reserve(ask(null), NOW)), spent(null))
    tracker.release(held(tracker.reserve(ask(null), NOW)))
    tracker.settle(held(tracker.reserve(ask(5), NOW)), spent(0))
    expect(tracker.spent('groq', NOW)).toBe(2)
    expect(tracker.reserve(ask(5), NOW).granted).toBe(true)
    expect(tracker.reserve(ask(5), NOW).granted).toBe(false)
    expect(tracker.reserve(ask(5), NOW + 60_000).granted).toBe(true)
  })

  test('tokens reserve the input and the longest output, and settle what was used', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', tokens: 60, per: 'day' }])
    const hold = held(tracker.reserve(ask(0), NOW))
    expect(tracker.reserve(ask(0), NOW).granted).toBe(true)
    expect(tracker.reserve(ask(0), NOW).granted).toBe(false)
    tracker.settle(hold, { nanoUsd: 0, tokens: 12 })
    expect(tracker.view(NOW)).toMatchObject([
      { limitUsd: null, spentUsd: null, unit: 'tokens', spent: 12, reserved: 30 },
    ])
  })

  test('every budget that covers a call must have room, and a refusal reserves in none', () => {
    const tracker = startProcess(new MoneyStore(), [
      { scope: 'all', usd: 1, per: 'month' },
      { scope: 'groq', usd: 0.5, per: 'day' },
      { scope: 'label:team=a', usd: 0.2, per: 'day' },
      { scope: 'token:ci', usd: 0.1, per: 'total' },
    ])
    const labels = { team: 'a' }
    expect(tracker.reserve(ask(40 * CENT), NOW).granted).toBe(true)
    expect(tracker.reserve(ask(20 * CENT), NOW)).toMatchObject({ scope: 'groq' })
    expect(tracker.reserve(ask(30 * CENT, { target: other, labels }), NOW)).toMatchObject({ scope: 'label:team=a' })
    expect(tracker.reserve(ask(11 * CENT, { target: other, labels, token: 'ci' }), NOW)).toMatchObject({
      scope: 'token:ci',
    })
    expect(tracker.view(NOW).map((view) => view.reservedUsd)).toEqual([0.4, 0.4, 0, 0])
    expect(tracker.reserve(ask(60 * CENT, { target: other }), NOW).granted).toBe(true)
  })

  test('budgets that reject are checked before those that fall back', () => {
    const tracker = startProcess(new MoneyStore(), [
      { scope: 'groq', usd: 0, per: 'day' },
      { scope: 'all', usd: 0, per: 'day', on_exceeded: 'reject' },
    ])
    expect(tracker.reserve(ask(5), NOW)).toMatchObject({ scope: 'all', onExceeded: 'reject' })
  })

  for (const [unknownPrice, granted] of [
    ['allow', true],
    ['block', false],
  ] as const)
    test(`with unknown_price ${unknownPrice} a call of unknown price is ${granted ? 'counted as unknown' : 'refused'}`, () => {
      const tracker = startProcess(new MoneyStore(), oneDollar, { unknownPrice })
      const result = tracker.reserve(ask(null), NOW)
      expect(result.granted).toBe(granted)
      if (!result.granted) expect(result.reason).toContain('the price of groq/m is unknown')
      else tracker.settle(result, spent(null))
      expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0, reservedUsd: 0, unpricedAttempts: granted ? 1 : 0 })
    })

  test('a soft budget never refuses, reports 50, 80 and 100 per cent once, and pushes towards cheaper targets', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'groq', usd: 1, per: 'day', hard: false }])
    const told: Crossing[] = []
    for (let i = 0; i < 30; i++)
      told.push(...tracker.settle(held(tracker.reserve(ask(5 * CENT), NOW)), spent(5 * CENT)))
    expect(told.map(({ percent, spent }) => [percent, spent / CENT])).toEqual([
      [50, 50],
      [80, 80],
      [100, 100],
    ])
    expect(tracker.pressure({ target })).toBeGreaterThan(0.1)
    expect(tracker.pressure({ target: other })).toBe(0)
  })

  test('a soft budget within its pace exerts no pressure', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'groq', usd: 1, per: 'day', hard: false }])
    for (let i = 0; i < 20; i++) tracker.settle(held(tracker.reserve(ask(CENT), NOW)), spent(CENT))
    expect(tracker.pressure({ target })).toBe(0)
  })

  test('thresholds are reported again in the next period', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    const cross = (at: number) =>
      tracker.settle(held(tracker.reserve(ask(60 * CENT), at)), spent(60 * CENT)).map((c) => c.percent)
    expect(cross(NOW)).toEqual([50])
    expect(cross(NOW + DAY)).toEqual([50])
  })
})

describe('periods', () => {
  test('money belongs to the period in which its call began', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    const midnight = Date.parse('2026-11-24T00:00:00Z')
    const late = held(tracker.reserve(ask(90 * CENT), midnight - 1))
    const next = held(tracker.reserve(ask(90 * CENT), midnight))
    tracker.settle(late, spent(90 * CENT))
    tracker.settle(next, spent(20 * CENT))
    expect(tracker.view(midnight + 5)[0]).toMatchObject({
      spentUsd: 0.2,
      reservedUsd: 0,
      resetsAt: '2026-11-25T00:00:00.000Z',
    })
  })

  test('a monthly budget in Madrid holds through daylight saving and every month end of a year', () => {
    const store = new MoneyStore()
    const budgets = [{ scope: 'all', usd: 1, per: 'month', timezone: 'Europe/Madrid' }]
    const start = Date.parse('2026-01-01T00:30:00Z')
    const tracker = startProcess(store, budgets, { now: start })
    const byMonth = new Map<string, number>()
    const month = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Madrid', year: 'numeric', month: '2-digit' })
    for (let now = start; now < start + 364 * DAY; now += 3 * HOUR) {
      const result = tracker.reserve(ask(CENT), now)
      if (!result.granted) continue
      tracker.settle(result, spent(CENT))
      byMonth.set(month.format(now), (byMonth.get(month.format(now)) ?? 0) + 1)
    }
    expect([...byMonth.values()]).toEqual(Array(12).fill(100))
    // Past periods leave nothing behind in the store.
    expect(store.listCounters('budget:all').length).toBeLessThan(8)
  })

  test('a rolling hour never holds more than its limit in any hour', () => {
    const store = new MoneyStore()
    const tracker = startProcess(store, [{ scope: 'all', usd: 1, per: 'hour', rolling: true }])
    const granted: number[] = []
    for (let now = NOW; now < NOW + 5 * HOUR; now += 17_000) {
      const result = tracker.reserve(ask(3 * CENT), now)
      if (result.granted) tracker.settle(result, spent(3 * CENT))
      if (result.granted) granted.push(now)
    }
    for (const start of granted)
      expect(granted.filter((at) => at >= start && at < start + HOUR).length * 3).toBeLessThanOrEqual(100)
    expect(granted.length).toBeGreaterThan(4.5 * 33)
    expect(store.values.size).toBeLessThan(200)
  })

  test('a rolling budget says when its oldest spending leaves the window', () => {
    const tracker = startProcess(new MoneyStore(), [{ scope: 'all', usd: 1, per: 'hour', rolling: true }])
    tracker.settle(held(tracker.reserve(ask(100 * CENT), NOW)), spent(100 * CENT))
    const refusal = tracker.reserve(ask(CENT), NOW + 10 * 60_000)
    const resetsAt = refusal.granted ? 0 : (refusal.resetsAt ?? 0)
    expect(resetsAt - NOW).toBe(HOUR + HOUR / 30)
    expect(tracker.reserve(ask(CENT), resetsAt - 1).granted).toBe(false)
    expect(tracker.reserve(ask(CENT), resetsAt).granted).toBe(true)
  })

  test('a clock that jumps ahead and is set back loses no spending', () => {
    const tracker = startProcess(new MoneyStore(), oneDollar)
    tracker.settle(held(tracker.reserve(ask(90 * CENT), NOW)), spent(90 * CENT))
    tracker.reserve(ask(CENT), NOW + 40 * DAY)
    expect(tracker.reserve(ask(20 * CENT), NOW + 1).granted).toBe(false)
  })

  test('a clock that is set across the end of a period shows what was spent in the present one, and loses nothing', () => {
    const hourly = [{ scope: 'all', usd: 1, per: 'hour' }]
    const tracker = startProcess(new MoneyStore(), hourly, { now: NOW - HOUR })
    const spend = (cents: number, at: number) =>
      tracker.settle(held(tracker.reserve(ask(cents * CENT), at)), spent(cents * CENT))
    const shown = (at: number) => tracker.view(at)[0]?.spentUsd
    spend(60, NOW - 1)
    spend(10, NOW)
    expect(shown(NOW)).toBe(0.1)
    // Set back by a minute: the hour before is the present one again.
    spend(20, NOW - 60_000)
    expect(shown(NOW - 59_000)).toBe(0.8)
    expect(tracker.reserve(ask(21 * CENT), NOW - 58_000).granted).toBe(false)
    // A call that began in the next hour, by a clock that is ahead.
    tracker.count({ target }, spent(5 * CENT), NOW + 1)
    expect(shown(NOW - 57_000)).toBe(0.8)
    expect(shown(NOW + 2)).toBe(0.15)
  })
})

test('calls in flight when the configuration changes are settled under the old budgets and counted under the new', () => {
  const store = new MoneyStore()
  const before = startProcess(store, oneDollar)
  const inFlight = held(before.reserve(ask(50 * CENT), NOW))
  const after = startProcess(store, [{ scope: 'all', usd: 2, per: 'day' }])
  before.close(after)
  before.settle(inFlight, spent(30 * CENT))
  expect(after.view(NOW)[0]).toMatchObject({ limitUsd: 2, spentUsd: 0.3, reservedUsd: 0 })
  expect(after.reserve(ask(171 * CENT), NOW).granted).toBe(false)
  expect(after.reserve(ask(170 * CENT), NOW).granted).toBe(true)
})

describe('several processes', () => {
  test('share one limit and learn each other’s spending from the ledger', () => {
    const store = new MoneyStore()
    const a = startProcess(store, oneDollar)
    const b = startProcess(store, oneDollar)
    a.settle(held(a.reserve(ask(70 * CENT), NOW)), spent(70 * CENT))
    const event = store.append(row(a.origin, NOW, 70 * CENT))
    expect(b.reserve(ask(40 * CENT), NOW).granted).toBe(false)
    expect(b.fold(event).map(({ percent }) => percent)).toEqual([50])
    expect(a.fold(event)).toEqual([])
    for (const tracker of [a, b]) expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.7, reservedUsd: 0 })
  })

  test('see immediately when one of them spent more than it had reserved', () => {
    const store = new MoneyStore()
    const a = startProcess(store, oneDollar)
    const b = startProcess(store, oneDollar)
    a.settle(held(a.reserve(ask(10 * CENT), NOW)), spent(90 * CENT))
    expect(b.reserve(ask(11 * CENT), NOW).granted).toBe(false)
    expect(b.reserve(ask(10 * CENT), NOW).granted).toBe(true)
  })

  test('return what they leased and do not use', () => {
    const store = new MoneyStore()
    const a = startProcess(store, [{ scope: 'all', usd: 100, per: 'day' }])
    for (let i = 0; i < 100; i++) a.settle(held(a.reserve(ask(CENT), NOW)), spent(CENT))
    const key = 'budget:all|usd|day|UTC:'
    const committed = () => store.listCounters(key).find(([name]) => !/[@s]/.test(name.slice(key.length)))?.[1]
    expect(committed()).toBeGreaterThan(100 * CENT)
    a.tick(NOW + 1_000, store)
    a.tick(NOW + 2_000, store)
    expect(committed()).toBe(100 * CENT)
  })

  test('write to the store far less often than they spend', () => {
    const store = new MoneyStore()
    const tracker = startProcess(store, [{ scope: 'all', usd: 100, per: 'day' }])
    for (let i = 0; i < 1_000; i++) tracker.settle(held(tracker.reserve(ask(CENT), NOW)), spent(CENT / 2))
    expect(store.writes).toBeLessThan(60)
  })

  test('a budget that is new in the middle of its period starts from the ledger', () => {
    const store = new MoneyStore()
    for (let i = 1; i <= 9; i++) store.append(row('earlier', NOW - i * 1_000, 10 * CENT))
    store.append(row('earlier', NOW - 2 * DAY, 10 * CENT))
    const a = startProcess(store, oneDollar)
    const b = startProcess(store, oneDollar)
    for (const tracker of [a, b]) {
      expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.9, reservedUsd: 0 })
      expect(tracker.reserve(ask(11 * CENT), NOW).granted).toBe(false)
    }
    expect(b.reserve(ask(10 * CENT), NOW).granted).toBe(true)
    expect(a.reserve(ask(10 * CENT), NOW).granted).toBe(false)
  })

  for (const [scope, expected] of [
    ['groq', 0.3],
    ['groq/m', 0.3],
    ['groq#1', 0.2],
    ['account:work', 0.1],
    ['label:team=a', 0.1],
    ['token:ci', 0.2],
    ['google', 0],
  ] as const)
    test(`a restart finds what was spent under ${scope}`, () => {
      const store = new MoneyStore()
      store.append(row('earlier', NOW - 5_000, 10 * CENT, { token: 'ci' }))
      store.append(row('earlier', NOW - 4_000, 10 * CENT, { labels: { team: 'a' } }))
      store.append(
        row('earlier', NOW - 3_000, 10 * CENT, {
          token: 'ci',
          target: { stateId: 's', ...target, keyIndex: 2, account: 'groq:work' },
        }),
      )
      const tracker = startProcess(store, [{ scope, usd: 1, per: 'day' }])
      expect(tracker.view(NOW)[0]?.spentUsd).toBe(expected)
    })

  test('a killed process loses no settled cent, double-counts none, and its calls in flight count as spent', () => {
    const store = new MoneyStore()
    const killed = startProcess(store, oneDollar)
    killed.settle(held(killed.reserve(ask(30 * CENT), NOW)), spent(20 * CENT))
    store.append(row(killed.origin, NOW, 20 * CENT))
    killed.reserve(ask(50 * CENT), NOW)
    // kill -9 here: the second call was sent, and its cost will never be known.
    const next = startProcess(store, oneDollar, { now: NOW + 5_000 })
    expect(next.view(NOW + 5_000)[0]).toMatchObject({ spentUsd: 0.2, reservedUsd: 0.5 })
    expect(next.reserve(ask(31 * CENT), NOW + 5_000).granted).toBe(false)
    expect(next.reserve(ask(30 * CENT), NOW + 5_000).granted).toBe(true)
    expect(next.reserve(ask(90 * CENT), NOW + DAY).granted).toBe(true)
  })

  test('what a killed process had set aside is free again by itself a minute after its last sign of life', () => {
    const { store, killed, next } = killedProcess()
    expect(next.tick(NOW + BUDGET_LEASE_MS, store)).toEqual([])
    const later = NOW + BUDGET_LEASE_MS + 5_000
    expect(next.tick(later, store)).toMatchObject([{ scope: 'all', origin: killed.origin, amount: 50 * CENT }])
    expect(next.tick(later + 1, store)).toEqual([])
    expect(next.view(later)[0]).toMatchObject({ spentUsd: 0.2, reservedUsd: 0 })
    expect(next.reserve(ask(80 * CENT), later).granted).toBe(true)
  })

  test('of two processes that see it, one returns it', () => {
    const { store, next } = killedProcess()
    const third = startProcess(store, oneDollar)
    const later = NOW + BUDGET_LEASE_MS + 5_000
    for (const process of [next, third]) process.tick(NOW + BUDGET_LEASE_MS, store)
    const given = [next, third, next].flatMap((process) => process.tick(later, store))
    expect(given).toHaveLength(1)
    expect(third.view(later)[0]).toMatchObject({ spentUsd: 0.2, reservedUsd: 0 })
  })

  test('until then a refusal says who holds the rest and when it is free, which is when to try again', () => {
    const { next } = killedProcess()
    const refusal = next.reserve(ask(60 * CENT), NOW + 5_000)
    expect(refusal).toMatchObject({ granted: false, resetsAt: NOW + BUDGET_LEASE_MS })
    expect(refusal).toMatchObject({
      reason: expect.stringMatching(
        /\$0\.20 spent, \$0\.50 set aside by other processes \(of one that was killed it is free again by 2026-11-23 \d\d:\d\d(:\d\d)? UTC\)/,
      ),
    })
    // What is spent is not free again before the period ends.
    expect(next.reserve(ask(90 * CENT), NOW + 5_000)).toMatchObject({ resetsAt: Date.parse('2026-11-24T00:00:00Z') })
  })

  test('the ledger is read once for a process that ended, however often one looks', () => {
    const { store, next } = killedProcess()
    const attempts = vi.spyOn(store, 'attempts')
    for (let second = 61; second < 600; second += 5) next.tick(NOW + second * 1_000, store)
    expect(attempts).toHaveBeenCalledTimes(1)
  })

  test('a process that was suspended and taken for dead does not spend what was returned', () => {
    const store = new MoneyStore()
    const asleep = startProcess(store, oneDollar)
    const hold = held(asleep.reserve(ask(50 * CENT), NOW))
    const later = NOW + BUDGET_LEASE_MS + 1
    const next = startProcess(store, oneDollar, { now: later })
    next.tick(later, store)
    expect(next.reserve(ask(60 * CENT), later).granted).toBe(true)
    // Running again: the call in flight is committed again, and there is no room for another.
    expect(asleep.reserve(ask(CENT), later + 1).granted).toBe(false)
    asleep.settle(hold, spent(40 * CENT))
    store.append(row(asleep.origin, NOW, 40 * CENT))
    next.fold(store.rows.at(-1)!)
    expect(next.view(later + 2)[0]).toMatchObject({ spentUsd: 0.4, reservedUsd: 0.6 })
  })
})

/** Of one dollar a day, 20 cents are spent and 50 are set aside for a call in flight. */
function killedProcess() {
  const store = new MoneyStore()
  const killed = startProcess(store, oneDollar)
  killed.settle(held(killed.reserve(ask(20 * CENT), NOW)), spent(20 * CENT))
  store.append(row(killed.origin, NOW, 20 * CENT))
  killed.reserve(ask(50 * CENT), NOW)
  // What the next process finds in its journal.
  const costRange = { atLeast: 0, atMost: 50 * CENT }
  store.append(row(killed.origin, NOW, null, { id: 'cut-off', ok: false, usage: null, costRange, notCharged: true }))
  return { store, killed, next: startProcess(store, oneDollar) }
}

describe('a cost that is known in part', () => {
  const range = { atLeast: 20 * CENT, atMost: 50 * CENT }
  const partly = { nanoUsd: null, range, tokens: 30 }

  test('takes the most that it can be from a hard budget, in every process and after a restart', () => {
    const store = new MoneyStore()
    const tracker = startProcess(store, oneDollar)
    tracker.settle(held(tracker.reserve(ask(60 * CENT), NOW)), partly)
    expect(tracker.reserve(ask(51 * CENT), NOW).granted).toBe(false)
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.5, unpricedAttempts: 1 })
    const beside = startProcess(store, oneDollar)
    beside.fold({ ...row('elsewhere', NOW, null, { costRange: range }), seq: 9 })
    expect(beside.view(NOW)[0]).toMatchObject({ spentUsd: 0.5, unpricedAttempts: 1 })
    store.append(row('gone', NOW, null, { costRange: range }))
    const restarted = startProcess(store, oneDollar)
    expect(restarted.view(NOW)[0]).toMatchObject({ spentUsd: 0.5, unpricedAttempts: 1 })
    expect(restarted.reserve(ask(51 * CENT), NOW).granted).toBe(false)
  })

  test('adds to a soft budget what it was at least', () => {
    const store = new MoneyStore()
    const soft = [{ scope: 'all', usd: 1, per: 'day', hard: false }]
    const tracker = startProcess(store, soft)
    tracker.settle(held(tracker.reserve(ask(60 * CENT), NOW)), partly)
    expect(tracker.view(NOW)[0]).toMatchObject({ spentUsd: 0.2, unpricedAttempts: 1 })
    store.append(row('gone', NOW, null, { costRange: range }))
    expect(startProcess(store, soft).view(NOW)[0]).toMatchObject({ spentUsd: 0.2, unpricedAttempts: 1 })
  })
})
