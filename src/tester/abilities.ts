/** How each ability is proved: a request that exercises it, and what the answer must show. */

import type { ChatRequest, ChatResponse } from '../domain/chat.ts'
import { asRecord } from '../domain/json.ts'
import type { Abilities } from '../domain/target.ts'
import { redPicture } from './redPicture.ts'

export const PROVABLE = ['streaming', 'tools', 'json', 'images'] as const
export type Provable = (typeof PROVABLE)[number]

/** The proof of one ability. */
export interface AbilityProof {
  /** Null when the answer is inconclusive. */
  readonly ok: boolean | null
  /** Why not, or a remark. */
  readonly note?: string
  /** Milliseconds to the first content; streaming only. */
  readonly firstTokenMs?: number
}

export type AbilityProofs = { readonly [A in Provable]?: AbilityProof }

interface Exam {
  readonly request: (model: string, message: string) => ChatRequest
  /** Null when the ability is shown; otherwise what was wrong. */
  readonly fault: (response: ChatResponse) => string | null
}

/** Room for a reasoning model's thoughts; unused tokens cost nothing. */
const MAX_TOKENS = 512

/**
 * Abilities claimed by the catalogue or the models list. Nearly every chat model streams, so an unstated claim means
 * yes.
 */
export function claimedAbilities(abilities: Abilities): readonly Provable[] {
  return PROVABLE.filter((ability) => (ability === 'streaming' ? abilities.streaming !== false : abilities[ability]))
}

const asking = (model: string, text: string): ChatRequest => ({
  model,
  messages: [{ role: 'user', content: [{ type: 'text', text }] }],
  maxTokens: MAX_TOKENS,
  stream: false,
})

export const EXAMS: { readonly [A in Provable]: Exam } = {
  streaming: {
    request: (model, message) => ({ ...asking(model, message), stream: true, wantsUsage: true }),
    fault: () => null,
  },
  tools: {
    request: (model) => ({
      ...asking(model, 'What is the weather in Paris? Use the tool.'),
      tools: [
        {
          name: 'get_weather',
          description: 'The weather of a city now',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      ],
    }),
    fault: (response) => {
      const call = response.content.find((part) => part.type === 'tool-call')
      if (call === undefined) return 'answered without calling the tool'
      return readObject(call.arguments) === undefined
        ? 'called the tool with arguments that are not a JSON object'
        : null
    },
  },
  json: {
    request: (model) => ({
      ...asking(model, 'Reply with a JSON object with the field "ok" set to true.'),
      responseFormat: { type: 'json' },
    }),
    fault: (response) => (readObject(textOf(response)) === undefined ? 'the answer is not a JSON object' : null),
  },
  images: {
    request: (model) => ({
      ...asking(model, ''),
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What colour is this picture? Answer with one word.' },
            { type: 'image', mediaType: 'image/png', data: redPicture() },
          ],
        },
      ],
    }),
    fault: (response) =>
      /\bred\b|crimson|scarlet/i.test(textOf(response)) ? null : 'took the picture but did not see its colour',
  },
}

/** An answer cut off by its token limit is inconclusive. */
export function gradeAnswer(ability: Provable, response: ChatResponse): AbilityProof {
  const fault = EXAMS[ability].fault(response)
  if (fault === null) return { ok: true }
  return response.finishReason === 'length'
    ? { ok: null, note: 'spent all its tokens on thinking' }
    : { ok: false, note: fault }
}

export function textOf(response: ChatResponse): string {
  return response.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    return asRecord(JSON.parse(text))
  } catch {
    return undefined
  }
}
