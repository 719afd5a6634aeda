/** How one event changes what is known about a target. Events may be late, out of order, or contain nonsense. */

import type { AttemptEvent, ImportEvent } from '../domain/store.ts'
import { firstToken, hourOf, hourOffset, perToken, slowLog } from './estimate.ts'
import type { Rated } from './recentRatings.ts'
import { advance, capPair, FAST, HOUR_CAP, HOURS, SLOW, SLOW_QUALITY, type Sums, slot, weightOf } from './sums.ts'

/** Longer latencies count as this. */
const LONGEST_MS = 600_000
const MOST_TOKENS = 1_000_000
/** Sums imported from a statistics file count as at most this many observations of the last day. */
const MOST_IMPORTED = 8
/** Hours of the day are learned once the average of the day is known. */
const HOUR_NEEDS = 3
/** Ollama unloads a model after five minutes; the next answer includes loading it again. */
const UNLOADED_AFTER_MS = 5 * 60_000
const COLD_START_FACTOR = 2

interface LearnFacts {
  /** How much a failure of this kind says about the target, from 0 (nothing) to 1. */
  readonly blame: number
  readonly local: boolean
  /** Told of every time to the first token, before the row learns it; default: nobody is. */
  readonly onHour?: ((at: number, log: number, weight: number) => void) | undefined
}

export function learnAttempt(row: Sums, event: AttemptEvent, facts: LearnFacts): void {
  const cold = facts.local && isColdStart(row, event)
  advance(row, event.at)
  row[slot.lastSeenAt] = Math.max(row[slot.lastSeenAt]!, event.at)
  if (event.ok || facts.blame >= 1) countTry(row, event)
  if (event.ok) learnSuccess(row, event, cold, facts.onHour)
  else learnFailure(row, event, facts.blame)
}

/** How many answers and failures told what the target is like. */
export function timesObserved(row: Sums): number {
  return row[slot.successes]! + row[slot.failures]! - row[slot.limited]!
}

/** Before the attempt is counted as anything else. What began with a test has no free tries. */
function countTry(row: Sums, { source }: AttemptEvent): void {
  if (row[slot.freePulls]! > 0 || (source === 'live' && timesObserved(row) === 0)) row[slot.freePulls]!++
}

type OnHour = LearnFacts['onHour']

function learnSuccess(row: Sums, event: AttemptEvent, cold: boolean, onHour: OnHour): void {
  row[slot.successes]!++
  row[slot.lastSuccessAt] = Math.max(row[slot.lastSuccessAt]!, event.at)
  add(row, slot.fastSuccesses, 1, weightOf(row, event.at, FAST))
  add(row, slot.slowSuccesses, 1, weightOf(row, event.at, SLOW))
  if (!isTime(event.latencyMs)) return
  row[slot.latencyMs]! += believable(event.latencyMs)
  if (!cold) learnTimes(row, event, onHour)
}

/** The all-time count has every failure; the estimates count one that was known before only once. */
function learnFailure(row: Sums, { at, known }: AttemptEvent, blame: number): void {
  if (!(blame > 0)) return
  row[slot.failures]!++
  if (blame < 1) row[slot.limited]!++
  if (known !== undefined) return
  add(row, slot.fastFailures, blame, weightOf(row, at, FAST))
  add(row, slot.slowFailures, blame, weightOf(row, at, SLOW))
}

/**
 * Another target, asked beside this one, answered first. That is no failure, but a silence longer than expected makes
 * the target slower: what exceeds the expectation is put down to the first token. `tokens`: the usual length of an
 * answer. Returns whether anything was learned.
 */
export function learnSilence(row: Sums, event: AttemptEvent, tokens: number): boolean {
  const silentMs = event.firstTokenMs ?? event.latencyMs
  countTry(row, event)
  if (!isTime(silentMs)) return false
  const first = firstToken(row, event.at).mean
  const expected = event.streamed ? first : first + tokens * perToken(row, event.at).mean
  if (believable(silentMs) <= expected) return false
  advance(row, event.at)
  learnFirstToken(row, event.at, first + believable(silentMs) - expected, 1)
  return true
}

/** Splits an answer's time into the time to the first token and the time per token. */
function learnTimes(row: Sums, event: AttemptEvent, onHour: OnHour): void {
  const total = believable(event.latencyMs)
  const first = isTime(event.firstTokenMs) ? believable(event.firstTokenMs) : total
  const tokens = Math.min(MOST_TOKENS, event.usage?.outputTokens ?? 0)
  const isWhole = !event.streamed && event.source === 'live' && tokens > 1
  if (isWhole) learnWhole(row, event.at, total, tokens, onHour)
  else learnFirstToken(row, event.at, first, 1, onHour)
  if (event.streamed && event.source === 'live' && tokens > 1 && total > first)
    learnTokenTime(row, event.at, (total - first) / tokens, 1)
}

/** Only the total is known: each part takes as much of the surprise as its expected share of the total. */
function learnWhole(row: Sums, at: number, totalMs: number, tokens: number, onHour: OnHour): void {
  const first = firstToken(row, at).mean
  const each = perToken(row, at).mean
  const expected = first + tokens * each
  const surprise = totalMs / expected
  learnFirstToken(row, at, first * surprise, first / expected, onHour)
  learnTokenTime(row, at, each * surprise, 1 - first / expected)
}

/** The fast sums exclude the hour's offset, so they still hold when the hour changes. */
function learnFirstToken(row: Sums, at: number, ms: number, weight: number, onHour?: OnHour): void {
  const log = Math.log(believable(ms))
  if (row[slot.slowCount]! > HOUR_NEEDS) onHour?.(at, log, weight)
  const slow = weight * weightOf(row, at, SLOW)
  add(row, slot.fastCount, 1, weight * weightOf(row, at, FAST))
  add(row, slot.fastLog, log - hourOffset(row, at), weight * weightOf(row, at, FAST))
  add(row, slot.slowCount, 1, slow)
  add(row, slot.slowLog, log, slow)
  add(row, slot.slowLogSquares, log * log, slow)
  if (row[slot.slowCount]! > HOUR_NEEDS) learnHour(row, at, log, weight)
}

function learnHour(row: Sums, at: number, log: number, weight: number): void {
  const hour = hourOf(at + row[slot.hourLead]!)
  const counted = weight * weightOf(row, at, HOURS)
  add(row, slot.hourCount + hour, 1, counted)
  add(row, slot.hourOffset + hour, log - slowLog(row), counted)
  capPair(row, slot.hourCount + hour, slot.hourOffset + hour, HOUR_CAP)
}

function learnTokenTime(row: Sums, at: number, ms: number, weight: number): void {
  const log = Math.log(Math.min(LONGEST_MS, Math.max(0.01, ms)))
  add(row, slot.fastTokenCount, 1, weight * weightOf(row, at, FAST))
  add(row, slot.fastTokenLog, log, weight * weightOf(row, at, FAST))
  add(row, slot.slowTokenCount, 1, weight * weightOf(row, at, SLOW))
  add(row, slot.slowTokenLog, log, weight * weightOf(row, at, SLOW))
}

/** Adds a rating, or (`times` -1) takes one out again: nothing of it remains. */
export function learnRating(row: Sums, { at, score }: Rated, times: 1 | -1): void {
  advance(row, at)
  row[slot.quality]! += times * score
  row[slot.qualityCount]! += times
  add(row, slot.slowQualityCount, times, weightOf(row, at, SLOW_QUALITY))
  add(row, slot.slowQuality, times * score, weightOf(row, at, SLOW_QUALITY))
  if (times > 0) return
  tidy(row, slot.qualityCount, slot.quality)
  tidy(row, slot.slowQualityCount, slot.slowQuality)
}

/** Less than this of a rating is what rounding left of one that was taken out. */
const ROUNDING = 1e-9

/** Scores lie between 0 and 1, so their sum lies between 0 and their count. */
function tidy(row: Sums, count: number, sum: number): void {
  if (row[count]! < ROUNDING) row[count] = 0
  row[sum] = Math.min(row[count]!, Math.max(0, row[sum]!))
}

/** The all-time numbers are used as they are; as evidence for today they count little. */
export function learnImport(row: Sums, event: ImportEvent): void {
  advance(row, event.at)
  const successes = countOf(event.successes)
  const failures = countOf(event.failures)
  const share = Math.min(1, MOST_IMPORTED / Math.max(1, successes + failures))
  row[slot.successes]! += successes
  row[slot.failures]! += failures
  add(row, slot.slowSuccesses, successes * share, weightOf(row, event.at, SLOW))
  add(row, slot.slowFailures, failures * share, weightOf(row, event.at, SLOW))
  importTimes(row, event, successes, share)
  importQuality(row, event)
}

function importTimes(row: Sums, event: ImportEvent, successes: number, share: number): void {
  const last = event.lastSuccessAt
  if (isTime(last)) row[slot.lastSuccessAt] = Math.max(row[slot.lastSuccessAt]!, Math.min(last, event.at))
  if (!isTime(event.averageLatencyMs) || successes === 0) return
  const log = Math.log(believable(event.averageLatencyMs))
  const weight = successes * share * weightOf(row, event.at, SLOW)
  row[slot.latencyMs]! += successes * believable(event.averageLatencyMs)
  add(row, slot.slowCount, 1, weight)
  add(row, slot.slowLog, log, weight)
  add(row, slot.slowLogSquares, log * log, weight)
}

function importQuality(row: Sums, event: ImportEvent): void {
  const score = event.quality
  const count = Math.max(1, countOf(event.qualityCount))
  if (score === null || !(score >= 0 && score <= 1)) return
  row[slot.quality]! += score * count
  row[slot.qualityCount]! += count
  add(row, slot.slowQualityCount, Math.min(MOST_IMPORTED, count), weightOf(row, event.at, SLOW_QUALITY))
  add(row, slot.slowQuality, Math.min(MOST_IMPORTED, count) * score, weightOf(row, event.at, SLOW_QUALITY))
}

function isColdStart(row: Sums, event: AttemptEvent): boolean {
  if (event.startedAt - row[slot.lastSeenAt]! < UNLOADED_AFTER_MS) return false
  if (row[slot.slowCount] === 0) return true
  return (event.firstTokenMs ?? event.latencyMs) > COLD_START_FACTOR * firstToken(row, event.at).mean
}

function add(row: Sums, index: number, amount: number, weight: number): void {
  row[index] = row[index]! + amount * weight
}

function isTime(ms: number | null): ms is number {
  return ms !== null && ms > 0
}

/** Clamped to between one millisecond and ten minutes. */
function believable(ms: number): number {
  return Math.min(LONGEST_MS, Math.max(1, ms))
}

function countOf(value: number): number {
  return Number.isFinite(value) && value > 0 ? Math.floor(value) : 0
}
