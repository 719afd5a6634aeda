/** DeepSeek. https://api-docs.deepseek.com/api/create-chat-completion, https://api-docs.deepseek.com/guides/thinking_mode */

import { asArray, asRecord, asString } from '../../domain/json.ts'
import {
  allWords,
  callsOf,
  isSet,
  messagesOf,
  type Placed,
  partsOf,
  roleOf,
  toolsOf,
  within,
  word,
} from './chatBody.ts'
import { NAME_PATTERN } from './openaiWords.ts'
import { repeated } from './repeated.ts'
import type { StrictRefusal } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

const ROLES = ['system', 'user', 'assistant', 'tool', 'latest_reminder']
const EFFORTS = ['high', 'low', 'medium', 'max', 'xhigh']
const MOST_TOKENS = 393_216

const rules = ruleTable('2026-11-29', {
  'role-unknown': {
    source: 'https://github.com/theopenco/llmgateway/pull/3462',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        ROLES.includes(roleOf(message))
          ? null
          : unreadable(body, `${message.path}.role: unknown variant \`${roleOf(message)}\`, expected ${oneOf(ROLES)}`),
      ),
  },
  'part-type-unknown': {
    source: 'https://github.com/1jehuang/jcode/issues/310',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        first(partsOf(message), ({ value: { type } }) =>
          type === 'text'
            ? null
            : unreadable(body, `${message.path}: unknown variant \`${word(type)}\`, expected \`text\``),
        ),
      ),
  },
  'effort-value': {
    source: 'https://github.com/bytedance/deer-flow/pull/3309',
    refuse: ({ body }) => {
      const effort = body['reasoning_effort']
      if (!isSet(effort) || EFFORTS.includes(word(effort))) return null
      return unreadable(body, `reasoning_effort: unknown variant \`${word(effort)}\`, expected ${oneOf(EFFORTS)}`)
    },
  },
  'call-id-missing': {
    source: 'https://github.com/esengine/DeepSeek-Reasonix/pull/713',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) => {
        if (callsOf(message).some((call) => !isSet(call.value['id'])))
          return unreadable(body, `${message.path}: missing field \`id\``)
        const isNameless = roleOf(message) === 'tool' && !isSet(message.value['tool_call_id'])
        return isNameless ? unreadable(body, `${message.path}: missing field \`tool_call_id\``) : null
      }),
  },
  'output-tokens': {
    source: 'https://api-docs.deepseek.com/api/create-chat-completion',
    refuse: ({ body: { max_tokens: tokens } }) =>
      typeof tokens === 'number' && (tokens < 1 || tokens > MOST_TOKENS)
        ? refused(`Invalid max_tokens value, the valid range of max_tokens is [1, ${MOST_TOKENS}]`)
        : null,
  },
  'array-empty': {
    source: 'https://api-docs.deepseek.com/api/create-chat-completion',
    refuse: ({ body }) =>
      asArray(body['tools'])?.length === 0
        ? refused(empty('tools'))
        : first(messagesOf(body), ({ path, value }) =>
            asArray(value['tool_calls'])?.length === 0 ? refused(empty(`${path}.tool_calls`)) : null,
          ),
  },
  'tool-name': {
    source: 'https://github.com/nikkigallery/Whimbox/issues/61',
    refuse: ({ body }) =>
      first(toolsOf(body), (tool) => {
        const name = within(tool, 'function')?.value['name']
        if (typeof name !== 'string' || new RegExp(NAME_PATTERN).test(name)) return null
        return refused(
          `Invalid '${tool.path}.function.name': string does not match pattern. Expected a string that matches the pattern '${NAME_PATTERN}'.`,
        )
      }),
  },
  'top-logprobs-without-logprobs': {
    source: 'https://api-docs.deepseek.com/api/create-chat-completion',
    refuse: ({ body }) =>
      isSet(body['top_logprobs']) && body['logprobs'] !== true
        ? refused('Invalid top_logprobs and logprobs value, logprobs must be set to true if top_logprobs is used.')
        : null,
  },
  'schema-unsupported': {
    source: 'https://github.com/llm-exe/llm-exe/issues/662',
    refuse: ({ body }) =>
      formatOf(body) === 'json_schema' ? refused('This response_format type is unavailable now') : null,
  },
  'json-word': {
    source: 'https://github.com/browserbase/stagehand/issues/1204',
    refuse: ({ body }) =>
      formatOf(body) === 'json_object' && !/json/i.test(allWords(body['messages']))
        ? refused("Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.")
        : null,
  },
  'forced-tool-while-thinking': {
    source: 'https://api-docs.deepseek.com/guides/thinking_mode',
    refuse: ({ body, model }) => {
      const choice = body['tool_choice']
      const isForced = choice === 'required' || asRecord(choice) !== undefined
      return isForced && thinks(body, model) ? refused('Thinking mode does not support this tool_choice') : null
    },
  },
  // OpenAI counts one turn, DeepSeek the whole conversation.
  'call-id-duplicate': {
    source: 'https://github.com/craft-ai-agents/craft-agents-oss/issues/630',
    refuse: ({ body }) => duplicateId(messagesOf(body)),
  },
  'tool-results-missing': {
    source: 'https://github.com/bytedance/deer-flow/issues/2809',
    refuse: ({ body }) => (isAnswered(messagesOf(body)) ? null : refused(UNANSWERED)),
  },
  'tool-result-orphan': {
    source: 'https://github.com/FoundationAgents/OpenManus/issues/744',
    refuse: ({ body }) => (hasOrphan(messagesOf(body)) ? refused(ORPHAN) : null),
  },
  'reasoning-not-sent-back': {
    source: 'https://github.com/mnfst/modelparams.dev/issues/29',
    refuse: ({ body, model }) =>
      thinks(body, model) && messagesOf(body).some(forgetsReasoning)
        ? refused('The `reasoning_content` in the thinking mode must be passed back to the API.')
        : null,
  },
})

export const deepseekRules: ServiceRules = { service: 'deepseek', rules: onPath('/chat/completions', rules) }

const UNANSWERED =
  "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. (insufficient tool messages following tool_calls message)"
const ORPHAN = "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'"

type Body = Readonly<Record<string, unknown>>

function refused(message: string): StrictRefusal {
  const error = { message, type: 'invalid_request_error', param: null, code: 'invalid_request_error' }
  return { status: 400, body: { error } }
}

/** The parser says where it stopped; here that is the end of what was sent. */
function unreadable(body: Body, fault: string): StrictRefusal {
  const column = JSON.stringify(body).length
  return refused(`Failed to deserialize the JSON body into the target type: ${fault} at line 1 column ${column}`)
}

const oneOf = (values: readonly string[]) => `one of ${values.map((value) => `\`${value}\``).join(', ')}`

const empty = (path: string) =>
  `Invalid '${path}': empty array. Expected an array with minimum length 1, but got an empty array instead.`

const formatOf = (body: Body) => asRecord(body['response_format'])?.['type']

/** Since V4 every model thinks unless it is told not to. */
function thinks(body: Body, model: string): boolean {
  return asRecord(body['thinking'])?.['type'] !== 'disabled' && /^deepseek-(?:v4|reasoner)/.test(model)
}

const forgetsReasoning = (message: Placed) =>
  callsOf(message).length > 0 && typeof message.value['reasoning_content'] !== 'string'

function duplicateId(messages: readonly Placed[]): StrictRefusal | null {
  const results = messages.filter((message) => roleOf(message) === 'tool')
  const ids = results.map((message) => asString(message.value['tool_call_id']) ?? '')
  const id = repeated(ids)
  if (id === null) return null
  return refused(`Duplicate value for 'tool_call_id' of ${id} in message[${results[ids.lastIndexOf(id)]?.index}]`)
}

function isAnswered(messages: readonly Placed[]): boolean {
  return messages.every((turn, index) => {
    const rest = messages.slice(index + 1)
    const end = rest.findIndex((message) => roleOf(message) !== 'tool')
    const answers = new Set((end === -1 ? rest : rest.slice(0, end)).map(({ value }) => value['tool_call_id']))
    return callsOf(turn).every((call) => answers.has(call.value['id']))
  })
}

function hasOrphan(messages: readonly Placed[]): boolean {
  return messages.some((message, index) => {
    if (roleOf(message) !== 'tool') return false
    const turn = messages.slice(0, index).findLast((before) => roleOf(before) !== 'tool')
    return turn === undefined || callsOf(turn).length === 0
  })
}
