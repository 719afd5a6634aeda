/** The schemas of tools, which are JSON Schema 2020-12, and those of answers, which are a part of it. */

import { asArray, asRecord } from '../../domain/json.ts'
import { blocksOf, claudeRule, firstProblem } from './claudeWire.ts'
import { lookUp } from './lookUp.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const OUTPUTS = 'https://platform.claude.com/docs/en/build-with-claude/structured-outputs'

const TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']
const SINGLES = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames']
const LISTS = ['anyOf', 'allOf', 'oneOf', 'prefixItems']
const NUMBERS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
const COUNTS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']

/** Whether it is no schema of draft 2020-12: https://json-schema.org/draft/2020-12 */
export function brokenSchemaAt(schema: unknown): boolean {
  if (typeof schema === 'boolean') return false
  const fields = asRecord(schema)
  if (!fields) return true
  return hasBrokenKeyword(fields) || childrenOf(fields).some(brokenSchemaAt)
}

function hasBrokenKeyword(fields: Record<string, unknown>): boolean {
  const has = (names: readonly string[], isBroken: (value: unknown) => boolean) =>
    names.some((name) => fields[name] !== undefined && isBroken(fields[name]))
  return (
    has(['type'], isBrokenType) ||
    has(['required'], (value) => !isListOfNames(value)) ||
    has(['enum'], (value) => !Array.isArray(value)) ||
    has(NUMBERS, (value) => typeof value !== 'number') ||
    has(COUNTS, (value) => !Number.isInteger(value) || Number(value) < 0) ||
    has(LISTS, (value) => !Array.isArray(value) || value.length === 0) ||
    has(MAPS, (value) => !asRecord(value)) ||
    has(['title', 'description', 'pattern', 'format', '$ref'], (value) => typeof value !== 'string')
  )
}

function isBrokenType(type: unknown): boolean {
  const types = asArray(type) ?? [type]
  return types.length === 0 || !types.every((name) => TYPES.includes(sentText(name)))
}

function isListOfNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length
}

function childrenOf(fields: Record<string, unknown>): readonly unknown[] {
  return [
    ...MAPS.flatMap((name) => Object.values(asRecord(fields[name]) ?? {})),
    ...SINGLES.map((name) => fields[name]).filter((child) => child !== undefined),
    ...LISTS.flatMap((name) => asArray(fields[name]) ?? []),
  ]
}

/** What structured outputs do not know, by the type it stands beside. */
const UNSUPPORTED: Readonly<Record<string, readonly string[]>> = {
  string: ['maxLength', 'minLength'],
  integer: [...NUMBERS].sort(),
  number: [...NUMBERS].sort(),
  array: ['contains', 'maxItems', 'uniqueItems'],
  object: ['maxProperties', 'minProperties', 'patternProperties', 'propertyNames'],
}
const UNSUPPORTED_KINDS = ['oneOf', 'not', 'if']

/** The first thing that structured outputs refuse in a schema. */
function refusedInAnswer(schema: unknown): string | null | undefined {
  const fields = asRecord(schema)
  if (!fields) return null
  const kind = UNSUPPORTED_KINDS.find((name) => fields[name] !== undefined)
  if (kind !== undefined) return `Schema type '${kind}' is not supported`
  return refusedHere(fields) ?? firstProblem(childrenOf(fields), refusedInAnswer)
}

function refusedHere(fields: Record<string, unknown>): string | null {
  const types = asArray(fields['type']) ?? [fields['type'] ?? (fields['properties'] ? 'object' : undefined)]
  for (const type of types.map(String)) {
    const found = (lookUp(UNSUPPORTED, type) ?? []).filter((name) => fields[name] !== undefined)
    if (found.length === 1) return `For '${type}' type, property '${found[0]}' is not supported`
    if (found.length > 1) return `For '${type}' type, properties ${found.join(', ')} are not supported`
    if (type === 'array' && ![undefined, 0, 1].includes(fields['minItems'] as number))
      // compared with numbers alone
      return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if (type === 'object' && fields['additionalProperties'] !== false)
      return "For 'object' type, 'additionalProperties' must be explicitly set to false"
  }
  return null
}

/** The way back to a definition from itself, `node -> node`; the schema as a whole is `#`. */
function circleIn(schema: unknown): string | null {
  const root = asRecord(schema) ?? {}
  const definitions = { ...asRecord(root['definitions']), ...asRecord(root['$defs']), '#': root }
  const cleared = new Set<string>()
  const walk = (node: unknown, path: readonly string[]): string | null | undefined => {
    const fields = asRecord(node)
    if (!fields) return null
    const name = typeof fields['$ref'] === 'string' ? (fields['$ref'].split('/').at(-1) ?? '') : undefined
    if (name === undefined) return firstProblem(childrenOf(fields), (child) => walk(child, path))
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name].join(' -> ')
    return enter(name, path)
  }
  const enter = (name: string, path: readonly string[]): string | null => {
    const circle = cleared.has(name) ? null : walk(lookUp<unknown>(definitions, name), [...path, name])
    cleared.add(name)
    return circle ?? null
  }
  return enter('#', [])
}

/** Schemas that answers and strict calls are held to, each with its place. */
function heldSchemas({ body }: StrictRequest): readonly { place: string; schema: unknown }[] {
  const format = asRecord(asRecord(body['output_config'])?.['format'])
  const strict = [...blocksOf(body['tools']).entries()].filter(([, tool]) => tool['strict'] === true)
  return [
    ...(format ? [{ place: 'output_config.format.schema', schema: format['schema'] }] : []),
    ...strict.map(([index, tool]) => ({ place: `tools.${index}.custom`, schema: tool['input_schema'] })),
  ]
}

const CIRCULAR = 'Self-referencing or mutually-referencing definitions are not supported.'

export const claudeSchemaRules: readonly Rule[] = [
  claudeRule('output-format-type', OUTPUTS, ({ body }) => {
    const format = asRecord(asRecord(body['output_config'])?.['format'])
    return !format || format['type'] === 'json_schema'
      ? null
      : "output_config.format.type: Input should be 'json_schema'"
  }),
  claudeRule('output-schema-circle', OUTPUTS, (request) =>
    firstProblem(heldSchemas(request), ({ place, schema }) => {
      const circle = circleIn(schema)
      return circle === null
        ? null
        : `${place}: Circular reference detected in schema definitions: ${circle}. ${CIRCULAR}`
    }),
  ),
  claudeRule('output-schema', 'https://github.com/laravel/ai/issues/715', (request) =>
    firstProblem(heldSchemas(request), ({ place, schema }) => {
      const refused = refusedInAnswer(schema)
      return refused ? `${place}: ${refused}` : null
    }),
  ),
]
