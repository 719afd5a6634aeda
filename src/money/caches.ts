/** What prompt caches spared, and what was read anew that they might have held. */

import type { Usage, UsageParts } from '../domain/chat.ts'
import { costOf } from './cost.ts'
import { type Price, ratesAt } from './price.ts'

/** What one attempt's input was to the caches. */
export interface CacheUse {
  /** All its input, where it could have been cached; else 0. */
  readonly cacheableTokens: number
  /** Read from the cache. */
  readonly readTokens: number
  /** Written to the cache for the usual time, and for an hour. */
  readonly writtenTokens: number
  readonly writtenForHourTokens: number
  /** What hits saved, less what writes cost beyond plain input: below 0 where they cost more. */
  readonly saved: CacheAmount
  /** Sent to the same cache before, and yet not read from it. */
  readonly missed: CacheAmount
  /** Sent in the same conversation before, but to another cache. */
  readonly moved: CacheAmount
}

export interface CacheAmount {
  readonly tokens: number
  /** Integer nano-USD; null when the price is unknown. */
  readonly nanoUsd: number | null
}

/** An attempt as the caches see it. */
export interface CachedAttempt {
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly at: number
  /** Hash of the conversation; null outside of any. */
  readonly session: string | null
  /** What shares a cache: a model in an account. */
  readonly place: string
  readonly usage: Usage
}

/** Input tokens that were sent before, of those of an attempt. */
interface SentBefore {
  /** To the same place. */
  readonly here: number
  /** To any. */
  readonly anywhere: number
}

/**
 * What the attempts of a conversation sent before. A conversation grows at its end, so an attempt repeats the input of
 * the one before it; where it is shorter, its client has cut it, and what is left is at least its opening.
 */
export class Conversations {
  readonly #conversations = new Map<string, Conversation>()

  /** Call in the order in which attempts began. */
  sentBefore({ session, place, startedAt, at, usage }: CachedAttempt): SentBefore {
    if (session === null) return NOTHING_SENT
    let conversation = this.#conversations.get(session)
    if (conversation === undefined) {
      conversation = new Conversation()
      this.#conversations.set(session, conversation)
    }
    const before = conversation.sentBefore(place, usage.inputTokens, startedAt)
    conversation.add({ place, at, inputTokens: usage.inputTokens })
    return before
  }
}

const NOTHING_SENT: SentBefore = { here: 0, anywhere: 0 }

interface Sent {
  readonly place: string
  readonly at: number
  readonly inputTokens: number
}

class Conversation {
  readonly #anywhere = new Inputs()
  readonly #places = new Map<string, Inputs>()
  /** Still running when the latest attempt began: what they send is in no cache yet. */
  #running: Sent[] = []

  sentBefore(place: string, inputTokens: number, now: number): SentBefore {
    this.#settle(now)
    const here = this.#places.get(place)?.repeatedBy(inputTokens) ?? 0
    return { here, anywhere: Math.max(here, this.#anywhere.repeatedBy(inputTokens)) }
  }

  add(sent: Sent): void {
    this.#running.push(sent)
  }

  #settle(now: number): void {
    const ended = this.#running.filter(({ at }) => at <= now)
    if (ended.length === 0) return
    this.#running = this.#running.filter(({ at }) => at > now)
    for (const { place, inputTokens } of ended) {
      this.#anywhere.add(inputTokens)
      const inputs = this.#places.get(place) ?? new Inputs()
      inputs.add(inputTokens)
      this.#places.set(place, inputs)
    }
  }
}

class Inputs {
  #latest = 0
  #shortest = Number.POSITIVE_INFINITY

  add(tokens: number): void {
    this.#latest = tokens
    this.#shortest = Math.min(this.#shortest, tokens)
  }

  repeatedBy(tokens: number): number {
    if (tokens >= this.#latest) return this.#latest
    return tokens >= this.#shortest ? this.#shortest : 0
  }
}

/** `usage` is what was reported: estimates know nothing of caches. */
export function cacheUse(usage: Usage, before: SentBefore, price: Price | null, startedAt: number): CacheUse {
  const read = usage.cachedInputTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const forHour = Math.min(usage.parts?.cacheWrite1hTokens ?? 0, written)
  const isCacheable = couldBeCached(usage, price, startedAt)
  const missed = isCacheable ? Math.max(0, before.here - read) : 0
  const moved = isCacheable ? Math.max(0, before.anywhere - Math.max(before.here, read)) : 0
  const input = inputOf(usage)
  const withHits = withRead(input, missed)
  const cost = (of: Usage) => (price === null ? null : costOf(of, price, startedAt).nanoUsd)
  return {
    cacheableTokens: isCacheable ? usage.inputTokens : 0,
    readTokens: read,
    writtenTokens: written - forHour,
    writtenForHourTokens: forHour,
    saved: amount(read + written, () => less(cost(withoutCache(input)), cost(input))),
    missed: amount(missed, () => less(cost(input), cost(withHits))),
    moved: amount(moved, () => less(cost(withHits), cost(withRead(withHits, moved)))),
  }
}

/** A service that has no cache for the model, or does not speak of it, has no rate of hits. */
function couldBeCached({ inputTokens, cachedInputTokens, cacheWriteTokens }: Usage, price: Price | null, at: number) {
  if ((cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0) > 0) return true
  const rates = price === null ? null : ratesAt(price, at, inputTokens)
  if (rates === null || rates.input === 0) return cachedInputTokens !== undefined
  return rates.cachedInput < rates.input
}

function amount(tokens: number, nanoUsd: () => number | null): CacheAmount {
  return { tokens, nanoUsd: tokens === 0 ? 0 : nanoUsd() }
}

const less = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b)

/** Of what caches do not change nothing is left, so that nothing unknown of it makes the difference unknown. */
function inputOf({ inputTokens, cachedInputTokens = 0, cacheWriteTokens = 0, parts }: Usage): Usage {
  return {
    inputTokens,
    outputTokens: 0,
    totalTokens: inputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    estimated: false,
    ...(parts !== undefined && { parts: inputParts(parts) }),
  }
}

function inputParts({ cacheWrite1hTokens, input, cached, serviceTier }: UsageParts): UsageParts {
  return {
    ...(cacheWrite1hTokens !== undefined && { cacheWrite1hTokens }),
    ...(input !== undefined && { input }),
    ...(cached !== undefined && { cached }),
    ...(serviceTier !== undefined && { serviceTier }),
  }
}

function withoutCache({ inputTokens, parts, ...usage }: Usage): Usage {
  const { cacheWrite1hTokens: _hour, cached: _cached, ...rest } = parts ?? {}
  return {
    ...usage,
    inputTokens,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    ...(parts !== undefined && { parts: rest }),
  }
}

/** As if so many tokens more had been read. The beginning is what is cached, then what is written, for an hour first. */
function withRead(usage: Usage, tokens: number): Usage {
  if (tokens === 0) return usage
  const { cachedInputTokens = 0, cacheWriteTokens = 0, parts } = usage
  const spared = Math.min(tokens, cacheWriteTokens)
  const { cacheWrite1hTokens: forHour = 0, ...rest } = parts ?? {}
  const left = Math.max(0, forHour - spared)
  return {
    ...usage,
    cachedInputTokens: cachedInputTokens + tokens,
    cacheWriteTokens: cacheWriteTokens - spared,
    ...(parts !== undefined && { parts: { ...rest, ...(left > 0 && { cacheWrite1hTokens: left }) } }),
  }
}
