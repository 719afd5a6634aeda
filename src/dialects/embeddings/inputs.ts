/**
 * What is to be embedded. A request for embeddings keeps the client's own fields in `extra`: those of OpenAI with
 * `input`, those of Gemini as a list of `requests`.
 */

import type { ChatRequest } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'

/** Which upstreams can be asked: token ids and pictures have a meaning in one protocol only. */
export type InputKind = 'texts' | 'openai' | 'google'

const NONE: Fields = {}

export const fieldsOf = ({ extra }: ChatRequest): Fields => extra?.fields ?? NONE

const isGoogle = ({ extra }: ChatRequest) => extra?.dialect === 'google'

/** One for every vector of the answer, as the client wrote it. */
export function inputsOf(request: ChatRequest): readonly unknown[] {
  const fields = fieldsOf(request)
  if (isGoogle(request)) return asArray(fields['requests']) ?? []
  const { input } = fields
  const list = asArray(input)
  // One text, or one text as token ids.
  if (list === undefined || list.every(isTokenId)) return [input]
  return list
}

const isTokenId = (item: unknown) => typeof item === 'number'

/** The same request for these of its inputs. */
export function withInputs(request: ChatRequest, inputs: readonly unknown[]): ChatRequest {
  const name = isGoogle(request) ? 'requests' : 'input'
  const extra = { dialect: isGoogle(request) ? ('google' as const) : ('openai' as const) }
  return { ...request, extra: { ...extra, fields: { ...fieldsOf(request), [name]: inputs } } }
}

/** The text of an input; null where it is none, or more than one. */
export function inputText(input: unknown): string | null {
  if (typeof input === 'string') return input
  const parts = asArray(asRecord(asRecord(input)?.['content'])?.['parts'])
  const texts = parts?.map((part) => asString(asRecord(part)?.['text']))
  if (texts === undefined || texts.length === 0 || !texts.every((text) => text !== undefined)) return null
  return texts.join('\n')
}

export function kindOf(request: ChatRequest): InputKind {
  if (!isGoogle(request)) return inputsOf(request).every((input) => inputText(input) !== null) ? 'texts' : 'openai'
  const requests = inputsOf(request)
  const lengths = new Set(requests.map((one) => JSON.stringify(dimensionsIn(one))))
  const isPlain = requests.every((input) => inputText(input) !== null) && lengths.size === 1
  return isPlain ? 'texts' : 'google'
}

/** Of one of Gemini's requests, whose JSON may spell its fields either way. */
export function dimensionsIn(request: unknown): unknown {
  const fields = asRecord(request)
  return fields?.['outputDimensionality'] ?? fields?.['output_dimensionality'] ?? undefined
}

/** The length of vectors that is asked for; undefined for the model's own. */
export function askedLength(request: ChatRequest): number | undefined {
  const { dimensions, output_dimension: other } = fieldsOf(request)
  return asNumber(isGoogle(request) ? dimensionsIn(inputsOf(request)[0]) : (dimensions ?? other))
}

/** Tokens of an input: about four characters each, three bytes where the text is not English. */
export function tokensIn(input: unknown): number {
  const text = inputText(input)
  if (text !== null) return Math.ceil(Math.max(text.length / 4, Buffer.byteLength(text) / 6))
  return asArray(input)?.length ?? Math.ceil(JSON.stringify(input ?? '').length / 4)
}
