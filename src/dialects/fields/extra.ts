/** What a dialect has no word for travels beside what it reads, and comes out only where it came from. */

import type { DialectId, Extra, FilePart } from '../../domain/chat.ts'
import { type Fields, leftovers } from './requestFields.ts'

/** The fields that are not in `known`, or undefined when there are none. */
export function extraBeyond(dialect: DialectId, fields: Fields, known: ReadonlySet<string>): Extra | undefined {
  const rest = leftovers(fields, known)
  return rest && { dialect, fields: rest }
}

/** `extra` with one more field. */
export function addToExtra(dialect: DialectId, extra: Extra | undefined, name: string, value: unknown): Extra {
  return { dialect, fields: { ...extra?.fields, [name]: value } }
}

/**
 * Puts the extra fields of the same dialect into a wire object and returns it. They win over existing fields: where
 * both exist, the extra holds the exact form in which this dialect said it. Names that begin with `$` are keywise's own
 * notes.
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

/** A piece of content that only its own dialect can name keeps its place as a file of which nothing else is known. */
export function opaquePart(dialect: DialectId, fields: Fields): FilePart {
  return { type: 'file', extra: { dialect, fields } }
}
