/** Takes a whole answer apart into the chunks of the same answer as a stream. */

import type { ChatChunk, ChatResponse, ChunkOf, OtherAnswer, TokenLogprob } from '../domain/chat.ts'

export function chunksOf(response: ChatResponse): ChatChunk[] {
  const { id, model, stopSequence, opaque, usage, serviceTier, others = [] } = response
  const named = { ...(id !== undefined && { id }), ...(model !== '' && { model }), ...(serviceTier && { serviceTier }) }
  const chunks: ChatChunk[] = [{ type: 'start', ...named }]
  for (const [place, other] of others.entries()) {
    for (const chunk of [...saidIn(other), finishOf(other)]) chunks.push({ type: 'other', index: place + 1, chunk })
  }
  for (const chunk of saidIn(response)) chunks.push(chunk)
  if (opaque) chunks.push({ type: 'opaque' })
  if (usage !== undefined) chunks.push({ type: 'usage', usage })
  chunks.push({ ...finishOf(response), ...(stopSequence !== undefined && { stopSequence }) }, { type: 'end' })
  return chunks
}

function saidIn({ content, citations, logprobs }: OtherAnswer): ChatChunk[] {
  const chunks: ChatChunk[] = []
  let calls = 0
  for (const part of content) {
    if (part.type === 'text') chunks.push({ ...part, type: 'text-delta' })
    else if (part.type === 'image' || part.type === 'file') chunks.push({ type: 'media', part })
    else if (part.type === 'reasoning') chunks.push({ ...part, type: 'reasoning-delta' })
    else if (part.type === 'tool-call') chunks.push(...callChunks({ ...part, index: calls++ }))
  }
  if (logprobs !== undefined) weigh(chunks, logprobs)
  if (citations !== undefined) chunks.push({ type: 'citations', citations })
  return chunks
}

/** The probabilities are those of the whole text, and come with its first piece. */
function weigh(chunks: ChatChunk[], logprobs: readonly TokenLogprob[]): void {
  const at = chunks.findIndex(({ type }) => type === 'text-delta')
  const text = chunks[at]
  if (text?.type === 'text-delta') chunks[at] = { ...text, logprobs }
  else chunks.push({ type: 'text-delta', text: '', logprobs })
}

function finishOf({ finishReason, blocked }: OtherAnswer): ChunkOf<'finish'> {
  return { type: 'finish', finishReason, ...(blocked !== undefined && { blocked }) }
}

type Call = Extract<ChatResponse['content'][number], { type: 'tool-call' }> & { readonly index: number }

function callChunks({ type, arguments: text, ...call }: Call): ChatChunk[] {
  return [
    { type: 'tool-call-start', ...call },
    { type: 'tool-call-delta', index: call.index, arguments: text },
    { type, ...call, arguments: text },
  ]
}
