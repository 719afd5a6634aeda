/** Token counting for Anthropic and Gemini clients: estimated from the text, without an upstream call. */

import { dialectOf } from '../../dialects/dialects.ts'
import type { DialectId } from '../../domain/chat.ts'
import { asRecord } from '../../domain/json.ts'
import { inputTokensOf } from '../../engine/request/needs.ts'
import { parseBody, readBody } from '../body.ts'
import { clientFailure } from '../clientError.ts'
import type { Handler } from '../handler.ts'
import { sendJson } from '../send.ts'
import { sendFailure } from '../sendFailure.ts'

export const countTokens =
  (id: DialectId): Handler =>
  async ({ engine, maxBodyBytes }, request, response) => {
    const dialect = dialectOf(id)
    try {
      const body = parseBody((await readBody(request, maxBodyBytes)).bytes)
      // Gemini wraps the whole request when more than contents is to be counted.
      const inner = asRecord(body)?.['generateContentRequest'] ?? body
      const tokens = inputTokensOf(dialect.client.readRequest(inner, { model: 'count', stream: false }))
      sendJson(response, 200, id === 'google' ? { totalTokens: tokens } : { input_tokens: tokens })
    } catch (error) {
      sendFailure(response, dialect, clientFailure(error, '', engine.now))
    }
  }
