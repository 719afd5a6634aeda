/** A whole Messages answer, read from upstreams and written to clients. */

import type { ChatRequest, ChatResponse, Part } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { extraBeyond, restore } from '../fields/extra.ts'
import { readBlocks, writeAnthropicAnswer } from './content.ts'
import { anthropicErrorStatus, isError } from './error.ts'
import { readRefusal, readStopReason, writeStopDetails, writeStopReason } from './finishReason.ts'
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
  const content = readBlocks(blocks).parts.filter(isAnswerPart)
  const finishReason = readStopReason(fields['stop_reason'])
  return {
    id: asString(fields['id']),
    model: asString(fields['model']) ?? '',
    content,
    finishReason,
    ...(finishReason === 'content_filter' && { blocked: readRefusal(fields['stop_reason'], fields['stop_details']) }),
    ...(content.length < blocks.length && blocks.some(isOther) && { opaque: true }),
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

/** What server tools did is no part of the answer; what the model said of it is. */
function isAnswerPart(part: Part): part is ChatResponse['content'][number] {
  return part.type !== 'file' && part.type !== 'tool-result'
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
    content: response.content.flatMap(writeAnthropicAnswer),
    stop_reason: writeStopReason(response.finishReason, response.stopSequence),
    stop_sequence: response.stopSequence ?? null,
    ...(response.blocked !== undefined && { stop_details: writeStopDetails(response.blocked) }),
    usage: writeAnthropicUsage(response.usage),
  }
  return restore('anthropic', body, response.extra)
}
