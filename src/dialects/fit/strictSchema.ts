/**
 * Whether OpenAI's strict mode takes a schema: every object closed, every property required.
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */

import { asArray, asRecord } from '../../domain/json.ts'

/**
 * Levels of nesting, properties, values of enums, and characters of the names of properties and definitions, of enums'
 * values and of constants: the same page, under "Limitations" (2026-11-30).
 */
const LIMITS = { levels: 10, properties: 5000, words: 1000, characters: 120_000 } as const
/** What the page lists as supported, and what says nothing of the answer; "'default' is not permitted." */
const TAKEN: ReadonlySet<string> = new Set([
  ...['type', 'properties', 'required', 'additionalProperties', 'items', 'anyOf', 'enum', 'const', '$ref', '$defs'],
  ...['definitions', 'title', 'description', '$schema', 'pattern', 'format', 'minLength', 'maxLength', 'minItems'],
  ...['maxItems', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
])
const FORMATS: ReadonlySet<unknown> = new Set([
  ...['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid', undefined],
])
const MAPS = ['properties', '$defs', 'definitions'] as const

type Schema = Readonly<Record<string, unknown>>

/** The schema, or one that closes its open objects, where strict mode takes it; undefined where it takes neither. */
export function strictForm(schema: Schema): Schema | undefined {
  return [schema, closed(schema, 0)].find(isStrictSchema)
}

/** An object that names its properties and says nothing of others has no others; a map stays one. */
function closed(schema: Schema, depth: number): Schema {
  if (depth > LIMITS.levels * 2) return schema
  const child = (value: unknown) => {
    const record = asRecord(value)
    return record ? closed(record, depth + 1) : value
  }
  const entries = Object.entries(schema).map(([keyword, value]) => {
    const map = MAPS.some((name) => name === keyword) ? asRecord(value) : undefined
    if (map) return [keyword, Object.fromEntries(Object.entries(map).map(([name, one]) => [name, child(one)]))]
    if (keyword === 'anyOf') return [keyword, asArray(value)?.map(child) ?? value]
    return [keyword, keyword === 'items' ? child(value) : value]
  })
  const isOpen = schema['properties'] !== undefined && schema['additionalProperties'] === undefined
  return { ...Object.fromEntries(entries), ...(isOpen && { additionalProperties: false }) }
}

export function isStrictSchema(schema: unknown): boolean {
  const sum = { properties: 0, words: 0, characters: 0 }
  if (!isStrict(schema, sum, 0)) return false
  const { properties, words, characters } = sum
  return properties <= LIMITS.properties && words <= LIMITS.words && characters <= LIMITS.characters
}

/** `sum` counts what the whole schema may hold a certain number of; `levels` are objects within objects. */
function isStrict(schema: unknown, sum: Sum, levels: number): boolean {
  const fields = asRecord(schema)
  if (!fields) return false
  if (!Object.keys(fields).every((keyword) => TAKEN.has(keyword) || fields[keyword] === undefined)) return false
  if (!saysType(fields) || !FORMATS.has(fields['format']) || !isClosed(fields)) return false
  const children = [
    ...MAPS.flatMap((map) => Object.values(asRecord(fields[map]) ?? {})),
    ...(asArray(fields['anyOf']) ?? []),
    ...(fields['items'] === undefined ? [] : [fields['items']]),
  ]
  const here = levels + (fields['properties'] === undefined ? 0 : 1)
  if (here > LIMITS.levels) return false
  add(fields, sum)
  return children.every((child) => isStrict(child, sum, here))
}

interface Sum {
  properties: number
  words: number
  characters: number
}

function add(fields: Schema, sum: Sum): void {
  const names = MAPS.map((map) => Object.keys(asRecord(fields[map]) ?? {}))
  const words = asArray(fields['enum']) ?? []
  sum.properties += names[0]?.length ?? 0
  sum.words += words.length
  for (const text of [...names.flat(), ...words, fields['const']])
    sum.characters += typeof text === 'string' ? text.length : 0
}

/** "schema must have a 'type' key." */
const saysType = ({ type, anyOf, $ref }: Schema) => type !== undefined || anyOf !== undefined || $ref !== undefined

function isClosed({ type, properties, required, additionalProperties }: Schema): boolean {
  const isObject = type === 'object' || (asArray(type)?.includes('object') ?? false) || properties !== undefined
  if (!isObject) return true
  const names = asArray(required) ?? []
  return additionalProperties === false && Object.keys(asRecord(properties) ?? {}).every((name) => names.includes(name))
}
