/** An upstream whose every answer the test writes, byte for byte: for bodies that no simulated provider sends. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ScriptedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it stands, anything else as JSON. */
  readonly body: unknown
}

export interface ScriptedUpstream {
  /** `http://127.0.0.1:PORT/v1` */
  readonly endpoint: string
  /** How many generations were asked for. */
  readonly asked: number
}

/** Answers as the functions say until the test has finished. `list`: the models list; default: a plain 404. */
export async function openUpstream(
  answer: (call: number) => ScriptedAnswer,
  list: () => ScriptedAnswer = () => ({ status: 404, body: '' }),
): Promise<ScriptedUpstream> {
  let asked = 0
  const server = createServer((request, response) => {
    request.resume()
    // Tests move their own clock; the system's would look like a skew of it.
    response.sendDate = false
    const { status = 200, headers = {}, body } = request.method === 'POST' ? answer(++asked) : list()
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    endpoint: `http://127.0.0.1:${port}/v1`,
    get asked() {
      return asked
    },
  }
}

/** A chat completion that says "Hello". */
export const helloAnswer: ScriptedAnswer = {
  body: {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
  },
}
