/** What one attempt cost, and the maximum it can cost. */

import type { CostRange } from '../domain/attempt.ts'
import type { Modality, Usage, UsageParts } from '../domain/chat.ts'
import type { TargetProfile } from '../domain/target.ts'
import { MOST_USD_AN_ANSWER } from '../domain/usageParts.ts'
import { NANO_PER_USD, picoToNano, usdToNano } from './amount.ts'
import { dearestInput, dearestOutput, dearestTools, partsCost, tierRange, USUAL, usesDocumented } from './partCosts.ts'
import { type Price, type Rates, ratesAt } from './price.ts'
import { MOST_TOKENS, soundUsage } from './usage.ts'

/** What is known of the cost of one attempt. */
export interface Cost {
  /** Integer nano-USD; null when the price, the usage, or the rate of a part of it is unknown. */
  readonly nanoUsd: number | null
  /** What is known of an unknown cost, where that is something. */
  readonly range?: CostRange
  /** The source: `reported`, the price's source, or `unknown`. */
  readonly source: string
  /** Reported by the provider itself. */
  readonly reported: boolean
}

const UNKNOWN: Cost = { nanoUsd: null, source: 'unknown', reported: false }

const MOST_REPORTED_NANO_USD = MOST_USD_AN_ANSWER * NANO_PER_USD

/**
 * The cost of one attempt's usage at `at` (epoch milliseconds). A cost reported by the provider wins; otherwise input,
 * cached input, cache writes, output, reasoning and the request itself at the rates of that hour and input length, and
 * a router's fee as it is reported.
 */
export function costOf(usage: Usage, price: Price | null, at: number): Cost {
  const reported = reportedNanoUsd(usage.reportedCostUsd)
  if (reported !== null) return { nanoUsd: reported, source: 'reported', reported: true }
  if (price === null) return UNKNOWN
  const { source } = price
  if (price.isFree) return { nanoUsd: 0, source, reported: false }
  const sound = soundUsage(usage)
  if (sound === null) return { nanoUsd: null, source, reported: false }
  const rates = ratesAt(price, at, sound.inputTokens)
  if (sound.parts === undefined) return { nanoUsd: picoToNano(picoOf(sound, rates)), source, reported: false }
  return partlyKnown(sound, sound.parts, rates, price)
}

function partlyKnown(usage: Usage, parts: UsageParts, rates: Rates, price: Price): Cost {
  const { least, most } = partsCost(usage, parts, rates, price)
  const range = { atLeast: picoToNano(least), atMost: picoToNano(most) }
  const isDocumented = price.documentedOn !== undefined && usesDocumented(parts, rates, price)
  const documented = isDocumented ? `${price.source} + documentation ${price.documentedOn}` : price.source
  const source = parts.feeUsd === undefined ? documented : `${documented} + reported fee`
  const isExact = least === most
  return isExact
    ? { nanoUsd: range.atLeast, source, reported: false }
    : { nanoUsd: null, range, source, reported: false }
}

function reportedNanoUsd(usd: number | undefined): number | null {
  if (usd === undefined || !(usd >= 0)) return null
  const nanoUsd = usdToNano(usd)
  return nanoUsd !== null && nanoUsd <= MOST_REPORTED_NANO_USD ? nanoUsd : null
}

function picoOf(usage: Usage, rates: Rates): number | bigint {
  const cached = usage.cachedInputTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const reasoning = usage.reasoningTokens ?? 0
  const fresh = usage.inputTokens - cached - written
  const answer = usage.outputTokens - reasoning
  const pico =
    fresh * rates.input +
    cached * rates.cachedInput +
    written * rates.cacheWrite +
    answer * rates.output +
    reasoning * rates.reasoning +
    rates.request
  if (pico <= Number.MAX_SAFE_INTEGER) return pico
  // Absurd counts at absurd prices exceed the range of exact numbers.
  const term = (tokens: number, rate: number) => BigInt(tokens) * BigInt(rate)
  return (
    term(fresh, rates.input) +
    term(cached, rates.cachedInput) +
    term(written, rates.cacheWrite) +
    term(answer, rates.output) +
    term(reasoning, rates.reasoning) +
    BigInt(rates.request)
  )
}

/** The maximum a request may need. */
interface TokenNeed {
  /** An upper bound, see `mostInputTokens`. */
  readonly inputTokens: number
  /** The request's own `max_tokens`; null when it sets none. */
  readonly maxOutputTokens: number | null
  /** What a larger `max_tokens` is cut to when the call is written; null or absent: it is sent as it is. */
  readonly cutToTokens?: number | null
  /** How many answers are requested (`n`), each up to that length. Default 1. */
  readonly answers?: number
  /** What of the call may be billed apart from plain tokens; absent for most. */
  readonly parts?: PartsNeed | undefined
}

/** What of a call, as it is requested, may be billed apart from plain tokens. */
export interface PartsNeed {
  /** The tier asked for, in the provider's word; undefined for the usual one. */
  readonly serviceTier?: string | undefined
  /** Kinds of content that the prompt has beside text. */
  readonly input: ReadonlySet<Modality>
  /** Kinds of content that the answer may have beside text. */
  readonly output: ReadonlySet<Modality>
  /** Whether something is to stay in the prompt cache for an hour. */
  readonly cachesLong: boolean
  /** How often tools that run at the provider may be used for one answer, by kind; undefined for none. */
  readonly serverTools?: Readonly<Record<string, number>> | undefined
}

export interface WorstCase {
  /** Null when the price is unknown. */
  readonly nanoUsd: number | null
  readonly inputTokens: number
  /** Of all answers. */
  readonly outputTokens: number
  /** Of the longest of them. */
  readonly answerTokens: number
  /** What of `nanoUsd` is for tools that run at the provider; absent: none of it. */
  readonly toolsNanoUsd?: number
  /**
   * What bounds the output: the request, the model, or only our assumption. Under a hard budget an assumed bound must
   * be sent as `max_tokens`; otherwise the answer may be longer than what was reserved. `cut`: the request's own limit
   * as it is sent, which is sent as it was reserved.
   */
  readonly boundedBy: 'request' | 'cut' | 'model' | 'assumption'
}

/**
 * Output assumed where neither the request nor anything else states a limit, and then sent as the limit: above what
 * models write unprompted, and not above what the common ones accept.
 */
export const ASSUMED_OUTPUT_TOKENS = 16_384
/**
 * The minimum share of a context that is left to the answer when the prompt may fill it by its byte count: bytes are 3
 * to 4 times the tokens.
 */
const LEAST_ROOM = 1 / 4

/** An attempt that starts now may end, and be priced, this much later. */
const LONGEST_ATTEMPT_MS = 600_000

/** The maximum cost of an attempt that starts at `at`: no cache hits, the higher hourly rate, the longest answer. */
export function worstCase(
  need: TokenNeed,
  price: Price | null,
  profile: Pick<TargetProfile, 'contextTokens' | 'maxOutputTokens'>,
  at: number,
): WorstCase {
  const inputTokens = tokens(need.inputTokens) ?? MOST_TOKENS
  const { longest, boundedBy } = mostOutput(need, profile)
  const outputTokens = Math.min(longest * (tokens(need.answers ?? 1) ?? 1), MOST_TOKENS)
  const bounds = { inputTokens, outputTokens, answerTokens: longest, boundedBy }
  if (price === null) return { nanoUsd: null, ...bounds }
  if (price.isFree) return { nanoUsd: 0, ...bounds }
  const nanoUsd = mostBy(price, at, inputTokens, (rates) => mostNano(price, rates, bounds, need))
  const { serverTools } = need.parts ?? {}
  if (serverTools === undefined) return { nanoUsd, ...bounds }
  const toolsNanoUsd = mostBy(price, at, inputTokens, (rates) =>
    picoToNano(usesOfTools(serverTools, price, rates, need)),
  )
  return { nanoUsd, ...bounds, toolsNanoUsd }
}

function usesOfTools(
  serverTools: Readonly<Record<string, number>>,
  { tools }: Price,
  rates: Rates,
  { answers = 1 }: Pick<TokenNeed, 'answers'>,
): bigint {
  return dearestTools(serverTools, rates, tools) * BigInt(tokens(answers) ?? 1)
}

/** The most by the rates of any time at which an attempt that is admitted now may begin. */
export function mostBy(price: Price, at: number, inputTokens: number, costBy: (rates: Rates) => number): number {
  let rates = ratesAt(price, at, inputTokens)
  let most = costBy(rates)
  const step = stepOf(price.windows)
  for (let later = step; later <= LONGEST_ATTEMPT_MS; later += step) {
    const others = ratesAt(price, at + later, inputTokens)
    if (others === rates) continue
    rates = others
    most = Math.max(most, costBy(rates))
  }
  return most
}

const MINUTE_MS = 60_000

/** How far apart to look for another price: hours of the user's may last a minute, those of a list never so short. */
function stepOf(windows: Price['windows']): number {
  if (windows.length === 1) return Number.POSITIVE_INFINITY
  return windows.some(({ hours }) => hours !== undefined) ? MINUTE_MS : LONGEST_ATTEMPT_MS
}

function mostOutput(
  need: TokenNeed,
  profile: Pick<TargetProfile, 'contextTokens' | 'maxOutputTokens'>,
): { readonly longest: number; readonly boundedBy: WorstCase['boundedBy'] } {
  const asked = tokens(need.maxOutputTokens)
  const cut = tokens(need.cutToTokens ?? null)
  if (asked !== null && cut !== null)
    return { longest: Math.min(asked, cut), boundedBy: asked <= cut ? 'request' : 'cut' }
  const model = tokens(profile.maxOutputTokens)
  if (asked !== null && (model === null || asked <= model)) return { longest: asked, boundedBy: 'request' }
  if (model !== null) return { longest: model, boundedBy: 'model' }
  return {
    longest: assumedOutput(tokens(need.inputTokens) ?? MOST_TOKENS, tokens(profile.contextTokens)),
    boundedBy: 'assumption',
  }
}

/** Prompt and answer share the context, and an answer too long for it is refused. */
function assumedOutput(inputTokens: number, context: number | null): number {
  if (context === null) return ASSUMED_OUTPUT_TOKENS
  const room = Math.max(context - inputTokens, Math.floor(context * LEAST_ROOM), 1)
  return Math.min(room, ASSUMED_OUTPUT_TOKENS)
}

function tokens(value: number | null): number | null {
  return value !== null && value >= 0 ? Math.min(Math.ceil(value), MOST_TOKENS) : null
}

function mostNano(
  price: Price,
  rates: Rates,
  { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>,
  { parts, answers = 1 }: Pick<TokenNeed, 'parts' | 'answers'>,
): number {
  const dearest: Rates = {
    ...rates,
    input: dearestInput(rates, parts?.input ?? NO_KINDS, parts?.cachesLong ?? false),
    output: dearestOutput(rates, parts?.output ?? NO_KINDS),
  }
  const usage: Usage = { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: true }
  const pico = picoOf(usage, dearest)
  if (parts?.serviceTier === undefined && parts?.serverTools === undefined) return picoToNano(pico)
  // A provider may serve it in the usual way after all.
  const times = Math.max(USUAL, tierRange(parts.serviceTier, price.tiers).most)
  const uses = usesOfTools(parts.serverTools ?? {}, price, rates, { answers })
  return picoToNano((BigInt(pico) * BigInt(times)) / BigInt(USUAL) + uses)
}

const NO_KINDS: ReadonlySet<Modality> = new Set()
