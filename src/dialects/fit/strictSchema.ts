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
const REFUSED = [
  'allOf',
  'oneOf',
  'not',
  'dependentRequired',
  'dependentSchemas',
  'if',
  'then',
  'else',
  'patternProperties',
]

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
  if (REFUSED.some((keyword) => fields[keyword] !== undefined) || !isClosed(fields)) return false
  const children = [
    ...['properties', '$defs', 'definitions'].flatMap((map) => Object.values(asRecord(fields[map]) ?? {})),
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

function add(fields: Readonly<Record<string, unknown>>, sum: Sum): void {
  const names = ['properties', '$defs', 'definitions'].map((map) => Object.keys(asRecord(fields[map]) ?? {}))
  const words = asArray(fields['enum']) ?? []
  sum.properties += names[0]?.length ?? 0
  sum.words += words.length
  for (const text of [...names.flat(), ...words, fields['const']])
    sum.characters += typeof text === 'string' ? text.length : 0
}

function isClosed({ type, properties, required, additionalProperties }: Readonly<Record<string, unknown>>): boolean {
  const isObject = type === 'object' || (asArray(type)?.includes('object') ?? false) || properties !== undefined
  if (!isObject) return type !== undefined || properties === undefined
  const names = asArray(required) ?? []
  return additionalProperties === false && Object.keys(asRecord(properties) ?? {}).every((name) => names.includes(name))
}
