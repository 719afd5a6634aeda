/**
 * Gemini takes schemas in two fields: the old one (`parameters`, `responseSchema`) knows a subset of OpenAPI and
 * answers 400 "Unknown name" to anything else (https://ai.google.dev/api/caching#Schema), the newer one
 * (`parametersJsonSchema`, `responseJsonSchema`) takes JSON Schema. The old one is used wherever it suffices, since
 * every model has it.
 */

import { asArray, asRecord } from '../../domain/json.ts'

type Schema = Readonly<Record<string, unknown>>

const OPENAPI_KEYWORDS: ReadonlySet<string> = new Set([
  ...['type', 'format', 'title', 'description', 'nullable', 'enum', 'items', 'minItems', 'maxItems', 'properties'],
  ...['required', 'minProperties', 'maxProperties', 'minLength', 'maxLength', 'pattern', 'example', 'anyOf'],
  ...['propertyOrdering', 'default', 'minimum', 'maximum'],
])
// "only 'enum' and 'date-time' are supported for STRING type", says the API.
const STRING_FORMATS: ReadonlySet<unknown> = new Set([undefined, 'enum', 'date-time'])
/**
 * The documentation of the old field allows no other names of parameters; the newer field has no such rule:
 * https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest/v1/Tool#FunctionDeclaration (2026-11-30)
 */
const PARAMETER = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/
// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64

/** The schema without `$schema`, which means nothing to a model and is refused by the old field. */
export function withoutDeclaration(schema: Schema): Schema {
  if (schema['$schema'] === undefined) return schema
  const { $schema: _, ...rest } = schema
  return rest
}

/** Whether the old field can say all of it. */
export function isOpenApi(schema: unknown, depth = 0): boolean {
  const fields = asRecord(schema)
  if (!fields || depth > MAX_DEPTH) return false
  for (const keyword in fields) if (!OPENAPI_KEYWORDS.has(keyword)) return false
  return hasPlainType(fields) && isEveryChildOpenApi(fields, depth)
}

/** One type, enums of strings alone, and objects that name their properties: what else there is, is refused. */
function hasPlainType(fields: Schema): boolean {
  const { type, format, properties } = fields
  if (typeof type !== 'string' && fields['anyOf'] === undefined) return false
  const kind = typeof type === 'string' ? type.toLowerCase() : undefined
  if (kind === 'null' || (kind === 'string' && !STRING_FORMATS.has(format))) return false
  if (kind === 'object' && Object.keys(asRecord(properties) ?? {}).length === 0) return false
  if (kind === 'array' && fields['items'] === undefined) return false
  return hasPlainNames(fields) && isRequiredNamed(fields) && isEnumOfTexts(fields, kind)
}

function hasPlainNames({ properties }: Schema): boolean {
  for (const name in asRecord(properties)) if (!PARAMETER.test(name)) return false
  return true
}

/** "property is not defined" */
function isRequiredNamed({ required, properties }: Schema): boolean {
  const named = asRecord(properties) ?? {}
  return required === undefined || (Array.isArray(required) && required.every((name) => Object.hasOwn(named, name)))
}

/** "only allowed for STRING type", and none of them empty. */
function isEnumOfTexts({ enum: values }: Schema, kind: string | undefined): boolean {
  if (values === undefined) return true
  const isText = kind === 'string' || kind === undefined
  return isText && Array.isArray(values) && values.every((value) => typeof value === 'string' && value !== '')
}

function isEveryChildOpenApi(fields: Schema, depth: number): boolean {
  const { properties, items, anyOf } = fields
  if (items !== undefined && !isOpenApi(items, depth + 1)) return false
  if (anyOf !== undefined && !(Array.isArray(anyOf) && anyOf.every((child) => isOpenApi(child, depth + 1))))
    return false
  return (
    properties === undefined || Object.values(asRecord(properties) ?? {}).every((child) => isOpenApi(child, depth + 1))
  )
}

/** A function without arguments is declared without a schema: an object without properties is refused. */
export function isEmptyObject(schema: Schema): boolean {
  return schema['type'] === 'object' && Object.keys(asRecord(schema['properties']) ?? {}).length === 0
}

/** What a client wrote in the old field, as JSON Schema: types in lower case, `nullable` as a type. */
export function openApiToJsonSchema(schema: Schema, depth = 0): Record<string, unknown> {
  const { nullable, ...rest } = schema
  const written: Record<string, unknown> = rest
  if (depth > MAX_DEPTH) return written
  const type = typeof rest['type'] === 'string' ? rest['type'].toLowerCase() : rest['type']
  if (type !== undefined) written['type'] = nullable === true && typeof type === 'string' ? [type, 'null'] : type
  const items = asRecord(rest['items'])
  if (items) written['items'] = openApiToJsonSchema(items, depth + 1)
  const properties = asRecord(rest['properties'])
  if (properties) written['properties'] = inOrder(convertMap(properties, depth + 1), rest['propertyOrdering'])
  const values = asArray(rest['enum'])
  if (nullable === true && values?.includes(null) === false) written['enum'] = [...values, null]
  for (const spelling of ['anyOf', 'any_of']) {
    const choices = rest[spelling]
    if (Array.isArray(choices)) written[spelling] = choices.map((child) => convert(child, depth + 1))
  }
  return written
}

/** Models write properties in the order of the schema. */
function inOrder(properties: Record<string, unknown>, ordering: unknown): Record<string, unknown> {
  const first = (asArray(ordering) ?? []).filter((name) => typeof name === 'string' && Object.hasOwn(properties, name))
  return { ...Object.fromEntries(first.map((name) => [name, properties[name as string]])), ...properties } // filtered beside it
}

function convertMap(schemas: Schema, depth: number): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, child]) => [name, convert(child, depth)]))
}

function convert(raw: unknown, depth: number): unknown {
  const schema = asRecord(raw)
  return schema ? openApiToJsonSchema(schema, depth) : raw
}
