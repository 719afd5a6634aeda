/**
 * Objects that one account holds and requests name by id: files, containers, cached contents. Which account that is, a
 * provider does not say; whoever answered a request that named the object has it, and is asked first the next time.
 */

import type { ChatRequest, ChatResponse, DialectId, Extra, Part } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asRecord } from '../../domain/json.ts'
import type { Target } from '../../domain/target.ts'
import type { Engine } from '../../engine/engine.ts'
import { speaks } from '../../routing/spokenDialect.ts'
import { holderOf, isAnothers, recordHolder, recordMaking } from './holders.ts'

/** Of a request that names more of them, the first are looked up: one of them says which account it is. */
const MOST_OBJECTS = 50

/**
 * The account that answered for one of the request's objects last; null where none is named or known. Throws
 * InvalidRequestError for what was made for another token.
 */
export function holdingAccount(engine: Engine, request: ChatRequest, caller: string): string | null {
  const ids = objectsIn(request)
  if (ids.size === 0) return null
  const foreign = [...ids].find((id) => isAnothers(engine, 'object', id, caller))
  if (foreign !== undefined)
    throw new InvalidRequestError(`"${foreign.slice(0, 100)}" was not found: it was made for another token`, {
      status: 404,
    })
  for (const id of ids) {
    const account = holderOf(engine, 'object', id, caller)?.credential?.account
    if (account !== undefined) return account
  }
  return null
}

interface Exchanged {
  readonly request: ChatRequest
  readonly response: ChatResponse
  readonly client: DialectId
  readonly target: Target
  readonly caller: string
}

/**
 * Records who answered a request that names objects, or made one for it (a container); a target of another dialect was
 * not told of them.
 */
export function recordHolders(engine: Engine, { request, response, client, target, caller }: Exchanged): void {
  if (!speaks(target.profile, client)) return
  const given = objectsIn(request)
  for (const id of given) recordHolder(engine, 'object', id, caller, target)
  if (response.extra === undefined) return
  for (const id of objectsIn({ extra: response.extra, messages: [] })) {
    if (given.has(id)) continue
    recordHolder(engine, 'object', id, caller, target)
    recordMaking(engine, id, target)
  }
}

interface Named extends Pick<ChatRequest, 'messages'> {
  readonly extra?: Extra | undefined
}

/** Ids that mean something at one account only. */
function objectsIn({ extra, messages }: Named): ReadonlySet<string> {
  const found: string[] = []
  if (extra !== undefined) {
    const { container } = extra.fields
    add(found, container)
    add(found, asRecord(container)?.['id'])
    add(found, extra.fields['cachedContent'])
    add(found, extra.fields['cached_content'])
  }
  for (const { content } of messages) for (const part of content) addPart(found, part)
  return found.length === 0 ? NOTHING : new Set(found.slice(0, MOST_OBJECTS))
}

/** As of nearly all requests, for which nothing is to be made. */
const NOTHING: ReadonlySet<string> = new Set()

function addPart(found: string[], part: Part): void {
  if (part.type === 'tool-result') for (const inner of part.content) addPart(found, inner)
  else if (part.type === 'file' || part.type === 'image') {
    const fields = part.extra?.fields ?? {}
    for (const place of [fields, fields['source'], fields['file']]) add(found, asRecord(place)?.['file_id'])
    // Gemini's files have an address of their own: https://ai.google.dev/gemini-api/docs/files (2026-11-29)
    if (/\/files\/[\w-]{1,80}$/.test(part.url ?? '')) add(found, part.url)
  }
}

function add(found: string[], id: unknown): void {
  if (typeof id === 'string' && id !== '') found.push(id)
}
