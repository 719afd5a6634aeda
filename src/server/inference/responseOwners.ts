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
import { sessionOf } from '../../engine/request/session.ts'
import { speaks } from '../../routing/spokenDialect.ts'

const FIELDS = ['previous_response_id', 'conversation', 'prompt']

/** The field by which a request relies on upstream state; null for nearly all requests. */
export function memoryField({ extra }: ChatRequest): string | null {
  if (extra?.dialect !== 'openai-responses') return null
  return FIELDS.find((field) => extra.fields[field] != null) ?? null
}

/** The targets that may have the state, by `stateId`. Throws InvalidRequestError when there are none. */
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
  const owner = ownerOf(engine, request, caller)
  const own = owner === undefined ? able : able.filter(({ account }) => account === owner.account)
  return new Set((own.length > 0 ? own : able).map(({ stateId }) => stateId))
}

function ownerOf({ learned, registry }: Engine, request: ChatRequest, caller: string): Target | undefined {
  const id = asString(request.extra?.fields['previous_response_id'])
  const stateId = id === undefined ? null : learned.sessions.targetOf(memoryOf(request, id, caller))
  return stateId === null ? undefined : registry.find(stateId)
}

/** The target that answered with the response of that id; undefined when nobody's is known. */
export function holderOf({ learned, registry }: Engine, id: string, caller: string): Target | undefined {
  const stateId = learned.sessions.targetOf(memoryOf({ model: '', messages: [], stream: false }, id, caller))
  return stateId === null ? undefined : registry.find(stateId)
}

/** Records which target answered, so that the next turn goes to the same account. */
export function recordOwner(
  { learned }: Engine,
  request: ChatRequest,
  { id }: ChatResponse,
  target: Target,
  caller: string,
): void {
  if (id === undefined || request.extra === undefined || !speaks(target.profile, request.extra.dialect)) return
  if (!isHeld(request.extra)) return
  learned.sessions.bind(memoryOf(request, id, caller).id, target.stateId)
}

/** Whether the upstream holds the answer for the next request. */
function isHeld({ dialect, fields }: Extra): boolean {
  if (dialect === 'anthropic') return asRecord(fields['thread']) !== undefined
  return dialect === 'openai-responses' && fields['store'] !== false
}

const memoryOf = (request: ChatRequest, id: string, caller: string) => sessionOf(request, `answer ${id}`, caller)
