/** What the simulated Chat Completions and embeddings of OpenAI refuse and take, row by row. */

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
import { openaiChatRules, openaiEmbeddingRules } from './openai.ts'
import type { StrictRequest } from './rule.ts'

type Body = Readonly<Record<string, unknown>>

function ask(fields: Body): StrictRequest {
  const body = { model: 'gpt-4o', messages: [HI], ...fields }
  return { service: 'openai', model: String(body.model), path: '/chat/completions', headers: {}, body }
}

const NEW = { model: 'gpt-5.6-luna' }
const O3 = { model: 'o3' }
const NONE = { reasoning_effort: 'none' }
const LONG = 'x'.repeat(65)
const ID = 'call_1'
const LONG_ID = 'c'.repeat(41)
const PNG = 'data:image/png;base64,iVBORw0KGgo='
const image = (url: unknown, more: Body = {}) => ({ type: 'image_url', image_url: { url }, ...more })
const file = (file_data: string) => ({ type: 'file', file: { filename: 'a.pdf', file_data } })
const loop = (first: Body, ...results: unknown[]) => talk(calls(first), ...results)
const pair = (first: Body) => loop(first, result(ID))
const loopOf = (id: string) => loop(call(id), result(id))
const named = (name: string) => ({ type: 'function', function: { name } })
const IMAGE_WORDS =
  "Invalid 'messages[0].content[0].image_url.url'. Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got"
const FILE_WORDS =
  "Invalid file data: 'messages[0].content[0].file.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type (e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got"
const NAME_WORDS = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
const MUST_FOLLOW =
  "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages:"

const SPOKEN = {
  model: 'gpt-4o-audio-preview',
  modalities: ['text', 'audio'],
  audio: { voice: 'alloy', format: 'wav' },
}

const FIELDS: readonly StrictRow[] = [
  ['model-missing', 'you must provide a model parameter', { model: null }, {}],
  ['messages-missing', "Missing required parameter: 'messages'.", { messages: null }, {}],
  ['field-unknown', 'Unrecognized request argument supplied: top_k', { top_k: 4 }, { top_p: 0.4 }],
  ['field-unknown', "Unknown parameter: 'top_k'. Did you mean 'top_p'?", { ...NEW, top_k: 4 }, { ...NEW }],
  ['field-unknown', "Unknown parameter: 'modalities'.", { ...NEW, modalities: ['text'] }, { modalities: ['text'] }],
  [
    'stream-option-unknown',
    "Unknown parameter: 'stream_options.usage'.",
    { stream: true, stream_options: { usage: true } },
    { stream: true, stream_options: { include_usage: true } },
  ],
  [
    'field-type',
    "Invalid type for 'max_tokens': expected an integer, but got a string instead.",
    { max_tokens: '5' },
    { max_tokens: 5 },
  ],
  [
    'field-type',
    "Invalid type for 'temperature': expected a decimal, but got a string instead.",
    { temperature: 'hot' },
    { temperature: 1.5 },
  ],
  [
    'number-out-of-range',
    "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
    { temperature: 3 },
    { temperature: 2 },
  ],
  [
    'number-out-of-range',
    "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    { max_tokens: 0 },
    { max_tokens: 1 },
  ],
  [
    'number-out-of-range',
    "Invalid 'n': integer above maximum value. Expected a value <= 8, but got 9 instead.",
    { ...NEW, n: 9 },
    { n: 9 },
  ],
  [
    'number-out-of-range',
    "Invalid value for 'top_logprobs': must be less than or equal to 5.",
    { ...NEW, ...NONE, logprobs: true, top_logprobs: 6 },
    { ...NEW, ...NONE, logprobs: true, top_logprobs: 5 },
  ],
  [
    'value-unknown',
    "Invalid value: 'loud'. Supported values are: 'low', 'medium', and 'high'.",
    { verbosity: 'loud' },
    { verbosity: 'medium' },
  ],
  [
    'modality-unknown',
    "Invalid value: 'image'. Supported values are: 'text' and 'audio'.",
    { modalities: ['text', 'image'] },
    { modalities: ['text'] },
  ],
  [
    'audio-output',
    "Unsupported value: 'modalities' does not support 'audio' with this model. Supported values are: 'text'.",
    { ...SPOKEN, model: 'gpt-4.1' },
    SPOKEN,
  ],
  ['audio-unspecified', "Missing required parameter: 'audio'.", { ...SPOKEN, audio: null }, SPOKEN],
  [
    'audio-absent',
    'This model requires that either input content or output modality contain audio.',
    { model: 'gpt-audio' },
    { model: 'gpt-audio', ...say([{ type: 'input_audio', input_audio: { data: 'SGk=', format: 'wav' } }]) },
  ],
  [
    'verbosity-before-5',
    "Unsupported value: 'verbosity' does not support 'low' with this model. Supported values are: 'medium'.",
    { verbosity: 'low' },
    { ...NEW, verbosity: 'low' },
  ],
  [
    'identifier-length',
    "Invalid 'user': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    { user: LONG },
    { user: LONG.slice(1) },
  ],
  [
    'metadata',
    "Invalid type for 'metadata.tries': expected a string, but got an integer instead.",
    { store: true, metadata: { tries: 2 } },
    { store: true, metadata: { tries: '2' } },
  ],
  [
    'metadata-without-store',
    "The 'metadata' parameter is only allowed when 'store' is enabled.",
    { metadata: { k: 'x' } },
    { store: true, metadata: { k: 'x' } },
  ],
  [
    'metadata',
    "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with 17 properties instead.",
    { store: true, metadata: Object.fromEntries(many(17, 'x').map((value, index) => [`k${index}`, value])) },
    { store: true, metadata: { k: 'x' } },
  ],
  [
    'stop-too-many',
    "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
    { stop: many(5, 'a') },
    { stop: many(4, 'a') },
  ],
  [
    'token-limits-together',
    "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
    { max_tokens: 5, max_completion_tokens: 5 },
    { max_tokens: null, max_completion_tokens: 5 },
  ],
  [
    'stream-options-without-stream',
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    { stream_options: { include_usage: true } },
    { stream: true, stream_options: { include_usage: true } },
  ],
  [
    'top-logprobs-without-logprobs',
    "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
    { top_logprobs: 2 },
    { logprobs: true, top_logprobs: 2 },
  ],
]

const MESSAGES: readonly StrictRow[] = [
  [
    'messages-empty',
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    { messages: [] },
    {},
  ],
  [
    'messages-type',
    "Invalid type for 'messages': expected an array of objects, but got a string instead.",
    { messages: 'Hi' },
    {},
  ],
  [
    'messages-type',
    "Invalid type for 'messages[0]': expected an object, but got a string instead.",
    { messages: ['Hi'] },
    {},
  ],
  [
    'role-unknown',
    "Invalid value: 'model'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
    say('Hi', 'model'),
    say('Hi', 'developer'),
  ],
  ['role-unknown', "Missing required parameter: 'messages[0].role'.", { messages: [{ content: 'Hi' }] }, {}],
  [
    'message-field-unknown',
    "Unknown parameter: 'messages[1].prefix'.",
    talk({ role: 'assistant', content: 'Yes', prefix: true }),
    talk({ role: 'assistant', content: 'Yes', name: 'ada' }),
  ],
  [
    'message-field-unknown',
    "Unknown parameter: 'messages[1].reasoning_content'.",
    talk({ role: 'assistant', content: 'Yes', reasoning_content: 'Hm' }),
    talk({ role: 'assistant', content: 'Yes', refusal: null }),
  ],
  [
    'content-type',
    "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got an object instead.",
    say({ text: 'Hi' }),
    say([{ type: 'text', text: 'Hi' }]),
  ],
  [
    'content-array-empty',
    "Invalid 'messages[0].content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    say([]),
    { ...say([]), ...NEW },
  ],
  [
    'message-name',
    "Invalid 'messages[0].name': string does not match pattern. Expected a string that matches the pattern '^[^\\s<|\\\\/>]+$'.",
    { messages: [{ ...HI, name: 'Ana Maria' }] },
    { messages: [{ ...HI, name: 'Ana-Maria' }] },
  ],
  [
    'part-text-missing',
    "Missing required parameter: 'messages[0].content[0].text'.",
    say([{ type: 'text' }]),
    say([{ type: 'text', text: 'Hi' }]),
  ],
  [
    'part-type-unknown',
    "Invalid value: 'video_url'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', 'audio', and 'file'.",
    say([{ type: 'video_url', video_url: { url: 'https://example.org/a.mp4' } }]),
    say([image('https://example.org/a.png')]),
  ],
  [
    'part-field-unknown',
    "Unknown parameter: 'messages[0].content[0].cache_control'.",
    say([{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }]),
    say([{ type: 'text', text: 'Hi' }]),
  ],
  [
    'image-outside-user',
    "Invalid 'messages[1]'. Image URLs are only allowed for messages with role 'user', but this message with role 'assistant' contains an image URL.",
    talk({ role: 'assistant', content: [image(PNG)] }),
    talk({ role: 'user', content: [image(PNG)] }),
  ],
  [
    'image-without-eyes',
    'Invalid content type. image_url is only supported by certain models.',
    { model: 'gpt-3.5-turbo', ...say([image(PNG)]) },
    say([image(PNG)]),
  ],
  [
    'image-without-eyes',
    'Invalid content type. image_url is only supported by certain models.',
    { model: 'o3-mini', ...say([image(PNG)]) },
    { ...O3, ...say([image(PNG)]) },
  ],
  [
    'tool-call-id-missing',
    "Missing parameter 'tool_call_id': messages with role 'tool' must have a 'tool_call_id'.",
    loop(call(ID), result(null)),
    pair(call(ID)),
  ],
  [
    'tool-calls-empty',
    "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    talk({ role: 'assistant', content: 'Yes', tool_calls: [] }),
    talk({ role: 'assistant', content: 'Yes', tool_calls: null }),
  ],
  [
    'tool-call-field-unknown',
    "Unknown parameter: 'messages[1].tool_calls[0].index'.",
    pair(call(ID, { index: 0 })),
    pair(call(ID)),
  ],
  [
    'tool-call-type',
    "Missing required parameter: 'messages[1].tool_calls[0].type'.",
    pair({ id: ID, function: { name: 'look', arguments: '{}' } }),
    pair(call(ID)),
  ],
  [
    'tool-call-arguments-type',
    "Invalid type for 'messages[1].tool_calls[0].function.arguments': expected a string, but got an object instead.",
    pair(call(ID, { function: { name: 'look', arguments: {} } })),
    pair(call(ID, { function: { name: 'look', arguments: '' } })),
  ],
  [
    'tool-call-id-length',
    "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got a string with length 41 instead.",
    loopOf(LONG_ID),
    loopOf(LONG_ID.slice(1)),
  ],
  [
    'tool-call-name',
    `Invalid 'messages[1].tool_calls[0].function.name': ${NAME_WORDS}`,
    pair(call(ID, { function: { name: 'look.up', arguments: '{}' } })),
    pair(call(ID, { function: { name: 'look-up', arguments: '{}' } })),
  ],
  [
    'tool-result-duplicate',
    "Invalid parameter: Duplicate value for 'tool_call_id' of 'call_1', in messages[2] and messages[3].",
    loop(call(ID), result(ID), result(ID)),
    loop(call(ID), result(ID), calls(call(ID)), result(ID)),
  ],
  [
    'tool-results-missing',
    `${MUST_FOLLOW} call_2, call_3`,
    talk(calls(call(ID), call('call_2'), call('call_3')), result(ID)),
    talk(calls(call(ID), call('call_2')), result('call_2'), result(ID)),
  ],
  ['tool-results-missing', `${MUST_FOLLOW} call_1`, loop(call(ID), HI, result(ID)), loop(call(ID), result(ID), HI)],
  [
    'tool-result-orphan',
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    talk(result(ID)),
    pair(call(ID)),
  ],
  [
    'tool-result-orphan',
    "Invalid parameter: 'tool_call_id' of 'call_2' not found in 'tool_calls' of previous message.",
    loop(call(ID), result(ID), result('call_2')),
    talk(calls(call(ID), call('call_2')), result(ID), result('call_2')),
  ],
  [
    'content-missing',
    "Invalid value for 'content': expected a string, got null.",
    say(null),
    talk({ role: 'assistant', content: null, refusal: 'No' }),
  ],
]

const STRICT_A = object({ type: 'string' }, closed)

/** That many objects within each other. */
const nested = (levels: number): Body =>
  levels === 0
    ? { type: 'string' }
    : { type: 'object', properties: { a: nested(levels - 1) }, required: ['a'], additionalProperties: false }

const TOOLS: readonly StrictRow[] = [
  [
    'tools-empty',
    "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    { tools: [] },
    { tools: [tool()] },
  ],
  [
    'tools-too-many',
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
    { tools: many(129, tool()) },
    { tools: many(128, tool()) },
  ],
  [
    'tool-type',
    "Invalid value: 'web_search'. Supported values are: 'function' and 'custom'.",
    { tools: [{ type: 'web_search' }] },
    { tools: [{ type: 'custom', custom: { name: 'look' } }] },
  ],
  ['tool-type', "Missing required parameter: 'tools[0].type'.", { tools: [{ name: 'look' }] }, { tools: [tool()] }],
  [
    'tool-field-unknown',
    "Unknown parameter: 'tools[0].cache_control'.",
    { tools: [tool({}, { cache_control: {} })] },
    { tools: [tool()] },
  ],
  [
    'tool-field-unknown',
    "Unknown parameter: 'tools[0].function.input_schema'.",
    withTool({ input_schema: {} }),
    withTool({ parameters: {} }),
  ],
  [
    'tool-function-missing',
    "Missing required parameter: 'tools[0].function'.",
    { tools: [{ type: 'function' }] },
    { tools: [tool()] },
  ],
  [
    'tool-name',
    `Invalid 'tools[0].function.name': ${NAME_WORDS}`,
    withTool({ name: 'a b' }),
    withTool({ name: 'a_b' }),
  ],
  [
    'tool-name',
    "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    withTool({ name: LONG }),
    withTool({ name: LONG.slice(1) }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': In context=(), object schema missing properties.",
    withTool({ parameters: { type: 'object' } }),
    withTool({ parameters: { type: 'object', properties: {} } }),
  ],
  [
    'tool-schema',
    `Invalid schema for function 'look': schema must be a JSON Schema of 'type: "object"', got 'type: "string"'.`,
    withTool({ parameters: { type: 'string' } }),
    withTool({ parameters: object({ type: 'string' }) }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
    withTool({ parameters: { type: 'object', properties: {}, anyOf: [{ required: ['a'] }] } }),
    withTool({ parameters: object({ anyOf: [{ type: 'string' }] }) }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': In context=('properties', 'a'), array schema missing items.",
    withTool({ parameters: object({ type: 'array' }) }),
    withTool({ parameters: object({ type: 'array', items: {} }) }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': '3' is not of type 'integer'.",
    withTool({ parameters: object({ type: 'array', items: {}, minItems: '3' }) }),
    withTool({ parameters: object({ type: 'array', items: {}, minItems: 3 }) }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': In context=(), 'additionalProperties' is required to be supplied and to be false.",
    withTool({ strict: true, parameters: object({ type: 'string' }) }),
    withTool({ strict: true, parameters: STRICT_A }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'.",
    withTool({ strict: true, parameters: { ...STRICT_A, required: [] } }),
    withTool({ strict: false, parameters: { ...STRICT_A, required: [] } }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': In context=('properties', 'a'), 'additionalProperties' is required to be supplied and to be false.",
    withTool({ strict: true, parameters: object(object({ type: 'string' }), closed) }),
    withTool({ strict: true, parameters: object(STRICT_A, closed) }),
  ],
  [
    'tool-choice-without-tools',
    "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
    { tool_choice: 'auto' },
    withTool({}, { tool_choice: 'auto' }),
  ],
  [
    'parallel-calls-without-tools',
    "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
    { parallel_tool_calls: false },
    withTool({}, { parallel_tool_calls: false }),
  ],
  [
    'tool-choice-value',
    "Invalid value: 'any'. Supported values are: 'none', 'auto', and 'required'.",
    withTool({}, { tool_choice: 'any' }),
    withTool({}, { tool_choice: 'required' }),
  ],
  [
    'tool-choice-value',
    "Missing required parameter: 'tool_choice.function'.",
    withTool({}, { tool_choice: { type: 'tool', name: 'look' } }),
    withTool({}, { tool_choice: named('look') }),
  ],
  [
    'tool-choice-unknown',
    "Invalid value for 'tool_choice': no function named 'find' was specified in the 'tools' parameter.",
    withTool({}, { tool_choice: named('find') }),
    withTool({}, { tool_choice: named('look') }),
  ],
  [
    'tools-beside-effort',
    "Function tools with reasoning_effort are not supported for gpt-5.6-luna in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
    withTool({}, NEW),
    withTool({}, { ...NEW, ...NONE }),
  ],
  [
    'tools-beside-effort',
    'Function tools with reasoning_effort are not supported for gpt-5.4-mini in /v1/chat/completions. Please use /v1/responses instead.',
    withTool({}, { model: 'gpt-5.4-mini', reasoning_effort: 'low' }),
    withTool({}, { model: 'gpt-5.4-mini' }),
  ],
]

const FORMATS: readonly StrictRow[] = [
  [
    'response-format',
    "Invalid value: 'json'. Supported values are: 'json_object', 'json_schema', and 'text'.",
    { response_format: { type: 'json' } },
    { response_format: { type: 'text' } },
  ],
  [
    'response-format',
    "Missing required parameter: 'response_format.json_schema'.",
    schema(undefined),
    schema({ name: 'a' }),
  ],
  [
    'response-format',
    `Invalid 'response_format.json_schema.name': ${NAME_WORDS}`,
    schema({ name: 'my answer' }),
    schema({ name: 'my_answer' }),
  ],
  [
    'json-word',
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    { response_format: { type: 'json_object' } },
    { ...say('As JSON, please'), response_format: { type: 'json_object' } },
  ],
  [
    'response-schema',
    "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required to be supplied and to be false.",
    schema({ name: 'a', strict: true, schema: object({ type: 'string' }) }),
    schema({ name: 'a', strict: true, schema: STRICT_A }),
  ],
  [
    'response-schema',
    "Invalid schema for response_format 'a': 11 levels of nesting exceeds limit of 10.",
    schema({ name: 'a', strict: true, schema: nested(11) }),
    schema({ name: 'a', strict: true, schema: nested(10) }),
  ],
  [
    'response-schema',
    "Invalid schema for response_format 'a': In context=('properties', 'a'), 'default' is not permitted.",
    schema({ name: 'a', strict: true, schema: { ...STRICT_A, properties: { a: { type: 'string', default: 'x' } } } }),
    schema({ name: 'a', strict: false, schema: { ...STRICT_A, properties: { a: { type: 'string', default: 'x' } } } }),
  ],
  [
    'response-schema',
    "Invalid schema for response_format 'a': In context=('properties', 'a'), 'uri' is not a valid format.",
    schema({ name: 'a', strict: true, schema: { ...STRICT_A, properties: { a: { type: 'string', format: 'uri' } } } }),
    schema({ name: 'a', strict: false, schema: { ...STRICT_A, properties: { a: { type: 'string', format: 'uri' } } } }),
  ],
  [
    'response-schema',
    "Invalid schema for response_format 'a': In context=('properties', 'a'), schema must have a 'type' key.",
    schema({ name: 'a', strict: true, schema: { ...STRICT_A, properties: { a: { description: 'anything' } } } }),
    schema({ name: 'a', strict: false, schema: { ...STRICT_A, properties: { a: { description: 'anything' } } } }),
  ],
  ['image', `${IMAGE_WORDS} a value without the 'data:' prefix.`, say([image('iVBORw0KGgo=')]), say([image(PNG)])],
  [
    'image',
    `${IMAGE_WORDS} unsupported MIME type 'text/plain'.`,
    say([image('data:text/plain;base64,SGk=')]),
    say([image('https://example.org/a.png')]),
  ],
  [
    'image',
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    say([image('data:image/bmp;base64,SGk=')]),
    say([image('data:image/webp;base64,SGk=')]),
  ],
  [
    'image',
    "Invalid type for 'messages[0].content[0].image_url': expected an object, but got a string instead.",
    say([{ type: 'image_url', image_url: PNG }]),
    say([image(PNG)]),
  ],
  [
    'file',
    `${FILE_WORDS} a value without the 'data:' prefix.`,
    say([file('JVBERi0=')]),
    say([file('data:application/pdf;base64,JVBERi0=')]),
  ],
  [
    'file',
    `${FILE_WORDS} unsupported MIME type 'text/csv'.`,
    say([file('data:text/csv;base64,YSxi')]),
    say([{ type: 'file', file: { file_id: 'file-1' } }]),
  ],
  [
    'audio-format',
    "Invalid value: 'ogg'. Supported values are: 'wav' and 'mp3'.",
    say([{ type: 'input_audio', input_audio: { data: 'SGk=', format: 'ogg' } }]),
    say([{ type: 'input_audio', input_audio: { data: 'SGk=', format: 'wav' } }]),
  ],
]

const GENERATIONS: readonly StrictRow[] = [
  [
    'stop-on-reasoning',
    "Unsupported parameter: 'stop' is not supported with this model.",
    { ...O3, stop: 'END' },
    { stop: 'END' },
  ],
  [
    'max-tokens-on-reasoning',
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    { ...O3, max_tokens: 100 },
    { ...O3, max_completion_tokens: 100 },
  ],
  [
    'temperature-on-reasoning',
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    { model: 'gpt-5-mini', temperature: 0.2 },
    { model: 'gpt-5-mini', temperature: 1 },
  ],
  [
    'temperature-on-reasoning',
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    { model: 'gpt-5.2', temperature: 0.2, reasoning_effort: 'low' },
    { model: 'gpt-5.2', temperature: 0.2 },
  ],
  [
    'sampling-on-reasoning',
    "Unsupported parameter: 'top_p' is not supported with this model.",
    { ...NEW, top_p: 0.5 },
    { ...NEW, ...NONE, top_p: 0.5 },
  ],
  [
    'effort-without-reasoning',
    'Unrecognized request argument supplied: reasoning_effort',
    { reasoning_effort: 'low' },
    { model: 'my-own', reasoning_effort: 'low' },
  ],
  [
    'effort-value',
    "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low', 'medium', 'high', and 'xhigh'.",
    { model: 'gpt-5.4', reasoning_effort: 'minimal' },
    { model: 'gpt-5', reasoning_effort: 'minimal' },
  ],
]

describe('Chat Completions', () => {
  testTable(openaiChatRules, casesOf([...FIELDS, ...MESSAGES, ...TOOLS, ...FORMATS, ...GENERATIONS], ask))

  test('takes a whole conversation with tools', () => {
    const conversation = {
      ...withTool({ description: 'Looks', parameters: object({ type: 'string' }), strict: false }),
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: [{ type: 'text', text: 'What is this?' }, image(PNG, {})], name: 'ada' },
        { ...calls(call(ID), call('call_2')), content: null },
        result('call_2'),
        result(ID, { content: [{ type: 'text', text: 'found' }] }),
        { role: 'assistant', content: 'A dot' },
        HI,
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      seed: 1,
    }
    expect(firstRefusal(openaiChatRules, ask(conversation))).toBeNull()
  })

  test('is not asked about other paths', () => {
    expect(firstRefusal(openaiChatRules, { ...ask({ messages: [] }), path: '/embeddings' })).toBeNull()
  })
})

const INPUT_WORDS =
  "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."

const EMBEDDINGS: readonly StrictRow[] = [
  ['embedding-input-missing', "Missing required parameter: 'input'.", { input: null }, { input: 'Hi' }],
  ['embedding-input-empty', INPUT_WORDS, { input: '' }, { input: ' ' }],
  ['embedding-input-empty', INPUT_WORDS, { input: [] }, { input: ['Hi'] }],
  ['embedding-input-empty', INPUT_WORDS, { input: ['Hi', ''] }, { input: [[1, 2]] }],
  [
    'embedding-batch',
    "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 2049 instead.",
    { input: many(2049, 'a') },
    { input: many(2048, 'a') },
  ],
  ['embedding-field-unknown', "Unknown parameter: 'input_type'.", { input_type: 'query' }, { dimensions: 256 }],
  [
    'embedding-format',
    "Invalid value: 'int8'. Supported values are: 'float' and 'base64'.",
    { encoding_format: 'int8' },
    { encoding_format: 'base64' },
  ],
  [
    'embedding-dimensions',
    'This model does not support specifying dimensions.',
    { model: 'text-embedding-ada-002', dimensions: 256 },
    { dimensions: 256 },
  ],
  [
    'embedding-dimensions-range',
    "Invalid 'dimensions': integer above maximum value. Expected a value <= 1536, but got 3072 instead.",
    { dimensions: 3072 },
    { model: 'text-embedding-3-large', dimensions: 3072 },
  ],
  [
    'embedding-dimensions-range',
    "Invalid 'dimensions': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    { dimensions: 0 },
    { dimensions: 1 },
  ],
  [
    'embedding-dimensions-range',
    "Invalid type for 'dimensions': expected an integer, but got a decimal number instead.",
    { dimensions: 1.5 },
    { dimensions: null },
  ],
  [
    'embedding-user-length',
    "Invalid 'user': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    { user: LONG },
    { user: LONG.slice(1) },
  ],
]

describe('embeddings', () => {
  testTable(
    openaiEmbeddingRules,
    casesOf(EMBEDDINGS, (fields) => {
      const body = { model: 'text-embedding-3-small', input: 'Hi', ...fields }
      return { service: 'openai', model: body.model, path: '/embeddings', headers: {}, body }
    }),
  )
})
