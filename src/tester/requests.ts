/** The requests a target is sent in a run: one short message, and an exam per claimed ability. */

import type { ChatRequest } from '../domain/chat.ts'
import type { Target } from '../domain/target.ts'
import { claimedAbilities, EXAMS } from './abilities.ts'

/** Enough for a short word; 16 is the lowest value every provider accepts (OpenAI Responses' minimum). */
const MAX_TOKENS = 16

/** `message` from `settings.test.message`. */
export function greeting({ id }: Target, message: string): ChatRequest {
  return {
    model: id,
    messages: [{ role: 'user', content: [{ type: 'text', text: message }] }],
    maxTokens: MAX_TOKENS,
    stream: false,
  }
}

/** Every request a target may be sent. */
export function requestsOf(target: Target, message: string, withAbilities: boolean): readonly ChatRequest[] {
  const exams = withAbilities ? claimedAbilities(target.profile.abilities) : []
  return [greeting(target, message), ...exams.map((ability) => EXAMS[ability].request(target.id, message))]
}
