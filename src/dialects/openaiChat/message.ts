/**
 * What an assistant's chat message holds besides text: its thoughts and its tool calls, in requests and answers alike.
 */

import type { Part, ReasoningPart, ToolCallPart } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import { type ModelWire, NOTHING_KNOWN } from '../../domain/wireFacts.ts'
import { extraOf, type Fields, ownFields } from '../fields/requestFields.ts'
import { ownSignature, signatureForClient, tagSignature } from '../fields/signature.ts'
import { historyArguments, objectToText, repairedArguments } from '../fields/toolArguments.ts'

/**
 * Thoughts under any of their names: `reasoning_content` (DeepSeek, xAI, Alibaba, Moonshot), `reasoning` (Groq,
 * OpenRouter) or `reasoning_details` (OpenRouter, which must be handed back as they came).
 */
export function readReasoning(message: Fields): ReasoningPart[] {
  const details = asArray(message['reasoning_details']) ?? NO_DETAILS
  if (details.length === 0) return plainReasoning(reasoningText(message))
  const text = reasoningText(message) || details.map(detailText).join('')
  const signed = details.filter((detail) => detailSignature(detail) !== undefined)
  if (signed.some(isForeign)) return readForeign(signed, text)
  if (signed[0] !== undefined) return [{ ...readDetail(signed[0], text), ...echo(details) }]
  return text === '' ? [] : [{ type: 'reasoning', text, ...echo(details) }]
}

const NO_DETAILS: readonly unknown[] = []
const plainReasoning = (text: string): ReasoningPart[] => (text === '' ? [] : [{ type: 'reasoning', text }])

const echo = (details: readonly unknown[]) => extraOf('openai', { reasoning_details: details })

/**
 * Thoughts that another dialect's upstream signed and a client of this one hands back. After a stream the details hold
 * no text; then a single signature belongs to all of it, and with several it is unknown which signed what.
 */
function readForeign(signed: readonly unknown[], text: string): ReasoningPart[] {
  if (signed.length === 1) return [readDetail(signed[0], text)]
  const isWhole = signed.every((detail) => detailText(detail) !== '' || isEncrypted(detail))
  return isWhole ? signed.map((detail) => readDetail(detail, detailText(detail))) : [{ type: 'reasoning', text }]
}

function readDetail(detail: unknown, text: string): ReasoningPart {
  const signature = detailSignature(detail)
  return { type: 'reasoning', text, signature, ...(isEncrypted(detail) && text === '' && { redacted: true }) }
}

const isEncrypted = (detail: unknown) => asRecord(detail)?.['type'] === 'reasoning.encrypted'

function isForeign(detail: unknown): boolean {
  return ownSignature('openai', { signature: detailSignature(detail) }) === undefined
}

/** The plain text of the thoughts in a message or a delta; '' when there is none. */
export function reasoningText(message: Fields): string {
  return asString(message['reasoning_content']) || asString(message['reasoning']) || ''
}

/** The text of one of OpenRouter's `reasoning_details`: https://openrouter.ai/docs/use-cases/reasoning-tokens */
export function detailText(detail: unknown): string {
  const fields = asRecord(detail)
  return asString(fields?.['text']) ?? asString(fields?.['summary']) ?? ''
}

export function detailSignature(detail: unknown): string | undefined {
  const fields = asRecord(detail)
  const signature = asString(fields?.['signature']) || asString(fields?.['data'])
  return signature ? tagSignature('openai', signature) : undefined
}

/**
 * The fields of a message that carry `parts`' thoughts. To a client every signature travels as one of
 * `reasoning_details`, so that it can hand it back; to an upstream only those that came in this form do.
 */
export function writeReasoning(
  parts: readonly Part[],
  receiver: 'client' | 'upstream',
  { thoughts, thoughtDetails = thoughts === undefined }: ModelWire = NOTHING_KNOWN,
): Record<string, unknown> {
  if (thoughts === 'none') return {}
  let text = ''
  const details: unknown[] = []
  for (const part of parts) {
    if (part.type !== 'reasoning') continue
    text += part.text
    const own = asArray(ownFields(part.extra, 'openai')['reasoning_details'])
    if (own !== undefined) details.push(...own)
    else if (receiver === 'client' && part.signature !== undefined) details.push(writeDetail(part))
  }
  return {
    ...(text !== '' && { [thoughts ?? 'reasoning_content']: text }),
    ...(details.length > 0 && thoughtDetails && { reasoning_details: details }),
  }
}

/** For a client; foreign signatures keep the name of their origin, and come back with it. */
export function writeDetail(part: Omit<ReasoningPart, 'type'>): Fields {
  const shown = signatureForClient('openai', part)
  if (part.redacted) return { type: 'reasoning.encrypted', data: shown }
  return { type: 'reasoning.text', text: part.text, signature: shown }
}

/**
 * One entry of `tool_calls`, or undefined when it names no function. `fallbackId` stands in for an id that is missing
 * or empty. A custom tool's input is free text and takes the place of the arguments.
 */
export function readToolCall(call: Fields, fallbackId: string): ToolCallPart | undefined {
  const custom = asRecord(call['custom'])
  const target = asRecord(call['function']) ?? custom
  const name = asString(target?.['name'])
  if (target === undefined || !name) return undefined
  const signature = thoughtSignature(call)
  return {
    type: 'tool-call',
    id: asString(call['id']) || fallbackId,
    name,
    arguments: target === custom ? argumentsText(target) : repairedArguments(argumentsText(target)),
    ...(target === custom && { custom: true }),
    ...(signature !== undefined && { signature }),
  }
}

/** Arguments as text, '' when there are none; some servers send the object itself. */
export function argumentsText(target: Fields): string {
  const value = target['arguments'] ?? target['input'] ?? ''
  return typeof value === 'string' ? value : objectToText(value)
}

/** A call of the history, for an upstream. */
export function writePastCall(part: ToolCallPart): Record<string, unknown> {
  return writeToolCall(part.custom ? part : { ...part, arguments: historyArguments(part.arguments) })
}

export function writeToolCall(part: ToolCallPart): Record<string, unknown> {
  if (part.custom) {
    return { id: part.id, type: 'custom', custom: { name: part.name, input: part.arguments } }
  }
  return { id: part.id, type: 'function', function: { name: part.name, arguments: part.arguments } }
}

/** Gemini's signature of a call in its OpenAI form: https://ai.google.dev/gemini-api/docs/thought-signatures */
export function thoughtSignature(call: Fields): string | undefined {
  const signature = asString(asRecord(asRecord(call['extra_content'])?.['google'])?.['thought_signature'])
  return signature ? tagSignature('google', signature) : undefined
}

export function signatureFields(signature: string | undefined): Record<string, unknown> {
  if (signature === undefined) return {}
  return { extra_content: { google: { thought_signature: signatureForClient('google', { signature }) } } }
}
