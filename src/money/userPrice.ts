/** Reads the `price` that a user writes beside a model, with a message for everything that cannot be one. */

import { asRecord } from '../domain/json.ts'
import { isPrice, type UserPrice } from './price.ts'

const FIELDS = {
  input: 'input',
  output: 'output',
  cached_input: 'cachedInput',
  cache_write: 'cacheWrite',
  reasoning: 'reasoning',
  request: 'request',
} as const

export type PriceReading =
  | { readonly ok: true; readonly price: UserPrice }
  | { readonly ok: false; readonly problem: string }

/** `path` is where the price stands in the file, for the message. USD per million tokens; `request` in USD per request. */
export function readUserPrice(value: unknown, path: string): PriceReading {
  const record = asRecord(value)
  if (record === undefined) return no(path, 'must be an object such as { "input": 0.5, "output": 1.5 }')
  const price: Record<string, number> = {}
  for (const [field, amount] of Object.entries(record)) {
    const name = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : undefined // checked by hasOwn
    if (name === undefined) return no(`${path}.${field}`, `is not known; use ${Object.keys(FIELDS).join(', ')}`)
    if (typeof amount === 'number' && amount < 0) return no(`${path}.${field}`, 'is negative; a price is 0 or more')
    if (!isPrice(amount)) return no(`${path}.${field}`, 'must be a number of USD per million tokens, at most 100000')
    price[name] = amount
  }
  const { input, output, ...rest } = price
  if (input === undefined || output === undefined) return no(path, 'needs both "input" and "output"')
  return { ok: true, price: { input, output, ...rest } }
}

function no(path: string, what: string): PriceReading {
  return { ok: false, problem: `"${path}" ${what}` }
}
