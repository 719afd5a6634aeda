/** What the simulated Responses API refuses and takes, row by row. */

import { describe, expect, test } from 'vitest'
import { closed, many, object } from '../../../test/support/chatBodies.ts'
import { casesOf, firstRefusal, type StrictRow, testTable } from '../../../test/support/strictTable.ts'
import { openaiResponsesRules } from './openai.ts'
import type { StrictRequest } from './rule.ts'
import { signatureOf } from './signatures.ts'

type Body = Readonly<Record<string, unknown>>

function ask(fields: Body): StrictRequest {
  const body = { model: 'gpt-5.6-luna', input: 'Hi', ...fields }
  return { service: 'openai', model: String(body.model), path: '/responses', headers: {}, body }
}

const PLAIN = { model: 'gpt-4o' }
const LONG = 'x'.repeat(65)
const NAME_WORDS = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
const PNG = 'data:image/png;base64,iVBORw0KGgo='
const DOCS = 'https://platform.openai.com/docs/api-reference/responses/create'

const input = (...items: unknown[]) => ({ input: items })
const message = (content: unknown, role = 'user', more: Body = {}) => ({ type: 'message', role, content, ...more })
const text = (words: string, more: Body = {}) => ({ type: 'input_text', text: words, ...more })
const said = (words: string) => ({ type: 'output_text', text: words })
const part = (one: Body) => input(message([one]))
const call = (call_id: string, more: Body = {}) => ({
  type: 'function_call',
  call_id,
  name: 'look',
  arguments: '{}',
  ...more,
})
const output = (call_id: string, more: Body = {}) => ({
  type: 'function_call_output',
  call_id,
  output: 'found',
  ...more,
})
/** A thought of another language's model. */
const foreign = String(signatureOf('anthropic'))
const thought = (id: string, more: Body = {}) => ({ type: 'reasoning', id, summary: [], ...more })
const tool = (more: Body = {}) => ({ type: 'function', name: 'look', ...more })
const withTool = (more: Body, fields: Body = {}) => ({ tools: [tool(more)], ...fields })
const format = (one: Body) => ({ text: { format: one } })
const moved = (name: string, place: string) =>
  `Unsupported parameter: '${name}'. In the Responses API, this parameter has moved to '${place}'. Try again with the new parameter. See the API documentation for more information: ${DOCS}.`
const STRICT_A = object({ type: 'string' }, closed)

const FIELDS: readonly StrictRow[] = [
  ['model-missing', "Missing required parameter: 'model'.", { model: null }, {}],
  ['input-missing', "Missing required parameter: 'input'.", { input: null }, { input: null, prompt: { id: 'pmpt_1' } }],
  ['field-moved', moved('messages', 'input'), { messages: [] }, {}],
  [
    'field-moved',
    moved('response_format', 'text.format'),
    { response_format: { type: 'text' } },
    format({ type: 'text' }),
  ],
  ['field-moved', moved('max_tokens', 'max_output_tokens'), { max_tokens: 20 }, { max_output_tokens: 20 }],
  [
    'field-moved',
    moved('reasoning_effort', 'reasoning.effort'),
    { reasoning_effort: 'low' },
    { reasoning: { effort: 'low' } },
  ],
  ...['seed', 'n', 'logit_bias', 'prediction'].map(
    (name): StrictRow => ['field-unknown', `Unknown parameter: '${name}'.`, { [name]: 1 }, {}],
  ),
  ['field-unknown', "Unknown parameter: 'stop'. Did you mean 'store'?", { stop: 'END' }, { store: true }],
  ['field-unknown', "Unknown parameter: 'top_k'. Did you mean 'top_p'?", { top_k: 4 }, {}],
  [
    'nested-field-unknown',
    "Unknown parameter: 'stream_options.include_usage'.",
    { stream: true, stream_options: { include_usage: true } },
    { stream: true, stream_options: { include_obfuscation: false } },
  ],
  [
    'nested-field-unknown',
    "Unknown parameter: 'reasoning.max_tokens'.",
    { reasoning: { max_tokens: 1024 } },
    { reasoning: { effort: 'high', summary: 'auto' } },
  ],
  [
    'field-type',
    "Invalid type for 'instructions': expected a string, but got an array instead.",
    { instructions: ['Be brief'] },
    { instructions: 'Be brief' },
  ],
  [
    'number-out-of-range',
    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
    { max_output_tokens: 15 },
    { max_output_tokens: 16 },
  ],
  [
    'number-out-of-range',
    "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
    { ...PLAIN, temperature: 2.5 },
    { ...PLAIN, temperature: 2 },
  ],
  [
    'value-unknown',
    "Invalid value: 'middle'. Supported values are: 'auto' and 'disabled'.",
    { truncation: 'middle' },
    { truncation: 'auto' },
  ],
  [
    'identifier-length',
    "Invalid 'safety_identifier': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    { safety_identifier: LONG },
    { safety_identifier: LONG.slice(1) },
  ],
  [
    'metadata',
    "Invalid type for 'metadata.try': expected a string, but got an integer instead.",
    { metadata: { try: 1 } },
    { metadata: { try: '1' } },
  ],
]

const ITEMS: readonly StrictRow[] = [
  [
    'item-no-object',
    "Invalid type for 'input[0]': expected an input item, but got a string instead.",
    input('Hi'),
    input(message('Hi')),
  ],
  [
    'item-role',
    "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
    input(message('Hi', 'tool')),
    input(message('Hi', 'developer')),
  ],
  ['item-content-missing', "Missing required parameter: 'input[0].content'.", input(message(null)), input(message(''))],
  [
    'item-field-missing',
    "Missing required parameter: 'input[0].summary'.",
    input({ type: 'reasoning', id: 'rs_1' }, message([said('Yes')], 'assistant')),
    input(thought('rs_1'), message([said('Yes')], 'assistant')),
  ],
  [
    'item-field-missing',
    "Missing required parameter: 'input[0].call_id'.",
    input({ type: 'function_call', id: 'fc_1', name: 'look', arguments: '{}' }),
    input(call('call_1'), output('call_1')),
  ],
  [
    'item-field-unknown',
    "Unknown parameter: 'input[0].tool_calls'.",
    input(message('Hi', 'assistant', { tool_calls: [] })),
    input(message('Hi', 'assistant', { phase: 'final_answer' })),
  ],
  [
    'item-field-unknown',
    "Unknown parameter: 'input[0].index'.",
    input(call('call_1', { index: 0 }), output('call_1')),
    input(call('call_1', { status: 'completed' }), output('call_1')),
  ],
  [
    'part-type',
    "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'output_text', 'refusal', 'input_file', 'computer_screenshot', and 'summary_text'.",
    part({ type: 'text', text: 'Hi' }),
    part(text('Hi')),
  ],
  [
    'part-type',
    "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
    input(message([text('Hi')], 'assistant')),
    input(message([said('Hi')], 'assistant')),
  ],
  [
    'part-field-unknown',
    "Unknown parameter: 'input[0].content[0].cache_control'.",
    part(text('Hi', { cache_control: { type: 'ephemeral' } })),
    part(text('Hi')),
  ],
  [
    'image-without-eyes',
    "Model 'o3-mini' does not support image inputs. Try again with a vision model. To find out which models are vision-enabled, visit our our models documentation: https://platform.openai.com/docs/models",
    { model: 'o3-mini', ...part({ type: 'input_image', image_url: PNG }) },
    { model: 'o3', ...part({ type: 'input_image', image_url: PNG }) },
  ],
  [
    'image',
    "Invalid type for 'input[0].content[0].image_url': expected a string, but got an object instead.",
    part({ type: 'input_image', image_url: { url: PNG } }),
    part({ type: 'input_image', image_url: PNG, detail: 'auto' }),
  ],
  [
    'image',
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    part({ type: 'input_image', image_url: 'data:image/tiff;base64,SGk=' }),
    part({ type: 'input_image', image_url: 'https://example.org/a.tiff' }),
  ],
  [
    'file',
    "Invalid file data: 'input[0].content[0].file_data'. Expected a base64-encoded data URL with a valid file MIME type (e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got a value without the 'data:' prefix.",
    part({ type: 'input_file', filename: 'a.pdf', file_data: 'JVBERi0=' }),
    part({ type: 'input_file', filename: 'a.csv', file_data: 'data:text/csv;base64,YSxi' }),
  ],
  [
    'call-id-empty',
    "Invalid 'input[0].call_id': empty string. Expected a string with minimum length 1, but got an empty string instead.",
    input(call(''), output('')),
    input(call('c'), output('c')),
  ],
  [
    'call-id-length',
    "Invalid 'input[0].call_id': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
    input(call(LONG), output(LONG)),
    input(call(LONG.slice(1)), output(LONG.slice(1))),
  ],
  [
    'item-id',
    "Invalid 'input[0].id': 'call_1'. Expected an ID that begins with 'fc'.",
    input(call('call_1', { id: 'call_1' }), output('call_1')),
    input(call('call_1', { id: 'fc_1' }), output('call_1')),
  ],
  [
    'item-id',
    "Invalid 'input[2].id': 'rs_2'. Expected an ID that begins with 'msg'.",
    input(message('Hi'), message([said('Yes')], 'assistant'), message('Go on', 'user', { id: 'rs_2' })),
    input(message('Hi'), message([said('Yes')], 'assistant', { id: 'msg_2' }), message('Go on')),
  ],
  [
    'item-id',
    "Invalid 'input[0].id': 'thought_1'. Expected an ID that begins with 'rs'.",
    input(thought('thought_1'), call('call_1'), output('call_1')),
    input(thought('rs_1'), call('call_1'), output('call_1')),
  ],
  [
    'item-id',
    "Invalid 'input[0].id': 'msg.1'. Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.",
    input(message('Hi', 'user', { id: 'msg.1' })),
    input(message('Hi', 'user', { id: 'msg-1' })),
  ],
  [
    'item-duplicate',
    'Duplicate item found with id msg_1. Remove duplicate items from your input and try again.',
    input(message('Hi', 'user', { id: 'msg_1' }), message('Hi', 'user', { id: 'msg_1' })),
    input(message('Hi', 'user', { id: 'msg_1' }), message('Hi', 'user', { id: 'msg_2' })),
  ],
  [
    'item-not-kept',
    "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.",
    { ...input(thought('rs_1'), message([said('Yes')], 'assistant')), store: false },
    { ...input(thought('rs_1', { encrypted_content: 'gAAA' }), message([said('Yes')], 'assistant')), store: false },
    404,
  ],
  [
    'encrypted-content-foreign',
    `The encrypted content ${foreign.slice(0, 4)}...${foreign.slice(-4)} could not be verified.`,
    input(thought('rs_1', { encrypted_content: foreign }), message([said('Yes')], 'assistant')),
    input(thought('rs_1', { encrypted_content: signatureOf('openai-responses') }), message([said('Yes')], 'assistant')),
  ],
  [
    'output-without-call',
    'No tool call found for function call output with call_id call_1.',
    input(message('Hi'), output('call_1')),
    { ...input(output('call_1')), previous_response_id: 'resp_fake_1' },
  ],
  [
    'call-without-output',
    'No tool output found for function call call_2.',
    input(call('call_1'), call('call_2'), output('call_1')),
    input(call('call_1'), call('call_2'), output('call_2'), output('call_1')),
  ],
  [
    'call-without-output',
    'No tool output found for custom tool call call_1.',
    input({ type: 'custom_tool_call', call_id: 'call_1', name: 'run', input: 'ls' }),
    input(
      { type: 'custom_tool_call', call_id: 'call_1', name: 'run', input: 'ls' },
      { type: 'custom_tool_call_output', call_id: 'call_1', output: 'a.txt' },
    ),
  ],
  [
    'reasoning-alone',
    "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
    input(thought('rs_1'), message('Go on')),
    input(thought('rs_1'), thought('rs_2'), message([said('Yes')], 'assistant'), message('Go on')),
  ],
]

const TOOLS: readonly StrictRow[] = [
  [
    'tools-too-many',
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
    { tools: many(129, tool()) },
    { tools: many(128, tool()) },
  ],
  ['tool-type-missing', "Missing required parameter: 'tools[0].type'.", { tools: [{ name: 'look' }] }, withTool({})],
  [
    'tool-name',
    "Missing required parameter: 'tools[0].name'.",
    { tools: [{ type: 'function', function: { name: 'look' } }] },
    { tools: [{ type: 'custom', name: 'look' }] },
  ],
  ['tool-name', `Invalid 'tools[0].name': ${NAME_WORDS}`, withTool({ name: 'a.b' }), withTool({ name: LONG })],
  [
    'tool-field-unknown',
    "Unknown parameter: 'tools[0].input_schema'.",
    withTool({ input_schema: {} }),
    withTool({ parameters: {} }),
  ],
  [
    'tool-schema',
    "Invalid schema for function 'look': In context=(), 'additionalProperties' is required to be supplied and to be false.",
    withTool({ strict: true, parameters: object({ type: 'string' }) }),
    withTool({ parameters: object({ type: 'string' }) }),
  ],
  [
    'tool-choice',
    "Tool choice 'required' must be specified with 'tools' parameter.",
    { tool_choice: 'required' },
    { tool_choice: 'auto' },
  ],
  [
    'tool-choice',
    "Tool choice 'function' not found in 'tools' parameter.",
    withTool({}, { tool_choice: { type: 'function', name: 'find' } }),
    withTool({}, { tool_choice: { type: 'function', name: 'look' } }),
  ],
  [
    'tool-choice',
    "Missing required parameter: 'tool_choice.name'.",
    withTool({}, { tool_choice: { type: 'function', function: { name: 'look' } } }),
    withTool({}, { tool_choice: 'required' }),
  ],
]

const MODELS: readonly StrictRow[] = [
  [
    'text-format',
    "Missing required parameter: 'text.format.name'.",
    format({ type: 'json_schema', json_schema: { name: 'a', schema: STRICT_A } }),
    format({ type: 'json_schema', name: 'a', schema: STRICT_A }),
  ],
  [
    'text-format',
    `Invalid 'text.format.name': ${NAME_WORDS}`,
    format({ type: 'json_schema', name: 'my answer', schema: STRICT_A }),
    format({ type: 'json_schema', name: 'my-answer', schema: STRICT_A }),
  ],
  [
    'text-format',
    "Invalid schema for response_format 'a': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'.",
    format({ type: 'json_schema', name: 'a', strict: true, schema: { ...STRICT_A, required: [] } }),
    format({ type: 'json_schema', name: 'a', strict: true, schema: STRICT_A }),
  ],
  [
    'verbosity',
    "Invalid value: 'loud'. Supported values are: 'low', 'medium', and 'high'.",
    { text: { verbosity: 'loud' } },
    { text: { verbosity: 'medium' } },
  ],
  [
    'verbosity',
    "Unsupported value: 'text.verbosity' does not support 'low' with this model. Supported values are: 'medium'.",
    { model: 'gpt-4.1', text: { verbosity: 'low' } },
    { model: 'gpt-5.1', text: { verbosity: 'low' } },
  ],
  [
    'json-word',
    "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
    { instructions: 'Answer in JSON', ...format({ type: 'json_object' }) },
    { input: 'Answer in JSON', ...format({ type: 'json_object' }) },
  ],
  [
    'previous-response',
    "Previous response with id 'resp_1' not found.",
    { previous_response_id: 'resp_1' },
    { previous_response_id: 'resp_fake_1' },
  ],
  [
    'previous-response',
    "Invalid 'previous_response_id': 'chatcmpl-1'. Expected an ID that begins with 'resp'.",
    { previous_response_id: 'chatcmpl-1' },
    { previous_response_id: null },
  ],
  [
    'input-empty',
    `One of "input" or "previous_response_id" or 'prompt' or 'conversation' must be provided.`,
    { input: [] },
    { input: ' ' },
  ],
  [
    'effort-value',
    "Unsupported value: 'minimal' is not supported with the 'gpt-5.6-luna' model. Supported values are: 'none', 'low', 'medium', 'high', 'xhigh', and 'max'.",
    { reasoning: { effort: 'minimal' } },
    { reasoning: { effort: 'max' } },
  ],
  [
    'effort-value',
    "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
    { ...PLAIN, reasoning: { effort: 'low' } },
    { model: 'my-own', reasoning: { effort: 'low' } },
  ],
  [
    'encrypted-content',
    'Encrypted content is not supported with this model.',
    { ...PLAIN, include: ['reasoning.encrypted_content'] },
    { include: ['reasoning.encrypted_content'] },
  ],
  [
    'logprobs-on-reasoning',
    'logprobs are not supported with reasoning models.',
    { include: ['message.output_text.logprobs'] },
    { ...PLAIN, include: ['message.output_text.logprobs'] },
  ],
  [
    'sampling-on-reasoning',
    "Unsupported parameter: 'temperature' is not supported with this model.",
    { temperature: 0.2 },
    { temperature: 0.2, reasoning: { effort: 'none' } },
  ],
  [
    'sampling-on-reasoning',
    "Unsupported parameter: 'top_p' is not supported with this model.",
    { top_p: 1 },
    { ...PLAIN, top_p: 1 },
  ],
]

const UNKNOWN_ITEM = [
  "Invalid value: 'tool_result'. Supported values are: 'message', 'file_search_call', 'computer_call', 'computer_call_output',",
  "'web_search_call', 'function_call', 'function_call_output', 'tool_search_call', 'tool_search_output', 'additional_tools',",
  "'configuration_update', 'reasoning', 'compaction', 'image_generation_call', 'code_interpreter_call', 'local_shell_call',",
  "'local_shell_call_output', 'shell_call', 'shell_call_output', 'apply_patch_call', 'apply_patch_call_output', 'mcp_list_tools',",
  "'mcp_approval_request', 'mcp_approval_response', 'mcp_call', 'custom_tool_call_output', 'custom_tool_call', 'compaction_trigger',",
  "'item_reference', 'program', and 'program_output'.",
].join(' ')

const KINDS: readonly StrictRow[] = [
  ['item-type-unknown', UNKNOWN_ITEM, input({ type: 'tool_result' }), input({ type: 'item_reference', id: 'msg_1' })],
]

describe('the Responses API', () => {
  testTable(openaiResponsesRules, casesOf([...FIELDS, ...KINDS, ...ITEMS, ...TOOLS, ...MODELS], ask))

  test('takes a whole conversation with tools', () => {
    const conversation = {
      instructions: 'Be brief',
      ...input(
        message([text('What is this?'), { type: 'input_image', image_url: PNG }]),
        thought('rs_1', { encrypted_content: 'gAAA' }),
        call('call_1', { id: 'fc_1' }),
        output('call_1', { output: [text('found')] }),
        message([said('A dot')], 'assistant', { id: 'msg_1', status: 'completed' }),
        { role: 'user', content: 'Sure?' },
      ),
      ...withTool({ description: 'Looks', parameters: STRICT_A, strict: true }),
      tool_choice: 'auto',
      parallel_tool_calls: true,
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      max_output_tokens: 100,
      store: false,
      stream: true,
    }
    expect(firstRefusal(openaiResponsesRules, ask(conversation))).toBeNull()
  })
})
