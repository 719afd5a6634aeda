/** The versions of prices behind `keywise budget --by price`, as a table. */

import { asArray, asRecord } from '../domain/json.ts'
import type { PriceRecord } from '../engine/priceLog.ts'
import { clockText, type Printer } from './output.ts'

/** Nothing for no version. */
export function printPrices(prices: readonly PriceRecord[], out: Printer): void {
  if (prices.length === 0) return
  out.line()
  out.table(
    ['version', 'model', '$ per million in/out', 'first used'],
    prices.map(({ version, provider, model, firstUsedAt, terms }) => [
      version,
      `${provider}/${model}`,
      [...(asArray(terms['rates']) ?? []).map(rateText), ...(terms['free'] === undefined ? [] : ['free quota'])].join(
        '; ',
      ),
      clockText(firstUsedAt),
    ]),
  )
  out.line('Everything that they say: --json')
}

/** `2 / 8`, `1 / 4 16:30-00:30 UTC and sat,sun 0-24 UTC`, `4 / 12 above 200000 tokens` */
function rateText(rate: unknown): string {
  const { input, output, from, daily, hours, above_input_tokens: above } = asRecord(rate) ?? {}
  const times = [...(typeof daily === 'string' ? [daily] : []), ...(asArray(hours) ?? [])]
  const conditions = [
    ...(typeof from === 'string' ? [`from ${from.slice(0, 10)}`] : []),
    ...(times.length > 0 ? [times.join(' and ')] : []),
    ...(typeof above === 'number' ? [`above ${above} tokens`] : []),
  ]
  return [`${input} / ${output}`, ...conditions].join(' ')
}
