/**
 * A provider that fails on purpose: a real HTTP server that speaks chat completions and chooses its fault by the model's
 * name. As strict as the services: unknown models, wrong keys, bodies that are none and messages without a role are
 * refused. Every healthy answer is the same sixty words, so that a shortened one is never taken for a whole one.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { asArray, asRecord, asString } from '../../../src/domain/json.ts'

export const ANSWER =
  'A gateway is judged on its worst day. When a provider slows down, refuses, lies about its limits or hangs up within a word, the caller should notice nothing but a short pause. Requests move to a healthy target, all waits stay bounded, costs are booked once, and as soon as the first choice recovers, it gets its work back.'

/** What goes wrong with a model; `ok` and `no-prefill` answer. */
export const WALL_MODELS = [
  'ok',
  /** Answers, but refuses a conversation that ends with an assistant's turn. */
  'no-prefill',
  'limited-once',
  'limited',
  'error-once',
  'overloaded',
  'reset-once',
  'silent',
  'late',
  'cut',
  'stalled',
  'garbled',
  'no-done',
  'too-long',
  'filtered',
  'outage',
] as const
export type WallModel = (typeof WALL_MODELS)[number]

export interface WallCall {
  readonly model: string
  /** Milliseconds since the last `forget`. */
  readonly at: number
  status: number | null
}

export interface WallTimes {
  /** Milliseconds on the wall's clock. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
}

const KEY = `fake-wall-${'0'.repeat(12)}`
const WORDS = ANSWER.split(' ')
const WORD_MS = 15
const LATE_MS = 20_000
const STALL_MS = 30_000
export const OUTAGE_MS = 60_000
const CUT_AFTER = 40
const STALL_AFTER = 20
const GARBLED_AT = 10

interface Asked {
  readonly model: string
  readonly stream: boolean
  readonly wantsUsage: boolean
  /** The words that are still to come after a prefill. */
  readonly words: readonly string[]
  readonly inputTokens: number
}

interface Refused {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string | null
  readonly headers?: Readonly<Record<string, string>>
}

const SYSTEM: WallTimes = {
  now: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

export class Wall {
  readonly calls: WallCall[] = []
  readonly key = KEY
  readonly #server: Server
  readonly #times: WallTimes
  #since: number
  #working = 0

  private constructor(times: WallTimes) {
    this.#times = times
    this.#since = times.now()
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => socket.on('error', () => {}))
  }

  static async start(times: WallTimes = SYSTEM): Promise<Wall> {
    const wall = new Wall(times)
    await new Promise<void>((resolve) => wall.#server.listen(0, '127.0.0.1', resolve))
    return wall
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1` // it listens on TCP
  }

  /** Whether it works on an answer without waiting for time to pass. */
  get isBusy(): boolean {
    return this.#working > 0
  }

  /** Everything begins anew: what fails once fails again, and the outage starts now. */
  forget(): void {
    this.calls.length = 0
    this.#since = this.#times.now()
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#working++
    response.on('error', () => {})
    try {
      if (request.headers.authorization !== `Bearer ${KEY}`)
        return refuse(response, { status: 401, message: 'Invalid key.', ...INVALID, code: 'invalid_api_key' })
      if (request.method === 'GET') return sendJson(response, 200, MODELS)
      await this.#chat(await textOf(request), response)
    } catch {
      // The caller is gone.
      response.destroy()
    } finally {
      this.#working--
    }
  }

  async #chat(text: string, response: ServerResponse): Promise<void> {
    const asked = readAsked(text)
    if ('status' in asked) return refuse(response, asked)
    const call: WallCall = { model: asked.model, at: this.#times.now() - this.#since, status: null }
    this.calls.push(call)
    const attempt = this.calls.filter(({ model }) => model === asked.model).length
    const refused = refusalOf(asked.model, attempt, call.at)
    if (refused === 'reset') return void response.socket?.resetAndDestroy()
    // Accepted and never answered.
    if (refused === 'silence') return
    call.status = refused?.status ?? 200
    if (refused !== null) return refuse(response, refused)
    if (asked.stream) await this.#stream(asked, response)
    else await this.#plain(asked, response)
  }

  async #plain({ model, words, inputTokens }: Asked, response: ServerResponse): Promise<void> {
    if (model === 'late') await this.#rest(LATE_MS)
    const body = JSON.stringify(completion(model, words.join(' '), inputTokens, words.length))
    if (model === 'garbled') return send(response, 200, `${body.slice(0, body.length / 2)}"oops`)
    if (model !== 'cut' && model !== 'stalled') return send(response, 200, body)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    response.write(model === 'cut' ? body.slice(0, body.length / 2) : ' ')
    if (model === 'stalled') await this.#rest(STALL_MS)
    response.socket?.end()
  }

  async #stream(asked: Asked, response: ServerResponse): Promise<void> {
    const { model, words, inputTokens } = asked
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    response.flushHeaders()
    const say = (value: unknown) => void response.write(`data: ${JSON.stringify(value)}\n\n`)
    if (model === 'late') await this.#rest(LATE_MS)
    say(chunk(model, { role: 'assistant', content: '' }))
    for (const [place, word] of words.entries()) {
      if (response.destroyed) return
      if (model === 'cut' && place === CUT_AFTER) return void response.socket?.end()
      if (model === 'stalled' && place === STALL_AFTER) {
        await this.#rest(STALL_MS)
        return void response.socket?.end()
      }
      if (model === 'garbled' && place === GARBLED_AT)
        response.write('data: {"id":"wall","object":"chat.completion.chunk","choices":[{"delta":{"content":\n\n')
      say(chunk(model, { content: place === 0 && words.length === WORDS.length ? word : ` ${word}` }))
      await this.#rest(WORD_MS)
    }
    say(chunk(model, {}, 'stop'))
    if (asked.wantsUsage) say({ ...chunk(model, {}), choices: [], usage: usageOf(inputTokens, words.length) })
    if (model !== 'no-done') response.write('data: [DONE]\n\n')
    response.end()
  }

  async #rest(ms: number): Promise<void> {
    this.#working--
    try {
      await this.#times.sleep(ms)
    } finally {
      this.#working++
    }
  }
}

const INVALID = { type: 'invalid_request_error', code: null } as const
const MODELS = {
  object: 'list',
  data: WALL_MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'wall' })),
}

/** What is said instead of an answer; null where the answer is only spoiled, or whole. */
function refusalOf(model: string, attempt: number, at: number): Refused | 'reset' | 'silence' | null {
  const limited = { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' }
  const busy = { status: 503, message: 'No capacity left at the moment.', type: 'server_error', code: 'overloaded' }
  if (model === 'limited-once' && attempt === 1)
    return { ...limited, message: `Rate limit reached for ${model}.`, headers: { 'retry-after': '2' } }
  if (model === 'limited') return { ...limited, message: `Rate limit reached for ${model}.` }
  if (model === 'error-once' && attempt === 1)
    return { status: 500, message: 'Something broke on our side.', type: 'server_error', code: null }
  if (model === 'overloaded' || (model === 'outage' && at < OUTAGE_MS)) return busy
  if (model === 'reset-once' && attempt === 1) return 'reset'
  if (model === 'silent') return 'silence'
  if (model === 'too-long') return { status: 400, message: TOO_LONG, ...INVALID, code: 'context_length_exceeded' }
  if (model === 'filtered')
    return { status: 400, message: 'Refused by our safety rules.', ...INVALID, code: 'content_policy_violation' }
  return null
}

const TOO_LONG =
  "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please shorten them."

/** Reads a body as strictly as the services do; a refusal for one that they would refuse. */
function readAsked(text: string): Asked | Refused {
  const bad = (message: string): Refused => ({ status: 400, message, ...INVALID })
  const body = asRecord(parsed(text))
  const messages = asArray(body?.['messages'])?.map((one) => asRecord(one))
  if (body === undefined || messages === undefined || messages.length === 0) return bad('messages: expected a list')
  if (messages.some((one) => asString(one?.['role']) === undefined)) return bad('messages: every one needs a role')
  const model = asString(body['model']) ?? ''
  if (!WALL_MODELS.some((one) => one === model))
    return { status: 404, message: `The model \`${model}\` does not exist`, ...INVALID, code: 'model_not_found' }
  const last = messages.at(-1)
  const said = last?.['role'] === 'assistant' ? (asString(last['content'])?.trim() ?? '') : ''
  if (model === 'no-prefill' && last?.['role'] === 'assistant')
    return bad('This model cannot continue an assistant message; the conversation has to end with a user message.')
  return {
    model,
    stream: body['stream'] === true,
    wantsUsage: asRecord(body['stream_options'])?.['include_usage'] === true,
    words: said !== '' && ANSWER.startsWith(said) ? ANSWER.slice(said.length).trim().split(' ') : WORDS,
    inputTokens: messages.reduce((sum, one) => sum + 4 + String(one?.['content'] ?? '').split(' ').length, 0),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer) // no encoding is set, so chunks are buffers
  return Buffer.concat(parts).toString('utf8')
}

function refuse(response: ServerResponse, { status, headers, ...error }: Refused): void {
  sendJson(response, status, { error: { param: null, ...error } }, headers)
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Refused['headers'] = {}): void {
  send(response, status, JSON.stringify(body), headers)
}

function send(response: ServerResponse, status: number, body: string, headers: Refused['headers'] = {}): void {
  const length = Buffer.byteLength(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length, ...headers })
  response.end(body)
}

const usageOf = (input: number, output: number) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
})

const completion = (model: string, content: string, input: number, output: number) => ({
  id: 'wall',
  object: 'chat.completion',
  created: 0,
  model,
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: usageOf(input, output),
})

const chunk = (model: string, delta: object, finish: string | null = null) => ({
  id: 'wall',
  object: 'chat.completion.chunk',
  created: 0,
  model,
  choices: [{ index: 0, delta, finish_reason: finish }],
})
