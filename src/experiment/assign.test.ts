import { describe, expect, test } from 'vitest'
import { assign, fraction } from './assign.ts'
import { type Dealing, dealAfresh, dealtByVersion } from './dealing.ts'

const variants = [
  { name: 'a', share: 0.5 },
  { name: 'b', share: 0.2 },
  { name: 'c', share: 0.2 },
]
const experiment = { name: 'tone', version: 1, variants, holdout: 0.1 }
const UNITS = 100_000

function counts(dealing: Dealing, unit: (i: number) => string): number[] {
  const names = [...variants.map(({ name }) => name), null]
  const found = names.map(() => 0)
  for (let i = 0; i < UNITS; i++) found[names.indexOf(assign(dealing, unit(i)))]!++
  return found
}

function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0)
}

describe('assign()', () => {
  test('gives a unit the same variant every time', () => {
    const units = ['s1', 's2', 's3', 's4', 's5', 's6']
    // Fixed for ever: a change of the hash would move users to other variants.
    const before = dealtByVersion(experiment)
    expect(units.map((unit) => assign(before, unit))).toEqual(['c', 'b', 'c', 'a', 'a', 'b'])
    const dealing = dealAfresh(experiment)
    expect(units.map((unit) => assign(dealing, unit))).toEqual(['a', null, 'b', 'a', 'a', 'b'])
  })

  // Chi-square with 3 degrees of freedom exceeds 16.27 once in a thousand times.
  for (const [kind, unit] of [
    ['counting ids', (i: number) => String(i)],
    ['random-looking ids', (i: number) => `req_${(i * 2_654_435_761) % 4_294_967_296}`],
    ['ids with a long common end', (i: number) => `${i}${'-session'.repeat(10)}`],
  ] as const)
    test(`distributes ${kind} by the shares, holdout included`, () => {
      expect(chiSquare(counts(dealAfresh(experiment), unit), [50_000, 20_000, 20_000, 10_000])).toBeLessThan(16.27)
    })

  test('assigns another experiment independently of the first', () => {
    const one = dealAfresh(experiment)
    for (const other of ['tone2', 'tond', 'Tone', 'a', 'greeting'].map((name) => dealAfresh({ ...experiment, name }))) {
      const both = [0, 0, 0, 0]
      for (let i = 0; i < UNITS; i++) {
        const first = assign(one, `u${i}`) === 'a' ? 1 : 0
        const second = assign(other, `u${i}`) === 'a' ? 2 : 0
        both[first + second]!++
      }
      expect(chiSquare(both, [25_000, 25_000, 25_000, 25_000])).toBeLessThan(16.27)
    }
  })

  test('leaves out no unit when shares add up to slightly less than 1', () => {
    const tenths = Array.from({ length: 10 }, (_, i) => ({ name: `v${i}`, share: 0.1 }))
    const dealing = dealAfresh({ name: 'x', variants: tenths, holdout: 0 })
    for (let i = 0; i < 20_000; i++) expect(assign(dealing, `${i}`)).not.toBeNull()
  })
})

test('fraction() is in [0, 1) and uniform over a thousand cells', () => {
  const cells = new Array<number>(1_000).fill(0)
  for (let i = 0; i < UNITS; i++) {
    const place = fraction(`unit-${i}`)
    expect(place >= 0 && place < 1).toBe(true)
    cells[Math.floor(place * 1_000)]!++
  }
  // 999 degrees of freedom: mean 999, standard deviation 44.7.
  expect(
    Math.abs(
      chiSquare(
        cells,
        cells.map(() => 100),
      ) - 999,
    ),
  ).toBeLessThan(4 * 44.7)
})
