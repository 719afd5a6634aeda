/** A value that satisfies a simple JSON Schema: what a model that is asked for a format answers. */

import { asArray, asRecord, asString } from '../../domain/json.ts'

type Schema = Readonly<Record<string, unknown>>

const MOST_DEPTH = 8

/** References are looked up in `root`, which is the schema itself unless it is said. */
export function exampleValue(schema: Schema, root: Schema = schema, depth = 0): unknown {
  if (depth > MOST_DEPTH) return null
  const inner = (other: unknown) => exampleValue(asRecord(other) ?? {}, root, depth + 1)
  if (schema['const'] !== undefined) return schema['const']
  const first = asArray(schema['enum'])?.[0]
  if (first !== undefined) return first
  const reference = asString(schema['$ref'])
  if (reference !== undefined) return inner(found(root, reference))
  const choice = (asArray(schema['anyOf']) ?? asArray(schema['oneOf']) ?? asArray(schema['allOf']))?.[0]
  if (choice !== undefined) return inner(choice)
  const properties = asRecord(schema['properties'])
  if (properties !== undefined)
    return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, inner(property)]))
  const type = typeOf(schema)
  if (type === 'array') return schema['items'] === undefined ? [] : [inner(schema['items'])]
  return EXAMPLES[type] ?? null
}

const EXAMPLES: Schema = { string: 'text', number: 1.5, integer: 1, boolean: true, object: {} }

const typeOf = ({ type }: Schema) => String(asArray(type)?.[0] ?? type).toLowerCase()

/** What `#/$defs/Place` names. */
function found(root: Schema, reference: string): unknown {
  const names = reference.replace(/^#\/?/, '').split('/')
  return names.reduce<unknown>((place, name) => (name === '' ? place : asRecord(place)?.[name]), root)
}
