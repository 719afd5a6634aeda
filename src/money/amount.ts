/**
 * Money as integers. Amounts are nano-USD (1e-9 USD), prices are pico-USD (1e-12 USD) per token, so $0.0125 per million
 * tokens is exactly 12,500. An attempt is summed in pico-USD and rounded once, half up, to nano-USD.
 */

export const NANO_PER_USD = 1_000_000_000

/** The largest amount that stays exact: about nine million USD. Sums stop there instead of drifting. */
export const MOST_NANO_USD = Number.MAX_SAFE_INTEGER

const DECIMAL = /^([+-]?)(\d{0,30})(?:\.(\d{0,60}))?(?:[eE]([+-]?\d{1,3}))?$/

/**
 * A decimal number as an integer of its `decimals`-th place, half rounded up (away from zero). The digits are shifted
 * as text, so no rounding error accumulates. Null for anything but a finite decimal number that stays exact.
 */
export function scaled(value: number | string, decimals: number): number | null {
  const match = DECIMAL.exec(typeof value === 'number' ? String(value) : value.trim())
  const whole = match?.[2] ?? ''
  const fraction = match?.[3] ?? ''
  if (match === null || whole + fraction === '') return null
  const magnitude = moved(whole + fraction, decimals + Number(match[4] ?? 0) - fraction.length)
  if (!Number.isSafeInteger(magnitude)) return null
  return match[1] === '-' && magnitude !== 0 ? -magnitude : magnitude
}

/** The digits with the point moved `places` to the right; dropped digits are rounded half up. */
function moved(digits: string, places: number): number {
  if (places >= 0) return Number(digits + '0'.repeat(Math.min(places, 400)))
  const cut = digits.length + places
  if (cut < 0) return 0
  return Number(digits.slice(0, cut)) + (digits.charCodeAt(cut) >= 53 /* '5' */ ? 1 : 0)
}

/** USD as nano-USD; null when it is not a number or too large to count. May be negative: callers check. */
export function usdToNano(usd: number | string): number | null {
  return scaled(usd, 9)
}

/** USD as pico-USD; to the nano-USD where it is too large to count in them. */
export function usdToPico(usd: number): bigint {
  const pico = scaled(usd, 12)
  return pico === null ? BigInt(usdToNano(usd) ?? 0) * 1_000n : BigInt(pico)
}

/** Nano-USD as USD, for JSON. The nearest double, which prints as the exact decimal for amounts below $9,000. */
export function nanoToUsd(nanoUsd: number): number {
  return nanoUsd / NANO_PER_USD
}

/** The sum of two non-negative amounts; stops at `MOST_NANO_USD`. */
export function addAmounts(a: number, b: number): number {
  const sum = a + b
  return sum > MOST_NANO_USD ? MOST_NANO_USD : sum
}

/** Pico-USD, as summed over one attempt, rounded half up to nano-USD. */
export function picoToNano(pico: number | bigint): number {
  if (typeof pico === 'number') return Math.floor(pico / 1_000) + (pico % 1_000 >= 500 ? 1 : 0)
  const nano = (pico + 500n) / 1_000n
  return nano > BigInt(MOST_NANO_USD) ? MOST_NANO_USD : Number(nano)
}

/** USD as an exact decimal without an exponent: `0.0000005`, `12.5`, `0`. For headers and files. */
export function decimalUsd(nanoUsd: number): string {
  const digits = String(Math.abs(nanoUsd)).padStart(10, '0')
  const fraction = digits.slice(-9).replace(/0+$/, '')
  return `${nanoUsd < 0 ? '-' : ''}${digits.slice(0, -9)}${fraction === '' ? '' : `.${fraction}`}`
}

/** The same of an amount in USD, as it stands in JSON. */
export const decimalOf = (usd: number): string => decimalUsd(Math.round(usd * NANO_PER_USD))

/** `$12.34`; below ten cents with as many places as two significant digits need (`$0.00015`), at most nine. */
export function formatUsd(nanoUsd: number): string {
  const sign = nanoUsd < 0 ? '-' : ''
  const size = Math.abs(nanoUsd)
  const places = size === 0 || size >= 100_000_000 ? 2 : Math.min(9, Math.max(2, 11 - String(size).length))
  const step = 10 ** (9 - places)
  const units = Math.floor(size / step) + (size % step >= step / 2 ? 1 : 0)
  const digits = String(units).padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '').padEnd(2, '0')
  return `${sign}$${digits.slice(0, -places)}.${fraction}`
}
