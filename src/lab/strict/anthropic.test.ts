/** What the simulated Messages API refuses and takes, row by row. */

import { describe, expect, test } from 'vitest'
import { firstRefusal, type StrictCase, testTable } from '../../../test/support/strictTable.ts'
import { anthropicRules } from './anthropic.ts'
import type { StrictRequest } from './rule.ts'
import { signatureOf } from './signatures.ts'

type Body = Record<string, unknown>

const OLD = 'claude-sonnet-4-20250514'
const HAIKU = 'claude-haiku-4-5'
const OPUS = 'claude-opus-4-6'
const NEW = 'claude-opus-5-5'
const VERSION = { 'anthropic-version': '2023-06-01' }

function ask(body: Body, model = HAIKU, headers: StrictRequest['headers'] = VERSION): StrictRequest {
  const request = { model, max_tokens: 2048, messages: [{ role: 'user', content: 'Hi' }], ...body }
  return { service: 'anthropic', model, path: '/messages', headers, body: request }
}

const user = (...content: unknown[]) => ({ role: 'user', content })
const assistant = (...content: unknown[]) => ({ role: 'assistant', content })
const text = (words: string, more: Body = {}) => ({ type: 'text', text: words, ...more })
const say = (...content: unknown[]) => ({ messages: [user(...content)] })
const call = (id: string, more: Body = {}) => ({ type: 'tool_use', id, name: 'look', input: {}, ...more })
const result = (id: string, more: Body = {}) => ({ type: 'tool_result', tool_use_id: id, content: 'found', ...more })
const thought = (more: Body = {}) => ({ type: 'thinking', thinking: 'Let me see', signature: 'c2lnbmVk', ...more })
const loop = (calls: unknown[], results: unknown[], more: Body = {}) => ({
  tools: [tool()],
  messages: [{ role: 'user', content: 'Hi' }, assistant(...calls), user(...results)],
  ...more,
})
const tool = (more: Body = {}) => ({ name: 'look', input_schema: { type: 'object' }, ...more })
const withSchema = (schema: Body, more: Body = {}) => ({ tools: [tool({ input_schema: schema, ...more })] })
const property = (schema: Body) => withSchema({ type: 'object', properties: { a: schema } })
const image = (source: Body) => ({ type: 'image', source })
const pdf = (source: Body) => ({ type: 'document', source })
const base64 = (media: string, data: string) => ({ type: 'base64', media_type: media, data })
const PNG = 'iVBORw0KGgoAAAANSUhEUg=='
const PDF = Buffer.from('%PDF-1.7 …').toString('base64')
const answer = (schema: Body, more: Body = {}) => ({
  output_config: { format: { type: 'json_schema', schema, ...more } },
})
const closed = (properties: Body, more: Body = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
})
const enabled = (more: Body = {}) => ({ thinking: { type: 'enabled', budget_tokens: 1024 }, ...more })
const adaptive = (more: Body = {}) => ({ thinking: { type: 'adaptive' }, ...more })
const off = (more: Body = {}) => ({ thinking: { type: 'disabled' }, ...more })
const effort = (level: string, more: Body = {}) => ({ output_config: { effort: level }, ...more })
const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)

type Row = readonly [rule: string, says: string, refused: Body | StrictRequest, taken: Body | StrictRequest]

const isRequest = (value: Body | StrictRequest): value is StrictRequest => 'service' in value
const asked = (value: Body | StrictRequest) => (isRequest(value) ? value : ask(value))

const DRAFT =
  'JSON schema is invalid. It must match JSON Schema draft 2020-12 (https://json-schema.org/draft/2020-12). ' +
  'Learn more about tool use at https://docs.claude.com/en/docs/tool-use.'
const FIRST =
  'When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the lastmost ' +
  'set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from previous turns. To avoid ' +
  'this requirement, disable `thinking`. Please consult our documentation at ' +
  'https://docs.claude.com/en/docs/build-with-claude/extended-thinking'
const STEERED = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
const TAGS =
  "'bash_code_execution_tool_result', 'browser_state', 'code_execution_tool_result', 'compaction', " +
  "'container_upload', 'document', 'image', 'mcp_tool_result', 'mcp_tool_use', 'redacted_thinking', 'search_result', " +
  "'server_tool_use', 'text', 'text_editor_code_execution_tool_result', 'thinking', 'tool_reference', 'tool_result', " +
  "'tool_search_tool_result', 'tool_use', 'web_fetch_tool_result', 'web_search_tool_result'"

const FIELDS: readonly Row[] = [
  ['request-extra-field', 'tool_choise: Extra inputs are not permitted', { tool_choise: 1 }, { stream: true }],
  [
    'request-extra-field',
    'max_tokens: Extra inputs are not permitted',
    { ...ask({}), path: '/messages/count_tokens' },
    { ...ask({}), path: '/messages/count_tokens', body: { model: HAIKU, messages: [{ role: 'user', content: 'Hi' }] } },
  ],
  [
    'request-beta-field',
    'mcp_servers: Extra inputs are not permitted',
    { mcp_servers: [] },
    ask({ mcp_servers: [] }, HAIKU, { ...VERSION, 'anthropic-beta': 'other-2025-01-01, mcp-client-2025-11-20' }),
  ],
  [
    'message-extra-field',
    'messages.0.name: Extra inputs are not permitted',
    { messages: [{ role: 'user', content: 'Hi', name: 'Ann' }] },
    { messages: [{ role: 'user', content: 'Hi' }] },
  ],
  [
    'block-type-unknown',
    `messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the expected tags: ${TAGS}`,
    say({ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }),
    say({ type: 'container_upload', file_id: 'file_1' }),
  ],
  [
    'block-extra-field',
    'messages.0.content.0.image.detail: Extra inputs are not permitted',
    say({ ...image(base64('image/png', PNG)), detail: 'low' }),
    say({ ...image(base64('image/png', PNG)), cache_control: { type: 'ephemeral' } }),
  ],
  [
    'block-extra-field',
    'messages.1.content.0.thinking.cache_control: Extra inputs are not permitted',
    { messages: [user(text('a')), assistant(thought({ cache_control: { type: 'ephemeral' } })), user(text('b'))] },
    { messages: [user(text('a')), assistant(thought()), user(text('b'))] },
  ],
  [
    'image-in-answer',
    "messages.1.content.0: 'image' blocks are not permitted within assistant turns",
    { messages: [user(text('a')), assistant(image(base64('image/png', PNG))), user(text('b'))] },
    { messages: [user(text('a')), assistant(text('b')), user(image(base64('image/png', PNG)))] },
  ],
  [
    'system-extra-field',
    'system.0.name: Extra inputs are not permitted',
    { system: [text('Be brief', { name: 'a' })] },
    { system: [text('Be brief')] },
  ],
  [
    'source-extra-field',
    'messages.0.content.0.image.source.base64.detail: Extra inputs are not permitted',
    say(image({ ...base64('image/png', PNG), detail: 'low' })),
    say(image(base64('image/png', PNG))),
  ],
  [
    'tool-extra-field',
    'tools.0.custom.parameters: Extra inputs are not permitted',
    { tools: [tool({ parameters: {} })] },
    { tools: [tool({ description: 'Looks' })] },
  ],
  [
    'tool-choice-extra-field',
    'tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted',
    { tools: [tool()], tool_choice: { type: 'none', disable_parallel_tool_use: true } },
    { tools: [tool()], tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
  ],
  [
    'thinking-extra-field',
    'thinking.disabled.budget_tokens: Extra inputs are not permitted',
    { thinking: { type: 'disabled', budget_tokens: 1024 } },
    off(),
  ],
  [
    'output-config-extra-field',
    'output_config.verbosity: Extra inputs are not permitted',
    ask({ output_config: { verbosity: 'low' } }, OPUS),
    ask(effort('low'), OPUS),
  ],
  [
    'metadata-extra-field',
    'metadata.team: Extra inputs are not permitted',
    { metadata: { team: 'a' } },
    { metadata: { user_id: 'a' } },
  ],
]

const MESSAGES: readonly Row[] = [
  ['version-header', 'anthropic-version: header is required', ask({}, HAIKU, {}), {}],
  ['messages-missing', 'messages: at least one message is required', { messages: [] }, {}],
  [
    'role-unknown',
    "messages.1.role: Input should be 'user' or 'assistant'",
    { messages: [user(text('a')), { role: 'tool', content: 'b' }] },
    { messages: [user(text('a')), user(text('b'))] },
  ],
  [
    'role-system',
    "messages.0: use the top-level 'system' parameter for the initial system prompt",
    ask({ messages: [{ role: 'system', content: 'Be brief' }, user(text('a'))] }, 'claude-opus-4-8'),
    ask({ messages: [user(text('a')), { role: 'system', content: 'Be brief' }] }, 'claude-opus-4-8'),
  ],
  [
    'role-system',
    "role 'system' is not supported on this model",
    { messages: [user(text('a')), { role: 'system', content: 'Be brief' }] },
    { messages: [assistant(text('a')), user(text('b'))] },
  ],
  [
    'message-empty',
    'messages.0: all messages must have non-empty content except for the optional final assistant message',
    { messages: [{ role: 'user', content: '' }] },
    { messages: [user(text('a')), { role: 'assistant', content: [] }] },
  ],
  [
    'text-empty',
    'messages: text content blocks must be non-empty',
    say(text('a'), text('')),
    say(text('a'), text('b')),
  ],
  ['text-empty', 'system: text content blocks must be non-empty', { system: [text('')] }, { system: '' }],
  [
    'text-blank',
    'messages: text content blocks must contain non-whitespace text',
    loop([text('\n\n'), call('a')], [result('a')]),
    { messages: [user(text('a')), assistant(text('\n\nc')), user(text('b'))] },
  ],
  ['text-blank', 'system: text content blocks must contain non-whitespace text', { system: ' ' }, { system: '.' }],
  [
    'prefill',
    'This model does not support assistant message prefill. The conversation must end with a user message.',
    ask({ messages: [user(text('a')), assistant(text('{'))] }, OPUS),
    ask({ messages: [user(text('a')), assistant(text('{'))] }, 'claude-opus-4-5'),
  ],
  [
    'prefill-trailing-space',
    'messages: final assistant content cannot end with trailing whitespace',
    { messages: [user(text('a')), { role: 'assistant', content: 'The answer is ' }] },
    { messages: [user(text('a ')), assistant(text('b ')), user(text('c '))] },
  ],
  ['max-tokens', 'max_tokens: Field required', { max_tokens: undefined }, { max_tokens: 1 }],
  [
    'max-tokens',
    'max_tokens: 100000 > 8192, which is the maximum allowed number of output tokens for claude-3-5-haiku-20241022',
    ask({ max_tokens: 100_000 }, 'claude-3-5-haiku-20241022'),
    ask({ max_tokens: 100_000 }, OPUS),
  ],
  [
    'prompt-too-long',
    'prompt is too long: 225016 tokens > 200000 maximum',
    say(text('a'.repeat(900_000))),
    ask(say(text('a'.repeat(900_000))), OLD, { ...VERSION, 'anthropic-beta': 'context-1m-2025-08-07' }),
  ],
  [
    'answer-too-long',
    'input length and `max_tokens` exceed context limit: 187516 + 20000 > 200000, decrease input length or `max_tokens` and try again',
    ask({ max_tokens: 20_000, ...say(text('a'.repeat(750_000))) }, 'claude-sonnet-4-20250514'),
    ask({ max_tokens: 20_000, ...say(text('a'.repeat(750_000))) }, 'claude-sonnet-4-5'),
  ],
  [
    'stop-sequence-blank',
    'stop_sequences: each stop sequence must contain non-whitespace',
    { stop_sequences: ['END', '\n'] },
    { stop_sequences: ['\nEND'] },
  ],
]

const CONTENT: readonly Row[] = [
  [
    'image-media-type',
    "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
    say(image(base64('image/tiff', PNG))),
    say(image(base64('image/png', PNG))),
  ],
  [
    'image-data',
    'messages.0.content.0.image.source.base64.data: Image does not match the provided media type image/jpeg',
    say(image(base64('image/jpeg', PNG))),
    say(image(base64('image/jpeg', '/9j/4AAQSkZJRg=='))),
  ],
  [
    'image-data',
    'messages.2.content.0.tool_result.content.0.image.source.base64: invalid base64 data',
    loop([call('a')], [result('a', { content: [image(base64('image/png', `data:image/png;base64,${PNG}`))] })]),
    loop([call('a')], [result('a', { content: [image(base64('image/png', PNG))] })]),
  ],
  [
    'image-data',
    'messages.0.content.0.image.source.base64: image cannot be empty',
    say(image(base64('image/png', ''))),
    say(image({ type: 'file', file_id: 'file_1' })),
  ],
  [
    'media-url',
    'messages.0.content.0.image.source.url.url: Only HTTPS URLs are supported.',
    say(image({ type: 'url', url: 'http://example.org/a.png' })),
    say(image({ type: 'url', url: 'https://example.org/a.png' })),
  ],
  [
    'image-count',
    'Too much media: 0 document pages + 101 images > 100',
    say(...many(101, image(base64('image/png', PNG)))),
    ask(say(...many(101, image(base64('image/png', PNG)))), OPUS),
  ],
  [
    'document-media-type',
    "messages.0.content.0.document.source.base64.media_type: Input should be 'application/pdf'",
    say(pdf(base64('audio/wav', PDF))),
    say(pdf(base64('application/pdf', PDF))),
  ],
  [
    'document-media-type',
    "messages.0.content.0.document.source.text.media_type: Input should be 'text/plain'",
    say(pdf({ type: 'text', media_type: 'text/markdown', data: '# a' })),
    say(pdf({ type: 'text', media_type: 'text/plain', data: '# a' })),
  ],
  [
    'document-data',
    'messages.0.content.0.document.source.base64: PDF cannot be empty',
    say(pdf(base64('application/pdf', ''))),
    say(pdf({ type: 'url', url: 'https://example.org/a.pdf' })),
  ],
  [
    'document-data',
    'messages.0.content.0.document.source.base64.data: The PDF specified was not valid.',
    say(pdf(base64('application/pdf', PNG))),
    say(pdf(base64('application/pdf', PDF))),
  ],
  [
    'cache-empty-text',
    'messages.0.content.1.text: cache_control cannot be set for empty text blocks',
    say(text('a'), text('', { cache_control: { type: 'ephemeral' } })),
    say(text('a'), text('b', { cache_control: { type: 'ephemeral' } })),
  ],
  [
    'cache-marks',
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
    { system: [text('s', { cache_control: {} })], ...say(...many(4, text('a', { cache_control: {} }))) },
    say(...many(4, text('a', { cache_control: {} }))),
  ],
  [
    'user-id',
    'metadata.user_id: user_id appears to contain an email address. Please send a uuid or hash value instead.',
    { metadata: { user_id: 'ann@example.org' } },
    { metadata: { user_id: 'ann@home' } },
  ],
  [
    'user-id',
    'metadata.user_id: String should have at most 256 characters',
    { metadata: { user_id: 'a'.repeat(257) } },
    { metadata: { user_id: 'a'.repeat(256) } },
  ],
  [
    'service-tier',
    "service_tier: Input should be 'auto' or 'standard_only'",
    { service_tier: 'flex' },
    { service_tier: 'auto' },
  ],
]

const TOOLS: readonly Row[] = [
  [
    'tool-type',
    "tools.0: Input tag 'function' found using 'type' does not match any of the expected tags: 'bash_20250124', 'custom', 'text_editor_20250124', 'text_editor_20250429', 'text_editor_20250728'",
    { tools: [{ type: 'function', function: { name: 'look' } }] },
    { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
  ],
  [
    'tool-name',
    "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    { tools: [tool({ name: 'files.read' })] },
    { tools: [tool({ name: 'n'.repeat(128) })] },
  ],
  ['tool-name', 'tools.0.custom.name: Field required', { tools: [tool({ name: undefined })] }, { tools: [tool()] }],
  [
    'tool-names-unique',
    'tools: Tool names must be unique.',
    { tools: [tool(), tool()] },
    { tools: [tool(), tool({ name: 'see' })] },
  ],
  [
    'tool-input-schema',
    'tools.0.custom.input_schema: Field required',
    { tools: [tool({ input_schema: undefined })] },
    { tools: [tool()] },
  ],
  [
    'tool-input-schema',
    'tools.0.custom.input_schema.type: Field required',
    withSchema({}),
    withSchema({ type: 'object', properties: {} }),
  ],
  [
    'tool-input-schema',
    "tools.0.custom.input_schema.type: Input should be 'object'",
    withSchema({ type: 'string' }),
    withSchema({ type: 'object' }),
  ],
  [
    'tool-schema-choice',
    'tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level',
    withSchema({ type: 'object', anyOf: [{ type: 'object' }] }),
    property({ anyOf: [{ type: 'string' }] }),
  ],
  [
    'tool-property-names',
    "tools.0.custom.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'",
    withSchema({ type: 'object', properties: { $filter: {} } }),
    withSchema({ type: 'object', properties: { 'a.b-c_1': {} } }),
  ],
  ...[
    [{ type: 'STRING' }, { type: 'string' }],
    [
      { type: 'integer', exclusiveMinimum: true },
      { type: 'integer', exclusiveMinimum: 0 },
    ],
    [
      { type: 'array', items: [{ type: 'string' }] },
      { type: 'array', prefixItems: [{ type: 'string' }], items: false },
    ],
    [{ type: 'string', maxLength: '3' }, { maxLength: 3 }],
    [{ type: 'string', required: true }, { type: ['string', 'null'] }],
    [{ required: ['b', 'b'] }, { required: ['b', 'c'] }],
  ].map(
    ([broken = {}, whole = {}]): Row => [
      'tool-schema-draft',
      `tools.0.custom.input_schema: ${DRAFT}`,
      property(broken),
      property(whole),
    ],
  ),
  [
    'tool-choice-without-tools',
    'tool_choice.any may only be specified while providing tools',
    { tool_choice: { type: 'any' } },
    { tools: [tool()], tool_choice: { type: 'any' } },
  ],
  [
    'tool-choice-unknown',
    "Tool 'see' not found in provided tools",
    { tools: [tool()], tool_choice: { type: 'tool', name: 'see' } },
    { tools: [tool()], tool_choice: { type: 'tool', name: 'look' } },
  ],
  [
    'tools-all-deferred',
    'All tools have defer_loading set. At least one tool must be non-deferred.',
    { tools: [tool({ defer_loading: true })] },
    { tools: [tool(), tool({ name: 'later', defer_loading: true })] },
  ],
  [
    'tool-reference-unknown',
    "Tool reference 'later' has no corresponding tool definition",
    loop([call('c1')], [result('c1', { content: [{ type: 'tool_reference', tool_name: 'later' }] })]),
    loop([call('c1')], [result('c1', { content: [{ type: 'tool_reference', tool_name: 'look' }] })]),
  ],
  [
    'tool-choice-forced',
    'tool_choice: type "tool" and "any" are not supported for this model.',
    ask({ tools: [tool()], tool_choice: { type: 'any' } }, NEW),
    ask({ tools: [tool()], tool_choice: { type: 'any' } }, 'claude-opus-5'),
  ],
  [
    'tool-call-fields',
    "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    loop([call('call.1')], [result('call.1')]),
    loop([call('call_1')], [result('call_1')]),
  ],
  [
    'tool-call-fields',
    "messages.2.content.0.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'",
    loop([call('a')], [result('')]),
    loop([call('a')], [result('a')]),
  ],
  [
    'tool-call-fields',
    "messages.1.content.0.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    loop([call('a', { name: 'files.read' })], [result('a')]),
    loop([call('a', { name: 'files-read' })], [result('a')]),
  ],
  [
    'tool-call-fields',
    'messages.1.content.0.tool_use.input: Input should be a valid dictionary',
    loop([call('a', { input: '{}' })], [result('a')]),
    loop([call('a', { input: { b: 1 } })], [result('a')]),
  ],
  [
    'tool-call-fields',
    'messages.0: `tool_use` blocks can only be in `assistant` messages',
    say(call('a')),
    loop([call('a')], [result('a')]),
  ],
  [
    'tool-call-unique',
    'messages.1.content.1: `tool_use` ids must be unique',
    loop([call('a'), call('a')], [result('a')]),
    loop([call('a'), call('b')], [result('b'), result('a')]),
  ],
  [
    'tool-call-answered',
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a, b. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    loop([call('a'), call('b')], [text('no'), result('a'), result('b')]),
    loop([call('a'), call('b')], [result('a'), result('b'), text('yes')]),
  ],
  [
    'tool-call-answered',
    'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: b. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    loop([call('a'), call('b')], [result('a')]),
    {
      tools: [tool()],
      messages: [user(text('a')), assistant(call('a'), call('b')), user(result('a')), user(result('b'))],
    },
  ],
  [
    'tool-result-orphan',
    'messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: a. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
    say(result('a')),
    loop([call('a')], [result('a')]),
  ],
  [
    'tool-result-single',
    'messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: a',
    loop([call('a')], [result('a'), result('a')]),
    loop([call('a')], [result('a')]),
  ],
]

const node = { type: 'object', additionalProperties: false, properties: { next: { $ref: '#/$defs/node' } } }

const SCHEMAS: readonly Row[] = [
  [
    'output-format-type',
    "output_config.format.type: Input should be 'json_schema'",
    answer(closed({}), { type: 'json_object' }),
    answer(closed({})),
  ],
  [
    'output-schema-circle',
    'output_config.format.schema: Circular reference detected in schema definitions: node -> node. Self-referencing or mutually-referencing definitions are not supported.',
    answer(closed({ a: { $ref: '#/$defs/node' } }, { $defs: { node } })),
    answer(closed({ a: { $ref: '#/$defs/node' } }, { $defs: { node: { type: 'string' } } })),
  ],
  [
    'output-schema-circle',
    'output_config.format.schema: Circular reference detected in schema definitions: # -> #. Self-referencing or mutually-referencing definitions are not supported.',
    answer(closed({ next: { $ref: '#' } })),
    answer(closed({ a: { $ref: '#/$defs/b' }, c: { $ref: '#/$defs/b' } }, { $defs: { b: { type: 'string' } } })),
  ],
  ...(
    [
      ["For 'object' type, 'additionalProperties' must be explicitly set to false", { type: 'object' }, closed({})],
      ["For 'integer' type, property 'minimum' is not supported", { type: 'integer', minimum: 1 }, { type: 'integer' }],
      [
        "For 'integer' type, properties maximum, minimum are not supported",
        { type: 'integer', minimum: 1, maximum: 2 },
        { type: 'integer', enum: [1, 2] },
      ],
      [
        "For 'string' type, property 'minLength' is not supported",
        { type: 'string', minLength: 1 },
        { type: 'string' },
      ],
      [
        "For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        { type: 'array', items: { type: 'string' }, minItems: 2 },
        { type: 'array', items: { type: 'string' }, minItems: 1 },
      ],
      [
        "Schema type 'oneOf' is not supported",
        { oneOf: [{ type: 'string' }] },
        { anyOf: [{ type: 'string' }, { type: 'null' }] },
      ],
    ] as const
  ).map(
    ([says, refused, taken]): Row => [
      'output-schema',
      `output_config.format.schema: ${says}`,
      answer(closed({ a: refused })),
      answer(closed({ a: taken })),
    ],
  ),
  [
    'output-schema',
    "tools.0.custom: For 'object' type, 'additionalProperties' must be explicitly set to false",
    withSchema({ type: 'object', properties: {} }, { strict: true }),
    withSchema(closed({}), { strict: true }),
  ],
]

const THINKING: readonly Row[] = [
  [
    'thinking-type',
    `"thinking.type.enabled" is not supported for this model. ${STEERED}`,
    ask(enabled(), 'claude-sonnet-5'),
    ask(adaptive(), 'claude-sonnet-5'),
  ],
  ['thinking-type', 'adaptive thinking is not supported on this model', adaptive(), enabled()],
  [
    'thinking-type',
    `"thinking.type.disabled" is not supported for this model. ${STEERED}`,
    ask(off(), NEW),
    ask({}, NEW),
  ],
  [
    'thinking-type',
    '"thinking.type.disabled" is not supported for this model. Use "thinking.type.between_tools" for the lowest thinking setting, or "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
    ask(off(), 'claude-sonnet-5-5'),
    ask({ thinking: { type: 'between_tools' } }, 'claude-sonnet-5-5'),
  ],
  [
    'thinking-type',
    '"thinking.type.between_tools" is not supported for this model.',
    ask({ thinking: { type: 'between_tools' } }, NEW),
    ask(adaptive(), NEW),
  ],
  [
    'thinking-budget',
    'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024',
    { thinking: { type: 'enabled', budget_tokens: 512 } },
    enabled(),
  ],
  [
    'thinking-budget',
    'thinking.enabled.budget_tokens: Field required',
    { thinking: { type: 'enabled' } },
    ask(enabled(), OPUS),
  ],
  [
    'thinking-budget',
    '`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size',
    enabled({ max_tokens: 1024 }),
    enabled({ max_tokens: 1025 }),
  ],
  ['effort', 'This model does not support the effort parameter.', effort('low'), {}],
  [
    'effort',
    "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium.",
    ask(effort('xhigh'), OPUS),
    ask(effort('max'), OPUS),
  ],
  [
    'effort',
    "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'",
    ask(effort('minimal'), NEW),
    ask(effort('xhigh'), NEW),
  ],
  [
    'effort-without-thinking',
    "output_config.effort 'xhigh' is not supported when thinking is disabled on this model. Use effort 'high' or below, or enable thinking.",
    ask(effort('xhigh', off()), 'claude-opus-5'),
    ask(effort('high', off()), 'claude-opus-5'),
  ],
  [
    'effort-between-tools',
    'output_config.effort \'max\' is not supported with "thinking.type.between_tools".',
    ask(effort('max', { thinking: { type: 'between_tools' } }), 'claude-sonnet-5-5'),
    ask(effort('high', { thinking: { type: 'between_tools' } }), 'claude-sonnet-5-5'),
  ],
  [
    'thinking-forced-tool',
    'Thinking may not be enabled when tool_choice forces tool use.',
    enabled({ tools: [tool()], tool_choice: { type: 'any' } }),
    enabled({ tools: [tool()], tool_choice: { type: 'auto' } }),
  ],
  ['temperature-range', 'temperature: range: 0..1', { temperature: 1.5 }, { temperature: 1 }],
  [
    'sampling-removed',
    '`temperature` is deprecated for this model.',
    ask({ temperature: 0.2 }, NEW),
    ask({ temperature: 1 }, NEW),
  ],
  ['sampling-removed', '`top_p` is deprecated for this model.', ask({ top_p: 0.9 }, NEW), ask({ top_p: 0.99 }, NEW)],
  [
    'sampling-removed',
    '`top_k` is deprecated for this model.',
    ask({ top_k: 40 }, 'claude-opus-4-7'),
    ask({ top_k: 40 }, OPUS),
  ],
  [
    'sampling-thinking',
    '`temperature` may only be set to 1 when thinking is enabled.',
    enabled({ temperature: 0.2 }),
    enabled({ temperature: 1 }),
  ],
  [
    'sampling-thinking',
    '`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode',
    ask(adaptive({ top_p: 0.9 }), OPUS),
    ask(adaptive({ top_p: 0.95 }), OPUS),
  ],
  [
    'sampling-thinking',
    '`top_k` must be unset when thinking is enabled or in adaptive mode',
    ask(adaptive({ top_k: 40 }), OPUS),
    ask(off({ top_k: 40 }), OPUS),
  ],
  [
    'sampling-pair',
    '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
    { temperature: 1, top_p: 1 },
    ask({ temperature: 1, top_p: 1 }, OLD),
  ],
  [
    'thinking-first',
    `messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`tool_use\`. ${FIRST}`,
    loop([call('a')], [result('a')], enabled()),
    loop([thought(), call('a')], [result('a')], enabled()),
  ],
  [
    'thinking-first',
    `messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`text\`. ${FIRST}`,
    enabled({ messages: [user(text('a')), assistant(text('{'))] }),
    enabled({ messages: [user(text('a')), assistant(text('b')), user(text('c'))] }),
  ],
  [
    'thinking-signature',
    'messages.1.content.0: Invalid `signature` in `thinking` block',
    { messages: [user(text('a')), assistant(thought({ signature: 'google:EqUC' }), text('b')), user(text('c'))] },
    { messages: [user(text('a')), assistant(thought({ thinking: '' }), text('b')), user(text('c'))] },
  ],
  [
    'thinking-signature',
    'messages.1.content.0: Invalid `signature` in `thinking` block',
    {
      messages: [user(text('a')), assistant(thought({ signature: signatureOf('google') }), text('b')), user(text('c'))],
    },
    {
      messages: [
        user(text('a')),
        assistant(thought({ signature: signatureOf('anthropic') }), text('b')),
        user(text('c')),
      ],
    },
  ],
  [
    'thinking-signature',
    'messages.1.content.0.thinking.signature: Field required',
    { messages: [user(text('a')), assistant(thought({ signature: undefined }), text('b')), user(text('c'))] },
    { messages: [user(text('a')), assistant(thought(), text('b')), user(text('c'))] },
  ],
  [
    'thinking-signature',
    'messages.1.content.0.thinking: each thinking block must contain thinking',
    { messages: [user(text('a')), assistant(thought({ thinking: '', signature: '' })), user(text('c'))] },
    { messages: [user(text('a')), assistant(text('b')), user(text('c'))] },
  ],
  [
    'thinking-signature',
    'messages.1.content.0: Invalid `data` in `redacted_thinking` block',
    { messages: [user(text('a')), assistant({ type: 'redacted_thinking', data: 'a:b' }), user(text('c'))] },
    { messages: [user(text('a')), assistant({ type: 'redacted_thinking', data: 'YWI=' }), user(text('c'))] },
  ],
]

describe('the rules of the Messages API', () => {
  const rows = [...FIELDS, ...MESSAGES, ...CONTENT, ...TOOLS, ...SCHEMAS, ...THINKING]
  testTable(
    anthropicRules,
    rows.map(([rule, says, refused, taken]): StrictCase => {
      return { rule, says, refused: asked(refused), taken: asked(taken) }
    }),
  )

  test('a refusal has the form of the service', () => {
    const refusal = anthropicRules.map(({ refuse }) => refuse(ask({ messages: [] }))).find((found) => found !== null)
    expect(refusal).toMatchObject({
      status: 400,
      body: { type: 'error', error: { type: 'invalid_request_error' }, request_id: expect.any(String) },
    })
  })

  test('a whole conversation with thoughts, tools and images is taken', () => {
    const conversation = {
      system: [text('Be brief', { cache_control: { type: 'ephemeral' } })],
      tools: [tool({ description: 'Looks', strict: true, input_schema: closed({ at: { type: 'string' } }) })],
      tool_choice: { type: 'auto', disable_parallel_tool_use: false },
      metadata: { user_id: 'a1b2' },
      stop_sequences: ['END'],
      messages: [
        user(text('What is this?'), image(base64('image/png', PNG)), pdf(base64('application/pdf', PDF))),
        assistant(thought(), text('I look'), call('toolu_1', { input: { at: 'it' } }), call('toolu_2')),
        user(result('toolu_1'), result('toolu_2', { content: [text('a'), image(base64('image/png', PNG))] })),
        assistant(call('toolu_3')),
        user(result('toolu_3', { is_error: true, content: '' }), text('Go on')),
      ],
    }
    expect(firstRefusal(anthropicRules, ask({ ...conversation, ...enabled() }))).toBeNull()
    expect(firstRefusal(anthropicRules, ask({ ...conversation, ...adaptive(effort('high')) }, NEW))).toBeNull()
  })

  test('a model of unknown generation is refused nothing for its generation', () => {
    const body = { temperature: 0.5, top_p: 0.5, max_tokens: 500_000, ...effort('xhigh') }
    expect(firstRefusal(anthropicRules, ask(body, 'some-model'))).toBeNull()
  })
})
