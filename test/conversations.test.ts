/**
 * Conversations that move between services: what a client of any dialect has said and heard so far, any service takes.
 * `KEYWISE_CONVERSATIONS` says how many are tried (default 60, each with every service); docs/numbers.md has a long run.
 */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dialectOf } from '../src/dialects/dialects.ts'
import { fit as fitRequest } from '../src/dialects/fit/fit.ts'
import type { ChatRequest, DialectId } from '../src/domain/chat.ts'
import { someConversation } from './support/conversations.ts'
import { RECIPIENTS, writtenFor } from './support/strictRecipients.ts'

const COUNT = Number(process.env['KEYWISE_CONVERSATIONS'] ?? 60)
const CLIENTS: readonly DialectId[] = ['openai', 'openai-responses', 'anthropic', 'google']

/** The conversation as a client of the dialect says it, read again. */
function saidBy(client: DialectId, conversation: ChatRequest): ChatRequest {
  const { request } = fitRequest(conversation, { dialect: client, wire: {}, maxOutputTokens: null, roomTokens: null })
  const { body } = dialectOf(client).upstream.writeRequest(request, 'm')
  return dialectOf(client).client.readRequest(JSON.parse(JSON.stringify(body)), { model: 'm', stream: false })
}

const words = ({ messages }: ChatRequest) =>
  messages.flatMap(({ role, content }) =>
    content.flatMap((part) => (role === 'user' && part.type === 'text' && part.text.trim() !== '' ? [part.text] : [])),
  )

/** Every text that the user said stands in the body, in JSON's spelling. */
function missingWords(asked: ChatRequest, sent: object): readonly string[] {
  const body = JSON.stringify(sent)
  return words(asked).filter((text) => !body.includes(JSON.stringify(text).slice(1, -1)))
}

test('every service takes a conversation of every client, with all that the user said', { timeout: 3_600_000 }, () => {
  let tried = 0
  fc.assert(
    fc.property(someConversation, fc.constantFrom(...CLIENTS), (conversation, client) => {
      const asked = saidBy(client, conversation)
      for (const recipient of RECIPIENTS) {
        const [spec, model] = recipient
        if (spec.dialect === client) continue
        const written = writtenFor(recipient, client, asked)
        if (written === null) continue
        tried++
        const found = { refusal: written.refusal, missing: missingWords(asked, written.sent) }
        expect({ spec: spec.id, model, client, ...found }).toEqual({
          spec: spec.id,
          model,
          client,
          refusal: null,
          missing: [],
        })
      }
    }),
    { numRuns: COUNT },
  )
  expect(tried).toBeGreaterThan(COUNT)
})
