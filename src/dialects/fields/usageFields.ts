/** Fields of a usage that several dialects share: modalities, uses of tools, tiers, stated costs. */

import type { ModalityTokens } from '../../domain/chat.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import { MODALITIES } from '../../domain/usageParts.ts'
import type { Fields } from './requestFields.ts'

/** 1 tick = 1e-10 USD: https://docs.x.ai/developers/cost-tracking (2026-11-30) */
const USD_PER_TICK = 1e-10

/** Words for the way in which every call is served that asks for nothing else. */
const USUAL_TIERS = new Set(['', 'auto', 'default', 'on_demand', 'standard', 'unspecified'])

/** A number that is not negative. */
export function statedAmount(value: unknown): number | undefined {
  const number = asNumber(value)
  return number !== undefined && number >= 0 ? number : undefined
}

/** A whole number that is not negative. */
export function count(value: unknown): number | undefined {
  const number = statedAmount(value)
  return number === undefined ? undefined : Math.floor(number)
}

/** `audio_tokens`, `image_tokens`, `video_tokens`. */
export function modalitiesIn(details: Fields | undefined): ModalityTokens | undefined {
  if (details === undefined) return undefined
  const { audio_tokens: audio, image_tokens: image, video_tokens: video } = details
  if (audio === undefined && image === undefined && video === undefined) return undefined
  return { audio: count(audio), image: count(image), video: count(video) }
}

export function writeModalities(tokens: ModalityTokens | undefined): Fields {
  if (tokens === undefined) return {}
  const told = MODALITIES.filter((modality) => tokens[modality] !== undefined)
  return Object.fromEntries(told.map((modality) => [`${modality}_tokens`, tokens[modality]]))
}

/** The tier in the service's own word, in small letters; undefined for the usual way. */
export function namedTier(value: unknown): string | undefined {
  const word = asString(value)?.toLowerCase()
  return word === undefined || USUAL_TIERS.has(word) ? undefined : word
}

/** `web_search_requests` and `web_fetch_requests`. */
export function requestsOfTools(value: unknown): Readonly<Record<string, number>> | undefined {
  const fields = asRecord(value)
  if (fields === undefined) return undefined
  const searches = count(fields['web_search_requests'])
  const fetches = count(fields['web_fetch_requests'])
  return {
    ...(searches !== undefined && { web_search: searches }),
    ...(fetches !== undefined && { web_fetch: fetches }),
  }
}

/**
 * The whole cost in USD that a usage states. With a key of the user's own at the service behind a router (`is_byok`),
 * `cost` is the router's fee alone and what that service charges stands in `cost_details`, where it does; a part of the
 * cost is not taken for the whole: https://openrouter.ai/docs/use-cases/usage-accounting (2026-11-30)
 */
export function statedCost(usage: Fields | undefined): number | undefined {
  if (usage === undefined) return undefined
  const cost = costIn(usage)
  if (usage['is_byok'] !== true) return cost
  const behind = costBehind(usage)
  return cost === undefined || !behind ? undefined : decimalSum(cost, behind)
}

/** The router's fee in USD, where `statedCost` is silent because what the service behind it charges is not stated. */
export function statedFee(usage: Fields | undefined): number | undefined {
  return usage?.['is_byok'] === true && !costBehind(usage) ? costIn(usage) : undefined
}

/** As a router writes a fee whose answer was paid with a key of the user's own. */
export function writeFee(feeUsd: number | undefined): Fields {
  return feeUsd === undefined ? {} : { cost: feeUsd, is_byok: true, cost_details: { upstream_inference_cost: null } }
}

const costBehind = (usage: Fields) => statedAmount(asRecord(usage['cost_details'])?.['upstream_inference_cost'])

/** As the decimal numbers that were stated add up: binary ones may miss half of the smallest amount. */
const decimalSum = (one: number, other: number) => Number((one + other).toPrecision(15))

function costIn(usage: Fields): number | undefined {
  const cost = statedAmount(usage['cost'])
  if (cost !== undefined) return cost
  const ticks = statedAmount(usage['cost_in_usd_ticks'])
  if (ticks !== undefined) return ticks * USD_PER_TICK
  // An account of the cost: https://docs.perplexity.ai/docs/agent-api (2026-11-30)
  const account = asRecord(usage['cost'])
  return (account?.['currency'] ?? 'USD') === 'USD' ? statedAmount(account?.['total_cost']) : undefined
}
