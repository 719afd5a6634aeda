import { describe, expect, test } from 'vitest'
import { MoneyStore } from '../../test/support/moneyStore.ts'
import { ask, CENT, HOUR, held, other, row, spent, startProcess } from '../../test/support/moneyWorld.ts'
import { forecastText } from './forecastText.ts'

/** Tuesday. */
const NOON = Date.parse('2026-11-24T12:00:00Z')
const MINUTE = 60_000

const budget = (more: object) => [{ scope: 'all', usd: 10, per: 'month', ...more }]

/** `[time, cents]` of each call. */
type Calls = readonly (readonly [at: number, cents: number])[]

/** The forecast by calls of another process, of this one, and after a restart: they must agree. */
function forecastOf(budgets: unknown, calls: Calls, now: number) {
  const store = new MoneyStore()
  const first = calls[0]?.[0] ?? now
  const [own, beside] = [startProcess(store, budgets, { now: first }), startProcess(store, budgets, { now: first })]
  for (const [at, cents] of calls) {
    own.settle(held(own.reserve(ask(cents * CENT), at)), spent(cents * CENT))
    beside.fold(store.append(row(own.origin, at, cents * CENT)))
  }
  const restarted = startProcess(store, budgets, { now })
  const views = [own, beside, restarted].map((tracker) => tracker.view(now)[0]!)
  expect(views[1]?.forecast).toEqual(views[0]?.forecast)
  expect(views[2]?.forecast).toEqual(views[0]?.forecast)
  return views[0]!
}

const every = (ms: number, from: number, until: number, cents: number): Calls =>
  Array.from({ length: Math.ceil((until - from) / ms) }, (_, index) => [from + index * ms, cents])

const at = (text: string) => Date.parse(text)

interface Case {
  readonly name: string
  readonly budget: object
  readonly calls: Calls
  readonly now?: number
  readonly says: string | null
  readonly spentAt?: string | null
  readonly atEndUsd?: number | null
}

const cases: readonly Case[] = [
  { name: 'nothing is known while nothing was spent', budget: {}, calls: [], says: null },
  {
    name: 'a call is taken for an hour, not for a pace',
    budget: { per: 'day' },
    calls: [[NOON - MINUTE, 10]],
    says: 'lasts its day at this pace: about $1.30 of $10.00',
    spentAt: null,
    atEndUsd: 1.3,
  },
  {
    name: 'what goes on lasts or does not',
    budget: { per: 'day' },
    calls: every(HOUR, NOON - 10 * HOUR, NOON, 60),
    says: 'spent by 18:40 UTC at this pace ($0.60 an hour)',
    spentAt: '2026-11-24T18:40:00.000Z',
    atEndUsd: 13.2,
  },
  {
    name: 'a burst an hour ago is spread over what passed since',
    budget: { per: 'day', usd: 20 },
    calls: every(1000, NOON - 2 * HOUR, NOON - 2 * HOUR + 20_000, 10),
    says: 'lasts its day at this pace: about $14.00 of $20.00',
  },
  {
    name: 'the hours of the evening before count in the morning',
    budget: { per: 'day' },
    calls: [...every(HOUR, NOON - 22 * HOUR, NOON - 12 * HOUR, 50), ...every(HOUR, NOON - HOUR, NOON, 100)],
    says: 'lasts its day at this pace: about $4.27 of $10.00',
  },
  {
    name: 'an idle night does not hide what the day before spent',
    budget: { per: 'month', usd: 100 },
    calls: every(HOUR, NOON - 20 * HOUR, NOON - 10 * HOUR, 200),
    says: 'spent by Fri 20:00 UTC at this pace ($1.00 an hour)',
  },
  {
    name: 'a weekend without calls leaves no pace',
    budget: { per: 'month' },
    calls: every(HOUR, at('2026-11-20T09:00Z'), at('2026-11-20T17:00Z'), 10),
    now: at('2026-11-22T18:00Z'),
    says: 'lasts its month: nothing was spent in the last 24 hours',
    spentAt: null,
    atEndUsd: 0.8,
  },
  {
    name: 'a month of 28 days ends when it ends',
    budget: { per: 'month' },
    calls: every(HOUR, at('2026-02-27T00:00Z'), at('2026-02-28T00:00Z'), 10),
    now: at('2026-02-27T23:59:59.999Z'),
    says: 'lasts its month at this pace: about $4.80 of $10.00',
  },
  {
    name: 'a month of 31 days ends when it ends',
    budget: { per: 'month', usd: 13 },
    calls: every(HOUR, at('2026-01-27T00:00Z'), at('2026-01-28T00:00Z'), 10),
    now: at('2026-01-27T23:59:59.999Z'),
    says: 'lasts its month at this pace: about $12.00 of $13.00',
  },
  {
    name: 'a day of 23 hours ends when it ends',
    budget: { per: 'day', timezone: 'Europe/Madrid' },
    calls: every(HOUR, at('2026-03-28T23:00Z'), at('2026-03-29T10:00Z'), 10),
    now: at('2026-03-29T10:00Z'),
    says: 'lasts its day at this pace: about $2.30 of $10.00',
  },
  {
    name: 'a day of 25 hours ends when it ends',
    budget: { per: 'day', timezone: 'Europe/Madrid' },
    calls: every(HOUR, at('2026-10-24T22:00Z'), at('2026-10-25T10:00Z'), 10),
    now: at('2026-10-25T10:00Z'),
    says: 'lasts its day at this pace: about $2.50 of $10.00',
  },
  {
    name: 'what is spent opens again with the next period',
    budget: { usd: 1 },
    calls: [[NOON - 2 * HOUR, 100]],
    says: 'spent; opens again 2026-12-01 00:00 UTC',
    spentAt: '2026-11-24T12:00:00.000Z',
  },
  {
    name: 'what is spent in total stays spent',
    budget: { usd: 1, per: 'total' },
    calls: [[NOON - 2 * HOUR, 100]],
    says: 'spent, and nothing resets it',
    atEndUsd: null,
  },
  {
    name: 'a total is spent some day',
    budget: { usd: 100, per: 'total' },
    calls: every(HOUR, NOON - 10 * HOUR, NOON, 10),
    says: 'spent by 2027-01-04 18:00 UTC at this pace ($0.10 an hour)',
    atEndUsd: null,
  },
  {
    name: 'a total that lasts for ages is not dated',
    budget: { usd: 1_000_000, per: 'total' },
    calls: [[NOON - 20 * HOUR, 1]],
    says: 'lasts for years at this pace ($0.0005 an hour)',
    spentAt: null,
  },
  {
    name: 'a soft budget may be passed',
    budget: { usd: 2, per: 'day', hard: false },
    calls: every(HOUR, NOON - 6 * HOUR, NOON, 50),
    says: 'spent; opens again Wed 00:00 UTC',
    atEndUsd: 9,
  },
  {
    name: 'requests are told in requests',
    budget: { usd: undefined, requests: 100, per: 'day' },
    calls: every(HOUR / 2, NOON - 10 * HOUR, NOON, 0),
    says: 'lasts its day at this pace: about 44 of 100 requests',
    atEndUsd: null,
  },
  {
    name: 'tokens are told in tokens',
    budget: { usd: undefined, tokens: 500, per: 'day' },
    calls: every(HOUR, NOON - 10 * HOUR, NOON, 0),
    says: 'spent by 18:40 UTC at this pace (30 tokens an hour)',
  },
  {
    name: 'an hour is told by itself',
    budget: { usd: 1, per: 'hour' },
    calls: every(MINUTE, NOON, NOON + 20 * MINUTE, 4),
    now: NOON + 20 * MINUTE,
    says: 'spent by 12:25 UTC at this pace ($2.40 an hour)',
    atEndUsd: 2.4,
  },
  {
    name: 'a first call is not taken for the pace of a minute',
    budget: { usd: 1, per: 'minute' },
    calls: [[NOON, 20]],
    now: NOON + 1,
    says: 'lasts its minute at this pace: about $1.00 of $1.00',
  },
  {
    name: 'a rolling day holds what a day spends',
    budget: { usd: 10, per: 'day', rolling: true },
    calls: every(HOUR, NOON - 6 * HOUR, NOON, 20),
    says: 'lasts at this pace: about $4.80 of $10.00 in any day',
  },
  {
    name: 'a rolling week is spent before its oldest spending leaves it',
    budget: { usd: 10, per: 'week', rolling: true },
    calls: every(HOUR, NOON - 6 * HOUR, NOON, 20),
    says: 'spent by Thu 08:00 UTC at this pace ($0.20 an hour)',
    atEndUsd: 33.6,
  },
  {
    name: 'a paced budget lasts by its pace',
    budget: { usd: 10, per: 'day', pace: true },
    calls: every(HOUR, NOON - 12 * HOUR, NOON, 40),
    says: 'lasts its day as it is paced: about $9.60 of $10.00',
    spentAt: null,
  },
]

for (const scope of ['groq', 'groq/m', 'groq#1', 'account:groq@f1', 'label:team=a', 'token:ci'])
  test(`the pace of ${scope} is the same after a restart, and only its own`, () => {
    const store = new MoneyStore()
    const budgets = budget({ scope, per: 'day' })
    const beside = startProcess(store, budgets, { now: NOON - 5 * HOUR })
    const add = (at: number, cents: number, more: object = {}) =>
      beside.fold(store.append(row('elsewhere', at, cents * CENT, { labels: { team: 'a' }, token: 'ci', ...more })))
    const stranger = { labels: { team: 'b' }, token: null, target: { ...other, stateId: 's', keyIndex: 2 } }
    add(NOON - 5 * HOUR, 0)
    for (let hour = 4; hour > 0; hour--) {
      add(NOON - hour * HOUR + 20 * MINUTE, 11)
      add(NOON - hour * HOUR + 30 * MINUTE, 500, stranger)
    }
    // 0.44 in the three hours and forty minutes since the first call that cost something.
    expect(beside.view(NOON)[0]?.forecast?.perHourUsd).toBe(0.12)
    expect(startProcess(store, budgets, { now: NOON }).view(NOON)[0]?.forecast).toEqual(beside.view(NOON)[0]?.forecast)
  })

test('what is not wholly known is told as the least', () => {
  const store = new MoneyStore()
  const tracker = startProcess(store, budget({ per: 'day' }), { now: NOON })
  tracker.fold(row('elsewhere', NOON - 2 * HOUR, null))
  tracker.fold(row('elsewhere', NOON - 2 * HOUR, 20 * CENT))
  expect(forecastText(tracker.view(NOON)[0]!, NOON)).toBe('lasts its day at this pace: at least $1.40 of $10.00')
  tracker.fold(row('elsewhere', NOON - HOUR, 600 * CENT))
  expect(forecastText(tracker.view(NOON)[0]!, NOON)).toBe('spent by 13:13 UTC or sooner at this pace ($3.10 an hour)')
})

test('after a clock is set back the pace is that of what follows', () => {
  const tracker = startProcess(new MoneyStore(), budget({}), { now: NOON })
  tracker.fold(row('elsewhere', NOON - 3 * HOUR, 30 * CENT))
  tracker.fold(row('elsewhere', NOON + 400 * HOUR, 30 * CENT))
  expect(tracker.view(NOON + 400 * HOUR)[0]?.forecast?.perHourUsd).toBe(0.3)
  tracker.fold(row('elsewhere', NOON - HOUR, 30 * CENT))
  expect(tracker.view(NOON)[0]?.forecast?.perHourUsd).toBe(0.3)
})

describe('the forecast of a budget', () => {
  for (const { name, budget: more, calls, now = NOON, says, ...rest } of cases)
    test(name, () => {
      const view = forecastOf(budget(more), calls, now)
      expect(forecastText(view, now)).toBe(says)
      expect(view.forecast ?? {}).toMatchObject(rest)
    })
})
