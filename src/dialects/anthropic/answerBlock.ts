/** The blocks of an answer to a client, with the fields that answers have and requests need not have. */

import type { ChatResponse, MediaPart } from '../../domain/chat.ts'
import { mediaText } from '../fields/media.ts'
import { ownFields } from '../fields/requestFields.ts'
import { type ContentBlock, writeAnthropicAnswer } from './content.ts'
import { readServerCode } from './serverCode.ts'

/** In front of what a block says; a call was made by the model itself, not by code that it had run. */
const TEXT_FIELDS = { citations: null } as const
export const DIRECT_CALL = { caller: { type: 'direct' } } as const

export function writeAnswerBlocks(part: ChatResponse['content'][number]): readonly ContentBlock[] {
  if (part.type === 'image' || part.type === 'file') return [textBlock(mediaBlockText(part))]
  const own = part.type === 'text' ? ownFields(part.extra, 'anthropic') : {}
  if (readServerCode(own) !== undefined) return [own]
  return writeAnthropicAnswer(part).map((block) => {
    if (block['type'] === 'text') return { ...TEXT_FIELDS, ...block }
    return block['type'] === 'tool_use' ? { ...DIRECT_CALL, ...block } : block
  })
}

export function textBlock(text: string): ContentBlock {
  return { ...TEXT_FIELDS, type: 'text', text }
}

/** A paragraph of its own, because clients join the texts of an answer. */
export function mediaBlockText(part: MediaPart): string {
  return `\n\n${mediaText(part)}\n\n`
}
