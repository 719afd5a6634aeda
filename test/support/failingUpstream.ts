/**
 * An upstream on a bare socket that fails in the way its path names (`/reset-before-headers/v1/chat/completions`), down
 * to what a web server would never do: it answers nothing, closes idle connections, or breaks off in a header.
 */

import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FailingUpstream {
  readonly port: number
  /** Every inference request, by the way it failed. */
  readonly asked: ReadonlyMap<string, number>
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>
}

/** What one request gets; `time`: how many requests failed in this way before it. */
type Reply = (socket: Socket, time: number, streamed: boolean) => void

const json = (status: number, body: unknown, headers = '') => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return `HTTP/1.1 ${status} Said\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}
const refusal = (message: string, more: object = {}) => ({ error: { message, ...more } })
const refuses =
  (status: number, message: string, more: object = {}, headers = ''): Reply =>
  (socket) =>
    socket.write(json(status, refusal(message, more), headers))

const answer = (content: string | null, finish = 'stop') => ({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
})
const STREAM = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
const chunked = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const event = (delta: object, finish: string | null = null) =>
  chunked(
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
  )
const streamOf = (content: string, finish = 'stop') =>
  `${STREAM}${event({ role: 'assistant', content })}${event({}, finish)}${chunked('data: [DONE]\n\n')}0\r\n\r\n`

const works: Reply = (socket, _time, streamed) =>
  socket.write(streamed ? streamOf('hello') : json(200, answer('hello')))

/** Without a status the answer of a healthy upstream is broken off, delayed or replaced. */
export const FAILURES: { readonly [name: string]: Reply } = {
  works,
  auth_invalid: refuses(401, 'Incorrect API key provided', { code: 'invalid_api_key' }),
  auth_forbidden: refuses(403, 'You are not allowed to use this model'),
  billing: refuses(402, 'Insufficient credit'),
  in_flight_budget: refuses(
    402,
    'Too much is under way',
    { code: 402, metadata: { limit_source: 'openrouter_in_flight_budget' } },
    'retry-after: 1\r\n',
  ),
  quota_day: refuses(429, 'Rate limit reached for requests per day (RPD): Limit 50, Used 50', {
    code: 'rate_limit_exceeded',
  }),
  rate_minute: refuses(429, 'Rate limit reached for requests per minute', {}, 'retry-after: 1\r\n'),
  zero_quota: refuses(
    429,
    'Quota exceeded for metric: generativelanguage.googleapis.com/generate_requests, limit: 0, model: m',
  ),
  too_large_for_limit: refuses(413, 'Request too large for tokens per minute (TPM): Limit 6000, Requested 9000', {
    type: 'tokens',
    code: 'rate_limit_exceeded',
  }),
  overloaded: refuses(529, 'Overloaded', { type: 'overloaded_error' }),
  server: refuses(500, 'The server had an error'),
  model_not_found: refuses(404, 'The model `m` does not exist', { code: 'model_not_found' }),
  context_too_long: refuses(400, "This model's maximum context length is 8192 tokens", {
    code: 'context_length_exceeded',
  }),
  content_filter: refuses(400, 'The prompt was filtered', { code: 'content_filter' }),
  unsupported: refuses(400, "'tools' is not supported with this model", { code: 'unsupported_parameter' }),
  bad_request: refuses(400, 'Invalid request'),
  'reset-before-headers': (socket) => socket.resetAndDestroy(),
  'closed-before-headers': (socket) => socket.destroy(),
  /** The first connection is closed without a byte, the second one answers: a stale socket, as it looks to a client. */
  'closed-once': (socket, time, streamed) => (time % 2 === 0 ? socket.destroy() : works(socket, time, streamed)),
  /** Answers, and closes the kept connection shortly after: the next request may still be written to it. */
  'stale-after-answer': (socket, time, streamed) => {
    works(socket, time, streamed)
    setTimeout(() => socket.destroy(), 5)
  },
  'broken-header': (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-ty'),
  'no-http': (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
  'switched-protocols': (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
  redirected: (socket) =>
    socket.write('HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n'),
  'reset-after-headers': (socket, _time, streamed) =>
    socket.write(streamed ? STREAM : 'HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{', () => socket.resetAndDestroy()),
  'reset-in-answer': (socket, _time, streamed) =>
    socket.write(streamed ? STREAM + event({ content: 'hel' }) : json(200, answer('hello')).slice(0, -9), () =>
      setTimeout(() => socket.resetAndDestroy(), 20),
    ),
  'closed-in-answer': (socket, _time, streamed) =>
    socket.end(streamed ? STREAM + event({ content: 'hel' }) : json(200, answer('hello')).slice(0, -9)),
  'error-in-stream': (socket, _time, streamed) =>
    socket.write(
      streamed
        ? `${STREAM}${event({ content: 'hel' })}${chunked('data: {"error":{"message":"gone","type":"server_error"}}\n\n')}`
        : json(200, refusal('gone')),
    ),
  'no-json': (socket) => socket.write(json(200, '<html>Gateway</html>')),
  'empty-text': (socket, _time, streamed) => socket.write(streamed ? streamOf('') : json(200, answer(''))),
  'unknown-tool': (socket, _time, streamed) => {
    const { choices, ...rest } = answer(null, 'tool_calls')
    const tool_calls = [{ index: 0, id: 'c', type: 'function', function: { name: 'nowhere', arguments: '{}' } }]
    const called = choices.map((choice) => ({ ...choice, message: { ...choice.message, tool_calls } }))
    const stream = `${STREAM}${event({ tool_calls })}${event({}, 'tool_calls')}${chunked('data: [DONE]\n\n')}0\r\n\r\n`
    socket.write(streamed ? stream : json(200, { ...rest, choices: called }))
  },
  'no-body': (socket) => socket.write(json(200, '')),
  silent: () => {},
  late: (socket, time, streamed) => void setTimeout(() => works(socket, time, streamed), 200),
  'silent-after-headers': (socket, _time, streamed) =>
    socket.write(streamed ? STREAM : 'HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n'),
  'silent-in-answer': (socket, _time, streamed) =>
    socket.write(streamed ? STREAM + event({ content: 'hel' }) : json(200, answer('hello')).slice(0, -9)),
  /** More of an answer than any reader takes at once; it goes on until the reader leaves. */
  endless: (socket, _time, streamed) => {
    if (!streamed) return works(socket, 0, false)
    socket.write(STREAM)
    const more = () => {
      while (!socket.destroyed && socket.write(event({ content: 'x'.repeat(2000) })));
    }
    socket.on('drain', more)
    more()
  },
}

/** Listens on loopback until the test has finished. */
export async function startFailingUpstream(): Promise<FailingUpstream> {
  const asked = new Map<string, number>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    readRequests(socket, (head, body) => {
      const [, name = '', ...rest] = (head.split(' ')[1] ?? '').split('/')
      if (rest.at(-1) === 'models') return void socket.write(json(200, { object: 'list', data: [{ id: 'm' }] }))
      const time = asked.get(name) ?? 0
      asked.set(name, time + 1)
      FAILURES[name]?.(socket, time, /"stream":\s*true/.test(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, asked, sockets }
}

/** Calls back for every whole request: its head and its body. */
function readRequests(socket: Socket, take: (head: string, body: string) => void): void {
  let received = ''
  socket.on('data', (data) => {
    received += data.toString('latin1')
    for (;;) {
      const headEnd = received.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/content-length: *(\d+)/i.exec(received.slice(0, headEnd))?.[1] ?? 0)
      const end = headEnd + 4 + length
      if (received.length < end) return
      take(received.slice(0, headEnd), received.slice(headEnd + 4, end))
      received = received.slice(end)
    }
  })
}
