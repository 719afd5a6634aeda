/**
 * What a tool says beside its `function`. OpenAI has no such field in chat completions (`openai` 7.57), but services
 * of its dialect that search for tools have `defer_loading` there:
 * https://openrouter.ai/docs/guides/features/server-tools/tool-search,
 * https://docs.baseten.co/inference/model-apis/deferred-tool-loading (both read 2026-11-30)
 */

import type { Tool } from '../../domain/chat.ts'
import { asRecord } from '../../domain/json.ts'
import { extraOf, type Fields, leftovers, ownFields } from '../fields/requestFields.ts'

/** Where a tool's `extra` keeps it; not a field of the wire. */
const BESIDE = 'keywise.beside'
/** Some clients write a function in both forms, the flat one of Responses too. */
const KNOWN_OF_TOOL = new Set(['type', 'function', 'id', 'name', 'description', 'parameters', 'strict'])

/** `read` with what `tool` says beside its function. */
export function noteBeside(read: Tool, tool: Fields): Tool {
  const beside = leftovers(tool, KNOWN_OF_TOOL)
  if (beside === undefined) return read
  return { ...read, ...extraOf('openai', { ...ownFields(read.extra, 'openai'), [BESIDE]: beside }) }
}

export const besideFunction = ({ extra }: Tool): Fields => asRecord(ownFields(extra, 'openai')[BESIDE]) ?? {}

/** The tool with only what stands in its function. */
export function insideFunction(tool: Tool): Tool {
  const { [BESIDE]: _beside, ...inside } = ownFields(tool.extra, 'openai')
  return _beside === undefined ? tool : { ...tool, ...extraOf('openai', inside) }
}
