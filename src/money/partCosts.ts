/**
 * What a usage with parts costs: exactly where every part has a rate, else from what is known of it to what it can be at
 * most. A part without a rate is not taken for text: that would be a guess shown as a price.
 */

import type { Modality, ModalityTokens, Usage, UsageParts } from '../domain/chat.ts'
import type { TierTimes } from '../domain/target.ts'
import { MODALITIES, TIERS_AT_ONCE } from '../domain/usageParts.ts'
import { usdToPico } from './amount.ts'
import type { Price, Rates } from './price.ts'

/** What holds for all hours and lengths. */
type Documented = Pick<Price, 'tiers' | 'tools'>

/** Pico-USD. */
interface PicoRange {
  readonly least: bigint
  readonly most: bigint
}

/** Of one token or use, in pico-USD; of a tier, millionths of the usual price. */
interface RateRange {
  readonly least: number
  readonly most: number
}

/** Pico-USD per token at USD per million tokens. */
const PER_MILLION = 1_000_000

/**
 * The dearest that any model on a public price list has had, in pico-USD: audio of gpt-4o-realtime-preview-2024-10-01
 * (USD 100 and 200 per million tokens), pictures of gpt-image-1 and gemini-3-pro-image (10 and 120), 50 USD for a thousand
 * searches of gpt-4o-search-preview. https://platform.openai.com/docs/pricing, https://ai.google.dev/pricing
 */
const DEAREST = {
  input: { audio: 100 * PER_MILLION, image: 10 * PER_MILLION, video: 10 * PER_MILLION },
  output: { audio: 200 * PER_MILLION, image: 120 * PER_MILLION, video: 120 * PER_MILLION },
  tool: 50_000_000_000,
  // Claude Opus 4.1, what is written for an hour and what is answered; only Claude is known to consult another model.
  otherModel: { input: 30 * PER_MILLION, output: 75 * PER_MILLION },
  image: 1_000_000_000_000,
  audioSecond: 10_000_000_000,
  // Well above the 62.5 a million of https://docs.venice.ai/models/orpheus-tts.md (2026-11-30).
  character: 300 * PER_MILLION,
} as const

/**
 * Uses of tools that cost more than any search: a picture costs as much as one that is asked for, and a container of 64 GB
 * has cost USD 1.92 for twenty minutes. https://developers.openai.com/api/docs/pricing (2026-11-30)
 */
const DEAREST_TOOLS: Readonly<Record<string, number>> = {
  image_generation: DEAREST.image,
  code_interpreter: 1_920_000_000_000,
}

/** The usual price, in millionths of itself. */
export const USUAL = 1_000_000
/**
 * Tiers of which no price is known, by how their names are used: what may wait is never dearer than usual and has cost
 * half of it; what goes first is never cheaper, and Anthropic's fast mode has cost six times as much.
 * https://platform.openai.com/docs/pricing, https://platform.claude.com/docs/en/build-with-claude/fast-mode
 */
const WAITS: ReadonlySet<string> = new Set(['flex', 'batch'])
const GOES_FIRST: ReadonlySet<string> = new Set(['priority', 'fast'])
const HALF = USUAL / 2
const DEAREST_TIER = 6 * USUAL

/** What Anthropic asks for an hour in its cache, twice the price of the input, is the dearest there is. */
const LONG_CACHE_TIMES = 2

export function partsCost(usage: Usage, parts: UsageParts, rates: Rates, { tiers, tools }: Documented): PicoRange {
  const sum = new Sum()
  addInput(sum, usage, parts, rates)
  addOutput(sum, usage, parts, rates)
  sum.add(parts.otherModels?.input ?? 0, { least: 0, most: DEAREST.otherModel.input })
  sum.add(parts.otherModels?.output ?? 0, { least: 0, most: DEAREST.otherModel.output })
  const tokens = sum.times(tierRange(parts.serviceTier, tiers))
  return tokens.plus(apart(parts, rates, tools)).range()
}

/** Whether a price that the provider documents for all models counted: that of the tier or of a tool. */
export function usesDocumented(
  { serviceTier, serverTools = {} }: UsageParts,
  rates: Rates,
  { tiers, tools }: Documented,
): boolean {
  const named = [serviceTier ?? '', ...(serviceTier?.split(TIERS_AT_ONCE) ?? [])]
  if (named.some((tier) => rateOf(tiers, tier) !== undefined)) return true
  return Object.keys(serverTools).some(
    (tool) => rateOf(rates.parts.tools, tool) === undefined && rateOf(tools, tool) !== undefined,
  )
}

/** What a tier costs, in millionths of the usual price. Of several at once (`fast+us`) each multiplies the price. */
export function tierRange(tier: string | undefined, tiers: TierTimes | undefined): RateRange {
  if (tier === undefined) return exactly(USUAL)
  const known = rateOf(tiers, tier)
  if (known !== undefined) return exactly(Math.round(known * USUAL))
  if (!tier.includes(TIERS_AT_ONCE)) return unknownTier(tier)
  return tier
    .split(TIERS_AT_ONCE)
    .map((one) => tierRange(one, tiers))
    .reduce((all, one) => ({ least: timesUsual(all.least, one.least), most: timesUsual(all.most, one.most) }))
}

const timesUsual = (one: number, other: number) => Math.round((one * other) / USUAL)

function unknownTier(tier: string): RateRange {
  if (WAITS.has(tier)) return { least: HALF, most: USUAL }
  // Of other words some stand for capacity that was paid for beforehand (`scale`, `provisioned_throughput`, Groq's
  // `performance`: https://console.groq.com/docs/performance-tier, 2026-11-30).
  return { least: GOES_FIRST.has(tier) ? USUAL : 0, most: DEAREST_TIER }
}

/** The dearest rate of a token that is read, of any of these kinds. */
export function dearestInput(rates: Rates, modalities: Iterable<Modality>, cachesLong: boolean): number {
  const kinds = [...modalities].map((modality) => inputRate(rates, modality).most)
  const long = cachesLong ? longCacheRate(rates).most : 0
  return Math.max(rates.input, rates.cachedInput, rates.cacheWrite, long, ...kinds)
}

/** The dearest rate of a token that is written, of any of these kinds. */
export function dearestOutput(rates: Rates, modalities: Iterable<Modality>): number {
  return Math.max(rates.output, rates.reasoning, ...[...modalities].map((kind) => outputRate(rates, kind).most))
}

/** The most that so many uses of tools can cost, in pico-USD. */
export function dearestTools(
  uses: Readonly<Record<string, number>>,
  rates: Rates,
  documented: Documented['tools'],
): bigint {
  let pico = 0n
  for (const [tool, times] of Object.entries(uses))
    pico += BigInt(times) * BigInt(toolRate(tool, rates, documented).most)
  return pico
}

function addInput(sum: Sum, usage: Usage, parts: UsageParts, rates: Rates): void {
  const cached = usage.cachedInputTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const long = Math.min(parts.cacheWrite1hTokens ?? 0, written)
  let fresh = usage.inputTokens - cached - written
  let cachedText = cached
  for (const modality of MODALITIES) {
    const ofCached = taken(parts.cached, modality, cachedText)
    const ofFresh = Math.min(Math.max(0, (parts.input?.[modality] ?? 0) - ofCached), fresh)
    cachedText -= ofCached
    fresh -= ofFresh
    sum.add(ofCached, cachedRate(rates, modality))
    sum.add(ofFresh, inputRate(rates, modality))
  }
  sum.add(fresh, exactly(rates.input))
  sum.add(cachedText, exactly(rates.cachedInput))
  sum.add(written - long, exactly(rates.cacheWrite))
  sum.add(long, longCacheRate(rates))
}

function addOutput(sum: Sum, usage: Usage, { output }: UsageParts, rates: Rates): void {
  const reasoning = usage.reasoningTokens ?? 0
  let text = usage.outputTokens - reasoning
  for (const modality of MODALITIES) {
    const tokens = taken(output, modality, text)
    text -= tokens
    sum.add(tokens, outputRate(rates, modality))
  }
  sum.add(text, exactly(rates.output))
  sum.add(reasoning, exactly(rates.reasoning))
}

/** No part is larger than what is left of its whole. */
const taken = (of: ModalityTokens | undefined, modality: Modality, left: number) => Math.min(of?.[modality] ?? 0, left)

/** What is not billed by the token; no tier changes it. */
function apart(
  { serverTools = {}, images = 0, characters = 0, audioSeconds = 0, feeUsd = 0 }: UsageParts,
  rates: Rates,
  documented: Documented['tools'],
): Sum {
  const sum = new Sum()
  sum.add(1, exactly(rates.request))
  for (const [tool, uses] of Object.entries(serverTools)) sum.add(uses, toolRate(tool, rates, documented))
  const { image, character, audioHour, leastAudioSeconds = 0 } = rates.parts
  sum.add(images, image === undefined ? { least: 0, most: DEAREST.image } : exactly(image))
  sum.add(characters, character === undefined ? { least: 0, most: DEAREST.character } : exactly(character))
  if (audioHour === undefined) sum.add(Math.ceil(audioSeconds), { least: 0, most: DEAREST.audioSecond })
  else if (audioSeconds > 0) sum.addScaled(ofRecording(audioSeconds, audioHour, leastAudioSeconds, BigInt(USUAL)))
  if (feeUsd > 0) sum.addScaled(usdToPico(feeUsd) * BigInt(USUAL))
  return sum
}

const SECONDS_PER_HOUR = 3600n
const MILLIS = 1000

/** Pico-USD times `scale`, rounded down; a recording is counted to the millisecond, and at least for so long. */
export function ofRecording(seconds: number, perHour: number, leastSeconds: number, scale: bigint): bigint {
  const millis = BigInt(Math.round(Math.max(seconds, leastSeconds) * MILLIS))
  return (millis * BigInt(perHour) * scale) / (SECONDS_PER_HOUR * BigInt(MILLIS))
}

function toolRate(tool: string, rates: Rates, documented: Documented['tools']): RateRange {
  const rate = rateOf(rates.parts.tools, tool) ?? rateOf(documented, tool)
  return rate === undefined ? { least: 0, most: rateOf(DEAREST_TOOLS, tool) ?? DEAREST.tool } : exactly(rate)
}

/** Names come from the provider. */
const rateOf = (rates: Readonly<Record<string, number>> | undefined, name: string) =>
  rates !== undefined && Object.hasOwn(rates, name) ? rates[name] : undefined

/** A picture or a film that is read is billed as the text of as many tokens, unless the price list says otherwise. */
function inputRate({ input, parts }: Rates, modality: Modality): RateRange {
  const own = parts.input?.[modality]
  if (own !== undefined) return exactly(own)
  return modality === 'audio' ? { least: input, most: Math.max(input, DEAREST.input.audio) } : exactly(input)
}

function cachedRate(rates: Rates, modality: Modality): RateRange {
  const own = rates.parts.cached?.[modality]
  if (own !== undefined) return exactly(own)
  const isText = modality !== 'audio' && rates.parts.input?.[modality] === undefined
  if (isText) return exactly(rates.cachedInput)
  // No list asks more for what is cached than for what is not, nor less than for text.
  return { least: rates.cachedInput, most: Math.max(rates.cachedInput, inputRate(rates, modality).most) }
}

function outputRate({ output, parts }: Rates, modality: Modality): RateRange {
  const own = parts.output?.[modality]
  return own === undefined ? { least: output, most: Math.max(output, DEAREST.output[modality]) } : exactly(own)
}

function longCacheRate({ input, cacheWrite, parts }: Rates): RateRange {
  if (parts.cacheWrite1h !== undefined) return exactly(parts.cacheWrite1h)
  return { least: cacheWrite, most: Math.max(cacheWrite, input * LONG_CACHE_TIMES) }
}

const exactly = (rate: number): RateRange => ({ least: rate, most: rate })

/** In pico-USD times a million, so that tiers leave no fraction. */
class Sum {
  #least = 0n
  #most = 0n

  add(count: number, { least, most }: RateRange): void {
    if (count <= 0) return
    this.#least += BigInt(count) * BigInt(least) * BigInt(USUAL)
    this.#most += BigInt(count) * BigInt(most) * BigInt(USUAL)
  }

  /** An exact amount that is scaled already. */
  addScaled(amount: bigint): void {
    this.#least += amount
    this.#most += amount
  }

  times({ least, most }: RateRange): Sum {
    const product = new Sum()
    product.#least = (this.#least * BigInt(least)) / BigInt(USUAL)
    product.#most = (this.#most * BigInt(most)) / BigInt(USUAL)
    return product
  }

  plus(other: Sum): Sum {
    const sum = new Sum()
    sum.#least = this.#least + other.#least
    sum.#most = this.#most + other.#most
    return sum
  }

  range(): PicoRange {
    return { least: this.#least / BigInt(USUAL), most: this.#most / BigInt(USUAL) }
  }
}
