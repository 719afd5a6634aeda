/**
 * A schema in the form that Claude's structured outputs take, where that says the same or less is allowed by it: objects
 * are closed, alternatives are `anyOf`, and limits it cannot hold an answer to are told in the description, as
 * Anthropic's own SDKs do. https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'

type Schema = Readonly<Record<string, unknown>>

/** Told in words. */
const LIMITS = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties'],
] as const
const LIMIT_NAMES: ReadonlySet<string> = new Set(LIMITS)
/** Says nothing about the answer. */
const SILENT: ReadonlySet<string> = new Set([
  'examples',
  'example',
  '$id',
  '$comment',
  'deprecated',
  'readOnly',
  'writeOnly',
  'propertyOrdering',
])
const MAPS: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions'])
const LISTS: ReadonlySet<string> = new Set(['anyOf', 'allOf'])
// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64

export function closedSchema(schema: Schema, depth = 0): Schema {
  if (depth > MAX_DEPTH) return schema
  const closed: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (SILENT.has(keyword) || LIMIT_NAMES.has(keyword)) continue
    closed[keyword === 'oneOf' && schema['anyOf'] === undefined ? 'anyOf' : keyword] = closedValue(
      keyword,
      value,
      depth,
    )
  }
  const limits = limitsOf(schema)
  if (limits !== '') closed['description'] = [asString(schema['description']), limits].filter(Boolean).join(' ')
  if (isOpenObject(schema)) closed['additionalProperties'] = false
  return closed
}

function closedValue(keyword: string, value: unknown, depth: number): unknown {
  const child = (one: unknown) => {
    const record = asRecord(one)
    return record ? closedSchema(record, depth + 1) : one
  }
  const record = asRecord(value)
  if (MAPS.has(keyword) && record) {
    return Object.fromEntries(Object.entries(record).map(([name, one]) => [name, child(one)]))
  }
  if (LISTS.has(keyword) || keyword === 'oneOf') return asArray(value)?.map(child) ?? value
  return keyword === 'items' ? child(value) : value
}

function limitsOf(schema: Schema): string {
  const said = LIMITS.filter((name) => schema[name] !== undefined).map(
    (name) => `${name}: ${JSON.stringify(schema[name])}`,
  )
  return said.length === 0 ? '' : `{${said.join(', ')}}`
}

/** It names its properties and says nothing of others. */
function isOpenObject({ type, properties, additionalProperties }: Schema): boolean {
  const isObject = type === 'object' || asArray(type)?.includes('object') === true || properties !== undefined
  return isObject && properties !== undefined && additionalProperties === undefined
}
