/** Conversations that stay on their target: prompt caches, signatures and style depend on it. */

import { hash } from 'node:crypto'
import type { ChatRequest, Part } from '../../domain/chat.ts'

/** Maximum number of conversations kept; the least recently used is evicted first. */
const MOST = 5000
/** Characters of a text that are hashed at most; agents send the same 50 KB system prompt every turn. */
const LOOK = 4096

export interface Session {
  /** A hash of the conversation, never its contents. */
  readonly id: string
  /** Named by the caller. A derived session binds to its target from the second turn on. */
  readonly named: boolean
  readonly firstTurn: boolean
}

/** The conversation of a request: as named, else derived from caller, system prompt and first user message. */
export function sessionOf(request: ChatRequest, named: string | undefined, caller: string): Session {
  const { firstTurn, system, user } = openingOf(request)
  const text = named ?? `${textOf(system)}\n${textOf(user)}`
  return {
    id: hash('sha256', `${caller}\n${named === undefined ? 'd' : 'n'}\n${text}`).slice(0, 24),
    named: named !== undefined,
    firstTurn,
  }
}

/**
 * What keeps a variant of an experiment that counts sessions: the session that is named, else caller, opening and the
 * variables of the templates, which are the same in every turn of a conversation. Null without either: the first
 * message alone ("hi") is the same for many users.
 */
export function sessionUnit(
  request: ChatRequest,
  named: string | undefined,
  caller: string,
  variables: Readonly<Record<string, unknown>> = {},
): string | null {
  if (named !== undefined) return sessionOf(request, named, caller).id
  const values = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))
  if (values.length === 0) return null
  const { system, user } = openingOf(request)
  const text = JSON.stringify([
    caller,
    textOf(system),
    textOf(user),
    values.map(([name, value]) => [name, String(value)]),
  ])
  return hash('sha256', text).slice(0, 24)
}

interface Opening {
  /** There is no assistant message yet. */
  readonly firstTurn: boolean
  /** The first system and the first user message. */
  readonly system: readonly Part[] | undefined
  readonly user: readonly Part[] | undefined
}

function openingOf({ messages }: ChatRequest): Opening {
  let firstTurn = true
  let system: readonly Part[] | undefined
  let user: readonly Part[] | undefined
  for (const { role, content } of messages) {
    if (role === 'assistant') firstTurn = false
    else if (role === 'system') system ??= content
    else if (role === 'user') user ??= content
  }
  return { firstTurn, system, user }
}

function textOf(parts: readonly Part[] | undefined): string {
  let text = ''
  for (const part of parts ?? [])
    if (part.type === 'text' && text.length < LOOK) text += part.text.slice(0, LOOK - text.length)
  return text
}

/** Which target each conversation is on. */
export class Sessions {
  readonly #targets = new Map<string, string>()
  #latest = ''
  #latestTarget = ''

  /** The `stateId` the conversation is bound to; null on its first turn. */
  targetOf(session: Session): string | null {
    if (!session.named && session.firstTurn) return null
    return this.#targets.get(session.id) ?? null
  }

  bind(session: string, stateId: string): void {
    // Only moved to the end when another conversation was active in between.
    if (session === this.#latest && stateId === this.#latestTarget) return
    this.#latest = session
    this.#latestTarget = stateId
    this.#targets.delete(session)
    this.#targets.set(session, stateId)
    if (this.#targets.size <= MOST) return
    const oldest = this.#targets.keys().next().value
    if (oldest !== undefined) this.#targets.delete(oldest)
  }
}
