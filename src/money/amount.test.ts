import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addAmounts, formatUsd, MOST_NANO_USD, nanoToUsd, picoToNano, scaled, usdToNano } from './amount.ts'

for (const [value, decimals, expected] of [
  [0.1 + 0.2, 9, 300_000_000],
  ['0.3', 9, 300_000_000],
  [0.0125, 6, 12_500],
  ['1e-7', 9, 100],
  [1e-7, 9, 100],
  ['1.5E3', 0, 1_500],
  ['.5', 0, 1],
  ['0.4999', 0, 0],
  ['-0.5', 0, -1],
  ['-0.1', 0, 0],
  ['1.0000000005', 9, 1_000_000_001],
  ['0.00000000005', 9, 0],
  [' 2 ', 2, 200],
] as const)
  test(`scaled() shifts ${value} by ${decimals} places to ${expected}`, () =>
    expect(scaled(value, decimals)).toBe(expected))

for (const value of ['', '.', 'abc', '1,5', '0x10', '1e', '$5', Number.NaN, Number.POSITIVE_INFINITY, 1e30, '9e400'])
  test(`scaled() finds no exact amount in ${JSON.stringify(value)}`, () => expect(scaled(value, 9)).toBeNull())

test('usdToNano() and nanoToUsd() are inverse to each other for every amount below $9,000', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_000 * 1e9 }), (nano) => {
      expect(usdToNano(nanoToUsd(nano))).toBe(nano)
    }),
  ))

test('scaled() never throws and returns a safe integer or null, whatever the text', () =>
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double().map(String)), fc.integer({ min: 0, max: 12 }), (text, decimals) => {
      const value = scaled(text, decimals)
      expect(value === null || Number.isSafeInteger(value)).toBe(true)
    }),
  ))

for (const [pico, nano] of [
  [499, 0],
  [500, 1],
  [1_499, 1],
  [1_500n, 2],
  [10n ** 25n, MOST_NANO_USD],
] as const)
  test(`picoToNano() rounds ${pico} half up to ${nano}`, () => expect(picoToNano(pico)).toBe(nano))

test('twenty times $0.001 is exactly $0.02', () => {
  let sum = 0
  for (let i = 0; i < 20; i++) sum = addAmounts(sum, usdToNano(0.001) ?? 0)
  expect(sum).toBe(20_000_000)
  expect(nanoToUsd(sum)).toBe(0.02)
  expect(formatUsd(sum)).toBe('$0.02')
})

test('addAmounts() stops at the largest exact amount instead of drifting', () => {
  expect(addAmounts(MOST_NANO_USD, 5)).toBe(MOST_NANO_USD)
})

for (const [nano, text] of [
  [0, '$0.00'],
  [12_340_000_000, '$12.34'],
  [12_345_000_000, '$12.35'],
  [999_999_999, '$1.00'],
  [146_625, '$0.00015'],
  [1, '$0.000000001'],
  [99_990_000, '$0.10'],
  [-1_500_000_000, '-$1.50'],
] as const)
  test(`formatUsd() writes ${nano} nano-USD as ${text}`, () => expect(formatUsd(nano)).toBe(text))
