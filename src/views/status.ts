/**
 * `status --json` and `GET /api/status`: every target with its health, limits and spend; providers, budgets, session.
 */

import { isoOrNull } from '../domain/isoTime.ts'
import type { Park } from '../domain/park.ts'
import type { Target } from '../domain/target.ts'
import type { SessionSummary } from '../engine/memory/summary.ts'
import { rankingNow } from '../engine/ranking.ts'
import type { EngineReader } from '../engine/reader.ts'
import type { BudgetView } from '../money/budgetCounter.ts'
import type { LimitView, PublishedLimit } from '../quota/limits/limitView.ts'
import type { RankedTarget } from '../routing/explain.ts'
import type { Terms } from '../routing/score.ts'
import { type StatsStatus, statusOf } from '../store/statsFile/statsFile.ts'
import type { TargetTotalsRow } from '../store/tally.ts'
import { type ChannelStatus, channelStatuses } from './alerts.ts'
import { type CreditStatus, creditsView } from './credits.ts'
import { type Difference, differencesOf } from './differences.ts'
import { type EventLoopStatus, eventLoopsView } from './eventLoops.ts'
import { type AllClosed, allClosed } from './hours.ts'
import { type StoreStatus, storeStatus } from './store.ts'

/** The statuses of `apiStats.json`, and two that only a running keywise knows. */
type Health = StatsStatus | 'parked' | 'untested'

export interface TargetStatus {
  readonly target: string
  readonly provider: string
  readonly model: string
  readonly keyIndex: number
  readonly label: string | null
  readonly status: Health
  /** 1-based; the first is tried first. */
  readonly rank: number
  readonly eligible: boolean
  /** Why it is out, ahead or behind; null where the numbers explain it. */
  readonly reason: string | null
  readonly score: number
  readonly terms: Terms
  /** Expected score, given that a call may fail. */
  readonly value: number
  /** Milliseconds over all answers; null without one. */
  readonly avgResponseTime: number | null
  /** Of about the last thousand answers. */
  readonly p95ResponseTime: number | null
  readonly successCount: number
  readonly failCount: number
  readonly totalTokens: number
  readonly costUsd: number
  /** Attempts of unknown price, which are not in `costUsd`. */
  readonly unpricedAttempts: number
  /** Average of the reported scores; null without one. */
  readonly qualityScore: number | null
  readonly lastSuccess: string | null
  readonly lastError: {
    readonly timestamp: string | null
    readonly error: string
    readonly statusCode: number | null
  } | null
  readonly parked: ParkedView | null
  readonly limits: readonly LimitStatus[]
  /** Where this key was seen to do something else than is published. */
  readonly differences: readonly Difference[]
}

export interface ParkedView {
  readonly until: string
  /** The class of the failure. */
  readonly reason: string
  readonly scope: string
  /** For people. */
  readonly text: string
}

export interface LimitStatus {
  readonly window: string
  readonly unit: string
  /** Whether it is counted for the model alone or for the whole account. */
  readonly scope: 'model' | 'account'
  readonly limit: number | null
  readonly remaining: number | null
  readonly resetsAt: string | null
  readonly source: string
  /** ISO 8601: when the numbers were stated or learned. */
  readonly checkedAt: string | null
  /** What is published of it by the catalogue or the installed facts; null when nothing is. */
  readonly published: PublishedLimit | null
}

interface ProviderStatus {
  readonly provider: string
  readonly name: string
  readonly keys: number
  readonly targets: number
  readonly eligible: number
  readonly working: number
  readonly parked: number
  readonly successCount: number
  readonly failCount: number
  readonly totalTokens: number
  readonly costUsd: number
}

export interface StatusView {
  readonly generatedAt: string
  /** In the order in which they would be tried. */
  readonly targets: readonly TargetStatus[]
  readonly providers: readonly ProviderStatus[]
  readonly budgets: readonly BudgetView[]
  /** What accounts and keys have left, where their providers tell. */
  readonly credits: readonly CreditStatus[]
  /** How the channels of alerts do; empty without any. */
  readonly alertChannels: readonly ChannelStatus[]
  readonly store: StoreStatus
  /** How late each running gateway gets to what is due; empty where none has run for a minute. */
  readonly eventLoops: readonly EventLoopStatus[]
  /** Set while the user's hours keep every target out. */
  readonly allClosed: AllClosed | null
  /** Of the process that answers. */
  readonly session: SessionSummary
}

/** `eventLoop`: of the gateway that answers. */
export function statusView(engine: EngineReader, session: SessionSummary, eventLoop?: EventLoopStatus): StatusView {
  const { now } = engine
  const targets = rankingNow(engine).map((ranked) => targetStatus(engine, ranked, now))
  return {
    generatedAt: new Date(now).toISOString(),
    targets,
    providers: providersOf(engine, targets),
    budgets: engine.learned.budgets.view(now),
    credits: creditsView(engine),
    alertChannels: channelStatuses(engine),
    store: storeStatus(engine),
    eventLoops: eventLoopsView(engine, eventLoop),
    allClosed: allClosed(engine),
    session,
  }
}

function targetStatus(engine: EngineReader, ranked: RankedTarget, now: number): TargetStatus {
  const { learned } = engine
  const { target, rank, score, terms, value, eligible, reason } = ranked
  const row = learned.tally.row(target.stateId)
  const park = learned.parks.blocking(target, now)
  return {
    ...namesOf(target),
    status: healthOf(row, park),
    rank,
    eligible,
    reason,
    score,
    terms,
    value,
    ...countsOf(row),
    p95ResponseTime: learned.observed.p95Ms(target.stateId),
    costUsd: (learned.observed.of(target.stateId)?.costNanoUsd ?? 0) / 1e9,
    unpricedAttempts: learned.observed.of(target.stateId)?.unpriced ?? 0,
    parked: park === undefined ? null : parkedView(park),
    limits: learned.quota.limitsOf(target, now).map(limitStatus),
    differences: differencesOf(engine, target),
  }
}

function namesOf({ id, provider, model, keyIndex, label }: Target) {
  return { target: id, provider, model, keyIndex, label: label ?? null }
}

function healthOf(row: TargetTotalsRow | undefined, park: Park | undefined): Health {
  if (park !== undefined) return 'parked'
  return row === undefined ? 'untested' : statusOf(row)
}

function countsOf(row: TargetTotalsRow | undefined) {
  const { successCount = 0, failCount = 0, totalLatencyMs = 0, qualityCount = 0, qualitySum = 0 } = row ?? {}
  const error = row?.lastError ?? null
  return {
    avgResponseTime: successCount > 0 && totalLatencyMs > 0 ? Math.round(totalLatencyMs / successCount) : null,
    successCount,
    failCount,
    totalTokens: row?.totalTokens ?? 0,
    qualityScore: qualityCount > 0 ? Math.round((1e9 * qualitySum) / qualityCount) / 1e9 : null,
    lastSuccess: isoOrNull(row?.lastSuccess),
    lastError: error && { timestamp: isoOrNull(error.at), error: error.message, statusCode: error.status },
  }
}

export function parkedView({ until, reason, scope, text }: Park): ParkedView {
  return { until: new Date(until).toISOString(), reason, scope, text }
}

function limitStatus({ resetsAt, checkedAt, remaining, ...limit }: LimitView): LimitStatus {
  return {
    ...limit,
    remaining: remaining === null ? null : Math.max(0, Math.floor(remaining)),
    resetsAt: isoOrNull(resetsAt),
    checkedAt: isoOrNull(checkedAt > 0 ? checkedAt : null),
  }
}

function providersOf({ registry }: EngineReader, targets: readonly TargetStatus[]): ProviderStatus[] {
  return registry.config.providers.map(({ id, spec, keys }) => {
    const own = targets.filter(({ provider }) => provider === id)
    const sum = (read: (target: TargetStatus) => number) => own.reduce((total, target) => total + read(target), 0)
    const count = (claim: (target: TargetStatus) => boolean) => own.filter(claim).length
    return {
      provider: id,
      name: spec.name,
      keys: keys.length,
      targets: own.length,
      eligible: count(({ eligible }) => eligible),
      working: count(({ status }) => status === 'working'),
      parked: count(({ status }) => status === 'parked'),
      successCount: sum(({ successCount }) => successCount),
      failCount: sum(({ failCount }) => failCount),
      totalTokens: sum(({ totalTokens }) => totalTokens),
      costUsd: Math.round(1e9 * sum(({ costUsd }) => costUsd)) / 1e9,
    }
  })
}
