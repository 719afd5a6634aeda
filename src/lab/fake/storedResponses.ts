/**
 * The responses that a simulated provider stores, one account's apart from another's:
 * https://platform.openai.com/docs/api-reference/responses/get
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { dialectOf } from '../../dialects/dialects.ts'
import type { ChatRequest, ChatResponse } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import type { FakeProvider } from './fakeProvider.ts'
import { inputItemsOf, inputItemsPage } from './inputItems.ts'
import type { FakeRefusal } from './refusal.ts'
import { keyOf } from './request.ts'
import { sendAnswer } from './wire.ts'

const PATH = /\/responses\/(?<id>[\w-]+)(?<part>\/cancel|\/input_items)?$/

/** An id as `keep` gives it. */
const GIVEN = /^resp_fake[0-9a-f]+$/

export const isStoredPath = (path: string) => PATH.test(path)

interface Stored {
  readonly account: string
  readonly body: object
  readonly items: ReturnType<typeof inputItemsOf>
}

export class StoredResponses {
  readonly #byId = new Map<string, Stored>()

  /** Keeps the answer unless the request says not to. `asked`: the body of the request. */
  keep(provider: FakeProvider, key: string, answer: ChatResponse, request: ChatRequest, asked: unknown): void {
    const { id = '' } = answer
    const items = inputItemsOf(id, asked)
    const body = dialectOf('openai-responses').client.writeResponse(answer, request) as object // its body is one
    if (request.extra?.fields['store'] !== false)
      this.#byId.set(`${provider.id} ${id}`, { account: accountOf(provider, key), body, items })
  }

  /**
   * Why an answer that was given here is not continued for this key; null where it is, or where none is named.
   * https://github.com/maximhq/bifrost/issues/2441 (2026-11-29)
   */
  refuse(provider: FakeProvider, path: string, key: string, body: unknown): FakeRefusal | null {
    const id = asString(asRecord(body)?.['previous_response_id'])
    if (id === undefined || !path.endsWith('/responses') || !GIVEN.test(id)) return null
    if (this.#byId.get(`${provider.id} ${id}`)?.account === accountOf(provider, key)) return null
    return {
      status: 400,
      body: {
        error: {
          message: `Previous response with id '${id}' not found.`,
          type: 'invalid_request_error',
          param: 'previous_response_id',
          code: 'previous_response_not_found',
        },
      },
    }
  }

  serve(provider: FakeProvider, path: string, request: IncomingMessage, response: ServerResponse): void {
    const key = keyOf(request)
    if (!provider.isGood(key)) {
      const { status, body } = provider.refuseKey()
      return sendAnswer(response, status, body)
    }
    const { id = '', part = '' } = PATH.exec(path)?.groups ?? {}
    const stored = this.#byId.get(`${provider.id} ${id}`)
    if (stored === undefined || stored.account !== accountOf(provider, key))
      return sendAnswer(response, 404, {
        error: {
          message: `Response with id '${id}' not found.`,
          type: 'invalid_request_error',
          param: 'id',
          code: null,
        },
      })
    if (request.method === 'DELETE') this.#byId.delete(`${provider.id} ${id}`)
    if (request.method === 'GET' && part === '/input_items') {
      const page = inputItemsPage(stored.items, new URL(request.url ?? '', 'http://fake.invalid').searchParams)
      return sendAnswer(response, page.status, page.body)
    }
    sendAnswer(response, 200, answerTo(request.method ?? '', id, part, stored.body))
  }
}

function answerTo(method: string, id: string, part: string, body: object): object {
  if (method === 'DELETE') return { id, object: 'response', deleted: true }
  return part === '/cancel' ? { ...body, status: 'cancelled' } : body
}

const accountOf = (provider: FakeProvider, key: string) => provider.accountOf(provider.indexOf(key)) ?? key
