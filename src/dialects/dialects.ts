/** Every wire language by its id. */

import type { DialectId } from '../domain/chat.ts'
import type { Dialect } from './dialect.ts'
import { openaiChat } from './openaiChat.ts'
import { openaiResponses } from './openaiResponses.ts'

const DIALECTS = {
  openai: openaiChat,
  'openai-responses': openaiResponses,
} satisfies { readonly [Id in DialectId]?: Dialect }

export function dialectOf(id: keyof typeof DIALECTS): Dialect {
  return DIALECTS[id]
}
