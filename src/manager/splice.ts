/** A request for an upstream of the client's own dialect: its path, and the client's own bytes with the model put in. */

import type { ChatRequest, DialectId } from '../domain/chat.ts'
import type { Wire } from './ask.ts'

interface Place {
  readonly path: (model: string, stream: boolean) => string
  /** Whether the model stands in the body; Gemini has it in the path. */
  readonly inBody: boolean
  /** Put in front when the client streams and did not ask for usage itself. */
  readonly askForUsage?: string
}

const PLACES: { readonly [D in DialectId]: Place } = {
  openai: { path: () => '/chat/completions', inBody: true, askForUsage: '"stream_options":{"include_usage":true},' },
  'openai-responses': { path: () => '/responses', inBody: true },
  anthropic: { path: () => '/messages', inBody: true },
  google: {
    path: (model, stream) => `/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    inBody: false,
  },
}

/** Path and body; null when the bytes are not as simple as expected, and the request has to be written anew. */
export function spliceRequest(wire: Wire, request: ChatRequest, model: string): { path: string; body: Buffer } | null {
  const place = PLACES[wire.dialect]
  const path = place.path(encodeURI(model), request.stream)
  const own = wire.body.original()
  if (!place.inBody) return { path, body: own }
  const front =
    request.stream && request.wantsUsage !== true && place.askForUsage !== undefined ? place.askForUsage : ''
  // A `stream_options` of the client's own would stand there twice.
  if (front !== '' && own.includes('"stream_options"')) return null
  const body = wire.body.withModel(model, front)
  return body === null ? null : { path, body }
}
