/**
 * Google Cloud: rows of the export to BigQuery, the console's report by day and its cost table.
 * https://docs.cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/standard-usage,
 * https://docs.cloud.google.com/billing/docs/how-to/cost-table (2026-11-30); columns of the console's files as published by
 * those who read them (2026-11-30).
 */

import { asArray, asRecord } from '../../../domain/json.ts'
import type { Form, InvoiceRecord } from '../form.ts'
import { type Apart, countsOfPart, type InvoiceLine, type Measure } from '../invoice.ts'
import { startAndEnd } from '../span.ts'
import { nanoFrom } from '../values.ts'
import { readSku } from './sku.ts'

const PROVIDER = 'google'
/** In which the console's days and months begin; the rows of BigQuery have times. */
const CONSOLE_ZONE = 'America/Los_Angeles'
const DAY_MS = 86_400_000

const TELLS: readonly Measure[] = [
  'input',
  'output',
  'cached',
  'inputAudio',
  'inputImage',
  'outputAudio',
  'outputImage',
]

/** Whose models are called here; the other services of an account are none of a ledger's business. */
const OURS = /gemini|generative language|vertex ai/i
/** Taxes and adjustments concern the whole account. */
const APART: Readonly<Record<string, Apart>> = {
  tax: 'tax',
  adjustment: 'adjustment',
  rounding_error: 'adjustment',
  rounding: 'adjustment',
}

const isOurs = (record: InvoiceRecord) =>
  apartOf(record) !== undefined || OURS.test(record.text('service_description') ?? '')

const apartOf = (record: InvoiceRecord) => APART[record.text('cost_type')?.toLowerCase().replaceAll(' ', '_') ?? '']

interface Amounts {
  readonly nanoUsd: number | null
  /** What was taken off, below 0. */
  readonly credit: number
  readonly creditName?: string
}

type Reading = (record: InvoiceRecord) => readonly InvoiceLine[]

/** Lines of one record, given its span and amounts. */
function linesWith(
  span: (record: InvoiceRecord) => { start: number; end: number },
  amounts: (record: InvoiceRecord) => Amounts,
): Reading {
  return (record) => {
    const { nanoUsd, credit, creditName = 'credit' } = amounts(record)
    if (!isOurs(record) || (nanoUsd === null && record.value('sku_description') === undefined)) return []
    const common = { ...span(record), project: record.text('project_id', 'project_name'), counts: {}, part: null }
    const item = record.text('sku_description') ?? record.text('service_description') ?? ''
    const credits: readonly InvoiceLine[] =
      credit === 0 ? [] : [{ ...common, model: null, nanoUsd: credit, apart: 'credit', item: creditName }]
    const apart = apartOf(record) ?? (creditTypeOf(record) === null ? undefined : 'credit')
    if (apart !== undefined)
      return [...credits, { ...common, model: null, nanoUsd, apart, item: creditTypeOf(record) ?? item }]
    return [...credits, { ...common, nanoUsd, item, ...useOf(item, record) }]
  }
}

function useOf(
  description: string,
  record: InvoiceRecord,
): Pick<InvoiceLine, 'model' | 'part' | 'counts' | 'tier' | 'apart'> {
  const sku = readSku(description)
  if (sku === null) return { model: null, part: null, counts: {}, apart: 'other' }
  const { model, part, tier, countsTokens } = sku
  return { model, part, tier, counts: countsTokens ? countsOfPart(part, record.count('usage_amount')) : {} }
}

const creditTypeOf = (record: InvoiceRecord) => record.text('credit_type', 'credit_name')

const common = {
  provider: PROVIDER,
  tells: () => TELLS,
  tellsTier: () => true,
  leavesOut: (record: InvoiceRecord) =>
    isOurs(record) || record.value('sku_description') === undefined
      ? undefined
      : (record.text('service_description') ?? 'another service'),
} satisfies Partial<Form>

/** The costs are before credits, which stand in a list beside them. */
export const googleRows: Form = {
  ...common,
  title: 'Google Cloud billing (rows of the export to BigQuery, JSON or CSV)',
  needs: ['service_description', 'sku_description', 'usage_start_time', 'cost'],
  money: ['cost'],
  lines: linesWith(
    (record) => startAndEnd(record, ['usage_start_time'], ['usage_end_time']),
    (record) => {
      const { sum, name } = creditsOf(record.value('credits'))
      return { nanoUsd: record.amount(['cost']), credit: sum, ...(name !== undefined && { creditName: name }) }
    },
  ),
}

/** A list, or the JSON of one where a table holds it. */
function creditsOf(value: unknown): { readonly sum: number; readonly name?: string } {
  const list = typeof value === 'string' ? asArray(parsedOrNull(value)) : asArray(value)
  let sum = 0
  let name: string | undefined
  for (const one of list ?? []) {
    const credit = asRecord(one)
    sum += nanoFrom(credit?.['amount']) ?? 0
    name ??= typeof credit?.['name'] === 'string' ? credit['name'] : undefined
  }
  return { sum, ...(name !== undefined && { name }) }
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const SAVINGS = [
  'negotiated_savings',
  'savings_programs',
  'savings_programmes',
  'other_savings',
  'promotions_and_others',
  'discounts',
] as const

/** Subtotals are after savings; of the sums below the table only the tax is no repetition. */
export const googleReport: Form = {
  ...common,
  title: 'Google Cloud billing report by day and SKU (the console’s CSV)',
  timeZone: CONSOLE_ZONE,
  needs: ['date', 'service_description', 'sku_description', 'unrounded_subtotal|subtotal|cost'],
  money: ['unrounded_subtotal', 'subtotal', 'cost'],
  rounds: true,
  lines: (record) =>
    record.value('date') === undefined
      ? taxBelow(record)
      : linesWith(
          (row) => startAndEnd(row, ['date']),
          (row) => {
            const after = row.amount(['unrounded_subtotal', 'subtotal', 'cost'])
            const credit = SAVINGS.reduce((sum, name) => sum + (row.amount([name]) ?? 0), 0)
            return { nanoUsd: after === null ? null : after - credit, credit, creditName: 'savings' }
          },
        )(record),
}

function taxBelow(record: InvoiceRecord): readonly InvoiceLine[] {
  const nanoUsd = record.holds('tax') ? record.amount(['unrounded_subtotal', 'subtotal']) : null
  if (nanoUsd === null || nanoUsd === 0) return []
  return [{ start: 0, end: 0, model: null, counts: {}, nanoUsd, part: null, apart: 'tax', item: 'tax' }]
}

/** Without its dates nothing can be compared; the last day is one of them. */
export const googleCostTable: Form = {
  ...common,
  title: 'Google Cloud cost table (the console’s CSV, with usage dates)',
  timeZone: CONSOLE_ZONE,
  needs: ['service_description', 'sku_description', 'usage_start_date', 'unrounded_cost|cost'],
  money: ['unrounded_cost', 'cost'],
  rounds: true,
  lines: (record) =>
    record.value('usage_start_date') === undefined
      ? []
      : linesWith(
          (row) => {
            const { start } = startAndEnd(row, ['usage_start_date'])
            return { start, end: (row.time('usage_end_date') ?? start) + DAY_MS }
          },
          (row) => ({ nanoUsd: row.amount(['unrounded_cost', 'cost']), credit: 0 }),
        )(record),
}
