/**
 * Anthropic's message threads: a conversation that the account of the answer before holds, so that a request brings its
 * new messages only. Its tool runners send all of it again, and begin a new thread, when they are told that nobody holds
 * it: @anthropic-ai/sdk 1.12, lib/internal/threads/ThreadState.mjs (2026-11-29).
 */

import type { AttemptReport } from '../../domain/attempt.ts'
import type { ChatRequest } from '../../domain/chat.ts'
import { AllTargetsFailedError, InvalidRequestError } from '../../domain/errors.ts'
import { asRecord, asString } from '../../domain/json.ts'
import type { Engine } from '../../engine/engine.ts'
import type { PendingRequest } from '../../engine/request/pendingRequest.ts'
import { speaks } from '../../routing/spokenDialect.ts'
import { holderOf } from './holders.ts'

/** The id of the answer that the request continues from; null for nearly all requests. */
export function continuedThread({ extra }: ChatRequest): string | null {
  const thread = extra?.dialect === 'anthropic' ? asRecord(extra.fields['thread']) : undefined
  if (thread?.['type'] !== 'continue') return null
  return asString(thread['previous_message_id']) ?? ''
}

/** The targets of the account that holds the conversation. Throws what makes the client send all of it. */
export function threadHolders(engine: Engine, request: ChatRequest, id: string, caller: string): ReadonlySet<string> {
  const credential = holderOf(engine, 'answer', id, caller)?.credential
  if (credential === undefined) throw lostThread(id)
  const { among } = engine.registry.names.select(request.model)
  const holding = engine.registry.targets.filter(
    ({ stateId, account, provider, profile }) =>
      account === credential.account &&
      provider === credential.provider.id &&
      speaks(profile, 'anthropic') &&
      (among === null || among.has(stateId)),
  )
  if (holding.length === 0) throw lostThread(id)
  return new Set(holding.map(({ stateId }) => stateId))
}

/**
 * What to tell the client of a thread whose account cannot answer now: with all of the conversation another target can.
 * The error itself where there is no other.
 */
export function withoutHolder(engine: Engine, pending: PendingRequest | null, error: unknown): unknown {
  const id = pending === null ? null : continuedThread(pending.request)
  if (pending === null || id === null || !(error instanceof AllTargetsFailedError)) return error
  const { among } = pending.selection
  const others = engine.registry.targets.some(
    ({ stateId }) => pending.needs.among?.has(stateId) === false && (among === null || among.has(stateId)),
  )
  return others ? lostThread(id, error.attempts) : error
}

function lostThread(id: string, attempts: readonly AttemptReport[] = []): InvalidRequestError {
  const message = `No thread found for message "${id.slice(0, 100)}": no account here that can answer now holds it; send the whole conversation with "thread": {"type": "create"}`
  return new InvalidRequestError(message, {
    status: 404,
    parameter: 'thread',
    details: { error_code: 'thread_not_found' },
    attempts,
  })
}
