import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepseek } from '../../providers/deepseek.ts'
import { openrouter } from '../../providers/openrouter.ts'
import type { BalanceSource } from '../../providers/provider.ts'
import { readBalance } from './balance.ts'

const NOW = Date.parse('2026-11-30T14:00:00Z')
const USD = 1_000_000_000
const [key, credits] = openrouter.balance as [BalanceSource, BalanceSource] // both are in the catalogue
const [user] = deepseek.balance as [BalanceSource]

const limited = (facts: object) => ({
  data: { label: 'sk-or-v1-au7...890', usage: 25.5, is_free_tier: false, ...facts },
})

describe('readBalance()', () => {
  test('reads the limit of a key and when it begins anew', () => {
    for (const [limit_reset, day] of [
      ['daily', '2026-12-01'],
      ['weekly', '2026-12-07'],
      ['monthly', '2026-12-01'],
      ['yearly', null],
      [null, null],
    ] as const)
      expect(readBalance(limited({ limit: 100, limit_remaining: 74.5, limit_reset }), key, NOW)).toEqual({
        credits: [
          {
            currency: 'USD',
            left: 74.5 * USD,
            limit: 100 * USD,
            resetsAt: day === null ? null : Date.parse(`${day}T00:00:00Z`),
          },
        ],
        available: null,
      })
  })

  test('reads nothing of a key without a limit', () => {
    const body = limited({ limit: null, limit_remaining: null, limit_reset: null })
    expect(readBalance(body, key, NOW)).toEqual({ credits: [], available: null })
  })

  test('takes what was used from what was paid, to the last digit', () => {
    const body = { data: { total_credits: 100.5, total_usage: 25.7515644762 } }
    expect(readBalance(body, credits, NOW).credits).toEqual([
      { currency: 'USD', left: 74_748_435_524, limit: null, resetsAt: null },
    ])
  })

  test('reads each currency for itself', () => {
    const body = {
      is_available: true,
      balance_infos: [
        { currency: 'CNY', total_balance: '110.00', granted_balance: '10.00', topped_up_balance: '100.00' },
        { currency: 'USD', total_balance: '0.07', granted_balance: '0.00', topped_up_balance: '0.07' },
        { currency: 'USD', total_balance: '5.00' },
      ],
    }
    expect(readBalance(body, user, NOW)).toEqual({
      credits: [
        { currency: 'CNY', left: 110 * USD, limit: null, resetsAt: null },
        { currency: 'USD', left: 70_000_000, limit: null, resetsAt: null },
      ],
      available: true,
    })
  })

  test.each([
    ['a text', 'ok'],
    ['no object', null],
    ['an error', { error: { message: 'no' } }],
    ['an amount that is none', { is_available: 'yes', balance_infos: [{ currency: 'USD', total_balance: 'much' }] }],
    ['an amount too large to be exact', { balance_infos: [{ currency: 'USD', total_balance: '1e30' }] }],
    ['a currency that is none', { balance_infos: [{ currency: 'sk-or-v1-abc', total_balance: '1' }] }],
    ['a list that is none', { balance_infos: { currency: 'USD', total_balance: '1' } }],
  ])('reads nothing from %s', (_, body) => {
    for (const source of [key, credits, user])
      expect(readBalance(body, source, NOW)).toEqual({ credits: [], available: null })
  })

  test('never throws, and tells only amounts that are exact', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const body = { data: one, balance_infos: [{ currency: 'USD', total_balance: other }, one], is_available: other }
        for (const source of [key, credits, user])
          for (const { left } of readBalance(body, source, NOW).credits) expect(Number.isSafeInteger(left)).toBe(true)
      }),
    )
  })
})
