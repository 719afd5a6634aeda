/** The Responses dialect: https://platform.openai.com/docs/api-reference/responses */

import type { Dialect } from './dialect.ts'
import { readResponsesResponse, writeResponsesResponse } from './openaiResponsesAnswer.ts'
import { ResponsesStreamReader } from './openaiResponsesReader.ts'
import { readResponsesRequest, writeResponsesRequest } from './openaiResponsesRequest.ts'
import { ResponsesStreamWriter } from './openaiResponsesWriter.ts'
import { errorEnvelope } from './openaiShared.ts'

export const openaiResponses: Dialect = {
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
