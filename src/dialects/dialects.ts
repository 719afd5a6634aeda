/** Every wire language by its id. */

import type { DialectId } from '../domain/chat.ts'
import { anthropic } from './anthropic.ts'
import type { Dialect } from './dialect.ts'
import { google } from './google.ts'
import { openaiChat } from './openaiChat.ts'
import { openaiResponses } from './openaiResponses.ts'

const DIALECTS: { readonly [Id in DialectId]: Dialect } = {
  openai: openaiChat,
  'openai-responses': openaiResponses,
  anthropic,
  google,
}

export function dialectOf(id: DialectId): Dialect {
  return DIALECTS[id]
}
