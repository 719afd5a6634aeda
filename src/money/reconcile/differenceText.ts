/** Says why, in a sentence for people. */

import { decimalUsd, formatUsd } from '../amount.ts'
import { type InvoiceDifference, measuresOf, type Sides } from './difference.ts'
import type { BilledPart, Counts, Measure } from './invoice.ts'

type Untold = Omit<InvoiceDifference, 'text'>

export function differenceText(difference: Untold): string {
  return TEXTS[difference.kind](difference)
}

const TEXTS: { readonly [K in InvoiceDifference['kind']]: (difference: Untold) => string } = {
  'unknown-calls': ({ counts }) =>
    `billed, and not in the ledger${behind(amountsText(counts))}: called without keywise, or with another store`,
  'unbilled-calls': ({ counts, detail }) =>
    `in the ledger, and not billed${behind(amountsText(negative(counts)))}: ${UNBILLED[detail ?? ''] ?? UNBILLED['']}`,
  price: ({ sides }) => `the same tokens at another price${behind(ratesText(sides))}`,
  'cached-price': ({ sides }) => `cached tokens billed at the price of fresh ones${behind(ratesText(sides))}`,
  tier: ({ detail }) => `the same tokens, served as ${detail}`,
  contract: ({ sides }) => `every price differs by the same share (${percentText(sides)}): a contract, or a discount`,
  'not-charged': () => 'on the invoice at no cost: a free quota, or a credit',
  'no-price': ({ sides }) =>
    `the ledger knows no price${behind(sides && `${tokensText(sides.tokens)} tokens`)}; the invoice settles it`,
  part: ({ counts, detail, sides }) => partText(counts, detail, sides),
  estimated: ({ counts }) =>
    `the ledger had to estimate answers without counts; the invoice has ${signedText(counts) || 'another amount'}`,
  counted: ({ counts }) =>
    `${counts.requests === undefined ? 'as many calls, ' : ''}counted otherwise: the invoice has ${signedText(counts)}`,
  'day-border': ({ detail, counts }) =>
    BORDERS[detail ?? '']?.(amountsText(absolute(counts))) ?? 'counted on another day',
  'time-zone': ({ detail }) =>
    `the invoice’s days begin at ${clockOf(Number(detail))} of the days that its form states`,
  credit: ({ detail }) => `a credit: ${detail}`,
  tax: ({ detail }) => `a tax, which is in no ledger: ${detail}`,
  adjustment: ({ detail }) => `an adjustment of the whole account: ${detail}`,
  apart: ({ detail }) => `billed, and no call of a model: ${detail}`,
  amount: ({ sides, detail }) =>
    sides === null
      ? 'an amount of which nothing that both sides tell is the reason'
      : `billed otherwise${detail === null ? '' : ` for ${partName(detail as BilledPart)}`} (${formatUsd(sides.theirsNanoUsd)} for ${formatUsd(sides.oursNanoUsd)}); without counts a usage export has to tell whether calls or prices differ`,
}

const UNBILLED: Readonly<Record<string, string>> = {
  failed: 'calls that failed or were cut off',
  free: 'calls that cost nothing',
  '': 'the invoice may be incomplete, another account’s, or the calls were free',
}

const BORDERS: Readonly<Record<string, (amounts: string) => string>> = {
  earlier: (amounts) => `calls after midnight are billed on the day before${behind(amounts)}`,
  later: (amounts) => `calls before midnight are billed on the day after${behind(amounts)}`,
  ended: () => 'calls that ran over midnight count on the day on which they ended',
}

/** Of a part that has tokens on one side only it is missing on the other. */
function partText(counts: Counts, detail: string | null, sides: Sides | null): string {
  if (detail !== null) {
    const amount = sides === null ? '' : ` (${formatUsd(sides.theirsNanoUsd)})`
    return `${partName(detail as BilledPart)} on the invoice${amount}, of which the ledger has none`
  }
  const named = measuresOf(counts)
  const more = named.filter(([, count]) => count > 0)
  const fewer = named.filter(([, count]) => count < 0)
  const text = (side: typeof named) =>
    side.map(([measure, count]) => `${measureText(measure, Math.abs(count))}`).join(', ')
  return [
    ...(more.length > 0 ? [`the invoice has ${text(more)} more`] : []),
    ...(fewer.length > 0 ? [`the ledger has ${text(fewer)} more`] : []),
  ].join('; ')
}

const PART_NAMES: Readonly<Record<BilledPart, string>> = {
  input: 'input',
  cached: 'cached input',
  cacheWrite: 'cache writes',
  cacheWrite1h: 'cache writes for an hour',
  output: 'output',
  reasoning: 'reasoning',
  inputAudio: 'audio input',
  inputImage: 'image input',
  inputVideo: 'video input',
  cachedAudio: 'cached audio',
  cachedImage: 'cached images',
  cachedVideo: 'cached video',
  outputAudio: 'audio output',
  outputImage: 'image output',
  outputVideo: 'video output',
  tools: 'uses of tools',
  request: 'requests',
}

const partName = (part: BilledPart) => PART_NAMES[part] ?? part

function ratesText(sides: Sides | null): string | null {
  if (sides === null) return null
  const { theirsNanoUsd, oursNanoUsd, tokens, part, priceSources } = sides
  const of = part === null ? '' : `${partName(part)} `
  const source = priceSources.length === 0 ? '' : ` (${priceSources.join(', ')})`
  if (tokens === 0 || part === null)
    return `${percentText(sides)}: ${formatUsd(theirsNanoUsd)} for ${formatUsd(oursNanoUsd)}${source}`
  return `${of}${rateText(theirsNanoUsd, tokens)} instead of ${rateText(oursNanoUsd, tokens)}${source}`
}

/** USD per million tokens, to a hundredth of a cent: where rounded amounts are divided, more digits would say nothing. */
const rateText = (nanoUsd: number, tokens: number) =>
  `$${decimalUsd(Math.round((nanoUsd / tokens) * 10) * 100_000)} per million`

function percentText(sides: Sides | null): string {
  if (sides === null || sides.oursNanoUsd === 0) return 'unknown share'
  const percent = (sides.theirsNanoUsd / sides.oursNanoUsd - 1) * 100
  return `${percent > 0 ? '+' : '−'}${Number(Math.abs(percent).toFixed(2))} %`
}

const MEASURE_NAMES: Readonly<Record<string, string>> = {
  requests: 'calls',
  input: 'input tokens',
  output: 'output tokens',
  cached: 'cached tokens',
  cacheWrite: 'tokens written to the cache',
  cacheWrite1h: 'tokens written for an hour',
  reasoning: 'reasoning tokens',
  inputAudio: 'tokens of audio input',
  inputImage: 'tokens of image input',
  outputAudio: 'tokens of audio output',
  outputImage: 'tokens of image output',
  images: 'images',
  seconds: 'seconds of audio',
}

export function measureText(measure: Measure, count: number): string {
  const amount = tokensText(count)
  if (measure === 'requests' && count === 1) return '1 call'
  if (measure.startsWith('tool:')) return `${amount} uses of ${measure.slice(5)}`
  return `${amount} ${MEASURE_NAMES[measure] ?? measure}`
}

const tokensText = (count: number) => count.toLocaleString('en-US')

/** Calls and tokens; what is within them only where there is nothing else. */
function amountsText(counts: Counts): string {
  const all = measuresOf(counts)
  const whole = all.filter(([measure]) => measure === 'requests' || measure === 'input' || measure === 'output')
  return (whole.length > 0 ? whole : all).map(([measure, count]) => measureText(measure, count)).join(', ')
}

const signedText = (counts: Counts) =>
  measuresOf(counts)
    .map(([measure, count]) => `${measureText(measure, Math.abs(count))} ${count > 0 ? 'more' : 'fewer'}`)
    .join(', ')

const changed = (counts: Counts, change: (count: number) => number): Counts =>
  Object.fromEntries(measuresOf(counts).map(([measure, count]) => [measure, change(count)]))
const negative = (counts: Counts) => changed(counts, (count) => -count)
const absolute = (counts: Counts) => changed(counts, Math.abs)

const behind = (text: string | null) => (text ? ` (${text})` : '')

function clockOf(ms: number): string {
  const minutes = (((ms / 60_000) % 1440) + 1440) % 1440
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}
