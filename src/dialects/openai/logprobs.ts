/**
 * Log probabilities as chat completions and Responses spell them alike:
 * https://platform.openai.com/docs/api-reference/chat/object, …/responses/object (2026-11-30)
 */

import type { Likelihood, TokenLogprob } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'

/** Undefined for none. */
export function readLogprobs(list: unknown): readonly TokenLogprob[] | undefined {
  const tokens = (asArray(list) ?? []).flatMap((value) => {
    const likelihood = readLikelihood(value)
    if (likelihood === undefined) return []
    const top = (asArray(asRecord(value)?.['top_logprobs']) ?? []).map(readLikelihood)
    return [{ ...likelihood, top: top.filter((one) => one !== undefined) }]
  })
  return tokens.length > 0 ? tokens : undefined
}

function readLikelihood(value: unknown): Likelihood | undefined {
  const fields = asRecord(value)
  const token = asString(fields?.['token'])
  if (fields === undefined || token === undefined || fields['logprob'] == null) return undefined
  const bytes = asArray(fields['bytes'])
  return { token, logprob: fields['logprob'], ...(bytes !== undefined && { bytes }) }
}

export function writeLogprobs(tokens: readonly TokenLogprob[]): readonly Fields[] {
  return tokens.map(({ top, ...token }) => ({ ...writeLikelihood(token), top_logprobs: top.map(writeLikelihood) }))
}

/** A token that its vendor gives no bytes of is text. */
function writeLikelihood({ token, logprob, bytes }: Likelihood): Fields {
  return { token, logprob, bytes: bytes ?? [...Buffer.from(token)] }
}
