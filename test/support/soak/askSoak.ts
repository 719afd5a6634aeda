/** One request of a soak, and what its caller got. */

import { asArray, asRecord, asString } from '../../../src/domain/json.ts'
import type { Received } from '../../../src/lab/avoidable.ts'
import { promptOf } from './fates.ts'
import { SOAK_TOKEN } from './gatewayProcess.ts'

interface Answer {
  readonly received: Received
  readonly text: string
  /** An error of the gateway that no attempt preceded. */
  readonly isLocal: boolean
}

export async function askSoak(origin: string, request: number, leaves: boolean): Promise<Answer> {
  const stream = request % 2 === 0
  const leaving = new AbortController()
  if (leaves) setTimeout(() => leaving.abort(), request % 20)
  try {
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SOAK_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: promptOf(request) }] }),
      signal: leaving.signal,
    })
    const text = await response.text()
    const isLocal = response.status >= 400 && response.headers.get('x-keywise-attempts') === null
    const received = response.status === 200 ? receivedOf(text, stream) : 'error'
    const trail = response.headers.get('x-keywise-trail') ?? ''
    return { received, text: received === 'answer' ? text : `${trail}: ${text}`, isLocal }
  } catch (error) {
    return { received: leaving.signal.aborted ? 'left' : 'error', text: String(error), isLocal: false }
  }
}

function receivedOf(text: string, stream: boolean): Received {
  try {
    const said = stream ? textOfStream(text) : textOf(asRecord(JSON.parse(text)), 'message')
    if (said === null) return 'error'
    return said.trim() === '' ? 'empty' : 'answer'
  } catch {
    return 'malformed'
  }
}

/** The text of all events; null for an error inside. Throws for events that are none, and for a stream without an end. */
function textOfStream(text: string): string | null {
  const events = text.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : []))
  let said = ''
  for (const event of events) {
    if (event === '[DONE]') return said
    const part = textOf(asRecord(JSON.parse(event)), 'delta')
    if (part === null) return null
    said += part
  }
  throw new SyntaxError('the stream has no end')
}

function textOf(body: ReturnType<typeof asRecord>, field: 'message' | 'delta'): string | null {
  if (body?.['error']) return null
  const message = asRecord(asRecord(asArray(body?.['choices'])?.[0])?.[field])
  return asString(message?.['content']) ?? ''
}
