/** Validates a part of the configuration: mistakes become an error with their location, unknown fields a warning. */

import type { z } from 'zod'
import { asArray, asRecord } from '../domain/json.ts'
import { nearest } from '../domain/nearest.ts'
import { complain, type Remarks } from './remarks.ts'
import { jsonSchema } from './schema.ts'
import type { Path } from './showPath.ts'
import { showName } from './showPath.ts'

type Issue = z.core.$ZodIssue

/** The position of this part in the file's schema: `['settings']`, or a provider's block. */
interface CheckedPart {
  readonly path: Path
  readonly schemaPath: Path
}

/**
 * The parsed value of one part of the document. Unknown fields are removed from the copy and reported once each.
 * Throws ConfigError at the first invalid field.
 */
export function checked<S extends z.ZodType>(
  schema: S,
  value: unknown,
  part: CheckedPart,
  remarks: Remarks,
): z.output<S> {
  dropNulls(value)
  for (;;) {
    const result = tried(schema, value, part, remarks)
    if (result.success) return result.data
    const issues = result.error.issues.flatMap((issue) => leaves(issue, []))
    const wrong = issues.find(({ issue }) => issue.code !== 'unrecognized_keys')
    if (wrong) throw complain(remarks.document, [...part.path, ...wrong.path], wording(wrong.issue))
    for (const { issue, path } of issues) takeOut(issue, path, value, part, remarks)
  }
}

/** zod compares the `length` of whatever has one, and throws where that is an object. */
function tried<S extends z.ZodType>(schema: S, value: unknown, part: CheckedPart, remarks: Remarks) {
  try {
    return schema.safeParse(value)
  } catch {
    const what = 'holds an object where a text or a list belongs; docs/settings.md says what goes where'
    throw complain(remarks.document, part.path, what)
  }
}

interface Leaf {
  readonly issue: Issue
  readonly path: Path
}

/** The issues inside a union: those of the alternative whose shape fits best. */
function leaves(issue: Issue, above: Path): readonly Leaf[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  if (issue.code !== 'invalid_union') return [{ issue, path }]
  const fits = issue.errors.find((issues) => !issues.some((inner) => isWrongShape(inner)))
  if (!fits || fits.length === 0) return [{ issue, path }]
  return fits.flatMap((inner) => leaves(inner, path))
}

function isWrongShape(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
}

function wording(issue: Issue): string {
  if (issue.code === 'invalid_union') return `must be ${expectations(issue).join(' or ')}`
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is missing'
  if (issue.code === 'invalid_type' && issue.expected === 'array') return 'must be a list: [ … ]'
  const text = issue.message.replace(/^Invalid (?:input|option): /, '')
  return ZODS_OWN.test(text) ? `is wrong: ${text}` : text
}

/** How zod begins its own messages; keywise's messages continue after the field's name. */
const ZODS_OWN = /^(?:expected|Too |Invalid|Unrecognized)/

function expectations(issue: Extract<Issue, { code: 'invalid_union' }>): string[] {
  const found = issue.errors.flat().flatMap((inner) => {
    if (inner.code === 'invalid_type') return [`a${/^[aeiou]/.test(inner.expected) ? 'n' : ''} ${inner.expected}`]
    if (inner.code === 'invalid_value') return inner.values.map((value) => JSON.stringify(value))
    return inner.code === 'invalid_union' ? expectations(inner) : []
  })
  return [...new Set(found)]
}

function takeOut(issue: Issue, path: Path, value: unknown, part: CheckedPart, remarks: Remarks): void {
  if (issue.code !== 'unrecognized_keys') return
  const owner = asRecord(at(value, path))
  for (const name of issue.keys) {
    if (owner) delete owner[name]
    const near = nearest(name, knownNames([...part.schemaPath, ...path]), 1).map(
      (known) => ` (did you mean "${known}"?)`,
    )
    const place = [...part.path, ...path, showName(name)]
    // The copy has lost the field by now, but the file has not, so its position is still found.
    remarks.add(place, `is not a field keywise knows${near.join('')}; it is kept and not used`)
  }
}

function at(value: unknown, path: Path): unknown {
  // Arrays are indexed the same way.
  return path.reduce((inner: unknown, part) => (inner as Record<string | number, unknown> | undefined)?.[part], value)
}

let editorSchema: Record<string, unknown> | undefined

/** The names the schema allows at a path, read from the editor's schema because it is plain data. */
function knownNames(path: Path): string[] {
  editorSchema ??= jsonSchema()
  const root = editorSchema
  let nodes: Record<string, unknown>[] = expand(root, root)
  for (const part of path) nodes = nodes.flatMap((node) => step(node, part)).flatMap((node) => expand(node, root))
  return nodes.flatMap((node) => Object.keys(asRecord(node['properties']) ?? {}))
}

function step(node: Record<string, unknown>, part: string | number): Record<string, unknown>[] {
  const properties = asRecord(node['properties'])
  const next = typeof part === 'number' ? node['items'] : (properties?.[part] ?? node['additionalProperties'])
  const record = asRecord(next)
  return record ? [record] : []
}

/** Resolves a reference and lists every alternative of a union. */
function expand(node: Record<string, unknown>, root: Record<string, unknown>): Record<string, unknown>[] {
  const reference = node['$ref']
  if (typeof reference === 'string') {
    const target = asRecord(at(root, reference.replace(/^#\//, '').split('/')))
    return target ? expand(target, root) : []
  }
  const options = asArray(node['anyOf'])
  return options ? options.flatMap((option) => expand(asRecord(option) ?? {}, root)) : [node]
}

/** `null` in the file means "not set". */
function dropNulls(value: unknown): void {
  for (const item of asArray(value) ?? []) dropNulls(item)
  const record = asRecord(value)
  if (!record) return
  for (const [name, field] of Object.entries(record)) {
    if (field === null) delete record[name]
    else dropNulls(field)
  }
}
