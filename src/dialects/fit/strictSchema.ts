/**
 * Whether OpenAI's strict mode takes a schema: every object closed, every property required.
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
 */

import { asArray, asRecord } from '../../domain/json.ts'

// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64
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

export function isStrictSchema(schema: unknown, depth = 0): boolean {
  const fields = asRecord(schema)
  if (!fields || depth > MAX_DEPTH) return false
  if (REFUSED.some((keyword) => fields[keyword] !== undefined) || !isClosed(fields)) return false
  const children = [
    ...['properties', '$defs', 'definitions'].flatMap((map) => Object.values(asRecord(fields[map]) ?? {})),
    ...(asArray(fields['anyOf']) ?? []),
    ...(fields['items'] === undefined ? [] : [fields['items']]),
  ]
  return children.every((child) => isStrictSchema(child, depth + 1))
}

function isClosed({ type, properties, required, additionalProperties }: Readonly<Record<string, unknown>>): boolean {
  const isObject = type === 'object' || (asArray(type)?.includes('object') ?? false) || properties !== undefined
  if (!isObject) return type !== undefined || properties === undefined
  const names = asArray(required) ?? []
  return additionalProperties === false && Object.keys(asRecord(properties) ?? {}).every((name) => names.includes(name))
}
