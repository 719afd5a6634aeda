import { describe, expect, test } from 'vitest'
import { budgetId, readBudget, readBudgets } from './budgetRule.ts'
import { covers, readScope } from './scope.ts'

describe('readBudgets()', () => {
  test('reads the documented form', () => {
    const entry = { scope: 'openrouter', usd: 10, per: 'day', hard: true, timezone: 'UTC', on_exceeded: 'fallback' }
    expect(readBudgets([entry])).toMatchObject({
      problems: [],
      budgets: [
        { scope: 'openrouter', unit: 'usd', limit: 10_000_000_000, per: 'day', hard: true, onExceeded: 'fallback' },
      ],
    })
  })

  test('takes a budget as hard, in UTC, by the calendar, with fallback, unless it says otherwise', () => {
    expect(readBudgets([{ scope: 'all', requests: 5, per: 'minute' }]).budgets[0]).toMatchObject({
      hard: true,
      timeZone: 'UTC',
      rolling: false,
      onExceeded: 'fallback',
    })
  })

  test('allows a budget of 0', () => {
    expect(readBudgets([{ scope: 'all', usd: 0, per: 'total' }])).toMatchObject({
      problems: [],
      budgets: [{ limit: 0 }],
    })
  })

  for (const [value, message] of [
    ['x', '"settings.budgets" must be a list'],
    [[5], '"settings.budgets[0]" must be an object'],
    [[{ usd: 1, per: 'day' }], '"settings.budgets[0].scope" "" is no scope; use all'],
    [[{ scope: 'label:team', usd: 1, per: 'day' }], 'is no scope'],
    [[{ scope: 'google#0', usd: 1, per: 'day' }], 'is no scope'],
    [[{ scope: 'all', per: 'day' }], 'names no amount'],
    [[{ scope: 'all', eur: 10, per: 'day' }], '"settings.budgets[0].eur" is not a unit keywise counts in; use usd'],
    [[{ scope: 'all', usd: 10, perr: 'day' }], '"settings.budgets[0].perr" is not known'],
    [[{ scope: 'all', usd: 10, tokens: 5, per: 'day' }], 'has both usd and tokens; write one budget for each'],
    [[{ scope: 'all', usd: '10', per: 'day' }], '"settings.budgets[0].usd" must be a number'],
    [[{ scope: 'all', usd: Number.NaN, per: 'day' }], 'must be a number'],
    [[{ scope: 'all', usd: -1, per: 'day' }], 'is negative; 0 means that nothing may be spent'],
    [[{ scope: 'all', usd: 1e8, per: 'day' }], 'more than keywise can count'],
    [[{ scope: 'all', tokens: 1e300, per: 'day' }], 'must be a whole number'],
    [[{ scope: 'all', requests: 1.5, per: 'day' }], 'must be a whole number'],
    [[{ scope: 'all', usd: 1, per: 'year' }], '"settings.budgets[0].per" must be one of minute, hour'],
    [[{ scope: 'all', usd: 1, per: 'day', timezone: 'Europe/Madird' }], '"Europe/Madird" is no time zone'],
    [[{ scope: 'all', usd: 1, per: 'day', hard: 'yes' }], '"settings.budgets[0].hard" must be true or false'],
    [[{ scope: 'all', usd: 1, per: 'day', on_exceeded: 'wait' }], 'must be fallback or reject'],
    [[{ scope: 'all', usd: 1, per: 'day', window: 'sliding' }], 'must be calendar or rolling'],
    [
      [
        { scope: 'all', usd: 1, per: 'day' },
        { scope: 'all', usd: 2, per: 'day' },
      ],
      '"settings.budgets[1]" is a second day budget in usd for "all"; keep one',
    ],
  ] as const)
    test(`says what is wrong with ${JSON.stringify(value)}`, () => {
      expect(readBudgets(value).problems.join('\n')).toContain(message)
    })

  test('keeps the good budgets beside a bad one', () => {
    expect(readBudgets([{ scope: 'all', usd: 1, per: 'day' }, 7]).budgets).toHaveLength(1)
  })

  test('notes budgets that overlap: all must have room', () => {
    const both = [
      { scope: 'groq', usd: 1, per: 'day' },
      { scope: 'groq', usd: 10, per: 'month' },
    ]
    expect(readBudgets(both).notes).toEqual(['"groq" has budgets per day and per month: both must have room'])
  })
})

test('readBudget() gives the budget beside a key that key’s scope, bound to the key and not to its place', () => {
  const budget = readBudget({ usd: 5, per: 'day' }, 'google.api_keys[1].budget', {
    scope: 'google#2',
    fingerprint: 'ab12',
  })
  if (typeof budget === 'string') throw new Error(budget)
  expect(budgetId(budget)).toBe('google@ab12|usd|day|UTC')
})

describe('covers()', () => {
  const payee = {
    provider: 'openrouter',
    model: 'google/gemma:free',
    fingerprint: 'f1',
    keyIndex: 2,
    account: 'openrouter:work',
  }
  for (const [scope, expected] of [
    ['all', true],
    ['openrouter', true],
    ['openrouter/google/gemma:free', true],
    ['openrouter/google/gemma', false],
    ['openrouter#2', true],
    ['openrouter#1', false],
    ['groq', false],
    ['account:work', true],
    ['account:openrouter:work', true],
    ['account:home', false],
    ['label:team=a=b', true],
    ['label:team=a', false],
    ['label:__proto__=x', false],
    ['token:ci', true],
    ['token:other', false],
  ] as const)
    test(`${scope} ${expected ? 'covers' : 'does not cover'} the call`, () =>
      expect(covers(readScope(scope)!, null, payee, { team: 'a=b' }, 'ci')).toBe(expected))

  test('a key scope with a fingerprint follows the key when its place changes', () => {
    expect(covers(readScope('openrouter#1')!, 'f1', payee, null, null)).toBe(true)
    expect(covers(readScope('openrouter#2')!, 'f9', payee, null, null)).toBe(false)
  })
})
