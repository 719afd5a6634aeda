/** Faults an answer shows by itself: calls of unknown tools, broken arguments, a broken format, no content. */

import type { ChatRequest, ChatResponse, ToolCallPart } from '../domain/chat.ts'
import { asArray, asRecord } from '../domain/json.ts'

/** 0 for an answer that is visibly wrong; null otherwise, because only faults are self-evident. */
export function selfScore(request: Pick<ChatRequest, 'tools' | 'responseFormat'>, response: ChatResponse): 0 | null {
  if (response.finishReason !== 'stop' && response.finishReason !== 'tool_calls') return null
  const calls = response.content.filter((part): part is ToolCallPart => part.type === 'tool-call')
  if (calls.length > 0) return calls.some((call) => isWrong(call, request)) ? 0 : null
  const text = response.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  if (text.trim() === '') return response.content.some((part) => part.type !== 'text') ? null : 0
  const format = request.responseFormat
  if (format === undefined || format.type === 'text') return null
  const value = parse(text)
  if (value === undefined) return 0
  return format.type === 'json-schema' && !fits(value, format.schema, 0) ? 0 : null
}

function isWrong(call: ToolCallPart, request: Pick<ChatRequest, 'tools'>): boolean {
  const tool = request.tools?.find((one) => one.name === call.name)
  // The provider's built-in tools are not in the request; only a list in the request can be violated.
  if (tool === undefined) return (request.tools?.length ?? 0) > 0
  const value = parse(call.arguments === '' ? '{}' : call.arguments)
  return asRecord(value) === undefined || (tool.parameters !== undefined && !fits(value, tool.parameters, 0))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const MAX_DEPTH = 12

/** The schema's numbers are kept as they were sent; 1.0 is 1 all the same. */
function isSame(option: unknown, value: unknown): boolean {
  return JSON.stringify(parse(JSON.stringify(option))) === JSON.stringify(value)
}

/**
 * Whether a value satisfies the parts of JSON Schema that models get wrong: type, required, properties, items, enum.
 * Anything else in the schema is taken as satisfied, so that no good answer is scored as bad.
 */
function fits(value: unknown, schema: unknown, depth: number): boolean {
  const rules = asRecord(schema)
  if (rules === undefined || depth > MAX_DEPTH || '$ref' in rules) return true
  const options = asArray(rules['enum'])
  if (options !== undefined && !options.some((option) => isSame(option, value))) return false
  const types = asArray(rules['type']) ?? (typeof rules['type'] === 'string' ? [rules['type']] : [])
  if (types.length > 0 && !types.some((type) => hasType(value, type))) return false
  const record = asRecord(value)
  if (record !== undefined) return fitsObject(record, rules, depth)
  return !Array.isArray(value) || value.every((item) => fits(item, rules['items'], depth + 1))
}

function fitsObject(value: Record<string, unknown>, rules: Record<string, unknown>, depth: number): boolean {
  for (const name of asArray(rules['required']) ?? [])
    if (typeof name === 'string' && !Object.hasOwn(value, name)) return false
  for (const [name, inner] of Object.entries(asRecord(rules['properties']) ?? {})) {
    if (Object.hasOwn(value, name) && !fits(value[name], inner, depth + 1)) return false
  }
  return true
}

function hasType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'object':
      return asRecord(value) !== undefined
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    default:
      return typeof type !== 'string' || typeof value === type
  }
}
