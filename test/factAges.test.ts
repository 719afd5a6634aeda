/** Every shipped fact has a date and a source, and the check names those that are too old. */

import { expect, test } from 'vitest'
import { ageReport, oldFacts, shippedFacts } from '../tools/factAges.mjs'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const one = (checkedAt: string) => [{ file: 'src/providers/acme.ts', fact: 'seedLimits', checkedAt, source: 'a page' }]

for (const { checkedAt, says } of [
  { checkedAt: '2026-11-30', says: [] },
  { checkedAt: '2026-09-01', says: [] },
  {
    checkedAt: '2026-08-31',
    says: ['src/providers/acme.ts: seedLimits was read on 2026-08-31, 91 days ago, from a page'],
  },
  { checkedAt: '', says: ['src/providers/acme.ts: seedLimits has no date; say where and when it was read'] },
  { checkedAt: 'Nov 2026', says: ['src/providers/acme.ts: seedLimits has no date; say where and when it was read'] },
  { checkedAt: '2026-09-31', says: ['src/providers/acme.ts: seedLimits has no date; say where and when it was read'] },
  { checkedAt: '2026-12-24', says: ['src/providers/acme.ts: seedLimits is dated in the future (2026-12-24)'] },
])
  test(`a fact dated "${checkedAt}" ${says.length === 0 ? 'passes' : 'fails'} on 2026-11-30`, () => {
    expect(oldFacts(one(checkedAt), NOW)).toEqual(says)
  })

for (const { name, dates, mayBeOld, fails, warns } of [
  { name: 'facts of these weeks pass in silence', dates: ['2026-11-01'], mayBeOld: true, fails: false, warns: false },
  {
    name: 'an old fact fails the check',
    dates: ['2026-08-31', '2026-11-01'],
    mayBeOld: false,
    fails: true,
    warns: false,
  },
  { name: 'an old fact is a warning to CI', dates: ['2026-08-31'], mayBeOld: true, fails: false, warns: true },
  {
    name: 'a fact without a date fails in CI too',
    dates: ['2026-08-31', ''],
    mayBeOld: true,
    fails: true,
    warns: false,
  },
  { name: 'a fact of the future fails in CI too', dates: ['2027-01-31'], mayBeOld: true, fails: true, warns: false },
])
  test(name, () => {
    const report = ageReport(dates.flatMap(one), NOW, { mayBeOld })
    expect(report.fails).toBe(fails)
    expect(report.lines.some((line) => line.startsWith('warning: '))).toBe(warns)
    const isQuiet = !fails && !warns
    expect(report.lines.length > 0).toBe(!isQuiet)
    if (dates.includes('2026-08-31'))
      expect(report.lines.join('\n')).toContain('acme.ts: seedLimits was read on 2026-08-31')
  })

test('every shipped fact says where and when it was read, the price list too', () => {
  const facts = shippedFacts()
  expect(facts.filter(({ checkedAt, source }) => !/^20\d\d-\d\d-\d\d$/.test(checkedAt) || source === '')).toEqual([])
  expect(facts.map(({ fact }) => fact)).toContain('prices of @pydantic/genai-prices 0.1.8, as of 0.2.3')
  expect(facts.length).toBeGreaterThan(30)
})

test('a provider that states models, retirements or prices without a date is found', () => {
  const spec = {
    id: 'acme',
    seedLimits: [],
    models: [{ id: 'a' }, { id: 'b', retired: { on: '2026-01-01' } }],
    tiers: { flex: 1 },
  }
  const undated = shippedFacts([spec as never]).filter(({ checkedAt }) => checkedAt === '')
  expect(undated.map(({ fact }) => fact)).toEqual(['checked.models', 'checked.retirements', 'checked.prices'])
})

test('a model that was read on another day than the others has an age of its own', () => {
  const checked = { models: { source: 'a page', checkedAt: '2026-11-20' } }
  const models = [{ id: 'a' }, { id: 'b', checked: { source: 'an older page', checkedAt: '2026-08-01' } }]
  expect(oldFacts(shippedFacts([{ id: 'acme', seedLimits: [], models, checked } as never]).slice(0, -1), NOW)).toEqual([
    'src/providers/acme.ts: model b was read on 2026-08-01, 121 days ago, from an older page',
  ])
})

test('a price per unit without a date, and where it is told what is left, are found', () => {
  const spec = {
    id: 'acme',
    seedLimits: [],
    models: [],
    unitPrices: [{ price: {} }, { price: { readOn: '2026-01-02' } }],
    balance: [{ path: '/balance', source: 'a page', checkedAt: '2026-01-01' }, { path: '/credits' }],
  }
  expect(oldFacts(shippedFacts([spec as never]).slice(0, -1), NOW)).toEqual([
    'src/providers/acme.ts: unitPrices has no date; say where and when it was read',
    'src/providers/acme.ts: unitPrices was read on 2026-01-02, 332 days ago, from the page named beside it',
    'src/providers/acme.ts: balance of /balance was read on 2026-01-01, 333 days ago, from a page',
    'src/providers/acme.ts: balance of /credits has no date; say where and when it was read',
  ])
})
