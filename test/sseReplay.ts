/** Replays a streamed answer to a reader: bytes cut anywhere, events as SSE cuts them out, chunks as the reader says them. */

import { assembleResponse } from '../src/dialects/assemble.ts'
import type { StreamReader } from '../src/dialects/dialect.ts'
import { SseReader } from '../src/dialects/sse.ts'
import type { ChatChunk, ChatResponse } from '../src/domain/chat.ts'

/** The chunks of a stream that came in these pieces and then ended. */
export function readPieces(reader: StreamReader, pieces: readonly Uint8Array[]): ChatChunk[] {
  const sse = new SseReader()
  const chunks: ChatChunk[] = []
  for (const piece of pieces) {
    for (const { event, data } of sse.push(piece)) chunks.push(...reader.push(event, data))
  }
  for (const { event, data, incomplete } of sse.end()) chunks.push(...reader.push(event, data, incomplete))
  chunks.push(...reader.end())
  return chunks
}

export function readText(reader: StreamReader, text: string): ChatChunk[] {
  return readPieces(reader, [Buffer.from(text)])
}

/** A recording (one payload per line) as the bytes that were on the wire. */
export function toWire(recording: string, withEventNames: boolean): string {
  const lines = recording.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => `${withEventNames ? `event: ${JSON.parse(line).type}\n` : ''}data: ${line}\n\n`).join('')
}

/** What a whole answer looks like when it is streamed. */
export function chunksOf(response: ChatResponse): ChatChunk[] {
  let calls = 0
  const chunks: ChatChunk[] = [{ type: 'start', id: response.id, model: response.model }]
  for (const part of response.content) {
    if (part.type === 'text') chunks.push({ type: 'text-delta', text: part.text })
    else if (part.type === 'reasoning') {
      const { text, signature, redacted } = part
      chunks.push({ type: 'reasoning-delta', text, signature, redacted })
    } else if (part.type === 'tool-call') {
      const { id, name, signature } = part
      const index = calls++
      const half = part.arguments.length >> 1
      chunks.push({ type: 'tool-call-start', index, id, name, signature })
      chunks.push({ type: 'tool-call-delta', index, arguments: part.arguments.slice(0, half) })
      chunks.push({ type: 'tool-call-delta', index, arguments: part.arguments.slice(half) })
      chunks.push({ type: 'tool-call', index, id, name, arguments: part.arguments, signature })
    }
  }
  chunks.push({ type: 'finish', finishReason: response.finishReason, stopSequence: response.stopSequence })
  if (response.usage) chunks.push({ type: 'usage', usage: response.usage })
  chunks.push({ type: 'end' })
  return chunks
}

/** The answer without the facts that depend on how deltas were cut. */
export const folded = (chunks: readonly ChatChunk[]): ChatResponse => assembleResponse(chunks)

export const hasEnd = (chunks: readonly ChatChunk[]): boolean => chunks.some((chunk) => chunk.type === 'end')
