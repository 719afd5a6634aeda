/** JSON as it may arrive: numbers in every spelling, strings of every character, hostile keys, odd spaces. */

import fc from 'fast-check'

/** One number as it may stand in a JSON text, mostly such as `JSON.parse` changes. */
export const numberTexts: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^-?[1-9]\d{14,30}$/),
  fc.stringMatching(/^-?(0|[1-9]\d{0,18})\.\d{1,25}$/),
  fc.stringMatching(/^-?(0|[1-9]\d{0,3})(\.\d{1,5})?[eE][+-]?\d{1,3}$/),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom('-0', '0', '1.0', '-0.0', '0.10', '9007199254740993', '0.1234567890123456789', '0.0000001'),
  fc.constantFrom('1e999', '-1E-999', '5e-324', '1e-250', '2e-250', '1.5e-250', '100.000000', '1e21'),
)

/** Of any UTF-16: halves of pairs, NUL, line separators, quotes and backslashes. */
export const anyStrings: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('\ud800', '\udc00', '\0', '\u2028', '\u2029', '"', '\\', '\n', '1', '.', '0', '{', '['),
  }),
  fc.constantFrom('1.0', ': 12345678901234567890', '{"a": 1.0}', '[0.10,', '\\', '\\"', '\u{1f600}'),
)

const keys = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'rawJSON', 'toJSON', 'length', '1', '0', '-0', 'a', 'a', ''),
)

const space = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\r\n')

/** The text of a string, sometimes with escapes where none are needed. */
export const stringTexts: fc.Arbitrary<string> = fc
  .tuple(anyStrings, fc.boolean())
  .map(([value, escaped]) => (escaped ? escapedText(value) : JSON.stringify(value)))

function escapedText(value: string): string {
  const units = Array.from({ length: value.length }, (_, at) => value.charCodeAt(at).toString(16).padStart(4, '0'))
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`
}

const listText = (inside: fc.Arbitrary<string>) =>
  fc.tuple(
    fc.array(
      fc.tuple(space, inside, space).map((three) => three.join('')),
      { maxLength: 4 },
    ),
    space,
  )

const { value, object } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { arbitrary: numberTexts, weight: 4 },
    { arbitrary: stringTexts, weight: 2 },
    { arbitrary: fc.constantFrom('true', 'false', 'null'), weight: 1 },
    { arbitrary: tie('list'), weight: 2 },
    { arbitrary: tie('object'), weight: 2 },
  ),
  list: listText(tie('value')).map(([items, before]) => `[${before}${items.join(',')}]`),
  object: listText(
    fc.tuple(keys, space, space, tie('value')).map(([key, before, after, text]) => {
      return `${JSON.stringify(key)}${before}:${after}${text}`
    }),
  ).map(([fields, before]) => `{${before}${fields.join(',')}}`),
}))

/** Any value, and an object, which may say a key twice. */
export const valueTexts: fc.Arbitrary<string> = value
export const objectTexts: fc.Arbitrary<string> = object

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown
interface ExactJson {
  parse(text: string, reviver: Reviver): unknown
  rawJSON(text: string): object
}
const json = JSON as unknown as ExactJson // what node has and TypeScript does not declare

/** Parsed by JavaScript's own means: every number is kept as its source. */
export function exactly(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? json.rawJSON(source) : value,
  )
}

/** The text without its spaces and superfluous escapes, its numbers as they are. */
export function normalText(text: string): string {
  return JSON.stringify(exactly(text))
}

/** Every number of the text, as it is spelled there, in alphabetical order. */
export function numbersIn(text: string): readonly string[] {
  const found: string[] = []
  json.parse(text, (_key, value, { source }) => {
    if (typeof value === 'number' && source !== undefined) found.push(source)
    return value
  })
  return found.sort()
}
