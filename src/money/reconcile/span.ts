/** From when to when a record of an export counts. */

import type { InvoiceRecord } from './form.ts'
import { InvoiceError } from './invoiceError.ts'

const DAY_MS = 86_400_000

interface Span {
  /** Epoch milliseconds, `[start, end)`. */
  readonly start: number
  readonly end: number
}

/** A day where only its beginning is told. Throws InvoiceError without a beginning. */
export function startAndEnd(record: InvoiceRecord, starts: readonly string[], ends: readonly string[] = []): Span {
  const start = record.time(...starts)
  if (start === null) throw new InvoiceError(`${record.place}: "${starts[0]}" is empty; every line needs its time`)
  const end = ends.length === 0 ? null : record.time(...ends)
  return { start, end: end === null || end <= start ? start + DAY_MS : end }
}
