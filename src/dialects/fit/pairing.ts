/**
 * Every call of a tool answered once, right behind it: what Anthropic, Gemini and OpenAI demand of a history. Histories
 * that were interrupted, or pruned by their client, are told as they are rather than refused.
 */

import type { Message, ToolCallPart, ToolResultPart } from '../../domain/chat.ts'

/** Said in the place of a result that the history does not have. */
const UNANSWERED = 'This call was not answered.'

export function fitPairs(messages: readonly Message[]): readonly Message[] {
  if (isPaired(messages)) return messages
  const results = resultsById(messages)
  const written: Message[] = []
  for (const message of messages) {
    const said = withoutResults(message)
    if (said.content.length > 0) written.push(said)
    const calls = callsOf(message)
    if (calls.length > 0) written.push({ role: 'tool', content: calls.map(({ id }) => takeResult(results, id)) })
    written.push(...orphansOf(message, results))
  }
  return written
}

const callsOf = ({ content }: Message) => content.filter((part): part is ToolCallPart => part.type === 'tool-call')
const resultsOf = ({ content }: Message) =>
  content.filter((part): part is ToolResultPart => part.type === 'tool-result')

/** Whether tools were called or answered in it. */
export function tellsOfCalls({ content }: Message): boolean {
  return content.some(({ type }) => type === 'tool-call' || type === 'tool-result')
}

/** Whether each turn with calls is followed by exactly their results. */
function isPaired(messages: readonly Message[]): boolean {
  if (!messages.some(tellsOfCalls)) return true
  let open = new Set<string>()
  for (const message of messages) {
    const results = resultsOf(message)
    if (results.length !== message.content.length && open.size > 0) return false
    for (const { toolCallId } of results) if (!open.delete(toolCallId)) return false
    if (callsOf(message).length > 0) open = new Set(callsOf(message).map(({ id }) => id))
  }
  return open.size === 0
}

type Results = Map<string, ToolResultPart[]>

/** By the call that they answer, in their order. Of several results to one call all are told, as one. */
function resultsById(messages: readonly Message[]): Results {
  const results: Results = new Map()
  const called = new Map<string, number>()
  for (const message of messages) {
    for (const { id } of callsOf(message)) called.set(id, (called.get(id) ?? 0) + 1)
    for (const result of resultsOf(message)) {
      const known = results.get(result.toolCallId) ?? []
      results.set(result.toolCallId, known)
      const last = known.at(-1)
      const isSecond = last !== undefined && known.length >= (called.get(result.toolCallId) ?? 0)
      if (isSecond) known[known.length - 1] = { ...last, content: [...last.content, ...result.content] }
      else known.push(result)
    }
  }
  return results
}

function takeResult(results: Results, id: string): ToolResultPart {
  const known = results.get(id)?.shift()
  return known ?? { type: 'tool-result', toolCallId: id, content: [{ type: 'text', text: UNANSWERED }], isError: true }
}

function withoutResults(message: Message): Message {
  const content = message.content.filter((part) => part.type !== 'tool-result')
  return { ...message, role: message.role === 'tool' ? 'user' : message.role, content }
}

/** Results whose call the history does not have are told as the user's words. */
function orphansOf(message: Message, results: Results): readonly Message[] {
  return resultsOf(message).flatMap(({ toolCallId }) => {
    const orphan = results.get(toolCallId)?.shift()
    if (orphan === undefined) return []
    const head = { type: 'text', text: `Result of the tool call ${toolCallId}:` } as const
    return [{ role: 'user' as const, content: [head, ...orphan.content] }]
  })
}
