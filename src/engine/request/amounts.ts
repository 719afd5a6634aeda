/** Upper bounds of what a request can consume, which budgets reserve before it is sent. */

import type { ChatRequest, Part } from '../../domain/chat.ts'
import { mostInputTokens } from '../../money/usage.ts'

/** An upper bound of the request's input tokens. */
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
      // A document has no more tokens than bytes; of one given by reference only its presence is known.
      if (part.data === undefined) size.images++
      else size.utf8Bytes += part.data.length
  }
}

const jsonBytes = (value: unknown) => (value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value)))

/** Above what any provider returns at once. */
const MOST_ANSWERS = 128

/** The number of answers requested. */
export function answersOf({ answers = 1 }: ChatRequest): number {
  return Math.min(Math.max(Math.ceil(answers), 1), MOST_ANSWERS)
}
