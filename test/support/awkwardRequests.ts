/**
 * Requests that are ordinary for one service and refused by another: what clients of every dialect send, as small as it
 * can be. Each is answered by its own service.
 */

type Body = Readonly<Record<string, unknown>>
export type ClientDialect = 'openai' | 'openai-responses' | 'anthropic' | 'google'
/** A name, the client's dialect and its body without the model. */
export type AwkwardRequest = readonly [name: string, dialect: ClientDialect, body: Body]

const chat = (body: Body): [ClientDialect, Body] => ['openai', { messages: [{ role: 'user', content: 'Hi' }], ...body }]
const responses = (body: Body): [ClientDialect, Body] => ['openai-responses', { input: 'Hi', ...body }]
const gemini = (body: Body): [ClientDialect, Body] => [
  'google',
  { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], ...body },
]
const claude = (body: Body): [ClientDialect, Body] => [
  'anthropic',
  { max_tokens: 2048, messages: [{ role: 'user', content: 'Hi' }], ...body },
]
const tool = (name: string, parameters?: Body, more: Body = {}) => ({
  type: 'function',
  function: { name, ...(parameters && { parameters }), ...more },
})
const call = (id: string, name = 'look', args = '{}') => ({ id, type: 'function', function: { name, arguments: args } })
const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: unknown, more: Body = {}) => ({ role: 'assistant', content, ...more })
const result = (id: string, content: unknown = 'found') => ({ role: 'tool', tool_call_id: id, content })
const image = (url: string) => [
  { type: 'text', text: 'a' },
  { type: 'image_url', image_url: { url } },
]
const answer = (schema: Body) => ({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } })
const PNG = 'iVBORw0KGgoAAAANSUhEUg=='

const loop = [user('a'), assistant(null, { tool_calls: [call('c1')] }), result('c1')]

export const AWKWARD_REQUESTS: readonly AwkwardRequest[] = [
  ['plain', ...chat({})],
  ['system only', ...chat({ messages: [{ role: 'system', content: 'a' }] })],
  ['empty user', ...chat({ messages: [user('')] })],
  ['blank turn', ...chat({ messages: [user('a'), assistant('\n\n'), user('b')] })],
  [
    'blank before call',
    ...chat({ messages: [user('a'), assistant('\n\n', { tool_calls: [call('c1')] }), result('c1')] }),
  ],
  ['blank system', ...chat({ messages: [{ role: 'system', content: ' ' }, user('a')] })],
  ['blank user', ...chat({ messages: [user(' ')] })],
  [
    'empty tool result',
    ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1')] }), result('c1', '')] }),
  ],
  ['prefill', ...chat({ messages: [user('a'), assistant('b')] })],
  ['prefill trailing space', ...chat({ messages: [user('a'), assistant('b ')] })],
  [
    'ends in assistant gemini',
    ...gemini({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        { role: 'model', parts: [{ text: 'b ' }] },
      ],
    }),
  ],
  ['mid system', ...chat({ messages: [user('a'), { role: 'system', content: 's' }, user('b')] })],
  ['stop newline', ...chat({ stop: ['\n'] })],
  ['6 stops', ...chat({ stop: ['1', '2', '3', '4'] })],
  ['6 stops anthropic', ...claude({ stop_sequences: ['1', '2', '3', '4', '5', '6'] })],
  ['temp 1.5', ...chat({ temperature: 1.5 })],
  ['temp 0.2', ...chat({ temperature: 0.2 })],
  ['temp+top_p', ...chat({ temperature: 1, top_p: 1 })],
  ['top_p', ...chat({ top_p: 0.5 })],
  ['top_k gem', ...gemini({ generationConfig: { topK: 40 } })],
  ['effort high', ...chat({ reasoning_effort: 'high' })],
  ['effort none', ...chat({ reasoning_effort: 'none' })],
  ['effort minimal', ...chat({ reasoning_effort: 'minimal' })],
  ['effort xhigh', ...chat({ reasoning_effort: 'xhigh' })],
  ['effort+temp', ...chat({ reasoning_effort: 'high', temperature: 0.2 })],
  ['effort+top_p', ...chat({ reasoning_effort: 'high', top_p: 0.5 })],
  ['effort+required', ...chat({ reasoning_effort: 'high', tools: [tool('look')], tool_choice: 'required' })],
  ['effort+prefill', ...chat({ reasoning_effort: 'high', messages: [user('a'), assistant('b')] })],
  ['gem budget', ...gemini({ generationConfig: { thinkingConfig: { thinkingBudget: 2000 } } })],
  ['gem budget small', ...gemini({ generationConfig: { thinkingConfig: { thinkingBudget: 100 } } })],
  ['gem budget 0', ...gemini({ generationConfig: { thinkingConfig: { thinkingBudget: 0 } } })],
  ['gem budget -1', ...gemini({ generationConfig: { thinkingConfig: { thinkingBudget: -1 } } })],
  ['gem level', ...gemini({ generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } })],
  ['gem budget+topK', ...gemini({ generationConfig: { topK: 40, thinkingConfig: { thinkingBudget: 2000 } } })],
  [
    'gem budget loop',
    ...gemini({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        { role: 'model', parts: [{ functionCall: { name: 'look', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'look', response: { output: 'a' } } }] },
      ],
      generationConfig: { thinkingConfig: { thinkingBudget: 2000 } },
    }),
  ],
  [
    'gem budget multi-step loop with foreign first',
    ...gemini({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        { role: 'model', parts: [{ text: 'b' }] },
      ],
      generationConfig: { thinkingConfig: { thinkingBudget: 2000 } },
    }),
  ],
  ['max_tokens 200000', ...chat({ max_tokens: 200000 })],
  ['max_tokens 1', ...chat({ max_tokens: 1 })],
  [
    'max_tokens 100 + budget',
    ...gemini({ generationConfig: { maxOutputTokens: 100, thinkingConfig: { thinkingBudget: 2000 } } }),
  ],
  ['user email', ...chat({ user: 'ann@example.org' })],
  ['user long', ...chat({ user: 'a'.repeat(300) })],
  ['user empty', ...chat({ user: '' })],
  ['tool no params', ...chat({ tools: [tool('look')] })],
  ['tool {}', ...chat({ tools: [tool('look', {})] })],
  ['tool no type', ...chat({ tools: [tool('look', { properties: { a: { type: 'string' } } })] })],
  ['tool name dot', ...gemini({ tools: [{ functionDeclarations: [{ name: 'files.read' }] }] })],
  ['tool name 129', ...chat({ tools: [tool('n'.repeat(129))] })],
  ['tool name space', ...chat({ tools: [tool('a b')] })],
  ['tool name digit', ...chat({ tools: [tool('1a')] })],
  ['dup tools', ...chat({ tools: [tool('look'), tool('look')] })],
  [
    'tool anyOf top',
    ...chat({ tools: [tool('look', { type: 'object', anyOf: [{ required: ['a'] }], properties: { a: {} } })] }),
  ],
  [
    'tool draft4',
    ...chat({
      tools: [
        tool('look', { type: 'object', properties: { a: { type: 'integer', exclusiveMinimum: true, minimum: 0 } } }),
      ],
    }),
  ],
  [
    'tool tuple items',
    ...chat({
      tools: [tool('look', { type: 'object', properties: { a: { type: 'array', items: [{ type: 'string' }] } } })],
    }),
  ],
  [
    'tool dup required',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: {} }, required: ['a', 'a'] })] }),
  ],
  [
    'tool strict open',
    ...chat({
      tools: [tool('look', { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } }, { strict: true })],
    }),
  ],
  [
    'gem upper types',
    ...gemini({
      tools: [
        {
          functionDeclarations: [
            {
              name: 'look',
              parameters: {
                type: 'OBJECT',
                properties: {
                  a: { type: 'STRING', minLength: '1' },
                  b: { type: 'INTEGER', nullable: true, enum: ['1'] },
                },
              },
            },
          ],
        },
      ],
    }),
  ],
  [
    'gem upper types json schema key',
    ...gemini({
      tools: [
        {
          functionDeclarations: [
            {
              name: 'look',
              parameters: {
                type: 'OBJECT',
                properties: { a: { type: 'ARRAY', minItems: '1', items: { type: 'STRING' } } },
              },
            },
          ],
        },
      ],
    }),
  ],
  [
    'tool enum empty string',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'string', enum: ['', 'b'] } } })] }),
  ],
  [
    'tool enum on integer',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'integer', enum: [1, 2] } } })] }),
  ],
  [
    'tool enum strings on no type',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { enum: ['x'] } } })] }),
  ],
  [
    'tool enum strings on integer',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'integer', enum: ['1'] } } })] }),
  ],
  ['tool array no items', ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'array' } } })] })],
  [
    'tool required undefined',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'string' } }, required: ['b'] })] }),
  ],
  [
    'tool prop no type',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { description: 'x' } } })] }),
  ],
  [
    'tool string format uri',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'string', format: 'uri' } } })] }),
  ],
  [
    'tool nested empty object',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'object' } } })] }),
  ],
  ['tool type any', ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'any' } } })] })],
  [
    'tool anyOf + type',
    ...chat({
      tools: [tool('look', { type: 'object', properties: { a: { anyOf: [{ type: 'string' }, { type: 'null' }] } } })],
    }),
  ],
  [
    'tool title non-string',
    ...chat({ tools: [tool('look', { type: 'object', title: 3, properties: { a: { type: 'string' } } })] }),
  ],
  [
    'tool $schema nested',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { $schema: 'x', type: 'string' } } })] }),
  ],
  [
    'tool anyOf root',
    ...chat({ tools: [tool('look', { anyOf: [{ type: 'object', properties: { a: { type: 'string' } } }] })] }),
  ],
  [
    'tool number format',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'integer', format: 'int64' } } })] }),
  ],
  [
    'tool properties snake',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'string', max_length: 3 } } })] }),
  ],
  [
    'tool nullable',
    ...chat({ tools: [tool('look', { type: ['object', 'null'], properties: { a: { type: 'string' } } })] }),
  ],
  [
    'tool description null',
    ...chat({ tools: [tool('look', { type: 'object', properties: { a: { type: 'string', description: null } } })] }),
  ],
  ['choice none', ...chat({ tools: [tool('look')], tool_choice: 'none', parallel_tool_calls: false })],
  ['choice required', ...chat({ tools: [tool('look')], tool_choice: 'required' })],
  ['server tool + required', ...responses({ tools: [{ type: 'web_search' }], tool_choice: 'required' })],
  [
    'responses custom tool required',
    ...responses({ tools: [{ type: 'custom', name: 'apply_patch' }], tool_choice: 'required' }),
  ],
  [
    'chat custom tool required',
    ...chat({ tools: [{ type: 'custom', custom: { name: 'p' } }], tool_choice: 'required' }),
  ],
  [
    'anthropic web_search any',
    ...claude({ tools: [{ type: 'web_search_20250305', name: 'web_search' }], tool_choice: { type: 'any' } }),
  ],
  [
    'anthropic mixed tools',
    ...claude({
      tools: [
        { type: 'web_search_20250305', name: 'web_search' },
        { name: 'look', input_schema: { type: 'object' } },
      ],
      tool_choice: { type: 'tool', name: 'web_search' },
    }),
  ],
  ['gem search', ...gemini({ tools: [{ googleSearch: {} }], toolConfig: { functionCallingConfig: { mode: 'AUTO' } } })],
  [
    'gem allowed',
    ...gemini({
      tools: [{ functionDeclarations: [{ name: 'a' }, { name: 'b' }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['a', 'b'] } },
    }),
  ],
  [
    'gem validated',
    ...gemini({
      tools: [{ functionDeclarations: [{ name: 'a' }] }],
      toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
    }),
  ],
  ['loop', ...chat({ messages: loop, tools: [tool('look')] })],
  [
    'loop id with dots',
    ...chat({
      messages: [user('a'), assistant(null, { tool_calls: [call('functions.look:0')] }), result('functions.look:0')],
    }),
  ],
  [
    'ids that collide when made safe',
    ...chat({
      messages: [user('a'), assistant(null, { tool_calls: [call('a.b'), call('a:b')] }), result('a.b'), result('a:b')],
    }),
  ],
  [
    'same id twice in history',
    ...chat({
      messages: [
        user('a'),
        assistant(null, { tool_calls: [call('c1')] }),
        result('c1'),
        user('b'),
        assistant(null, { tool_calls: [call('c1')] }),
        result('c1'),
      ],
    }),
  ],
  ['unanswered call', ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1')] }), user('b')] })],
  [
    'half answered',
    ...chat({
      messages: [user('a'), assistant(null, { tool_calls: [call('c1'), call('c2')] }), result('c1'), user('b')],
    }),
  ],
  ['orphan result', ...chat({ messages: [user('a'), result('c9')] })],
  [
    'result late',
    ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1')] }), user('wait'), result('c1')] }),
  ],
  ['ends in call', ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1')] })] })],
  [
    'call name with dot history',
    ...gemini({
      contents: [
        { role: 'user', parts: [{ text: 'a' }] },
        { role: 'model', parts: [{ functionCall: { name: 'files.read', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'files.read', response: {} } }] },
      ],
    }),
  ],
  [
    'args null',
    ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1', 'look', 'null')] }), result('c1')] }),
  ],
  [
    'args array',
    ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1', 'look', '[1]')] }), result('c1')] }),
  ],
  [
    'args bad',
    ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1', 'look', '{')] }), result('c1')] }),
  ],
  [
    'out of order results',
    ...chat({
      messages: [user('a'), assistant(null, { tool_calls: [call('c1'), call('c2')] }), result('c2'), result('c1')],
    }),
  ],
  [
    'user between assistant text and call',
    ...chat({ messages: [user('a'), assistant('b'), assistant(null, { tool_calls: [call('c1')] }), result('c1')] }),
  ],
  [
    'system between call and result',
    ...chat({
      messages: [
        user('a'),
        assistant(null, { tool_calls: [call('c1')] }),
        { role: 'system', content: 's' },
        result('c1'),
      ],
    }),
  ],
  [
    'call, result, more calls w/o',
    ...chat({
      messages: [user('a'), assistant('x', { tool_calls: [call('c1')] }), result('c1'), assistant('done'), user('n')],
    }),
  ],
  [
    'tool call name 100 in history',
    ...chat({ messages: [user('a'), assistant(null, { tool_calls: [call('c1', 'n'.repeat(140))] }), result('c1')] }),
  ],
  ['png data', ...chat({ messages: [user(image(`data:image/png;base64,${PNG}`))] })],
  ['svg', ...chat({ messages: [user(image('data:image/svg+xml;base64,YWI='))] })],
  ['gif', ...chat({ messages: [user(image('data:image/gif;base64,R0lGODlh'))] })],
  ['http image', ...chat({ messages: [user(image('http://example.org/a.png'))] })],
  ['https image', ...chat({ messages: [user(image('https://example.org/a.png'))] })],
  ['data url utf8', ...chat({ messages: [user(image('data:image/svg+xml,%3Csvg/%3E'))] })],
  [
    'image detail',
    ...chat({ messages: [user([{ type: 'image_url', image_url: { url: 'https://e.org/a.png', detail: 'low' } }])] }),
  ],
  ['audio', ...chat({ messages: [user([{ type: 'input_audio', input_audio: { data: 'YWI=', format: 'wav' } }])] })],
  [
    'pdf',
    ...chat({
      messages: [
        user([
          {
            type: 'file',
            file: {
              filename: 'a.pdf',
              file_data: `data:application/pdf;base64,${Buffer.from('%PDF-1').toString('base64')}`,
            },
          },
        ]),
      ],
    }),
  ],
  [
    'docx',
    ...chat({
      messages: [
        user([
          { type: 'text', text: 'a' },
          {
            type: 'file',
            file: {
              filename: 'a.docx',
              file_data: 'data:application/vnd.openxmlformats-officedocument.wordprocessingml.document;base64,YWI=',
            },
          },
        ]),
      ],
    }),
  ],
  [
    'md',
    ...chat({
      messages: [user([{ type: 'file', file: { filename: 'a.md', file_data: 'data:text/markdown;base64,YWI=' } }])],
    }),
  ],
  ['file id', ...chat({ messages: [user([{ type: 'file', file: { file_id: 'f1' } }])] })],
  [
    'json file',
    ...chat({
      messages: [
        user([{ type: 'file', file: { filename: 'a.json', file_data: 'data:application/json;base64,e30=' } }]),
      ],
    }),
  ],
  [
    'gem fileData files/',
    ...gemini({
      contents: [{ role: 'user', parts: [{ fileData: { fileUri: 'gs://b/a.pdf', mimeType: 'application/pdf' } }] }],
    }),
  ],
  [
    'gem video',
    ...gemini({ contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'video/mp4', data: 'YWI=' } }] }] }),
  ],
  [
    'ant text doc empty',
    ...claude({
      messages: [user([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: '' } }])],
    }),
  ],
  [
    'ant url image',
    ...claude({ messages: [user([{ type: 'image', source: { type: 'url', url: 'http://e.org/a.png' } }])] }),
  ],
  ['responses image file_id', ...responses({ input: [user([{ type: 'input_image', file_id: 'f' }])] })],
  ['json_object', ...chat({ response_format: { type: 'json_object' } })],
  ['json + tools', ...chat({ response_format: { type: 'json_object' }, tools: [tool('look')] })],
  [
    'schema closed',
    ...chat(answer({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false })),
  ],
  ['schema open', ...chat(answer({ type: 'object', properties: { a: { type: 'string' } } }))],
  [
    'schema min',
    ...chat(
      answer({ type: 'object', properties: { a: { type: 'integer', minimum: 1 } }, additionalProperties: false }),
    ),
  ],
  [
    'schema recursive',
    ...chat(
      answer({
        type: 'object',
        properties: { a: { $ref: '#/$defs/n' } },
        additionalProperties: false,
        $defs: { n: { type: 'object', properties: { a: { $ref: '#/$defs/n' } }, additionalProperties: false } },
      }),
    ),
  ],
  [
    'schema root ref',
    ...chat(answer({ type: 'object', properties: { a: { $ref: '#' } }, additionalProperties: false })),
  ],
  [
    'schema enum empty',
    ...chat(answer({ type: 'object', properties: { a: { type: 'string', enum: [''] } }, additionalProperties: false })),
  ],
  [
    'schema+tools gemini',
    ...chat({ ...answer({ type: 'object', properties: { a: { type: 'string' } } }), tools: [tool('look')] }),
  ],
  [
    'schema + effort',
    ...chat({ ...answer({ type: 'object', properties: {}, additionalProperties: false }), reasoning_effort: 'high' }),
  ],
  ['n 2', ...chat({ n: 2 })],
  ['penalty', ...chat({ presence_penalty: 0.4 })],
  ['logprobs', ...chat({ logprobs: true, top_logprobs: 3 })],
  ['seed', ...chat({ seed: 1 })],
  ['service_tier', ...chat({ service_tier: 'flex' })],
  ['metadata', ...chat({ metadata: { a: 'b' } })],
  ['verbosity', ...chat({ verbosity: 'low' })],
  ['name on message', ...chat({ messages: [{ role: 'user', name: 'Ann', content: 'a' }] })],
  ['developer', ...chat({ messages: [{ role: 'developer', content: 'a' }, user('b')] })],
  ['refusal', ...chat({ messages: [user('a'), { role: 'assistant', content: null, refusal: 'no' }, user('b')] })],
  [
    'assistant reasoning',
    ...chat({ messages: [user('a'), { role: 'assistant', content: 'b', reasoning_content: 'think' }, user('c')] }),
  ],
  [
    'ant thinking history',
    ...claude({
      messages: [
        user('a'),
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 't', signature: 'YWI=' },
            { type: 'text', text: 'b' },
          ],
        },
        user('c'),
      ],
    }),
  ],
  ['ant cache 5', ...claude({ system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] })],
  [
    'ant search_result',
    ...claude({
      messages: [user([{ type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] }])],
    }),
  ],
  [
    'ant tool_result empty',
    ...claude({
      messages: [
        user('a'),
        assistant([{ type: 'tool_use', id: 'x', name: 'look', input: {} }]),
        user([{ type: 'tool_result', tool_use_id: 'x' }]),
      ],
    }),
  ],
  [
    'ant tool_result image',
    ...claude({
      messages: [
        user('a'),
        assistant([{ type: 'tool_use', id: 'x', name: 'look', input: {} }]),
        user([
          {
            type: 'tool_result',
            tool_use_id: 'x',
            content: [{ type: 'image', source: { type: 'base64', media_type: 'image/gif', data: 'R0lGODlh' } }],
          },
        ]),
      ],
    }),
  ],
  ['ant thinking enabled', ...claude({ thinking: { type: 'enabled', budget_tokens: 1024 } })],
  ['ant thinking adaptive', ...claude({ thinking: { type: 'adaptive' } })],
  ['ant thinking disabled', ...claude({ thinking: { type: 'disabled' } })],
  ['ant effort low', ...claude({ output_config: { effort: 'low' } })],
  [
    'resp reasoning item',
    ...responses({
      input: [
        { role: 'user', content: 'a' },
        { type: 'reasoning', id: 'r', summary: [{ type: 'summary_text', text: 'x' }] },
        { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'x' },
      ],
    }),
  ],
  ['resp reasoning effort', ...responses({ reasoning: { effort: 'medium', summary: 'auto' } })],
]
