/** Google's Gemini API, spoken to clients and to upstreams: https://ai.google.dev/api/generate-content */

import type { ChatRequest } from '../../domain/chat.ts'
import type { Dialect } from '../dialect.ts'
import { readGoogleResponse, writeGoogleResponse } from './answer.ts'
import { writeGoogleError } from './error.ts'
import { readGoogleRequest } from './readRequest.ts'
import { GoogleStreamReader } from './streamReader.ts'
import { GoogleStreamWriter } from './streamWriter.ts'
import { writeGoogleRequest } from './writeRequest.ts'

/**
 * Who serves a client that streams without `?alt=sse` puts `$alt: 'json'` into the request's `extra.fields`; the stream
 * is then one JSON array.
 */
export const googleDialect: Dialect = {
  id: 'google',
  client: {
    readRequest: readGoogleRequest,
    writeResponse: writeGoogleResponse,
    streamWriter: (request, facts) => new GoogleStreamWriter(wantsArray(request), facts),
    writeError: writeGoogleError,
  },
  upstream: {
    writeRequest: writeGoogleRequest,
    readResponse: readGoogleResponse,
    streamReader: () => new GoogleStreamReader(),
  },
}

function wantsArray(request: ChatRequest): boolean {
  return request.extra?.dialect === 'google' && request.extra.fields['$alt'] === 'json'
}
