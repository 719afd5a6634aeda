/** Anthropic's Messages API, spoken to clients and to upstreams: https://platform.claude.com/docs/en/api/messages */

import type { Dialect } from '../dialect.ts'
import { readAnthropicResponse, writeAnthropicResponse } from './answer.ts'
import { writeAnthropicError } from './error.ts'
import { readAnthropicRequest } from './readRequest.ts'
import { AnthropicStreamReader } from './streamReader.ts'
import { AnthropicStreamWriter } from './streamWriter.ts'
import { writeAnthropicRequest } from './writeRequest.ts'

export const anthropicDialect: Dialect = {
  id: 'anthropic',
  client: {
    readRequest: readAnthropicRequest,
    writeResponse: writeAnthropicResponse,
    streamWriter: (_request, facts) => new AnthropicStreamWriter(facts),
    writeError: writeAnthropicError,
  },
  upstream: {
    writeRequest: writeAnthropicRequest,
    readResponse: readAnthropicResponse,
    streamReader: () => new AnthropicStreamReader(),
  },
}
