/**
 * What OpenAI finds wrong with a JSON Schema, in its words; the sentence begins with where it looked.
 * https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas
 */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import { first } from './ruleTable.ts'
import { sentText } from './sentText.ts'

type Schema = Readonly<Record<string, unknown>>

const COUNTS = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']
const AT_TOP = ['oneOf', 'anyOf', 'allOf', 'enum', 'not']

/** Null when it is accepted. `strict`: with the rules of structured outputs. */
export function schemaComplaint(schema: unknown, strict: boolean): string | null {
  const top = asRecord(schema)
  // No parameters at all, in either spelling, are a function without arguments.
  if (top === undefined || Object.keys(top).length === 0) return null
  return topComplaint(top) ?? complaintIn(top, [], strict) ?? (strict ? beyondLimits(top) : null)
}

/** https://github.com/tidyverse/ellmer/issues/671, when five levels were allowed (2026-11-30) */
const MOST_LEVELS = 10

function beyondLimits(schema: Schema): string | null {
  const levels = levelsOf(schema)
  return levels > MOST_LEVELS ? `${levels} levels of nesting exceeds limit of ${MOST_LEVELS}.` : null
}

/** Objects within objects. */
function levelsOf(value: unknown): number {
  const schema = asRecord(value)
  if (schema === undefined) return 0
  const maps = ['properties', '$defs', 'definitions'].flatMap((name) => Object.values(asRecord(schema[name]) ?? {}))
  const children = [...maps, schema['items'], ...(asArray(schema['anyOf']) ?? [])]
  return (schema['properties'] === undefined ? 0 : 1) + Math.max(0, ...children.map(levelsOf))
}

function topComplaint(top: Schema): string | null {
  if (top['type'] !== 'object')
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${asString(top['type']) ?? 'None'}"'.`
  if (AT_TOP.some((name) => top[name] !== undefined))
    return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
  return null
}

function complaintIn(schema: Schema, context: readonly string[], strict: boolean): string | null {
  const strange = strict && context.length > 0 ? unsupported(schema, context) : null
  if (strange !== null) return strange
  const count = first(COUNTS, (name) => (typeof schema[name] === 'string' ? sentText(schema[name]) : null))
  if (count !== null) return `'${count}' is not of type 'integer'.`
  return own(schema, context, strict) ?? inner(schema, context, strict)
}

const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid']

/**
 * https://github.com/dottxt-ai/outlines/issues/1254, https://github.com/can1357/oh-my-pi/issues/206 and /211
 * (2026-11-30)
 */
function unsupported(schema: Schema, context: readonly string[]): string | null {
  if (schema['default'] !== undefined) return `${placeOf(context)}'default' is not permitted.`
  const format = asString(schema['format'])
  if (format !== undefined && !FORMATS.includes(format)) return `${placeOf(context)}'${format}' is not a valid format.`
  const isTyped = schema['type'] !== undefined || isElsewhere(schema)
  return isTyped ? null : `${placeOf(context)}schema must have a 'type' key.`
}

const placeOf = (context: readonly string[]) =>
  `In context=(${context.map((step) => `'${step}'`).join(', ')}${context.length === 1 ? ',' : ''}), `

function own(schema: Schema, context: readonly string[], strict: boolean): string | null {
  const at = placeOf(context)
  const types = asArray(schema['type']) ?? [schema['type']]
  const properties = asRecord(schema['properties'])
  if (types.includes('array') && schema['items'] === undefined && schema['prefixItems'] === undefined)
    return `${at}array schema missing items.`
  if (!types.includes('object')) return null
  if (strict && schema['additionalProperties'] !== false)
    return `${at}'additionalProperties' is required to be supplied and to be false.`
  const isLookedInto = strict || context.length === 0
  if (properties === undefined && isLookedInto && !isElsewhere(schema)) return `${at}object schema missing properties.`
  const required = new Set(asArray(schema['required']) ?? [])
  const missing = Object.keys(properties ?? {}).find((name) => !required.has(name))
  if (!strict || missing === undefined) return null
  return `${at}'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`
}

/** An object that says in some other way what it holds is taken without `properties`. */
const isElsewhere = (schema: Schema) => ['$ref', 'anyOf', 'oneOf', 'allOf'].some((name) => schema[name] !== undefined)

function inner(schema: Schema, context: readonly string[], strict: boolean): string | null {
  for (const name of ['properties', '$defs', 'definitions']) {
    const found = first(Object.entries(asRecord(schema[name]) ?? {}), ([key, value]) =>
      ofValue(value, [...context, name, key], strict),
    )
    if (found !== null) return found
  }
  const items = ofValue(schema['items'], [...context, 'items'], strict)
  if (items !== null) return items
  return first(['anyOf', 'oneOf', 'allOf'], (name) =>
    first(asArray(schema[name]) ?? [], (value, index) => ofValue(value, [...context, name, sentText(index)], strict)),
  )
}

function ofValue(value: unknown, context: readonly string[], strict: boolean): string | null {
  const schema = asRecord(value)
  return schema === undefined ? null : complaintIn(schema, context, strict)
}
