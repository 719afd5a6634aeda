/**
 * Validation errors as a list, pydantic's: `[{ type, loc: ['body', 'name'], msg, ctx }]`, whatever they are wrapped in.
 * https://docs.pydantic.dev/latest/errors/validation_errors/
 */

import type { FieldRefusal } from '../../domain/fieldRefusal.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { pathOfSteps } from './fieldPath.ts'
import { wordsTaken } from './wordsTaken.ts'

const DEEPEST = 6
const MOST_VALUES = 200

export function validationErrors(bodies: readonly unknown[]): readonly FieldRefusal[] {
  const left = { values: MOST_VALUES }
  return bodies.flatMap((body) => errorsIn(body, 0, left)).flatMap((error) => refusalOf(error) ?? [])
}

type Fields = Readonly<Record<string, unknown>>

function errorsIn(value: unknown, depth: number, left: { values: number }): readonly Fields[] {
  if (depth > DEEPEST || left.values-- <= 0) return []
  const record = asRecord(value)
  if (asArray(record?.['loc']) !== undefined && record !== undefined) return [record]
  const inside = record === undefined ? (asArray(value) ?? []) : Object.values(record)
  return inside.flatMap((one) => (typeof one === 'object' && one !== null ? errorsIn(one, depth + 1, left) : []))
}

function refusalOf({ loc, type, msg, ctx }: Fields): FieldRefusal | undefined {
  const path = pathOfSteps(asArray(loc) ?? [])
  if (path === undefined) return undefined
  // The second is version 1's.
  if (type === 'extra_forbidden' || type === 'value_error.extra') return { path, refused: 'field' }
  const most = asNumber(asRecord(ctx)?.['max_length'])
  if (type === 'string_too_long' && most !== undefined) return { path, refused: 'length', most }
  const taken = type === 'literal_error' || type === 'enum' ? wordsTaken(asString(msg) ?? '') : []
  return taken.length === 0 ? undefined : { path, refused: 'value', taken }
}
