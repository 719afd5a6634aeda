/**
 * Conversations that a simulated provider holds between turns, one account's apart from another's: message threads, as
 * the SDKs use them (@anthropic-ai/sdk 1.12: lib/internal/threads/ThreadState.mjs, core/error-classes.mjs).
 */

import type { IncomingMessage } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import type { ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { FakeProvider } from './fakeProvider.ts'
import type { FakeRefusal } from './refusal.ts'
import { keyOf } from './request.ts'

type Body = Readonly<Record<string, unknown>>

interface Held {
  readonly account: string
  /** The whole conversation up to its answer, as if it had been sent at once. */
  readonly body: Body
  isContinued: boolean
}

/** What a request comes to: the whole conversation, or why it cannot be continued. */
type Resumed =
  | { readonly refusal: FakeRefusal; readonly body?: never }
  | { readonly refusal: null; readonly body: unknown }

/** Taken from the thread, and refused where a request repeats them. */
const OF_THE_THREAD = ['system', 'tools'] as const

export class Threads {
  readonly #held = new Map<string, Held>()

  /** The body with what was said before, for a request that continues a thread. */
  resume(provider: FakeProvider, path: string, request: IncomingMessage, body: unknown): Resumed {
    const fields = asRecord(body)
    const thread = asRecord(fields?.['thread'])
    if (fields === undefined || thread?.['type'] !== 'continue' || !path.endsWith('/messages'))
      return { refusal: null, body }
    const key = keyOf(request)
    // The key is checked before anything is looked up.
    if (!provider.isGood(key)) return { refusal: null, body }
    const id = asString(thread['previous_message_id']) ?? ''
    const held = this.#held.get(`${provider.id} ${id}`)
    if (held === undefined || held.account !== accountOf(provider, key))
      return { refusal: refuse(404, 'not_found_error', `No thread found for message ${id}.`, 'thread_not_found') }
    const repeated = OF_THE_THREAD.find((name) => fields[name] != null)
    if (repeated !== undefined)
      return { refusal: refuse(400, 'invalid_request_error', `${repeated}: may not be repeated in a thread.`) }
    if (held.isContinued)
      return {
        refusal: refuse(400, 'invalid_request_error', `${id} was continued already.`, 'thread_already_continued'),
      }
    const messages = [...(asArray(held.body['messages']) ?? []), ...(asArray(fields['messages']) ?? [])]
    const kept = Object.fromEntries(OF_THE_THREAD.flatMap((name) => (held.body[name] ? [[name, held.body[name]]] : [])))
    return { refusal: null, body: { ...fields, ...kept, messages } }
  }

  /** Holds the conversation under the answer's id when the request asks for that. */
  keep(provider: FakeProvider, key: string, answer: ChatResponse, request: ChatRequest, body: unknown): void {
    const thread = asRecord(request.extra?.fields['thread'])
    if (thread === undefined) return
    const before = this.#held.get(`${provider.id} ${asString(thread['previous_message_id'])}`)
    if (before !== undefined) before.isContinued = true
    const written = asRecord(dialectOf('anthropic').client.writeResponse(answer, request))
    const said = asRecord(body) ?? {}
    const turn = { role: 'assistant', content: written?.['content'] }
    const whole = { ...said, messages: [...(asArray(said['messages']) ?? []), turn] }
    const held = { account: accountOf(provider, key), body: whole, isContinued: false }
    this.#held.set(`${provider.id} ${answer.id}`, held)
  }

  /** Nobody's conversation is held any more. */
  forget(): void {
    this.#held.clear()
  }
}

function refuse(status: number, type: string, message: string, code?: string): FakeRefusal {
  const error = { type, message, ...(code !== undefined && { details: { error_code: code } }) }
  return { status, body: { type: 'error', error, request_id: 'req_fake' } }
}

const accountOf = (provider: FakeProvider, key: string) => provider.accountOf(provider.indexOf(key)) ?? key
