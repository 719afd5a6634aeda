/** Anthropic's Messages API, spoken to clients and to upstreams: https://platform.claude.com/docs/en/api/messages */

import { writeError } from './anthropicError.ts'
import { readRequest } from './anthropicReadRequest.ts'
import { readResponse, writeResponse } from './anthropicResponse.ts'
import { AnthropicStreamReader } from './anthropicStreamReader.ts'
import { AnthropicStreamWriter } from './anthropicStreamWriter.ts'
import { writeRequest } from './anthropicWriteRequest.ts'
import type { Dialect } from './dialect.ts'

export const anthropic: Dialect = {
  id: 'anthropic',
  client: {
    readRequest,
    writeResponse,
    streamWriter: (_request, facts) => new AnthropicStreamWriter(facts),
    writeError,
  },
  upstream: {
    writeRequest,
    readResponse,
    streamReader: () => new AnthropicStreamReader(),
  },
}
