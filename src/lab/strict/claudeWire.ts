/** How the rules of the Messages API look at a request, and how a refusal of it is made. */

import { asArray, asRecord } from '../../domain/json.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

export type ClaudeFields = Record<string, unknown>

/** What is wrong with the request, in the service's words; null when nothing is. */
type Problem = string | null | undefined

/** A rule of this service: every refusal of a body is 400 `invalid_request_error`. */
export function claudeRule(id: string, source: string, problemOf: (request: StrictRequest) => Problem): Rule {
  return {
    id,
    source,
    checkedAt: '2026-11-29',
    refuse: (request) => {
      const message = problemOf(request)
      if (message === null || message === undefined) return null
      const error = { type: 'invalid_request_error', message }
      return { status: 400, body: { type: 'error', error, request_id: 'req_strict' } }
    },
  }
}

/** What the first item with a problem has. */
export function firstProblem<T>(items: Iterable<T>, problemOf: (item: T) => Problem): Problem {
  for (const item of items) {
    const problem = problemOf(item)
    if (problem !== null && problem !== undefined) return problem
  }
  return null
}

/** Whether the tokens are counted and nothing is answered. */
export function isCountOnly({ path }: StrictRequest): boolean {
  return path.endsWith('/count_tokens')
}

export function hasBeta({ headers }: StrictRequest, beginning: string): boolean {
  const header = headers['anthropic-beta']
  const names = (Array.isArray(header) ? header : [header ?? '']).flatMap((value) => value.split(','))
  return names.some((name) => name.trim().startsWith(beginning))
}

/** A content block and where it is, as the service names places: `messages.0.content.1`. */
export interface PlacedBlock {
  readonly block: ClaudeFields
  readonly type: string
  readonly place: string
  readonly role: unknown
}

export function claudeMessagesOf(body: StrictRequest['body']): readonly ClaudeFields[] {
  return (asArray(body['messages']) ?? []).map((message) => asRecord(message) ?? {})
}

/** A string stands for one block of text. */
export function blocksOf(content: unknown): readonly ClaudeFields[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return (asArray(content) ?? []).map((block) => asRecord(block) ?? {})
}

/** All blocks of all messages, those inside tool results included. */
export function* placedBlocks(body: StrictRequest['body']): Generator<PlacedBlock> {
  for (const [index, message] of claudeMessagesOf(body).entries()) {
    for (const placed of blocksAt(message['content'], `messages.${index}.content`, message['role'])) {
      yield placed
      if (placed.type === 'tool_result') {
        yield* blocksAt(placed.block['content'], `${placed.place}.tool_result.content`, message['role'])
      }
    }
  }
}

function* blocksAt(content: unknown, place: string, role: unknown): Generator<PlacedBlock> {
  for (const [index, block] of blocksOf(content).entries()) {
    yield { block, type: sentText(block['type']), place: `${place}.${index}`, role }
  }
}

/** Neighbours of one role, which the service combines: https://platform.claude.com/docs/en/api/messages */
export interface ClaudeTurn {
  readonly role: unknown
  /** The place of its first message. */
  readonly index: number
  readonly blocks: readonly PlacedBlock[]
}

export function turnsOf(body: StrictRequest['body']): readonly ClaudeTurn[] {
  const turns: { role: unknown; index: number; blocks: PlacedBlock[] }[] = []
  for (const [index, { role, content }] of claudeMessagesOf(body).entries()) {
    const blocks = [...blocksAt(content, `messages.${index}.content`, role)]
    const last = turns.at(-1)
    if (last !== undefined && last.role === role) last.blocks.push(...blocks)
    else turns.push({ role, index, blocks })
  }
  return turns
}
