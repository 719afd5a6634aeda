/**
 * A tool call's arguments: JSON text inside keywise and on OpenAI's wire, an object on Anthropic's and Google's. Models
 * and servers also say `null`, nothing, JSON within JSON, and text that is no JSON.
 */

import { asRecord } from '../../domain/json.ts'
import { parseJson } from '../../domain/parseJson.ts'

// Far deeper than any tool's arguments, far shallower than what overflows the stack of JSON.stringify.
const MAX_DEPTH = 200

/** `{}` where the model has none to give, which some servers write as `null`. */
const NO_ARGUMENTS = '{}'

/**
 * The arguments as text, without what no tool means: `null` and white space are `{}`, JSON that was encoded once more
 * (a string that says an object) is what it says, and of `{}{"a":1}` the placeholder is left out. All other text stays
 * as the model wrote it.
 */
export function repairedArguments(text: string): string {
  const said = text.trim()
  if (said === '' || said === 'null') return NO_ARGUMENTS
  if (!said.startsWith('"')) return withoutPlaceholder(text)
  const inner = parsed(said)
  if (typeof inner !== 'string' || inner.trim() === '') return inner === undefined ? text : NO_ARGUMENTS
  const repaired = repairedArguments(inner)
  return isWholeObject(repaired) ? repaired : text
}

/**
 * The object that the text says. Text that says none (a call cut off by `max_tokens`, a list, hostile nesting) is kept
 * readable as `{ "unparsed": text }`, because both wires refuse anything but an object.
 */
export function textToObject(text: string): Record<string, unknown> {
  return asRecord(parsed(repairedArguments(text))) ?? { unparsed: text }
}

/** The arguments with their object changed; text that says none stays as it is. */
export function changedArguments(text: string, change: (object: Record<string, unknown>) => unknown): string {
  const object = asRecord(parsed(repairedArguments(text)))
  return object === undefined ? text : JSON.stringify(change(object))
}

/** `textToObject` as text: of a text that begins an object, the text itself, however it goes on. */
export function objectText(text: string): string {
  return beginsObject(text) ? text : JSON.stringify(textToObject(text))
}

/**
 * The arguments of a call in the history that an upstream gets as text. Many read them as JSON and refuse the whole
 * request when they are none, in this turn and every later one: https://github.com/vllm-project/vllm/pull/48922 (read
 * 2026-11-29).
 */
export function historyArguments(text: string): string {
  const repaired = repairedArguments(text)
  const value = parsed(repaired)
  if (value === undefined) return JSON.stringify({ unparsed: text })
  return originalText(asRecord(value)) ?? repaired
}

/** What `textToObject` could not read as an object and a client brings back, where it is JSON of another kind. */
function originalText(object: Record<string, unknown> | undefined): string | undefined {
  const text = object?.['unparsed']
  if (typeof text !== 'string' || Object.keys(object ?? {}).length !== 1) return undefined
  const value = parsed(text)
  return value === undefined || asRecord(value) !== undefined ? undefined : text
}

/**
 * Without the empty object that servers in front of Anthropic's wire put before the arguments, because every streamed
 * call begins with `"input": {}` there: https://github.com/openai/openai-agents-js/pull/712 (read 2026-11-29).
 */
function withoutPlaceholder(text: string): string {
  return text.replace(PLACEHOLDER, '')
}

const PLACEHOLDER = /^(?:\s*\{\s*\})+(?=\s*\{)/

export function beginsObject(text: string): boolean {
  return /^\s*\{/.test(text)
}

/** The end is asked for first: it is cheaper, and wrong of nearly all that is not yet whole. */
export function isWholeObject(text: string): boolean {
  return text.trimEnd().endsWith('}') && asRecord(parsed(text)) !== undefined
}

/** Undefined for what is no JSON or nested too deep. */
function parsed(text: string): unknown {
  try {
    return parseJson(text, MAX_DEPTH)
  } catch {
    return undefined // what to do instead is the caller's matter
  }
}

/**
 * The text of arguments that came as JSON, usually an object; `{}` when there are none or they are nested beyond what
 * can be written.
 */
export function objectToText(value: unknown): string {
  if (value === undefined || value === null) return NO_ARGUMENTS
  if (typeof value === 'string') return repairedArguments(value)
  try {
    return JSON.stringify(value)
  } catch {
    return NO_ARGUMENTS // RangeError: nested deeper than the stack
  }
}
