/**
 * A schema of something that is no object, as the schema of an object that holds it: OpenAI's dialects take objects only
 * ("schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level"), and Gemini's
 * clients like to ask for lists. https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { resolved } from './objectSchema.ts'

type Schema = Readonly<Record<string, unknown>>

/** The field of the object that holds the answer. */
export const ANSWER = 'answer'

const DEFINITIONS = ['$defs', 'definitions'] as const
const PLACE = `#/properties/${ANSWER}`
// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64

/** Undefined where the schema is of an object already, or says nothing of what it is of. */
export function wrappedSchema(schema: Schema): Schema | undefined {
  if (isOfObject(schema)) return undefined
  const kept = DEFINITIONS.filter((name) => schema[name] !== undefined).map((name) => [name, schema[name]])
  const definitions: Schema = Object.fromEntries(kept)
  const inner = Object.entries(schema).filter(([name]) => definitions[name] === undefined && name !== '$schema')
  return {
    type: 'object',
    properties: { [ANSWER]: moved(Object.fromEntries(inner), 0) },
    required: [ANSWER],
    additionalProperties: false,
    ...asRecord(moved(definitions, 0)),
  }
}

function isOfObject(schema: Schema): boolean {
  const { type, $ref } = schema
  if (['anyOf', 'oneOf', 'enum', 'const'].some((name) => schema[name] !== undefined)) return false
  if (type !== undefined) return type === 'object'
  const referred = asString($ref) === undefined ? undefined : asRecord(resolved(schema, $ref as string)) // checked beside it
  return referred === undefined || asString(referred['$ref']) !== undefined || isOfObject(referred)
}

/** With references that still find what they name: definitions stay where they are, the rest is one step deeper. */
function moved(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return value
  const list = asArray(value)
  if (list !== undefined) return list.map((one) => moved(one, depth + 1))
  const record = asRecord(value)
  if (record === undefined) return value
  return Object.fromEntries(
    Object.entries(record).map(([name, one]) => [
      name,
      name === '$ref' && typeof one === 'string' ? movedReference(one) : moved(one, depth + 1),
    ]),
  )
}

function movedReference(reference: string): string {
  const isInside = reference === '#' || reference.startsWith('#/')
  const isDefinition = DEFINITIONS.some((name) => reference.startsWith(`#/${name}/`))
  return isInside && !isDefinition ? PLACE + reference.slice(1) : reference
}
