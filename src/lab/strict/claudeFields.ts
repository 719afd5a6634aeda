/** What fields there are, and what becomes of others: `…: Extra inputs are not permitted`. */

import { asRecord } from '../../domain/json.ts'
import {
  blocksOf,
  claudeMessagesOf,
  claudeRule,
  firstProblem,
  hasBeta,
  isCountOnly,
  placedBlocks,
} from './claudeWire.ts'
import { lookUp } from './lookUp.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { sentText } from './sentText.ts'

const SDK = 'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/messages/messages.ts'
const BETA_SDK =
  'https://github.com/anthropics/anthropic-sdk-typescript/blob/main/src/resources/beta/messages/messages.ts'

const COUNTED = ['cache_control', 'messages', 'model', 'output_config', 'speed', 'system', 'thinking']
const COUNT_FIELDS = [...COUNTED, 'tool_choice', 'tools']
// The sampling parameters have left the types of the SDK, not the service: older models take them.
const REQUEST_FIELDS = [
  ...[...COUNT_FIELDS, 'container', 'diagnostics', 'inference_geo', 'max_tokens', 'metadata', 'service_tier'],
  ...['stop_sequences', 'stream', 'temperature', 'top_k', 'top_p'],
]

/** Fields of the request that exist only with one of these beta headers. */
const BETA_FIELDS: Readonly<Record<string, readonly string[]>> = {
  billing_policy: ['user-profiles-billing-'],
  compaction: ['compact-'],
  context_management: ['context-management-', 'compact-', 'model-context-window-'],
  fallback_credit_token: ['fallback-credit-'],
  fallbacks: ['server-side-fallback-'],
  mcp_servers: ['mcp-client-'],
  output_format: ['structured-outputs-'],
  thread: ['message-threads-'],
}

const BLOCK_FIELDS: Readonly<Record<string, readonly string[]>> = {
  text: ['type', 'text', 'cache_control', 'citations'],
  image: ['type', 'source', 'cache_control', 'transformations'],
  document: ['type', 'source', 'cache_control', 'citations', 'context', 'title'],
  thinking: ['type', 'thinking', 'signature'],
  redacted_thinking: ['type', 'data'],
  tool_use: ['type', 'id', 'name', 'input', 'cache_control', 'caller', 'toolset_name'],
  tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control', 'toolset_name'],
  search_result: ['type', 'content', 'source', 'title', 'cache_control', 'citations'],
}
/** Block types that are taken without a look inside. */
const OTHER_BLOCKS = [
  ...['bash_code_execution_tool_result', 'code_execution_tool_result', 'container_upload', 'server_tool_use'],
  ...['text_editor_code_execution_tool_result', 'tool_search_tool_result', 'web_fetch_tool_result'],
  ...['web_search_tool_result', 'tool_reference', 'browser_state', 'compaction', 'mcp_tool_use', 'mcp_tool_result'],
]

const SOURCE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  base64: ['type', 'media_type', 'data'],
  text: ['type', 'media_type', 'data'],
  url: ['type', 'url'],
  file: ['type', 'file_id'],
  content: ['type', 'content'],
}

const TOOL_FIELDS = [
  ...['type', 'name', 'description', 'input_schema', 'allowed_callers', 'cache_control', 'defer_loading'],
  ...['eager_input_streaming', 'input_examples', 'strict'],
]

const CHOICE_FIELDS: Readonly<Record<string, readonly string[]>> = {
  auto: ['type', 'disable_parallel_tool_use'],
  any: ['type', 'disable_parallel_tool_use'],
  tool: ['type', 'name', 'disable_parallel_tool_use'],
  none: ['type'],
}

const THINKING_FIELDS: Readonly<Record<string, readonly string[]>> = {
  enabled: ['type', 'budget_tokens', 'display', 'block_binding'],
  adaptive: ['type', 'display', 'block_binding'],
  disabled: ['type'],
  between_tools: ['type'],
}

function extraOf(fields: unknown, known: readonly string[] | undefined, place: string): string | null {
  const record = asRecord(fields)
  if (!record || !known) return null
  const extra = Object.keys(record).find((name) => !known.includes(name))
  return extra === undefined ? null : `${place === '' ? '' : `${place}.`}${extra}: Extra inputs are not permitted`
}

function extraInRequest(request: StrictRequest): string | null {
  const known = isCountOnly(request) ? COUNT_FIELDS : REQUEST_FIELDS
  return extraOf(request.body, [...known, ...Object.keys(BETA_FIELDS)], '')
}

function betaMissing(request: StrictRequest): string | null {
  const name = Object.keys(BETA_FIELDS).find(
    (field) => request.body[field] != null && !BETA_FIELDS[field]?.some((beta) => hasBeta(request, beta)),
  )
  return name === undefined ? null : `${name}: Extra inputs are not permitted`
}

/** `output_config` and `clear_at` belong to system messages of a beta. */
const MESSAGE_FIELDS = ['role', 'content']
const SYSTEM_MESSAGE_FIELDS = [...MESSAGE_FIELDS, 'clear_at', 'output_config']

export const claudeFieldRules: readonly Rule[] = [
  claudeRule('request-extra-field', SDK, extraInRequest),
  claudeRule('request-beta-field', BETA_SDK, betaMissing),
  claudeRule('message-extra-field', SDK, ({ body }) =>
    firstProblem([...claudeMessagesOf(body).entries()], ([index, message]) =>
      extraOf(message, message['role'] === 'system' ? SYSTEM_MESSAGE_FIELDS : MESSAGE_FIELDS, `messages.${index}`),
    ),
  ),
  claudeRule('block-type-unknown', SDK, ({ body }) =>
    firstProblem(placedBlocks(body), ({ type, place }) => {
      const tags = [...Object.keys(BLOCK_FIELDS), ...OTHER_BLOCKS].sort()
      if (tags.includes(type)) return null
      const expected = tags.map((tag) => `'${tag}'`).join(', ')
      return `${place}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${expected}`
    }),
  ),
  claudeRule('block-extra-field', SDK, ({ body }) =>
    firstProblem(placedBlocks(body), ({ block, type, place }) =>
      extraOf(block, lookUp(BLOCK_FIELDS, type), `${place}.${type}`),
    ),
  ),
  claudeRule('system-extra-field', SDK, ({ body }) =>
    firstProblem([...blocksOf(body['system']).entries()], ([index, block]) =>
      extraOf(block, lookUp(BLOCK_FIELDS, 'text'), `system.${index}`),
    ),
  ),
  claudeRule('source-extra-field', SDK, ({ body }) =>
    firstProblem(placedBlocks(body), ({ block, type, place }) => {
      if (type !== 'image' && type !== 'document') return null
      const kind = sentText(asRecord(block['source'])?.['type'])
      return extraOf(block['source'], lookUp(SOURCE_FIELDS, kind), `${place}.${type}.source.${kind}`)
    }),
  ),
  claudeRule('tool-extra-field', SDK, ({ body }) =>
    firstProblem([...blocksOf(body['tools']).entries()], ([index, tool]) =>
      tool['type'] == null || tool['type'] === 'custom' ? extraOf(tool, TOOL_FIELDS, `tools.${index}.custom`) : null,
    ),
  ),
  claudeRule('tool-choice-extra-field', SDK, ({ body }) => {
    const kind = sentText(asRecord(body['tool_choice'])?.['type'])
    return extraOf(body['tool_choice'], lookUp(CHOICE_FIELDS, kind), `tool_choice.${kind}`)
  }),
  claudeRule('thinking-extra-field', SDK, ({ body }) => {
    const kind = sentText(asRecord(body['thinking'])?.['type'])
    return extraOf(body['thinking'], lookUp(THINKING_FIELDS, kind), `thinking.${kind}`)
  }),
  claudeRule('output-config-extra-field', SDK, ({ body }) =>
    extraOf(body['output_config'], ['effort', 'format', 'task_budget'], 'output_config'),
  ),
  claudeRule('metadata-extra-field', SDK, ({ body }) => extraOf(body['metadata'], ['user_id'], 'metadata')),
]
