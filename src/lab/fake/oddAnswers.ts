/**
 * Answers with HTTP 200 that are blocked, empty or malformed, in the very shapes in which the services give them. They
 * are written out here, because keywise's own writers would only show that it understands itself.
 */

import type { DialectId } from '../../domain/chat.ts'

export const ODD_ANSWERS = [
  /** Withheld for its content, before it said anything. */
  'blocked',
  /** Ends without saying anything. */
  'says_nothing',
  /** Thinks, and ends without an answer. */
  'only_thinks',
  /** Thinks until its tokens are used up. */
  'thinks_too_long',
  /** Prose, whatever was asked for. */
  'prose',
  /** JSON in a code fence, with prose around it. */
  'fenced',
  /** Calls a tool that was not offered. */
  'unknown_tool',
  /** Calls the first tool with arguments that are no JSON; Gemini notices that itself. */
  'broken_call',
] as const
export type OddAnswer = (typeof ODD_ANSWERS)[number]

interface OddReply {
  readonly body: unknown
  /** The events of the same answer as a stream: a name where the dialect names them, and the data. */
  readonly events: readonly (readonly [name: string, data: unknown])[]
}

/** What the answer says, in no dialect. */
interface Said {
  readonly thought: string
  readonly text: string
  readonly call: { readonly name: string; readonly arguments: string } | null
  readonly end: 'stop' | 'length' | 'calls' | 'blocked'
}

const PROSE = 'Of course! Here is what you asked for.'
const FENCED_JSON = '{"city":"Paris"}'

function saidOf(what: OddAnswer, tool: string): Said {
  const nothing: Said = { thought: '', text: '', call: null, end: 'stop' }
  switch (what) {
    case 'blocked':
      return { ...nothing, end: 'blocked' }
    case 'says_nothing':
      return nothing
    case 'only_thinks':
      return { ...nothing, thought: 'Let me see.' }
    case 'thinks_too_long':
      return { ...nothing, thought: 'Let me see.', end: 'length' }
    case 'prose':
      return { ...nothing, text: PROSE }
    case 'fenced':
      return { ...nothing, text: `${PROSE}\n\`\`\`json\n${FENCED_JSON}\n\`\`\`\nAnything else?` }
    case 'unknown_tool':
      return { ...nothing, call: { name: 'no_such_tool', arguments: '{}' }, end: 'calls' }
    case 'broken_call':
      return { ...nothing, call: { name: tool, arguments: '{"city": Par' }, end: 'calls' }
  }
}

/** `reason`: the service's own word for a block. `tool`: the name of a tool that was offered. */
export function oddAnswer(
  dialect: DialectId,
  what: OddAnswer,
  facts: { readonly model: string; readonly reason?: string | undefined; readonly tool: string },
): OddReply {
  const said = saidOf(what, facts.tool)
  return WRITERS[dialect](said, facts.model, facts.reason)
}

type Writer = (said: Said, model: string, reason?: string) => OddReply

// https://platform.openai.com/docs/api-reference/chat/object and …/chat/streaming
const openai: Writer = ({ thought, text, call, end }, model, reason) => {
  const head = { id: 'chatcmpl-odd', created: 1, model }
  const finish_reason = { stop: 'stop', length: 'length', calls: 'tool_calls', blocked: 'content_filter' }[end]
  const isRefusal = end === 'blocked' && reason === 'refusal'
  const said = {
    ...(thought !== '' && { reasoning_content: thought }),
    content: text === '' ? null : text,
    ...(call !== null && { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] }),
    refusal: isRefusal ? 'I cannot help with that.' : null,
  }
  const finish = isRefusal ? 'stop' : finish_reason
  const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
  const chunk = (delta: object, reason: string | null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: reason }],
  })
  return {
    body: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', ...said }, finish_reason: finish }],
      usage,
    },
    events: [
      ['', chunk({ role: 'assistant', content: '' }, null)],
      ['', chunk(said, null)],
      ['', chunk({}, finish)],
      ['', { ...chunk({}, null), choices: [], usage }],
      ['', '[DONE]'],
    ],
  }
}

// https://platform.openai.com/docs/api-reference/responses/object
const responses: Writer = ({ thought, text, call, end }, model, reason) => {
  const isRefusal = end === 'blocked' && reason === 'refusal'
  const output: object[] = []
  if (thought !== '') output.push({ type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: thought }] })
  const part = isRefusal
    ? { type: 'refusal', refusal: 'I cannot help with that.' }
    : { type: 'output_text', text, annotations: [], logprobs: [] }
  if (text !== '' || isRefusal)
    output.push({ type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [part] })
  if (call !== null) output.push({ type: 'function_call', id: 'fc_1', call_id: 'call_1', status: 'completed', ...call })
  const isCut = end === 'length' || (end === 'blocked' && !isRefusal)
  const response = {
    id: 'resp_odd',
    object: 'response',
    created_at: 1,
    model,
    status: isCut ? 'incomplete' : 'completed',
    incomplete_details: isCut ? { reason: end === 'length' ? 'max_output_tokens' : 'content_filter' } : null,
    error: null,
    output,
    usage: { input_tokens: 9, output_tokens: 4, total_tokens: 13 },
  }
  const begun = { ...response, status: 'in_progress', incomplete_details: null, output: [], usage: null }
  const items = output.flatMap((item, output_index): OddReply['events'] => [
    ['response.output_item.added', { type: 'response.output_item.added', output_index, item: started(item) }],
    ['response.output_item.done', { type: 'response.output_item.done', output_index, item }],
  ])
  const last = isCut ? 'response.incomplete' : 'response.completed'
  return {
    body: response,
    events: [
      ['response.created', { type: 'response.created', response: begun }],
      ...items,
      [last, { type: last, response }],
    ],
  }
}

const started = (item: object) => ({
  ...item,
  ...('content' in item && { content: [] }),
  ...('summary' in item && { summary: [] }),
  ...('arguments' in item && { arguments: '' }),
})

// https://platform.claude.com/docs/en/api/messages and …/build-with-claude/streaming
const anthropic: Writer = ({ thought, text, call, end }, model, reason) => {
  const stop_reason = { stop: 'end_turn', length: 'max_tokens', calls: 'tool_use', blocked: 'refusal' }[end]
  const explanation = 'The request is against the usage policy.'
  const stop_details = end === 'blocked' ? { type: 'refusal', category: reason ?? 'cyber', explanation } : null
  const head = { id: 'msg_odd', type: 'message', role: 'assistant', model, stop_sequence: null }
  const usage = { input_tokens: 9, output_tokens: 4 }
  const blocks: (readonly [block: object, start: object, delta: object])[] = []
  if (thought !== '')
    blocks.push([
      { type: 'thinking', thinking: thought, signature: 'c2ln' },
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: thought },
    ])
  if (text !== '')
    blocks.push([
      { type: 'text', text },
      { type: 'text', text: '' },
      { type: 'text_delta', text },
    ])
  if (call !== null) {
    const start = { type: 'tool_use', id: 'toolu_1', name: call.name, input: {} }
    // The service parses the input itself; only a stream can show that it is broken.
    blocks.push([start, start, { type: 'input_json_delta', partial_json: call.arguments }])
  }
  return {
    body: { ...head, content: blocks.map(([block]) => block), stop_reason, stop_details, usage },
    events: [
      ['message_start', { type: 'message_start', message: { ...head, content: [], stop_reason: null, usage } }],
      ...blocks.flatMap(([, content_block, delta], index): OddReply['events'] => [
        ['content_block_start', { type: 'content_block_start', index, content_block }],
        ['content_block_delta', { type: 'content_block_delta', index, delta }],
        ['content_block_stop', { type: 'content_block_stop', index }],
      ]),
      [
        'message_delta',
        {
          type: 'message_delta',
          delta: { stop_reason, stop_details, stop_sequence: null },
          usage: { output_tokens: 4 },
        },
      ],
      ['message_stop', { type: 'message_stop' }],
    ],
  }
}

// https://ai.google.dev/api/generate-content
const google: Writer = ({ thought, text, call, end }, model, reason = 'SAFETY') => {
  const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 4, totalTokenCount: 13 }
  const tail = { usageMetadata, modelVersion: model, responseId: 'odd' }
  const safetyRatings = [{ category: 'HARM_CATEGORY_DANGEROUS_CONTENT', probability: 'HIGH', blocked: true }]
  if (reason.startsWith('prompt:')) {
    const body = { promptFeedback: { blockReason: reason.slice('prompt:'.length), safetyRatings }, ...tail }
    return { body, events: [['', body]] }
  }
  const isBroken = call?.arguments.startsWith('{}') === false
  const parts = [
    ...(thought === '' ? [] : [{ text: thought, thought: true }]),
    ...(text === '' ? [] : [{ text }]),
    ...(call === null || isBroken ? [] : [{ functionCall: { name: call.name, args: {} } }]),
  ]
  const finishReason = isBroken
    ? 'MALFORMED_FUNCTION_CALL'
    : { stop: 'STOP', length: 'MAX_TOKENS', calls: 'STOP', blocked: reason }[end]
  const content = parts.length > 0 ? { content: { role: 'model', parts } } : {}
  const candidate = { ...content, finishReason, index: 0, ...(end === 'blocked' && { safetyRatings }) }
  const body = { candidates: [candidate], ...tail }
  return { body, events: [['', body]] }
}

const WRITERS: { readonly [D in DialectId]: Writer } = {
  openai,
  'openai-responses': responses,
  anthropic,
  google,
}
