/** A server of OpenAI's protocol whose models list belongs to the key, and can be held back. */

import { createServer, type IncomingMessage } from 'node:http'
import { listening } from './listening.ts'

export interface ListServer {
  readonly origin: string
  /** The models of each key; a list that a test changes is served from then on. */
  readonly models: Record<string, readonly string[]>
  /** `key2 GET`, `key2 m`: every list and every model that was asked for. */
  readonly asked: string[]
  /** Answers no list until the function it returns is called. */
  hold(): () => void
}

/** Serves until the test has finished; a key without models has none that it may call. */
export async function startListServer(models: Record<string, readonly string[]>): Promise<ListServer> {
  const asked: string[] = []
  let free = Promise.resolve()
  const server = createServer(async (request, response) => {
    const key = request.headers.authorization?.replace('Bearer ', '') ?? ''
    response.setHeader('content-type', 'application/json')
    if (request.method === 'GET') {
      asked.push(`${key} GET`)
      await free
      const data = (models[key] ?? []).map((id) => ({ id, object: 'model' }))
      return response.end(JSON.stringify({ object: 'list', data }))
    }
    const model = await modelOf(request)
    asked.push(`${key} ${model}`)
    if (models[key]?.includes(model) !== true) {
      response.statusCode = 404
      return response.end(JSON.stringify({ error: { message: 'no such model', code: 'model_not_found' } }))
    }
    const message = { role: 'assistant', content: 'hello' }
    return response.end(JSON.stringify({ model, choices: [{ index: 0, message, finish_reason: 'stop' }] }))
  })
  const hold = () => {
    let release = () => {}
    free = new Promise((resolve) => (release = resolve))
    return release
  }
  return { origin: await listening(server), models, asked, hold }
}

async function modelOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += part
  const body: unknown = JSON.parse(text)
  return typeof body === 'object' && body !== null && 'model' in body ? String(body.model) : ''
}
