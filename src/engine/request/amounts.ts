/** The most a request can consume: what budgets put aside before it is sent. */

import type { ChatRequest, Part } from '../../domain/chat.ts'
import { asNumber, asRecord } from '../../domain/json.ts'
import { mostInputTokens } from '../../money/usage.ts'

/** More input tokens than the request can have. */
export function mostTokensOf(request: ChatRequest): number {
  const size = { utf8Bytes: 0, messages: request.messages.length, images: 0 }
  size.utf8Bytes += jsonBytes(request.tools) + jsonBytes(request.responseFormat) + jsonBytes(request.extra?.fields)
  for (const message of request.messages) for (const part of message.content) addPart(size, part)
  return mostInputTokens(size)
}

interface Size {
  utf8Bytes: number
  images: number
}

function addPart(size: Size, part: Part): void {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      size.utf8Bytes += Buffer.byteLength(part.text)
      break
    case 'tool-call':
      size.utf8Bytes += Buffer.byteLength(part.name) + Buffer.byteLength(part.arguments)
      break
    case 'tool-result':
      for (const inner of part.content) addPart(size, inner)
      break
    case 'image':
      size.images++
      break
    case 'file':
      // A document is not longer than its bytes; of one that is only named nobody knows more than that it is there.
      if (part.data === undefined) size.images++
      else size.utf8Bytes += part.data.length
  }
}

const jsonBytes = (value: unknown) => (value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value)))

/** More than any provider gives at once. */
const MOST_ANSWERS = 128

/** How many answers are asked for: OpenAI's `n`, Gemini's `candidateCount`. */
export function answersOf({ extra }: ChatRequest): number {
  if (extra === undefined) return 1
  const config = asRecord(extra.fields['generationConfig'])
  const count = asNumber(extra.fields['n']) ?? asNumber(config?.['candidateCount']) ?? 1
  return Math.min(Math.max(Math.ceil(count), 1), MOST_ANSWERS)
}
