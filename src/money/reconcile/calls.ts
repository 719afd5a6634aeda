/** What the ledger has to compare with an invoice: sums of calls by half hour, model, and what may set them apart. */

import type { Usage } from '../../domain/chat.ts'
import type { AttemptEvent } from '../../domain/store.ts'
import { MODALITIES } from '../../domain/usageParts.ts'
import { picoToNano, usdToPico } from '../amount.ts'
import { tierRange, USUAL } from '../partCosts.ts'
import { Slots } from '../period.ts'
import { type Price, type Rates, ratesAt } from '../price.ts'
import { tierFrom } from './form.ts'
import { addMeasures, type BilledPart, type Counts, type Measure } from './invoice.ts'

/** No zone's day begins between the half hours, but for one of 38,000 people. */
const SLOT_MS = 1_800_000

interface PartSum {
  tokens: number
  pico: bigint
}

/** Sums of calls that nothing sets apart. Amounts are nano-USD. */
export class CallSum {
  calls = 0
  counts: Partial<Record<Measure, number>> = {}
  /** Known costs, and of the others what they were at least. */
  least = 0
  /** The same at most, but for those of which nothing is known. */
  mostKnown = 0
  /** Calls whose cost is wholly unknown. */
  unpriced = 0
  /** Null where the cost of a call cannot be taken apart: by another price than the one that is known now, or reported. */
  parts: Map<BilledPart, PartSum> | null = new Map()
  /** What the cached tokens would have cost at the rate of fresh ones, in pico-USD. */
  cachedAtFullPrice = 0n
  readonly priceSources = new Set<string>()
  /** Tokens by the way they were served; `''` for the usual one. */
  readonly tiers = new Map<string, number>()

  get most(): number {
    return this.unpriced > 0 ? Number.POSITIVE_INFINITY : this.mostKnown
  }

  add(other: CallSum, sign: 1 | -1 = 1): void {
    this.calls += sign * other.calls
    addMeasures(this.counts, other.counts, sign)
    this.least += sign * other.least
    this.mostKnown += sign * other.mostKnown
    this.unpriced += sign * other.unpriced
    this.cachedAtFullPrice += BigInt(sign) * other.cachedAtFullPrice
    for (const source of other.priceSources) this.priceSources.add(source)
    for (const [tier, tokens] of other.tiers) this.tiers.set(tier, (this.tiers.get(tier) ?? 0) + sign * tokens)
    if (this.parts === null || other.parts === null) this.parts = null
    else
      for (const [part, { tokens, pico }] of other.parts) addPart(this.parts, part, sign * tokens, BigInt(sign) * pico)
  }
}

function addPart(parts: Map<BilledPart, PartSum>, part: BilledPart, tokens: number, pico: bigint): void {
  const sum = parts.get(part)
  if (sum === undefined) parts.set(part, { tokens, pico })
  else {
    sum.tokens += tokens
    sum.pico += pico
  }
}

/** What sets calls apart that an invoice may count otherwise. */
export type Standing = 'answered' | 'estimated' | 'failed' | 'free'

interface CallGroup {
  /** Epoch milliseconds of its half hour, by when calls began, and by when they ended. */
  readonly startSlot: number
  readonly endSlot: number
  readonly model: string
  /** The account's name where the invoice knows it as well, otherwise `''`. */
  readonly owner: string
  readonly standing: Standing
  readonly sum: CallSum
}

/** Failed calls that cost something, one by one, of one cell: which of them are billed, only the provider knows. */
const MOST_SINGLES = 50

export interface SingleCall extends Omit<CallGroup, 'standing'> {
  readonly standing: 'failed'
}

interface CallsOptions {
  /** In which the invoice's days begin. */
  readonly timeZone: string
  /** Whether uses of tools are billed apart from the model that used them. */
  readonly toolsApart: boolean
  /** The price that a target has now; null where it is unknown. */
  readonly priceOf: (stateId: string) => Price | null
  /** The name of an account that the invoice knows as well; `''` for others. */
  readonly ownerOf: (row: AttemptEvent) => string
}

/** Under this name are uses of tools that are billed apart from models. */
export const TOOLS_APART = '(tools)'

export class Calls {
  readonly groups = new Map<string, CallGroup>()
  readonly singles: SingleCall[] = []
  readonly models = new Set<string>()
  readonly #options: CallsOptions
  readonly #days: Slots

  constructor(options: CallsOptions) {
    this.#options = options
    this.#days = new Slots('day', false, options.timeZone)
  }

  add(row: AttemptEvent): void {
    if (!isUse(row)) return
    const { toolsApart, priceOf, ownerOf } = this.#options
    const usage = row.usage
    const counts = countsOf(usage, row.calls ?? 1)
    const taken = usage === null ? null : takenApart(row, usage, priceOf(row.target.stateId))
    const common = { ...this.#slotsOf(row), owner: ownerOf(row), standing: standingOf(row) }
    const whole = sumOf(row, counts, taken)
    if (!toolsApart) return this.#put({ ...common, model: row.target.model, sum: whole })
    const tools = toolsOf(whole)
    whole.add(tools, -1)
    this.#put({ ...common, model: row.target.model, sum: whole })
    if (Object.keys(tools.counts).length > 0) this.#put({ ...common, model: TOOLS_APART, sum: tools })
  }

  /** Both in the same day count at the beginning: then it is all the same to every zone. */
  #slotsOf({ startedAt, at }: AttemptEvent): { readonly startSlot: number; readonly endSlot: number } {
    const slotAt = (time: number) => Math.floor(time / SLOT_MS) * SLOT_MS
    const startSlot = slotAt(startedAt)
    return { startSlot, endSlot: this.#days.at(startedAt).end > at ? startSlot : slotAt(at) }
  }

  #put(group: CallGroup): void {
    const { startSlot, endSlot, model, owner, standing, sum } = group
    if (model !== TOOLS_APART) this.models.add(model)
    const key = `${startSlot} ${endSlot} ${standing} ${owner}\n${model}`
    const known = this.groups.get(key)
    if (known === undefined) this.groups.set(key, group)
    else known.sum.add(sum)
    if (standing === 'failed' && this.singles.length < MOST_SINGLES * 100) {
      const single = new CallSum()
      single.add(sum)
      this.singles.push({ ...group, standing, sum: single })
    }
  }
}

/** A refusal uses nothing, and no service counts it. */
function isUse({ ok, usage, costNanoUsd }: AttemptEvent): boolean {
  return ok || (usage !== null && usage.totalTokens > 0) || (costNanoUsd ?? 0) > 0
}

function standingOf({ ok, usage, costNanoUsd, priceSource }: AttemptEvent): Standing {
  if (!ok) return 'failed'
  if (costNanoUsd === 0 && /^(?:free|local)\b|free quota$/.test(priceSource ?? '')) return 'free'
  return usage?.estimated ? 'estimated' : 'answered'
}

function sumOf(row: AttemptEvent, counts: Counts, taken: Taken | null): CallSum {
  const sum = new CallSum()
  const { costNanoUsd, costRange, priceSource, usage, calls = 1 } = row
  sum.calls = calls
  addMeasures(sum.counts, counts)
  sum.least = costNanoUsd ?? costRange?.atLeast ?? 0
  sum.mostKnown = costNanoUsd ?? costRange?.atMost ?? 0
  sum.unpriced = costNanoUsd === null && costRange === undefined ? 1 : 0
  sum.parts = taken?.parts ?? null
  sum.cachedAtFullPrice = taken?.cachedAtFullPrice ?? 0n
  if (priceSource !== null) sum.priceSources.add(priceSource)
  const tokens = (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0)
  sum.tiers.set(tierFrom(usage?.parts?.serviceTier) ?? '', tokens)
  return sum
}

/** The part of it that tools used, as far as it is known. */
function toolsOf(whole: CallSum): CallSum {
  const tools = new CallSum()
  for (const [measure, count] of Object.entries(whole.counts))
    if (measure.startsWith('tool:')) addMeasures(tools.counts, { [measure]: count })
  const sum = whole.parts?.get('tools')
  if (sum !== undefined) {
    tools.parts = new Map([['tools', { ...sum }]])
    tools.least = picoToNano(sum.pico)
    tools.mostKnown = tools.least
    for (const source of whole.priceSources) tools.priceSources.add(source)
  }
  return tools
}

function countsOf(usage: Usage | null, requests: number): Counts {
  if (usage === null) return { requests }
  const { parts } = usage
  const all: Partial<Record<Measure, number>> = {
    requests,
    input: usage.inputTokens,
    output: usage.outputTokens,
    cached: usage.cachedInputTokens ?? 0,
    cacheWrite: usage.cacheWriteTokens ?? 0,
    cacheWrite1h: parts?.cacheWrite1hTokens ?? 0,
    reasoning: usage.reasoningTokens ?? 0,
    inputAudio: parts?.input?.audio ?? 0,
    inputImage: parts?.input?.image ?? 0,
    outputAudio: parts?.output?.audio ?? 0,
    outputImage: parts?.output?.image ?? 0,
    images: parts?.images ?? 0,
    seconds: parts?.audioSeconds ?? 0,
  }
  for (const [tool, uses] of Object.entries(parts?.serverTools ?? {})) all[`tool:${tool}`] = uses
  return all
}

interface Taken {
  readonly parts: Map<BilledPart, PartSum>
  readonly cachedAtFullPrice: bigint
}

/**
 * What each part of the call cost, by the price that its target has now. Null where that does not come to what the row
 * says it cost: then the row was priced otherwise, and nothing can be said of its parts.
 */
function takenApart({ at, costNanoUsd }: AttemptEvent, usage: Usage, price: Price | null): Taken | null {
  if (price === null || costNanoUsd === null) return null
  const rates = ratesAt(price, at, usage.inputTokens)
  const tier = usage.parts?.serviceTier
  const { least, most } = tierRange(tier, price.tiers)
  if (least !== most) return null
  const times = (pico: bigint) => (pico * BigInt(least)) / BigInt(USUAL)
  const parts = new Map<BilledPart, PartSum>()
  let sum = 0n
  for (const [part, tokens] of tokensByPart(usage)) {
    const rate = rateOf(part, rates)
    if (rate === undefined) return null
    const pico = times(BigInt(tokens) * BigInt(rate))
    addPart(parts, part, tokens, pico)
    sum += pico
  }
  const apart = usesOf(usage, price, rates)
  if (apart === null) return null
  for (const [part, { tokens, pico }] of apart) {
    addPart(parts, part, tokens, pico)
    sum += pico
  }
  if (picoToNano(sum) !== costNanoUsd) return null
  return { parts, cachedAtFullPrice: times(BigInt(usage.cachedInputTokens ?? 0) * BigInt(rates.input)) }
}

function* tokensByPart(usage: Usage): Generator<readonly [BilledPart, number]> {
  const { parts } = usage
  const cached = usage.cachedInputTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const long = Math.min(parts?.cacheWrite1hTokens ?? 0, written)
  let fresh = usage.inputTokens - cached - written
  let cachedText = cached
  let text = usage.outputTokens - (usage.reasoningTokens ?? 0)
  for (const modality of MODALITIES) {
    const word = `${modality[0]?.toUpperCase()}${modality.slice(1)}` as 'Audio' | 'Image' | 'Video' // of the three
    const ofCached = Math.min(parts?.cached?.[modality] ?? 0, cachedText)
    const ofFresh = Math.min(Math.max(0, (parts?.input?.[modality] ?? 0) - ofCached), fresh)
    const made = Math.min(parts?.output?.[modality] ?? 0, text)
    cachedText -= ofCached
    fresh -= ofFresh
    text -= made
    if (ofCached > 0) yield [`cached${word}`, ofCached]
    if (ofFresh > 0) yield [`input${word}`, ofFresh]
    if (made > 0) yield [`output${word}`, made]
  }
  yield ['input', fresh]
  yield ['cached', cachedText]
  yield ['cacheWrite', written - long]
  yield ['cacheWrite1h', long]
  yield ['output', text]
  yield ['reasoning', usage.reasoningTokens ?? 0]
}

const PLAIN = {
  input: 'input',
  cached: 'cachedInput',
  cacheWrite: 'cacheWrite',
  output: 'output',
  reasoning: 'reasoning',
} as const

function rateOf(part: BilledPart, rates: Rates): number | undefined {
  if (part === 'cacheWrite1h') return rates.parts.cacheWrite1h ?? rates.cacheWrite
  if (Object.hasOwn(PLAIN, part)) return rates[PLAIN[part as keyof typeof PLAIN]] // a key of it
  const match = /^(input|cached|output)(Audio|Image|Video)$/.exec(part)
  const modality = match?.[2]?.toLowerCase() as 'audio' | 'image' | 'video' | undefined // of the three
  if (modality === undefined) return undefined
  const own = rates.parts[match?.[1] as 'input' | 'cached' | 'output']?.[modality] // of the three
  if (own !== undefined || modality === 'audio' || match?.[1] === 'output') return own
  return match?.[1] === 'cached' ? rates.cachedInput : rates.input
}

/** Null where a use has no rate. */
function usesOf(usage: Usage, price: Price, rates: Rates): Map<BilledPart, PartSum> | null {
  const uses = new Map<BilledPart, PartSum>()
  const { feeUsd } = usage.parts ?? {}
  if (rates.request > 0) addPart(uses, 'request', 1, BigInt(rates.request))
  if (feeUsd !== undefined) addPart(uses, 'request', 1, usdToPico(feeUsd))
  for (const [tool, count] of Object.entries(usage.parts?.serverTools ?? {})) {
    const rate = rates.parts.tools?.[tool] ?? price.tools?.[tool]
    if (rate === undefined) return null
    addPart(uses, 'tools', count, BigInt(count) * BigInt(rate))
  }
  return (usage.parts?.images ?? 0) + (usage.parts?.audioSeconds ?? 0) > 0 ? null : uses
}
