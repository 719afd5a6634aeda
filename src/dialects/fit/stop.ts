/** Stop sequences beyond what a service takes; keywise itself ends the answer there. */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { AnswerChanges } from './answerChanges.ts'
import type { Recipient } from './recipient.ts'

/**
 * OpenAI: https://platform.openai.com/docs/api-reference/chat/create#stop; Gemini:
 * https://ai.google.dev/api/generate-content#generationconfig; Responses has none.
 */
const MOST: { readonly [D in DialectId]: number } = {
  openai: 4,
  'openai-responses': 0,
  anthropic: Number.POSITIVE_INFINITY,
  google: 5,
}

export function fitStop(
  request: ChatRequest,
  { dialect, wire }: Recipient,
): { readonly request: ChatRequest; readonly answer?: AnswerChanges } {
  if (request.stop === undefined) return { request }
  // An empty one ends nothing.
  const stop = request.stop.filter((sequence) => sequence !== '')
  const most = wire.stopSequences ?? MOST[dialect]
  // Anthropic refuses sequences of white space alone, and OpenAI's clients like to send "\n".
  const refused = dialect === 'anthropic' ? stop.filter((sequence) => sequence.trim() === '') : []
  const taken = stop.filter((sequence) => !refused.includes(sequence)).slice(0, most)
  if (taken.length === request.stop.length) return { request }
  const fitted = { ...request, stop: taken.length > 0 ? taken : undefined }
  if (taken.length === stop.length) return { request: fitted }
  return {
    request: fitted,
    answer: {
      stop: stop.filter((sequence) => !taken.includes(sequence)),
      ...(request.answers !== undefined && { answers: request.answers }),
    },
  }
}
