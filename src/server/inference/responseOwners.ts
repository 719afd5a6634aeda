/**
 * Responses requests that rely on state kept by the upstream (`previous_response_id`, `conversation`, a stored
 * `prompt`): only upstreams that speak Responses have it, and only under the account that created it. Who answered is
 * remembered for them and for Anthropic's message threads.
 */

import type { ChatRequest, ChatResponse, Extra } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asRecord, asString } from '../../domain/json.ts'
import type { Target } from '../../domain/target.ts'
import type { Engine } from '../../engine/engine.ts'
import { speaks } from '../../routing/spokenDialect.ts'
import { holderOf, isAnothers, recordHolder, recordMaking } from './holders.ts'

const FIELDS = ['previous_response_id', 'conversation', 'prompt']

/** The field by which a request relies on upstream state; null for nearly all requests. */
export function memoryField({ extra }: ChatRequest): string | null {
  if (extra?.dialect !== 'openai-responses') return null
  return FIELDS.find((field) => extra.fields[field] != null) ?? null
}

/**
 * The targets that may have the state, by `stateId`. Throws InvalidRequestError when there are none, and in OpenAI's
 * words when the account that has it is gone.
 */
export function responseOwners(
  engine: Engine,
  request: ChatRequest,
  field: string,
  caller: string,
): ReadonlySet<string> {
  const { among } = engine.registry.names.select(request.model)
  const able = engine.registry.targets.filter(
    ({ stateId, profile }) => speaks(profile, 'openai-responses') && (among === null || among.has(stateId)),
  )
  if (able.length === 0)
    throw new InvalidRequestError(
      `"${field}" needs an upstream that speaks Responses, and none serves "${request.model.slice(0, 100)}" here; keywise keeps no conversations: leave it out and send the whole conversation in "input"`,
      { parameter: field },
    )
  const id = asString(request.extra?.fields['previous_response_id'])
  const holder = id === undefined ? undefined : holderOf(engine, 'answer', id, caller)
  if (id !== undefined && isAnothers(engine, 'answer', id, caller)) throw lostResponse(id)
  if (id === undefined || holder === undefined) return idsOf(able)
  const holding = able.filter(({ account }) => account === holder.credential?.account)
  if (holding.length === 0) throw lostResponse(id)
  return idsOf(holding)
}

const idsOf = (targets: readonly Target[]) => new Set(targets.map(({ stateId }) => stateId))

/** OpenAI answers so to an id it does not know: https://github.com/maximhq/bifrost/issues/2441 (2026-11-29) */
function lostResponse(id: string): InvalidRequestError {
  const message = `Previous response with id '${id.slice(0, 100)}' not found. (keywise: no key that holds it serves this model here, or another token asked for it; send the whole conversation in "input".)`
  return new InvalidRequestError(message, {
    parameter: 'previous_response_id',
    vendorCode: 'previous_response_not_found',
  })
}

/** Records which target answered, so that the next turn goes to the same account. */
export function recordOwner(
  engine: Engine,
  request: ChatRequest,
  { id }: ChatResponse,
  target: Target,
  caller: string,
): void {
  if (id === undefined || request.extra === undefined || !speaks(target.profile, request.extra.dialect)) return
  if (!isHeld(request.extra)) return
  recordHolder(engine, 'answer', id, caller, target)
  // A thread whose holder is not known is begun anew anyway.
  if (request.extra.dialect === 'openai-responses') recordMaking(engine, id, target)
}

/** Whether the upstream holds the answer for the next request. */
function isHeld({ dialect, fields }: Extra): boolean {
  if (dialect === 'anthropic') return asRecord(fields['thread']) !== undefined
  return dialect === 'openai-responses' && fields['store'] !== false
}
