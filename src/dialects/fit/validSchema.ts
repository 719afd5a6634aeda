/**
 * A schema as JSON Schema 2020-12 defines it. Upstreams check it ("JSON schema is invalid. It must match JSON Schema draft
 * 2020-12"); clients send older drafts, null for what is not there, and Gemini's numbers as texts.
 */

import { asArray, asRecord } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'

type Schema = Readonly<Record<string, unknown>>

const TYPES: ReadonlySet<unknown> = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'])
const COUNTS = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])
const TEXTS = new Set(['title', 'description', 'pattern', 'format', '$ref', '$id', '$schema', '$comment'])
const SCHEMAS = new Set(['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'])
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64

export function validSchema(schema: Schema, depth = 0): Schema {
  if (depth > MAX_DEPTH) return {}
  const valid: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    const written = validValue(keyword, value, depth)
    if (written !== undefined) valid[keyword] = written
  }
  return withDraft4(valid, schema, depth)
}

/** Undefined for what says nothing. */
function validValue(keyword: string, value: unknown, depth: number): unknown {
  if (value === null && keyword !== 'const' && keyword !== 'default') return undefined
  if (keyword === 'type') return validType(value)
  if (keyword === 'required') return validRequired(value)
  if (COUNTS.has(keyword)) return typeof value === 'string' ? countIn(value) : value
  if (TEXTS.has(keyword)) return typeof value === 'string' ? value : undefined
  // Gemini's own words, which `openApiToJsonSchema` has said in others.
  if (keyword === 'nullable' || keyword === 'propertyOrdering') return undefined
  return validChildren(keyword, value, depth)
}

function validChildren(keyword: string, value: unknown, depth: number): unknown {
  const record = asRecord(value)
  if (SCHEMAS.has(keyword)) return record ? validSchema(record, depth + 1) : value
  if (MAPS.has(keyword) && record) {
    return Object.fromEntries(Object.entries(record).map(([name, child]) => [name, validChild(child, depth)]))
  }
  return LISTS.has(keyword) ? asArray(value)?.map((child) => validChild(child, depth)) : value
}

function validChild(child: unknown, depth: number): unknown {
  const record = asRecord(child)
  if (record) return validSchema(record, depth + 1)
  return typeof child === 'boolean' ? child : {}
}

/** `any`, and whatever else is no type, allows everything, as no type does. */
function validType(value: unknown): unknown {
  const list = asArray(value)
  if (list === undefined) return TYPES.has(value) ? value : undefined
  const known = [...new Set(list.filter((type) => TYPES.has(type)))]
  return known.length === list.length && known.length > 0 ? known : undefined
}

function validRequired(value: unknown): unknown {
  const names = asArray(value)?.filter((name) => typeof name === 'string')
  return names === undefined || names.length === 0 ? undefined : [...new Set(names)]
}

/** Gemini's own wire has its counts as texts: https://ai.google.dev/api/caching#Schema (int64). */
function countIn(text: string): unknown {
  return /^(?:0|[1-9]\d*)$/.test(text) ? parseJson(text) : undefined
}

/** Draft 4: exclusive limits as flags, and tuples as lists of items. https://json-schema.org/draft/2020-12/release-notes */
function withDraft4(valid: Record<string, unknown>, schema: Schema, depth: number): Schema {
  exclusive(valid, 'exclusiveMinimum', 'minimum')
  exclusive(valid, 'exclusiveMaximum', 'maximum')
  // "array schema missing items"
  if (valid['type'] === 'array' && valid['items'] === undefined && valid['prefixItems'] === undefined)
    valid['items'] = {}
  const tuple = asArray(schema['items'])
  if (tuple === undefined) return valid
  const { items: _, ...rest } = valid
  return { ...rest, prefixItems: tuple.map((child) => validChild(child, depth)) }
}

function exclusive(valid: Record<string, unknown>, name: string, limit: string): void {
  if (typeof valid[name] !== 'boolean') return
  const isExclusive = valid[name] === true && valid[limit] !== undefined
  if (isExclusive) {
    valid[name] = valid[limit]
    delete valid[limit]
  } else delete valid[name]
}
