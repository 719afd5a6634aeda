/** Log probabilities as Gemini spells them: https://ai.google.dev/api/generate-content#LogprobsResult (2026-11-30) */

import type { Likelihood, TokenLogprob } from '../../domain/chat.ts'
import { asArray, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import { field } from './field.ts'

/** Those of a candidate; undefined for none. */
export function readLogprobsResult(candidate: Fields | undefined): readonly TokenLogprob[] | undefined {
  const result = asRecord(field(candidate, 'logprobsResult', 'logprobs_result'))
  const chosen = asArray(field(result, 'chosenCandidates', 'chosen_candidates')) ?? []
  const top = asArray(field(result, 'topCandidates', 'top_candidates')) ?? []
  const tokens = chosen.flatMap((value, step) => {
    const likelihood = readLikelihood(value)
    if (likelihood === undefined) return []
    const others = (asArray(asRecord(top[step])?.['candidates']) ?? []).map(readLikelihood)
    return [{ ...likelihood, top: others.filter((one) => one !== undefined) }]
  })
  return tokens.length > 0 ? tokens : undefined
}

function readLikelihood(value: unknown): Likelihood | undefined {
  const fields = asRecord(value)
  const token = asString(fields?.['token'])
  const logprob = field(fields, 'logProbability', 'log_probability')
  return token === undefined || logprob == null ? undefined : { token, logprob }
}

export function writeLogprobsResult(tokens: readonly TokenLogprob[]): Fields {
  const hasTop = tokens.some(({ top }) => top.length > 0)
  return {
    ...(hasTop && { topCandidates: tokens.map(({ top }) => ({ candidates: top.map(writeLikelihood) })) }),
    chosenCandidates: tokens.map(writeLikelihood),
  }
}

const writeLikelihood = ({ token, logprob }: Likelihood): Fields => ({ token, logProbability: logprob })
