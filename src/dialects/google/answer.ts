/** A whole generateContent answer, read from upstreams and written to clients. */

import type { ChatRequest, ChatResponse, Part } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { extraBeyond, restore } from '../fields/extra.ts'
import type { Fields } from '../fields/requestFields.ts'
import { callIdInAnswer } from './callIds.ts'
import { type IdSource, readParts, writeGoogleAnswer } from './content.ts'
import { errorIn, googleErrorStatus } from './error.ts'
import { bothSpellings, field } from './field.ts'
import { readFinishReason, writeGoogleFinishReason } from './finishReason.ts'
import { readGoogleUsage, writeGoogleUsage } from './usage.ts'

const RESPONSE = bothSpellings('candidates', 'usageMetadata', 'modelVersion', 'responseId')

export function readGoogleResponse(body: unknown): ReadResponse {
  const error = errorIn(body)
  if (error) return { ok: false, body: error, status: googleErrorStatus(error) }
  const fields = asRecord(body)
  if (!fields) return { ok: false, body, malformed: true }
  const candidate = asRecord(asArray(fields['candidates'])?.[0])
  if (!candidate) return isBlocked(fields) ? { ok: false, body } : { ok: false, body, malformed: true }
  const response = readAnswer(fields, candidate)
  // Filtered or failed before it said anything: nothing was answered, so another target may be asked.
  const isNothing = response.finishReason === 'content_filter' || response.finishReason === 'error'
  return isNothing && !response.content.some(isAnswer) ? { ok: false, body } : { ok: true, response }
}

/** The prompt itself was refused, which Gemini says with HTTP 200. */
export function isBlocked(fields: Fields): boolean {
  const feedback = asRecord(field(fields, 'promptFeedback', 'prompt_feedback'))
  return field(feedback, 'blockReason', 'block_reason') !== undefined
}

function readAnswer(fields: Fields, candidate: Fields): ChatResponse {
  const id = responseIdOf(fields)
  const raws = asArray(asRecord(candidate['content'])?.['parts']) ?? []
  const { parts } = readParts(raws, idsOfAnswer(id))
  return {
    id,
    model: modelOf(fields) ?? '',
    content: parts.filter(isAnswerPart),
    finishReason: readFinishReason(field(candidate, 'finishReason', 'finish_reason'), parts.some(isCall)),
    usage: readGoogleUsage(field(fields, 'usageMetadata', 'usage_metadata')),
    extra: extraBeyond('google', fields, RESPONSE),
  }
}

export function responseIdOf(fields: Fields): string | undefined {
  return asString(field(fields, 'responseId', 'response_id'))
}

export function modelOf(fields: Fields): string | undefined {
  return asString(field(fields, 'modelVersion', 'model_version'))
}

function idsOfAnswer(responseId: string | undefined): IdSource {
  let index = 0
  return {
    ofCall: (id, name) => id ?? callIdInAnswer(responseId, index++, name),
    ofResult: (id, name) => id ?? name, // models do not answer calls
  }
}

function isAnswerPart(part: Part): part is ChatResponse['content'][number] {
  return part.type !== 'file' && part.type !== 'tool-result'
}

function isAnswer(part: Part): boolean {
  return part.type === 'text' ? part.text !== '' : part.type !== 'reasoning'
}

function isCall(part: Part): boolean {
  return part.type === 'tool-call'
}

export function writeGoogleResponse(
  response: ChatResponse,
  _request: ChatRequest,
  facts?: AnswerFacts,
): Record<string, unknown> {
  const parts = response.content.map(writeGoogleAnswer).filter((part) => part !== undefined)
  const body = writeAnswer(
    parts,
    writeGoogleFinishReason(response.finishReason),
    response.model,
    response.id ?? facts?.id,
  )
  if (response.usage) body['usageMetadata'] = writeGoogleUsage(response.usage)
  return restore('google', body, response.extra)
}

/** Also one piece of a stream, where only the last has a finish reason. */
export function writeAnswer(
  parts: readonly unknown[],
  finishReason: string | undefined,
  model: string | undefined,
  id: string | undefined,
): Record<string, unknown> {
  const candidate: Record<string, unknown> = { content: { parts, role: 'model' }, index: 0 }
  if (finishReason !== undefined) candidate['finishReason'] = finishReason
  const body: Record<string, unknown> = { candidates: [candidate] }
  if (model) body['modelVersion'] = model
  if (id !== undefined) body['responseId'] = id
  return body
}
