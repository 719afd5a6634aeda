/** What the services that imitate OpenAI refuse and take, each in its own words, row by row. */

import { describe, expect, test } from 'vitest'
import {
  call,
  calls,
  closed,
  HI,
  many,
  object,
  result,
  say,
  schema,
  talk,
  tool,
  withTool,
} from '../../../test/support/chatBodies.ts'
import { casesOf, firstRefusal, type StrictRow, testTable } from '../../../test/support/strictTable.ts'
import { cerebrasRules } from './cerebras.ts'
import { cohereRules } from './cohere.ts'
import { deepseekRules } from './deepseek.ts'
import { groqRules } from './groq.ts'
import { imitationRules } from './imitation.ts'
import { mistralEmbeddingRules, mistralRules } from './mistral.ts'
import { openrouterRules } from './openrouter.ts'
import type { Rule, StrictRequest } from './rule.ts'
import { xaiRules } from './xai.ts'

type Body = Readonly<Record<string, unknown>>

const asking =
  (service: string, model: string) =>
  (fields: Body): StrictRequest => {
    const body = { model, messages: [HI], ...fields }
    return { service, model: String(body.model), path: '/chat/completions', headers: {}, body }
  }

function check(service: string, model: string, rules: readonly Rule[], rows: readonly StrictRow[]): void {
  describe(service, () => {
    const ask = asking(service, model)
    testTable(rules, casesOf(rows, ask))

    test('takes a whole conversation with tools', () => {
      const conversation = {
        messages: [
          { role: 'system', content: 'Be brief' },
          HI,
          { ...calls(call('abcdefgh1'), call('abcdefgh2')), content: '', ...thinking(service) },
          result('abcdefgh1'),
          result('abcdefgh2'),
          { role: 'assistant', content: 'A dot' },
          HI,
        ],
        ...withTool({ description: 'Looks', parameters: object({ type: 'string' }) }),
        tool_choice: 'auto',
        temperature: 0.5,
        stream: true,
      }
      expect(firstRefusal(rules, ask(conversation))).toBeNull()
    })
  })
}

/** DeepSeek wants its thoughts back. */
const thinking = (service: string) => (service === 'deepseek' ? { reasoning_content: 'Hm' } : {})

const ID = 'abcdefgh1'
const assistant = (more: Body) => ({ role: 'assistant', content: 'Yes', ...more })
const JSON_MODE = { response_format: { type: 'json_object' } }
const IMAGE = say([{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }])
const OPEN = { type: 'object', additionalProperties: false }

check('groq', 'openai/gpt-oss-120b', groqRules.rules, [
  ['field-unknown', "property 'store' is unsupported", { store: true }, { user: 'ada' }],
  ['field-unknown', "property 'top_k' is unsupported", { top_k: 4 }, { top_p: 0.4 }],
  ['logprobs-unsupported', '`logprobs` is not supported with this model', { logprobs: true }, { logprobs: false }],
  ['temperature-range', "'temperature' : number must be at most 2", { temperature: 9 }, { temperature: 2 }],
  ['temperature-range', "'temperature' : number must be at least 0", { temperature: -1 }, { temperature: 0 }],
  ['temperature-range', "'temperature' : value must be a number", { temperature: '1' }, { temperature: 1 }],
  ['one-choice', "'n' : number must be at most 1", { n: 2 }, { n: 1 }],
  ['messages-empty', "'messages' : minimum number of items is 1", { messages: [] }, {}],
  [
    'message-field-unknown',
    "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]",
    talk(assistant({ reasoning_content: 'Hm' })),
    talk(assistant({ reasoning: 'Hm' })),
  ],
  [
    'image-without-eyes',
    "'messages.0' : for 'role:user' the following must be satisfied[('messages.0.content' : value must be a string)]",
    IMAGE,
    { model: 'qwen/qwen3.8-27b', ...IMAGE },
  ],
  [
    'reasoning-without-reasoner',
    'messages[1].reasoning: reasoning is not supported with this model',
    { model: 'llama-3.3-70b-versatile', ...talk(assistant({ reasoning: 'Hm' })) },
    talk(assistant({ reasoning: 'Hm' })),
  ],
  [
    'tool-call-id-missing',
    "'messages.2' : for 'role:tool' the following must be satisfied[('messages.2' : property 'tool_call_id' is missing)]",
    talk(calls(call(ID)), result(null)),
    talk(calls(call(ID)), result(ID)),
  ],
  [
    'tools-too-many',
    "'tools' : maximum number of items is 128",
    { tools: many(129, tool()) },
    { tools: many(128, tool()) },
  ],
  [
    'effort-value',
    '`reasoning_effort` must be one of `low`, `medium`, or `high`',
    { reasoning_effort: 'minimal' },
    { reasoning_effort: 'low' },
  ],
  [
    'effort-value',
    '`reasoning_effort` is not supported with this model',
    { model: 'llama-3.3-70b-versatile', reasoning_effort: 'low' },
    { model: 'llama-3.3-70b-versatile' },
  ],
  [
    'schema-unsupported',
    'This model does not support response format `json_schema`.',
    { model: 'llama-3.3-70b-versatile', ...schema({ name: 'a', schema: {} }) },
    schema({ name: 'a', schema: {} }),
  ],
  [
    'json-word',
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    JSON_MODE,
    { ...JSON_MODE, ...say('As json') },
  ],
])

check('cerebras', 'gpt-oss-120b', cerebrasRules.rules, [
  [
    'field-unknown',
    "frequency_penalty: property 'frequency_penalty' is unsupported",
    { frequency_penalty: 1 },
    { top_p: 0.4 },
  ],
  [
    'message-field-unknown',
    "messages.1.assistant.reasoning_content: property 'messages.1.assistant.reasoning_content' is unsupported",
    talk(assistant({ reasoning_content: 'Hm' })),
    talk(assistant({ reasoning: 'Hm' })),
  ],
  [
    'effort-value',
    "reasoning_effort: Input should be 'low', 'medium' or 'high'",
    { reasoning_effort: 'none' },
    { reasoning_effort: 'low' },
  ],
  [
    'image-without-eyes',
    "Content type 'image_url' is not supported by selected model",
    IMAGE,
    { model: 'gemma-4-31b', ...IMAGE },
  ],
  [
    'temperature-range',
    'temperature: Input should be less than or equal to 2',
    { temperature: 2.1 },
    { temperature: 2 },
  ],
  [
    'strict-schema',
    "Object fields require at least one of: 'properties' or 'anyOf' with a list of possible properties.",
    schema({ name: 'a', strict: true, schema: OPEN }),
    schema({ name: 'a', strict: false, schema: OPEN }),
  ],
  [
    'strict-schema',
    "Object fields require at least one of: 'properties' or 'anyOf' with a list of possible properties.",
    withTool({ strict: true, parameters: object({ type: 'object' }, closed) }),
    withTool({ strict: true, parameters: object({ type: 'string' }, closed) }),
  ],
])

const EXTRA = 'Extra inputs are not permitted'
const ORDER = 'Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant'
const UNBALANCED = 'Not the same number of function calls and responses'

check('mistral', 'mistral-large-latest', mistralRules.rules, [
  ['field-unknown', EXTRA, { seed: 1 }, { random_seed: 1 }, 422],
  ['field-unknown', EXTRA, { user: 'ada' }, { metadata: { user: 'ada' } }, 422],
  [
    'effort-value',
    "Input should be 'none' or 'high'",
    { model: 'mistral-small-2603', reasoning_effort: 'low' },
    { model: 'mistral-small-2603', reasoning_effort: 'high' },
    422,
  ],
  ['temperature-range', 'Input should be less than or equal to 1.5', { temperature: 1.6 }, { temperature: 1.5 }, 422],
  [
    'role-unknown',
    "Input tag 'developer' found using 'role' does not match any of the expected tags: 'system', 'user', 'assistant', 'tool'",
    say('Hi', 'developer'),
    say('Hi', 'system'),
    422,
  ],
  [
    'message-field-unknown',
    EXTRA,
    talk(assistant({ reasoning_content: 'Hm' }), HI),
    talk(assistant({ prefix: false }), HI),
    422,
  ],
  [
    'call-field-unknown',
    EXTRA,
    talk(calls(call(ID, { extra_content: {} })), result(ID)),
    talk(calls(call(ID, { index: 0 })), result(ID)),
    422,
  ],
  [
    'part-type-unknown',
    "Input tag 'video_url' found using 'type' does not match any of the expected tags: 'text', 'image_url', 'document_url', 'reference', 'file', 'thinking', 'input_audio'",
    say([{ type: 'video_url' }]),
    say([{ type: 'thinking', thinking: [] }]),
    422,
  ],
  ['tool-field-unknown', EXTRA, { tools: [tool({}, { cache_control: {} })] }, { tools: [tool({ strict: true })] }, 422],
  ['messages-empty', 'Conversation must have at least one message', { messages: [] }, {}],
  ['last-role', ORDER, talk(assistant({})), talk(assistant({ prefix: true }))],
  [
    'role-order',
    "Unexpected role 'user' after role 'tool'",
    talk(calls(call(ID)), result(ID), HI),
    talk(calls(call(ID)), result(ID), assistant({}), HI),
  ],
  [
    'role-order',
    "Unexpected role 'system' after role 'assistant'",
    talk(assistant({}), { role: 'system', content: 'Be brief' }, HI),
    talk({ role: 'system', content: 'Be brief' }, HI),
  ],
  [
    'call-count',
    UNBALANCED,
    talk(calls(call(ID), call('abcdefgh2')), result(ID)),
    talk(calls(call(ID), call('abcdefgh2')), result(ID), result('abcdefgh2')),
  ],
  [
    'assistant-empty',
    'Assistant message must have either content or tool_calls, but not none.',
    talk(assistant({ content: '' }), HI),
    talk(assistant({ content: ' ' }), HI),
  ],
  [
    'image-without-eyes',
    'Image input is not enabled for this model',
    { model: 'codestral-2508', ...IMAGE },
    { model: 'mistral-small-2603', ...IMAGE },
  ],
  [
    'call-id',
    'Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.',
    talk(calls(call('call_1')), result('call_1')),
    talk(calls(call(ID)), result(ID)),
  ],
  [
    'function-name',
    'Function name was a.b but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64.',
    withTool({ name: 'a.b' }),
    withTool({ name: 'a_b' }),
  ],
])

check('openrouter', 'meta-llama/llama-3.3-70b-instruct', openrouterRules.rules, [
  [
    'messages-missing',
    'Input required: specify "prompt" or "messages"',
    { messages: [] },
    { messages: null, prompt: 'Hi' },
  ],
  [
    'user-length',
    'user: Too big: expected string to have <=128 characters',
    { user: 'x'.repeat(129) },
    { user: 'x'.repeat(128) },
  ],
  [
    'reasoning-twice',
    'Only one of "reasoning.effort" and "reasoning.max_tokens" can be specified',
    { reasoning: { effort: 'low', max_tokens: 1024 } },
    { reasoning: { effort: 'low' } },
  ],
  [
    'openai-behind',
    'Provider returned error',
    { model: 'openai/gpt-4o', ...talk(result(ID)) },
    { model: 'openai/gpt-4o', ...talk(calls(call(ID)), result(ID)) },
  ],
  [
    'mistral-behind',
    'Provider returned error',
    { model: 'mistralai/mistral-large', ...talk(calls(call(ID)), result(ID), HI) },
    { model: 'mistralai/mistral-large', ...talk(calls(call(ID)), result(ID)) },
  ],
])

const MUST_FOLLOW =
  "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. (insufficient tool messages following tool_calls message)"
const THOUGHT = { reasoning_content: 'Hm' }
const thoughtful = (...all: unknown[]) => ({ ...calls(...all), ...THOUGHT })
const NO_THOUGHT = { thinking: { type: 'disabled' } }

/** The parser says at which letter it stopped: the end of the body. */
function unreadable(fault: string, fields: Body): string {
  const column = JSON.stringify({ model: 'deepseek-v4-flash', messages: [HI], ...fields }).length
  return `Failed to deserialize the JSON body into the target type: ${fault} at line 1 column ${column}`
}
const DEVELOPER = say('Hi', 'developer')
const MINIMAL = { reasoning_effort: 'minimal' }
const NAMELESS = talk(thoughtful(call(ID)), result(null))

check('deepseek', 'deepseek-v4-flash', deepseekRules.rules, [
  [
    'role-unknown',
    unreadable(
      'messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`, `latest_reminder`',
      DEVELOPER,
    ),
    DEVELOPER,
    say('Hi', 'system'),
  ],
  [
    'part-type-unknown',
    unreadable('messages[0]: unknown variant `image_url`, expected `text`', IMAGE),
    IMAGE,
    say([{ type: 'text', text: 'Hi' }]),
  ],
  [
    'effort-value',
    unreadable(
      'reasoning_effort: unknown variant `minimal`, expected one of `high`, `low`, `medium`, `max`, `xhigh`',
      MINIMAL,
    ),
    MINIMAL,
    { reasoning_effort: 'max' },
  ],
  [
    'call-id-missing',
    unreadable('messages[2]: missing field `tool_call_id`', NAMELESS),
    NAMELESS,
    talk(thoughtful(call(ID)), result(ID)),
  ],
  [
    'output-tokens',
    'Invalid max_tokens value, the valid range of max_tokens is [1, 393216]',
    { max_tokens: 400_000 },
    { max_tokens: 393_216 },
  ],
  [
    'array-empty',
    "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    { tools: [] },
    { tools: [tool()] },
  ],
  [
    'tool-name',
    "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
    withTool({ name: 'a.b' }),
    withTool({ name: 'a_b' }),
  ],
  [
    'top-logprobs-without-logprobs',
    'Invalid top_logprobs and logprobs value, logprobs must be set to true if top_logprobs is used.',
    { top_logprobs: 2 },
    { logprobs: true, top_logprobs: 2 },
  ],
  ['schema-unsupported', 'This response_format type is unavailable now', schema({ name: 'a' }), {}],
  [
    'json-word',
    "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
    JSON_MODE,
    { ...JSON_MODE, ...say('As JSON') },
  ],
  [
    'forced-tool-while-thinking',
    'Thinking mode does not support this tool_choice',
    withTool({}, { tool_choice: 'required' }),
    withTool({}, { tool_choice: 'required', ...NO_THOUGHT }),
  ],
  [
    'call-id-duplicate',
    "Duplicate value for 'tool_call_id' of abcdefgh1 in message[4]",
    talk(thoughtful(call(ID)), result(ID), thoughtful(call(ID)), result(ID)),
    talk(thoughtful(call(ID)), result(ID), thoughtful(call('abcdefgh2')), result('abcdefgh2')),
  ],
  [
    'tool-results-missing',
    MUST_FOLLOW,
    talk(thoughtful(call(ID), call('abcdefgh2')), result(ID)),
    talk(thoughtful(call(ID), call('abcdefgh2')), result(ID), result('abcdefgh2')),
  ],
  [
    'tool-result-orphan',
    "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
    talk(result(ID)),
    talk(thoughtful(call(ID)), result(ID)),
  ],
  [
    'reasoning-not-sent-back',
    'The `reasoning_content` in the thinking mode must be passed back to the API.',
    talk(calls(call(ID)), result(ID)),
    { ...talk(calls(call(ID)), result(ID)), ...NO_THOUGHT },
  ],
])

check('xai', 'grok-4.3', xaiRules.rules, [
  [
    'penalty-unsupported',
    'Model grok-4.3 does not support parameter presencePenalty.',
    { presence_penalty: 1 },
    { model: 'grok-2', presence_penalty: 1 },
  ],
  [
    'stop-unsupported',
    'Model grok-4.3 does not support parameter stop.',
    { stop: 'END' },
    { model: 'grok-4-fast-non-reasoning', stop: 'END' },
  ],
  [
    'effort-unsupported',
    'Model grok-4 does not support parameter reasoningEffort.',
    { model: 'grok-4', reasoning_effort: 'low' },
    { reasoning_effort: 'low' },
  ],
  [
    'content-missing',
    'Invalid request content: Each message must have at least one content element.',
    say([]),
    say('Hi'),
  ],
])

check('a server of the user', 'm', imitationRules, [
  ['messages-missing', "Missing required parameter: 'messages'.", { messages: null }, {}],
  [
    'messages-empty',
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    { messages: [] },
    { top_k: 4 },
  ],
  [
    'role-missing',
    "Missing required parameter: 'messages[0].role'.",
    { messages: [{ content: 'Hi' }] },
    say('Hi', 'x'),
  ],
  [
    'tool-name-missing',
    "Missing required parameter: 'tools[0].function.name'.",
    { tools: [{ type: 'function', name: 'look' }] },
    { tools: [tool({ name: 'a.b' })] },
  ],
  [
    'call-arguments-no-text',
    'messages[1].tool_calls[0].function.arguments: expected a string',
    talk(calls(call(ID, { function: { name: 'look', arguments: {} } }))),
    talk(calls(call(ID))),
  ],
  ['output-tokens', 'max_tokens must be at least 1', { max_tokens: 0 }, { max_tokens: 1 }],
])

test('OpenRouter shows what the service behind a model said', () => {
  const request = asking('openrouter', 'openai/gpt-4o')(talk(result(ID)))
  const rule = openrouterRules.rules.find(({ id }) => id === 'openai-behind')
  const raw = JSON.stringify({
    error: {
      message:
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
      type: 'invalid_request_error',
      param: 'messages.[1].role',
      code: null,
    },
  })
  const metadata = { raw, provider_name: 'OpenAI' }
  expect(rule?.refuse(request)).toEqual({
    status: 400,
    body: { error: { message: 'Provider returned error', code: 400, metadata } },
  })
})

test('Mistral says where and what was sent', () => {
  const request = asking('mistral', 'mistral-large-latest')(talk(assistant({ reasoning_content: 'Hm' }), HI))
  const rule = mistralRules.rules.find(({ id }) => id === 'message-field-unknown')
  expect(rule?.refuse(request)).toEqual({
    status: 422,
    body: {
      detail: [
        {
          type: 'extra_forbidden',
          loc: ['body', 'messages', 1, 'assistant', 'reasoning_content'],
          msg: 'Extra inputs are not permitted',
          input: 'Hm',
        },
      ],
    },
  })
})

describe('embeddings of mistral', () => {
  const ask = (fields: Body): StrictRequest => {
    const body = { model: 'codestral-embed', input: ['a'], ...fields }
    return { service: 'mistral', model: String(body.model), path: '/embeddings', headers: {}, body }
  }
  const rows: readonly StrictRow[] = [
    ['embedding-field-unknown', 'Extra inputs are not permitted', { dimensions: 8 }, { output_dimension: 8 }, 422],
    [
      'embedding-dimension',
      'Model mistral-embed does not support output_dimension',
      { model: 'mistral-embed', output_dimension: 8 },
      { model: 'mistral-embed', encoding_format: 'base64' },
    ],
  ]
  testTable(mistralEmbeddingRules, casesOf(rows, ask))
})

describe('cohere ranks', () => {
  const ask = (documents: unknown, more: Body = {}): StrictRequest => {
    const body = { model: 'rerank-v3.5', query: 'a', documents, ...more }
    return { service: 'cohere', model: body.model, path: '/../../v2/rerank', headers: {}, body }
  }
  test.each<[says: string, refused: StrictRequest, taken: StrictRequest]>([
    ['invalid request: list of documents must not be empty', ask([]), ask(['a'])],
    [
      'invalid request: list of documents must not be longer than 10000',
      ask(many(10_001, 'a')),
      ask(many(10_000, 'a')),
    ],
    ['invalid request: top_n must be at least 1', ask(['a'], { top_n: 0 }), ask(['a'], { top_n: 1 })],
  ])('and refuses: %s', (says, refused, taken) => {
    expect(firstRefusal(cohereRules.rules, refused)?.says).toBe(says)
    expect(firstRefusal(cohereRules.rules, taken)).toBeNull()
  })
})
