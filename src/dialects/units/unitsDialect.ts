/** Answers that are passed through: only what they say of errors and usage is read. */

import type { Usage } from '../../domain/chat.ts'
import { asArray, asNumber, asRecord } from '../../domain/json.ts'
import { combinedParts, partsWithin } from '../../domain/usageParts.ts'
import type { Dialect, ReadResponse, UpstreamSide } from '../dialect.ts'
import type { Fields } from '../fields/requestFields.ts'
import { statedAmount, statedCost, statedFee } from '../fields/usageFields.ts'
import { readChatUsage, readResponsesUsage } from '../openai/usage.ts'
import { openaiChatDialect } from '../openaiChat/openaiChat.ts'

const never = () => {
  throw new TypeError('what is passed through is never translated')
}

const side: UpstreamSide = {
  writeRequest: never,
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    if (record !== undefined && record['error'] != null && Object.keys(record).length <= 2) return { ok: false, body }
    const usage = usageOf(record ?? {})
    const answer = { model: '', content: [], finishReason: 'stop', opaque: true } as const
    return { ok: true, response: usage === undefined ? answer : { ...answer, usage } }
  },
  streamReader: never,
}

/**
 * Tokens where a service counts them, and what it counts instead: seconds of a recording, pictures, units of search.
 * https://platform.openai.com/docs/api-reference/images/object,
 * https://platform.openai.com/docs/api-reference/audio/json-object, https://docs.cohere.com/reference/rerank (2026-11-29)
 */
function usageOf(answer: Fields): Usage | undefined {
  const fields = asRecord(answer['usage']) ?? {}
  const counted = fields['input_tokens'] == null ? readChatUsage(fields) : readResponsesUsage(asTokens(fields))
  const cost = statedCost(fields)
  const usage = counted ?? { ...NO_TOKENS, ...(cost !== undefined && { reportedCostUsd: cost }) }
  const units = {
    audioSeconds: secondsIn(answer, fields),
    images: usage.totalTokens === 0 ? picturesIn(answer) : undefined,
    serverTools: searchUnitsIn(answer, fields),
    feeUsd: statedFee(fields),
  }
  const parts = partsWithin(combinedParts(usage.parts, units, Math.max), usage)
  if (counted === undefined && cost === undefined && parts === undefined) return undefined
  return { ...usage, ...(parts !== undefined && { parts }) }
}

const NO_TOKENS: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, estimated: false }

/** Of a transcription, the details' names are in the singular. */
function asTokens(fields: Fields): Fields {
  const { input_token_details: input, output_token_details: output } = fields
  return {
    ...fields,
    ...(input !== undefined && { input_tokens_details: input }),
    ...(output !== undefined && { output_tokens_details: output }),
  }
}

/** As the usage says, or the transcription itself; a recording that is counted in tokens is not counted twice. */
function secondsIn(answer: Fields, fields: Fields): number | undefined {
  if (fields['type'] === 'duration') return statedAmount(fields['seconds'])
  const ofPrompt = statedAmount(fields['prompt_audio_seconds'])
  if (ofPrompt !== undefined || answer['usage'] != null) return ofPrompt
  return typeof answer['text'] === 'string'
    ? statedAmount(asNumber(answer['duration']) ?? Number(answer['duration']))
    : undefined
}

function picturesIn(answer: Fields): number | undefined {
  const made = (asArray(answer['data']) ?? []).filter((one) => {
    const picture = asRecord(one)
    return picture?.['url'] != null || picture?.['b64_json'] != null
  })
  return made.length
}

function searchUnitsIn(answer: Fields, fields: Fields): Readonly<Record<string, number>> | undefined {
  const billed = asRecord(asRecord(answer['meta'])?.['billed_units'])
  const units = statedAmount(billed?.['search_units']) ?? statedAmount(fields['search_units'])
  return units === undefined ? undefined : { search_units: units }
}

export const unitsDialect: Dialect = { ...openaiChatDialect, upstream: side }
