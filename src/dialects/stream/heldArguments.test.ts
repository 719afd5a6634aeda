import { expect, test } from 'vitest'
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
