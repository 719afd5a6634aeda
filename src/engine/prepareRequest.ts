/** Prepares a request for the cascade: resolves its model, works out its needs, session and deadline. */

import { randomBytes } from 'node:crypto'
import { hostedTools } from '../dialects/features/hostedTools.ts'
import type { ChatRequest, DialectId, Tool } from '../domain/chat.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { type EnrolledRequest, EXPERIMENT_MODEL, enrol, type TemplateVariables } from './experiments/enrol.ts'
import type { RequestFacts } from './reader.ts'
import { answersOf, mostTokensOf } from './request/amounts.ts'
import type { Selection } from './request/modelNames.ts'
import { needsOf } from './request/needs.ts'
import { partsNeedOf } from './request/partsNeed.ts'
import { Cancellation, type PendingRequest } from './request/pendingRequest.ts'
import { sessionOf, sessionUnit } from './request/session.ts'

export interface RequestOptions {
  readonly timeoutMs?: number | undefined
  readonly maxAttempts?: number | undefined
  readonly sessionId?: string | undefined
  readonly task?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly token?: string
  readonly tokenId?: string
  readonly retryFiltered?: boolean
  readonly anyAnswer?: boolean
  readonly wire?: PendingRequest['wire']
  readonly clientKind?: string
  readonly via?: PendingRequest['via']
  readonly heldBy?: PendingRequest['heldBy']
  readonly operation?: PendingRequest['operation']
  readonly needs?: Partial<PendingRequest['needs']> | undefined
  /** For an outline: how to get the whole request, and the tokens the outline lacks. */
  readonly whole?: PendingRequest['whole'] | undefined
  readonly leftOutTokens?: number | undefined
  /** The experiment to enrol in, and the values for its templates' `{{variables}}`. */
  readonly experiment?: string
  readonly variables?: TemplateVariables | undefined
}

/** 96 random bits are exactly this many characters of base64url. */
const RANDOM_LENGTH = 16
/** Ids drawn at once: one call for the random bytes of many costs a tenth of one call for each. */
const IDS_AT_ONCE = 256
/** The 64 characters of base64url in the order of their codes. */
const SORTED = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
const SECOND_MS = 1_000
let begun = ''
let drawn = ''
let used = 0

/**
 * `kw_`, about the second, and 96 random bits: whoever knows some ids cannot tell another. Ids of one time begin alike, so
 * that the store's index of them grows at its end; drawn all over it, each costs several times as much to write.
 */
export function requestId(): string {
  if (used === drawn.length) {
    begun = `kw_${secondText(Date.now())}`
    drawn = randomBytes((IDS_AT_ONCE * RANDOM_LENGTH * 6) / 8).toString('base64url')
    used = 0
  }
  used += RANDOM_LENGTH
  return begun + drawn.slice(used - RANDOM_LENGTH, used)
}

/** Five characters that sort by time: 30 bits of the seconds since 1970, enough for 34 years at a time. */
function secondText(now: number): string {
  let text = ''
  for (let rest = Math.floor(now / SECOND_MS), place = 0; place < 5; place++, rest = Math.floor(rest / 64))
    text = SORTED.charAt(rest % 64) + text
  return text
}

/** Throws InvalidRequestError and ModelNotFoundError. */
export function prepareRequest(
  engine: RequestFacts,
  asked: ChatRequest,
  given: RequestOptions = {},
  id = requestId(),
): PendingRequest {
  const enrolled = enrolledOf(engine, asked, given, id)
  const request = enrolled?.request ?? asked
  const options = enrolled === null ? given : changed(given, enrolled)
  const { settings } = engine.registry.config
  const selection = engine.registry.names.select(request.model)
  // The most it can cost is needed by budgets and for hedging, the most that it can use by free quotas.
  const needsMost =
    !engine.learned.budgets.isEmpty || settings.hedge !== undefined || engine.registry.freeQuotas.length > 0
  const timeoutMs = positive(options.timeoutMs, 'timeoutMs') ?? settings.timeouts.totalMs
  const maxAttempts = positive(options.maxAttempts, 'maxAttempts')
  return {
    id,
    request,
    whole: options.whole ?? (() => request),
    selection,
    needs: needsFor(request, selection, options),
    mostInputTokens: needsMost ? mostTokensOf(options.whole?.() ?? request) : 0,
    partsNeed: needsMost ? partsNeedOf(options.whole?.() ?? request) : undefined,
    answers: answersOf(request),
    prefers: preferredOf(request, options),
    // From the original request: a conversation keeps its id whatever an experiment changes.
    session: sessionOf(asked, options.sessionId, options.token ?? ''),
    arrivedAt: engine.now,
    deadlineAt: engine.tools.monotonic() + timeoutMs,
    maxAttempts: maxAttempts ?? settings.maxAttempts,
    hardCap: maxAttempts !== undefined || settings.maxAttemptsIsCap,
    task: options.task ?? null,
    labels: options.labels ?? NO_LABELS,
    token: options.token ?? null,
    tokenId: options.tokenId ?? null,
    retryFiltered: options.retryFiltered ?? false,
    wire: options.wire ?? null,
    clientKind: options.clientKind ?? '',
    via: options.via ?? null,
    heldBy: options.heldBy ?? null,
    operation: options.operation ?? null,
    anyAnswer: options.anyAnswer ?? false,
    cancellation: new Cancellation(),
    holdNeeds: new Map(),
    enrolment: enrolled?.enrolment ?? null,
  }
}

/** Null for most requests, at the cost of a map lookup and a prefix comparison. */
function enrolledOf(
  { experiments, registry }: RequestFacts,
  request: ChatRequest,
  options: RequestOptions,
  requestId: string,
): EnrolledRequest | null {
  const { experiment, variables, labels, sessionId, token = '', whole = () => request } = options
  if (options.operation != null) return null
  if (experiments.isIdle && experiment === undefined && !request.model.startsWith(EXPERIMENT_MODEL)) return null
  return enrol(experiments, {
    request,
    whole,
    experiment,
    variables,
    unit: { requestId, labels, session: () => sessionUnit(request, sessionId, token, variables) },
    hasModel: (model) => registry.names.has(model),
  })
}

/** The options of a request changed by a variant. */
function changed(options: RequestOptions, { request, provider, isRewritten }: EnrolledRequest): RequestOptions {
  const needs = provider === null ? options.needs : { ...options.needs, provider }
  if (!isRewritten) return { ...options, needs }
  const wire = options.wire == null ? null : { ...options.wire, body: null }
  return { ...options, needs, wire, whole: () => request, leftOutTokens: 0 }
}

function needsFor(
  request: ChatRequest,
  selection: Selection,
  { needs, leftOutTokens = 0, wire, operation }: RequestOptions,
): PendingRequest['needs'] {
  const own = wire?.dialect ?? request.extra?.dialect ?? null
  const seen = needsOf(request, selection, own, operation == null)
  if (needs === undefined && leftOutTokens === 0) return seen
  return { ...seen, inputTokens: seen.inputTokens + leftOutTokens, ...needs }
}

/** Who has the tools of the client's own dialect goes first; others are told of them in another way, or not at all. */
function preferredOf(request: ChatRequest, { wire }: RequestOptions): DialectId | null {
  const isOwn = (tool: Tool) => tool.custom !== undefined || tool.builtIn === true
  const hasOwn = request.tools?.some(isOwn) || hostedTools(request).length > 0
  return hasOwn ? (wire?.dialect ?? request.extra?.dialect ?? null) : null
}

const NO_LABELS = {}

function positive(value: number | undefined, name: string): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value
  throw new InvalidRequestError(`${name} must be a number above 0, not ${String(value)}`, { parameter: name })
}
