/** The parts of a usage that have prices of their own: what is used of them, within what they are parts of. */

import type { Modality, ModalityTokens, Usage, UsageParts } from './chat.ts'
import { isEmpty } from './json.ts'

export const MODALITIES: readonly Modality[] = ['audio', 'image', 'video']
/** Stands between the words of a service tier where several things change the price: `fast+us`. */
export const TIERS_AT_ONCE = '+'

/** What the parts are parts of. */
type WholeUsage = Pick<
  Usage,
  'inputTokens' | 'outputTokens' | 'cachedInputTokens' | 'cacheWriteTokens' | 'reasoningTokens'
>

/** More uses of a tool, or pictures, than one answer has; a larger count is a reporting error. */
const MOST_USES = 100_000
/** More tokens than any model reads or writes for one answer. */
const MOST_TOKENS = 100_000_000
/** 30 days of sound; a longer recording is a reporting error. */
const MOST_SECONDS = 30 * 24 * 60 * 60
/** Kinds of tools in one answer, and characters of a name: nobody may fill the ledger with made-up ones. */
const MOST_KINDS = 32
const MOST_CHARACTERS = 64
/** No single answer costs more; a higher amount is a reporting error. */
export const MOST_USD_AN_ANSWER = 10_000

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * What is used of `told`, never more than what it is part of; undefined when nothing is, so that most usages have no
 * parts at all. Counts that are NaN, negative or absurd are left out.
 */
export function partsWithin(told: UsageParts | undefined, whole: WholeUsage): UsageParts | undefined {
  if (told === undefined) return undefined
  const parts: Writable<UsageParts> = {}
  const written = Math.min(Math.ceil(told.cacheWrite1hTokens ?? 0), whole.cacheWriteTokens ?? 0)
  if (written > 0) parts.cacheWrite1hTokens = written
  const input = tokensWithin(told.input, whole.inputTokens)
  if (input !== undefined) parts.input = input
  // Cached audio is audio of the input.
  const cached = tokensWithin(told.cached, whole.cachedInputTokens ?? 0, input ?? {})
  if (cached !== undefined) parts.cached = cached
  const output = tokensWithin(told.output, whole.outputTokens - (whole.reasoningTokens ?? 0))
  if (output !== undefined) parts.output = output
  const serverTools = usesOf(told.serverTools)
  if (serverTools !== undefined) parts.serverTools = serverTools
  const otherModels = tokensOfOthers(told.otherModels)
  if (otherModels !== undefined) parts.otherModels = otherModels
  if (told.serviceTier) parts.serviceTier = told.serviceTier.slice(0, MOST_CHARACTERS)
  if (isWithin(told.images, MOST_USES)) parts.images = Math.ceil(told.images)
  if (isWithin(told.characters, MOST_TOKENS)) parts.characters = Math.ceil(told.characters)
  if (isWithin(told.audioSeconds, MOST_SECONDS)) parts.audioSeconds = told.audioSeconds
  if (isWithin(told.feeUsd, MOST_USD_AN_ANSWER)) parts.feeUsd = told.feeUsd
  return isEmpty(parts) ? undefined : parts
}

/** `most`: the most of each kind; default: as many as there is room for. */
function tokensWithin(
  told: ModalityTokens | undefined,
  whole: number,
  most?: ModalityTokens,
): ModalityTokens | undefined {
  if (told === undefined) return undefined
  const used: Writable<ModalityTokens> = {}
  let left = whole
  for (const modality of MODALITIES) {
    const room = most === undefined ? left : Math.min(left, most[modality] ?? 0)
    const count = Math.min(Math.ceil(told[modality] ?? 0), room)
    if (!(count > 0)) continue
    used[modality] = count
    left -= count
  }
  return isEmpty(used) ? undefined : used
}

function usesOf(told: UsageParts['serverTools']): UsageParts['serverTools'] {
  if (told === undefined) return undefined
  const used = Object.entries(told).filter(
    ([kind, uses]) => kind.length <= MOST_CHARACTERS && isWithin(uses, MOST_USES),
  )
  if (used.length === 0) return undefined
  return Object.fromEntries(used.slice(0, MOST_KINDS).map(([kind, uses]) => [kind, Math.ceil(uses)]))
}

function tokensOfOthers(told: UsageParts['otherModels']): UsageParts['otherModels'] {
  const [input = 0, output = 0] = [told?.input, told?.output].map((count) =>
    isWithin(count, MOST_TOKENS) ? Math.ceil(count) : 0,
  )
  return input + output === 0 ? undefined : { input, output }
}

function isWithin(value: number | undefined, most: number): value is number {
  return value !== undefined && value > 0 && value <= most
}

/** Both as one, count by count; of the tiers the one that `other` names. */
export function combinedParts(
  one: UsageParts | undefined,
  other: UsageParts | undefined,
  combine: (one: number, other: number) => number,
): UsageParts | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const numbers = (name: 'cacheWrite1hTokens' | 'images' | 'characters' | 'audioSeconds' | 'feeUsd') =>
    both(one[name], other[name], combine)
  return {
    cacheWrite1hTokens: numbers('cacheWrite1hTokens'),
    input: bothOf(one.input, other.input, combine),
    cached: bothOf(one.cached, other.cached, combine),
    output: bothOf(one.output, other.output, combine),
    serverTools: bothOf(one.serverTools, other.serverTools, combine),
    otherModels: bothOf(one.otherModels, other.otherModels, combine) as UsageParts['otherModels'], // the same names
    serviceTier: other.serviceTier ?? one.serviceTier,
    images: numbers('images'),
    characters: numbers('characters'),
    audioSeconds: numbers('audioSeconds'),
    feeUsd: numbers('feeUsd'),
  }
}

function both(
  one: number | undefined,
  other: number | undefined,
  combine: (one: number, other: number) => number,
): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : combine(one, other)
}

function bothOf(
  one: Readonly<Record<string, number>> | undefined,
  other: Readonly<Record<string, number>> | undefined,
  combine: (one: number, other: number) => number,
): Readonly<Record<string, number>> | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...names].map((name) => [name, both(one[name], other[name], combine) ?? 0]))
}
