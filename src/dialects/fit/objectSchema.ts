/**
 * Arguments as the vendors take them: an object that names its properties, without alternatives at the top. OpenAI:
 * "object schema missing properties", "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not'
 * at the top level"; Anthropic: "input_schema does not support oneOf, allOf, or anyOf at the top level".
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'

type Schema = Readonly<Record<string, unknown>>

export function objectSchema(schema: Schema): Schema {
  const { anyOf, oneOf, allOf, $ref, ...own } = schema
  const referred = asString($ref) === undefined ? undefined : resolved(schema, $ref as string) // checked beside it
  const others = records([referred, ...(asArray(allOf) ?? [])])
  const variants = records([...(asArray(anyOf) ?? []), ...(asArray(oneOf) ?? [])])
  if (others.length === 0 && variants.length === 0) return isWhole(schema) ? schema : filled(schema)
  const merged = [...others, ...(variants.length > 0 ? [oneFor(variants.map((part) => objectSchema(part)))] : [])]
  return filled(merged.reduce((one, other) => merge(one, objectSchema(other)), own))
}

function records(values: readonly unknown[]): Schema[] {
  return values.map(asRecord).filter((record) => record !== undefined)
}

function isWhole({ type, properties }: Schema): boolean {
  return type === 'object' && asRecord(properties) !== undefined
}

function filled(schema: Schema): Schema {
  return { ...schema, type: 'object', properties: asRecord(schema['properties']) ?? {} }
}

/** A definition in the same schema: `#/$defs/Name`. */
export function resolved(schema: Schema, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  let found: unknown = schema
  for (const step of reference.slice(2).split('/')) {
    found = asRecord(found)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  return asRecord(found)?.['$ref'] === reference ? undefined : found
}

/** Both hold. */
function merge(one: Schema, other: Schema): Schema {
  const required = [...new Set([...(asArray(one['required']) ?? []), ...(asArray(other['required']) ?? [])])]
  return {
    ...other,
    ...one,
    properties: { ...asRecord(other['properties']), ...asRecord(one['properties']) },
    ...(required.length > 0 && { required }),
  }
}

/** An object that every variant satisfies: all properties, of which only those that all demand are required. */
function oneFor(variants: readonly Schema[]): Schema {
  const [first, ...rest] = variants.map((variant) => asArray(variant['required']) ?? [])
  const required = (first ?? []).filter((name) => rest.every((names) => names.includes(name)))
  const closed = variants.every((variant) => variant['additionalProperties'] === false)
  return {
    type: 'object',
    properties: Object.assign({}, ...variants.map((variant) => asRecord(variant['properties']))),
    ...(required.length > 0 && { required }),
    ...(closed && { additionalProperties: false }),
  }
}
