/** A whole generateContent answer, read from upstreams and written to clients. */

import type { Blocked, ChatRequest, ChatResponse, FinishReason, Part } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { blockedText, pick } from '../fields/blocked.ts'
import { extraBeyond, restore } from '../fields/extra.ts'
import type { Fields } from '../fields/requestFields.ts'
import { callIdInAnswer } from './callIds.ts'
import { type IdSource, isBare, readParts, writeGoogleAnswer } from './content.ts'
import { errorIn, googleErrorStatus } from './error.ts'
import { bothSpellings, field } from './field.ts'
import { readCandidateBlock, readFinishReason, readPromptBlock, writeGoogleFinishReason } from './finishReason.ts'
import { readGoogleUsage, writeGoogleUsage } from './usage.ts'

const RESPONSE = bothSpellings('candidates', 'usageMetadata', 'modelVersion', 'responseId')

export function readGoogleResponse(body: unknown): ReadResponse {
  const error = errorIn(body)
  if (error) return { ok: false, body: error, status: googleErrorStatus(error) }
  const fields = asRecord(body)
  if (!fields) return { ok: false, body, malformed: true }
  const candidates = asArray(fields['candidates'])
  // Without candidates it may still be an answer: one that is blocked, or holds nothing.
  const isAnswer = candidates !== undefined || readPromptBlock(fields) !== undefined || hasAnswerFields(fields)
  return isAnswer ? { ok: true, response: readAnswer(fields, candidates ?? []) } : { ok: false, body, malformed: true }
}

function hasAnswerFields(fields: Fields): boolean {
  return modelOf(fields) !== undefined || responseIdOf(fields) !== undefined || usageIn(fields) !== undefined
}

function readAnswer(fields: Fields, candidates: readonly unknown[]): ChatResponse {
  const id = responseIdOf(fields)
  const candidate = asRecord(candidates[0])
  const raws = asArray(asRecord(candidate?.['content'])?.['parts']) ?? []
  const { parts } = readParts(raws.map(textIfBare), idsOfAnswer(id))
  const content = parts.filter(isAnswerPart)
  const promptBlock = readPromptBlock(fields)
  const reason = asString(field(candidate, 'finishReason', 'finish_reason'))
  const finishReason =
    promptBlock === undefined || content.length > 0 ? readFinishReason(reason, parts.some(isCall)) : 'content_filter'
  return {
    id,
    model: modelOf(fields) ?? '',
    content,
    finishReason,
    ...(finishReason === 'content_filter' && { blocked: promptBlock ?? readCandidateBlock(reason ?? '', candidate) }),
    ...((content.length < parts.length || candidates.length > 1) && { opaque: true }),
    usage: usageIn(fields),
    extra: extraBeyond('google', fields, RESPONSE),
  }
}

/** A part without content is an empty text, not something that we have no word for. */
function textIfBare(raw: unknown): unknown {
  const part = asRecord(raw)
  return part !== undefined && isBare(part) ? { ...part, text: '' } : raw
}

function usageIn(fields: Fields): ChatResponse['usage'] {
  return readGoogleUsage(field(fields, 'usageMetadata', 'usage_metadata'))
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

function isCall(part: Part): boolean {
  return part.type === 'tool-call'
}

export function writeGoogleResponse(
  response: ChatResponse,
  _request: ChatRequest,
  facts?: AnswerFacts,
): Record<string, unknown> {
  const parts = response.content.map(writeGoogleAnswer).filter((part) => part !== undefined)
  const body = writeEnd(parts, response, response.model, response.id ?? facts?.id)
  if (response.usage) body['usageMetadata'] = writeGoogleUsage(response.usage)
  return restore('google', body, response.extra)
}

/** The answer, or its last piece, with the reason why it ended. */
export function writeEnd(
  parts: readonly unknown[],
  { finishReason, blocked }: { readonly finishReason: FinishReason; readonly blocked?: Blocked },
  model: string | undefined,
  id: string | undefined,
): Record<string, unknown> {
  const body = writeAnswer(parts, writeGoogleFinishReason(finishReason, blocked), model, id)
  if (blocked === undefined) return body
  const { promptFeedback, ...details } = blocked.details
  if (promptFeedback === undefined) Object.assign(candidateOf(body), writeBlock(blocked, details))
  // A prompt that was blocked has no candidate.
  else if (parts.length === 0) Object.assign(body, { candidates: undefined, promptFeedback })
  return body
}

function writeBlock(blocked: Blocked, details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const own = pick(details, 'finishMessage', 'safetyRatings', 'citationMetadata')
  return { finishMessage: blockedText(blocked), ...own }
}

function candidateOf(body: Record<string, unknown>): Record<string, unknown> {
  return (body['candidates'] as Record<string, unknown>[])[0] ?? {} // writeAnswer put one there
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
