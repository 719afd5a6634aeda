/** Reads the fields of a client's body, or says which one is wrong. `null` counts as absent, as clients send it. */

import { InvalidRequestError } from '../domain/errors.ts'
import { asArray, asNumber, asRecord, asString } from '../domain/json.ts'

export function wrongField(path: string, expected: string): InvalidRequestError {
  return new InvalidRequestError(`"${path}" must be ${expected}`, { parameter: path })
}

export function needRecord(value: unknown, path: string): Record<string, unknown> {
  const record = asRecord(value)
  if (!record) throw wrongField(path, 'an object')
  return record
}

export function needArray(value: unknown, path: string): readonly unknown[] {
  const array = asArray(value)
  if (!array) throw wrongField(path, 'an array')
  return array
}

/** A string with something in it. */
export function needText(value: unknown, path: string): string {
  if (typeof value !== 'string' || value === '') throw wrongField(path, 'a string that is not empty')
  return value
}

export function optionalRecord(value: unknown, path: string): Record<string, unknown> | undefined {
  return value == null ? undefined : needRecord(value, path)
}

export function optionalArray(value: unknown, path: string): readonly unknown[] | undefined {
  return value == null ? undefined : needArray(value, path)
}

export function optionalString(value: unknown, path: string): string | undefined {
  if (value == null) return undefined
  const text = asString(value)
  if (text === undefined) throw wrongField(path, 'a string')
  return text
}

export function optionalNumber(value: unknown, path: string): number | undefined {
  if (value == null) return undefined
  const number = asNumber(value)
  if (number === undefined) throw wrongField(path, 'a number')
  return number
}

/** A count of tokens or the like: a whole number from `least` up. */
export function optionalCount(value: unknown, path: string, least = 0): number | undefined {
  const number = optionalNumber(value, path)
  if (number === undefined) return undefined
  if (!Number.isSafeInteger(number) || number < least) throw wrongField(path, `a whole number of at least ${least}`)
  return number
}

export function optionalBoolean(value: unknown, path: string): boolean | undefined {
  if (value == null) return undefined
  if (typeof value !== 'boolean') throw wrongField(path, 'true or false')
  return value
}

export function optionalStrings(value: unknown, path: string): readonly string[] | undefined {
  const array = optionalArray(value, path)
  if (!array) return undefined
  if (!array.every((item): item is string => typeof item === 'string')) throw wrongField(path, 'an array of strings')
  return array
}
