import { describe, expect, test } from 'vitest'
import { budgetFrom, budgetId, isIdleBeside } from './budgetRule.ts'
import { readBudgetScope, scopeCovers } from './scope.ts'

const setting = { per: 'day', rolling: false, timezone: 'UTC', hard: true, onExceeded: 'fallback' } as const

describe('budgetFrom()', () => {
  test('counts USD in nano-USD and everything else as it is', () => {
    expect(budgetFrom({ ...setting, scope: 'openrouter', usd: 10 })).toMatchObject({
      unit: 'usd',
      limit: 10_000_000_000,
    })
    expect(budgetFrom({ ...setting, scope: 'all', tokens: 5 })).toMatchObject({ unit: 'tokens', limit: 5 })
    expect(budgetFrom({ ...setting, scope: 'all', usd: 0 })).toMatchObject({ unit: 'usd', limit: 0 })
  })

  test('ignores `rolling` for a total', () => {
    expect(budgetFrom({ ...setting, scope: 'all', usd: 1, per: 'total', rolling: true }).rolling).toBe(false)
  })

  test('rejects what the schema refuses', () => {
    expect(() => budgetFrom({ ...setting, scope: 'label:team', usd: 1 })).toThrow(TypeError)
    expect(() => budgetFrom({ ...setting, scope: 'all' })).toThrow(TypeError)
  })
})

test('budgetId() ties the budget of a key to the key, not to its index', () => {
  expect(budgetId(budgetFrom({ ...setting, scope: 'google#2', usd: 5 }, 'ab12'))).toBe('google@ab12|usd|day|UTC')
})

test('isIdleBeside() finds a budget that never binds because of another with a longer period and no higher limit', () => {
  const day = budgetFrom({ ...setting, scope: 'groq', usd: 10 })
  const month = (usd: number, scope = 'groq') => budgetFrom({ ...setting, scope, usd, per: 'month' })
  expect(isIdleBeside(day, month(10))).toBe(true)
  expect(isIdleBeside(day, month(11))).toBe(false)
  expect(isIdleBeside(month(10), day)).toBe(false)
  expect(isIdleBeside(day, month(1, 'all'))).toBe(false)
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
      expect(scopeCovers(readBudgetScope(scope)!, null, payee, { team: 'a=b' }, 'ci')).toBe(expected))

  test('a key scope with a fingerprint follows the key when its index changes', () => {
    expect(scopeCovers(readBudgetScope('openrouter#1')!, 'f1', payee, null, null)).toBe(true)
    expect(scopeCovers(readBudgetScope('openrouter#2')!, 'f9', payee, null, null)).toBe(false)
  })
})
