/** JSON that has not been validated yet. */

import { isRawNumber } from './rawNumber.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The value as a plain object, otherwise undefined. Every parser starts with this check. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value)
    ? (value as Record<string, unknown>)
    : undefined // checked on this line
}

export function asArray(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The value if it is a finite number, otherwise undefined. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === 'object' && value !== null && isRawNumber(value)) return asNumber(Number(value.rawJSON))
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/**
 * A text or a number as text, '' for anything else. `String()` of an object that came as JSON calls what it brought along
 * under the names `toString` and `valueOf`.
 */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : String(asNumber(value) ?? '')
}

/** Whether it has no field at all; nothing is copied for it, as for `Object.keys`. */
export function isEmpty(record: object): boolean {
  for (const _name in record) return false
  return true
}
