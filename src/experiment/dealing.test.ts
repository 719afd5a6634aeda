import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assign } from './assign.ts'
import { type Dealing, dealAfresh, dealAgain, movedShare, readDealing, WHOLE } from './dealing.ts'

interface Shares {
  readonly variants: readonly { readonly name: string; readonly share: number }[]
  readonly holdout: number
}

/** Shares in thousandths, by name; `-` is the holdout. */
function sharesOf(text: string): Shares {
  const entries = text.split(' ').map((part) => part.split('=') as [string, string])
  const variants = entries.flatMap(([name, size]) => (name === '-' ? [] : [{ name, share: Number(size) / 1000 }]))
  return { variants, holdout: Number(entries.find(([name]) => name === '-')?.[1] ?? 0) / 1000 }
}

const deal = (text: string) => dealAfresh({ name: 'race', ...sharesOf(text) })

/** Who has how much, in thousandths. */
function sizes({ parts }: Dealing): Record<string, number> {
  const found: Record<string, number> = {}
  let from = 0
  for (const { upTo, variant } of parts) {
    found[variant ?? '-'] = (found[variant ?? '-'] ?? 0) + (upTo - from) / (WHOLE / 1000)
    from = upTo
  }
  return found
}

describe('an edit moves', () => {
  for (const [before, after, moved] of [
    ['now=800 new=200', 'now=700 new=300', 0.1],
    ['now=500 new=300 -=200', 'now=500 new=500', 0.2],
    ['a=500 b=300 c=200', 'a=400 b=300 c=300', 0.1],
    ['a=300 b=300 c=300 -=100', 'a=250 b=300 c=300 -=150', 0.05],
    ['a=500 b=500', 'a=400 b=400 c=200', 0.2],
    ['a=400 b=400 c=200', 'a=500 b=500', 0.2],
    ['a=400 b=400 c=200', 'a=600 c=400', 0.4],
    ['a=500 b=300 c=200', 'c=200 a=500 b=300', 0],
    ['a=500 b=500', 'x=500 y=500', 1],
  ] as const)
    test(`${moved * 100} % of the units from "${before}" to "${after}"`, () => {
      const one = deal(before)
      const other = dealAgain(one, sharesOf(after))
      expect(movedShare(one, other)).toBeCloseTo(moved, 9)
      let count = 0
      for (let i = 0; i < 20_000; i++) if (assign(one, `u${i}`) !== assign(other, `u${i}`)) count++
      // Four standard deviations.
      expect(Math.abs(count / 20_000 - moved)).toBeLessThanOrEqual(4 * Math.sqrt((moved * (1 - moved)) / 20_000))
    })

  test('nobody where a variant has another name only', () => {
    const one = deal('now=500 new=500')
    const renamed = new Map([['new', 'newer']])
    const other = dealAgain(one, sharesOf('now=500 newer=500'), renamed)
    expect(movedShare(one, other, renamed)).toBe(0)
  })

  test('any units back when it is taken back', () => {
    const one = deal('a=500 b=300 c=100 -=100')
    const back = dealAgain(dealAgain(one, sharesOf('a=200 b=300 c=500')), sharesOf('a=500 b=300 c=100 -=100'))
    expect(movedShare(one, back)).toBe(0)
  })
})

/** Shares of up to five variants, named from a to e in any order, and a holdout. */
const anyShares = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 2, maxLength: 5 }),
    fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 6, maxLength: 6 }),
    fc.boolean(),
  )
  .map(([names, weights, hasHoldout]): Shares => {
    const all = names.map((_, index) => weights[index] ?? 1)
    const last = hasHoldout ? (weights[5] ?? 1) : 0
    const sum = all.reduce((a, b) => a + b, last)
    return { variants: names.map((name, index) => ({ name, share: (all[index] ?? 0) / sum })), holdout: last / sum }
  })

test('after any edits every share is met, and each edit moves no more than it must', () => {
  fc.assert(
    fc.property(fc.array(anyShares, { minLength: 2, maxLength: 8 }), ([first, ...edits]) => {
      let dealing = dealAfresh({ name: 'race', ...(first as Shares) })
      for (const edit of edits) {
        const before = sizes(dealing)
        const after = dealAgain(dealing, edit)
        const wanted = { ...Object.fromEntries(edit.variants.map((one) => [one.name, one.share])), '-': edit.holdout }
        let least = 0
        for (const [name, share] of Object.entries(wanted)) {
          expect((sizes(after)[name] ?? 0) / 1000).toBeCloseTo(share, 8)
          least += Math.max(0, share - (before[name] ?? 0) / 1000)
        }
        expect(movedShare(dealing, after)).toBeCloseTo(least, 7)
        expect(readDealing(JSON.parse(JSON.stringify(after)))).toEqual(after)
        dealing = after
      }
    }),
    { numRuns: 100 },
  )
})

test('of 20,000 units as many change their variant as must, within the error of sampling', () => {
  const UNITS = 20_000
  fc.assert(
    fc.property(anyShares, anyShares, (first, edit) => {
      const [one, moved] = [dealAfresh({ name: 'race', ...first }), new Map<string | null, number>()]
      const other = dealAgain(one, edit)
      for (let i = 0; i < UNITS; i++) {
        const variant = assign(other, `u${i}`)
        if (variant !== assign(one, `u${i}`)) moved.set(variant, (moved.get(variant) ?? 0) + 1)
      }
      const [before, after] = [sizes(one), sizes(other)]
      for (const name of [...edit.variants.map((variant) => variant.name), null]) {
        const gain = Math.max(0, (after[name ?? '-'] ?? 0) - (before[name ?? '-'] ?? 0)) / 1000
        // Five standard deviations, of some hundred comparisons.
        const error = 5 * Math.sqrt((gain * (1 - gain)) / UNITS)
        expect(Math.abs((moved.get(name) ?? 0) / UNITS - gain)).toBeLessThanOrEqual(error + 1e-9)
      }
    }),
    { numRuns: 15 },
  )
})

test('two experiments stay independent of each other after edits of both', () => {
  const one = dealAgain(deal('a=500 b=300 c=200'), sharesOf('a=300 b=300 c=400'))
  const other = dealAgain(dealAfresh({ name: 'tone', ...sharesOf('a=200 b=800') }), sharesOf('b=500 a=500'))
  const cells = new Map<string, number>()
  const UNITS = 30_000
  for (let i = 0; i < UNITS; i++) {
    const cell = `${assign(one, `u${i}`)} ${assign(other, `u${i}`)}`
    cells.set(cell, (cells.get(cell) ?? 0) + 1)
  }
  let chiSquare = 0
  for (const [cell, count] of cells) {
    const [first = '', second = ''] = cell.split(' ')
    const expected = (UNITS * (sizes(one)[first] ?? 0) * (sizes(other)[second] ?? 0)) / 1e6
    chiSquare += (count - expected) ** 2 / expected
  }
  // 5 degrees of freedom: 20.5 is exceeded once in a thousand times.
  expect(cells.size).toBe(6)
  expect(chiSquare).toBeLessThan(20.5)
})

test('what a damaged store has in the place of a dealing is none', () => {
  for (const stored of [
    null,
    {},
    { salt: 'race', parts: [] },
    { salt: 'race', parts: [{ upTo: 5, variant: 'a' }] },
    { salt: 'race', parts: [null] },
    { salt: 'race', parts: [{ upTo: WHOLE, variant: 7 }] },
    { salt: 7, parts: [{ upTo: WHOLE, variant: 'a' }] },
    {
      salt: 'race',
      parts: [
        { upTo: WHOLE, variant: 'a' },
        { upTo: WHOLE, variant: 'b' },
      ],
    },
  ])
    expect(readDealing(stored)).toBeUndefined()
})
