/** What a part of an answer is: text, thought or call, a picture or recording, or code that ran at the provider. */

import type { ChatResponse, Part, TextPart } from '../../domain/chat.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { fence } from '../fields/fence.ts'
import { ownFields } from '../fields/requestFields.ts'
import { readMedia, type WirePart, writeGoogleAnswer } from './content.ts'
import { field } from './field.ts'

export type AnswerPart = ChatResponse['content'][number]

/** A picture that the model drew only for itself: https://ai.google.dev/gemini-api/docs/image-generation (thinking) */
export function isThoughtMedia(fields: WirePart): boolean {
  return fields['thought'] === true && readMedia(fields) !== undefined
}

/** The part as it belongs into an answer; undefined for what has no words. */
export function asAnswerPart(part: Part): AnswerPart | undefined {
  if (part.type === 'tool-result') return undefined
  if (part.type !== 'file' || part.data !== undefined || part.url !== undefined) return part
  return readCode(ownFields(part.extra, 'google'))
}

/**
 * Code that ran at the provider, and what it printed, as fenced text; the wire's own form is kept beside it:
 * https://ai.google.dev/api/caching#ExecutableCode
 */
export function readCode(fields: WirePart): TextPart | undefined {
  const code = asRecord(field(fields, 'executableCode', 'executable_code'))
  const result = asRecord(field(fields, 'codeExecutionResult', 'code_execution_result'))
  const extra = { dialect: 'google', fields } as const
  if (code !== undefined) return { type: 'text', text: fence(asString(code['code']) ?? '', languageOf(code)), extra }
  return result === undefined ? undefined : { type: 'text', text: fence(asString(result['output']) ?? '', ''), extra }
}

function languageOf({ language }: WirePart): string {
  return language === 'LANGUAGE_UNSPECIFIED' ? '' : (asString(language) ?? '').toLowerCase()
}

/** The part for a client; code in its own form. */
export function writeAnswerPart(part: AnswerPart): WirePart | undefined {
  if (part.type === 'text' && readCode(ownFields(part.extra, 'google')) !== undefined) return { ...part.extra?.fields }
  return writeGoogleAnswer(part)
}
