import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FormScanner } from './formScanner.ts'

const BOUNDARY = 'xxBOUNDARYxx'
const part = (head: string, value: string) =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`
const END = `--${BOUNDARY}--\r\n`

/** Name, value, text of every field, read in these pieces. */
function read(bytes: Buffer, cuts: readonly number[]) {
  const scanner = new FormScanner(BOUNDARY)
  const places = [0, ...cuts, bytes.length]
  for (const [index, place] of places.slice(1).entries()) scanner.push(bytes.subarray(places[index] ?? 0, place))
  const { fields, firstPart } = scanner.end()
  return {
    firstPart,
    fields: [...fields].map(([name, { start, end, text }]) => [name, bytes.toString('latin1', start, end), text]),
  }
}

const form = (text: string) => Buffer.from(text, 'latin1')

test('a form cut at any byte says the same', () => {
  const almost = `\r\n--${BOUNDARY.slice(0, -1)}`
  const bytes = form(
    `preamble\r\n${part('name="model"', 'own/ear')}${part('name=empty', '')}${part('name="file"; filename="a"', `x${almost}\r\n--y${almost}`)}${END}`,
  )
  const expected = {
    firstPart: 10,
    fields: [
      ['model', 'own/ear', 'own/ear'],
      ['empty', '', ''],
      ['file', `x${almost}\r\n--y${almost}`, `x${almost}\r\n--y${almost}`],
    ],
  }
  for (let cut = 0; cut <= bytes.length; cut++) expect(read(bytes, [cut])).toEqual(expected)
  expect(read(bytes, Array.from(bytes.keys()))).toEqual(expected)
})

test('any fields in any pieces are found where they are', () => {
  // Made of what a boundary is made of, so that parts of one come up often.
  const value = fc
    .array(fc.constantFrom('\r', '\n', '-', '--', `\r\n--${BOUNDARY.slice(0, 5)}`, 'x', 'B', '\u00ff'), {
      maxLength: 30,
    })
    .map((pieces) => pieces.join(''))
    .filter((text) => !`\r\n${text}\r\n`.includes(`\r\n--${BOUNDARY}`))
  const cut = fc.array(fc.nat(2000), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), cut, (values, wanted) => {
      const bytes = form(values.map((text, index) => part(`name="f${index}"`, text)).join('') + END)
      const cuts = wanted.filter((place) => place < bytes.length).sort((one, other) => one - other)
      expect(read(bytes, cuts).fields.map(([, text]) => text)).toEqual(values)
    }),
    { numRuns: 500 },
  )
})

test('a value longer than any that is read is found, and not kept', () => {
  const long = 'x'.repeat(1001)
  const bytes = form(part('name="a"', 'x'.repeat(1000)) + part('name="b"', long) + END)
  for (const cuts of [[], Array.from(bytes.keys())])
    expect(read(bytes, cuts).fields).toEqual([
      ['a', 'x'.repeat(1000), 'x'.repeat(1000)],
      ['b', long, null],
    ])
})

describe('what is no form is said to be none', () => {
  test.each([
    ['nothing', '', /ends before/],
    ['no closing boundary', part('name="a"', 'b'), /ends before/],
    [
      'another boundary',
      part('name="a"', 'b').replaceAll(BOUNDARY, 'other') + END.replace(BOUNDARY, 'other'),
      /ends before/,
    ],
    ['a boundary inside a line', `x${END}`, /ends before/],
    ['a head without end', `--${BOUNDARY}\r\n${'x'.repeat(20_000)}\r\n\r\nv\r\n${END}`, /a part has no value/],
    ['too many parts', part('name="a"', 'b').repeat(201) + END, /more than 200 parts/],
  ])('%s', (_, text, why) => {
    const scanner = new FormScanner(BOUNDARY)
    for (let at = 0; at < text.length; at += 1000) scanner.push(form(text.slice(at, at + 1000)))
    expect(() => scanner.end()).toThrow(why)
  })
})
