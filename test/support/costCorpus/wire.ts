/** The answers around a usage, as short as the services' own forms allow. */

/** A chat completion. */
export const chat = (usage: object, beside: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_795_435_200,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage,
  ...beside,
})

/** The chunks of a streamed chat completion; the usage comes in the last one, which has no choices. */
export const chatChunks = (usage: object, beside: object = {}) => {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_795_435_200, model: 'm', ...beside }
  return [
    { ...head, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hi' }, finish_reason: null }], usage: null },
    { ...head, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null },
    { ...head, choices: [], usage },
  ]
}

interface Beside {
  readonly items?: readonly object[]
  readonly [field: string]: unknown
}

/** A Responses object; `items`: what ran before the answer. */
export const response = (usage: object, { items = [], ...beside }: Beside = {}) => ({
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'm',
  output: [
    ...items,
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    },
  ],
  usage,
  ...beside,
})

const claude = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm' }

/** A message of Claude. */
export const message = (usage: object) => ({
  ...claude,
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage,
})

/** The events of a streamed message: its beginning counts the prompt, its end the answer. */
export const messageEvents = (first: object, last: object) => [
  {
    type: 'message_start',
    message: { ...claude, content: [], stop_reason: null, stop_sequence: null, usage: first },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: last },
  { type: 'message_stop' },
]

/** An answer of Gemini; `beside`: further fields of its candidate. */
export const gemini = (usageMetadata: object, beside: object = {}) => ({
  candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP', index: 0, ...beside }],
  usageMetadata,
  modelVersion: 'm',
  responseId: 'r1',
})

/** Vectors in OpenAI's form. */
export const vectors = (usage: object) => ({
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
  model: 'm',
  usage,
})
