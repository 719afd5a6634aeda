/** The chat completions dialect, which most providers speak: https://platform.openai.com/docs/api-reference/chat */

import type { Dialect } from './dialect.ts'
import { readChatResponse, writeChatResponse } from './openaiChatAnswer.ts'
import { ChatStreamReader } from './openaiChatReader.ts'
import { readChatRequest } from './openaiChatRequest.ts'
import { writeChatRequest } from './openaiChatUpstream.ts'
import { ChatStreamWriter } from './openaiChatWriter.ts'
import { errorEnvelope } from './openaiShared.ts'

export const openaiChat: Dialect = {
  id: 'openai',
  client: {
    readRequest: readChatRequest,
    writeResponse: writeChatResponse,
    streamWriter: (request, facts) => new ChatStreamWriter(request, facts),
    writeError: errorEnvelope,
  },
  upstream: {
    writeRequest: (request, model) => ({ path: '/chat/completions', body: writeChatRequest(request, model) }),
    readResponse: readChatResponse,
    streamReader: () => new ChatStreamReader(),
  },
}
