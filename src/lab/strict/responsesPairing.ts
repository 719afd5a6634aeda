/** Whether calls, outputs and thoughts of a Responses input have what belongs to them. */

import { asString } from '../../domain/json.ts'
import { type Placed, word } from './chatBody.ts'
import { badRequest } from './openaiWords.ts'
import type { StrictRefusal } from './rule.ts'
import { first } from './ruleTable.ts'

/** The two families and what the service calls them. */
const FAMILIES = [
  { call: 'function_call', output: 'function_call_output', words: 'function call' },
  { call: 'custom_tool_call', output: 'custom_tool_call_output', words: 'custom tool call' },
]

const idsOf = (items: readonly Placed[], type: string) =>
  items.filter(({ value }) => value['type'] === type).map(({ value }) => asString(value['call_id']) ?? '')

export function orphanOutput(items: readonly Placed[]): StrictRefusal | null {
  return first(FAMILIES, ({ call, output, words }) => {
    const called = new Set(idsOf(items, call))
    const id = idsOf(items, output).find((one) => !called.has(one))
    return id === undefined ? null : onInput(`No tool call found for ${words} output with call_id ${id}.`)
  })
}

export function missingOutput(items: readonly Placed[]): StrictRefusal | null {
  return first(FAMILIES, ({ call, output, words }) => {
    const answered = new Set(idsOf(items, output))
    const id = idsOf(items, call).find((one) => !answered.has(one))
    return id === undefined ? null : onInput(`No tool output found for ${words} ${id}.`)
  })
}

/** Between a thought and what came of it only further thoughts may stand. */
export function reasoningAlone(items: readonly Placed[]): StrictRefusal | null {
  return first(items, ({ index, value: { type, id } }) => {
    if (type !== 'reasoning' || typeof id !== 'string') return null
    const next = items.find((item) => item.index > index && item.value['type'] !== 'reasoning')
    if (next !== undefined && isProduced(next)) return null
    return onInput(`Item '${id}' of type 'reasoning' was provided without its required following item.`)
  })
}

/** What a model makes, in contrast to what is said to it. */
function isProduced({ value: { type, role } }: Placed): boolean {
  if (type === undefined || type === 'message') return role === 'assistant'
  return !word(type).endsWith('_output')
}

const onInput = (message: string) => badRequest(message, 'input', null)
