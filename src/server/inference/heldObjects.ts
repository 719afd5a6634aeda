/**
 * Objects that one account holds and requests name by id: files, containers, cached contents. Which account that is, a
 * provider does not say; whoever answered a request that named the object has it, and is asked first the next time.
 */

import type { ChatRequest, DialectId, Part } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import type { Target } from '../../domain/target.ts'
import type { Engine } from '../../engine/engine.ts'
import { sessionOf } from '../../engine/request/session.ts'
import { speaks } from '../../routing/spokenDialect.ts'

/** The account that answered for one of the request's objects last; null where none is named or known. */
export function holdingAccount({ learned, registry }: Engine, request: ChatRequest, caller: string): string | null {
  for (const id of objectsIn(request)) {
    const stateId = learned.sessions.targetOf(memoryOf(id, caller))
    const target = stateId === null ? undefined : registry.find(stateId)
    if (target !== undefined) return target.account
  }
  return null
}

/** Records who answered a request that names objects; a target of another dialect was not told of them. */
export function recordHolder(
  { learned }: Engine,
  request: ChatRequest,
  client: DialectId,
  target: Target,
  caller: string,
): void {
  if (!speaks(target.profile, client)) return
  for (const id of objectsIn(request)) learned.sessions.bind(memoryOf(id, caller).id, target.stateId)
}

const memoryOf = (id: string, caller: string) =>
  sessionOf({ model: '', messages: [], stream: false }, `object ${id}`, caller)

/** Ids that mean something at one account only. */
function objectsIn({ extra, messages }: Pick<ChatRequest, 'extra' | 'messages'>): readonly string[] {
  const found: string[] = []
  if (extra !== undefined) {
    const { container } = extra.fields
    add(found, container, asRecord(container)?.['id'], extra.fields['cachedContent'], extra.fields['cached_content'])
  }
  for (const { content } of messages) for (const part of content) addPart(found, part)
  return found
}

function addPart(found: string[], part: Part): void {
  if (part.type === 'tool-result') for (const inner of part.content) addPart(found, inner)
  else if (part.type === 'file' || part.type === 'image') {
    const fields = part.extra?.fields ?? {}
    for (const place of [fields, fields['source'], fields['file']]) add(found, asRecord(place)?.['file_id'])
    // Gemini's files have an address of their own: https://ai.google.dev/gemini-api/docs/files (2026-11-29)
    if (/\/files\/[\w-]{1,80}$/.test(part.url ?? '')) add(found, part.url)
  }
}

function add(found: string[], ...ids: readonly unknown[]): void {
  found.push(...ids.flatMap((id) => asString(id) || []))
}
