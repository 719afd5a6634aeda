/** A whole answer as the chunks of a stream that says the same. */

import type { ChatChunk, ChatResponse, ToolCallPart } from '../../src/domain/chat.ts'

export function chunksOf(response: ChatResponse): ChatChunk[] {
  const chunks: ChatChunk[] = [{ type: 'start', id: response.id, model: response.model }]
  let calls = 0
  for (const part of response.content) {
    if (part.type === 'text') chunks.push({ type: 'text-delta', text: part.text })
    else if (part.type === 'reasoning') chunks.push({ ...part, type: 'reasoning-delta' })
    else if (part.type === 'tool-call') chunks.push(...chunksOfCall(part, calls++))
  }
  if (response.usage) chunks.push({ type: 'usage', usage: response.usage })
  chunks.push({ type: 'finish', finishReason: response.finishReason, stopSequence: response.stopSequence })
  chunks.push({ type: 'end' })
  return chunks
}

function chunksOfCall({ id, name, signature, arguments: text }: ToolCallPart, index: number): ChatChunk[] {
  const half = text.length >> 1
  return [
    { type: 'tool-call-start', index, id, name, signature },
    { type: 'tool-call-delta', index, arguments: text.slice(0, half) },
    { type: 'tool-call-delta', index, arguments: text.slice(half) },
    { type: 'tool-call', index, id, name, arguments: text, signature },
  ]
}
