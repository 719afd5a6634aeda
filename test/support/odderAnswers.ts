/** What upstreams of every dialect send when they answer with more than text, written by hand, whole and as a stream. */

import type { DialectId } from '../../src/domain/chat.ts'

export interface OddAnswer {
  readonly upstream: DialectId
  readonly whole: object
  /** The body of the event stream. */
  readonly stream: string
}

const data = (event: unknown) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`
const named = (event: { readonly type: string }) => `event: ${event.type}\n${data(event)}`

/** Gemini: `pieces` are the parts of each event of the stream. */
export function ofGoogle(pieces: readonly (readonly object[])[], more: object = {}): OddAnswer {
  const usageMetadata = { promptTokenCount: 3, candidatesTokenCount: 9, totalTokenCount: 12 }
  const body = (parts: readonly object[], last: boolean) => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(last && { finishReason: 'STOP', ...more }) }],
    usageMetadata,
    modelVersion: 'm',
    responseId: 'r1',
  })
  const stream = pieces.map((parts, index) => data(body(parts, index === pieces.length - 1))).join('')
  return { upstream: 'google', whole: body(pieces.flat(), true), stream }
}

/** Chat completions: `message` whole, `deltas` of the stream. */
export function ofChat(message: object, deltas: readonly object[]): OddAnswer {
  const usage = { prompt_tokens: 3, completion_tokens: 9, total_tokens: 12 }
  const head = { id: 'c1', created: 1, model: 'm' }
  const chunk = (delta: object, finish_reason: string | null) =>
    data({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })
  return {
    upstream: 'openai',
    whole: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', content: '', ...message }, finish_reason: 'stop' }],
      usage,
    },
    stream: `${deltas.map((delta) => chunk(delta, null)).join('')}${chunk({}, 'stop')}${data('[DONE]')}`,
  }
}

/** Responses: every item is announced and then said whole. */
export function ofResponses(items: readonly { readonly type: string; readonly [field: string]: unknown }[]): OddAnswer {
  const head = { id: 'resp_1', object: 'response', created_at: 1, model: 'm' }
  const usage = { input_tokens: 3, output_tokens: 9, total_tokens: 12 }
  const whole = { ...head, status: 'completed', output: items, usage }
  const events = items.flatMap((item, output_index) => [
    { type: 'response.output_item.added', output_index, item: { ...item, result: null, content: [] } },
    { type: 'response.output_item.done', output_index, item },
  ])
  const begun = { type: 'response.created', response: { ...head, status: 'in_progress', output: [] } }
  const all = [begun, ...events, { type: 'response.completed', response: whole }]
  return { upstream: 'openai-responses', whole, stream: all.map(named).join('') }
}

/** Anthropic: every block is said whole, and so are its citations. */
export function ofAnthropic(
  blocks: readonly { readonly type: string; readonly [field: string]: unknown }[],
): OddAnswer {
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm' }
  const usage = { input_tokens: 3, output_tokens: 9 }
  const events = blocks.flatMap(({ citations, input, ...block }, index) => [
    { type: 'content_block_start', index, content_block: { ...block, ...(input !== undefined && { input: {} }) } },
    ...(Array.isArray(citations) ? citations : []).map((citation: unknown) => ({
      type: 'content_block_delta',
      index,
      delta: { type: 'citations_delta', citation },
    })),
    ...(input === undefined
      ? []
      : [
          {
            type: 'content_block_delta',
            index,
            delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) },
          },
        ]),
    { type: 'content_block_stop', index },
  ])
  const all = [
    { type: 'message_start', message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage } },
    ...events,
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage },
    { type: 'message_stop' },
  ]
  return {
    upstream: 'anthropic',
    whole: { ...head, content: blocks, stop_reason: 'end_turn', stop_sequence: null, usage },
    stream: all.map(named).join(''),
  }
}
