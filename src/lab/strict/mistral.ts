/**
 * Mistral: a schema that forbids what it does not know, and an order of messages that is checked.
 * https://docs.mistral.ai/api, https://github.com/mistralai/mistral-common (`protocol/instruct/validator.py`)
 */

import { asString } from '../../domain/json.ts'
import {
  callsOf,
  firstPart,
  isSet,
  messagesOf,
  type Placed,
  partsOf,
  roleOf,
  toolsOf,
  unknownField,
  within,
  word,
} from './chatBody.ts'
import { lookUp } from './lookUp.ts'
import type { StrictRefusal } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/).filter(Boolean))

const FIELDS = set(`
  model temperature top_p max_tokens stream stop random_seed metadata messages response_format tools tool_choice
  presence_penalty frequency_penalty n prediction parallel_tool_calls prompt_mode reasoning_effort guardrails safe_prompt
`)

const MESSAGE_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  system: set('content role'),
  user: set('content role'),
  assistant: set('content tool_calls prefix role'),
  tool: set('content tool_call_id name role'),
}

const CALL_FIELDS = set('id type function index')
const TOOL_FIELDS = set('type function')
const FUNCTION_FIELDS = set('name description strict parameters')
const PARTS = ['text', 'image_url', 'document_url', 'reference', 'file', 'thinking', 'input_audio']
const ROLES = ['system', 'user', 'assistant', 'tool']
const HOTTEST = 1.5
/** The generations before those of https://docs.mistral.ai/capabilities/vision, and the models for code. */
const TEXT_ONLY = /codestral|mistral-nemo|mixtral|mistral-saba|mistral-large-24|ministral-\db-24/

/** What may follow a role. */
const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  system: ['user', 'assistant', 'system'],
  user: ['assistant', 'system', 'user'],
  assistant: ['assistant', 'user', 'tool'],
  tool: ['assistant', 'tool'],
}

const VALIDATOR =
  'https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py'

const rules = ruleTable('2026-11-29', {
  'field-unknown': {
    source: 'https://github.com/editor-code-assistant/eca/issues/231',
    refuse: ({ body }) => forbidden(body, FIELDS, ['body']),
  },
  'temperature-range': {
    source: 'https://docs.mistral.ai/api/#tag/chat/operation/chat_completion_v1_chat_completions_post',
    refuse: ({ body: { temperature } }) =>
      typeof temperature === 'number' && temperature > HOTTEST
        ? unprocessable(
            'less_than_equal',
            ['body', 'temperature'],
            `Input should be less than or equal to ${HOTTEST}`,
            temperature,
          )
        : null,
  },
  'effort-value': {
    source: 'https://docs.mistral.ai/capabilities/reasoning/adjustable',
    refuse: ({ body: { reasoning_effort: effort }, model }) =>
      !isSet(effort) || !/-(?:small|medium)-/.test(model) || ['none', 'high'].includes(word(effort))
        ? null
        : unprocessable('enum', ['body', 'reasoning_effort'], "Input should be 'none' or 'high'", effort),
  },
  'role-unknown': {
    source: 'https://github.com/bramses/chatgpt-md/issues/189',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        ROLES.includes(roleOf(message))
          ? null
          : wrongTag('role', roleOf(message), ROLES, ['body', 'messages', message.index], message.value),
      ),
  },
  'message-field-unknown': {
    source: 'https://github.com/BerriAI/litellm/issues/30835',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        forbidden(message.value, lookUp(MESSAGE_FIELDS, roleOf(message)), [
          'body',
          'messages',
          message.index,
          roleOf(message),
        ]),
      ),
  },
  'call-field-unknown': {
    source: 'https://github.com/zeroclaw-labs/zeroclaw/issues/2693',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        first(callsOf(message), (call) =>
          forbidden(call.value, CALL_FIELDS, [
            'body',
            'messages',
            message.index,
            'assistant',
            'tool_calls',
            call.index,
          ]),
        ),
      ),
  },
  'part-type-unknown': {
    source: 'https://docs.mistral.ai/api/#tag/chat/operation/chat_completion_v1_chat_completions_post',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) =>
        first(partsOf(message), ({ index, value }) => {
          const type = word(value['type'])
          const at = ['body', 'messages', message.index, roleOf(message), 'content', index]
          return PARTS.includes(type) ? null : wrongTag('type', type, PARTS, at, value)
        }),
      ),
  },
  'tool-field-unknown': {
    source: 'https://docs.mistral.ai/api/#tag/chat/operation/chat_completion_v1_chat_completions_post',
    refuse: ({ body }) =>
      first(toolsOf(body), (tool) => {
        const definition = within(tool, 'function')
        const at = ['body', 'tools', tool.index]
        return (
          forbidden(tool.value, TOOL_FIELDS, at) ??
          forbidden(definition?.value ?? {}, FUNCTION_FIELDS, [...at, 'function'])
        )
      }),
  },
  'messages-empty': {
    source: VALIDATOR,
    refuse: ({ body }) =>
      isSet(body['messages']) && messagesOf(body).length === 0
        ? wrongOrder('Conversation must have at least one message')
        : null,
  },
  'last-role': {
    source: 'https://github.com/0xPlaygrounds/rig/pull/1130',
    refuse: ({ body }) => {
      const last = messagesOf(body).at(-1)
      if (last === undefined || roleOf(last) !== 'assistant' || last.value['prefix'] === true) return null
      return wrongOrder('Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant')
    },
  },
  'role-order': {
    source: 'https://github.com/avante-corp/avante.nvim/pull/2695',
    refuse: ({ body }) => {
      const messages = messagesOf(body)
      return first(messages.slice(1), (message, index) => {
        const before = roleOf(messages[index] ?? message)
        if (lookUp(FOLLOWERS, before)?.includes(roleOf(message)) !== false) return null
        return wrongOrder(`Unexpected role '${roleOf(message)}' after role '${before}'`)
      })
    },
  },
  'call-count': {
    source: 'https://github.com/mistralai/client-ts/issues/106',
    refuse: ({ body }) => (isBalanced(messagesOf(body)) ? null : wrongOrder(UNBALANCED)),
  },
  'assistant-empty': {
    source: 'https://github.com/OpenHands/OpenHands/issues/8685',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) => {
        const { content } = message.value
        const isSaid = typeof content === 'string' ? content !== '' : isSet(content)
        if (roleOf(message) !== 'assistant' || isSaid || callsOf(message).length > 0) return null
        return refused(
          'Assistant message must have either content or tool_calls, but not none.',
          'invalid_request_error',
          null,
        )
      }),
  },
  // Which models read images is documented; the sentence and its code are what callers were told.
  'image-without-eyes': {
    source: 'https://docs.mistral.ai/capabilities/vision',
    refuse: ({ body, model }) =>
      TEXT_ONLY.test(model) && firstPart(body, 'image_url') !== null
        ? refused('Image input is not enabled for this model', 'invalid_request_error', '3051')
        : null,
  },
  'call-id': {
    source: 'https://github.com/nearai/ironclaw/issues/1241',
    refuse: ({ body }) => first(messagesOf(body).flatMap(idsOf), wrongId),
  },
  'function-name': {
    source: VALIDATOR,
    refuse: ({ body }) => first([...toolsOf(body), ...messagesOf(body).flatMap(callsOf)], wrongName),
  },
})

export const mistralRules: ServiceRules = { service: 'mistral', rules: onPath('/chat/completions', rules) }

const EMBEDDING_FIELDS = set('model input metadata output_dimension output_dtype encoding_format')
const MEASURED = 'https://github.com/garrytan/gbrain/pull/3001'

export const mistralEmbeddingRules = onPath(
  '/embeddings',
  ruleTable('2026-11-30', {
    'embedding-field-unknown': { source: MEASURED, refuse: ({ body }) => forbidden(body, EMBEDDING_FIELDS, ['body']) },
    // That it is refused is reported, with these words among others.
    'embedding-dimension': {
      source: MEASURED,
      refuse: ({ model, body }) =>
        isSet(body['output_dimension']) && /^mistral-embed/.test(model)
          ? refused(`Model ${model} does not support output_dimension`, 'invalid_request_error', null)
          : null,
    },
  }),
)

const UNBALANCED = 'Not the same number of function calls and responses'

type Fields = Readonly<Record<string, unknown>>
type Place = readonly (string | number)[]

function unprocessable(type: string, loc: Place, msg: string, input: unknown): StrictRefusal {
  return { status: 422, body: { detail: [{ type, loc, msg, input }] } }
}

function forbidden(fields: Fields, known: ReadonlySet<string> | undefined, at: Place): StrictRefusal | null {
  const name = known === undefined ? null : unknownField(fields, known)
  if (name === null) return null
  return unprocessable('extra_forbidden', [...at, name], 'Extra inputs are not permitted', fields[name])
}

function wrongTag(tag: string, got: string, expected: readonly string[], at: Place, input: unknown): StrictRefusal {
  const tags = expected.map((name) => `'${name}'`).join(', ')
  const words = `Input tag '${got}' found using '${tag}' does not match any of the expected tags: ${tags}`
  return unprocessable('union_tag_invalid', at, words, input)
}

function refused(message: string, type: string, code: string | null): StrictRefusal {
  return { status: 400, body: { object: 'error', message, type, param: null, code } }
}

const wrongOrder = (message: string) => refused(message, 'invalid_request_message_order', '3230')
const wrongCall = (message: string) => refused(message, 'invalid_function_call', '3280')

/** Before an assistant speaks again, and at the end, every call has its result. */
function isBalanced(messages: readonly Placed[]): boolean {
  let open = 0
  for (const message of messages) {
    if (roleOf(message) === 'tool') open--
    if (roleOf(message) !== 'assistant') continue
    if (open !== 0) return false
    open = callsOf(message).length
  }
  return open === 0
}

function idsOf(message: Placed): string[] {
  const ids = callsOf(message).map((call) => asString(call.value['id']) ?? '')
  return roleOf(message) === 'tool' ? [...ids, asString(message.value['tool_call_id']) ?? ''] : ids
}

function wrongId(id: string): StrictRefusal | null {
  if (/^[a-zA-Z0-9]{9}$/.test(id)) return null
  return wrongCall(`Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`)
}

function wrongName(place: Placed): StrictRefusal | null {
  const name = within(place, 'function')?.value['name']
  if (typeof name !== 'string' || /^[a-zA-Z0-9_-]{1,64}$/.test(name)) return null
  return wrongCall(
    `Function name was ${name} but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64.`,
  )
}
