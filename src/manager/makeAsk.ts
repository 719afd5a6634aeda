/** From what somebody wants to the request the cascade works on: the model's meaning, needs, session, time. */

import { randomBytes } from 'node:crypto'
import type { ChatRequest } from '../domain/chat.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { answersOf, mostTokensOf } from './amounts.ts'
import { type Ask, Cancellation } from './ask.ts'
import type { Engine } from './engine.ts'
import { needsOf } from './needs.ts'
import type { Selection } from './selection.ts'
import { sessionOf } from './session.ts'

export interface AskOptions {
  readonly timeoutMs?: number
  readonly maxAttempts?: number
  readonly sessionId?: string
  readonly task?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly token?: string
  readonly retryFiltered?: boolean
  readonly wire?: Ask['wire']
  readonly dialectFor?: Ask['dialectFor']
  readonly needs?: Partial<Ask['needs']>
  /** The request is a sketch: how to get the whole of it, and the tokens that the sketch lacks. */
  readonly whole?: Ask['whole']
  readonly leftOutTokens?: number
}

const PROCESS = randomBytes(9).toString('base64url')
let count = 0

/** `kw_`, 12 random characters of the process, and its count: unique over processes, grows within one, costs nothing. */
export function requestId(): string {
  return `kw_${PROCESS}${(count++).toString(36).padStart(6, '0')}`
}

/** Throws InvalidRequestError and ModelNotFoundError. */
export function makeAsk(engine: Engine, request: ChatRequest, options: AskOptions = {}, id = requestId()): Ask {
  const { settings } = engine.roster.config
  const selection = engine.roster.names.select(request.model)
  const timeoutMs = positive(options.timeoutMs, 'timeoutMs') ?? settings.timeouts.totalMs
  const maxAttempts = positive(options.maxAttempts, 'maxAttempts')
  return {
    id,
    request,
    whole: options.whole ?? (() => request),
    selection,
    needs: needsFor(request, selection, options),
    mostInputTokens: engine.parts.mind.budgets.isEmpty ? 0 : mostTokensOf(options.whole?.() ?? request),
    answers: answersOf(request),
    session: sessionOf(request, options.sessionId, options.token ?? ''),
    arrivedAt: engine.now,
    deadlineAt: engine.parts.tools.monotonic() + timeoutMs,
    maxAttempts: maxAttempts ?? settings.maxAttempts,
    hardCap: maxAttempts !== undefined || settings.maxAttemptsIsCap,
    task: options.task ?? null,
    labels: options.labels ?? NO_LABELS,
    token: options.token ?? null,
    retryFiltered: options.retryFiltered ?? false,
    wire: options.wire ?? null,
    dialectFor: options.dialectFor ?? null,
    cancellation: new Cancellation(),
  }
}

function needsFor(request: ChatRequest, selection: Selection, { needs, leftOutTokens = 0 }: AskOptions): Ask['needs'] {
  const seen = needsOf(request, selection)
  if (needs === undefined && leftOutTokens === 0) return seen
  return { ...seen, inputTokens: seen.inputTokens + leftOutTokens, ...needs }
}

const NO_LABELS = {}

function positive(value: number | undefined, name: string): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value
  throw new InvalidRequestError(`${name} must be a number above 0, not ${String(value)}`, { parameter: name })
}
