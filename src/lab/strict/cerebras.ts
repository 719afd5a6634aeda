/** Cerebras. https://inference-docs.cerebras.ai/api-reference/chat-completions */

import { asRecord } from '../../domain/json.ts'
import { firstPart, isSet, messagesOf, roleOf, toolsOf, unknownField, within, word } from './chatBody.ts'
import { lookUp } from './lookUp.ts'
import type { StrictRefusal } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean))

const FIELDS = set(`
  model messages clear_thinking disable_reasoning logprobs max_completion_tokens max_tokens n parallel_tool_calls
  prediction prompt_cache_key reasoning_effort reasoning_format response_format seed service_tier stop stream
  stream_options temperature tool_choice tools top_logprobs top_p user
`)

const MESSAGE_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: set('content role name'),
  developer: set('content role name'),
  user: set('content role name'),
  assistant: set('content role name reasoning tool_calls'),
  tool: set('content role name tool_call_id'),
}

/** Others than https://inference-docs.cerebras.ai/capabilities/image-inputs names; unknown names are left alone. */
const TEXT_ONLY = /gpt-oss|llama-?3|zai-glm|qwen-3-/

const rules = ruleTable('2026-11-29', {
  'field-unknown': {
    source: 'https://inference-docs.cerebras.ai/resources/openai',
    refuse: ({ body }) => {
      const name = unknownField(body, FIELDS)
      return name === null ? null : wrongFormat(`${name}: property '${name}' is unsupported`)
    },
  },
  'message-field-unknown': {
    source: 'https://github.com/CherryHQ/cherry-studio/issues/16790',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) => {
        const known = lookUp(MESSAGE_FIELDS, roleOf(message))
        const name = known === undefined ? null : unknownField(message.value, known)
        if (name === null) return null
        const path = `messages.${message.index}.${roleOf(message)}.${name}`
        return wrongFormat(`${path}: property '${path}' is unsupported`)
      }),
  },
  // The sentence is what a caller was told on 2026-08-27; the rest of the body has the form of its neighbours.
  'image-without-eyes': {
    source: 'https://inference-docs.cerebras.ai/capabilities/image-inputs',
    refuse: ({ body, model }) =>
      TEXT_ONLY.test(model) && firstPart(body, 'image_url') !== null
        ? wrongFormat("Content type 'image_url' is not supported by selected model")
        : null,
  },
  'temperature-range': {
    source: 'https://inference-docs.cerebras.ai/api-reference/chat-completions',
    refuse: ({ body: { temperature } }) =>
      typeof temperature === 'number' && temperature > 2
        ? wrongFormat('temperature: Input should be less than or equal to 2')
        : null,
  },
  'effort-value': {
    source: 'https://docs.rs/crate/harn-vm/0.8.78/source/src/llm/capability_sources/20-providers/80-cerebras.toml',
    refuse: ({ body: { reasoning_effort: effort }, model }) =>
      !isSet(effort) || !/gpt-oss/.test(model) || ['low', 'medium', 'high'].includes(word(effort))
        ? null
        : wrongFormat("reasoning_effort: Input should be 'low', 'medium' or 'high'"),
  },
  'strict-schema': {
    source: 'https://inference-docs.cerebras.ai/capabilities/structured-outputs',
    refuse: ({ body }) => {
      const format = asRecord(asRecord(body['response_format'])?.['json_schema'])
      if (format?.['strict'] === true && isOpen(format['schema'])) return wrongFormat(OPEN_OBJECT, 'response_format')
      const strict = toolsOf(body).flatMap((tool) => within(tool, 'function') ?? [])
      return strict.some(({ value }) => value['strict'] === true && isOpen(value['parameters']))
        ? wrongFormat(OPEN_OBJECT, 'tools')
        : null
    },
  },
})

export const cerebrasRules: ServiceRules = { service: 'cerebras', rules: onPath('/chat/completions', rules) }

const OPEN_OBJECT = "Object fields require at least one of: 'properties' or 'anyOf' with a list of possible properties."

function wrongFormat(message: string, param = 'validation_error'): StrictRefusal {
  return { status: 400, body: { message, type: 'invalid_request_error', param, code: 'wrong_api_format' } }
}

/** Somewhere in the schema is an object that does not say what it holds. */
function isOpen(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isOpen)
  const schema = asRecord(value)
  if (schema === undefined) return false
  if (schema['type'] === 'object' && schema['properties'] === undefined && schema['anyOf'] === undefined) return true
  return Object.values(schema).some(isOpen)
}
