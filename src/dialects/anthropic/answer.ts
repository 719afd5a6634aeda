/** A whole Messages answer, read from upstreams and written to clients. */

import type { ChatRequest, ChatResponse, Part } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { extraBeyond, restore } from '../fields/extra.ts'
import { isUnspeakable, UNSPEAKABLE } from '../fields/media.ts'
import { ownFields } from '../fields/requestFields.ts'
import { textBlock, writeAnswerBlocks } from './answerBlock.ts'
import { citationsIn } from './citations.ts'
import { readBlocks } from './content.ts'
import { anthropicErrorStatus, isError } from './error.ts'
import { readRefusal, readStopReason, writeStopDetails, writeStopReason } from './finishReason.ts'
import { readServerCode } from './serverCode.ts'
import { readAnthropicUsage, writeAnthropicUsage } from './usage.ts'

/** Clients demand an id, and the upstream may have given none. */
export const UNKNOWN_ID = 'msg_unknown'

const RESPONSE = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'])

export function readAnthropicResponse(body: unknown): ReadResponse {
  const fields = asRecord(body)
  if (!fields) return { ok: false, body, malformed: true }
  if (isError(fields)) return { ok: false, body, status: anthropicErrorStatus(fields) }
  // A refusal may come without content.
  const blocks = asArray(fields['content']) ?? (fields['stop_reason'] == null ? undefined : [])
  if (!blocks) return { ok: false, body, malformed: true }
  return { ok: true, response: readAnswer(fields, blocks) }
}

function readAnswer(fields: Record<string, unknown>, blocks: readonly unknown[]): ChatResponse {
  const content = readBlocks(blocks)
    .parts.map(asAnswerPart)
    .filter((part) => part !== undefined)
  const finishReason = readStopReason(fields['stop_reason'])
  const citations = citationsIn(content)
  return {
    id: asString(fields['id']),
    model: asString(fields['model']) ?? '',
    content,
    ...(citations.length > 0 && { citations }),
    finishReason,
    ...(finishReason === 'content_filter' && { blocked: readRefusal(fields['stop_reason'], fields['stop_details']) }),
    ...(blocks.some(isOther) && { opaque: true }),
    stopSequence: asString(fields['stop_sequence']),
    usage: readAnthropicUsage(fields['usage']),
    extra: extraBeyond('anthropic', fields, RESPONSE),
  }
}

/** Neither text nor thought nor a call: what tools at the provider did. */
function isOther(block: unknown): boolean {
  const type = asString(asRecord(block)?.['type'])
  return type !== undefined && !READ.has(type)
}

const READ = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use'])

/** What server tools did is no part of the answer, except for code that ran; what the model said of it is. */
function asAnswerPart(part: Part): ChatResponse['content'][number] | undefined {
  if (part.type === 'tool-result') return undefined
  return part.type === 'file' ? readServerCode(ownFields(part.extra, 'anthropic')) : part
}

export function writeAnthropicResponse(
  response: ChatResponse,
  _request: ChatRequest,
  facts?: AnswerFacts,
): Record<string, unknown> {
  const body = {
    id: response.id ?? facts?.id ?? UNKNOWN_ID,
    type: 'message',
    role: 'assistant',
    model: response.model,
    content: [
      ...response.content.flatMap(writeAnswerBlocks),
      ...(isUnspeakable(response) ? [textBlock(UNSPEAKABLE)] : []),
    ],
    container: null,
    diagnostics: null,
    stop_reason: writeStopReason(response.finishReason, response.stopSequence),
    stop_sequence: response.stopSequence ?? null,
    stop_details: response.blocked === undefined ? null : writeStopDetails(response.blocked),
    usage: writeAnthropicUsage(response.usage),
  }
  return restore('anthropic', body, response.extra)
}
