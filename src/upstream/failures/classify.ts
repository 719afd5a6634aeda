/** What an upstream's error means: its body, headers and status become one of the eighteen failures, with its facts. */

import type { Failure, LimitFact } from '../../domain/failure.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import { clockSkewMs, parseWait, waitInText } from '../../quota/reset.ts'
import { exhaustedLimit, lowerCaseNames, readLimits } from '../limits/limits.ts'
import { type ErrorEnvelope, readEnvelope } from './envelope.ts'
import { factsOf } from './failureFacts.ts'
import { FAILURE_RULES, type FailedResponse, type FailureRule } from './rules.ts'
import { quotaInText, type StatedQuota, violationsOf } from './statedQuota.ts'

export interface UpstreamAnswer {
  /** HTTP status; 200 for an error inside a stream or an answer. */
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed JSON or the text as it came; undefined or '' when there was none. */
  readonly body: unknown
  readonly provider: ProviderSpec
  /** As the upstream calls it. */
  readonly model: string
  /** Epoch milliseconds at which the answer came. */
  readonly now: number
  /** Removes every known secret, and everything shaped like one. */
  readonly redact: (text: string) => string
}

const LONGEST_MESSAGE = 300
/** Quotations this long are echoes of a prompt, and a prompt may say anything. */
const ECHOES = /"[^"]{60,}"|`[^`]{60,}`|(?<!\w)'[^']{60,}'(?!\w)/g

/** Never throws, whatever the body is. */
export function classify(answer: UpstreamAnswer): Failure {
  const envelope = readEnvelope(answer.body)
  const sight = see(answer, envelope)
  const rule = FAILURE_RULES.find((rule) => matches(rule, sight)) ?? LAST_RULE
  const limits = readLimits(answer.headers, answer.body, answer.provider, answer.now)
  const full = sight.quota.window === undefined ? exhaustedLimit(limits) : undefined
  const kind = rule.kind === 'rate_minute' && isLong(full) ? 'quota_day' : rule.kind
  const stated = statedWait(answer, envelope, limits)
  const facts = {
    kind,
    status: sight.status || answer.status,
    message: wordsFor(answer, envelope, sight.status),
    ...(stated !== undefined && stated >= (rule.shortestWaitMs ?? 0) ? { retryAfterMs: Math.ceil(stated) } : {}),
    ...factsOf(kind, { sight, envelope, full }),
    ...rule.facts,
  }
  // The rules name no kind with facts of its own that must be there (`timeout`, `network`): those come from
  // transportError.ts.
  return facts as Failure
}

const LAST_RULE: FailureRule = { kind: 'server' }

function see(answer: UpstreamAnswer, envelope: ErrorEnvelope): FailedResponse {
  const text = envelope.message.replace(ECHOES, '""').toLowerCase()
  const violations = violationsOf(envelope)
  return {
    status: answer.status >= 200 && answer.status < 300 ? (envelope.status ?? 0) : answer.status,
    codes: envelope.codes,
    text,
    html: envelope.html,
    passedOn: envelope.passedOn,
    metadata: envelope.metadata,
    headers: answer.headers,
    violations,
    quota: longest(violations) ?? quotaInText(text),
    model: answer.model,
  }
}

function matches({ statuses, codes, text, when }: FailureRule, sight: FailedResponse): boolean {
  if (statuses !== undefined && !statuses.includes(sight.status)) return false
  if (codes?.some((code) => sight.codes.has(code)) === false) return false
  if (text?.test(sight.text) === false) return false
  return when === undefined || when(sight)
}

/** The violation that holds longest decides how long we stay away. */
function longest(violations: readonly StatedQuota[]): StatedQuota | undefined {
  return violations.find(({ window }) => window === 'month' || window === 'day') ?? violations[0]
}

function isLong(fact: LimitFact | undefined): boolean {
  return fact?.window === 'day' || fact?.window === 'month'
}

/**
 * In the order of trust: headers made for it, then the body's fields, then its text, then the reset of what ran out.
 */
function statedWait(answer: UpstreamAnswer, envelope: ErrorEnvelope, limits: readonly LimitFact[]): number | undefined {
  const { headers, now } = answer
  const skewMs = clockSkewMs(headers['date'], now)
  const full = exhaustedLimit(limits)
  return (
    waitOf(`${headers['retry-after-ms'] ?? ''}ms`, now, skewMs) ??
    waitOf(headers['retry-after'], now, skewMs) ??
    waitInBody(envelope, now, skewMs) ??
    waitOf(headers['x-ratelimit-timeremaining'], now, skewMs) ??
    waitInText(envelope.message) ??
    (full?.resetsAt != null ? full.resetsAt - now : undefined)
  )
}

function waitOf(value: unknown, now: number, skewMs: number): number | undefined {
  return typeof value === 'string' || typeof value === 'number' ? parseWait(value, now, skewMs) : undefined
}

/**
 * `google.rpc.RetryInfo` (https://cloud.google.com/apis/design/errors) and the headers OpenRouter puts into the body.
 */
function waitInBody({ details, metadata }: ErrorEnvelope, now: number, skewMs: number): number | undefined {
  for (const detail of details) {
    const wait = waitOf(detail['retryDelay'], now, skewMs)
    if (wait !== undefined) return wait
  }
  const seconds = waitOf(metadata['retry_after_seconds'], now, skewMs)
  if (seconds !== undefined) return seconds
  const inner = lowerCaseNames(metadata['headers'])
  return waitOf(inner['retry-after'], now, skewMs) ?? waitOf(inner['x-ratelimit-reset'], now, skewMs)
}

function wordsFor({ redact, status }: UpstreamAnswer, { message }: ErrorEnvelope, stated: number): string {
  const words = redact(message).replace(/\s+/g, ' ').trim().slice(0, LONGEST_MESSAGE)
  return words === '' ? `HTTP ${stated || status} without an explanation` : words
}
