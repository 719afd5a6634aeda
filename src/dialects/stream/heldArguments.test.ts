import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isWholeObject } from '../fields/toolArguments.ts'
import { HeldArguments } from './heldArguments.ts'

test.each([
  ['an object, from its first field on', ['{', ' ', '"a"', ':1.0', '}'], ['', '', '{ "a"', ':1.0', '}'], '{ "a":1.0}'],
  ['an object behind a placeholder', ['{}', '{"a":', '1}'], ['', '{"a":', '1}'], '{"a":1}'],
  ['an empty object at its end', ['{', '}'], ['', ''], '{}'],
  ['null as an empty object', ['nu', 'll'], ['', ''], '{}'],
  ['JSON within JSON as what it says', ['"{', '}"'], ['', ''], '{}'],
  ['a list as it is', ['[1', '.0]'], ['', ''], '[1.0]'],
])('passes on %s', (_what, pieces, passed, whole) => {
  const held = new HeldArguments()
  expect(pieces.map((piece) => held.add(piece))).toEqual(passed)
  expect(held.whole()).toBe(whole)
})

test('passes on the input of a custom tool whatever it is', () => {
  const held = new HeldArguments(true)
  expect([held.add('null'), held.add(' and void'), held.whole()]).toEqual(['null', ' and void', 'null and void'])
})

/** The same over the whole text at every piece, which is easy to see through and takes the square of its length. */
function passedBySight(pieces: readonly string[]): string[] {
  let text = ''
  let flows = false
  return pieces.map((piece) => {
    text += piece
    if (flows) return piece
    const said = text.replace(/^(?:\s*\{\s*\})+(?=\s*\{)/, '')
    if (!/^\s*\{\s*[^\s}]/.test(said)) return ''
    flows = true
    return said
  })
}

test('looks at each piece once, and sees what a look at the whole text would see', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        '{',
        '}',
        '{}',
        ' ',
        '\n',
        '\u00a0',
        '\ufeff',
        '"a"',
        ':',
        '1',
        '"',
        '\\',
        '\\"',
        '[',
        ']',
        ',',
        'null',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(pieces, (said) => {
      const held = new HeldArguments()
      expect(said.map((piece) => held.add(piece))).toEqual(passedBySight(said))
      expect(held.isWholeObject).toBe(isWholeObject(held.text))
    }),
    { numRuns: 2000 },
  )
})
