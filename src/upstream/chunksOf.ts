/** Takes a whole answer apart into the chunks of the same answer as a stream. */

import type { ChatChunk, ChatResponse } from '../domain/chat.ts'

export function chunksOf(response: ChatResponse): ChatChunk[] {
  const { id, model, content, citations, finishReason, stopSequence, blocked, opaque, usage } = response
  const chunks: ChatChunk[] = [{ type: 'start', ...(id !== undefined && { id }), ...(model !== '' && { model }) }]
  let calls = 0
  for (const part of content) {
    if (part.type === 'text') chunks.push({ ...part, type: 'text-delta' })
    else if (part.type === 'image' || part.type === 'file') chunks.push({ type: 'media', part })
    else if (part.type === 'reasoning') chunks.push({ ...part, type: 'reasoning-delta' })
    else if (part.type === 'tool-call') chunks.push(...callChunks({ ...part, index: calls++ }))
  }
  if (citations !== undefined) chunks.push({ type: 'citations', citations })
  if (opaque) chunks.push({ type: 'opaque' })
  if (usage !== undefined) chunks.push({ type: 'usage', usage })
  const finish = { finishReason, ...(stopSequence !== undefined && { stopSequence }) }
  chunks.push({ type: 'finish', ...finish, ...(blocked !== undefined && { blocked }) }, { type: 'end' })
  return chunks
}

type Call = Extract<ChatResponse['content'][number], { type: 'tool-call' }> & { readonly index: number }

function callChunks({ type, arguments: text, ...call }: Call): ChatChunk[] {
  return [
    { type: 'tool-call-start', ...call },
    { type: 'tool-call-delta', index: call.index, arguments: text },
    { type, ...call, arguments: text },
  ]
}
