/** What the simulated Gemini API refuses and takes, row by row. */

import { describe, expect, test } from 'vitest'
import { firstRefusal, type StrictCase, testTable } from '../../../test/support/strictTable.ts'
import { googleRules } from './google.ts'
import type { StrictRequest } from './rule.ts'
import { signatureOf } from './signatures.ts'

type Body = Record<string, unknown>

const FLASH = 'gemini-2.5-flash'
const PRO = 'gemini-2.5-pro'
const LITE = 'gemini-2.5-flash-lite'
const NEW = 'gemini-3.1-pro-preview'
const GEMMA = 'gemma-3-27b-it'

function at(operation: string, body: Body, model = FLASH): StrictRequest {
  return { service: 'google', model, path: `/models/${model}:${operation}`, headers: {}, body }
}

const ask = (body: Body, model = FLASH) => at('generateContent', { contents: [user({ text: 'Hi' })], ...body }, model)

const user = (...parts: unknown[]) => ({ role: 'user', parts })
const model = (...parts: unknown[]) => ({ role: 'model', parts })
const call = (name: string, more: Body = {}) => ({ functionCall: { name, args: {} }, ...more })
const response = (name: string, more: Body = {}) => ({ functionResponse: { name, response: { output: 'a' }, ...more } })
const talk = (...contents: unknown[]) => ({ contents: [user({ text: 'Hi' }), ...contents] })
const PICTURE = { inlineData: { mimeType: 'image/png', data: 'YWI=' } }
/** A result with a picture, of a call that is signed. */
const shows = (part: Body, name = 'gemini-3.5-flash') =>
  ask(talk(model(call('look', { thoughtSignature: PLACEHOLDER })), user(response('look', { parts: [part] }))), name)
const PLACEHOLDER = 'skip_thought_signature_validator'
const say = (...parts: unknown[]) => ({ contents: [user(...parts)] })
const look = (more: Body = {}) => ({ name: 'look', ...more })
const tools = (...functionDeclarations: unknown[]) => ({ tools: [{ functionDeclarations }] })
const parameters = (properties: Body, more: Body = {}) => tools(look({ parameters: object(properties, more) }))
const object = (properties: Body, more: Body = {}) => ({ type: 'OBJECT', properties, ...more })
const config = (generationConfig: Body, more: Body = {}) => ({ generationConfig, ...more })
const json = (more: Body) => config({ responseMimeType: 'application/json', ...more })
const thinking = (thinkingConfig: Body) => config({ thinkingConfig })
const calling = (mode: string, allowed?: string[]) => ({
  toolConfig: { functionCallingConfig: { mode, ...(allowed && { allowedFunctionNames: allowed }) } },
})
const embed = (model = 'models/gemini-embedding-001') => ({ model, content: { parts: [{ text: 'a' }] } })
const batch = (...requests: unknown[]) => at('batchEmbedContents', { requests }, 'gemini-embedding-001')

type Row = readonly [rule: string, says: string, refused: Body | StrictRequest, taken: Body | StrictRequest]

const isRequest = (value: Body | StrictRequest): value is StrictRequest => 'service' in value
const asked = (value: Body | StrictRequest) => (isRequest(value) ? value : ask(value))

const unknown = (name: string, place: string, why = 'Cannot find field.') =>
  `Invalid JSON payload received. Unknown name "${name}"${place === '' ? '' : ` at '${place}'`}: ${why}`
const DECLARATION = 'tools[0].function_declarations[0]'
const LIST = 'Proto field is not repeating, cannot start list.'
const NAME =
  'Invalid function name. Must start with a letter or an underscore. Must be a-z, A-Z, 0-9, or contain underscores ' +
  '(_), dots (.), colons (:), or dashes (-), with a maximum length of 128.'

const FIELDS: readonly Row[] = [
  ['unknown-name', unknown('messages', ''), { messages: [] }, { safetySettings: [], safety_settings: [] }],
  [
    'unknown-name',
    unknown('$schema', `${DECLARATION}.parameters`),
    parameters({ a: { type: 'STRING' } }, { $schema: 'https://json-schema.org/draft/2020-12/schema' }),
    tools(look({ parametersJsonSchema: { $schema: 'https://json-schema.org/draft/2020-12/schema' } })),
  ],
  [
    'unknown-name',
    [
      unknown('exclusiveMinimum', `${DECLARATION}.parameters.properties[0].value`),
      unknown('additionalProperties', `${DECLARATION}.parameters`),
    ].join('\n'),
    parameters({ a: { type: 'INTEGER', exclusiveMinimum: 0 } }, { additionalProperties: false }),
    parameters({ a: { type: 'INTEGER', minimum: 0, max_items: 3 } }),
  ],
  [
    'unknown-name',
    unknown('additionalProperties', 'generation_config.response_schema.items'),
    json({ responseSchema: { type: 'ARRAY', items: { type: 'STRING', additionalProperties: false } } }),
    json({ responseJsonSchema: { type: 'array', items: { additionalProperties: false } } }),
  ],
  [
    'unknown-name',
    unknown('type', `${DECLARATION}.parameters.properties[0].value`, LIST),
    parameters({ a: { type: ['string', 'null'] } }),
    parameters({ a: { type: 'string', nullable: true } }),
  ],
  [
    'unknown-name',
    unknown('response', 'contents[2].parts[0].function_response', LIST),
    talk(model(call('look')), user(response('look', { response: [1] }))),
    talk(model(call('look')), user(response('look', { response: { output: [1] } }))),
  ],
  [
    'unknown-name',
    unknown('displayName', 'contents[0].parts[0].inline_data'),
    say({ inlineData: { mimeType: 'image/png', data: 'YWI=', displayName: 'a.png' } }),
    say({ inline_data: { mime_type: 'image/png', data: 'YWI=' } }),
  ],
  [
    'invalid-value',
    "Invalid value at 'generation_config.seed' (TYPE_INT32), 2147483648",
    config({ seed: 2_147_483_648 }),
    config({ seed: 2_147_483_647, topK: '40', maxOutputTokens: 64 }),
  ],
  [
    'invalid-value',
    "Invalid value at 'generation_config.top_k' (TYPE_INT32), 1.5",
    config({ topK: 1.5 }),
    config({ topK: -2_147_483_648 }),
  ],
  [
    'invalid-value',
    `Invalid value at '${DECLARATION}.parameters.properties[0].value.enum[1]' (TYPE_STRING), 2`,
    parameters({ a: { type: 'STRING', enum: ['1', 2] } }),
    parameters({ a: { type: 'STRING', enum: ['1', '2'] } }),
  ],
  [
    'invalid-value',
    `Invalid value at '${DECLARATION}.parameters.properties[0].value.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), "any"`,
    parameters({ a: { type: 'any' } }),
    parameters({ a: { type: 'boolean' } }),
  ],
  [
    'invalid-value',
    `Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for "data:a"`,
    say({ inlineData: { mimeType: 'image/png', data: 'data:a' } }),
    say({ inlineData: { mimeType: 'image/png', data: 'YWI=' } }),
  ],
  [
    'invalid-value',
    `Invalid value at 'contents[1].parts[0].function_call.args' (type.googleapis.com/google.protobuf.Struct), "{}"`,
    talk(model({ functionCall: { name: 'look', args: '{}' } })),
    talk(model({ functionCall: { name: 'look', args: { a: 1 } } })),
  ],
  [
    'invalid-value',
    `Invalid value at 'system_instruction' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content), "Be brief"`,
    { systemInstruction: 'Be brief' },
    { systemInstruction: { parts: [{ text: 'Be brief' }] } },
  ],
  [
    'invalid-value',
    `Invalid value at 'safety_settings[0].category' (type.googleapis.com/google.ai.generativelanguage.v1beta.HarmCategory), "HARM_CATEGORY_IMAGE_HATE"`,
    { safetySettings: [{ category: 'HARM_CATEGORY_IMAGE_HATE', threshold: 'OFF' }] },
    { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }] },
  ],
  [
    'invalid-value',
    `Invalid value at 'safety_settings[0].threshold' (type.googleapis.com/google.ai.generativelanguage.v1beta.SafetySetting.HarmBlockThreshold), "NEVER"`,
    { safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'NEVER' }] },
    { safetySettings: [{ category: 7, threshold: 'BLOCK_NONE' }] },
  ],
  [
    'invalid-value',
    `Invalid value at 'tool_config.function_calling_config.mode' (type.googleapis.com/google.ai.generativelanguage.v1beta.FunctionCallingConfig.Mode), "REQUIRED"`,
    { ...tools(look()), ...calling('REQUIRED') },
    { ...tools(look()), ...calling('any') },
  ],
]

const SIGNATURES = 'https://ai.google.dev/gemini-api/docs/thought-signatures'
const unsigned = (name: string, position: number) =>
  'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, ' +
  `and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${name}\` , ` +
  `position ${position}. Please refer to ${SIGNATURES} for more details.`
const signed = { thoughtSignature: 'c2lnbmVk' }
const CALL_TURN =
  'Please ensure that function call turn comes immediately after a user turn or after a function response turn.'
const RESPONSE_TURN = 'Please ensure that function response turn comes immediately after a function call turn.'
const COUNT =
  'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.'

const byClaude = { thoughtSignature: signatureOf('anthropic') }

const CONTENTS: readonly Row[] = [
  [
    'thought-signature-foreign',
    'Corrupted thought signature.',
    talk(model({ text: 'a', ...byClaude })),
    talk(model({ text: 'a', thoughtSignature: signatureOf('google') })),
  ],
  [
    'contents-missing',
    '* GenerateContentRequest.contents: contents is not specified\n',
    { contents: [], systemInstruction: { parts: [{ text: 'Be brief' }] } },
    { systemInstruction: { parts: [{ text: 'Be brief' }] } },
  ],
  [
    'contents-missing',
    '* CountTokensRequest.contents: contents is not specified\n',
    at('countTokens', {}),
    at('countTokens', { generateContentRequest: { contents: [user({ text: 'a' })] } }),
  ],
  [
    'parts-empty',
    '* GenerateContentRequest.contents[1].parts: contents.parts must not be empty.\n',
    talk(model()),
    talk(model({ text: '' })),
  ],
  [
    'part-without-data',
    "* GenerateContentRequest.contents[0].parts[1].data: required oneof field 'data' must have one initialized field\n",
    say({ text: 'a' }, { thought: true }),
    say({ text: 'a' }, { text: '', thoughtSignature: 'YWI=' }),
  ],
  [
    'part-without-data',
    "* GenerateContentRequest.system_instruction.parts[0].data: required oneof field 'data' must have one initialized field\n",
    { systemInstruction: { parts: [{}] } },
    { system_instruction: { parts: [{ text: 'a' }] } },
  ],
  [
    'role',
    'Please use a valid role: user, model.',
    talk({ role: 'assistant', parts: [{ text: 'a' }] }),
    talk({ role: 'model', parts: [{ text: 'a' }] }, { parts: [{ text: 'b' }] }),
  ],
  [
    'response-name',
    '* GenerateContentRequest.contents[2].parts[0].function_response.name: Name cannot be empty.\n',
    talk(model(call('look')), user(response(''))),
    talk(model(call('look')), user(response('look'))),
  ],
  [
    'function-call-turn',
    CALL_TURN,
    talk(model({ text: 'a' }), model(call('look')), user(response('look'))),
    talk(model({ text: 'a' }, call('look')), user(response('look'))),
  ],
  [
    'function-call-turn',
    CALL_TURN,
    { contents: [model(call('look')), user(response('look'))] },
    talk(model(call('look')), user(response('look')), model(call('look')), user(response('look'))),
  ],
  [
    'function-response-turn',
    RESPONSE_TURN,
    talk(model({ text: 'a' }), user(response('look'))),
    talk(model(call('look')), user(response('look'), { text: 'b' })),
  ],
  [
    'function-response-count',
    COUNT,
    talk(model(call('look'), call('look')), user(response('look'))),
    talk(model(call('look'), call('look')), user(response('look'), response('look'))),
  ],
  [
    'function-response-count',
    COUNT,
    talk(model(call('look')), user({ text: 'never mind' })),
    talk(model(call('look'))),
  ],
  [
    'thought-signature',
    unsigned('look', 2),
    ask(talk(model(call('look')), user(response('look'))), NEW),
    ask(talk(model(call('look', signed), call('see')), user(response('look'), response('see'))), NEW),
  ],
  [
    'thought-signature',
    unsigned('see', 4),
    ask(
      talk(model(call('look', signed)), user(response('look')), model(call('see')), user(response('see'))),
      'gemini-flash-latest',
    ),
    ask(talk(model(call('look')), user(response('look')), model({ text: 'a' }), user({ text: 'b' })), NEW),
  ],
  [
    'media-type',
    'Unsupported MIME type: application/octet-stream',
    say({ inlineData: { mimeType: 'application/octet-stream', data: 'YWI=' } }),
    say({ inlineData: { mimeType: 'application/pdf', data: 'YWI=' } }),
  ],
  [
    'media-type',
    'Unsupported MIME type: image/gif',
    shows({ inlineData: { mimeType: 'image/gif', data: 'YWI=' } }),
    shows({ inlineData: { mimeType: 'image/webp', data: 'YWI=' } }),
  ],
  [
    'response-parts',
    'Unable to submit request because `function_response.parts` is not supported for this model.',
    shows(PICTURE, FLASH),
    shows(PICTURE),
  ],
  [
    'unknown-name',
    unknown('fileData', 'contents[2].parts[0].function_response.parts[0]'),
    shows({ fileData: { fileUri: 'https://example.org/a.png' } }),
    shows(PICTURE),
  ],
  [
    'file-uri',
    'Unsupported file URI type: files/abc',
    say({ fileData: { fileUri: 'files/abc' } }),
    say({ fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } }),
  ],
  [
    'system-instruction',
    'Developer instruction is not enabled for models/gemma-3-27b-it',
    ask({ systemInstruction: { parts: [{ text: 'a' }] } }, GEMMA),
    ask({ systemInstruction: { parts: [{ text: 'a' }] } }, 'gemma-4-31b-it'),
  ],
]

const SCHEMA = `* GenerateContentRequest.${DECLARATION}.parameters`

const TOOLS: readonly Row[] = [
  [
    'tool-type',
    "* GenerateContentRequest.tools[0].tool_type: required one_of 'tool_type' must have one initialized field\n",
    { tools: [{ functionDeclarations: [] }] },
    { tools: [{ googleSearch: {} }] },
  ],
  [
    'function-name',
    `* GenerateContentRequest.${DECLARATION}.name: ${NAME}\n`,
    tools(look({ name: '1look' })),
    tools(look({ name: 'files.read:a-b' })),
  ],
  [
    'function-name',
    `* GenerateContentRequest.${DECLARATION}.name: ${NAME}\n`,
    tools(look({ name: 'n'.repeat(129) })),
    tools(look({ name: 'n'.repeat(128) })),
  ],
  [
    'function-names-unique',
    'Duplicate function declaration found: look',
    { tools: [{ functionDeclarations: [look()] }, { functionDeclarations: [look()] }] },
    tools(look(), look({ name: 'see' })),
  ],
  ['openapi-schema', `${SCHEMA}.properties: should be non-empty for OBJECT type\n`, parameters({}), tools(look())],
  [
    'openapi-schema',
    `${SCHEMA}.properties[a].properties: should be non-empty for OBJECT type\n`,
    parameters({ a: { type: 'object' } }),
    parameters({ a: object({ b: { type: 'STRING' } }) }),
  ],
  [
    'openapi-schema',
    `${SCHEMA}.properties[a].items: missing field.\n${SCHEMA}.properties[b].format: only 'enum' and 'date-time' are supported for STRING type\n`,
    parameters({ a: { type: 'ARRAY' }, b: { type: 'STRING', format: 'uri' } }),
    parameters({ a: { type: 'ARRAY', items: { type: 'STRING' } }, b: { type: 'STRING', format: 'date-time' } }),
  ],
  [
    'openapi-schema',
    `${SCHEMA}.properties[a].type: must be specified when not using one_of, any_of or all_of fields\n`,
    parameters({ a: { description: 'anything' } }),
    parameters({ a: { anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }] } }),
  ],
  [
    'openapi-schema',
    `${SCHEMA}.properties[a].enum: only allowed for STRING type\n`,
    parameters({ a: { type: 'INTEGER', enum: ['1'] } }),
    parameters({ a: { type: 'STRING', enum: ['1'] } }),
  ],
  [
    'openapi-schema',
    `${SCHEMA}.properties[a].enum[0]: cannot be empty\n`,
    parameters({ a: { type: 'STRING', enum: [''] } }),
    parameters({ a: { type: 'STRING', enum: [' '] } }),
  ],
  [
    'openapi-schema',
    '* GenerateContentRequest.generation_config.response_schema.required[0]: property is not defined\n',
    json({ responseSchema: object({ a: { type: 'STRING' } }, { required: ['b'] }) }),
    json({ responseSchema: object({ a: { type: 'STRING' } }, { required: ['a'] }) }),
  ],
  [
    'parameters-twice',
    `* GenerateContentRequest.${DECLARATION}: parameters and parameters_json_schema are mutually exclusive\n`,
    tools(look({ parameters: object({ a: { type: 'STRING' } }), parametersJsonSchema: {} })),
    tools(look({ parametersJsonSchema: { type: 'object', properties: {} } })),
  ],
  [
    'functions-of-gemma',
    'Function calling is not enabled for models/gemma-3-27b-it',
    ask(tools(look()), GEMMA),
    ask({}, GEMMA),
  ],
  [
    'built-in-tools',
    'Tool use with function calling is unsupported',
    { tools: [{ googleSearch: {} }, { functionDeclarations: [look()] }] },
    { tools: [{ googleSearch: {} }, { urlContext: {} }] },
  ],
  [
    'built-in-tools',
    'Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with Function calling.',
    ask({ tools: [{ googleSearch: {} }, { functionDeclarations: [look()] }] }, NEW),
    ask(
      {
        tools: [{ googleSearch: {} }, { functionDeclarations: [look()] }],
        toolConfig: { includeServerSideToolInvocations: true },
      },
      NEW,
    ),
  ],
  [
    'calling-config',
    'Function calling config is set without function_declarations.',
    calling('AUTO'),
    { ...tools(look()), ...calling('AUTO') },
  ],
  [
    'allowed-function-names',
    '* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names[0]: function is not declared\n',
    { ...tools(look()), ...calling('ANY', ['see']) },
    { ...tools(look()), ...calling('ANY', ['look']) },
  ],
  [
    'allowed-function-names',
    '* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: only allowed when mode is ANY or VALIDATED\n',
    { ...tools(look()), ...calling('AUTO', ['look']) },
    { ...tools(look()), ...calling('VALIDATED', ['look']) },
  ],
]

const CONFIG = '* GenerateContentRequest.generation_config'
const text = object({ a: { type: 'STRING' } })

const SETTINGS: readonly Row[] = [
  [
    'response-mime-type',
    `${CONFIG}.response_mime_type: allowed mimetypes are \`text/plain\`, \`application/json\`, \`application/xml\`, \`application/yaml\` and \`text/x.enum\`.\n`,
    config({ responseMimeType: 'image/png' }),
    config({ responseMimeType: 'text/plain' }),
  ],
  [
    'response-schema',
    `${CONFIG}.response_json_schema: only allowed with response_mime_type application/json or text/x.enum\n`,
    config({ responseJsonSchema: { type: 'object' } }),
    json({ responseJsonSchema: { type: 'object' } }),
  ],
  [
    'response-schema',
    `${CONFIG}: response_schema and response_json_schema are mutually exclusive\n`,
    json({ responseJsonSchema: { type: 'object' }, responseSchema: text }),
    json({ responseSchema: text }),
  ],
  [
    'json-beside-functions',
    "Function calling with a response mime type: 'application/json' is unsupported",
    { ...json({}), ...tools(look()) },
    ask({ ...json({}), ...tools(look()) }, NEW),
  ],
  [
    'json-beside-functions',
    "Forced function calling (ANY mode) with a response mime type: 'application/json' is unsupported",
    { ...json({}), ...tools(look()), ...calling('ANY') },
    { ...config({ responseMimeType: 'text/plain' }), ...tools(look()), ...calling('ANY') },
  ],
  [
    'logprobs',
    `Logprobs is not enabled for models/${NEW}`,
    ask(config({ responseLogprobs: true }), NEW),
    ask(config({ responseLogprobs: true, logprobs: 5 })),
  ],
  ['json-of-gemma', 'JSON mode is not enabled for models/gemma-3-27b-it', ask(json({}), GEMMA), ask({}, GEMMA)],
  [
    'thinking',
    'Thinking is not enabled for models/gemini-2.0-flash',
    ask(thinking({ thinkingBudget: 0 }), 'gemini-2.0-flash'),
    thinking({ thinkingBudget: 0 }),
  ],
  [
    'thinking-budget',
    'Budget 0 is invalid. This model only works in thinking mode.',
    ask(thinking({ thinkingBudget: 0 }), PRO),
    ask(thinking({ thinkingBudget: 128 }), PRO),
  ],
  [
    'thinking-budget',
    'Budget 0 is invalid. This model only works in thinking mode.',
    ask(thinking({ thinkingBudget: 0 }), NEW),
    ask(thinking({ thinkingBudget: -1 }), NEW),
  ],
  [
    'thinking-budget',
    'The thinking budget 32769 is invalid. Please choose a value between 128 and 32768.',
    ask(thinking({ thinkingBudget: 32_769 }), PRO),
    ask(thinking({ thinkingBudget: 32_768 }), PRO),
  ],
  [
    'thinking-budget',
    'The thinking budget 32000 is invalid. Please choose a value between 0 and 24576.',
    thinking({ thinkingBudget: 32_000 }),
    thinking({ thinking_budget: 24_576 }),
  ],
  [
    'thinking-budget',
    'The thinking budget 256 is invalid. Please choose a value between 512 and 24576.',
    ask(thinking({ thinkingBudget: 256 }), LITE),
    ask(thinking({ thinkingBudget: 0 }), LITE),
  ],
  [
    'thinking-level',
    'Thinking level is not supported for this model.',
    thinking({ thinkingLevel: 'low' }),
    ask(thinking({ thinkingLevel: 'low' }), NEW),
  ],
  [
    'thinking-level',
    'Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.',
    ask(thinking({ thinkingLevel: 'minimal' }), 'gemini-3.8-flash'),
    ask(thinking({ thinkingLevel: 'minimal' }), 'gemini-3.5-flash'),
  ],
  [
    'thinking-level',
    'Thinking level MEDIUM is not supported for this model. Please retry with other thinking level.',
    ask(thinking({ thinkingLevel: 'medium' }), 'gemini-3-pro-preview'),
    ask(thinking({ thinkingLevel: 'medium' }), NEW),
  ],
  [
    'thinking-level-and-budget',
    'You can only set only one of thinking budget and thinking level.',
    ask(thinking({ thinkingLevel: 'low', thinkingBudget: 1024 }), NEW),
    ask(thinking({ thinkingLevel: 'low', includeThoughts: true }), NEW),
  ],
  [
    'candidate-count',
    'Multiple candidates is not enabled for this model',
    ask(config({ candidateCount: 2 }), NEW),
    config({ candidateCount: 2 }),
  ],
  [
    'candidate-count',
    `${CONFIG}.candidate_count: candidate_count must be in the range [1, 8].\n`,
    config({ candidateCount: 9 }),
    config({ candidateCount: 8 }),
  ],
  [
    'ranges',
    `${CONFIG}.temperature: temperature must be in the range [0.0, 2.0].\n`,
    config({ temperature: 2.5 }),
    config({ temperature: 2, topK: 0 }),
  ],
  ['ranges', `${CONFIG}.top_p: top_p must be in the range [0.0, 1.0].\n`, config({ topP: 1.5 }), config({ topP: 1 })],
  [
    'stop-sequences',
    `${CONFIG}.stop_sequences: at most 5 stop sequences can be specified\n`,
    config({ stopSequences: ['1', '2', '3', '4', '5', '6'] }),
    config({ stopSequences: ['1', '2', '3', '4', '5'] }),
  ],
  [
    'penalties',
    'Penalty is not enabled for models/gemini-2.5-flash',
    config({ presencePenalty: 0.4 }),
    config({ presencePenalty: 0, frequencyPenalty: 0 }),
  ],
  [
    'batch-size',
    '* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n',
    batch(...Array.from({ length: 101 }, () => embed())),
    batch(...Array.from({ length: 100 }, () => embed())),
  ],
  [
    'embedded-content',
    '* BatchEmbedContentsRequest.requests[1].model: unexpected model name format\n',
    batch(embed(), embed('gemini-embedding-001')),
    batch(embed(), { ...embed(), taskType: 'RETRIEVAL_QUERY', outputDimensionality: 256 }),
  ],
  [
    'embedded-content',
    '* EmbedContentRequest.content: content is not specified\n',
    at('embedContent', { model: 'models/gemini-embedding-001' }),
    at('embedContent', embed()),
  ],
  [
    'vector-length',
    '* BatchEmbedContentsRequest.requests[1].output_dimensionality: must be in the range [1, 3072].\n',
    batch(embed(), { ...embed(), outputDimensionality: 3073 }),
    batch(embed(), { ...embed(), outputDimensionality: 3072 }),
  ],
  [
    'vector-length',
    '* EmbedContentRequest.output_dimensionality: must be in the range [1, 3072].\n',
    at('embedContent', { ...embed(), output_dimensionality: 0 }),
    at('embedContent', { ...embed(), output_dimensionality: 1 }),
  ],
]

describe('the rules of the Gemini API', () => {
  const rows = [...FIELDS, ...CONTENTS, ...TOOLS, ...SETTINGS]
  testTable(
    googleRules,
    rows.map(([rule, says, refused, taken]): StrictCase => {
      return { rule, says, refused: asked(refused), taken: asked(taken) }
    }),
  )

  test('a refusal has the form of the service, and a body that is none says which fields', () => {
    const refusals = [ask({ contents: [] }), ask({ messages: [] })].map((request) => {
      return googleRules.map(({ refuse }) => refuse(request)).find((found) => found !== null)
    })
    const error = { code: 400, status: 'INVALID_ARGUMENT', message: expect.any(String) }
    expect(refusals[0]).toMatchObject({ status: 400, body: { error } })
    const fieldViolations = [{ field: '', description: unknown('messages', '') }]
    expect(refusals[1]).toMatchObject({ body: { error: { ...error, details: [{ fieldViolations }] } } })
  })

  test('a whole conversation with thoughts, tools and images is taken, streamed as well', () => {
    const conversation = {
      systemInstruction: { parts: [{ text: 'Be brief' }] },
      ...parameters({ at: { type: 'string', enum: ['here', 'there'] } }, { required: ['at'] }),
      ...calling('ANY', ['look']),
      contents: [
        user({ text: 'What is this?' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }),
        model(
          { text: 'Let me see', thought: true },
          call('look', { ...signed, functionCall: { id: 'a', name: 'look', args: { at: 'here' } } }),
          call('look'),
        ),
        user(response('look', { id: 'a' }), response('look')),
        model(call('look', signed)),
        user(response('look'), { text: 'Go on' }),
      ],
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    }
    const settings = { maxOutputTokens: 2048, temperature: 0.5, stopSequences: ['END'], seed: 1 }
    const old = { ...settings, thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } }
    const now = { ...settings, thinkingConfig: { thinkingLevel: 'high' } }
    expect(firstRefusal(googleRules, ask({ ...conversation, ...config(old) }))).toBeNull()
    const streamed = at('streamGenerateContent?alt=sse', { ...conversation, ...config(now) }, NEW)
    expect(firstRefusal(googleRules, streamed)).toBeNull()
  })
})
