/** Parses what an upstream answered: a short answer at once, a long one in slices and within bounds. */

import { jsonInSlices } from '../domain/jsonInSlices.ts'
import { parseJson } from '../domain/parseJson.ts'
import { inTurns } from './inTurns.ts'

/** Longer texts are read in slices, so that other calls are served meanwhile. */
const SLICED = 1024 * 1024
/**
 * Deeper than any answer. Most objects, lists and fields: of the longest answers there are, 2,048 vectors of 3,072
 * numbers, only the numbers are many.
 */
const LIMITS = { maxDepth: 1000, maxParts: 1_000_000, maxElements: 10_000_000 }

/** A promise for a long text. Throws, or rejects with, SyntaxError and RangeError. */
export function parseAnswer(text: string, parse: (text: string) => unknown = parseJson): unknown {
  return text.length <= SLICED ? parse(text) : inTurns(jsonInSlices(text, { ...LIMITS, parse }))
}
