/** Where alerts go in tests: a Bot API and a webhook, real servers that look at every call and fail on command. */

import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * What the next call meets. `hang`: no answer at all. `endless`: a good answer whose body never ends. `huge`: one of
 * several megabytes. `broken`: the connection breaks off behind the head of the answer.
 */
export type Mood = 'ok' | 'hang' | 'endless' | 'huge' | 'broken' | Refusal

interface Refusal {
  readonly status: number
  readonly body?: unknown
  /** Instead of a body: plain text, as of Slack, or a page, as of a proxy. */
  readonly text?: string
  readonly page?: string
  readonly retryAfter?: number
  readonly location?: string
}

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
  /** How it refuses a call for its contents; null when it takes it. */
  refuses: (call: Omit<Received, 'ok'>) => Refusal | null
  /** Called when a call has arrived that will hang. */
  onHang: () => void
  /** Breaks off every call that hangs. */
  drop(): void
  /** Answers every call that hangs as if all were well; it counts as taken. */
  release(): void
}

/** A service: what it says to a call that is not right, and to one that is. */
interface Service {
  /** What only the tests mind, such as a secret in the text. */
  readonly faults: (call: Omit<Received, 'ok'>) => readonly string[]
  /** How the service itself refuses the call; null when it takes it. */
  readonly refusal: (call: Omit<Received, 'ok'>) => Refusal | null
  readonly taken: Refusal
  readonly textOf: (call: Received) => string
}

async function startDouble({ faults: look, refusal, taken, textOf }: Service): Promise<Double> {
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
    refuses: () => null,
    onHang: () => {},
    drop: () => server.closeAllConnections(),
    release() {
      for (const response of hanging) answer(response, taken)
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString('utf8')
    const call = { path: request.url ?? '', headers: request.headers, text, body: parsed(text) }
    const faults = request.method === 'POST' ? look(call) : ['no POST']
    wrong.push(...faults)
    const mood = double.moods.shift() ?? double.usual
    const refused = faults.length > 0 ? { status: 400, text: faults.join() } : (refusal(call) ?? double.refuses(call))
    const isTaken = refused === null && (mood === 'ok' || mood === 'endless' || mood === 'huge')
    calls.push({ ...call, ok: isTaken })
    if (mood === 'hang') {
      hanging.add(response)
      response.once('close', () => hanging.delete(response))
      return double.onHang()
    }
    if (mood === 'endless' || mood === 'huge' || mood === 'broken') return awkward(response, mood, taken)
    answer(response, mood === 'ok' ? (refused ?? taken) : mood)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return double
}

function answer(response: ServerResponse, { status, body, text, page, retryAfter, location }: Refusal): void {
  const type = page !== undefined ? 'text/html' : text !== undefined ? 'text/plain' : 'application/json'
  response.writeHead(status, {
    ...(status !== 204 && { 'content-type': type }),
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...(location !== undefined && { location }),
  })
  response.end(status === 204 ? undefined : (page ?? text ?? JSON.stringify(body ?? {})))
}

function awkward(response: ServerResponse, mood: 'endless' | 'huge' | 'broken', { status, body, text }: Refusal): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.write(text ?? JSON.stringify(body ?? {}))
  if (mood === 'huge') response.end(' '.repeat(4_000_000))
  if (mood === 'broken') setImmediate(() => response.destroy())
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

const refused = (status: number, description: string, parameters?: object): Refusal => ({
  status,
  body: { ok: false, error_code: status, description, ...(parameters && { parameters }) },
})

interface TelegramFacts {
  /** Texts that must not be in a message. */
  readonly secrets?: readonly string[]
  /** The chat to which the group has moved. */
  readonly movedTo?: number
}

/**
 * Refuses what the Bot API refuses, in its words: a wrong token, an unknown chat, a group that moved, a text that is
 * empty, too long or not UTF-8.
 */
export function startTelegram(facts: readonly string[] | TelegramFacts = {}): Promise<Double> {
  const { secrets = [], movedTo } = isList(facts) ? { secrets: facts } : facts
  return startDouble({
    faults({ text, headers }) {
      const faults: string[] = []
      if (!String(headers['content-type']).startsWith('application/json')) faults.push('no JSON')
      if (text.includes(BOT_TOKEN)) faults.push('the token is in the body')
      for (const secret of secrets) if (text.includes(secret)) faults.push('a secret is in the body')
      return faults
    },
    refusal: ({ path, body }) => botRefusal(path, body, movedTo),
    taken: { status: 200, body: { ok: true, result: {} } },
    textOf: ({ body }) => String((body as { text: string }).text),
  })
}

const isList = (facts: readonly string[] | TelegramFacts): facts is readonly string[] => Array.isArray(facts)

function botRefusal(path: string, body: unknown, movedTo: number | undefined): Refusal | null {
  const [, token, method] = /^\/bot([^/]*)\/(\w+)$/.exec(path) ?? []
  if (token === undefined || !/^\d+(?::|%3A)/i.test(token) || method !== 'sendMessage') return refused(404, 'Not Found')
  if (token !== BOT_TOKEN) return refused(401, 'Unauthorized')
  if (typeof body !== 'object' || body === null) return refused(400, "Bad Request: can't parse request JSON object")
  const { chat_id, text } = body as { chat_id?: unknown; text?: unknown }
  const chat = String(chat_id ?? '')
  if (chat === '') return refused(400, 'Bad Request: chat_id is empty')
  if (movedTo !== undefined && chat === CHAT_ID)
    return refused(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: movedTo })
  if (chat !== String(movedTo ?? CHAT_ID)) return refused(400, 'Bad Request: chat not found')
  if (typeof text !== 'string' || text.trim() === '') return refused(400, 'Bad Request: message text is empty')
  // Its JSON reader takes no lone half of a pair, whether written as such or as \\ud83d.
  if (!text.isWellFormed()) return refused(400, 'Bad Request: strings must be encoded in UTF-8')
  return text.length > 4096 ? refused(400, 'Bad Request: message is too long') : null
}

/** Refuses what is not signed with the secret. */
export function startWebhook(secret: string | null = null): Promise<Double> {
  return startDouble({
    faults: ({ headers, text }) =>
      secret === null || isSigned(String(headers['x-keywise-signature']), text, secret) ? [] : ['bad signature'],
    refusal: () => null,
    taken: { status: 200, body: {} },
    textOf: ({ text }) => text,
  })
}

/** An incoming webhook of Slack, which answers in plain words. */
export function startSlack(): Promise<Double> {
  return startDouble({
    faults: () => [],
    refusal({ body }) {
      if (typeof body !== 'object' || body === null) return { status: 400, text: 'invalid_payload' }
      const { text } = body as { text?: unknown }
      return typeof text === 'string' && text !== '' ? null : { status: 400, text: 'no_text' }
    },
    taken: { status: 200, text: 'ok' },
    textOf: ({ body }) => String((body as { text: string }).text),
  })
}

/** A webhook of Discord: content of 1 to 2,000 characters, and no body in the answer. */
export function startDiscord(): Promise<Double> {
  return startDouble({
    faults: () => [],
    refusal({ body }) {
      const { content } = (body ?? {}) as { content?: unknown }
      if (typeof content !== 'string' || content.trim() === '')
        return { status: 400, body: { message: 'Cannot send an empty message', code: 50006 } }
      if (content.isWellFormed() && content.length <= 2000) return null
      const why = { code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 2000 or fewer in length.' }
      return {
        status: 400,
        body: { message: 'Invalid Form Body', code: 50035, errors: { content: { _errors: [why] } } },
      }
    },
    taken: { status: 204 },
    textOf: ({ body }) => String((body as { content: string }).content),
  })
}

function isSigned(header: string, text: string, secret: string): boolean {
  const [, time, mark] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? []
  return time !== undefined && mark === createHmac('sha256', secret).update(`${time}.${text}`).digest('hex')
}

export const blocked: Mood = refused(403, 'Forbidden: bot was blocked by the user')
export const unauthorized: Mood = refused(401, 'Unauthorized')
export const tooMany = (seconds: number): Mood =>
  refused(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds })
