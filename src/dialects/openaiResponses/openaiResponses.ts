/** The Responses dialect: https://platform.openai.com/docs/api-reference/responses */

import type { Dialect } from '../dialect.ts'
import { responsesEnvelope } from '../openai/fields.ts'
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
    writeError: responsesEnvelope,
    // The official service begins the stream before it counts, and codex finds this error only there:
    // https://github.com/openai/codex codex-rs/codex-api/src/api_bridge.rs (2026-11-29)
    failsInStream: ({ tooLong }) => tooLong !== undefined,
  },
  upstream: {
    writeRequest: (request, model) => ({ path: '/responses', body: writeResponsesRequest(request, model) }),
    readResponse: readResponsesResponse,
    streamReader: () => new ResponsesStreamReader(),
  },
}
