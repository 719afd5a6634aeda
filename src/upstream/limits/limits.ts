/** What an answer states about limits, in a dozen header formats or in its body. Hostile values are ignored. */

import type { LimitFact, LimitUnit, LimitWindow } from '../../domain/failure.ts'
import { asRecord } from '../../domain/json.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import { clockSkewMs, parseWait } from '../../quota/reset.ts'
import { readEnvelope } from '../failures/envelope.ts'
import { gatewayOf } from '../failures/gatewayName.ts'
import { limitFactsOf } from '../failures/statedQuota.ts'
import { type HeaderMeaning, meaningOf } from './limitHeaders.ts'
import { readStructuredLimits } from './structuredLimits.ts'

/** How a provider counts, as far as its headers leave it open. */
type Counting = Pick<ProviderSpec, 'limitWindows' | 'quotaScope'>
type LimitHeaders = Readonly<Record<string, string>>

const NONE: readonly LimitFact[] = []
const LARGEST = 1e15
const DAILY: ProviderSpec['limitWindows'] = { requests: 'day', tokens: 'day' }
const HOUR_MS = 3_600_000

/**
 * The limits an answer states; `body` only for errors (a successful answer states no limits in its body).
 * Called for every answer: without such headers and without a body it returns at once. Times are on our clock.
 */
export function readLimits(
  headers: LimitHeaders,
  body: unknown,
  provider: Counting,
  now: number,
): readonly LimitFact[] {
  const fromHeaders = speaksOfLimits(headers) ? readHeaders(headers, provider, now, 'header') : NONE
  // Another keywise quotes what its own upstreams said of their limits.
  if (!body || gatewayOf(headers) === 'keywise') return fromHeaders
  return merge(fromHeaders, readBody(body, provider, now))
}

/** The limit of which nothing is left; of several, the one that comes back last. */
export function exhaustedLimit(limits: readonly LimitFact[]): LimitFact | undefined {
  let latest: LimitFact | undefined
  for (const fact of limits) {
    if (fact.remaining === 0 && (latest === undefined || (fact.resetsAt ?? 0) > (latest.resetsAt ?? 0))) latest = fact
  }
  return latest
}

/** The same facts, with the refusal's own wait as the reset of an exhausted limit. */
export function withWait(limits: readonly LimitFact[], waitMs: number | undefined, now: number): readonly LimitFact[] {
  if (waitMs === undefined || !limits.some((fact) => fact.remaining === 0 && fact.resetsAt === null)) return limits
  const resetsAt = now + waitMs
  return limits.map((fact) => (fact.remaining === 0 && fact.resetsAt === null ? { ...fact, resetsAt } : fact))
}

/** A record with its names in lower case and its texts and numbers as texts; anything else is left out. */
function lowerCaseNames(value: unknown): LimitHeaders {
  const lower: Record<string, string> = Object.create(null)
  for (const [name, content] of Object.entries(asRecord(value) ?? {}).slice(0, 64)) {
    if (typeof content === 'string' || typeof content === 'number') lower[name.toLowerCase()] = String(content)
  }
  return lower
}

function speaksOfLimits(headers: LimitHeaders): boolean {
  for (const name in headers) if (name.includes('limit')) return true
  return false
}

/** A limit while its three numbers are being gathered from three headers. */
interface Draft {
  readonly meaning: HeaderMeaning
  limit: number | null
  remaining: number | null
  resetMs: number | null
}

function readHeaders(
  headers: LimitHeaders,
  provider: Counting,
  now: number,
  source: LimitFact['source'],
): readonly LimitFact[] {
  const skewMs = clockSkewMs(headers['date'], now)
  const drafts = new Map<string, Draft>()
  for (const name in headers) {
    const meaning = meaningOf(name)
    const value = headers[name]
    if (meaning === null || value === undefined) continue
    const key = `${meaning.unit} ${meaning.window} ${meaning.scope}`
    const draft = drafts.get(key) ?? { meaning, limit: null, remaining: null, resetMs: null }
    drafts.set(key, draft)
    if (meaning.measure === 'reset') draft.resetMs = parseWait(value, now, skewMs) ?? null
    else draft[meaning.measure] = countIn(value)
  }
  const facts: LimitFact[] = []
  for (const draft of drafts.values()) addFact(facts, draft, provider, now, source)
  const named = readNamedLimit(headers, now)
  if (named !== undefined) facts.push(named)
  if ('ratelimit' in headers) facts.push(...readStructuredLimits(headers, scopeOf(provider), now))
  return facts
}

/** GitHub names the limit that was met and how long it lasts: `x-ratelimit-type: UserByModelByDay`. */
function readNamedLimit(headers: LimitHeaders, now: number): LimitFact | undefined {
  const name = headers['x-ratelimit-type']
  const wait = headers['x-ratelimit-timeremaining'] ?? headers['retry-after']
  const window = name === undefined ? undefined : /by(day|minute)$/i.exec(name.slice(-100))?.[1]?.toLowerCase()
  const waitMs = wait === undefined ? undefined : parseWait(wait, now)
  if (name === undefined || waitMs === undefined || (window !== 'day' && window !== 'minute')) return undefined
  const scope = /bymodel/i.test(name) ? 'model' : 'account'
  return { unit: 'requests', window, scope, limit: null, remaining: 0, resetsAt: now + waitMs, source: 'header' }
}

function addFact(
  facts: LimitFact[],
  { meaning, limit, remaining, resetMs }: Draft,
  provider: Counting,
  now: number,
  source: LimitFact['source'],
): void {
  // More left than the limit, or a limit of 0 on a success: one of them is wrong, and neither is used.
  const contradicts = limit === 0 || (limit !== null && remaining !== null && remaining > limit)
  if (contradicts || (limit === null && remaining === null)) return
  facts.push({
    unit: meaning.unit,
    window: meaning.window ?? windowOf(meaning.unit, resetMs, provider.limitWindows),
    scope: meaning.scope ?? scopeOf(provider),
    limit,
    remaining,
    resetsAt: resetMs === null ? null : now + resetMs,
    source,
  })
}

/**
 * A name without a window means what the provider's documentation says; else a reset far away betrays a daily limit.
 */
function windowOf(unit: LimitUnit, resetMs: number | null, documented: ProviderSpec['limitWindows']): LimitWindow {
  const window = unit === 'requests' ? documented?.requests : documented?.tokens
  return window ?? (resetMs !== null && resetMs > HOUR_MS ? 'day' : 'minute')
}

function scopeOf({ quotaScope }: Counting): LimitFact['scope'] {
  return quotaScope === 'account+model' ? 'model' : 'account'
}

/** The first number of `50`, `1000.0`, `100, 100;w=60`; null for anything negative, absurd or unreadable. */
function countIn(value: string): number | null {
  const found = /^\s*"?(\d{1,16})(?:\.\d{1,9})?"?\s*(?:$|[,;])/.exec(value.slice(0, 200))
  const count = Number(found?.[1] ?? Number.NaN)
  return Number.isFinite(count) && count <= LARGEST ? count : null
}

function readBody(body: unknown, provider: Counting, now: number): readonly LimitFact[] {
  const envelope = readEnvelope(body)
  const inner = lowerCaseNames(envelope.metadata['headers'])
  if (!speaksOfLimits(inner)) return limitFactsOf(envelope)
  const isDaily = /per-day|daily/i.test(envelope.message)
  const limitWindows = isDaily ? DAILY : provider.limitWindows
  return readHeaders(inner, { quotaScope: provider.quotaScope, limitWindows }, now, 'body')
}

/** What the headers say of a limit is newer than what the body says of the same one. */
function merge(headers: readonly LimitFact[], body: readonly LimitFact[]): readonly LimitFact[] {
  if (headers.length === 0) return body
  const news = body.filter(
    (fact) =>
      !headers.some((known) => known.unit === fact.unit && known.window === fact.window && known.scope === fact.scope),
  )
  return news.length === 0 ? headers : [...headers, ...news]
}
