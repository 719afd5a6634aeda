/** Every wire language by its id. */

import type { DialectId } from '../domain/chat.ts'
import { anthropicDialect } from './anthropic/anthropic.ts'
import type { Dialect } from './dialect.ts'
import { googleDialect } from './google/google.ts'
import { openaiChatDialect } from './openaiChat/openaiChat.ts'
import { openaiResponsesDialect } from './openaiResponses/openaiResponses.ts'

const DIALECTS: { readonly [Id in DialectId]: Dialect } = {
  openai: openaiChatDialect,
  'openai-responses': openaiResponsesDialect,
  anthropic: anthropicDialect,
  google: googleDialect,
}

export function dialectOf(id: DialectId): Dialect {
  return DIALECTS[id]
}
