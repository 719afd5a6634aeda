/** The Responses dialect: https://platform.openai.com/docs/api-reference/responses */

import type { Dialect } from '../dialect.ts'
import { errorEnvelope } from '../openai/fields.ts'
import { readResponsesResponse, writeResponsesResponse } from './answer.ts'
import { readResponsesRequest } from './readRequest.ts'
import { ResponsesStreamReader } from './streamReader.ts'
import { ResponsesStreamWriter } from './streamWriter.ts'
import { writeResponsesRequest } from './writeRequest.ts'

export const openaiResponsesDialect: Dialect = {
  id: 'openai-responses',
  client: {
    readRequest: readResponsesRequest,
    writeResponse: writeResponsesResponse,
    streamWriter: (request, facts) => new ResponsesStreamWriter(request, facts),
    writeError: errorEnvelope,
  },
  upstream: {
    writeRequest: (request, model) => ({ path: '/responses', body: writeResponsesRequest(request, model) }),
    readResponse: readResponsesResponse,
    streamReader: () => new ResponsesStreamReader(),
  },
}
