/** A provider double at the level of HTTP, for answers that the simulated providers do not give. */

import { createServer, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { listening } from './listening.ts'

export interface Asked {
  /** 1 for the first call. */
  readonly call: number
  readonly model: string
  /** The body as it came. */
  readonly text: string
  readonly key: string
  /** Calls in progress, this one included. */
  readonly inProgress: number
}

export interface Reply {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  /** A text is sent as it stands, anything else as JSON. Default: a short answer. */
  readonly body?: object | string
  /** Answers when it resolves. */
  readonly after?: Promise<void>
}

export interface HttpUpstream {
  /** The base URL of its OpenAI dialect. */
  readonly endpoint: string
  /** Every call so far. */
  readonly calls: readonly Asked[]
}

/**
 * Starts it; it ends with the test. `reply` may write a stream by itself and then returns null. `list`: the models
 * list; default: a plain 404.
 */
export async function httpUpstream(
  reply: (asked: Asked, response: ServerResponse) => Reply | null,
  list: () => Reply = () => ({ status: 404, body: '' }),
): Promise<HttpUpstream> {
  const calls: Asked[] = []
  let inProgress = 0
  const server = createServer(async (request, response) => {
    // Tests move their own clock; the system's would look like a skew of it.
    response.sendDate = false
    let text = ''
    for await (const piece of request) text += piece
    if (request.method !== 'POST') return send(response, list(), '')
    inProgress++
    response.on('close', () => inProgress--)
    const { model } = JSON.parse(text) as { model: string } // written by keywise
    const asked = { call: calls.length + 1, model, text, key: request.headers.authorization ?? '', inProgress }
    calls.push(asked)
    const said = reply(asked, response)
    if (said === null) return
    await said.after
    send(response, said, answer(model))
  })
  return { endpoint: `${await listening(server)}/v1`, calls }
}

function send(response: ServerResponse, { status = 200, headers, body }: Reply, otherwise: object | string): void {
  const said = body ?? otherwise
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof said === 'string' ? said : JSON.stringify(said))
}

function answer(model: string): object {
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
