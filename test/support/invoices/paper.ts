/** What all writers of invoices share: the days of calls, amounts and tables. */

import type { BilledCall } from './billedCall.ts'

/** What stands on an invoice beside calls. */
export interface Extra {
  readonly kind: 'tax' | 'credit' | 'apart' | 'adjustment'
  readonly at: number
  readonly nanoUsd: number
}

export interface Form {
  readonly name: string
  readonly provider: string
  /** What the form tells. */
  readonly money: 'none' | 'exact' | 'cents'
  readonly counts: 'none' | 'tokens' | 'calls'
  /** Whether cached tokens, writes to the cache and searches are told. */
  readonly cached: boolean
  readonly written: boolean
  readonly searches: boolean
  readonly tier: boolean
  /** Whether amounts are by what is billed. */
  readonly byPart: boolean
  /** Zone in which a day is a day. */
  readonly timeZone: string
  readonly extras: readonly Extra['kind'][]
  write(calls: readonly BilledCall[], extras: readonly Extra[]): string
}

export const DAY = 86_400_000
export const dayOf = (at: number) => Math.floor(at / DAY) * DAY
export const iso = (at: number) => new Date(at).toISOString()
export const date = (at: number) => iso(at).slice(0, 10)
export const second = (at: number) => at / 1000

/** USD, with all digits. */
export const usd = (nano: number): string => {
  const digits = String(Math.abs(Math.round(nano))).padStart(10, '0')
  return `${nano < 0 ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`
}

export const csv = (rows: readonly (readonly (string | number)[])[], separator = ','): string =>
  rows
    .map((row) =>
      row
        .map((cell) => {
          const text = String(cell)
          return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
        })
        .join(separator),
    )
    .join('\r\n')

export function groups(
  calls: readonly BilledCall[],
  keyOf: (call: BilledCall) => string,
): readonly (readonly BilledCall[])[] {
  const found = new Map<string, BilledCall[]>()
  for (const call of calls) found.set(keyOf(call), [...(found.get(keyOf(call)) ?? []), call])
  return [...found.values()]
}

export const byDayAndModel = ({ at, model, key, tier }: BilledCall) => JSON.stringify([dayOf(at), model, key, tier])

export const sum = (calls: readonly BilledCall[], of: (call: BilledCall) => number) =>
  calls.reduce((all, call) => all + of(call), 0)

export function buckets(calls: readonly BilledCall[], extras: readonly Extra[]): readonly number[] {
  return [...new Set([...calls, ...extras].map(({ at }) => dayOf(at)))].toSorted((a, b) => a - b)
}

/** To the cent. */
export const cents = (nano: number) => (Math.round(nano / 10_000_000) / 100).toFixed(2)
