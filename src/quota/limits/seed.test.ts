import { expect, test } from 'vitest'
import { targetOf } from '../../../test/support/quotaFixtures.ts'
import { poolsOf } from './pool.ts'
import { coversModel, publishedFor, type QuotaSeed } from './seed.ts'

const free: QuotaSeed = {
  model: '*:free',
  unit: 'requests',
  window: 'day',
  limit: 50,
  scope: 'account',
  checkedAt: '2026-10-17',
}

for (const [pattern, model, expected] of [
  ['gpt-oss-120b', 'gpt-oss-120b', true],
  ['gpt-oss-120b', 'gpt-oss-20b', false],
  ['*', '', true],
  ['*:free', 'x/y:free', true],
  ['*:free', ':fre', false],
  ['gemini-*-flash*', 'gemini-3.5-flash-lite', true],
  ['a*a', 'a', false],
  ['a*b*c', 'acb', false],
  ['**', 'anything', true],
] as const)
  test(`the pattern ${pattern} ${expected ? 'covers' : 'does not cover'} "${model}"`, () =>
    expect(coversModel(pattern, model)).toBe(expected))

const first = targetOf({ fingerprint: 'f1', account: 'prov:team' })
const second = targetOf({ fingerprint: 'f2', account: 'prov:team' })
const stranger = targetOf({ fingerprint: 'f3' })
const otherModel = targetOf({ fingerprint: 'f1', account: 'prov:team', model: 'large' })

for (const [scope, withSecond, withStranger] of [
  ['key', false, false],
  ['account', true, false],
  ['account+model', true, false],
  ['ip', true, true],
] as const)
  test(`counted by ${scope}, a key ${withSecond ? 'shares' : 'does not share'} with its account and ${withStranger ? 'shares' : 'does not share'} with other accounts`, () => {
    expect(poolsOf(first, scope).wide === poolsOf(second, scope).wide).toBe(withSecond)
    expect(poolsOf(first, scope).narrow === poolsOf(second, scope).narrow).toBe(withSecond)
    expect(poolsOf(first, scope).wide === poolsOf(stranger, scope).wide).toBe(withStranger)
    expect(poolsOf(first, scope).wide).toBe(poolsOf(otherModel, scope).wide)
    expect(poolsOf(first, scope).narrow).not.toBe(poolsOf(otherModel, scope).narrow)
  })

test('models that a provider counts together share a pool separate from its other models', () => {
  const names = (model: string) => poolsOf(targetOf({ model }), 'account', [free]).wide
  expect(names('a:free')).toBe(names('b:free'))
  expect(names('a:free')).not.toBe(names('a'))
})

test('publishedFor() takes one limit for each unit and window: what was checked last, then what names the model best', () => {
  const seed = { unit: 'requests', window: 'day', scope: 'account', checkedAt: '2026-09-18' } as const
  const all = { ...seed, model: '*', limit: 1 }
  const some = { ...seed, model: 'a*', limit: 2 }
  const newer = { ...seed, model: '*', limit: 3, checkedAt: '2026-11-30' }
  const minute = { ...seed, model: '*', limit: 4, window: 'minute' } as const
  const limits = (...seeds: Parameters<typeof publishedFor>[1]) => publishedFor('ab', seeds).map(({ limit }) => limit)
  expect(limits(all, some)).toEqual([2])
  expect(limits(some, all)).toEqual([2])
  expect(limits(some, newer, minute)).toEqual([3, 4])
  expect(limits({ ...all, model: 'b*' })).toEqual([])
})
