/** Answers that are passed through: only what they say of errors and usage is read. */

import type { Usage } from '../../domain/chat.ts'
import { asNumber, asRecord } from '../../domain/json.ts'
import type { Dialect, ReadResponse, UpstreamSide } from '../dialect.ts'
import { openaiChatDialect } from '../openaiChat/openaiChat.ts'

const never = () => {
  throw new TypeError('what is passed through is never translated')
}

const side: UpstreamSide = {
  writeRequest: never,
  readResponse(body): ReadResponse {
    const record = asRecord(body)
    if (record !== undefined && record['error'] != null && Object.keys(record).length <= 2) return { ok: false, body }
    const usage = usageOf(record?.['usage'])
    const answer = { model: '', content: [], finishReason: 'stop', opaque: true } as const
    return { ok: true, response: usage === undefined ? answer : { ...answer, usage } }
  },
  streamReader: never,
}

/** Tokens, where a service counts them: https://platform.openai.com/docs/api-reference/images/object (2026-11-29) */
function usageOf(value: unknown): Usage | undefined {
  const fields = asRecord(value)
  const inputTokens = asNumber(fields?.['input_tokens']) ?? asNumber(fields?.['prompt_tokens'])
  if (inputTokens === undefined) return undefined
  const outputTokens = asNumber(fields?.['output_tokens']) ?? asNumber(fields?.['completion_tokens']) ?? 0
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, estimated: false }
}

export const unitsDialect: Dialect = { ...openaiChatDialect, upstream: side }
