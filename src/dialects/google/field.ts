/**
 * Google's JSON names are camelCase, and every one is accepted in snake_case too:
 * https://protobuf.dev/programming-guides/json/
 */

/** The field under either of its names. */
export function field(record: Readonly<Record<string, unknown>> | undefined, camel: string, snake: string): unknown {
  return record?.[camel] ?? record?.[snake]
}

/** The one of both names under which the field is there. */
export function spelling(record: Readonly<Record<string, unknown>>, camel: string, snake: string): string {
  return record[camel] == null && record[snake] != null ? snake : camel
}

/** A set of known names for `extraBeyond`, each in both spellings. */
export function bothSpellings(...names: readonly string[]): ReadonlySet<string> {
  return new Set([...names, ...names.map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))])
}
