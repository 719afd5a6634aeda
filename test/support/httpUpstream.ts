/** A provider double at the level of HTTP, for answers that the simulated providers do not give. */

import { createServer, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Asked {
  /** 1 for the first call. */
  readonly call: number
  readonly model: string
  readonly key: string
  /** Calls in progress, this one included. */
  readonly inProgress: number
}

export interface Reply {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  /** Default: a short answer. */
  readonly body?: object
  /** Answers when it resolves. */
  readonly after?: Promise<void>
}

export interface HttpUpstream {
  /** The base URL of its OpenAI dialect. */
  readonly endpoint: string
  /** Every call so far. */
  readonly calls: readonly Asked[]
}

/** Starts it; it ends with the test. `reply` may write a stream by itself and then returns null. */
export async function httpUpstream(
  reply: (asked: Asked, response: ServerResponse) => Reply | null,
): Promise<HttpUpstream> {
  const calls: Asked[] = []
  let inProgress = 0
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const piece of request) text += piece
    if (request.method !== 'POST') return void response.writeHead(404).end()
    inProgress++
    response.on('close', () => inProgress--)
    const { model } = JSON.parse(text) as { model: string } // written by keywise
    const asked = { call: calls.length + 1, model, key: request.headers.authorization ?? '', inProgress }
    calls.push(asked)
    const said = reply(asked, response)
    if (said === null) return
    await said.after
    response.writeHead(said.status ?? 200, { 'content-type': 'application/json', ...said.headers })
    response.end(JSON.stringify(said.body ?? answer(model)))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  return { endpoint: `http://127.0.0.1:${port}/v1`, calls }
}

export function answer(model: string): object {
  const message = { role: 'assistant', content: 'hello' }
  return {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  }
}

/** A refusal by a limit, in OpenAI's form. */
export function refusal(message = 'Rate limit reached', headers: OutgoingHttpHeaders = {}): Reply {
  const error = { message, type: 'rate_limit_error', code: 'rate_limit_exceeded', param: null }
  return { status: 429, headers, body: { error } }
}
