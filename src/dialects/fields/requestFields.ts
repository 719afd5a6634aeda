/**
 * Reading a client's request field by field; what is wrong is named as the client spells it. `null` counts as absent.
 */

import type { DialectId, Extra } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asArray, asNumber, asRecord } from '../../domain/json.ts'

export type Fields = Readonly<Record<string, unknown>>

/** What a field must be, for the sentence that says it is not. */
type Wanted = 'a string' | 'a number' | 'true or false' | 'an object' | 'an array'

export function wrong(path: string, problem: string): InvalidRequestError {
  return new InvalidRequestError(`"${path}" ${problem}`, { parameter: path })
}

export function bodyOf(body: unknown): Fields {
  const fields = asRecord(body)
  if (fields === undefined) throw new InvalidRequestError('the request body must be a JSON object')
  return fields
}

export function text(fields: Fields, name: string, at = name): string | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw mustBe(at, 'a string')
}

export function requiredText(fields: Fields, name: string, at = name): string {
  const value = text(fields, name, at)
  if (value === undefined || value === '') throw wrong(at, 'is missing; it must be a string')
  return value
}

export function number(fields: Fields, name: string, at = name): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  const known = asNumber(value)
  if (known === undefined) throw mustBe(at, 'a number')
  return known
}

/** A count of tokens: a whole number of at least 1. */
export function tokens(fields: Fields, name: string, at = name): number | undefined {
  const value = number(fields, name, at)
  if (value !== undefined && (!Number.isInteger(value) || value < 1)) throw wrong(at, 'must be a whole number above 0')
  return value
}

export function flag(fields: Fields, name: string, at = name): boolean | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw mustBe(at, 'true or false')
}

export function object(fields: Fields, name: string, at = name): Fields | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  return objectAt(value, at)
}

export function list(fields: Fields, name: string, at = name): readonly unknown[] | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  const array = asArray(value)
  if (array === undefined) throw mustBe(at, 'an array')
  return array
}

export function texts(fields: Fields, name: string, at = name): readonly string[] | undefined {
  const items = list(fields, name, at)
  if (items === undefined || items.every((item) => typeof item === 'string')) return items
  throw wrong(at, 'must be an array of strings')
}

export function objectAt(value: unknown, at: string): Fields {
  const record = asRecord(value)
  if (record === undefined) throw mustBe(at, 'an object')
  return record
}

function mustBe(path: string, wanted: Wanted): InvalidRequestError {
  return wrong(path, `must be ${wanted}`)
}

/** The fields that `known` does not name, or undefined when there are none. */
export function leftovers(fields: Fields, known: ReadonlySet<string>): Record<string, unknown> | undefined {
  let rest: Record<string, unknown> | undefined
  for (const name of Object.keys(fields)) {
    if (known.has(name) || name === '__proto__') continue
    const value = fields[name]
    if (value === undefined || value === null) continue
    rest ??= {}
    rest[name] = value
  }
  return rest
}

/** `fields` as what only `dialect` understands; nothing when there are none. */
export function extraOf(dialect: DialectId, fields: Fields | undefined): { extra?: Extra } {
  return fields === undefined ? {} : { extra: { dialect, fields } }
}

/** What `dialect` left for itself in `extra`; empty when another dialect wrote it. */
export function ownFields(extra: Extra | undefined, dialect: DialectId): Fields {
  return extra?.dialect === dialect ? extra.fields : NONE
}

const NONE: Fields = Object.freeze({})
