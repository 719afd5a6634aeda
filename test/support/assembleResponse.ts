/** The answer that a list of chunks amounts to. */

import type { ChatChunk, ChatResponse } from '../../src/domain/chat.ts'
import { Assembler } from '../../src/upstream/assembler.ts'

/** The answer in `chunks`, in the order of the stream; as much of it as came when the stream broke off. */
export function assembleResponse(chunks: Iterable<ChatChunk>): ChatResponse {
  const assembler = new Assembler()
  for (const chunk of chunks) assembler.push(chunk)
  return assembler.response()
}
