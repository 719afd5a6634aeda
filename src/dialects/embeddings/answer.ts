/** An answer with vectors: its rows travel in `extra`, in OpenAI's form, unread. */

import type { ChatResponse, Usage, UsageParts } from '../../domain/chat.ts'
import { asArray, asRecord } from '../../domain/json.ts'
import { combinedParts } from '../../domain/usageParts.ts'
import type { Fields } from '../fields/requestFields.ts'

export function vectorsAnswer(fields: Fields, model: string, usage: Usage | undefined): ChatResponse {
  return {
    model,
    content: [],
    finishReason: 'stop',
    ...(hasVectors(fields['data']) && { opaque: true }),
    extra: { dialect: 'openai', fields },
    ...(usage !== undefined && { usage }),
  }
}

export const inputUsage = (inputTokens: number): Usage => ({
  inputTokens,
  outputTokens: 0,
  totalTokens: inputTokens,
  estimated: false,
})

export function rowsOf({ extra }: ChatResponse): readonly unknown[] {
  return asArray(extra?.fields['data']) ?? []
}

/** Vectors are lists of numbers or base64; a row may be a vector of something else, so only nothing counts as none. */
function hasVectors(data: unknown): boolean {
  const first = asRecord(asArray(data)?.[0])?.['embedding']
  return Array.isArray(first) ? first.length > 0 : first != null && first !== ''
}

/**
 * One answer of the answers to the parts of a request, in its order; null when one of them has not as many vectors as
 * its part has inputs (https://github.com/QuantumNous/new-api/issues/1500: only the first came back).
 * `sizes`: the inputs of each part.
 */
export function joinVectors(answers: readonly ChatResponse[], sizes: readonly number[]): ChatResponse | null {
  const [first] = answers
  if (first === undefined) return null
  const all = answers.map((answer) => inOrder(rowsOf(answer)))
  // Nothing at all is an empty answer, which is told apart from a wrong one.
  if (all.some((rows) => rows.length === 0))
    return vectorsAnswer({ ...first.extra?.fields, data: [] }, first.model, undefined)
  if (all.some((rows, part) => rows.length !== sizes[part])) return null
  const data = all.flat().map((row, index) => ({ ...asRecord(row), index }))
  const usage = summed(answers)
  const { usage: ofFirst, ...fields } = first.extra?.fields ?? {}
  // One answer's own count may say more than ours (what it cost, what was cached).
  const told = answers.length === 1 && ofFirst !== undefined ? { usage: ofFirst } : {}
  return vectorsAnswer({ ...fields, ...told, data }, first.model, usage)
}

function inOrder(rows: readonly unknown[]): readonly unknown[] {
  const indexOf = (row: unknown) => Number(asRecord(row)?.['index'] ?? 0)
  return rows.some((row, place) => indexOf(row) !== place) ? rows.toSorted((a, b) => indexOf(a) - indexOf(b)) : rows
}

/** Undefined when one of them reports none: a part of the sum would be taken for the whole. */
function summed(answers: readonly ChatResponse[]): Usage | undefined {
  let tokens = 0
  let usd: number | undefined = 0
  let parts: UsageParts | undefined
  for (const { usage } of answers) {
    if (usage === undefined) return undefined
    tokens += usage.inputTokens
    parts = combinedParts(parts, usage.parts, (one, other) => one + other)
    usd = usd === undefined || usage.reportedCostUsd === undefined ? undefined : usd + usage.reportedCostUsd
  }
  return {
    ...inputUsage(tokens),
    ...(usd !== undefined && { reportedCostUsd: usd }),
    ...(parts !== undefined && { parts }),
  }
}
