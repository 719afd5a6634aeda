/** A whole Messages answer, read from upstreams and written to clients. */

import type { ChatResponse, Part } from '../domain/chat.ts'
import { asArray, asRecord, asString } from '../domain/json.ts'
import { readBlocks, writeForClient } from './anthropicContent.ts'
import { errorStatus, isError } from './anthropicError.ts'
import { readStopReason, writeStopReason } from './anthropicStop.ts'
import { readUsage, writeUsage } from './anthropicUsage.ts'
import type { ReadResponse } from './dialect.ts'
import { addToExtra, extraOf, restore } from './extra.ts'

const RESPONSE = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage'])

export function readResponse(body: unknown): ReadResponse {
  const fields = asRecord(body)
  if (!fields) return { ok: false, body, malformed: true }
  if (isError(fields)) return { ok: false, body, status: errorStatus(fields) }
  const blocks = asArray(fields['content'])
  if (!blocks) return { ok: false, body, malformed: true }
  return { ok: true, response: readAnswer(fields, blocks) }
}

function readAnswer(fields: Record<string, unknown>, blocks: readonly unknown[]): ChatResponse {
  const { parts, unread } = readBlocks(blocks)
  const extra = extraOf('anthropic', fields, RESPONSE)
  return {
    id: asString(fields['id']),
    model: asString(fields['model']) ?? '',
    content: parts.filter(isAnswerPart),
    finishReason: readStopReason(fields['stop_reason']),
    stopSequence: asString(fields['stop_sequence']),
    usage: readUsage(fields['usage']),
    extra: unread.length === 0 ? extra : addToExtra('anthropic', extra, 'content', blocks),
  }
}

function isAnswerPart(part: Part): part is ChatResponse['content'][number] {
  return part.type !== 'file' && part.type !== 'tool-result'
}

export function writeResponse(response: ChatResponse): Record<string, unknown> {
  const body = {
    id: response.id ?? 'msg_unknown',
    type: 'message',
    role: 'assistant',
    model: response.model,
    content: response.content.flatMap(writeForClient),
    stop_reason: writeStopReason(response.finishReason, response.stopSequence),
    stop_sequence: response.stopSequence ?? null,
    usage: writeUsage(response.usage),
  }
  return restore('anthropic', body, response.extra)
}
