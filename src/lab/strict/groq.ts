/** Groq. https://console.groq.com/docs/openai#currently-unsupported-openai-features */

import { asArray, asRecord } from '../../domain/json.ts'
import { firstPart, isSet, messagesOf, type Placed, roleOf, unknownField, word } from './chatBody.ts'
import { lookUp } from './lookUp.ts'
import { jsonWord } from './openaiFormats.ts'
import type { StrictRefusal } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean))

/** From `groq-sdk` 1.6, and `stream_options`, which the service takes from OpenAI's clients. `store` is refused. */
const FIELDS = set(`
  messages model citation_options compound_custom disable_tool_validation documents exclude_domains frequency_penalty
  function_call functions include_domains include_reasoning logit_bias logprobs max_completion_tokens max_tokens
  metadata n parallel_tool_calls presence_penalty reasoning_effort reasoning_format response_format search_settings seed
  service_tier stop stream stream_options temperature tool_choice tools top_logprobs top_p user
`)

const MESSAGE_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: set('content role'),
  developer: set('content role'),
  user: set('content role'),
  assistant: set('role content function_call reasoning tool_calls'),
  tool: set('content role tool_call_id'),
  function: set('content role name'),
}

const REASONERS = /gpt-oss|qwen3|deepseek-r1/
const SCHEMA_MODELS = /gpt-oss|kimi|llama-4/
const MOST_TOOLS = 128
const HOTTEST = 2
/** Not those of https://console.groq.com/docs/vision; of a name that is not known nothing is refused. */
const TEXT_ONLY = /gpt-oss|llama-?3|kimi-k2|qwen3-32b|allam/

/** The first that matches. */
const EFFORTS: readonly (readonly [models: RegExp, words: string, values: readonly string[]])[] = [
  [/gpt-oss/, '`low`, `medium`, or `high`', ['low', 'medium', 'high']],
  [/qwen3\.8/, '`none`, `default`, `low`, `medium`, or `high`', ['none', 'default', 'low', 'medium', 'high']],
  [/qwen3/, '`none` or `default`', ['none', 'default']],
]

const rules = ruleTable('2026-11-29', {
  'field-unknown': {
    source: 'https://github.com/fanenr/chatbot/issues/21',
    refuse: ({ body }) => {
      const name = unknownField(body, FIELDS)
      return name === null ? null : refused(`property '${name}' is unsupported`)
    },
  },
  'logprobs-unsupported': {
    source: 'https://console.groq.com/docs/openai#currently-unsupported-openai-features',
    refuse: ({ body }) =>
      first(['logprobs', 'top_logprobs', 'logit_bias'], (name) =>
        isSet(body[name]) && body[name] !== false ? refused(`\`${name}\` is not supported with this model`) : null,
      ),
  },
  // The range is documented; callers were told the first two sentences, and the third has their form.
  'temperature-range': {
    source: 'https://console.groq.com/docs/api-reference#chat-create',
    refuse: ({ body: { temperature } }) => wrongTemperature(temperature),
  },
  // The limit is documented; the sentence is what callers were told.
  'one-choice': {
    source: 'https://console.groq.com/docs/openai#currently-unsupported-openai-features',
    refuse: ({ body }) => (isSet(body['n']) && body['n'] !== 1 ? refused("'n' : number must be at most 1") : null),
  },
  // The limit is documented; the sentence has the form of its neighbours.
  'messages-empty': {
    source: 'https://console.groq.com/docs/api-reference#chat-create',
    refuse: ({ body }) =>
      asArray(body['messages'])?.length === 0 ? refused("'messages' : minimum number of items is 1") : null,
  },
  'message-field-unknown': {
    source: 'https://github.com/tashfeenahmed/freellmapi/issues/1070',
    refuse: ({ body }) => first(messagesOf(body), strangeField),
  },
  'image-without-eyes': {
    source: 'https://github.com/gptme/gptme/pull/896',
    refuse: ({ body, model }) => {
      const seen = TEXT_ONLY.test(model) ? firstPart(body, 'image_url') : null
      if (seen === null) return null
      const { index } = seen.message
      return refused(
        `'messages.${index}' : for 'role:${roleOf(seen.message)}' the following must be satisfied[('messages.${index}.content' : value must be a string)]`,
      )
    },
  },
  'reasoning-without-reasoner': {
    source: 'https://github.com/vercel/ai/pull/8057',
    refuse: ({ body, model }) =>
      REASONERS.test(model)
        ? null
        : first(messagesOf(body), ({ path, value }) =>
            value['reasoning'] === undefined
              ? null
              : refused(`${path}.reasoning: reasoning is not supported with this model`),
          ),
  },
  'tool-call-id-missing': {
    source: 'https://console.groq.com/docs/api-reference#chat-create',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        roleOf(message) === 'tool' && !isSet(message.value['tool_call_id'])
          ? refused(unsatisfied(message, `property 'tool_call_id' is missing`))
          : null,
      ),
  },
  'tools-too-many': {
    source: 'https://github.com/gsd-build/gsd-2/issues/4376',
    refuse: ({ body }) =>
      (asArray(body['tools'])?.length ?? 0) > MOST_TOOLS
        ? refused(`'tools' : maximum number of items is ${MOST_TOOLS}`)
        : null,
  },
  'effort-value': {
    source: 'https://console.groq.com/docs/reasoning#reasoning-effort',
    refuse: ({ body, model }) => {
      const effort = body['reasoning_effort']
      if (!isSet(effort)) return null
      const known = EFFORTS.find(([models]) => models.test(model))
      if (known === undefined) return refused('`reasoning_effort` is not supported with this model')
      const [, words, values] = known
      return values.includes(word(effort)) ? null : refused(`\`reasoning_effort\` must be one of ${words}`)
    },
  },
  'schema-unsupported': {
    source: 'https://console.groq.com/docs/structured-outputs#supported-models',
    refuse: ({ body, model }) =>
      asRecord(body['response_format'])?.['type'] === 'json_schema' && !SCHEMA_MODELS.test(model)
        ? refused('This model does not support response format `json_schema`.')
        : null,
  },
  // The sentence is OpenAI's, word for word.
  'json-word': {
    source: 'https://github.com/vercel/ai/pull/7508',
    refuse: (request) => {
      const openai = jsonWord(request)
      return openai === null ? null : refused(JSON_WORD)
    },
  },
})

export const groqRules: ServiceRules = { service: 'groq', rules: onPath('/chat/completions', rules) }

const JSON_WORD =
  "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."

function refused(message: string): StrictRefusal {
  return { status: 400, body: { error: { message, type: 'invalid_request_error' } } }
}

/** That it must be a number: https://github.com/ai-shifu/ChatALL/issues/901 */
function wrongTemperature(temperature: unknown): StrictRefusal | null {
  if (!isSet(temperature)) return null
  if (typeof temperature !== 'number') return refused("'temperature' : value must be a number")
  if (temperature > HOTTEST) return refused(`'temperature' : number must be at most ${HOTTEST}`)
  return temperature < 0 ? refused("'temperature' : number must be at least 0") : null
}

function unsatisfied(message: Placed, fault: string): string {
  const at = `'messages.${message.index}'`
  return `${at} : for 'role:${roleOf(message)}' the following must be satisfied[(${at} : ${fault})]`
}

function strangeField(message: Placed): StrictRefusal | null {
  const known = lookUp(MESSAGE_FIELDS, roleOf(message))
  const name = known === undefined ? null : unknownField(message.value, known)
  return name === null ? null : refused(unsatisfied(message, `property '${name}' is unsupported`))
}
