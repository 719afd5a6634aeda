/** Answers that repeat the key they were asked with: where it stands, how it is written, and in which dialect. */

import type { IncomingMessage, ServerResponse } from 'node:http'

/** How the key is written. `isContent`: whether it is the whole key as it is, which alone is hidden in what is said. */
export const WAYS: readonly (readonly [name: string, write: (key: string) => string])[] = [
  ['as it is', (key) => key],
  ['in capital letters', (key) => key.toUpperCase()],
  ['in small letters', (key) => key.toLowerCase()],
  ['masked in the middle', (key) => `${key.slice(0, 14)}****${key.slice(-4)}`],
  ['masked at the front', (key) => `****${key.slice(-12)}`],
  ['cut', (key) => key.slice(0, 22)],
  ['with a line break', (key) => `${key.slice(0, 17)}\n${key.slice(17)}`],
  ['with a header around it', (key) => `Authorization: Bearer ${key}`],
  ['in a URL', (key) => `https://api.example/v1?key=${encodeURIComponent(key)}&alt=sse`],
  ['in base64', (key) => Buffer.from(`user:${key}`).toString('base64')],
]

/** A header has one line. */
const line = (text: string) => text.replace(/\s/g, ' ')

export type WireName = 'openai' | 'openai-responses' | 'anthropic' | 'google'

export function wireOf(path: string): WireName {
  if (path.includes('/responses')) return 'openai-responses'
  if (path.includes('/messages')) return 'anthropic'
  return path.includes('enerateContent') ? 'google' : 'openai'
}

export interface Echo {
  readonly wire: WireName
  readonly stream: boolean
  /** The key as it is. */
  readonly key: string
  /** The key as it is written. */
  readonly text: string
  readonly response: ServerResponse
}

type Place = readonly [name: string, answer: (echo: Echo) => void]

function json({ response }: Echo, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

const refusal = (fields: object) => ({
  error: { message: 'no', type: 'invalid_request_error', code: 'bad', ...fields },
})
const inError =
  (status: number, fields: (text: string) => object): Place[1] =>
  (echo) =>
    json(echo, status, refusal(fields(echo.text)))
const inHeader =
  (status: number, name: string): Place[1] =>
  (echo) =>
    json(echo, status, refusal({}), { [name]: line(echo.text) })

/** Answers that are errors. */
export const ERROR_PLACES: readonly Place[] = [
  ['message of a 401', inError(401, (text) => ({ message: `Incorrect API key provided: ${text}. See your account.` }))],
  ['message of a 400', inError(400, (text) => ({ message: `bad request with ${text}` }))],
  ['message of a 429', inError(429, (text) => ({ message: `Rate limit reached for key ${text}, try again in 5ms` }))],
  [
    'message of a 404',
    inError(404, (text) => ({ message: `The model ${text} does not exist`, code: 'model_not_found' })),
  ],
  ['message of a 402', inError(402, (text) => ({ message: `no credit for ${text}` }))],
  ['message of a 500', inError(500, (text) => ({ message: text }))],
  ['type', inError(400, (text) => ({ type: text }))],
  ['code', inError(400, (text) => ({ code: text }))],
  ['parameter', inError(400, (text) => ({ param: text }))],
  ['refused field', inError(400, (text) => ({ message: `Unrecognized request argument supplied: ${text}` }))],
  ['details', inError(400, (text) => ({ details: [{ '@type': 'type.googleapis.com/x', reason: text, [text]: 1 }] }))],
  ['metadata', inError(400, (text) => ({ metadata: { raw: JSON.stringify({ error: text }), provider_name: text } }))],
  ['name of a field', inError(400, (text) => ({ [text]: text }))],
  ['error that is a text', (echo) => json(echo, 400, { error: echo.text, request_id: echo.text })],
  [
    'detail of FastAPI',
    (echo) => json(echo, 422, { detail: [{ loc: ['body', echo.text], msg: echo.text, type: 'x' }] }),
  ],
  ['list of errors', (echo) => json(echo, 400, [refusal({ message: echo.text, status: echo.text })])],
  ['text', ({ response, text }) => response.writeHead(503, { 'content-type': 'text/plain' }).end(`sorry ${text}`)],
  [
    'page',
    ({ response, text }) =>
      response
        .writeHead(403, { 'content-type': 'text/html' })
        .end(`<html><title>${text}</title><body>you sent ${text}</body></html>`),
  ],
  ['content-encoding', inHeader(200, 'content-encoding')],
  ['content-encoding of an error', inHeader(401, 'content-encoding')],
  ['content-type', inHeader(500, 'content-type')],
  ['retry-after', inHeader(429, 'retry-after')],
  ['request id', inHeader(500, 'x-request-id')],
  ['limit headers', inHeader(429, 'x-ratelimit-limit-requests')],
  ['policy of limits', inHeader(429, 'ratelimit-policy')],
  ['challenge', inHeader(401, 'www-authenticate')],
  ['cookie', inHeader(429, 'set-cookie')],
  [
    'redirect',
    ({ response, text }) =>
      response.writeHead(307, { location: `http://127.0.0.1:9/${encodeURIComponent(text)}` }).end(),
  ],
  [
    'status text',
    ({ response, text }) =>
      response.socket?.end(`HTTP/1.1 401 ${line(text)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`),
  ],
  [
    'no HTTP',
    ({ response, text }) =>
      response.socket?.end(`HTTP/1.1 200 OK\r\n${line(text)}\r\ncontent-length: ${line(text)}\r\n\r\n`),
  ],
  [
    'error in a good answer',
    (echo) => json(echo, 200, { type: 'error', ...refusal({ message: `no ${echo.text}`, status: echo.text }) }),
  ],
  [
    'error in a stream',
    ({ response, text }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const error = { message: `no ${text}`, type: text, code: text }
      response.end(`event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`)
    },
  ],
]

/** What a good answer says about itself. */
interface Facts {
  readonly id?: string
  readonly model?: string
  readonly content?: string
  /** Fields that nobody knows. */
  readonly more?: object
}

function wholeAnswer(wire: WireName, { id = 'a-1', model = 'm', content = 'hello', more = {} }: Facts): object {
  if (wire === 'anthropic')
    return {
      id,
      type: 'message',
      role: 'assistant',
      model,
      content: [{ type: 'text', text: content }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 2 },
      ...more,
    }
  if (wire === 'google')
    return {
      candidates: [{ content: { role: 'model', parts: [{ text: content }] }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
      modelVersion: model,
      responseId: id,
      ...more,
    }
  if (wire === 'openai-responses') {
    const part = { type: 'output_text', text: content, annotations: [] }
    const output = [{ type: 'message', id, role: 'assistant', status: 'completed', content: [part] }]
    const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
    return { id, object: 'response', created_at: 1, status: 'completed', model, output, usage, ...more }
  }
  const message = { role: 'assistant', content }
  return {
    id,
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    ...more,
  }
}

/** The same events with what is said in one of them spread over several. */
function spelled(wire: WireName, key: string): [string, object][] {
  const MARK = 'spelled out here'
  return streamOf(wire, { content: MARK }).flatMap(([name, data]): [string, object][] => {
    const whole = JSON.stringify(data)
    if (!whole.includes(MARK) || name === 'response.completed') return [[name, JSON.parse(whole.replace(MARK, key))]]
    const parts = `so it is ${key}, isn't it`.match(/.{1,3}/g) ?? []
    const pieces = parts.map((part): [string, object] => [name, JSON.parse(whole.replace(MARK, part))])
    if (wire !== 'google') return pieces
    const open = pieces.map(([event, piece]): [string, object] => [event, { ...piece, candidates: unfinished(piece) }])
    return [...open, [name, JSON.parse(whole.replace(MARK, ''))]]
  })
}

function unfinished(piece: object): object[] {
  const { candidates } = piece as { candidates: { finishReason: string }[] } // as `wholeAnswer` makes it
  return candidates.map(({ finishReason: _, ...rest }) => rest)
}

/** The events of a stream; each is `[name, data]`, the name being '' where there is none. */
function streamOf(
  wire: WireName,
  { id = 'a-1', model = 'm', content = 'hello', more = {} }: Facts,
): [string, object][] {
  if (wire === 'anthropic') {
    const message = { ...wholeAnswer(wire, { id, model }), content: [], stop_reason: null, ...more }
    return [
      ['message_start', { type: 'message_start', message }],
      ['content_block_start', { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }],
      ['content_block_delta', { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: content } }],
      ['content_block_stop', { type: 'content_block_stop', index: 0 }],
      ['message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }],
      ['message_stop', { type: 'message_stop' }],
    ]
  }
  if (wire === 'google') return [['', wholeAnswer(wire, { id, model, content, more })]]
  if (wire === 'openai-responses') {
    const response = { ...wholeAnswer(wire, { id, model, content, more }) }
    const place = { item_id: id, output_index: 0, content_index: 0 }
    const item = { type: 'message', id, role: 'assistant', status: 'in_progress', content: [] }
    return [
      ['response.created', { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } }],
      ['response.output_item.added', { type: 'response.output_item.added', output_index: 0, item }],
      ['response.output_text.delta', { type: 'response.output_text.delta', ...place, delta: content }],
      ['response.completed', { type: 'response.completed', response }],
    ]
  }
  const chunk = (delta: object, finish: string | null) => ({
    id,
    object: 'chat.completion.chunk',
    created: 1,
    model,
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  })
  return [
    ['', chunk({ role: 'assistant', content: '' }, null)],
    ['', chunk({ content }, null)],
    ['', chunk({}, 'stop')],
  ]
}

const eventText = ([name, data]: [string, object]) =>
  `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`

/** `before`: what stands before the events. `cutAt`: where the bytes are cut in two. */
function good(echo: Echo, facts: Facts, { before = '', cutAt = '' } = {}): void {
  const { wire, stream, response } = echo
  if (!stream) return json(echo, 200, wholeAnswer(wire, facts))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const done = wire === 'openai' ? 'data: [DONE]\n\n' : ''
  const text = before + streamOf(wire, facts).map(eventText).join('') + done
  const at = cutAt === '' ? -1 : text.indexOf(cutAt)
  if (at < 0) return void response.end(text)
  response.write(text.slice(0, at + 9))
  setImmediate(() => setTimeout(() => response.end(text.slice(at + 9)), 1))
}

function spellOut(echo: Echo): void {
  if (!echo.stream) return good(echo, { content: `so it is ${echo.key}.` })
  echo.response.writeHead(200, { 'content-type': 'text/event-stream' })
  const done = echo.wire === 'openai' ? 'data: [DONE]\n\n' : ''
  echo.response.end(spelled(echo.wire, echo.key).map(eventText).join('') + done)
}

/** Good answers: what stands in one line. */
export const GOOD_PLACES: readonly Place[] = [
  ['id', (echo) => good(echo, { id: `chatcmpl-${line(echo.text)}` })],
  ['model', (echo) => good(echo, { model: line(echo.text) })],
  ['fingerprint', (echo) => good(echo, { more: { system_fingerprint: line(echo.text), provider: line(echo.text) } })],
  ['unknown field', (echo) => good(echo, { more: { x_debug: { sent: [line(echo.text)], [line(echo.text)]: 1 } } })],
  ['tier', (echo) => good(echo, { more: { service_tier: line(echo.text) } })],
  ['comment', (echo) => good(echo, {}, { before: `: ${line(echo.text)}\n\n` })],
  ['id of an event', (echo) => good(echo, {}, { before: `id: ${line(echo.text)}\nretry: 5\n\n` })],
  ['unknown event', (echo) => good(echo, {}, { before: `event: ${line(echo.text)}\ndata: {"type":"ping"}\n\n` })],
  ['content', (echo) => good(echo, { content: `so it is ${echo.key}, isn't it` })],
  ['content that is spelled out over events', spellOut],
  ['content that is cut', (echo) => good(echo, { content: `so it is ${echo.key}.` }, { cutAt: echo.key })],
]

/** Beside the ways of texts: what a good answer says of itself is looked through as it stands, without undoing escapes. */
export const GOOD_WAYS = WAYS

/** The key that a request of any dialect carries. */
export function keyOf({ headers }: IncomingMessage): string {
  const value = headers.authorization ?? headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers['api-key'] ?? ''
  return String(value).replace(/^Bearer /, '')
}
