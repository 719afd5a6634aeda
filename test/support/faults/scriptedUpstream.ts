/** An upstream on a bare socket that answers with the very bytes a test gives it, and a whole answer in every protocol. */

import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { dialectOf } from '../../../src/dialects/dialects.ts'
import type { ChatChunk, ChatRequest, ChatResponse, DialectId } from '../../../src/domain/chat.ts'
import { REPLY } from './faultWorld.ts'

export interface ScriptedRequest {
  readonly head: string
  readonly body: string
  /** 1 for the first question. */
  readonly call: number
  readonly stream: boolean
}

export interface ScriptedUpstream {
  /** The base URL of its protocol. */
  readonly endpoint: string
  /** Every question so far; models lists are not there. */
  readonly asked: readonly ScriptedRequest[]
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>
}

/** What is written; null leaves the socket open without a word. A function writes by itself. */
export type Said = string | Buffer | null | ((socket: Socket) => void)

/** Listens until the test has finished. */
export async function scriptedUpstream(say: (request: ScriptedRequest) => Said): Promise<ScriptedUpstream> {
  const asked: ScriptedRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    readRequests(socket, (head, body) => {
      if (head.startsWith('GET')) return void socket.write(http('404 Not Found', ''))
      const stream = /"stream": ?true/.test(body) || head.includes(':streamGenerateContent')
      const request = { head, body, call: asked.length + 1, stream }
      asked.push(request)
      const said = say(request)
      if (typeof said === 'function') said(socket)
      else if (said !== null) socket.write(said)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1`, asked, sockets }
}

/** Calls back for every whole request. Its length is stated, as keywise does. */
function readRequests(socket: Socket, take: (head: string, body: string) => void): void {
  let received = Buffer.alloc(0)
  socket.on('data', (data) => {
    received = Buffer.concat([received, data])
    for (;;) {
      const headEnd = received.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const head = received.toString('latin1', 0, headEnd)
      const end = headEnd + 4 + Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      if (received.length < end) return
      const body = received.toString('utf8', headEnd + 4, end)
      received = received.subarray(end)
      take(head, body)
    }
  })
}

/** A whole HTTP answer. */
export function http(status: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer {
  const bytes = Buffer.from(body)
  const lines = Object.entries({ 'content-length': String(bytes.length), ...headers })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${head}\r\n`), bytes])
}

export const json = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  http('200 OK', typeof body === 'string' ? body : JSON.stringify(body), {
    'content-type': 'application/json',
    ...headers,
  })

export const sse = (events: string | Buffer, headers: Readonly<Record<string, string>> = {}) =>
  http('200 OK', events, { 'content-type': 'text/event-stream', ...headers })

const usage = { inputTokens: 5, outputTokens: 27, totalTokens: 32, estimated: false }
const asked: ChatRequest = { model: 'first-model', messages: [], stream: true, wantsUsage: true }

const responseOf = (text: string): ChatResponse => ({
  id: 'answer-1',
  model: 'first-model',
  content: [{ type: 'text', text }],
  finishReason: 'stop',
  usage,
})

/** A whole answer, as the protocol has it. */
export function wholeAnswer(dialect: DialectId, text = REPLY): unknown {
  return dialectOf(dialect).client.writeResponse(responseOf(text), { ...asked, stream: false }, { now: 0 })
}

/** The same as a stream, the bytes of one step after another. */
export function wholeStream(dialect: DialectId, pieces: readonly string[] = [REPLY.slice(0, 40), REPLY.slice(40)]) {
  const writer = dialectOf(dialect).client.streamWriter(asked, { now: 0 })
  const chunks: ChatChunk[] = [
    { type: 'start', id: 'answer-1', model: 'first-model' },
    ...pieces.map((text) => ({ type: 'text-delta' as const, text })),
    { type: 'usage', usage },
    { type: 'finish', finishReason: 'stop' },
    { type: 'end' },
  ]
  return chunks.map((chunk) => writer.write(chunk)).filter((text) => text !== '')
}

/** An answer in the way it was asked for. */
export const wellSaid = (dialect: DialectId, stream: boolean) =>
  stream ? sse(wholeStream(dialect).join('')) : json(wholeAnswer(dialect))
