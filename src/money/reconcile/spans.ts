/** The times that an invoice tells apart: its days, or what is longer where it does not tell days. */

import { type Period, Slots } from '../period.ts'
import type { InvoiceLine } from './invoice.ts'

const HALF_DAY_MS = 43_200_000

/** Ascending, without gaps from the first to the last: a day that an invoice leaves out is one without anything billed. */
export function spansOf(lines: readonly InvoiceLine[], timeZone: string): readonly Period[] {
  const days = new Slots('day', false, timeZone)
  const dayAt = (at: number) => days.at(at)
  const known = new Map<number, number>()
  // Lines of one day stand together where days are looked up one after another.
  for (const { start, end, apart } of lines.toSorted((a, b) => a.start - b.start)) {
    if (apart !== undefined) continue
    const from = dayAt(start).start
    // The end of a day is the beginning of the next.
    const to = dayAt(Math.max(start, end - 1)).end
    known.set(from, Math.max(known.get(from) ?? 0, to))
  }
  const spans: Period[] = []
  for (const [start, end] of [...known].toSorted(([a], [b]) => a - b)) {
    const last = spans.at(-1)
    if (last === undefined) spans.push({ start, end })
    else if (start < last.end) spans[spans.length - 1] = { start: last.start, end: Math.max(last.end, end) }
    else {
      for (let at = last.end; at < start; at = dayAt(at + HALF_DAY_MS).end) spans.push(dayAt(at + HALF_DAY_MS))
      spans.push({ start, end })
    }
  }
  return spans
}

/** The place of the span that contains a time; -1 for none. */
export function spanIndex(spans: readonly Period[], at: number): number {
  let low = 0
  let high = spans.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const span = spans[middle]
    if (span === undefined || at < span.start) high = middle - 1
    else if (at >= span.end) low = middle + 1
    else return middle
  }
  return -1
}

/** `2026-11-23`, or `2026-11-01..2026-11-30` of what is longer than a day. */
export function spanName({ start, end }: Period, timeZone: string): string {
  const dateOf = (at: number) => new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(at)
  const [first, last] = [dateOf(start), dateOf(end - 1)]
  return first === last ? first : `${first}..${last}`
}
