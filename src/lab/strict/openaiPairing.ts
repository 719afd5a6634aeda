/** Whether each tool call of a chat has its result right behind it, and each result its call. */

import { asString } from '../../domain/json.ts'
import { callsOf, type Placed, roleOf, word } from './chatBody.ts'
import { badRequest } from './openaiWords.ts'
import { repeated } from './repeated.ts'
import type { StrictRefusal } from './rule.ts'
import { first } from './ruleTable.ts'

const idsOf = (message: Placed) => callsOf(message).map((call) => asString(call.value['id']) ?? '')

/** A turn that calls, and the results that follow it at once. */
function answersAfter(messages: readonly Placed[], turn: Placed): Placed[] {
  const rest = messages.slice(messages.indexOf(turn) + 1)
  const end = rest.findIndex((message) => roleOf(message) !== 'tool')
  return end === -1 ? rest : rest.slice(0, end)
}

/** Calls without a result, where the results have to be. */
export function unanswered(messages: readonly Placed[]): StrictRefusal | null {
  return first(messages, (turn) => {
    const answers = answersAfter(messages, turn)
    const answered = new Set(answers.map((answer) => answer.value['tool_call_id']))
    const missing = idsOf(turn).filter((id) => !answered.has(id))
    if (missing.length === 0) return null
    return badRequest(
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${missing.join(', ')}`,
      `messages.[${turn.index + answers.length + 1}].role`,
      null,
    )
  })
}

/** A result without its call. */
export function orphan(messages: readonly Placed[]): StrictRefusal | null {
  let called: string[] | null = null
  return first(messages, (message) => {
    if (roleOf(message) !== 'tool') {
      const ids = idsOf(message)
      called = ids.length > 0 ? ids : null
      return null
    }
    if (called === null)
      return badRequest(
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        `messages.[${message.index}].role`,
        null,
      )
    const id = asString(message.value['tool_call_id']) ?? ''
    if (called.includes(id)) return null
    return badRequest(
      `Invalid parameter: 'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`,
      `messages.[${message.index}].tool_call_id`,
      null,
    )
  })
}

/** Two results of one turn with the same id; the same id in two turns is taken. */
export function duplicateResult(messages: readonly Placed[]): StrictRefusal | null {
  return first(messages, (turn) => {
    const answers = callsOf(turn).length === 0 ? [] : answersAfter(messages, turn)
    const ids = answers.map((answer) => word(answer.value['tool_call_id']))
    const id = repeated(ids)
    if (id === null) return null
    const [before, after] = [answers[ids.indexOf(id)]?.index, answers[ids.lastIndexOf(id)]?.index]
    return badRequest(
      `Invalid parameter: Duplicate value for 'tool_call_id' of '${id}', in messages[${before}] and messages[${after}].`,
      `messages.[${after}].tool_call_id`,
      null,
    )
  })
}
