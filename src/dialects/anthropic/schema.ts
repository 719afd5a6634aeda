/**
 * Which JSON Schemas Anthropic can hold an answer to:
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */

import { asRecord } from '../../domain/json.ts'

const KEYWORDS: ReadonlySet<string> = new Set([
  ...['$schema', '$defs', '$ref', 'definitions', 'type', 'title', 'description', 'default', 'enum', 'const'],
  ...['properties', 'required', 'additionalProperties', 'items', 'anyOf', 'allOf', 'format'],
])
const MAPS = ['properties', '$defs', 'definitions'] as const
const LISTS = ['anyOf', 'allOf'] as const
// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64

/**
 * True when every object is closed (`additionalProperties: false`) and only supported keywords occur. Anything else is
 * answered with 400, so such a schema is asked for in words instead.
 */
export function acceptsSchema(schema: unknown, depth = 0): boolean {
  const fields = asRecord(schema)
  if (!fields || depth > MAX_DEPTH) return false
  for (const keyword in fields) if (!KEYWORDS.has(keyword)) return false
  if (isObject(fields) && fields['additionalProperties'] !== false) return false
  if (fields['items'] !== undefined && !acceptsSchema(fields['items'], depth + 1)) return false
  return (
    MAPS.every((name) => acceptsMap(fields[name], depth)) && LISTS.every((name) => acceptsList(fields[name], depth))
  )
}

function isObject(fields: Record<string, unknown>): boolean {
  const type = fields['type']
  return type === 'object' || fields['properties'] !== undefined || (Array.isArray(type) && type.includes('object'))
}

function acceptsMap(map: unknown, depth: number): boolean {
  if (map === undefined) return true
  const schemas = asRecord(map)
  return schemas !== undefined && Object.values(schemas).every((schema) => acceptsSchema(schema, depth + 1))
}

function acceptsList(list: unknown, depth: number): boolean {
  return list === undefined || (Array.isArray(list) && list.every((schema) => acceptsSchema(schema, depth + 1)))
}
