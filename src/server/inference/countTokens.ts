/** Token counting for clients of Anthropic, Gemini and Responses: estimated from the text, without an upstream call. */

import { dialectOf } from '../../dialects/dialects.ts'
import type { DialectId } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asRecord } from '../../domain/json.ts'
import { requestId } from '../../engine/prepareRequest.ts'
import { inputTokensOf } from '../../engine/request/needs.ts'
import { jsonBody, readBody } from '../body.ts'
import { clientFailure } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'

const ANSWERS: { readonly [D in DialectId]: (tokens: number) => unknown } = {
  openai: (tokens) => ({ input_tokens: tokens }),
  anthropic: (tokens) => ({ input_tokens: tokens }),
  // https://platform.openai.com/docs/api-reference/responses/input-tokens (2026-11-29)
  'openai-responses': (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
  google: (tokens) => ({ totalTokens: tokens }),
}

/** Where a conversation stands. */
const PLACES = { openai: 'messages', anthropic: 'messages', 'openai-responses': 'input', google: 'contents' } as const

/** What an upstream stores cannot be counted here, and a count without it would be wrong. */
function checkWhole(body: unknown, id: DialectId): void {
  const field = heldBy(asRecord(body) ?? {}, id)
  if (field === undefined) return
  const place = PLACES[id]
  throw new InvalidRequestError(
    `"${field}" is not counted: keywise keeps no conversations; send all of it in "${place}"`,
    {
      parameter: field,
    },
  )
}

const HELD: { readonly [D in DialectId]?: readonly string[] } = {
  'openai-responses': ['previous_response_id', 'conversation', 'prompt'],
  google: ['cachedContent', 'cached_content'],
}

function heldBy(fields: Readonly<Record<string, unknown>>, id: DialectId): string | undefined {
  if (id === 'anthropic') return asRecord(fields['thread'])?.['type'] === 'continue' ? 'thread' : undefined
  return HELD[id]?.find((name) => fields[name] != null)
}

/** No count depends on the model, which OpenAI's clients may leave out. */
const named = (body: unknown) => {
  const fields = asRecord(body)
  return fields === undefined ? body : { model: 'count', ...fields }
}

export const countTokens =
  (id: DialectId): Handler =>
  async ({ engine, maxBodyBytes }, request, response) => {
    const dialect = dialectOf(id)
    try {
      const body = await jsonBody((await readBody(request, maxBodyBytes)).bytes)
      // Gemini wraps the whole request when more than contents is to be counted.
      const fields = asRecord(body)
      const inner = fields?.['generateContentRequest'] ?? fields?.['generate_content_request'] ?? body
      checkWhole(inner, id)
      const tokens = inputTokensOf(
        dialect.client.readRequest(id === 'openai-responses' ? named(inner) : inner, { model: 'count', stream: false }),
      )
      sendJson(response, 200, ANSWERS[id](tokens))
    } catch (error) {
      sendFailure(response, dialect, clientFailure(error, requestId(), engine.now))
    }
  }
