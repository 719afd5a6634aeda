/**
 * A request for completions, the predecessor of chat, read as chats of one user message, one for every choice of the
 * answer: https://platform.openai.com/docs/api-reference/completions/create (2026-11-29)
 */

import type { ChatRequest } from '../../domain/chat.ts'
import { asArray } from '../../domain/json.ts'
import { bodyOf, type Fields, flag, number, wrong } from '../fields/requestFields.ts'
import { readChatRequest } from '../openaiChat/readRequest.ts'

export interface AskedCompletion {
  readonly prompt: string
  /** The prompt is repeated in front of its completion. */
  readonly echo: boolean
  readonly request: ChatRequest
}

/** A request for more at once costs more than anyone means to spend by one call. */
const MOST_CHOICES = 128

/** One for every choice, in the order of their `index`. Throws InvalidRequestError. */
export function readCompletions(body: unknown, model?: string): readonly AskedCompletion[] {
  const fields = bodyOf(body)
  const { prompt, suffix, echo, best_of, logprobs, n, ...rest } = fields
  refuse(fields)
  const prompts = promptsIn(prompt)
  const times = number({ n }, 'n') ?? 1
  if (!Number.isInteger(times) || times < 1) throw wrong('n', 'must be a whole number above 0')
  if (prompts.length * times > MOST_CHOICES)
    throw wrong('prompt', `and "n" make ${prompts.length * times} choices; at most ${MOST_CHOICES} are made at once`)
  const isEcho = flag({ echo }, 'echo') === true
  const asked = prompts.map((text) => {
    const messages = [{ role: 'user', content: text }]
    const request = readChatRequest({ ...rest, ...(model !== undefined && { model }), messages })
    return { prompt: text, echo: isEcho, request }
  })
  return asked.flatMap((one) => Array.from({ length: times }, () => one))
}

function promptsIn(prompt: unknown): readonly string[] {
  if (typeof prompt === 'string') return [prompt]
  const list = asArray(prompt)
  if (list === undefined || list.length === 0) throw wrong('prompt', 'must be a text or a list of texts')
  if (list.every((item) => typeof item === 'string')) return list
  throw wrong('prompt', 'must be texts: ids of tokens belong to one tokenizer, and any model may answer here')
}

/** Of chats: a completion has no place for what they would be answered with. */
const OF_CHATS = ['messages', 'tools', 'functions', 'modalities', 'audio', 'top_logprobs']

/** What no chat can do is said, and never left out. */
function refuse(fields: Fields): void {
  const ofChats = OF_CHATS.find((name) => fields[name] != null)
  if (ofChats !== undefined) throw wrong(ofChats, 'is no field of completions; ask /v1/chat/completions')
  const { suffix, best_of, logprobs, n } = fields
  if (suffix != null && suffix !== '') throw wrong('suffix', 'is not served: a chat cannot insert before a text')
  if (logprobs != null) throw wrong('logprobs', 'are not served for completions; ask /v1/chat/completions for them')
  if (best_of != null && best_of !== (n ?? 1))
    throw wrong('best_of', 'is not served unless it equals "n": a chat does not tell which answer is the most likely')
}
