/** Every wire language by its id. */

import type { DialectId } from '../domain/chat.ts'
import { anthropic } from './anthropic/anthropic.ts'
import type { Dialect } from './dialect.ts'
import { google } from './google/google.ts'
import { openaiChat } from './openaiChat/openaiChat.ts'
import { openaiResponses } from './openaiResponses/openaiResponses.ts'

const DIALECTS: { readonly [Id in DialectId]: Dialect } = {
  openai: openaiChat,
  'openai-responses': openaiResponses,
  anthropic,
  google,
}

export function dialectOf(id: DialectId): Dialect {
  return DIALECTS[id]
}
