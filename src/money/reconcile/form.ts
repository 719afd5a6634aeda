/** What the readers of all forms share: one record of an export, by names of fields that no spelling changes. */

import { printable } from '../../domain/printable.ts'
import type { InvoiceLine, Measure } from './invoice.ts'
import { InvoiceError } from './invoiceError.ts'
import { countFrom, decimalsOf, nanoFrom, timeFrom } from './values.ts'

/** One kind of file that is understood. */
export interface Form {
  /** For people. */
  readonly title: string
  /** Id of the provider. */
  readonly provider: string
  /** In which its days begin; default UTC. */
  readonly timeZone?: string
  /** Fields that all have to be there, by plain names; of several with `|` between them one is enough. */
  readonly needs: readonly string[]
  /** Fields with money; absent: the form has no money. */
  readonly money?: readonly string[]
  /** Its tables round amounts to as many decimals as they show; default: they do not. */
  readonly rounds?: true
  /** What it counts, by the fields that are there. */
  tells(fields: ReadonlySet<string>): readonly Measure[]
  /** Whether it tells how a call was served. */
  tellsTier?(fields: ReadonlySet<string>): boolean
  /** The lines of a record; none for a record that only says that there was nothing. */
  lines(record: InvoiceRecord): readonly InvoiceLine[]
  /** What of the record is left out, in a word for people; undefined for nothing. */
  leavesOut?(record: InvoiceRecord): string | undefined
}

/** `Unrounded Cost ($)`, `usage.amount` and `usage_amount` are one name each: `unrounded_cost`, `usage_amount`. */
export function plainName(name: string): string {
  return name
    .replace(/\([^)]*\)\s*$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
}

interface RecordFacts {
  /** For people: `row 12`. */
  readonly place: string
  readonly decimalComma?: boolean
  /** What stands in brackets in the head of a column of amounts: `$`, `€`. */
  readonly currency?: string | undefined
}

export class InvoiceRecord {
  readonly place: string
  readonly currency: string | undefined
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #decimalComma: boolean

  constructor(fields: ReadonlyMap<string, unknown>, { place, decimalComma = false, currency }: RecordFacts) {
    this.#fields = fields
    this.place = place
    this.#decimalComma = decimalComma
    this.currency = currency
  }

  names(): Iterable<string> {
    return this.#fields.keys()
  }

  /** The first of the fields that is there and not empty. */
  value(...names: readonly string[]): unknown {
    for (const name of names) {
      const value = this.#fields.get(name)
      if (value !== undefined && value !== null && value !== '') return value
    }
    return undefined
  }

  text(...names: readonly string[]): string | null {
    const value = this.value(...names)
    return value === undefined ? null : String(value).trim()
  }

  /** 0 for what is absent. Throws InvoiceError for what is no count. */
  count(...names: readonly string[]): number {
    const value = this.value(...names)
    const count = countFrom(value, this.#decimalComma)
    if (count === undefined) throw new InvoiceError(`${this.place}: "${names[0]}" is no count: ${shown(value)}`)
    return count
  }

  /** Nano-USD; null for what is absent. Throws InvoiceError for what is no amount. */
  amount(names: readonly string[], cents = false): number | null {
    const value = this.value(...names)
    if (value === undefined) return null
    const nano = nanoFrom(value, { cents, decimalComma: this.#decimalComma })
    if (nano === null) throw new InvoiceError(`${this.place}: "${names[0]}" is no amount: ${shown(value)}`)
    return nano
  }

  /** Whether one of its fields is this word. */
  holds(word: string): boolean {
    return [...this.#fields.values()].some((value) => typeof value === 'string' && value.trim().toLowerCase() === word)
  }

  decimals(name: string): number {
    const value = this.value(name)
    return typeof value === 'string' ? decimalsOf(value, this.#decimalComma) : 0
  }

  /** Throws InvoiceError for what is no time; null for what is absent. */
  time(...names: readonly string[]): number | null {
    const value = this.value(...names)
    if (value === undefined) return null
    const at = timeFrom(value)
    if (at === null)
      throw new InvoiceError(`${this.place}: "${names[0]}" is no time such as 2026-11-23: ${shown(value)}`)
    return at
  }
}

/** As JSON, cut to what fits into a message. */
export const shown = (value: unknown) =>
  printable((JSON.stringify(typeof value === 'string' ? value.slice(0, 40) : value) ?? '').slice(0, 60))

/** The words of a way of being served that is not the usual one, in the order of the alphabet; null for the usual one. */
export function tierFrom(...words: readonly (string | null | undefined)[]): string | null {
  const tier = words.flatMap((word) => {
    const plain = word?.toLowerCase() ?? ''
    return USUAL_TIERS.has(plain) ? [] : plain.split('+')
  })
  return tier.length === 0 ? null : tier.toSorted().join('+')
}

/** What the services and their exports call the usual way. */
const USUAL_TIERS: ReadonlySet<string> = new Set([
  '',
  'default',
  'auto',
  'standard',
  'on_demand',
  'message',
  'normal',
  'global',
  'not_available',
])
