/** What an error body says of the limit it met: in sentences, or in Google's typed violations. */

import type { LimitFact, LimitUnit, LimitWindow } from '../../domain/failure.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { LimitScope } from '../../domain/scope.ts'
import type { ErrorEnvelope } from './envelope.ts'

export interface StatedQuota {
  readonly unit?: LimitUnit
  readonly window?: LimitWindow
  readonly limit?: number
  readonly used?: number
  readonly requested?: number
  readonly scope?: LimitScope
}

/** `tokens per minute (TPM)`, `free-models-per-day`, `40 API calls / minute`; the first that fits counts. */
const WINDOWS: readonly (readonly [RegExp, LimitWindow])[] = [
  [/\b[rt]ps\b|(?:per[ -]|\/ ?)sec(?:ond)?\b/, 'second'],
  [/\b(?:i|o)?[rt]pm\b|(?:per[ -]|\/ ?)min(?:ute)?\b/, 'minute'],
  [/\b[rt]ph\b|(?:per[ -]|\/ ?)hour\b|\bhourly\b/, 'hour'],
  [/\b[rt]pd\b|(?:per[ -]|\/ ?)day\b|\bdaily\b/, 'day'],
  [/(?:per[ -]|\/ ?)week\b|\bweekly\b/, 'week'],
  [/(?:per[ -]|\/ ?)month\b|\bmonthly\b/, 'month'],
]

const UNITS: readonly (readonly [RegExp, LimitUnit])[] = [
  [/\bneurons?\b/, 'neurons'],
  [/\binput[ -]tokens? per\b|\bitpm\b/, 'input-tokens'],
  [/\boutput[ -]tokens? per\b|\botpm\b/, 'output-tokens'],
  [/\btp[mdhs]\b|\btokens? per\b|\btoken rate limit\b/, 'tokens'],
  [/\brp[mdhs]\b|\brequests?\b|\bapi calls?\b|free-models-per/, 'requests'],
  [/\btokens?\b/, 'tokens'],
]

const NUMBER = '(\\d[\\d,]{0,19}(?:\\.\\d{1,3})?(?: ?[km]\\b)?)'
const LIMIT = new RegExp(
  `\\blimit(?: \\(\\w{1,20}\\))?(?::| is| of|=)? ?${NUMBER}|\\blimited to ${NUMBER}|\\ballocation of ${NUMBER}`,
)
const USED = new RegExp(`\\bused:? ${NUMBER}`)
const REQUESTED = new RegExp(
  `\\brequested(?: tokens| about| up to)?(?::|=)? ?${NUMBER}|\\brequest (?:size(?: is| of)?|of|needs|requires|is|has|would use)(?: about)?:? ${NUMBER}`,
)
const TOKENS_REQUESTED = new RegExp(`${NUMBER} tokens? requested\\b`)

/** `Too many concurrent requests`, `High concurrency usage of this API`, also as Z.ai says it in Chinese. */
const CONCURRENCY =
  /\bconcurren(?:t|cy)\b|\bsimultaneous\b|\bparallel (?:requests?|calls?|connections?)\b|\b(?:requests?|calls?) in (?:parallel|flight)\b|并发/
const CONCURRENCY_LIMIT = new RegExp(
  `\\bconcurrency(?: limit)?(?::| is| of)? ${NUMBER}|\\b${NUMBER} (?:concurrent|simultaneous|parallel)\\b`,
)

/** Reads a lower-case message. */
export function quotaInText(text: string): StatedQuota {
  const window = firstOf(WINDOWS, text)
  if (window === undefined && CONCURRENCY.test(text))
    return { unit: 'concurrency', window: 'none', limit: numberIn(CONCURRENCY_LIMIT, text) ?? numberIn(LIMIT, text) }
  const unit = firstOf(UNITS, text)
  return {
    unit,
    window,
    // A limit of nothing is a way of speaking: `limit: 0 of 30 requests left`.
    limit: numberIn(LIMIT, text) || undefined,
    used: numberIn(USED, text),
    requested: numberIn(REQUESTED, text) ?? numberIn(TOKENS_REQUESTED, text),
    scope: text.includes('free-models-per-') ? 'free-models' : unit === 'neurons' ? 'account' : undefined,
  }
}

/** The violations of a `google.rpc.QuotaFailure`: https://ai.google.dev/gemini-api/docs/rate-limits */
export function violationsOf(envelope: ErrorEnvelope): readonly StatedQuota[] {
  return envelope.details
    .filter((detail) => asString(detail['@type'])?.endsWith('QuotaFailure'))
    .flatMap((detail) => (asArray(detail['violations']) ?? []).slice(0, 16).map(readViolation))
    .filter((violation) => violation !== undefined)
}

const VIOLATION_WINDOWS: readonly (readonly [RegExp, LimitWindow])[] = [
  [/PerSecond/, 'second'],
  [/PerMinute/, 'minute'],
  [/PerHour/, 'hour'],
  [/PerDay/, 'day'],
  [/PerMonth/, 'month'],
]

function readViolation(value: unknown): StatedQuota | undefined {
  const violation = asRecord(value)
  const id = asString(violation?.['quotaId'])?.slice(0, 300)
  if (violation === undefined || id === undefined) return undefined
  const stated = violation['quotaValue']
  const limit = asNumber(stated) ?? Number(asString(stated) ?? Number.NaN)
  return {
    unit: violationUnit(`${id} ${asString(violation['quotaMetric'])?.slice(0, 300)}`),
    window: firstOf(VIOLATION_WINDOWS, id),
    limit: isCount(limit) ? limit : undefined,
    scope: /PerModel/i.test(id) || asRecord(violation['quotaDimensions'])?.['model'] ? 'model' : 'account',
  }
}

function violationUnit(name: string): LimitUnit {
  if (/input_?token/i.test(name)) return 'input-tokens'
  if (/output_?token/i.test(name)) return 'output-tokens'
  return /token/i.test(name) ? 'tokens' : 'requests'
}

/**
 * What a body teaches about limits, for those who watch quotas. `remaining` is 0 only where nothing at all fits any
 * more.
 */
export function limitFactsOf(envelope: ErrorEnvelope): readonly LimitFact[] {
  const violations = violationsOf(envelope)
  const stated = violations.length > 0 ? violations : [quotaInText(envelope.message.toLowerCase())]
  return stated.map(toFact).filter((fact) => fact !== undefined)
}

function toFact({ unit, window, limit, used, requested, scope }: StatedQuota): LimitFact | undefined {
  if (limit === undefined || limit === 0 || unit === undefined || window === undefined) return undefined
  const counted = unit === 'requests' || unit === 'neurons'
  const remaining = used !== undefined ? Math.max(0, limit - used) : counted && requested === undefined ? 0 : null
  const resetsAt = null
  return {
    unit,
    window,
    scope: scope === undefined || scope === 'model' ? 'model' : 'account',
    limit,
    remaining,
    resetsAt,
    source: 'body',
  }
}

function firstOf<T>(table: readonly (readonly [RegExp, T])[], text: string): T | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1]
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const found = pattern
    .exec(text)
    ?.slice(1)
    .find((group) => group !== undefined)
  const digits = found?.replaceAll(/[, km]/g, '')
  const value = Number(digits || Number.NaN) * (found?.endsWith('k') ? 1e3 : found?.endsWith('m') ? 1e6 : 1)
  return isCount(value) ? value : undefined
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value <= 1e15
}
