/** Invoices of Google, by its documentation. */

import type { BilledCall } from './billedCall.ts'
import { byDayAndModel, cents, csv, DAY, date, dayOf, type Form, groups, iso, sum, usd } from './paper.ts'

const SKUS: Readonly<Record<string, string>> = {
  fresh: 'Generate content input token count MODEL short input text',
  audio: 'Generate content input token count MODEL input audio',
  cached: 'Generate content cached input token count MODEL input short text',
  output: 'Generate content output token count MODEL short output text',
}

interface SkuLine {
  readonly day: number
  readonly sku: string
  readonly tokens: number
  readonly nano: number
}

function skuLines(calls: readonly BilledCall[]): readonly SkuLine[] {
  return groups(calls, byDayAndModel).flatMap((group) =>
    Object.entries(SKUS).flatMap(([part, text]) => {
      const tokens = sum(group, (call) => (part === 'fresh' ? call.fresh - call.audio : call[part as 'output']))
      const sku = text.replace('MODEL', (group[0]?.model ?? '').replaceAll('-', ' '))
      const nano = sum(group, ({ parts }) => parts?.[part] ?? 0)
      const tier = group[0]?.tier === undefined ? '' : ` ${group[0].tier}`
      return tokens === 0 ? [] : [{ day: dayOf(group[0]?.at ?? 0), sku: sku + tier, tokens, nano }]
    }),
  )
}

const googleRows: Form = {
  name: 'Google rows of BigQuery, JSON lines',
  provider: 'google',
  money: 'exact',
  counts: 'tokens',
  cached: true,
  written: false,
  searches: false,
  tier: true,
  byPart: true,
  timeZone: 'UTC',
  extras: ['credit', 'tax', 'adjustment'],
  write: (calls, extras) => {
    const row = (day: number, sku: string, nano: number, more: object) => ({
      billing_account_id: '000000-000000-000000',
      service: { id: 'AEFD-7695-64FA', description: 'Gemini API' },
      sku: { id: '0000-0000-0000', description: sku },
      usage_start_time: `${iso(day).slice(0, 19).replace('T', ' ')} UTC`,
      usage_end_time: `${iso(day + DAY)
        .slice(0, 19)
        .replace('T', ' ')} UTC`,
      project: { id: 'my-project' },
      cost: nano / 1e9,
      currency: 'USD',
      credits: [],
      cost_type: 'regular',
      ...more,
    })
    const rows = skuLines(calls).map(({ day, sku, tokens, nano }) =>
      row(day, sku, nano, { usage: { amount: tokens, unit: 'count' } }),
    )
    const others = extras.map(({ kind, at, nanoUsd }) =>
      kind === 'credit'
        ? row(dayOf(at), 'Generate content input token count gemini 2.5 flash short input text', 0, {
            usage: { amount: 0, unit: 'count' },
            credits: [{ name: 'Free trial', amount: nanoUsd / 1e9, type: 'PROMOTION' }],
          })
        : row(dayOf(at), 'Tax', nanoUsd, { cost_type: kind, service: { description: 'Invoice' } }),
    )
    return [...rows, ...others].map((one) => JSON.stringify(one)).join('\n')
  },
}

const googleReport: Form = {
  ...googleRows,
  name: 'Google report of the console, CSV',
  timeZone: 'America/Los_Angeles',
  extras: ['credit', 'tax'],
  write: (calls, extras) => {
    const head =
      'Date,Service description,Service ID,SKU description,SKU ID,Usage amount,Usage unit,List cost ($),Negotiated savings ($),Savings programs ($),Other savings ($),Unrounded subtotal ($),Subtotal ($)'
    const line = (day: number, sku: string, tokens: number, nano: number, saved: number) => [
      ...[date(day), 'Gemini API', 'AEFD-7695-64FA', sku, '0000', tokens.toLocaleString('en-US'), 'count', cents(nano)],
      ...[usd(saved), '0.00', '0.00', usd(nano + saved), cents(nano + saved)],
    ]
    const rows = skuLines(calls).map(({ day, sku, tokens, nano }) => line(day, sku, tokens, nano, 0))
    const credits = extras
      .filter(({ kind }) => kind === 'credit')
      .map(({ at, nanoUsd }) =>
        line(dayOf(at), SKUS['output']?.replace('MODEL', 'gemini 2.5 flash') ?? '', 0, 0, nanoUsd),
      )
    const tax = extras.filter(({ kind }) => kind === 'tax').reduce((all, { nanoUsd }) => all + nanoUsd, 0)
    const below = ['', '', '', '', '', '', '', '', '', '', 'Tax', usd(tax), cents(tax)]
    return csv([head.split(','), ...rows, ...credits, below])
  },
}

const googleTable: Form = {
  ...googleRows,
  name: 'Google cost table, CSV with semicolons and decimal commas',
  timeZone: 'America/Los_Angeles',
  extras: ['credit', 'tax', 'adjustment'],
  write: (calls, extras) => {
    const head =
      'Billing account name;Billing account ID;Project name;Project ID;Project hierarchy;Service description;Service ID;SKU description;SKU ID;Consumption model description;Credit type;Cost type;Usage start date;Usage end date;Usage amount;Usage unit;Unrounded Cost ($);Cost ($)'
    const comma = (text: string) => text.replace('.', ',')
    const line = (day: number, sku: string, tokens: number, nano: number, type: string, credit = '') => [
      ...['Me', '000000', 'P', 'p', 'o', 'Gemini API', 'AEFD', sku, 'S', 'Default', credit, type, date(day), date(day)],
      ...[tokens.toLocaleString('de-DE'), 'count', comma(usd(nano)), comma(cents(nano))],
    ]
    const rows = skuLines(calls).map(({ day, sku, tokens, nano }) => line(day, sku, tokens, nano, 'Usage'))
    const others = extras.map(({ kind, at, nanoUsd }) =>
      kind === 'credit'
        ? line(dayOf(at), 'Discount', 0, nanoUsd, 'Usage', 'Promotion')
        : line(dayOf(at), kind, 0, nanoUsd, kind === 'tax' ? 'Tax' : 'Adjustment'),
    )
    const above = [['Invoice number', '1'], ['Currency', 'USD'], []]
    return `\uFEFF${csv([...above, head.split(';'), ...rows, ...others], ';')}`
  },
}

export const googleForms: readonly Form[] = [googleRows, googleReport, googleTable]
