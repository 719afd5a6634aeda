/** Vectors as numbers and as base64: 32-bit floats, little endian, as OpenAI writes them. */

import { asArray } from '../../domain/json.ts'

const FLOAT_BYTES = 4

/** As base64; anything but a list of numbers is left as it is. */
export function inBase64(vector: unknown): unknown {
  const numbers = asArray(vector)
  if (numbers === undefined) return vector
  const bytes = Buffer.alloc(numbers.length * FLOAT_BYTES)
  numbers.forEach((number, index) => void bytes.writeFloatLE(Number(number), index * FLOAT_BYTES))
  return bytes.toString('base64')
}

/** As numbers; anything but base64 of whole floats is left as it is. */
export function inNumbers(vector: unknown): unknown {
  if (typeof vector !== 'string') return vector
  const bytes = Buffer.from(vector, 'base64')
  if (bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) return vector
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, index) => bytes.readFloatLE(index * FLOAT_BYTES))
}
