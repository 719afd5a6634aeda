/**
 * Simulated providers: one real HTTP server that speaks every dialect under `/<provider>/…`, with keys, models, limits
 * that count and reset, and scripted faults. For tests, `keywise fake` and `keywise demo`.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Dialect } from '../dialects/dialect.ts'
import { dialectOf } from '../dialects/dialects.ts'
import type { ChatRequest, DialectId } from '../domain/chat.ts'
import { InvalidRequestError } from '../domain/errors.ts'
import { findProvider } from '../providers/catalog.ts'
import { refusal } from './fakeErrors.ts'
import { type Caller, FakeLimits, type LimitState } from './fakeLimits.ts'
import { limitHeaders, loadedListBody, modelsListBody } from './fakeLists.ts'
import { fakeReply, tokensOf } from './fakeReply.ts'
import { sendAnswer, sendStream, spoil } from './fakeWire.ts'
import {
  type FakeFault,
  type FakeModel,
  type FakeProvider,
  type ReadScenario,
  type Scenario,
  scenarioSchema,
} from './scenario.ts'

export interface FakeOptions {
  /** 0 (default) takes a free port. */
  readonly port?: number
  /** Epoch milliseconds; limits reset by it. Default: the system's clock. */
  readonly now?: () => number
  /** Waits of slow models; a fast clock passes a shorter one. */
  readonly sleep?: (ms: number) => Promise<void>
}

/** One call as the simulated provider saw it. */
export interface FakeCall {
  readonly provider: string
  readonly model: string
  /** 1-based place of the key in the scenario; 0 when it is not there. */
  readonly key: number
  readonly path: string
  readonly at: number
  readonly status: number
  readonly fault: FakeFault['do'] | null
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export interface FakeWorld {
  readonly origin: string
  /** What to write as `endpoint` of a provider. */
  endpoint(provider: string): string
  /** A configuration with every provider, key and endpoint of the scenario; models are read from the lists. */
  config(): Record<string, unknown>
  /** Every inference call since the start or the last `forget`, oldest first. */
  readonly calls: readonly FakeCall[]
  forget(): void
  /** Adds a fault; it counts its calls from now on. */
  fault(provider: string, fault: FakeFault): void
  clearFaults(provider?: string): void
  revoke(provider: string, key: number): void
  restore(provider: string, key: number): void
  /** Adds or replaces a model. */
  setModel(provider: string, model: string, facts: FakeModel): void
  /** Sockets that are open now, for tests of cancellation. */
  openSockets(): number
  /** Requests that are being answered now. */
  inFlight(): number
  close(): Promise<void>
}

interface Seen {
  readonly fault: FakeFault
  calls: number
}

interface Place {
  readonly id: string
  readonly facts: FakeProvider
  readonly dialect: DialectId
  readonly limits: FakeLimits
  readonly keys: string[]
  readonly faults: Seen[]
}

/** Starts the world. The keys are those of the scenario; without any, every key is good. */
export async function startFakeProviders(scenario: Scenario, options: FakeOptions = {}): Promise<FakeWorld> {
  const world = new World(scenarioSchema.parse(scenario), options)
  await world.listen(options.port ?? 0)
  return world
}

const systemSleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

class World implements FakeWorld {
  readonly calls: FakeCall[] = []
  readonly #places = new Map<string, Place>()
  readonly #server: Server
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  readonly #startedAt: number
  readonly #sockets = new Set<object>()
  #inFlight = 0
  #random: () => number

  constructor(scenario: ReadScenario, options: FakeOptions) {
    this.#now = options.now ?? Date.now
    this.#sleep = options.sleep ?? systemSleep
    this.#startedAt = this.#now()
    this.#random = generator(scenario.seed ?? 1)
    for (const [id, facts] of Object.entries(scenario.providers)) {
      this.#places.set(id, {
        id,
        facts: structuredClone(facts),
        dialect: facts.dialect ?? findProvider(id)?.dialect ?? 'openai',
        limits: new FakeLimits(facts.limits ?? []),
        keys: Object.keys(facts.keys ?? {}),
        faults: (facts.faults ?? []).map((fault) => ({ fault, calls: 0 })),
      })
    }
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
    })
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // listening on TCP
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, '127.0.0.1', resolve)
    })
  }

  endpoint(provider: string): string {
    const base = findProvider(provider)?.baseUrl
    return `${this.origin}/${provider}${base ? new URL(base).pathname.replace(/\/$/, '') : '/v1'}`
  }

  config(): Record<string, unknown> {
    const providers = [...this.#places.values()].map((place) => {
      const keys = Object.entries(place.facts.keys ?? { [`fake-${place.id}-key-0000`]: {} })
      return [
        place.id,
        {
          endpoint: this.endpoint(place.id),
          ...(findProvider(place.id) === undefined && { dialect: place.dialect }),
          api_keys: keys.map(([key, facts]) => (facts.account === undefined ? key : { key, account: facts.account })),
          models: 'discover',
        },
      ]
    })
    return Object.fromEntries(providers)
  }

  forget(): void {
    this.calls.length = 0
  }

  fault(provider: string, fault: FakeFault): void {
    this.#place(provider).faults.push({ fault, calls: 0 })
  }

  clearFaults(provider?: string): void {
    for (const place of this.#places.values())
      if (provider === undefined || place.id === provider) place.faults.length = 0
  }

  revoke(provider: string, key: number): void {
    this.#setRevoked(provider, key, true)
  }

  restore(provider: string, key: number): void {
    this.#setRevoked(provider, key, false)
  }

  setModel(provider: string, model: string, facts: FakeModel): void {
    this.#place(provider).facts.models[model] = facts
  }

  openSockets(): number {
    return this.#sockets.size
  }

  inFlight(): number {
    return this.#inFlight
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #setRevoked(provider: string, key: number, revoked: boolean): void {
    const place = this.#place(provider)
    const text = place.keys[key - 1]
    const facts = text === undefined ? undefined : place.facts.keys?.[text]
    if (facts === undefined) throw new Error(`the scenario's ${provider} has no key ${key}`)
    facts.revoked = revoked
  }

  #place(provider: string): Place {
    const place = this.#places.get(provider)
    if (place === undefined) throw new Error(`the scenario has no provider "${provider}"`)
    return place
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight++
    response.on('close', () => this.#inFlight--)
    response.on('error', () => {})
    try {
      const url = new URL(request.url ?? '/', 'http://fake.invalid')
      const [, provider = '', ...rest] = url.pathname.split('/')
      const place = this.#places.get(provider)
      if (place === undefined)
        return sendAnswer(response, 404, { error: { message: `no simulated provider "${provider}"` } })
      const path = `/${rest.join('/')}`
      if (request.method === 'GET') return void this.#serveFacts(place, path, request, response)
      await this.#serveCall(place, path, url, request, response)
    } catch (error) {
      if (!response.headersSent)
        sendAnswer(response, 500, { error: { message: error instanceof Error ? error.message : 'failed' } })
      else response.destroy()
    }
  }

  /** Models lists and key checks. */
  #serveFacts(place: Place, path: string, request: IncomingMessage, response: ServerResponse): unknown {
    const open = findProvider(place.id)?.modelsList?.public === true && /\/models$/.test(path)
    if (!open && !this.#isGood(place, keyOf(request))) return this.#refuse(place, response, 'auth_invalid', '')
    if (/\/models(?:\/search)?$|\/api\/tags$/.test(path))
      return sendAnswer(response, 200, modelsListBody(place.id, place.dialect, place.facts.models))
    if (/\/api\/ps$/.test(path)) return sendAnswer(response, 200, loadedListBody(place.facts.models))
    if (/\/key$/.test(path))
      return sendAnswer(response, 200, {
        data: { label: 'fake', limit: null, limit_remaining: null, usage: 0, is_free_tier: true },
      })
    if (/\/user\/balance$/.test(path))
      return sendAnswer(response, 200, {
        is_available: true,
        balance_infos: [{ currency: 'USD', total_balance: '10.00' }],
      })
    sendAnswer(response, 404, { error: { message: `unknown path ${path}` } })
  }

  async #serveCall(
    place: Place,
    path: string,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await readJson(request)
    const key = keyOf(request)
    const asked = askedFor(place, path, body)
    const model = asked.model
    const fault = this.#nextFault(place, model, place.keys.indexOf(key) + 1)
    const log = (status: number) => {
      this.calls.push({
        provider: place.id,
        model,
        key: place.keys.indexOf(key) + 1,
        path: url.pathname + url.search,
        at: this.#now(),
        status,
        fault: fault?.do ?? null,
        headers: request.headers,
        body,
      })
    }
    const caller: Caller = { key, account: place.facts.keys?.[key]?.account ?? key, model }

    const wrong = this.#whatIsWrong(place, key, model, asked, fault)
    if (wrong !== null) return void log(this.#refuse(place, response, wrong, model, fault, caller))
    const met = place.limits.admit(caller, tokensOf(JSON.stringify(body)), this.#now())
    if (met !== null) return void log(this.#refuseLimit(place, response, met, model, caller))
    log(200)
    if (fault?.do === 'slow') await this.#sleep(fault.ms ?? 20_000)
    if (fault !== null && (await spoil(response, fault, this.#sleep))) return
    await this.#answer(place, caller, asked, fault, response)
  }

  async #answer(
    place: Place,
    caller: Caller,
    asked: Asked,
    fault: FakeFault | null,
    response: ServerResponse,
  ): Promise<void> {
    const facts = place.facts.models[asked.model] ?? {}
    if (facts.latency_ms) await this.#sleep(facts.latency_ms)
    if (asked.embeddings) return sendAnswer(response, 200, embeddingsBody(asked))
    const reply = fakeReply(asked.request, asked.model, facts)
    place.limits.spend(caller, reply.usage?.totalTokens ?? 0, this.#now())
    const headers = limitHeaders(place.id, place.limits.states(caller, this.#now()), this.#now())
    if (!asked.request.stream)
      return sendAnswer(response, 200, asked.dialect.client.writeResponse(reply, asked.request), headers)
    await sendStream(response, asked.dialect, asked.request, reply, {
      headers,
      fault,
      tokensPerSecond: facts.tokens_per_second,
      sleep: this.#sleep,
    })
  }

  #whatIsWrong(
    place: Place,
    key: string,
    model: string,
    asked: Asked,
    fault: FakeFault | null,
  ): FakeFault['do'] | null {
    if (!this.#isGood(place, key)) return 'auth_invalid'
    const facts = place.facts.models[model]
    if (facts === undefined || facts.retired) return 'model_not_found'
    if (facts.kind === 'speech' || (facts.kind === 'embedding') !== asked.embeddings) return 'unsupported'
    if (lacks(facts, asked.request)) return 'unsupported'
    if (facts.context_tokens !== undefined && tokensOf(JSON.stringify(asked.request.messages)) > facts.context_tokens)
      return 'context_too_long'
    return fault !== null && refusal(place.dialect, fault.do, { model }) !== null ? fault.do : null
  }

  #isGood(place: Place, key: string): boolean {
    if (place.facts.keys === undefined) return key !== '' || findProvider(place.id)?.auth === 'none'
    const facts = place.facts.keys[key]
    return facts !== undefined && facts.revoked !== true
  }

  #refuse(
    place: Place,
    response: ServerResponse,
    what: FakeFault['do'],
    model: string,
    fault: FakeFault | null = null,
    caller?: Caller,
  ): number {
    const facts = place.facts.models[model]
    const answer = refusal(place.dialect, what, { model, retryAfter: fault?.retry_after, limit: facts?.context_tokens })
    const status = fault?.status ?? answer?.status ?? 500
    const limits =
      caller === undefined ? {} : limitHeaders(place.id, place.limits.states(caller, this.#now()), this.#now())
    sendAnswer(response, status, answer?.body ?? {}, { ...limits, ...answer?.headers })
    return status
  }

  #refuseLimit(place: Place, response: ServerResponse, met: LimitState, model: string, caller: Caller): number {
    const what = met.limit.window === 'day' ? 'quota_day' : 'rate_minute'
    const wait = Math.max(0, (met.resetsAt - this.#now()) / 1000)
    const answer = refusal(place.dialect, what, {
      model,
      limit: met.limit.limit,
      ...(met.limit.stated && { retryAfter: Math.ceil(wait) }),
    })
    sendAnswer(response, answer?.status ?? 429, answer?.body ?? {}, {
      ...limitHeaders(place.id, place.limits.states(caller, this.#now()), this.#now()),
      ...answer?.headers,
    })
    return answer?.status ?? 429
  }

  #nextFault(place: Place, model: string, key: number): FakeFault | null {
    let chosen: FakeFault | null = null
    for (const seen of place.faults) {
      const { fault } = seen
      if ((fault.model !== undefined && fault.model !== model) || (fault.key !== undefined && fault.key !== key))
        continue
      seen.calls++
      const age = this.#now() - this.#startedAt
      const due = seen.calls >= (fault.from ?? 1) && seen.calls <= (fault.to ?? Number.POSITIVE_INFINITY)
      const inTime = age >= (fault.after_ms ?? 0) && age < (fault.until_ms ?? Number.POSITIVE_INFINITY)
      if (due && inTime && (fault.chance === undefined || this.#random() < fault.chance)) chosen ??= fault
    }
    return chosen
  }
}

export interface Asked {
  readonly model: string
  readonly embeddings: boolean
  readonly dialect: Dialect
  readonly request: ChatRequest
  readonly body: unknown
}

/** Finds the dialect by the path: a provider may serve several (OpenRouter, DeepSeek). */
function askedFor(place: Place, path: string, body: unknown): Asked {
  const google = /\/models\/(.+):(generateContent|streamGenerateContent|countTokens)$/.exec(path)
  const id: DialectId = google
    ? 'google'
    : path.endsWith('/messages')
      ? 'anthropic'
      : path.endsWith('/responses')
        ? 'openai-responses'
        : 'openai'
  const dialect = dialectOf(id)
  const batch = /\/models\/(.+):(?:batchEmbedContents|embedContent)$/.exec(path)
  if (batch !== null) {
    const model = decodeURIComponent(batch[1] ?? '')
    return {
      model,
      embeddings: true,
      dialect: dialectOf('google'),
      request: { model, messages: [], stream: false },
      body,
    }
  }
  if (path.endsWith('/embeddings')) {
    const model = String((body as { model?: unknown })?.model ?? '') // our own client wrote it; anything else is "not found"
    return { model, embeddings: true, dialect, request: { model, messages: [], stream: false }, body }
  }
  if (!/\/(?:chat\/completions|messages|responses)$/.test(path) && google === null)
    throw new InvalidRequestError(`${place.id} has no ${path}`)
  const stream = google?.[2] === 'streamGenerateContent'
  const request = dialect.client.readRequest(
    body,
    google ? { model: decodeURIComponent(google[1] ?? ''), stream } : undefined,
  )
  return { model: request.model, embeddings: false, dialect, request, body }
}

function lacks(facts: FakeModel, request: ChatRequest): boolean {
  const missing = facts.lacks ?? []
  if (missing.includes('tools') && (request.tools?.length ?? 0) > 0) return true
  if (missing.includes('json') && (request.responseFormat?.type ?? 'text') !== 'text') return true
  if (missing.includes('streaming') && request.stream) return true
  return (
    missing.includes('images') &&
    request.messages.some((message) => message.content.some((part) => part.type === 'image'))
  )
}

function embeddingsBody(asked: Asked): unknown {
  if (asked.dialect.id === 'google') return googleEmbeddings(asked.body)
  const input = (asked.body as { input?: unknown }).input // read from JSON, an array or one text
  const texts = Array.isArray(input) ? input : [input]
  const data = texts.map((text, index) => ({
    object: 'embedding',
    index,
    embedding: [0.1, 0.2, String(text).length / 1000],
  }))
  const tokens = texts.reduce<number>((sum, text) => sum + tokensOf(String(text)), 0)
  return { object: 'list', data, model: asked.model, usage: { prompt_tokens: tokens, total_tokens: tokens } }
}

/** https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
function googleEmbeddings(body: unknown): unknown {
  const requests = (body as { requests?: readonly unknown[] })?.requests // our own client wrote it
  return {
    embeddings: (requests ?? []).map((request) => ({ values: [0.1, 0.2, JSON.stringify(request).length / 1000] })),
  }
}

function keyOf(request: IncomingMessage): string {
  const bearer = /^Bearer\s+(.*)$/i.exec(String(request.headers.authorization ?? ''))?.[1]
  return (
    bearer ??
    String(request.headers['x-api-key'] ?? request.headers['x-goog-api-key'] ?? request.headers['api-key'] ?? '')
  )
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const chunk of request) parts.push(chunk as Buffer) // no encoding is set, so chunks are buffers
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    throw new InvalidRequestError('the body is no JSON')
  }
}

/** A small seeded generator (mulberry32): faults by chance fall the same way in every run. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
