/** Reads a file of any form that is understood; the form is recognised by its fields, never by the file's name. */

import { asArray, asRecord } from '../../domain/json.ts'
import { printable } from '../../domain/printable.ts'
import { calendarPeriod } from '../period.ts'
import { findTable, type InvoiceTable } from './csv.ts'
import { jsonValues } from './documents.ts'
import { type Form, InvoiceRecord, plainName, shown } from './form.ts'
import { forms } from './forms/forms.ts'
import type { Invoice, InvoiceLine, Measure } from './invoice.ts'
import { InvoiceError } from './invoiceError.ts'
import { timeFrom } from './values.ts'

/** The invoice in the texts of one or several files. Throws InvoiceError. */
export function readInvoice(texts: readonly string[]): Invoice {
  const reading = new Reading()
  for (const text of new Set(texts)) readText(text.replace(/^\uFEFF/, ''), reading)
  if (new Set(texts).size < texts.length) reading.note('The same file is given more than once; it was counted once.')
  return reading.invoice()
}

function readText(text: string, reading: Reading): void {
  if (text.trim() === '') throw new InvoiceError('the file is empty')
  if (/^\s*[[{]/.test(text)) readJson(text, reading)
  else readCsv(text, reading)
}

function readCsv(text: string, reading: Reading): void {
  const table = findTable(text, (cells) => formOf(new Set(cells.map(plainName))) !== undefined)
  if (table === null) throw new InvoiceError('the file is empty')
  const names = table.columns.map(plainName)
  const form = formOf(new Set(names))
  if (form === undefined) throw unknownForm('columns', table.columns)
  const facts = { decimalComma: table.separator === ';', currency: currencyOf(table, form) }
  let row = 1
  for (const cells of table.rows) {
    const fields = new Map(table.columns.map((column, at) => [names[at] ?? '', cells.get(column)]))
    reading.add(form, new InvoiceRecord(fields, { place: `row ${++row}`, ...facts }))
  }
}

/** `Cost ($)`, `Unrounded Cost (€)`. */
function currencyOf({ columns }: InvoiceTable, form: Form): string | undefined {
  const column = columns.find((name) => form.money?.includes(plainName(name)) && /\(([^)]*)\)\s*$/.test(name))
  return /\(([^)]*)\)\s*$/.exec(column ?? '')?.[1]
}

function readJson(text: string, reading: Reading): void {
  let page = 0
  try {
    for (const value of jsonValues(text)) readValue(value, `value ${++page}`, reading)
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InvoiceError(`no JSON from value ${page + 1} on: ${printable(error.message)}`)
    // Only an endless nest of lists or objects fills the stack.
    if (error instanceof RangeError) throw new InvoiceError(`value ${page} is nested too deeply for an invoice`)
    throw error
  }
}

/** A page with a list in it, a list, a bucket with results, or one record. */
function readValue(value: unknown, place: string, reading: Reading): void {
  const list = asArray(value)
  if (list !== undefined) {
    for (const [at, one] of list.entries()) readValue(one, `${place}.${at + 1}`, reading)
    return
  }
  const record = asRecord(value)
  if (record === undefined) throw new InvoiceError(`${place} is no object: ${shown(value)}`)
  const inner = record['data']
  if (typeof inner === 'object' && inner !== null) {
    reading.endsWithMore = record['has_more'] === true
    return readValue(inner, place, reading)
  }
  const results = asArray(record['results']) ?? asArray(record['result'])
  if (results === undefined) return reading.addJson(record, place)
  const { results: _results, result: _result, object: _object, ...bucket } = record
  // A page that is in the file twice counts once.
  if (results.length > 0 && !reading.isNew(record)) return
  reading.cover(bucket['start_time'] ?? bucket['starting_at'], bucket['end_time'] ?? bucket['ending_at'])
  for (const [at, one] of results.entries())
    reading.addJson({ ...bucket, ...(asRecord(one) ?? {}) }, `${place}, result ${at + 1}`)
}

/** Fields of objects in it as `outer_inner`. */
function flattened(record: Readonly<Record<string, unknown>>, prefix = '', fields = new Map<string, unknown>()) {
  for (const [name, value] of Object.entries(record)) {
    const inner = asRecord(value)
    if (inner === undefined) fields.set(plainName(prefix + name), value)
    else flattened(inner, `${prefix}${name}_`, fields)
  }
  return fields
}

function formOf(fields: ReadonlySet<string>): Form | undefined {
  const has = (need: string) => need.split('|').some((name) => fields.has(name))
  return forms.find(({ needs }) => needs.every(has))
}

function unknownForm(what: string, seen: readonly string[]): InvoiceError {
  const names = seen.slice(0, 30).map((name) => printable(name.slice(0, 40)))
  const more = seen.length > 30 ? ` and ${seen.length - 30} more` : ''
  return new InvoiceError(
    `no form that is understood. Its ${what}: ${names.join(', ')}${more}. Understood are:\n${forms.map(({ title }) => `  ${title}`).join('\n')}`,
  )
}

const MORE_PAGES = 'The last page says that there are more (has_more): what they have is not compared.'
const NANO_OF_CENT = 10_000_000
const USD = /^(?:us\$|\$|usd)$/i

interface FormLine {
  readonly form: Form | null
  readonly line: InvoiceLine
}

/** Gathers the lines of a file, and what all of them have in common. */
class Reading {
  readonly #lines: FormLine[] = []
  readonly #forms = new Map<Form, Set<string>>()
  readonly #told = new Map<Form, ReadonlySet<Measure>>()
  readonly #seen = new Set<string>()
  readonly #leftOut = new Map<string, number>()
  readonly #currencies = new Set<string>()
  readonly #notes = new Set<string>()
  /** By date, as midnight of UTC. */
  readonly #days = new Map<number, number>()
  /** Whether the last page says that there are more. */
  endsWithMore = false
  #decimals = 2
  #rounds = false

  /** Whether a bucket with results is not the same as one before. */
  isNew(bucket: object): boolean {
    const text = JSON.stringify(bucket)
    if (!this.#seen.has(text)) {
      this.#seen.add(text)
      return true
    }
    this.#notes.add('The same page is in it more than once; it was counted once.')
    return false
  }

  note(text: string): void {
    this.#notes.add(text)
  }

  /** That a time is covered, also where there was nothing. */
  cover(from: unknown, to: unknown): void {
    const start = timeFrom(from)
    const end = timeFrom(to)
    if (start !== null && end !== null && end > start)
      this.#lines.push({ form: null, line: { start, end, model: null, counts: {}, nanoUsd: null, part: null } })
  }

  addJson(fields: Readonly<Record<string, unknown>>, place: string): void {
    const flat = flattened(fields)
    const form = formOf(new Set(flat.keys()))
    if (form === undefined) throw unknownForm(`${place}: fields`, [...flat.keys()])
    this.add(form, new InvoiceRecord(flat, { place }), true)
  }

  add(form: Form, record: InvoiceRecord, isJson = false): void {
    if (this.#isRepeated(form, record)) return
    this.#note(form, record)
    const leftOut = form.leavesOut?.(record)
    if (leftOut !== undefined) return void this.#leftOut.set(leftOut, (this.#leftOut.get(leftOut) ?? 0) + 1)
    if (form.rounds && !isJson) this.#measure(form, record)
    const isForeign = this.#isForeign(form, record)
    const lines = form.lines(record)
    if (lines.length === 0) this.cover(record.value('start_time'), record.value('end_time'))
    for (const line of lines)
      this.#lines.push({ form, line: this.#atItsTime(isForeign ? { ...line, nanoUsd: null } : line, form.timeZone) })
  }

  /** All rows of a table have the same fields; objects may have different ones. */
  #note(form: Form, record: InvoiceRecord): void {
    const names = this.#forms.get(form) ?? new Set()
    for (const name of record.names()) names.add(name)
    this.#forms.set(form, names)
  }

  /** A generation has an id; the rows of days have none. */
  #isRepeated(form: Form, record: InvoiceRecord): boolean {
    const id = form.needs.includes('created_at') ? record.text('generation_id', 'id') : null
    if (id === null) return false
    const isRepeated = this.#seen.has(id)
    if (isRepeated) this.#notes.add('Generations that are in it more than once were counted once.')
    this.#seen.add(id)
    return isRepeated
  }

  #isForeign(form: Form, record: InvoiceRecord): boolean {
    if (form.money === undefined) return false
    const currency = record.text('amount_currency', 'currency') ?? record.currency ?? 'USD'
    if (USD.test(currency)) return false
    this.#currencies.add(currency.toUpperCase())
    return true
  }

  /** The decimals of a table are those of the amount that has the most. */
  #measure(form: Form, record: InvoiceRecord): void {
    this.#rounds = true
    const own = form.money?.find((name) => record.value(name) !== undefined)
    if (own !== undefined) this.#decimals = Math.max(this.#decimals, record.decimals(own))
  }

  /** Throws InvoiceError where there is nothing to compare. */
  invoice(): Invoice {
    const [first] = this.#forms.keys()
    if (first === undefined) throw new InvoiceError('the export is empty: it has times and nothing else')
    const all = [...this.#forms.keys()]
    const strangers = new Set(all.map(({ provider }) => provider))
    if (strangers.size > 1)
      throw new InvoiceError(`files of several services (${[...strangers].join(', ')}); compare them one by one`)
    if (new Set(all.map(({ timeZone = 'UTC' }) => timeZone)).size > 1)
      throw new InvoiceError('files whose days begin at different times; compare them one by one')
    const counting = this.#countingForms()
    return {
      forms: all.map(({ title }) => title),
      provider: first.provider,
      timeZone: first.timeZone ?? 'UTC',
      tells: new Set(counting.flatMap((form) => form.tells(this.#namesOf(form)))),
      tellsTier: counting.some((form) => form.tellsTier?.(this.#namesOf(form)) ?? false),
      hasMoney: all.some(({ money }) => money !== undefined) && this.#currencies.size === 0,
      currencies: [...this.#currencies],
      stepNanoUsd: this.#rounds ? Math.max(1, NANO_OF_CENT / 10 ** (this.#decimals - 2)) : 1,
      lines: this.#lines.map(({ form, line }) => this.#withCounts(line, form, counting)),
      notes: [...this.#notes, ...leftOutNotes(this.#leftOut), ...(this.endsWithMore ? [MORE_PAGES] : [])],
    }
  }

  #withCounts(line: InvoiceLine, form: Form | null, counting: readonly Form[]): InvoiceLine {
    if (form === null) return line
    if (!counting.includes(form)) return { ...line, counts: {} }
    const tells = this.#told.get(form) ?? new Set(form.tells(this.#namesOf(form)))
    this.#told.set(form, tells)
    return { ...line, tells }
  }

  /**
   * The forms whose counts are taken. Beside a form that is made for counting, quantities of costs would count the same
   * again; and where a form counts only some of its lines, a count that is missing would be taken for nothing.
   */
  #countingForms(): readonly Form[] {
    const counting = [...this.#forms.keys()].filter((form) => form.tells(this.#namesOf(form)).length > 0)
    const pure = counting.filter(({ money }) => money === undefined)
    return (pure.length > 0 ? pure : counting).filter(
      (form) => !this.#lines.some((one) => one.form === form && isUncounted(one.line)),
    )
  }

  /** A date is a day of the form's zone, whatever UTC calls it. */
  #atItsTime(line: InvoiceLine, timeZone = 'UTC'): InvoiceLine {
    if (timeZone === 'UTC' || line.end === 0) return line
    return { ...line, start: this.#dayOf(line.start, timeZone), end: this.#dayOf(line.end, timeZone) }
  }

  #dayOf(at: number, timeZone: string): number {
    const known = this.#days.get(at)
    const day = known ?? calendarPeriod('day', at + NOON_MS, timeZone).start
    if (known === undefined) this.#days.set(at, day)
    return day
  }

  readonly #namesOf = (form: Form): ReadonlySet<string> => this.#forms.get(form) ?? new Set()
}

function isUncounted({ apart, part, counts }: InvoiceLine): boolean {
  return apart === undefined && part !== 'tools' && Object.keys(counts).length === 0
}

const NOON_MS = 43_200_000

const leftOutNotes = (leftOut: ReadonlyMap<string, number>) =>
  [...leftOut].map(([what, count]) => `Not compared: ${count} ${count === 1 ? 'line' : 'lines'} of ${what}.`)
