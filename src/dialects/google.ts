/** Google's Gemini API, spoken to clients and to upstreams: https://ai.google.dev/api/generate-content */

import type { ChatRequest } from '../domain/chat.ts'
import type { Dialect } from './dialect.ts'
import { writeError } from './googleError.ts'
import { readRequest } from './googleReadRequest.ts'
import { readResponse, writeResponse } from './googleResponse.ts'
import { GoogleStreamReader } from './googleStreamReader.ts'
import { GoogleStreamWriter } from './googleStreamWriter.ts'
import { writeRequest } from './googleWriteRequest.ts'

/**
 * Who serves a client that streams without `?alt=sse` puts `$alt: 'json'` into the request's `extra.fields`; the stream
 * is then one JSON array.
 */
export const google: Dialect = {
  id: 'google',
  client: {
    readRequest,
    writeResponse,
    streamWriter: (request, facts) => new GoogleStreamWriter(wantsArray(request), facts),
    writeError,
  },
  upstream: {
    writeRequest,
    readResponse,
    streamReader: () => new GoogleStreamReader(),
  },
}

function wantsArray(request: ChatRequest): boolean {
  return request.extra?.dialect === 'google' && request.extra.fields['$alt'] === 'json'
}
