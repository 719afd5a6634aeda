/**
 * From occurrences of one failure to the resulting park. A pure function of the set of occurrences, so neither the
 * order in which several processes read them nor repetition matters.
 */

import { type DayBoundary, FAILURE_KINDS, type FailureKind, type LimitWindow } from '../../domain/failure.ts'
import { asArray, asNumber, asRecord, asString, type Json } from '../../domain/json.ts'
import type { BackBy, Park, ParkRule } from '../../domain/park.ts'
import type { LimitScope, QuotaScope, Scope } from '../../domain/scope.ts'
import type { AttemptEvent, TargetRef } from '../../domain/store.ts'
import { hasBoundary, nextDay, nextMonth } from '../dayBoundary.ts'
import { LONGEST_WAIT_MS } from '../reset.ts'
import { describePark } from './parkText.ts'

/** What parks need to know about a provider; a `ProviderSpec` is one. */
export interface QuotaFacts {
  readonly quotaScope: QuotaScope
  readonly dayBoundary: DayBoundary
  /** An object when a free call can verify a key. */
  readonly keyCheck: object | 'call' | 'none'
}

/** One failure, reduced to what parks need. */
export interface Occurrence {
  readonly id: string
  /** Epoch milliseconds at which the attempt ended, and began. */
  readonly at: number
  readonly startedAt: number
  readonly kind: FailureKind
  readonly statedMs: number | null
  readonly window: LimitWindow | null
  readonly limitScope: LimitScope | null
  readonly untilMonthEnd: boolean
  readonly coversFree: boolean
  /** Known before the call (`AttemptEvent.known`): only what it states counts. */
  readonly expected: boolean
  readonly target: TargetRef
}

/** The longest a limit's window can be; a longer wait cannot be true. A Pacific day may have 25 hours. */
const WINDOW_MS: { readonly [W in LimitWindow]: number } = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 25 * 3_600_000,
  week: 7 * 86_400_000 + 3_600_000,
  month: LONGEST_WAIT_MS,
  none: LONGEST_WAIT_MS,
}

/** Maximum extension of a stated time, so that waiting requests do not all return at once. */
const LONGEST_JITTER_MS = 60_000

export function occurrenceOf(event: AttemptEvent): Occurrence | null {
  const failure = event.failure
  if (failure === null) return null
  return {
    id: event.id,
    at: event.at,
    startedAt: Math.min(event.startedAt, event.at),
    kind: failure.kind,
    statedMs: failure.retryAfterMs ?? null,
    window: 'window' in failure ? (failure.window ?? null) : null,
    limitScope: 'scope' in failure ? (failure.scope ?? null) : null,
    untilMonthEnd: failure.kind === 'billing' && failure.untilMonthEnd === true,
    coversFree: failure.kind === 'billing' && failure.coversFree === true,
    expected: event.known === 'expected',
    target: nameOf(event.target),
  }
}

/**
 * The park of `scope` that results from these occurrences (sorted by time), or null. `clearedAt` is the time up to
 * which a success has cleared them; what the upstream stated outlives a success.
 */
export function parkOf(
  occurrences: readonly Occurrence[],
  rule: ParkRule,
  scope: Scope,
  clearedAt: number,
  facts: QuotaFacts | undefined,
): Park | null {
  const newest = occurrences.at(-1)
  if (newest === undefined || !isAgreed(occurrences, rule, scope, facts)) return null
  // The account rests only as long as the newest refusal says; the other model rests by itself.
  const counted = isAccountsByAgreement(occurrences, rule, scope, facts) ? [newest] : occurrences
  const run = runOf(counted, rule, clearedAt, facts)
  const stated = latestStated(counted, rule, facts)
  const guessed = guessedFrom(run, rule, scope, facts)
  const span = guessed !== null && guessed.until > (stated?.until ?? 0) ? guessed : stated
  if (span === null) return null
  const cause = span === guessed ? (run.last ?? newest) : newest
  const park = {
    scope,
    since: span.since,
    until: span.until,
    reason: cause.kind,
    stated: span === stated,
    times: run.times,
    backBy: backBy(rule, facts),
    target: cause.target,
  }
  return { ...park, text: describePark(park, cause.window, facts?.dayBoundary) }
}

/** Consecutive occurrences: how many, how many of their stated waits were wrong, and the last one. */
interface Run {
  readonly times: number
  readonly wrong: number
  /** How many stated no wait, or none that was still believed. */
  readonly guessed: number
  readonly last: Occurrence | null
}

/**
 * Failures of requests that ran in parallel count as one occurrence: ten parallel refusals are not ten in a row. A
 * failure that was expected does not count either: how often keywise asks must not decide how long it stays away.
 */
function runOf(
  occurrences: readonly Occurrence[],
  rule: ParkRule,
  clearedAt: number,
  facts: QuotaFacts | undefined,
): Run {
  let times = 0
  let wrong = 0
  let guessed = 0
  let last: Occurrence | null = null
  let countedAt = clearedAt
  for (const seen of occurrences) {
    if (seen.expected || seen.at <= clearedAt) continue
    const isParallel = last !== null && seen.startedAt <= countedAt
    if (!isParallel) {
      if (last !== null && isRefuted(last, seen, rule)) wrong++
      times++
      if (isGuessed(seen, wrong, rule, facts)) guessed++
      countedAt = seen.at
    }
    // Of parallel ones the newest counts: it states how long, or that no time is known.
    last = seen
  }
  return { times, wrong, guessed, last }
}

/** Whether how long this occurrence lasts has to be guessed: it states nothing that can still be believed. */
function isGuessed(seen: Occurrence, wrong: number, rule: ParkRule, facts: QuotaFacts | undefined): boolean {
  return wrong >= MOST_WRONG || statedUntil(seen, rule, facts) === null
}

/** A call after the stated wait was refused again. */
function isRefuted(stated: Occurrence, next: Occurrence, rule: ParkRule): boolean {
  const wait = statedWait(stated, rule)
  return wait !== null && next.startedAt >= stated.at + wait
}

/** How long a limit of parallel calls rests. */
const AT_ONCE = { firstMs: 1_000, mostMs: 30_000 } as const

interface ParkSpan {
  readonly since: number
  readonly until: number
}

/** The latest of all stated ends counts: no request returns before the upstream asked for it. */
function latestStated(
  occurrences: readonly Occurrence[],
  rule: ParkRule,
  facts: QuotaFacts | undefined,
): ParkSpan | null {
  let latest: ParkSpan | null = null
  for (const occurrence of occurrences) {
    const until = statedUntil(occurrence, rule, facts)
    if (until !== null && until > (latest?.until ?? 0)) latest = { since: occurrence.at, until }
  }
  return latest
}

/** A stated wait that proved wrong this often in a row is no longer believed. */
const MOST_WRONG = 3

/** Only guesses when the last occurrence states nothing itself, or nothing that can still be believed. */
function guessedFrom(
  { times, wrong, guessed, last }: Run,
  rule: ParkRule,
  scope: Scope,
  facts: QuotaFacts | undefined,
): ParkSpan | null {
  if (last === null || times < rule.from) return null
  if (!isGuessed(last, wrong, rule, facts)) return null
  // The whole key is parked by the agreement of several models; that is its first occurrence.
  const first = scope === 'key' ? (rule.keyAfterModels ?? rule.from) : rule.from
  const { firstMs, mostMs } = isConcurrency(last) ? AT_ONCE : rule
  // Occurrences whose stated wait was believed say nothing about how good a guess is.
  const doublings = Math.min(times - first, guessed - 1, 40)
  const length = Math.min(firstMs * 2 ** Math.max(0, doublings), mostMs)
  return { since: last.at, until: last.at + Math.min(length, dayLeftMs(last.at, rule, times, facts)) }
}

/** How much of the provider's day is left where a guess ends with it. */
function dayLeftMs(at: number, rule: ParkRule, times: number, facts: QuotaFacts | undefined): number {
  const isCut = rule.calendar === 'day' || (rule.cutByDayFrom !== undefined && times >= rule.cutByDayFrom)
  if (!isCut || facts === undefined || !hasBoundary(facts.dayBoundary)) return Number.POSITIVE_INFINITY
  return nextDay(facts.dayBoundary, at) - at
}

/** Only a limit of parallel calls has no window; there is room again when one of them ends. */
const isConcurrency = ({ kind, window }: Occurrence) => kind === 'rate_minute' && window === 'none'

/** When the stated wait of this occurrence ends, or its calendar period; null when there is neither. */
export function statedUntil(occurrence: Occurrence, rule: ParkRule, facts: QuotaFacts | undefined): number | null {
  const wait = statedWait(occurrence, rule) ?? calendarWait(occurrence, rule, facts)
  if (wait === null) return null
  const jitter = Math.min(wait * 0.1, LONGEST_JITTER_MS) * fraction(occurrence.id)
  return occurrence.at + Math.min(wait + jitter, LONGEST_WAIT_MS)
}

function statedWait(occurrence: Occurrence, rule: ParkRule): number | null {
  if (!rule.believesStated || occurrence.statedMs === null) return null
  const window = occurrence.window ?? (rule.calendar === 'day' ? 'day' : 'none')
  return Math.min(occurrence.statedMs, WINDOW_MS[window])
}

function calendarWait(occurrence: Occurrence, rule: ParkRule, facts: QuotaFacts | undefined): number | null {
  const { at } = occurrence
  // A spend limit names the date on which it opens; it is nearly always the first of the month.
  if (rule.calendar === 'month') return occurrence.untilMonthEnd ? (occurrence.statedMs ?? nextMonth(at) - at) : null
  if (rule.calendar !== 'day') return null
  if (occurrence.window === 'month') return nextMonth(at) - at
  return facts !== undefined && hasBoundary(facts.dayBoundary) ? nextDay(facts.dayBoundary, at) - at : null
}

function isAgreed(
  occurrences: readonly Occurrence[],
  rule: ParkRule,
  scope: Scope,
  facts: QuotaFacts | undefined,
): boolean {
  if (isAccountsByAgreement(occurrences, rule, scope, facts)) return hasSecondModel(occurrences, rule, facts)
  if (scope !== 'key' || rule.keyAfterModels === undefined) return true
  return new Set(occurrences.map((occurrence) => occurrence.target.model)).size >= rule.keyAfterModels
}

/** Whether the limit was taken for the account's only because nothing says that it is the model's. */
function isAccountsByAgreement(
  occurrences: readonly Occurrence[],
  rule: ParkRule,
  scope: Scope,
  facts: QuotaFacts | undefined,
): boolean {
  if (scope !== 'account' || rule.scope !== 'quota' || facts?.quotaScope !== 'unknown') return false
  return occurrences.every(({ limitScope }) => limitScope === null)
}

/** Whether another model was still refused when the newest was. */
function hasSecondModel(occurrences: readonly Occurrence[], rule: ParkRule, facts: QuotaFacts | undefined): boolean {
  const last = occurrences.at(-1)
  return occurrences.some(
    (seen) =>
      seen.target.model !== last?.target.model &&
      (last?.at ?? 0) <= Math.max(statedUntil(seen, rule, facts) ?? 0, seen.at + WINDOW_MS.minute),
  )
}

/** A key that no free call can verify is verified by the next call made with it. */
function backBy(rule: ParkRule, facts: QuotaFacts | undefined): BackBy {
  return rule.backBy === 'key-check' && typeof facts?.keyCheck !== 'object' ? 'traffic' : rule.backBy
}

/** 0..1 from an event's id (FNV-1a), the same in every process. */
function fraction(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return (hash >>> 0) / 2 ** 32
}

export function writeOccurrence(occurrence: Occurrence): Json {
  return { ...occurrence, target: { ...occurrence.target } }
}

function readOccurrence(value: unknown): Occurrence | undefined {
  const record = asRecord(value)
  const id = asString(record?.['id'])
  const at = asNumber(record?.['at'])
  const startedAt = asNumber(record?.['startedAt'])
  const kind = FAILURE_KINDS.find((kind) => kind === record?.['kind'])
  const target = readTargetRef(record?.['target'])
  if (!record || id === undefined || at === undefined || startedAt === undefined || !kind || !target) return undefined
  return {
    id,
    at,
    startedAt,
    kind,
    statedMs: asNumber(record['statedMs']) ?? null,
    window: asWindow(record['window']),
    limitScope: LIMIT_SCOPES.find((scope) => scope === record['limitScope']) ?? null,
    untilMonthEnd: record['untilMonthEnd'] === true,
    coversFree: record['coversFree'] === true,
    expected: record['expected'] === true,
    target,
  }
}

const LIMIT_SCOPES: readonly LimitScope[] = ['model', 'account', 'free-models']

function asWindow(value: unknown): LimitWindow | null {
  return typeof value === 'string' && Object.hasOwn(WINDOW_MS, value) ? (value as LimitWindow) : null // checked here
}

function readTargetRef(value: unknown): TargetRef | undefined {
  const record = asRecord(value)
  const [stateId, provider, model, fingerprint, account] = [
    'stateId',
    'provider',
    'model',
    'fingerprint',
    'account',
  ].map((name) => asString(record?.[name]))
  const keyIndex = asNumber(record?.['keyIndex'])
  if (!stateId || !provider || !model || !fingerprint || !account || keyIndex === undefined) return undefined
  return { stateId, provider, model, fingerprint, keyIndex, account }
}

/** Only the names: a caller may pass a whole target, which must not end up in the snapshot. */
function nameOf({ stateId, provider, model, fingerprint, keyIndex, account }: TargetRef): TargetRef {
  return { stateId, provider, model, fingerprint, keyIndex, account }
}

/** The occurrences of a snapshot; unreadable ones are left out. */
export function readOccurrences(value: unknown): Occurrence[] {
  return (asArray(value) ?? []).map(readOccurrence).filter((occurrence) => occurrence !== undefined)
}
