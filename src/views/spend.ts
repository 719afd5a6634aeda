/** What was spent on what, from the ledger: `keywise budget`, `GET /api/spend`. */

import { InvalidRequestError } from '../domain/errors.ts'
import { isoOrNull } from '../domain/isoTime.ts'
import type { LedgerFilter, LedgerGroup, LedgerSum } from '../domain/store.ts'
import { type PriceRecord, priceRecords } from '../engine/priceLog.ts'
import type { EngineReader } from '../engine/reader.ts'
import { nanoToUsd } from '../money/amount.ts'
import { versionIn } from '../money/priceVersion.ts'
import { CacheReport, type CacheView, NO_CACHES } from './caches.ts'
import { type Saved, savedBy } from './savings.ts'

export interface SpendRow {
  /** By the requested names: `{ provider: 'groq', day: '2026-11-23' }`. */
  readonly group: Readonly<Record<string, string>>
  readonly attempts: number
  readonly successes: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  /** Known costs, and of the others what they were at least. */
  readonly costUsd: number
  /** Attempts whose cost is unknown, or known in part: where there are any, `costUsd` is what was spent at least. */
  readonly unpricedAttempts: number
  /** Only where it was asked for. */
  readonly caches?: CacheView
}

export interface SpendView {
  readonly generatedAt: string
  /** ISO 8601; null: from the beginning. */
  readonly since: string | null
  readonly until: string | null
  readonly by: readonly string[]
  /** Most expensive first; by time where days or hours are requested. */
  readonly spend: readonly SpendRow[]
  readonly total: Omit<SpendRow, 'group'>
  /** Null without a target that has a price. */
  readonly saved: Saved | null
  /** The beginning of what `caches` was told from (ISO 8601): later than `since` where older rows are gone, or too many. */
  readonly cachesSince?: string | null
  /** What the versions of prices say, where spending is told by price. */
  readonly prices?: readonly PriceRecord[]
}

export interface SpendQuestion {
  /** Of `GROUPS`, or `label:NAME`. Default `provider`. */
  readonly by?: readonly string[]
  /** Epoch milliseconds; `until` is exclusive. */
  readonly since?: number
  readonly until?: number
  /** Whether to tell of prompt caches, from the rows of single attempts. Default false. */
  readonly caches?: boolean
}

/** What spending can be grouped by, besides `label:NAME`. Days and hours are UTC. */
const GROUPS = [
  'provider',
  'model',
  'target',
  'key',
  'account',
  'token',
  'session',
  'tier',
  'price',
  'source',
  'day',
  'hour',
] as const

/** Throws InvalidRequestError for a group that does not exist. */
export function spendView(engine: EngineReader, question: SpendQuestion = {}): SpendView {
  const { by = ['provider'], since, until } = question
  const { store } = engine
  const filter: LedgerFilter = { ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
  const groups = by.map(groupOf)
  const sums = store.sums(filter, groups)
  const [total = NOTHING] = store.sums(filter, [])
  const report = question.caches === true ? new CacheReport(engine, filter) : null
  const caches = report?.by(groups)
  return {
    generatedAt: new Date(engine.now).toISOString(),
    since: isoOrNull(since),
    until: isoOrNull(until),
    by,
    spend: inOrder(sums, by).map((sum) => ({
      group: namesOf(engine, sum, by),
      ...amountsOf(sum),
      ...(caches && { caches: caches.get(JSON.stringify(sum.group)) ?? NO_CACHES }),
    })),
    total: { ...amountsOf(total), ...(report && { caches: report.by([]).get('[]') ?? NO_CACHES }) },
    saved: savedBy(total, engine),
    ...(report && { cachesSince: isoOrNull(report.since) }),
    ...(by.includes('price') && { prices: pricesOf(engine, sums, by.indexOf('price')) }),
  }
}

function pricesOf({ store }: EngineReader, sums: readonly LedgerSum[], place: number): readonly PriceRecord[] {
  const versions = new Set(sums.map(({ group }) => versionIn(group[place] ?? '')))
  return priceRecords(store).filter(({ version }) => versions.has(version))
}

function groupOf(name: string): LedgerGroup {
  if (name.startsWith('label:') && name.length > 6) return { label: name.slice(6) }
  const group = GROUPS.find((one) => one === name)
  if (group !== undefined) return group
  throw new InvalidRequestError(
    `spending cannot be told by "${name.slice(0, 60)}"; use ${GROUPS.join(', ')} or label:NAME`,
    { parameter: 'by' },
  )
}

/** Times stay in their order; everything else by cost, then by tokens. */
function inOrder(sums: readonly LedgerSum[], by: readonly string[]): readonly LedgerSum[] {
  if (by.includes('day') || by.includes('hour')) return sums
  const tokens = (sum: LedgerSum) => sum.inputTokens + sum.outputTokens
  return sums.toSorted((a, b) => b.costNanoUsd - a.costNanoUsd || tokens(b) - tokens(a))
}

function namesOf(engine: EngineReader, { group }: LedgerSum, by: readonly string[]): Record<string, string> {
  return Object.fromEntries(by.map((name, place) => [name, nameOf(engine, name, group[place] ?? '')]))
}

/** A key and a target by the current index, `groq#1`; removed ones by their fingerprint. */
function nameOf({ registry }: EngineReader, name: string, value: string): string {
  if (name === 'target') return registry.find(value)?.id ?? value
  if (name !== 'key') return value
  const credential = registry.credentials.find(({ fingerprint }) => fingerprint === value)
  return credential === undefined ? `@${value}` : `${credential.provider.id}#${credential.key.index}`
}

function amountsOf(sum: LedgerSum): Omit<SpendRow, 'group'> {
  const { attempts, successes, inputTokens, outputTokens, cachedInputTokens, costNanoUsd, unpriced } = sum
  return {
    attempts,
    successes,
    inputTokens,
    outputTokens,
    cachedInputTokens,
    costUsd: nanoToUsd(costNanoUsd),
    unpricedAttempts: unpriced,
  }
}

const NOTHING: LedgerSum = {
  group: [],
  attempts: 0,
  successes: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  costNanoUsd: 0,
  unpriced: 0,
  unsureNanoUsd: 0,
  totalLatencyMs: 0,
}
