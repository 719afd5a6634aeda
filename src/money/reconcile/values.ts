/** Numbers, amounts and times as invoices write them. */

import { scaled } from '../amount.ts'

/**
 * The digits of a number with the point where programs expect it, without currency and thousands: `1,234.50`, `1.234,50`,
 * `- 30,73`, `$12`, `(3.50)` for a negative one. Null for what is no number. `decimalComma`: whether a single comma
 * separates decimals where the number alone does not say it.
 */
function plainNumber(text: string, decimalComma = false): string | null {
  const bracketed = /^\((.*)\)$/.exec(text.trim())
  const bare = (bracketed?.[1] ?? text).replaceAll(/[\s\u00a0\u202f'’$€£¥]|US\$|USD/g, '')
  const match = /^([+-]?)([\d.,]+)((?:[eE][+-]?\d+)?)$/.exec(bare)
  if (match === null) return null
  const digits = withPoint(match[2] ?? '', decimalComma)
  const negative = bracketed !== null || match[1] === '-'
  return digits === null ? null : `${negative ? '-' : ''}${digits}${match[3]}`
}

function withPoint(digits: string, decimalComma: boolean): string | null {
  const point = digits.lastIndexOf('.')
  const comma = digits.lastIndexOf(',')
  // Where both are there, the last one separates the decimals.
  const decimal = point >= 0 && comma >= 0 ? (point > comma ? '.' : ',') : decimalOf(digits, point, comma, decimalComma)
  const other = decimal === ',' ? '.' : ','
  const plain = digits.replaceAll(other, '').replace(decimal, '.')
  return /^\d*\.?\d*$/.test(plain) && /\d/.test(plain) ? plain : null
}

function decimalOf(digits: string, point: number, comma: number, decimalComma: boolean): '.' | ',' {
  if (comma < 0) return decimalComma && isGrouped(digits, '.') ? ',' : '.'
  if (point < 0) return isGrouped(digits, ',') && !decimalComma ? '.' : ','
  return '.'
}

/** `1,234` or `1,234,567`. */
const isGrouped = (digits: string, separator: string) => new RegExp(`^\\d{1,3}(?:\\${separator}\\d{3})+$`).test(digits)

/** An amount in nano-USD; null for none. `cents`: in hundredths of a USD. */
export function nanoFrom(value: unknown, { cents = false, decimalComma = false } = {}): number | null {
  const text =
    typeof value === 'number' ? String(value) : typeof value === 'string' ? plainNumber(value, decimalComma) : null
  return text === null ? null : scaled(text, cents ? 7 : 9)
}

/** A count that is not negative; 0 for what is missing, undefined for what is no count. */
export function countFrom(value: unknown, decimalComma = false): number | undefined {
  if (value === undefined || value === null || value === '') return 0
  const number = typeof value === 'number' ? value : Number(plainNumber(String(value), decimalComma) ?? Number.NaN)
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

/** How many decimals a number is written with. */
export function decimalsOf(text: string, decimalComma = false): number {
  const plain = plainNumber(text, decimalComma) ?? ''
  const [, fraction = ''] = /\.(\d*)/.exec(plain) ?? []
  return fraction.length
}

/**
 * Epoch milliseconds. Takes seconds and milliseconds since 1970, ISO 8601, and `2026-11-23 08:00:00 UTC`; what names no
 * zone is UTC.
 */
export function timeFrom(value: unknown): number | null {
  if (typeof value === 'number') return secondsOrMs(value)
  if (typeof value !== 'string') return null
  const text = value.trim()
  if (/^\d{9,13}(?:\.\d+)?$/.test(text)) return secondsOrMs(Number(text))
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/.exec(text)
  if (match === null) return null
  const [, date, time = '00:00', zone = 'Z'] = match
  const at = Date.parse(`${date}T${time}${zoneOf(zone)}`)
  return Number.isNaN(at) ? null : at
}

function zoneOf(zone: string): string {
  if (zone === 'Z' || zone === 'UTC') return 'Z'
  return zone.length === 3 ? `${zone}:00` : zone
}

/** Seconds since 1970 have ten digits until 2286. */
const secondsOrMs = (value: number) => (value < 1e11 ? Math.round(value * 1000) : Math.round(value))
