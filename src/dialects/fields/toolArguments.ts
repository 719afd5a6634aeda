/** A tool call's arguments: JSON text inside keywise and on OpenAI's wire, an object on Anthropic's and Google's. */

import { asRecord } from '../../domain/json.ts'

// Far deeper than any tool's arguments, far shallower than what overflows the stack of JSON.stringify.
const MAX_DEPTH = 200

/**
 * The object that the text says. Text that is no JSON object (a call cut off by `max_tokens`, or hostile nesting) is
 * kept readable as `{ "unparsed": text }`, because both wires refuse anything but an object.
 */
export function textToObject(text: string): Record<string, unknown> {
  if (text.trim() === '') return {}
  return parseObject(text) ?? { unparsed: text }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (isTooDeep(text)) return undefined
  try {
    return asRecord(JSON.parse(text))
  } catch {
    return undefined // what to do instead is the caller's matter
  }
}

/** Counts brackets inside strings too, which only errs on the side of refusing. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) return true
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return false
}

/** The text of an object that came as JSON; `{}` when there is none or it is nested beyond what can be written. */
export function objectToText(value: unknown): string {
  const record = asRecord(value)
  if (!record) return '{}'
  try {
    return JSON.stringify(record)
  } catch {
    return '{}' // RangeError: nested deeper than the stack
  }
}
