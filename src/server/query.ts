/** Reads the parameters of a query: each given once, of the kind and in the range that is documented, or a 400. */

import { InvalidRequestError } from '../domain/errors.ts'

/** Both ends belong to it. */
export interface WholeRange {
  readonly least: number
  readonly most: number
}

/** No name, id or time is as long as this. */
const MOST_CHARACTERS = 1000
/** In decimal digits alone: no sign, point, exponent, blank, other base or leading zero. */
const WHOLE = /^(?:0|[1-9]\d{0,14})$/

/** The parameter's text; null where it is not given. Throws InvalidRequestError where it is given twice or far too long. */
export function textIn(query: URLSearchParams, name: string): string | null {
  const texts = query.getAll(name)
  if (texts.length > 1) throw wrongParameter(name, 'is given more than once; give it once')
  const [text = null] = texts
  if (text !== null && text.length > MOST_CHARACTERS)
    throw wrongParameter(name, `is longer than ${MOST_CHARACTERS} characters`)
  return text
}

/** A whole number in a range; null where it is not given. Throws InvalidRequestError that names the range. */
export function wholeIn(query: URLSearchParams, name: string, { least, most }: WholeRange): number | null {
  const text = textIn(query, name)
  if (text === null) return null
  const number = WHOLE.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw wrongParameter(name, `must be a whole number from ${least} to ${most}`)
}

/** `true` or `false`; false where it is not given. */
export function flagIn(query: URLSearchParams, name: string): boolean {
  const text = textIn(query, name)
  if (text === null || text === 'false') return false
  if (text === 'true') return true
  throw wrongParameter(name, 'must be true or false')
}

export function wrongParameter(name: string, what: string): InvalidRequestError {
  return new InvalidRequestError(`"${name}" ${what}`, { parameter: name })
}
