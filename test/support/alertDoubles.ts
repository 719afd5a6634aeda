/** Where alerts go in tests: a Bot API and a webhook, real servers that look at every call and fail on command. */

import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What the next call meets; `hang`: no answer at all. */
export type Mood = 'ok' | 'hang' | { readonly status: number; readonly body?: unknown; readonly retryAfter?: number }

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly body: unknown
  /** Whether it was taken. */
  readonly ok: boolean
}

export interface Double {
  readonly origin: string
  /** Every call, oldest first. */
  readonly calls: readonly Received[]
  /** The texts of the messages that were taken. */
  readonly texts: readonly string[]
  /** How many calls hang now. */
  readonly hanging: number
  /** What was wrong with the calls, as the real service would see it. */
  readonly wrong: readonly string[]
  /** What the next calls meet, in order; then all is well. */
  moods: Mood[]
  /** What every call meets while there are no moods. */
  usual: Mood
  /** Called when a call has arrived that will hang. */
  onHang: () => void
  /** Breaks off every call that hangs. */
  drop(): void
}

type Look = (call: Omit<Received, 'ok'>) => readonly string[]

async function startDouble(look: Look, textOf: (call: Received) => string): Promise<Double> {
  const calls: Received[] = []
  const wrong: string[] = []
  const hanging = new Set<ServerResponse>()
  const server = createServer((request, response) => void serve(request, response))
  const double: Double = {
    get origin() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    calls,
    get texts() {
      return calls.filter((call) => call.ok).map(textOf)
    },
    get hanging() {
      return hanging.size
    },
    wrong,
    moods: [],
    usual: 'ok',
    onHang: () => {},
    drop: () => server.closeAllConnections(),
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString('utf8')
    const call = { path: request.url ?? '', headers: request.headers, text, body: parsed(text) }
    const faults = request.method === 'POST' ? look(call) : ['no POST']
    wrong.push(...faults)
    const mood = double.moods.shift() ?? double.usual
    calls.push({ ...call, ok: mood === 'ok' && faults.length === 0 })
    if (mood === 'hang') {
      hanging.add(response)
      response.once('close', () => hanging.delete(response))
      return double.onHang()
    }
    answer(response, faults.length > 0 ? { status: 400, body: { ok: false, description: faults.join() } } : mood)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return double
}

function answer(response: ServerResponse, mood: Exclude<Mood, 'hang'>): void {
  const { status, body, retryAfter } =
    mood === 'ok'
      ? { status: 200, body: { ok: true, result: {} } }
      : { retryAfter: undefined, body: undefined, ...mood }
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  })
  response.end(JSON.stringify(body ?? {}))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const BOT_TOKEN = `123456789:${'AAcanary'.repeat(4)}xyz`
export const CHAT_ID = '-1001234567'

/** Refuses what the Bot API would: another path, another chat, no text, too long a text. */
export function startTelegram(secrets: readonly string[] = []): Promise<Double> {
  return startDouble(
    ({ path, body, text, headers }) => {
      const message = body as { chat_id?: unknown; text?: unknown } | undefined
      const faults: string[] = []
      if (path !== `/bot${BOT_TOKEN}/sendMessage`) faults.push('another path')
      if (!String(headers['content-type']).startsWith('application/json')) faults.push('no JSON')
      if (String(message?.chat_id) !== CHAT_ID) faults.push('another chat')
      if (typeof message?.text !== 'string' || message.text === '') faults.push('no text')
      else if (message.text.length > 4096) faults.push('message is too long')
      if (text.includes(BOT_TOKEN)) faults.push('the token is in the body')
      for (const secret of secrets) if (text.includes(secret)) faults.push('a secret is in the body')
      return faults
    },
    ({ body }) => String((body as { text: string }).text),
  )
}

/** Refuses what is not signed with the secret. */
export function startWebhook(secret: string | null = null): Promise<Double> {
  return startDouble(
    ({ headers, text }) =>
      secret === null || isSigned(String(headers['x-keywise-signature']), text, secret) ? [] : ['bad signature'],
    ({ text }) => text,
  )
}

function isSigned(header: string, text: string, secret: string): boolean {
  const [, time, mark] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? []
  return time !== undefined && mark === createHmac('sha256', secret).update(`${time}.${text}`).digest('hex')
}

export const blocked: Mood = {
  status: 403,
  body: { ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' },
}
export const tooMany = (seconds: number): Mood => ({
  status: 429,
  body: { ok: false, error_code: 429, description: 'Too Many Requests', parameters: { retry_after: seconds } },
})
