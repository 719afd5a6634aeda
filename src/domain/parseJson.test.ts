import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalText, valueTexts } from '../../test/support/jsonTexts.ts'
import { asNumber, asRecord } from './json.ts'
import { parseJson, withPlainNumbers } from './parseJson.ts'

const back = (text: string) => JSON.stringify(parseJson(text))

describe('parseJson() keeps', () => {
  test.each([
    ['whole numbers beyond 2^53', '{"id":2512292042121000001}'],
    ['the first one that a double rounds', '[9007199254740993]'],
    ['more digits than a double has', '[0.1234567890123456789]'],
    ['the point of a whole number', '{"a":1.0,"b":-3.50}'],
    ['exponents as they are spelled', '[1e5,1E+5,1.5e-7,1e999]'],
    ['the sign of zero', '[-0,-0.0]'],
    ['small numbers without an exponent', '[0.0000001]'],
    ['numbers that look like those it uses itself', '[1e-250,1.0,2e-250,3e-250,5e-324]'],
    ['a number that is all', '1.0'],
    ['what a text says beside them', '{"a":"1.0 \\\\\\" 12345678901234567890","b":1.0}'],
    ['keys with a meaning in JavaScript', '{"__proto__":1.0,"constructor":{"__proto__":{"a":2.0}}}'],
  ])('%s', (_what, text) => expect(back(text)).toBe(text))

  test('of a key that is there twice the last, as JSON.parse does', () => {
    expect(back('{"a":1.0,"b":2.0,"a":{"c":3.0}}')).toBe('{"a":{"c":3.0},"b":2.0}')
  })

  test('every number of every text', () => {
    fc.assert(
      fc.property(valueTexts, (text) => {
        expect(back(text)).toBe(normalText(text))
      }),
      { numRuns: 1000 },
    )
  })

  test('nesting deeper than any stack', () => {
    const depth = 100_000
    let value = parseJson(`${'['.repeat(depth)}1.0${']'.repeat(depth)}`)
    for (let level = 0; level < depth; level++) value = (value as unknown[])[0]
    expect(JSON.stringify(value)).toBe('1.0')
  })
})

test('parseJson() refuses what JSON.parse refuses, in the same words', () => {
  const broken = fc
    .tuple(
      valueTexts,
      fc.nat(),
      fc.constantFrom('', '-', '0', '1.', 'e', '.5', '"', ',', '}', '01', '-01', '1.0x', '+'),
    )
    .map(([text, place, piece]) => {
      const at = place % (text.length + 1)
      return text.slice(0, at) + piece + text.slice(at + (place % 2))
    })
  fc.assert(
    fc.property(fc.oneof(broken, fc.constantFrom('[-012]', '[01.0]', '[1.0.0]', '[1.]', '[-]', '[1e]', '')), (text) => {
      expect(errorOf(() => parseJson(text))).toBe(errorOf(() => JSON.parse(text)))
    }),
    { numRuns: 1000 },
  )
})

function errorOf(parse: () => unknown): string | null {
  try {
    parse()
    return null
  } catch (error) {
    return String(error)
  }
}

describe('a number kept as text', () => {
  const [kept, huge] = parseJson('[1.0,1e999]') as unknown[]

  test('is read as the number it is', () => expect(asNumber(kept)).toBe(1))
  test('is no number when it is beyond all', () => expect(asNumber(huge)).toBeUndefined())
  test('is no record', () => expect(asRecord(kept)).toBeUndefined())
  test('is unlike a record that has its field', () => {
    expect(asRecord(JSON.parse('{"rawJSON":"1.0"}'))).toEqual({ rawJSON: '1.0' })
  })
  test('can be made plain', () => expect(withPlainNumbers(parseJson('{"a":[1.0]}'))).toEqual({ a: [1] }))
})
