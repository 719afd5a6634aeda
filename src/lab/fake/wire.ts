/** How the answers of the simulated providers get onto the wire: whole, streamed at a pace, or broken as scripted. */

import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { Dialect } from '../../dialects/dialect.ts'
import { sseText } from '../../dialects/stream/sse.ts'
import type { ChatChunk, ChatRequest, ChatResponse, DialectId, OtherAnswer, TokenLogprob } from '../../domain/chat.ts'
import type { FakeProvider } from './fakeProvider.ts'
import type { FakeFault } from './scenario.ts'

type Sleep = (ms: number) => Promise<void>

export function sendAnswer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

/** Sends the events of a stream as they are. */
export function sendEvents(
  response: ServerResponse,
  events: readonly (readonly [name: string, data: unknown])[],
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers })
  const texts = events.map(([name, data]) => sseText(typeof data === 'string' ? data : JSON.stringify(data), name))
  response.end(texts.join(''))
}

/** Faults that leave no answer at all. Returns true when the response is done for. */
export async function spoil(
  response: ServerResponse,
  fault: FakeFault,
  provider: FakeProvider,
  sleep: Sleep,
): Promise<boolean> {
  switch (fault.do) {
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'silence':
      return true
    case 'stall':
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      return true
    case 'html':
      response.writeHead(fault.status ?? 200, { 'content-type': 'text/html' })
      response.end('<!DOCTYPE html><html><title>Just a moment...</title></html>')
      return true
    case 'empty':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 0 })
      response.end()
      return true
    case 'error_in_200':
      sendAnswer(response, 200, provider.errorBody('overloaded'))
      return true
    case 'redirect':
      response.writeHead(fault.status ?? 302, { location: 'http://127.0.0.1:9/elsewhere' })
      response.end()
      return true
    case 'drip':
      return drip(response, sleep)
    default:
      return false
  }
}

async function drip(response: ServerResponse, sleep: Sleep): Promise<boolean> {
  response.writeHead(200, { 'content-type': 'application/json' })
  while (response.writable && !response.destroyed) {
    response.write(' ')
    await sleep(1000)
  }
  return true
}

interface StreamOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly fault: FakeFault | null
  /** Whose words an error inside the stream is said in. */
  readonly provider: FakeProvider
  /** Epoch milliseconds. */
  readonly now: number
  readonly tokensPerSecond: number | undefined
  readonly sleep: Sleep
}

/** Streams a reply in the client's dialect, a few characters a chunk, and breaks it where the fault says. */
export async function sendStream(
  response: ServerResponse,
  dialect: Dialect,
  request: ChatRequest,
  reply: ChatResponse,
  options: StreamOptions,
): Promise<void> {
  const writer = dialect.client.streamWriter(request, { now: options.now })
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...options.headers })
  const breakAfter = options.fault === null ? Number.POSITIVE_INFINITY : (options.fault.chunks ?? 3)
  const pauseMs = options.tokensPerSecond === undefined ? 0 : 1000 / options.tokensPerSecond
  let sent = 0
  for (const chunk of chunksOf(reply)) {
    if (response.destroyed) return
    const text = writer.write(chunk)
    if (sent >= breakAfter) {
      // What was written has to leave before a reset throws the rest away.
      await setImmediate()
      if (breaks(options, dialect, response, text)) return
    }
    if (chunk.type === 'end' && options.fault?.do === 'no_done') return void response.end()
    if (text !== '' && !response.write(text)) await drained(response)
    if (isDelta(chunk)) {
      sent++
      if (pauseMs > 0) await options.sleep(pauseMs)
    }
  }
  response.end()
}

function breaks({ fault, provider }: StreamOptions, dialect: Dialect, response: ServerResponse, next: string): boolean {
  switch (fault?.do) {
    case 'cut_reset':
      response.socket?.resetAndDestroy()
      return true
    case 'cut_clean':
      response.end()
      return true
    case 'cut_stall':
      return true
    case 'cut_error':
      response.end(`${errorEvent(dialect.id)}data: ${JSON.stringify(provider.errorBody('server'))}\n\n`)
      return true
    case 'bad_chunk':
      response.end(`${next.slice(0, next.lastIndexOf('"')).trimEnd()}\n\n`)
      return true
    default:
      return false
  }
}

// https://docs.anthropic.com/en/docs/build-with-claude/streaming#error-events
const errorEvent = (dialect: DialectId) => (dialect === 'anthropic' ? 'event: error\n' : '')

const isDelta = (chunk: ChatChunk) => chunk.type.endsWith('-delta')

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** A reply as the chunks a model would have streamed, several answers one after another. */
function* chunksOf(reply: ChatResponse): Generator<ChatChunk> {
  yield { type: 'start', ...(reply.id !== undefined && { id: reply.id }), model: reply.model }
  yield* saidIn(reply)
  for (const [place, other] of (reply.others ?? []).entries()) {
    for (const chunk of saidIn(other)) yield { type: 'other', index: place + 1, chunk }
    yield { type: 'other', index: place + 1, chunk: { type: 'finish', finishReason: other.finishReason } }
  }
  if (reply.usage !== undefined) yield { type: 'usage', usage: reply.usage }
  const { finishReason, stopSequence } = reply
  yield { type: 'finish', finishReason, ...(stopSequence !== undefined && { stopSequence }) }
  yield { type: 'end' }
}

function* saidIn({ content, logprobs }: OtherAnswer): Generator<ChatChunk> {
  let index = 0
  for (const part of content) {
    if (part.type === 'text') yield* textChunks(part.text, logprobs)
    else if (part.type === 'reasoning') {
      for (const text of pieces(part.text)) yield { type: 'reasoning-delta', text }
      if (part.signature !== undefined) yield { type: 'reasoning-delta', text: '', signature: part.signature }
    } else if (part.type === 'tool-call') {
      const { type, arguments: written, ...facts } = part
      yield { type: 'tool-call-start', index, ...facts }
      for (const text of pieces(written)) yield { type: 'tool-call-delta', index, arguments: text }
      yield { type, index, arguments: written, ...facts }
      index++
    }
  }
}

/** Each piece with the tokens that it is made of. */
function* textChunks(whole: string, logprobs: readonly TokenLogprob[] = []): Generator<ChatChunk> {
  let at = 0
  for (const text of pieces(whole)) {
    const from = at
    for (let length = 0; length < text.length && at < logprobs.length; at++) length += logprobs[at]?.token.length ?? 0
    yield { type: 'text-delta', text, ...(logprobs.length > 0 && { logprobs: logprobs.slice(from, at) }) }
  }
}

function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,12}/g) ?? []
}
