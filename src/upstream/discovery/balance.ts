/** Reads what an account or a key has left from the answer of a provider, by the fields that its facts name. */

import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import { usdToNano } from '../../money/amount.ts'
import type { CreditLeft } from '../../money/credit.ts'
import { calendarPeriod } from '../../money/period.ts'
import type { BalanceSource } from '../../providers/provider.ts'

/** What an answer tells. */
export interface ToldBalance {
  /** Each currency once; empty where nothing limits the spending, and where the answer says nothing of it. */
  readonly credits: readonly CreditLeft[]
  /** Whether calls can be paid; null when it does not say. */
  readonly available: boolean | null
}

/** More are no currencies. */
const MOST_ROWS = 16

export function readBalance(body: unknown, source: BalanceSource, now: number): ToldBalance {
  const rows = source.rows === undefined ? [body] : (asArray(fieldAt(body, source.rows)) ?? [])
  const credits = new Map<string, CreditLeft>()
  for (const row of rows.slice(0, MOST_ROWS)) {
    const credit = readRow(row, source, now)
    if (credit !== null && !credits.has(credit.currency)) credits.set(credit.currency, credit)
  }
  const available = source.available === undefined ? undefined : fieldAt(body, source.available)
  return { credits: [...credits.values()], available: typeof available === 'boolean' ? available : null }
}

function readRow(row: unknown, source: BalanceSource, now: number): CreditLeft | null {
  const currency = currencyOf(row, source)
  const left = source.left === undefined ? unspent(row, source) : amountAt(row, source.left)
  if (currency === null || left === null) return null
  return {
    currency,
    left,
    limit: source.limit === undefined ? null : amountAt(row, source.limit),
    resetsAt: resetOf(row, source, now),
  }
}

function unspent(row: unknown, { total = '', used = '' }: BalanceSource): number | null {
  const [whole, spent] = [amountAt(row, total), amountAt(row, used)]
  const left = whole === null || spent === null ? Number.NaN : whole - spent
  return Number.isSafeInteger(left) ? left : null
}

function currencyOf(row: unknown, { currency }: BalanceSource): string | null {
  if (typeof currency === 'string') return currency
  const said = asString(fieldAt(row, currency.field)) ?? ''
  return /^[a-z]{3,4}$/i.test(said) ? said.toUpperCase() : null
}

function resetOf(row: unknown, { resets }: BalanceSource, now: number): number | null {
  if (resets === undefined) return null
  const word = asString(fieldAt(row, resets.field)) ?? ''
  const per = Object.hasOwn(resets.periods, word) ? resets.periods[word] : undefined
  return per === undefined ? null : calendarPeriod(per, now, 'UTC').end
}

/** A number, or a text that is one. */
function amountAt(row: unknown, name: string): number | null {
  const value = fieldAt(row, name)
  const amount = asNumber(value) ?? asString(value)
  return amount === undefined ? null : usdToNano(amount)
}

/** `data.limit` leads to the field `limit` of the object `data`. */
function fieldAt(body: unknown, name: string): unknown {
  return name.split('.').reduce<unknown>((value, step) => {
    const record = asRecord(value)
    return record !== undefined && Object.hasOwn(record, step) ? record[step] : undefined
  }, body)
}
