/**
 * Responses that an upstream stores: read, deleted and cancelled by the account that answered. Which one that was is
 * known of answers through this gateway, and to the token that asked for them.
 */

import { dialectOf } from '../../dialects/dialects.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import type { Failure } from '../../domain/failure.ts'
import { requestId } from '../../engine/prepareRequest.ts'
import { requestJson } from '../../upstream/requestJson.ts'
import { type ClientFailure, clientFailure, headerText } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'
import { holderOf } from './holders.ts'

/** `part`: what follows the id, such as `/cancel`. */
export const storedResponse =
  (method: 'GET' | 'POST' | 'DELETE', id: string, part: string): Handler =>
  async ({ engine, ready }, request, response, token) => {
    const dialect = dialectOf('openai-responses')
    try {
      await ready()
      const query = queryOf(request.url)
      const holder = holderOf(engine, 'answer', id, token.name)
      if (holder?.credential === undefined) return sendFailure(response, dialect, notFound(id))
      const { connection } = holder.credential
      const path = `/responses/${id}${part}${query}`
      const answer = await requestJson(connection, method, path, engine.tools)
      if (!answer.ok) return sendFailure(response, dialect, failureOf(answer.failure, id))
      sendJson(response, 200, answer.body, { 'x-keywise-target': headerText(holder.target) })
    } catch (error) {
      sendFailure(response, dialect, clientFailure(error, requestId(), engine.now))
    }
  }

function queryOf(url: string | undefined): string {
  const at = url?.indexOf('?') ?? -1
  const query = at < 0 ? '' : (url ?? '').slice(at)
  // https://platform.openai.com/docs/api-reference/responses/get (2026-11-29)
  if (/[?&]stream=true\b/.test(query))
    throw new InvalidRequestError('"stream" is not served for a stored response; ask for it whole', {
      parameter: 'stream',
    })
  return query
}

/** In OpenAI's words, and whose response it may be. */
function notFound(id: string): ClientFailure {
  const message = `Response with id '${id}' not found. (keywise knows the responses of the last month that were answered through it, for the token that asked, by keys that it still has.)`
  return { status: 404, code: 'not_found', message, parameter: 'id', attempts: [] }
}

/** A key that is refused is not the client's mistake. */
function failureOf({ kind, status, message, ...facts }: Failure, id: string): ClientFailure {
  if (status === 404) return notFound(id)
  const isOurs = kind === 'auth_invalid' || kind === 'auth_forbidden' || kind === 'billing'
  const told = isOurs || status === null || status < 400 ? 502 : status
  const retryAfterMs = 'retryAfterMs' in facts ? (facts.retryAfterMs ?? null) : null
  return { status: told, code: kind, message, retryAfterMs, attempts: [] }
}
