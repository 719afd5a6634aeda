/** What an upstream's error means: its body, headers and status become one of the failures, with its facts. */

import { cutText } from '../../domain/cutText.ts'
import type { Failure, FailureKind, LimitFact } from '../../domain/failure.ts'
import { printable } from '../../domain/printable.ts'
import type { ProviderSpec } from '../../providers/provider.ts'
import { exhaustedLimit, readLimits } from '../limits/limits.ts'
import { type StatedWait, statedWait } from '../limits/statedWait.ts'
import { isEdge } from './edge.ts'
import { type ErrorEnvelope, readEnvelope } from './envelope.ts'
import { factsOf } from './failureFacts.ts'
import { gatewayOf } from './gatewayName.ts'
import { gatewayRule } from './gatewayRule.ts'
import { type RefusedPart, refusedPart } from './refusedPart.ts'
import { FAILURE_RULES, type FailedResponse, type FailureRule, SIZE_RULES } from './rules.ts'
import { quotaInText, type StatedQuota, violationsOf } from './statedQuota.ts'
import { vendorWords } from './vendorWords.ts'

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
  /** The model was asked for something else than a chat, which it is not known to do. */
  readonly isTrial?: boolean
  /** Epoch milliseconds at which the answer came. */
  readonly now: number
  /** Removes every known secret, and everything shaped like one. */
  readonly redact: (text: string) => string
}

const LONGEST_MESSAGE = 300
/** Quotations this long are echoes of a prompt, and a prompt may say anything. What stands between two is none. */
const ECHOES = /(?<!\w)(?:"[^"]{60,}"|`[^`]{60,}`|'[^']{60,}')(?!\w)/g

/** Never throws, whatever the body is. */
export function classify(answer: UpstreamAnswer): Failure {
  const envelope = readEnvelope(answer.body)
  const limits = readLimits(answer.headers, answer.body, answer.provider, answer.now)
  const ranOut = exhaustedLimit(limits)
  const wait = waitOf(answer, envelope, ranOut)
  const sight = see(answer, envelope, wait)
  const rule = ruleFor(sight)
  const full = sight.quota.window === undefined ? ranOut : undefined
  const kind = rule.kind === 'rate_minute' && isLong(full) && !isShort(sight) ? 'quota_day' : rule.kind
  const evidence = { sight, envelope, full, isScopeGuessed: answer.provider.quotaScope === 'unknown' }
  const facts = {
    kind,
    status: sight.status || answer.status,
    message: wordsFor(answer, envelope, sight.status),
    ...detailFacts(envelope, answer.redact),
    ...(OF_THE_REQUEST.has(kind) && vendorFacts(answer)),
    ...waitFacts(wait, kind, rule),
    ...(sight.gateway === 'keywise' && LIMITS.has(kind) ? {} : factsOf(kind, evidence)),
    ...rule.facts,
  }
  // The rules name no kind with facts of its own that must be there (`timeout`, `network`): those come from
  // transportError.ts.
  const failure = facts as Failure
  return answer.isTrial ? ofTrial(failure) : failure
}

/** A trial that fails in these ways shows that the model cannot do it, or not here: nothing against its chats. */
function ofTrial(failure: Failure): Failure {
  if (failure.kind === 'model_not_found') return { ...failure, about: 'ability' }
  const { status, message } = failure
  const isRefused = failure.kind === 'auth_forbidden' && !failure.keyWide && !failure.hostBlocked
  if (isRefused) return { kind: 'unsupported', status: 400, message, about: 'ability' }
  // https://www.rfc-editor.org/rfc/rfc9110#name-405-method-not-allowed : there is no such path at this server.
  const isNoPath = failure.kind === 'server' && (status === 405 || status === 501)
  return isNoPath ? { kind: 'unsupported', status: 404, message, about: 'ability' } : failure
}

const LAST_RULE: FailureRule = { kind: 'server' }
/** Kinds that pass with time; elsewhere a wait means nothing. */
const PASSING: ReadonlySet<FailureKind> = new Set([
  'rate_minute',
  'quota_day',
  'in_flight_budget',
  'billing',
  'overloaded',
  'server',
])
/** Kinds that refuse the request itself, whoever had asked it. */
const OF_THE_REQUEST: ReadonlySet<FailureKind> = new Set(['bad_request', 'unsupported', 'content_filter'])
/** Kinds that are about a limit, so that the reset of a limit is their wait. */
const LIMITS: ReadonlySet<FailureKind> = new Set(['rate_minute', 'quota_day', 'in_flight_budget'])

/** Another gateway's prose quotes errors of its own providers; only the size of a request concerns us as well. */
function ruleFor(sight: FailedResponse): FailureRule {
  const first = (rules: readonly FailureRule[]) => rules.find((rule) => matches(rule, sight))
  const size = sight.gateway === 'keywise' ? undefined : first(SIZE_RULES)
  return size ?? gatewayRule(sight) ?? first(FAILURE_RULES) ?? LAST_RULE
}

function waitOf(answer: UpstreamAnswer, envelope: ErrorEnvelope, full: LimitFact | undefined): StatedWait | undefined {
  return statedWait({
    headers: answer.headers,
    bodies: envelope.bodies,
    text: envelope.message.replace(ECHOES, '""'),
    full,
    now: answer.now,
    zone: answer.provider.dateZone ?? zoneOf(envelope),
  })
}

/** Z.ai's limits, also where it is reached under another provider's name: https://docs.z.ai/api-reference/api-code */
const ZAI_LIMITS = ['1308', '1310', '1316', '1317', '1318', '1319', '1320', '1321']

function zoneOf({ codes }: ErrorEnvelope): string | undefined {
  return ZAI_LIMITS.some((code) => codes.has(code)) ? 'Asia/Shanghai' : undefined
}

function waitFacts(wait: StatedWait | undefined, kind: FailureKind, rule: FailureRule): { retryAfterMs?: number } {
  if (wait === undefined || !PASSING.has(kind) || wait.ms < (rule.shortestWaitMs ?? 0)) return {}
  return wait.source !== 'limit' || LIMITS.has(kind) ? { retryAfterMs: Math.ceil(wait.ms) } : {}
}

/** Longer ones are no code with its particulars. */
const LONGEST_DETAILS = 4096

function detailFacts({ ownDetails }: ErrorEnvelope, redact: (text: string) => string): Pick<Failure, 'details'> {
  const text = ownDetails === undefined ? '' : redact(JSON.stringify(ownDetails))
  if (text === '' || text.length > LONGEST_DETAILS) return {}
  try {
    return { details: JSON.parse(text) as Record<string, unknown> } // a record was written
  } catch {
    // What was removed was more than a text.
    return {}
  }
}

function vendorFacts({ body, redact }: UpstreamAnswer): Pick<Failure, 'vendor'> {
  const vendor = vendorWords(body, redact)
  return vendor === undefined ? {} : { vendor }
}

/** A stated wait under a minute is not about a day, whatever the headers say of one. */
function isShort({ waitMs }: FailedResponse): boolean {
  return waitMs !== undefined && waitMs < 60_000
}

function see(answer: UpstreamAnswer, envelope: ErrorEnvelope, wait: StatedWait | undefined): FailedResponse {
  const message = envelope.message.replace(ECHOES, '""')
  const text = message.toLowerCase()
  const violations = violationsOf(envelope)
  const status = answer.status >= 200 && answer.status < 300 ? (envelope.status ?? 0) : answer.status
  const { headers, model } = answer
  const { codes, parameter } = envelope
  const stated = wait?.source === 'limit' ? undefined : wait
  return {
    status,
    codes,
    message,
    text,
    html: envelope.html,
    edge: isEdge({ status, headers, envelope, text }),
    gateway: gatewayOf(headers),
    passedOn: envelope.passedOn,
    metadata: envelope.metadata,
    headers,
    violations,
    quota: quotaOf(longest(violations) ?? quotaInText(text), stated),
    waitMs: stated?.ms,
    waitsByHeader: stated?.source === 'header',
    model,
    parameter,
    part: withoutModel(refusedPart({ status, codes, message, text, parameter, model })),
  }
}

/** keywise names the model itself, so what is refused of it is no part of the caller's request. */
const withoutModel = (part: RefusedPart | null) => (part?.parameter === 'model' ? null : part)

/** The date that a sentence gives counts for more than the name of its window: `Weekly/Monthly Limit Exhausted`. */
function quotaOf(quota: StatedQuota, wait: StatedWait | undefined): StatedQuota {
  return wait?.isDate === true ? { ...quota, window: undefined } : quota
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

const INVISIBLE = /\p{Cf}/gu

/** An invisible character inside a key would hide it, or half of it, from the redaction. */
function redacted(message: string, redact: UpstreamAnswer['redact']): string {
  const seen = message.replace(INVISIBLE, '')
  const clean = redact(seen)
  return seen === message || clean !== seen ? clean : redact(message)
}

const quotation = (quoted: string) => `${quoted.charAt(0)}…${quoted.charAt(0)}`

function wordsFor({ redact, status }: UpstreamAnswer, { message }: ErrorEnvelope, stated: number): string {
  // What quotes more of a prompt than is needed to find the place says it without.
  const words = printable(redacted(message.replace(ECHOES, quotation), redact).replace(/\s+/g, ' ')).trim()
  const cut = cutText(words, LONGEST_MESSAGE)
  return cut === '' ? `HTTP ${stated || status} without an explanation` : cut
}
