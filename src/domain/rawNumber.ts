/**
 * Numbers that JavaScript's own would change: 2512292042121000001 becomes …000, 1.0 becomes 1. They are kept as the text
 * that was sent, in the form that `JSON.stringify` writes unchanged: https://github.com/tc39/proposal-json-parse-with-source
 */

/** A frozen object without a prototype, recognised by `JSON.isRawJSON` and not by its shape. */
interface RawNumber {
  readonly rawJSON: string
}

/** In every node from 22 on; TypeScript does not declare them yet. */
interface RawJsonMethods {
  rawJSON(text: string): RawNumber
  isRawJSON(value: object): boolean
}

const json = JSON as JSON & RawJsonMethods // see above

/** `source` is one JSON number. */
export function rawNumber(source: string): RawNumber {
  return json.rawJSON(source)
}

/** Asks for the field first, which is far cheaper and false of nearly every object. */
export function isRawNumber(value: object): value is RawNumber {
  return 'rawJSON' in value && json.isRawJSON(value)
}
