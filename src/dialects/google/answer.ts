/** A whole generateContent answer, read from upstreams and written to clients. */

import type {
  Blocked,
  ChatRequest,
  ChatResponse,
  Citation,
  FinishReason,
  OtherAnswer,
  Part,
  TokenLogprob,
} from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { AnswerFacts, ReadResponse } from '../dialect.ts'
import { blockedText, pick } from '../fields/blocked.ts'
import { extraBeyond, restore } from '../fields/extra.ts'
import { isUnspeakable, UNSPEAKABLE } from '../fields/media.ts'
import type { Fields } from '../fields/requestFields.ts'
import { asAnswerPart, isThoughtMedia, readCode, writeAnswerPart } from './answerParts.ts'
import { callIdInAnswer } from './callIds.ts'
import { type IdSource, isBare, readParts } from './content.ts'
import { errorIn, googleErrorStatus } from './error.ts'
import { bothSpellings, field } from './field.ts'
import { readCandidateBlock, readFinishReason, readPromptBlock, writeGoogleFinishReason } from './finishReason.ts'
import { readGrounding, writeGrounding } from './grounding.ts'
import { readLogprobsResult, writeLogprobsResult } from './logprobs.ts'
import { ServerToolUses } from './serverTools.ts'
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
  const { isOpaque, ...first } = readCandidate(asRecord(candidates[0]), readPromptBlock(fields), id)
  const others = candidates.slice(1).map((other, index): OtherAnswer => {
    const { isOpaque: _, ...answer } = readCandidate(asRecord(other), undefined, `${id ?? ''}_${index + 1}`)
    return answer
  })
  const uses = new ServerToolUses()
  for (const candidate of candidates) uses.add(asRecord(candidate))
  return {
    id,
    model: modelOf(fields) ?? '',
    ...first,
    ...(others.length > 0 && { others }),
    ...((isOpaque || others.length > 0) && { opaque: true }),
    usage: usageIn(fields, uses.counts),
    extra: extraBeyond('google', fields, RESPONSE),
  }
}

/** `id`: what the ids of its calls are made of where they have none. */
function readCandidate(
  candidate: Fields | undefined,
  promptBlock: Blocked | undefined,
  id: string | undefined,
): OtherAnswer & { readonly isOpaque: boolean } {
  const raws = asArray(asRecord(candidate?.['content'])?.['parts']) ?? []
  const { parts } = readParts(raws.filter(isSaid).map(textIfBare), idsOfAnswer(id))
  const content = parts.map(asAnswerPart).filter((part) => part !== undefined)
  const hasCode = content.some(isCode)
  const citations = readGrounding(candidate, hasCode ? null : textOf(content))
  const logprobs = readLogprobsResult(candidate)
  const reason = asString(field(candidate, 'finishReason', 'finish_reason'))
  const finishReason =
    promptBlock === undefined || content.length > 0 ? readFinishReason(reason, parts.some(isCall)) : 'content_filter'
  return {
    content,
    finishReason,
    ...(finishReason === 'content_filter' && { blocked: promptBlock ?? readCandidateBlock(reason ?? '', candidate) }),
    ...(citations.length > 0 && { citations }),
    ...(logprobs !== undefined && { logprobs }),
    // An answer with code is no JSON, whatever was demanded.
    isOpaque: content.length < parts.length || hasCode,
  }
}

/** A part without content is an empty text, not something that we have no word for. */
function textIfBare(raw: unknown): unknown {
  const part = asRecord(raw)
  return part !== undefined && isBare(part) ? { ...part, text: '' } : raw
}

function usageIn(fields: Fields, serverTools?: Readonly<Record<string, number>>): ChatResponse['usage'] {
  return readGoogleUsage(field(fields, 'usageMetadata', 'usage_metadata'), serverTools)
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

function isSaid(raw: unknown): boolean {
  return !isThoughtMedia(asRecord(raw) ?? {})
}

function isCode(part: Part): boolean {
  return part.type === 'text' && part.extra !== undefined && readCode(part.extra.fields) !== undefined
}

function textOf(content: ChatResponse['content']): string {
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function isCall(part: Part): boolean {
  return part.type === 'tool-call'
}

export function writeGoogleResponse(
  response: ChatResponse,
  _request: ChatRequest,
  facts?: AnswerFacts,
): Record<string, unknown> {
  const parts = response.content.map(writeAnswerPart).filter((part) => part !== undefined)
  if (isUnspeakable(response)) parts.push({ text: UNSPEAKABLE })
  const body = writeEnd(parts, response, response.model, response.id ?? facts?.id)
  ground(body, response.citations, () => textOf(response.content))
  weigh(body, response.logprobs)
  for (const [place, other] of (response.others ?? []).entries()) addCandidate(body, other, place + 1)
  if (response.usage) body['usageMetadata'] = writeGoogleUsage(response.usage)
  return restore('google', body, response.extra)
}

function addCandidate(body: Record<string, unknown>, other: OtherAnswer, index: number): void {
  const parts = other.content.map(writeAnswerPart).filter((part) => part !== undefined)
  const own = writeEnd(parts, other, undefined, undefined, index)
  ground(own, other.citations, () => textOf(other.content))
  weigh(own, other.logprobs)
  body['candidates'] = [...(asArray(body['candidates']) ?? []), ...(asArray(own['candidates']) ?? [])]
}

/** Adds the probabilities of its tokens. */
export function weigh(body: Record<string, unknown>, logprobs: readonly TokenLogprob[] | undefined): void {
  if (logprobs !== undefined && logprobs.length > 0 && body['candidates'] !== undefined)
    candidateOf(body)['logprobsResult'] = writeLogprobsResult(logprobs)
}

/** Adds the sources of the answer. */
export function ground(
  body: Record<string, unknown>,
  citations: readonly Citation[] | undefined,
  text: () => string,
): void {
  if (citations !== undefined && citations.length > 0 && body['candidates'] !== undefined)
    candidateOf(body)['groundingMetadata'] = writeGrounding(citations, text())
}

/** The answer, or its last piece, with the reason why it ended. */
export function writeEnd(
  parts: readonly unknown[],
  { finishReason, blocked }: { readonly finishReason: FinishReason; readonly blocked?: Blocked },
  model: string | undefined,
  id: string | undefined,
  index = 0,
): Record<string, unknown> {
  const body = writeAnswer(parts, writeGoogleFinishReason(finishReason, blocked), model, id, index)
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
  index = 0,
): Record<string, unknown> {
  const candidate: Record<string, unknown> = { content: { parts, role: 'model' }, index }
  if (finishReason !== undefined) candidate['finishReason'] = finishReason
  const body: Record<string, unknown> = { candidates: [candidate] }
  if (model) body['modelVersion'] = model
  if (id !== undefined) body['responseId'] = id
  return body
}
