/** What a dialect has no word for travels beside what it reads, and comes out only where it came from. */

import type { DialectId, Extra } from '../domain/chat.ts'

/** The fields that are not in `known`, or undefined when there are none. */
export function extraOf(
  dialect: DialectId,
  record: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): Extra | undefined {
  let fields: Record<string, unknown> | undefined
  for (const name in record) {
    if (known.has(name) || name === '__proto__' || !Object.hasOwn(record, name)) continue
    fields ??= {}
    fields[name] = record[name]
  }
  return fields && { dialect, fields }
}

/** `extra` with one more field. */
export function addToExtra(dialect: DialectId, extra: Extra | undefined, name: string, value: unknown): Extra {
  return { dialect, fields: { ...extra?.fields, [name]: value } }
}

/**
 * Puts the extra fields of the same dialect into a wire object and returns it. They win over what is there: where both
 * exist, the extra holds the exact form in which this dialect said it. Names that begin with `$` are keywise's own notes.
 */
export function restore(
  dialect: DialectId,
  wire: Record<string, unknown>,
  extra: Extra | undefined,
): Record<string, unknown> {
  if (extra?.dialect !== dialect) return wire
  for (const name in extra.fields) {
    if (!name.startsWith('$') && name !== '__proto__') wire[name] = extra.fields[name]
  }
  return wire
}
