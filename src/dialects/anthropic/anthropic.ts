/** Anthropic's Messages API, spoken to clients and to upstreams: https://platform.claude.com/docs/en/api/messages */

import type { Dialect } from '../dialect.ts'
import { readResponse, writeResponse } from './answer.ts'
import { writeError } from './error.ts'
import { readRequest } from './readRequest.ts'
import { AnthropicStreamReader } from './streamReader.ts'
import { AnthropicStreamWriter } from './streamWriter.ts'
import { writeRequest } from './writeRequest.ts'

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
