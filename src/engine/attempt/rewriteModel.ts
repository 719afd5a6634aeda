/** A request for an upstream of the client's dialect: its path, and the client's bytes with the model replaced. */

import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { ClientWire } from '../request/pendingRequest.ts'
import type { WireBody } from '../request/wireBody.ts'

interface FieldSpan {
  readonly path: (model: string, stream: boolean) => string
  /** Whether the model is in the body; Gemini has it in the path. */
  readonly inBody: boolean
  /** Added in front when the client streams and did not request usage itself. */
  readonly askForUsage?: string
  /** The field that limits the answer, where it is at the top level of the body. */
  readonly limit?: string
  /** Another name of that field. */
  readonly otherLimit?: string
}

const PLACES: { readonly [D in DialectId]: FieldSpan } = {
  openai: {
    path: () => '/chat/completions',
    inBody: true,
    askForUsage: '"stream_options":{"include_usage":true},',
    limit: '"max_tokens"',
    otherLimit: '"max_completion_tokens"',
  },
  'openai-responses': { path: () => '/responses', inBody: true, limit: '"max_output_tokens"' },
  anthropic: { path: () => '/messages', inBody: true, limit: '"max_tokens"' },
  google: {
    path: (model, stream) => `/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    inBody: false,
  },
}

/**
 * Path and body; null when the bytes are not simple enough and the request must be written again.
 * `maxTokens`: an output limit to add; null for none.
 */
export function rewriteModel(
  wire: ClientWire,
  request: ChatRequest,
  model: string,
  maxTokens: number | null = null,
): { path: string; body: Buffer } | null {
  const place = PLACES[wire.dialect]
  const path = place.path(encodeURI(model.toWellFormed()), request.stream)
  if (wire.body === null) return null
  if (!place.inBody) return maxTokens === null ? { path, body: wire.body.original() } : null
  const usage = request.stream && request.wantsUsage !== true ? (place.askForUsage ?? '') : ''
  // A field the client set itself, even to null, would appear twice.
  if (usage !== '' && wire.body.mentions('"stream_options"')) return null
  if (maxTokens !== null && !canLimit(wire.body, place)) return null
  const limit = maxTokens === null ? '' : `${place.limit}:${maxTokens},`
  const body = wire.body.withModel(model, usage + limit)
  return body === null ? null : { path, body }
}

/** Whether the limit can be added: a field that the client set itself would appear twice. */
function canLimit(body: WireBody, { limit, otherLimit }: FieldSpan): boolean {
  if (limit === undefined || body.mentions(limit)) return false
  return otherLimit === undefined || !body.mentions(otherLimit)
}
