/** The chat completions dialect, which most providers speak: https://platform.openai.com/docs/api-reference/chat */

import type { Dialect } from '../dialect.ts'
import { errorEnvelope } from '../openai/fields.ts'
import { readChatResponse, writeChatResponse } from './answer.ts'
import { readChatRequest } from './readRequest.ts'
import { ChatStreamReader } from './streamReader.ts'
import { ChatStreamWriter } from './streamWriter.ts'
import { writeChatRequest } from './writeRequest.ts'

export const openaiChatDialect: Dialect = {
  id: 'openai',
  client: {
    readRequest: readChatRequest,
    writeResponse: writeChatResponse,
    streamWriter: (request, facts) => new ChatStreamWriter(request, facts),
    writeError: errorEnvelope,
  },
  upstream: {
    writeRequest: (request, model, wire) => ({
      path: '/chat/completions',
      body: writeChatRequest(request, model, wire),
    }),
    readResponse: readChatResponse,
    streamReader: () => new ChatStreamReader(),
  },
}
