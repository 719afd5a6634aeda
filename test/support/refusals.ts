/** Refusals of one request in the words of the services: what each is about, and what it must not be taken for. */

import type { DialectId } from '../../src/domain/chat.ts'
import type { FailureKind } from '../../src/domain/failure.ts'

export interface SaidRefusal {
  readonly name: string
  /** The language of the service that says it. */
  readonly dialect: DialectId
  readonly status: number
  readonly body: unknown
  readonly kind: FailureKind
  readonly about?: string
  readonly ability?: string
  readonly parameter?: string
  /** What must reach the client, where that is not the beginning of the first message. */
  readonly words?: string
}

type Meaning = Omit<SaidRefusal, 'name' | 'dialect' | 'status' | 'body'>

const openai = (name: string, status: number, message: string, facts: object, meaning: Meaning): SaidRefusal => ({
  name,
  dialect: 'openai',
  status,
  body: { error: { message, type: 'invalid_request_error', param: null, code: null, ...facts } },
  ...meaning,
})
const anthropic = (name: string, status: number, type: string, message: string, meaning: Meaning): SaidRefusal => ({
  name,
  dialect: 'anthropic',
  status,
  body: { type: 'error', error: { type, message } },
  ...meaning,
})
const google = (name: string, status: number, word: string, message: string, meaning: Meaning): SaidRefusal => ({
  name,
  dialect: 'google',
  status,
  body: { error: { code: status, message, status: word } },
  ...meaning,
})

const VALUE = { kind: 'bad_request', about: 'value' } as const
const FORMAT = { kind: 'bad_request', about: 'media' } as const
const OBJECT = { kind: 'bad_request', about: 'object' } as const
const SIZE = { kind: 'bad_request', about: 'size' } as const
const OUTPUT = { kind: 'unsupported', about: 'size' } as const
const PLAIN = { kind: 'bad_request' } as const
const INVALID = 'invalid_request_error'
const field = (name: string, at: string) =>
  `Invalid JSON payload received. Unknown name "${name}" at '${at}': Cannot find field.`

/** A value, a nested field, a keyword or a format: the caller's. */
export const VALUES: readonly SaidRefusal[] = [
  openai(
    'an image format OpenAI does not read',
    400,
    "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].",
    { code: 'invalid_image_format' },
    FORMAT,
  ),
  openai(
    'an image OpenAI cannot parse',
    400,
    'The image data you provided does not represent a valid image. Please check your input and try again.',
    { code: 'image_parse_error' },
    PLAIN,
  ),
  openai(
    'an image nobody can load',
    400,
    'Error while downloading https://x.example/a.png.',
    { code: 'invalid_image_url' },
    PLAIN,
  ),
  openai(
    'a schema keyword in a function',
    400,
    "Invalid schema for function 'f': In context=('properties', 'a'), 'oneOf' is not supported.",
    { param: 'tools[0].function.parameters', code: 'invalid_function_parameters' },
    VALUE,
  ),
  openai(
    'a schema that is not strict',
    400,
    "Invalid schema for response_format 'answer': In context=(), 'additionalProperties' is required to be supplied and to be false.",
    { param: 'response_format' },
    VALUE,
  ),
  openai(
    'a schema property that is called like an ability',
    400,
    "Invalid schema for function 'f': In context=(), 'tools' is not supported.",
    { param: 'tools[0].function.parameters' },
    VALUE,
  ),
  openai(
    'a tool type',
    400,
    "Invalid value: 'retrieval'. Supported values are: 'function' and 'custom'.",
    { param: 'tools[0].type', code: 'invalid_value' },
    VALUE,
  ),
  openai(
    'a detail of an image',
    400,
    "Invalid value: 'ultra'. Supported values are: 'low', 'high', and 'auto'.",
    { param: 'messages[0].content[1].image_url.detail', code: 'invalid_value' },
    VALUE,
  ),
  openai(
    'a response format type',
    400,
    "Invalid value: 'yaml'. Supported values are: 'text', 'json_object', and 'json_schema'.",
    { param: 'response_format.type', code: 'invalid_value' },
    VALUE,
  ),
  openai(
    'a field inside a message',
    400,
    "Unknown parameter: 'messages[1].prefix'.",
    { param: 'messages[1].prefix', code: 'unknown_parameter' },
    VALUE,
  ),
  openai(
    'a field inside a tool',
    400,
    "Unknown parameter: 'tools[0].cache_control'.",
    { param: 'tools[0].cache_control', code: 'unknown_parameter' },
    VALUE,
  ),
  openai(
    'a call without its result',
    400,
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
    { param: 'messages.[2].role' },
    PLAIN,
  ),
  openai(
    'a word that must be in the prompt',
    400,
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    { param: 'messages' },
    PLAIN,
  ),
  openai(
    'an effort the model does not know',
    400,
    "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'low', 'medium', and 'high'.",
    { param: 'reasoning_effort', code: 'unsupported_value' },
    { kind: 'unsupported', about: 'value', parameter: 'reasoning_effort' },
  ),
  openai(
    'a temperature the model does not take',
    400,
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    { param: 'temperature', code: 'unsupported_value' },
    { kind: 'unsupported', about: 'value', parameter: 'temperature' },
  ),
  openai(
    'a count above its maximum',
    400,
    "Invalid 'top_logprobs': integer above maximum value. Expected a value <= 20, but got 50 instead.",
    { param: 'top_logprobs', code: 'integer_above_max_value' },
    PLAIN,
  ),
  openai(
    'a field inside a message, in Groq’s words',
    400,
    "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]",
    {},
    VALUE,
  ),
  openai(
    'a tool name, in Mistral’s words',
    400,
    'Function name was my.tool but must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64.',
    { type: 'invalid_function_call', code: '3280' },
    PLAIN,
  ),
  {
    name: 'a nested field Mistral forbids',
    dialect: 'openai',
    status: 422,
    body: {
      object: 'error',
      message: {
        detail: [
          {
            type: 'extra_forbidden',
            loc: ['body', 'messages', 1, 'assistant', 'tools'],
            msg: 'Extra inputs are not permitted',
          },
        ],
      },
    },
    ...VALUE,
  },
  {
    name: 'an enum at vLLM',
    dialect: 'openai',
    status: 422,
    body: {
      detail: [
        {
          type: 'literal_error',
          loc: ['body', 'response_format', 'type'],
          msg: "Input should be 'text' or 'json_object'",
        },
      ],
    },
    ...VALUE,
  },
  google(
    'a keyword in a short path',
    400,
    'INVALID_ARGUMENT',
    field('additionalProperties', 'generation_config.response_schema'),
    VALUE,
  ),
  google(
    'a keyword in the schema of a tool',
    400,
    'INVALID_ARGUMENT',
    field('exclusiveMinimum', 'tools.function_declarations.parameters.properties.a'),
    VALUE,
  ),
  google(
    'a keyword in a long path',
    400,
    'INVALID_ARGUMENT',
    field('exclusiveMinimum', 'tools[0].function_declarations[0].parameters.properties[0].value.items'),
    VALUE,
  ),
  google(
    'a property called like an ability, deep inside',
    400,
    'INVALID_ARGUMENT',
    field('tools', 'contents[0].parts[0].function_call.args'),
    VALUE,
  ),
  google(
    'an enum value',
    400,
    'INVALID_ARGUMENT',
    `Invalid value at 'generation_config.response_mime_type' (TYPE_STRING), "text/yaml"`,
    VALUE,
  ),
  google('a media type', 400, 'INVALID_ARGUMENT', 'Unsupported MIME type: image/tiff', FORMAT),
  google(
    'an image Gemini cannot read',
    400,
    'INVALID_ARGUMENT',
    'Unable to process input image. Please retry or report in x',
    PLAIN,
  ),
  google(
    'a schema without properties',
    400,
    'INVALID_ARGUMENT',
    '* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties: should be non-empty for OBJECT type',
    PLAIN,
  ),
  google(
    'a budget for thoughts',
    400,
    'INVALID_ARGUMENT',
    'The thinking budget 50000 is invalid. Please choose a value between 128 and 32768.',
    PLAIN,
  ),
  google(
    'a turn in the wrong place',
    400,
    'INVALID_ARGUMENT',
    'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
    PLAIN,
  ),
  anthropic(
    'a field inside an image',
    400,
    INVALID,
    'messages.0.content.1.image.detail: Extra inputs are not permitted',
    VALUE,
  ),
  anthropic(
    'a field inside a tool’s schema',
    400,
    INVALID,
    'tools.0.custom.strict_mode: Extra inputs are not permitted',
    VALUE,
  ),
  anthropic('a field inside thinking', 400, INVALID, 'thinking.enabled.effort: Extra inputs are not permitted', VALUE),
  anthropic(
    'a media type of an image',
    400,
    INVALID,
    "messages.10.content.3.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
    FORMAT,
  ),
  anthropic('an image Claude cannot read', 400, INVALID, 'Could not process image', PLAIN),
  anthropic(
    'a schema keyword at the top',
    400,
    INVALID,
    'tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level',
    VALUE,
  ),
  anthropic(
    'a result without its call',
    400,
    INVALID,
    'messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_01. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
    PLAIN,
  ),
  anthropic(
    'a budget above the answer',
    400,
    INVALID,
    '`max_tokens` must be greater than `thinking.budget_tokens`.',
    PLAIN,
  ),
  anthropic(
    'an empty message',
    400,
    INVALID,
    'messages.2: all messages must have non-empty content except for the optional final assistant message',
    PLAIN,
  ),
]

/** An object that the account does not have: the caller's, whatever status and code it comes with. */
export const OBJECTS: readonly SaidRefusal[] = [
  anthropic('a file', 404, 'not_found_error', 'File not found: file_011abc', OBJECT),
  anthropic('a container', 404, 'not_found_error', 'Container container_011abc not found', OBJECT),
  anthropic('a container that expired', 400, INVALID, 'container: Container container_011abc has expired', OBJECT),
  anthropic('a batch', 404, 'not_found_error', 'Message batch msgbatch_01 not found', OBJECT),
  anthropic('a skill', 404, 'not_found_error', 'Skill not found: skill_01', OBJECT),
  anthropic('a memory store', 404, 'not_found_error', 'Memory store memstore_01 was not found', OBJECT),
  {
    name: 'a thread of messages',
    dialect: 'anthropic',
    status: 404,
    body: {
      type: 'error',
      error: {
        type: 'not_found_error',
        message: 'The previous message is gone',
        details: { error_code: 'thread_not_found' },
      },
    },
    ...OBJECT,
  },
  openai(
    'an item that was not kept',
    404,
    "Item with id 'rs_123' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.",
    { param: 'input' },
    OBJECT,
  ),
  openai(
    'a previous response',
    400,
    "Previous response with id 'resp_123' not found.",
    { param: 'previous_response_id', code: 'previous_response_not_found' },
    OBJECT,
  ),
  openai('a conversation', 404, "Conversation with id 'conv_123' not found.", {}, OBJECT),
  openai('a vector store', 404, "Vector store with id 'vs_123' not found.", {}, OBJECT),
  openai('a vector store, said from the other end', 404, "No vector store found with id 'vs_123'.", {}, OBJECT),
  openai('an assistant', 404, "No assistant found with id 'asst_123'.", {}, OBJECT),
  openai('a thread', 404, "No thread found with id 'thread_123'.", {}, OBJECT),
  openai('a run', 404, "No run found with id 'run_123'.", {}, OBJECT),
  openai('an upload', 404, "Upload with id 'upload_123' not found.", {}, OBJECT),
  openai('a file, as an object', 404, 'No such File object: file-abc', { param: 'id' }, OBJECT),
  openai(
    'a file in a bad request',
    400,
    "No such file: 'file-abc' does not exist.",
    { param: 'input[0].content[1].file_id' },
    OBJECT,
  ),
  openai('a batch', 404, "No batch found with id 'batch_123'.", {}, OBJECT),
  openai('a container that expired', 400, 'Container is expired.', { code: 'container_expired' }, OBJECT),
  openai('a container', 404, "Container with id 'cntr_123' not found.", {}, OBJECT),
  openai('a stored prompt', 404, "Prompt with id 'pmpt_123' not found.", {}, OBJECT),
  openai('a file of another organization', 403, 'The file file-abc belongs to a different organization.', {}, OBJECT),
  openai('a video', 404, "Video with id 'video_123' not found.", {}, OBJECT),
  {
    name: 'an agent at Mistral',
    dialect: 'openai',
    status: 404,
    body: { object: 'error', message: 'Agent ag_123 not found', type: 'not_found', code: '404' },
    ...OBJECT,
  },
  {
    name: 'a file that OpenRouter’s provider does not have',
    dialect: 'openai',
    status: 404,
    body: {
      error: {
        code: 404,
        message: 'Provider returned error',
        metadata: { provider_name: 'x', raw: '{"error":{"message":"File not found: file_1"}}' },
      },
    },
    words: 'File not found: file_1',
    ...OBJECT,
  },
  google(
    'a file without permission',
    403,
    'PERMISSION_DENIED',
    'You do not have permission to access the File abc or it may not exist.',
    OBJECT,
  ),
  google(
    'a cache without permission',
    403,
    'PERMISSION_DENIED',
    'CachedContent not found (or permission denied)',
    OBJECT,
  ),
  google('a cache', 404, 'NOT_FOUND', 'Cached content not found: cachedContents/abc', OBJECT),
  google('a cache that expired', 400, 'INVALID_ARGUMENT', 'Cache content 123 is expired.', OBJECT),
  google('an entity', 404, 'NOT_FOUND', 'Requested entity was not found.', OBJECT),
  google(
    'a file that is not ready',
    400,
    'FAILED_PRECONDITION',
    'The File abc is not in an ACTIVE state and usage is not allowed.',
    OBJECT,
  ),
  google('a file that was deleted', 404, 'NOT_FOUND', 'File files/abc has been deleted.', OBJECT),
  google('an interaction', 404, 'NOT_FOUND', 'Interaction v1_abc not found.', OBJECT),
]

/** A size or a length: this request's at this target. */
export const SIZES: readonly SaidRefusal[] = [
  anthropic(
    'an image above 5 MB',
    400,
    INVALID,
    'messages.0.content.2.image.source.base64: image exceeds 5 MB maximum: 15908784 bytes > 5242880 bytes',
    SIZE,
  ),
  anthropic(
    'an image with too many pixels',
    400,
    INVALID,
    'messages.7.content.2.image.source.base64.data: At least one of the image dimensions exceed max allowed size: 8000 pixels',
    SIZE,
  ),
  anthropic('a PDF with too many pages', 400, INVALID, 'A maximum of 100 PDF pages may be provided.', SIZE),
  anthropic('a whole request above 32 MB', 413, 'request_too_large', 'Request exceeds the maximum size', {
    kind: 'too_large_for_limit',
  }),
  anthropic(
    'more output than Claude writes',
    400,
    INVALID,
    'max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for x',
    OUTPUT,
  ),
  anthropic('a prompt above the window', 400, INVALID, 'prompt is too long: 207368 tokens > 200000 maximum', {
    kind: 'context_too_long',
  }),
  openai(
    'more output than GPT writes',
    400,
    'max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.',
    { param: 'max_tokens' },
    OUTPUT,
  ),
  openai(
    'more output than the Responses API takes',
    400,
    "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 128000, but got 999999 instead.",
    { param: 'max_output_tokens', code: 'integer_above_max_value' },
    OUTPUT,
  ),
  openai(
    'more output than Groq’s model writes',
    400,
    '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model',
    { param: 'max_tokens' },
    OUTPUT,
  ),
  openai(
    'a message that is too long',
    400,
    "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576, but got a string with length 1048577 instead.",
    { param: 'messages[0].content', code: 'string_above_max_length' },
    SIZE,
  ),
  openai(
    'too many tools',
    400,
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
    { param: 'tools', code: 'array_above_max_length' },
    SIZE,
  ),
  openai('too many images', 400, 'Too many images in request. This model supports up to 5 images.', {}, SIZE),
  openai(
    'a window',
    400,
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (1000 in the messages, 8000 in the completion).",
    { code: 'context_length_exceeded' },
    { kind: 'context_too_long' },
  ),
  openai('a body', 413, 'Payload Too Large', { type: 'error' }, SIZE),
  openai(
    'a request above the minute’s tokens',
    429,
    'Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 30601.',
    { type: 'tokens', code: 'rate_limit_exceeded' },
    { kind: 'too_large_for_limit' },
  ),
  openai('one image too many at vLLM', 400, 'At most 1 image(s) may be provided in one request.', {}, SIZE),
  openai(
    'an image that is larger than the model takes',
    400,
    'This model does not support images larger than 20 MB.',
    {},
    SIZE,
  ),
  openai(
    'more output than DeepSeek writes',
    400,
    'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]',
    {},
    OUTPUT,
  ),
  google('a body at Gemini', 400, 'INVALID_ARGUMENT', 'Request payload size exceeds the limit: 20971520 bytes.', SIZE),
  google(
    'more output than Gemini writes',
    400,
    'INVALID_ARGUMENT',
    'Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 65537 (exclusive).',
    OUTPUT,
  ),
  google(
    'a window at Gemini',
    400,
    'INVALID_ARGUMENT',
    'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
    { kind: 'context_too_long' },
  ),
]

const UNKNOWN_MEDIA = { kind: 'unsupported', about: 'ability' } as const
const lacks = (ability: string) => ({ kind: 'unsupported', about: 'ability', ability }) as const

/** An ability as such. */
export const ABILITIES_LACKED: readonly SaidRefusal[] = [
  openai('tools', 400, 'registry.ollama.ai/library/gemma does not support tools', {}, lacks('tools')),
  openai(
    'tool use',
    404,
    'No endpoints found that support tool use. To learn more about provider routing, visit x',
    {},
    lacks('tools'),
  ),
  openai('tool calling', 400, '`tool calling` is not supported with this model', {}, lacks('tools')),
  openai(
    'the choice of a tool at vLLM',
    400,
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    {},
    lacks('tools'),
  ),
  openai('image input', 404, 'No endpoints found that support image input', {}, lacks('images')),
  openai(
    'images, of which some models are capable',
    400,
    'Invalid content type. image_url is only supported by certain models.',
    { param: 'messages.[0].content.[1].type' },
    lacks('images'),
  ),
  openai(
    'images at DeepSeek',
    400,
    'Failed to deserialize the JSON body into the target type: messages[0]: unknown variant `image_url`, expected `text` at line 1 column 90',
    {},
    lacks('images'),
  ),
  openai(
    'images at Mistral',
    422,
    "Input tag 'image_url' found using 'type' does not match any of the expected tags: 'text', 'reference'",
    {},
    lacks('images'),
  ),
  openai(
    'recordings at DeepSeek',
    400,
    'Failed to deserialize the JSON body into the target type: messages[0]: unknown variant `input_audio`, expected `text` at line 1 column 90',
    {},
    UNKNOWN_MEDIA,
  ),
  openai(
    'recordings among several kinds of parts',
    400,
    "Invalid value: 'input_audio'. Supported values are: 'text', 'image_url', 'file', and 'refusal'.",
    { param: 'messages[0].content[1].type', code: 'invalid_value' },
    UNKNOWN_MEDIA,
  ),
  openai(
    'videos at Mistral',
    422,
    "Input tag 'video_url' found using 'type' does not match any of the expected tags: 'text', 'image_url', 'document_url'",
    {},
    UNKNOWN_MEDIA,
  ),
  openai('recordings at vLLM', 400, 'At most 0 audio(s) may be provided in one prompt.', {}, UNKNOWN_MEDIA),
  openai('recordings at llama.cpp', 500, 'audio input is not supported - hint: try the mmproj', {}, UNKNOWN_MEDIA),
  openai('images, plainly', 400, 'This model does not support image inputs.', {}, lacks('images')),
  openai(
    'a schema',
    400,
    "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
    { param: 'response_format' },
    lacks('jsonSchema'),
  ),
  openai('JSON', 400, '`response_format` is not supported by this model', {}, lacks('json')),
  openai(
    'streaming',
    400,
    "Unsupported value: 'stream' does not support true with this model. Only the default (false) value is supported.",
    { param: 'stream', code: 'unsupported_value' },
    lacks('streaming'),
  ),
  openai(
    'reasoning',
    400,
    "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
    { param: 'reasoning.effort', code: 'unsupported_parameter' },
    lacks('reasoning'),
  ),
  anthropic('thinking', 400, INVALID, 'thinking: Extra inputs are not permitted', lacks('reasoning')),
  google(
    'function calling',
    400,
    'INVALID_ARGUMENT',
    'Function calling is not enabled for models/gemma-3-27b-it',
    lacks('tools'),
  ),
  google('a JSON mode', 400, 'INVALID_ARGUMENT', 'JSON mode is not enabled for models/gemma-3-27b-it', lacks('json')),
  google(
    'tools of an old API',
    400,
    'INVALID_ARGUMENT',
    'Invalid JSON payload received. Unknown name "tools": Cannot find field.',
    lacks('tools'),
  ),
  google(
    'a schema of an old API',
    400,
    'INVALID_ARGUMENT',
    field('responseSchema', 'generation_config'),
    lacks('jsonSchema'),
  ),
  openai('images at llama.cpp', 500, 'image input is not supported - hint: provide the mmproj', {}, lacks('images')),
  openai('images at vLLM', 400, 'At most 0 image(s) may be provided in one request.', {}, lacks('images')),
  openai(
    'a schema at Groq',
    400,
    'This model does not support response format `json_schema`. See x',
    {},
    lacks('jsonSchema'),
  ),
]

/** Near an ability, but with a condition: nothing that the model lacks as such. */
export const CONDITIONS: readonly SaidRefusal[] = [
  openai(
    'tools while streaming',
    400,
    "This model doesn't support tool use in streaming mode.",
    {},
    { kind: 'unsupported' },
  ),
  openai('images in results', 400, 'This model does not support images in tool results.', {}, { kind: 'unsupported' }),
  openai('an image detail', 400, "This model does not support image detail 'high'.", {}, { kind: 'unsupported' }),
  openai(
    'a JSON format beside tools',
    400,
    'response_format json_object cannot be combined with tool calling',
    {},
    PLAIN,
  ),
  anthropic(
    'a prefilled answer',
    400,
    INVALID,
    'This model does not support assistant message prefill. The conversation must end with a user message.',
    { kind: 'unsupported' },
  ),
  anthropic('a deprecated option', 400, INVALID, '`temperature` is deprecated for this model.', {
    kind: 'unsupported',
    about: 'parameter',
    parameter: 'temperature',
  }),
  openai(
    'an argument nobody knows',
    400,
    'Unrecognized request argument supplied: usage',
    {},
    { kind: 'unsupported', about: 'parameter', parameter: 'usage' },
  ),
  google(
    'a system message',
    400,
    'INVALID_ARGUMENT',
    'Developer instruction is not enabled for models/gemma-3-27b-it',
    { kind: 'unsupported' },
  ),
]

/** The model itself, in words that are close to those of a missing object. */
export const MODELS: readonly SaidRefusal[] = [
  openai(
    'a model called after a prompt',
    404,
    'The model `meta-llama/llama-prompt-guard-2-86m` does not exist or you do not have access to it.',
    { code: 'model_not_found' },
    { kind: 'model_not_found' },
  ),
  openai('such a model without its code', 404, "model 'file-parser' not found", {}, { kind: 'model_not_found' }),
  openai(
    'a deployment',
    404,
    'The API deployment for this resource does not exist.',
    { code: 'DeploymentNotFound' },
    { kind: 'model_not_found' },
  ),
  anthropic('a model at Anthropic', 404, 'not_found_error', 'model: claude-x', { kind: 'model_not_found' }),
  google('a tuned model', 404, 'NOT_FOUND', 'Tuned model tunedModels/abc does not exist.', { kind: 'model_not_found' }),
  google(
    'a tuned model without permission',
    403,
    'PERMISSION_DENIED',
    'You do not have permission to access tuned model tunedModels/abc or it may not exist.',
    { kind: 'auth_forbidden' },
  ),
  google(
    'a model at Gemini',
    404,
    'NOT_FOUND',
    'models/x is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.',
    { kind: 'model_not_found' },
  ),
]

const GONE = { kind: 'model_not_found' } as const
const FORBIDDEN = { kind: 'auth_forbidden' } as const
const LACKED = { kind: 'unsupported' } as const
const WINDOW = { kind: 'context_too_long' } as const
const BUSY = { kind: 'overloaded' } as const
const BROKEN = { kind: 'server' } as const
const raw = (name: string, status: number, body: unknown, meaning: Meaning): SaidRefusal => ({
  name,
  dialect: 'openai',
  status,
  body,
  ...meaning,
})

/** Of the model, the account or the key, whatever the status says of the request. */
export const OF_THE_TARGET: readonly SaidRefusal[] = [
  anthropic('a shut organization', 400, INVALID, 'This organization has been disabled.', FORBIDDEN),
  anthropic('an account on hold', 400, INVALID, 'Your account is on hold. Please contact support.', FORBIDDEN),
  anthropic(
    'a credential for one program',
    400,
    INVALID,
    'This credential is only authorized for use with one application and cannot be used for other API requests.',
    FORBIDDEN,
  ),
  anthropic(
    'usage that is paid by itself',
    400,
    INVALID,
    'Third-party apps now draw from your extra usage, not your plan limits. Claim credit at x and keep going.',
    { kind: 'billing' },
  ),
  anthropic(
    'a search the organization has not',
    400,
    INVALID,
    'Web search is not enabled for this organization',
    LACKED,
  ),
  anthropic(
    'a beta the plan has not',
    400,
    INVALID,
    'The long context beta is not yet available for this subscription.',
    LACKED,
  ),
  anthropic('a tool the model has not', 400, INVALID, "'claude-x' does not support tool types: web_search_1.", LACKED),
  anthropic('a format the model has not', 400, INVALID, "'claude-x' does not support output format.", {
    ...LACKED,
    ability: 'jsonSchema',
  }),
  anthropic(
    'a prompt and an answer beside each other',
    400,
    INVALID,
    'input length and `max_tokens` exceed context limit: 180000 + 30000 > 200000, decrease input length or `max_tokens` and try again',
    WINDOW,
  ),
  openai(
    'a summary for verified organizations',
    400,
    'Your organization must be verified to generate summaries.',
    {
      param: 'reasoning.summary',
      code: 'unsupported_value',
    },
    LACKED,
  ),
  openai(
    'a model for verified organizations',
    400,
    'Your organization must be verified to use the model `some-model`.',
    {},
    FORBIDDEN,
  ),
  openai('a model GitHub has no more', 400, 'Unavailable model: some-model', { code: 'unavailable_model' }, GONE),
  openai('a model that was retired', 400, 'some-model has been shut down. See x', {}, GONE),
  openai('a model DeepSeek has not', 400, 'Model Not Exist', { code: INVALID }, GONE),
  openai(
    'terms that wait for consent',
    400,
    'The model `x` requires terms acceptance.',
    {
      code: 'model_terms_required',
    },
    FORBIDDEN,
  ),
  openai(
    'a model that another API serves',
    400,
    "The requested model 'some-model' cannot be used with the Responses API.",
    { param: 'model' },
    LACKED,
  ),
  openai(
    'a model that wants sound',
    400,
    'This model requires that either input content or output modality contain audio.',
    { param: 'model', code: 'invalid_value' },
    LACKED,
  ),
  openai('a model by its id', 400, 'some-model cannot take part in batches of this kind.', {}, LACKED),
  openai('an option of xAI’s models', 400, 'Model some-model does not support parameter reasoningEffort.', {}, LACKED),
  openai(
    'a model without parts',
    400,
    "'messages.0' : for 'role:user' the following must be satisfied[('messages.0.content' : value must be a string)]",
    {},
    LACKED,
  ),
  openai(
    'thinking that cannot be left',
    400,
    'Reasoning is mandatory for this endpoint and cannot be disabled.',
    {},
    LACKED,
  ),
  raw('an unloaded model', 400, { error: 'Model unloaded.' }, BUSY),
  raw('a model that is not ready', 400, { error: 'model_not_ready: some-model is being prepared' }, BUSY),
  openai('a model in the workshop', 400, 'The model is currently being updated. Try again later.', {}, BUSY),
  google(
    'a model for another tier',
    400,
    'INVALID_ARGUMENT',
    'Model is not available for your account tier.',
    FORBIDDEN,
  ),
  google(
    'an API for those who pay',
    400,
    'INVALID_ARGUMENT',
    'Imagen API is only accessible to billed users at this time.',
    FORBIDDEN,
  ),
  openai(
    'a window at TGI',
    422,
    'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens and 400 `max_new_tokens`',
    {},
    WINDOW,
  ),
  openai(
    'a prompt at TGI',
    422,
    'Input validation error: `inputs` must have less than 8192 tokens. Given: 9000',
    {},
    WINDOW,
  ),
  openai(
    'a window at SambaNova',
    400,
    'The provided prompt is 9000 tokens long, so generating 1 tokens requires 9001, but the maximum supported sequence length is just 8192!',
    {},
    WINDOW,
  ),
  openai(
    'a window at Dashscope',
    400,
    '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]',
    { code: 'invalid_parameter_error' },
    WINDOW,
  ),
  openai(
    'more output than Qwen writes',
    400,
    '<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]',
    { code: 'invalid_parameter_error' },
    { ...OUTPUT, parameter: 'max_tokens' },
  ),
  openai('a window at Z.ai', 400, 'Prompt exceeds max length', { code: '1261' }, WINDOW),
  openai('a window at DeepInfra', 400, 'Requested input length 5000 exceeds maximum input length 4096', {}, WINDOW),
  openai(
    'a window at GitHub',
    413,
    'Request body too large for some-model model. Max size: 8000 tokens.',
    { code: 'tokens_limit_reached' },
    WINDOW,
  ),
  ...[405, 420, 421, 423, 424, 425].map((status) =>
    raw(`a ${status}`, status, { error: { message: 'Something went wrong' } }, BROKEN),
  ),
  openai('an option that models lost', 400, '`top_k` has been deprecated for this model.', {}, LACKED),
  raw('an empty 400', 400, '', LACKED),
  raw('a bare 400', 400, { status: 400, title: 'Bad Request' }, LACKED),
]

/** What one request wants of a router or a model: the model is as good as before for all others. */
export const WISHES: readonly SaidRefusal[] = [
  ...[
    'No allowed providers are available for the selected model.',
    'No endpoints found that can handle the requested parameters. To learn more, visit x',
    'All providers have been ignored. To change your ignored providers, visit x',
    'No endpoints found that match the requested quantization.',
    'No endpoints found matching your max price.',
    'No endpoints found that support input audio',
  ].map((message) => raw(`"${message}"`, 404, { error: { message, code: 404 } }, LACKED)),
  openai(
    'a tool of OpenAI’s',
    404,
    "Tool 'web_search_preview' is not supported with some-model.",
    { param: 'tools' },
    LACKED,
  ),
  openai('the same without its parameter', 404, "Tool 'computer' is not supported with some-model.", {}, LACKED),
]

/** A 404 that speaks of no model, and a 503 that does: both may be over in a moment. */
export const PASSING: readonly SaidRefusal[] = [
  raw('an empty 404', 404, '', GONE),
  raw('a 404 of the address', 404, '404 page not found', GONE),
  raw('FastAPI’s 404', 404, { detail: 'Not Found' }, GONE),
  openai('a 404 of OpenAI’s', 404, 'Invalid URL (POST /v1/models/some-model)', {}, GONE),
  openai('a bare 404 in the protocol', 404, 'Not Found', { code: 'not_found' }, GONE),
  anthropic('a bare 404 at Anthropic', 404, 'not_found_error', 'Not Found', GONE),
  openai(
    'no free channel at new-api',
    503,
    'No available channel for model some-model under group default (distributor)',
    { type: 'new_api_error', code: 'model_not_found' },
    BUSY,
  ),
]

const FILTERED = { kind: 'content_filter' } as const

/** A prompt or an answer that the service withholds. */
export const FILTERS: readonly SaidRefusal[] = [
  openai('DeepSeek', 400, 'Content Exists Risk', { code: INVALID }, FILTERED),
  openai(
    'Dashscope',
    400,
    '<400> InternalError.Algo.DataInspectionFailed: Input data may contain inappropriate content.',
    { type: 'data_inspection_failed', code: 'data_inspection_failed' },
    FILTERED,
  ),
  raw(
    'Z.ai',
    400,
    { error: { code: '1301', message: 'Unsafe or sensitive content was detected in the input or the answer.' } },
    FILTERED,
  ),
  raw('MiniMax', 400, { base_resp: { status_code: 1026, status_msg: 'input new_sensitive' } }, FILTERED),
  openai('Moonshot', 400, 'The request was rejected because it was considered high risk', {}, FILTERED),
  raw(
    'xAI',
    403,
    { code: 'The caller does not have permission', error: 'Content violates usage guidelines. Failed check: x' },
    FILTERED,
  ),
  openai(
    'Ark',
    400,
    'The request failed because the input text may contain sensitive information.',
    { code: 'InputTextSensitiveContentDetected' },
    FILTERED,
  ),
  openai(
    'Ark’s other product',
    400,
    'The request could not be processed.',
    { code: 'OutputTextRiskDetection' },
    FILTERED,
  ),
  anthropic('Anthropic', 400, INVALID, 'Output blocked by content filtering policy', FILTERED),
]

export const REFUSALS = [
  ...VALUES,
  ...OBJECTS,
  ...SIZES,
  ...ABILITIES_LACKED,
  ...CONDITIONS,
  ...MODELS,
  ...OF_THE_TARGET,
  ...WISHES,
  ...PASSING,
  ...FILTERS,
]
