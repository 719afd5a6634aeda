/**
 * Names of arguments as a service takes them, and back: in a tool's schema at every level, in what refers to them there
 * (`required`, `$ref`, defaults), in the calls of the history and in those of the answer.
 */

import type { DialectId } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { changedArguments } from '../fields/toolArguments.ts'
import { AllowedNames, type NameRule } from './allowedNames.ts'

type Schema = Readonly<Record<string, unknown>>

/**
 * Claude: "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'" (https://github.com/anthropics/claude-code/issues/79418),
 * of the outermost properties only (https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/issues/709),
 * but definitions may become outermost ones. OpenAI limits their whole length in strict mode alone (`strictSchema.ts`),
 * Google their characters in one of two fields (`google/schema.ts`). All read 2026-11-30.
 */
const RULES: { readonly [D in DialectId]: NameRule | null } = {
  openai: null,
  'openai-responses': null,
  anthropic: { refused: /[^a-zA-Z0-9_.-]/g, first: /^./, maxLength: 64 },
  google: null,
}
const TAKEN_BY_CLAUDE = /^[a-zA-Z0-9_.-]{1,64}$/

/** Whether an outermost name is one that the dialect's vendor refuses. */
export function hasRefusedNames(schema: Schema, dialect: DialectId): boolean {
  if (RULES[dialect] === null) return false
  for (const name in asRecord(schema['properties'])) if (!TAKEN_BY_CLAUDE.test(name)) return true
  return false
}

/** Null where the service takes every name as it is. */
export function argumentNames(schema: Schema | undefined, dialect: DialectId): ArgumentNames | null {
  const rule = RULES[dialect]
  if (rule === null || schema === undefined) return null
  const names = new AllowedNames(namesIn(schema), rule)
  return names.back.size === 0 ? null : new ArgumentNames(schema, names)
}

export class ArgumentNames {
  /** In the service's names. */
  readonly schema: Schema
  readonly #own: Schema
  readonly #names: AllowedNames
  readonly #back: ReadonlyMap<string, string>

  constructor(schema: Schema, names: AllowedNames) {
    this.#own = schema
    this.#names = names
    this.#back = names.back
    const value = new Values(schema, (name) => names.of(name))
    this.schema = renamed(schema, { of: (name) => names.of(name), value: (one, at) => value.renamed(one, [at]) })
  }

  /** The client's arguments in the service's names. */
  there(text: string): string {
    const values = new Values(this.#own, (name) => this.#names.of(name))
    return changedArguments(text, (object) => values.renamed(object, [this.#own]))
  }

  /** The service's arguments in the client's names. */
  back(text: string): string {
    const values = new Values(this.schema, (name) => this.#back.get(name) ?? name)
    return changedArguments(text, (object) => values.renamed(object, [this.schema]))
  }
}

const SCHEMAS = new Set(['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'])
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems'])
const MAPS = new Set(['patternProperties', '$defs', 'definitions'])
/** Their keys are names of properties. */
const NAMED_MAPS = new Set(['properties', 'dependentSchemas'])
const LISTS_OF_NAMES = new Set(['required', 'propertyOrdering'])
const VALUES = new Set(['default', 'const', 'example'])
const LISTS_OF_VALUES = new Set(['enum', 'examples'])
// No real schema is this deep; recursion stays far from the end of the stack.
const MAX_DEPTH = 64

function* namesIn(schema: Schema, depth = 0): Iterable<string> {
  if (depth > MAX_DEPTH) return
  yield* Object.keys(asRecord(schema['properties']) ?? {})
  for (const [keyword, value] of Object.entries(schema))
    for (const child of childrenOf(keyword, value)) yield* namesIn(child, depth + 1)
}

function childrenOf(keyword: string, value: unknown): readonly Schema[] {
  if (SCHEMAS.has(keyword)) return records([value])
  if (LISTS.has(keyword)) return records(asArray(value) ?? [])
  return MAPS.has(keyword) || NAMED_MAPS.has(keyword) ? records(Object.values(asRecord(value) ?? {})) : []
}

function records(values: readonly unknown[]): readonly Schema[] {
  return values.map(asRecord).filter((record) => record !== undefined)
}

interface Renaming {
  of(name: string): string
  /** A value that the schema at its side describes. */
  value(value: unknown, schema: Schema): unknown
}

function renamed(schema: Schema, to: Renaming, depth = 0): Schema {
  if (depth > MAX_DEPTH) return schema
  const child = (value: unknown) => {
    const record = asRecord(value)
    return record ? renamed(record, to, depth + 1) : value
  }
  const keyword = ([name, value]: readonly [string, unknown]): readonly [string, unknown] => {
    if (SCHEMAS.has(name)) return [name, child(value)]
    if (LISTS.has(name)) return [name, asArray(value)?.map(child) ?? value]
    if (MAPS.has(name)) return [name, mapOf(value, (key) => key, child)]
    if (NAMED_MAPS.has(name)) return [name, mapOf(value, to.of, child)]
    return [name, renamedWords(name, value, schema, to)]
  }
  return Object.fromEntries(Object.entries(schema).map(keyword))
}

function renamedWords(keyword: string, value: unknown, schema: Schema, to: Renaming): unknown {
  if (LISTS_OF_NAMES.has(keyword)) return namesOf(value, to)
  if (keyword === 'dependentRequired') return mapOf(value, to.of, (names) => namesOf(names, to))
  if (VALUES.has(keyword)) return to.value(value, schema)
  if (LISTS_OF_VALUES.has(keyword)) return asArray(value)?.map((one) => to.value(one, schema)) ?? value
  return keyword === '$ref' && typeof value === 'string' ? renamedReference(value, to) : value
}

function namesOf(value: unknown, to: Renaming): unknown {
  return asArray(value)?.map((name) => (typeof name === 'string' ? to.of(name) : name)) ?? value
}

function mapOf(value: unknown, key: (name: string) => string, child: (value: unknown) => unknown): unknown {
  const record = asRecord(value)
  return record ? Object.fromEntries(Object.entries(record).map(([name, one]) => [key(name), child(one)])) : value
}

/** `#/properties/user~1name/items`: a pointer of RFC 6901. */
function renamedReference(reference: string, to: Renaming): string {
  const steps = reference.split('/')
  return steps.map((step, at) => (steps[at - 1] === 'properties' ? escaped(to.of(unescaped(step))) : step)).join('/')
}

const unescaped = (step: string) => decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step // a bare per cent sign
  }
}

/** Alternatives and what they share: each may describe the value. */
const BRANCHES = ['anyOf', 'oneOf', 'allOf'] as const
const CONDITIONS = ['if', 'then', 'else'] as const

/** Values in other names, along the schemas that describe them: only a key that is a property there is a name. */
class Values {
  readonly #root: Schema
  readonly #name: (name: string) => string

  constructor(root: Schema, name: (name: string) => string) {
    this.#root = root
    this.#name = name
  }

  renamed(value: unknown, schemas: readonly Schema[], depth = 0): unknown {
    const list = asArray(value)
    const record = asRecord(value)
    if (depth > MAX_DEPTH || (list === undefined && record === undefined)) return value
    const all = this.#all(schemas)
    if (list !== undefined) {
      const items = all.flatMap(({ items, prefixItems }) => records([items, ...(asArray(prefixItems) ?? [])]))
      return list.map((one) => this.renamed(one, items, depth + 1))
    }
    return this.#object(record ?? {}, all, depth)
  }

  #object(record: Schema, schemas: readonly Schema[], depth: number): Schema {
    const entries = Object.entries(record).map(([key, value]) => {
      const own = records(schemas.map(({ properties }) => ownOf(asRecord(properties), key)))
      const isNamed = schemas.some(({ properties }) => Object.hasOwn(asRecord(properties) ?? {}, key))
      const others = isNamed ? own : schemas.flatMap(otherProperties)
      const name = isNamed ? this.#name(key) : key
      const isFree = name === key || !Object.hasOwn(record, name)
      return [isFree ? name : key, this.renamed(value, others, depth + 1)] as const
    })
    return Object.fromEntries(entries)
  }

  /** These schemas and those that they refer to. */
  #all(schemas: readonly Schema[]): readonly Schema[] {
    const found = new Set<Schema>()
    const open = [...schemas]
    for (let schema = open.pop(); schema !== undefined; schema = open.pop()) {
      if (found.has(schema)) continue
      found.add(schema)
      const referred = this.#resolved(asString(schema['$ref']))
      const branches = BRANCHES.flatMap((name) => asArray(schema?.[name]) ?? [])
      open.push(...records([referred, ...branches, ...CONDITIONS.map((name) => schema?.[name])]))
    }
    return [...found]
  }

  #resolved(reference: string | undefined): unknown {
    if (reference === undefined || !/^#(?:\/|$)/.test(reference)) return undefined
    const steps = reference.split('/').slice(1).map(unescaped)
    return steps.reduce<unknown>(
      (found, step) => asArray(found)?.[Number(step)] ?? ownOf(asRecord(found), step),
      this.#root,
    )
  }
}

function ownOf(record: Schema | undefined, key: string): unknown {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}

function otherProperties({ additionalProperties, patternProperties }: Schema): readonly Schema[] {
  return records([additionalProperties, ...Object.values(asRecord(patternProperties) ?? {})])
}
