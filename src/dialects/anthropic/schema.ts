/**
 * Which JSON Schemas Anthropic can hold an answer to:
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'

type Schema = Readonly<Record<string, unknown>>

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
export function acceptsSchema(schema: Schema): boolean {
  return isSupported(schema) && !isCircular(schema)
}

function isSupported(schema: unknown, depth = 0): boolean {
  const fields = asRecord(schema)
  if (!fields || depth > MAX_DEPTH) return false
  for (const keyword in fields) if (!KEYWORDS.has(keyword)) return false
  if (isObject(fields) && fields['additionalProperties'] !== false) return false
  if (fields['items'] !== undefined && !isSupported(fields['items'], depth + 1)) return false
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
  return schemas !== undefined && Object.values(schemas).every((schema) => isSupported(schema, depth + 1))
}

function acceptsList(list: unknown, depth: number): boolean {
  return list === undefined || (Array.isArray(list) && list.every((schema) => isSupported(schema, depth + 1)))
}

/** "Circular reference detected in schema definitions". */
function isCircular(schema: Schema): boolean {
  const definitions = new Map<string, readonly string[]>([
    ['#', refsIn({ ...schema, $defs: undefined, definitions: undefined })],
  ])
  for (const map of ['$defs', 'definitions']) {
    for (const [name, child] of Object.entries(asRecord(schema[map]) ?? {}))
      definitions.set(`#/${map}/${name}`, refsIn(child))
  }
  return [...definitions.keys()].some((name) => reaches(name, name, definitions, new Set()))
}

function reaches(from: string, to: string, graph: ReadonlyMap<string, readonly string[]>, seen: Set<string>): boolean {
  if (seen.has(from)) return false
  seen.add(from)
  return (graph.get(from) ?? []).some((next) => next === to || reaches(next, to, graph, seen))
}

function refsIn(value: unknown, depth = 0): readonly string[] {
  if (depth > MAX_DEPTH) return []
  const own = asString(asRecord(value)?.['$ref'])
  const children = asArray(value) ?? Object.values(asRecord(value) ?? {})
  return [...(own === undefined ? [] : [own]), ...children.flatMap((child) => refsIn(child, depth + 1))]
}
