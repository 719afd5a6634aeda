/**
 * Simulated providers: one real HTTP server that speaks every dialect under `/<provider>/…`, with keys, models, limits
 * that count and reset, and scripted faults. For tests, `keywise fake` and `keywise demo`.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Usage } from '../../domain/chat.ts'
import { InvalidRequestError } from '../../domain/errors.ts'
import { asRecord, asString } from '../../domain/json.ts'
import { Dice } from '../../domain/random.ts'
import { findProvider } from '../../providers/catalog.ts'
import type { StrictRequest } from '../strict/rule.ts'
import { answerId } from './answerIds.ts'
import { withoutUnfoundTools } from './deferredTools.ts'
import { FakeProvider } from './fakeProvider.ts'
import { loadedListBody, modelsListBody } from './modelLists.ts'
import { ODD_ANSWERS, type OddAnswer, oddAnswer } from './oddAnswers.ts'
import type { FakeRefusal } from './refusal.ts'
import { fakeReply, tokensOf } from './reply.ts'
import { type FakeRequest, keyOf, placeOf, readAsked, readCallBody } from './request.ts'
import { type FakeFault, type FakeModel, type FakeScenario, readFault, readModel, scenarioSchema } from './scenario.ts'
import { isStoredPath, StoredResponses } from './storedResponses.ts'
import { Threads } from './threads.ts'
import { isUnitPath, readUnits, sendUnits } from './units.ts'
import { embeddingsBody } from './vectors.ts'
import { sendAnswer, sendEvents, sendStream, spoil } from './wire.ts'

export interface FakeOptions {
  /** 0 (default) takes a free port. */
  readonly port?: number
  /** Epoch milliseconds; limits reset by it. Default: the system's clock. */
  readonly now?: () => number
  /** Waits of slow models; a fast clock passes a shorter one. */
  readonly sleep?: (ms: number) => Promise<void>
  /**
   * Answers a call in the provider's place and returns true, or leaves it to the provider. For worlds that decide each
   * call's fate themselves; asked before keys, limits and faults are looked at.
   */
  readonly instead?: (call: InterceptedCall, response: ServerResponse) => boolean
}

/** A call that `instead` may answer. */
export interface InterceptedCall {
  readonly provider: string
  readonly model: string
  readonly stream: boolean
  /** 1-based place of the key in the scenario; 0 when it is not there. */
  readonly key: number
  readonly body: unknown
}

/** One call as the simulated provider saw it. */
interface FakeCall {
  readonly provider: string
  readonly model: string
  /** 1-based place of the key in the scenario; 0 when it is not there. */
  readonly key: number
  readonly path: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly status: number
  readonly fault: FakeFault['do'] | null
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
  /** The body of the refusal; absent for a call that was answered. */
  readonly refusal?: unknown
  /** What the answer said it cost; null for a refusal, and for what has no such words. */
  readonly usage: Usage | null
  /** The caller went away before the answer was whole. */
  readonly left: boolean
}

/** A call whose end is still to come. */
type SeenCall = { -readonly [Name in keyof FakeCall]: FakeCall[Name] }

export interface FakeWorld {
  readonly origin: string
  /** What to write as `endpoint` of a provider. */
  endpoint(provider: string): string
  /**
   * A configuration with every provider, key and endpoint of the scenario. Models of known providers are read from
   * the lists; those of others are named, because their price is unknown.
   */
  config(): Record<string, Record<string, unknown>>
  /** Every inference call since the start or the last `forget`, oldest first. */
  readonly calls: readonly FakeCall[]
  forget(): void
  /** Adds a fault; it counts its calls from now on. */
  fault(provider: string, fault: FakeFault): void
  clearFaults(provider?: string): void
  /** Refuses every call for which `refuse` has an answer, before anything else is looked at. */
  refuseIf(refuse: (provider: string, body: unknown) => FakeRefusal | null): void
  /** From now on the key is refused everywhere. */
  revoke(provider: string, key: number): void
  restore(provider: string, key: number): void
  /** From now on the account of the key has this left, as after a payment. */
  setCredit(provider: string, key: number, credit: number): void
  /** Adds or replaces a model. */
  setModel(provider: string, model: string, facts: FakeModel): void
  /** Forgets every conversation that was held between turns. */
  loseThreads(): void
  /** From now on the model is gone, from the list as well. */
  retire(provider: string, model: string): void
  /** Ends every open connection, as a network that goes away does. */
  dropConnections(): void
  /** Sockets that are open now, for tests of cancellation. */
  openSockets(): number
  /** Requests that are being answered now. */
  inFlight(): number
  close(): Promise<void>
}

/**
 * Starts the world. The keys are those of the scenario; without any, every key is good. Throws a ZodError for a
 * scenario that is none.
 */
export async function startFakeProviders(scenario: FakeScenario, options: FakeOptions = {}): Promise<FakeWorld> {
  const world = new OpenFakes(scenarioSchema.parse(scenario), options)
  await world.listen(options.port ?? 0)
  return world
}

/** A wait that keeps no process alive: the server does that as long as it is open. */
const systemSleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())

class OpenFakes implements FakeWorld {
  readonly calls: SeenCall[] = []
  readonly #providers = new Map<string, FakeProvider>()
  readonly #server: Server
  readonly #now: () => number
  readonly #sleep: (ms: number) => Promise<void>
  readonly #startedAt: number
  readonly #sockets = new Set<object>()
  readonly #dice: Dice
  readonly #instead: FakeOptions['instead']
  #refuse: (provider: string, body: unknown) => FakeRefusal | null = () => null
  readonly #stored = new StoredResponses()
  readonly #threads = new Threads()
  #inFlight = 0

  constructor(scenario: ReturnType<typeof scenarioSchema.parse>, options: FakeOptions) {
    this.#now = options.now ?? Date.now
    this.#sleep = options.sleep ?? systemSleep
    this.#instead = options.instead
    this.#startedAt = this.#now()
    this.#dice = new Dice(scenario.seed ?? 1)
    for (const [id, facts] of Object.entries(scenario.providers)) this.#providers.set(id, new FakeProvider(id, facts))
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
    return `${this.origin}/${provider}${basePath(provider)}`
  }

  config(): Record<string, Record<string, unknown>> {
    return Object.fromEntries([...this.#providers.values()].map((provider) => [provider.id, this.#block(provider)]))
  }

  forget(): void {
    this.calls.length = 0
  }

  fault(provider: string, fault: FakeFault): void {
    this.#provider(provider).addFault(readFault(fault))
  }

  clearFaults(provider?: string): void {
    for (const one of this.#providers.values()) if (provider === undefined || one.id === provider) one.clearFaults()
  }

  refuseIf(refuse: (provider: string, body: unknown) => FakeRefusal | null): void {
    this.#refuse = refuse
  }

  revoke(provider: string, key: number): void {
    this.#provider(provider).setRevoked(key, true)
  }

  restore(provider: string, key: number): void {
    this.#provider(provider).setRevoked(key, false)
  }

  setCredit(provider: string, key: number, credit: number): void {
    this.#provider(provider).setCredit(key, credit)
  }

  setModel(provider: string, model: string, facts: FakeModel): void {
    this.#provider(provider).models.set(model, readModel(facts))
  }

  retire(provider: string, model: string): void {
    this.setModel(provider, model, { retired: true, unlisted: true })
  }

  loseThreads(): void {
    this.#threads.forget()
  }

  dropConnections(): void {
    this.#server.closeAllConnections()
  }

  openSockets(): number {
    return this.#sockets.size
  }

  inFlight(): number {
    return this.#inFlight
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #block(provider: FakeProvider): Record<string, unknown> {
    const known = findProvider(provider.id)
    const keys = provider.keys.length > 0 ? provider.keys : [`fake-${provider.id}-key-0000`]
    return {
      endpoint: this.endpoint(provider.id),
      ...(provider.dialect !== known?.dialect && { dialect: provider.dialect }),
      api_keys: keys.map((key, index) => {
        const account = provider.accountOf(index + 1)
        return account === undefined ? key : { key, account }
      }),
      models: known === undefined ? chatModels(provider.models) : 'discover',
    }
  }

  #provider(id: string): FakeProvider {
    const provider = this.#providers.get(id)
    if (provider === undefined) throw new TypeError(`the scenario has no provider "${id}"`)
    return provider
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight++
    response.on('close', () => this.#inFlight--)
    response.on('error', () => {})
    try {
      const url = new URL(request.url ?? '/', 'http://fake.invalid')
      const [, id = '', ...rest] = url.pathname.split('/')
      const provider = this.#providers.get(id)
      if (provider === undefined)
        return sendAnswer(response, 404, { error: { message: `no simulated provider "${id}"` } })
      const path = `/${rest.join('/')}`
      if (isStoredPath(path)) this.#stored.serve(provider, path, request, response)
      else if (request.method === 'GET' || isKeyCheck(id, path)) this.#serveFacts(provider, path, request, response)
      else await this.#serveCall(provider, path, request, response)
    } catch (error) {
      this.#serveError(error, response)
    }
  }

  #serveError(error: unknown, response: ServerResponse): void {
    if (response.headersSent) return void response.destroy()
    const message = error instanceof Error ? error.message : String(error)
    const status = error instanceof InvalidRequestError ? error.status : 500
    const type = status < 500 ? 'invalid_request_error' : 'server_error'
    const [param, code] = error instanceof InvalidRequestError ? [error.parameter, error.vendorCode] : [null, null]
    sendAnswer(response, status, { error: { message, type, param, code } })
  }

  /** Models lists and key checks. */
  #serveFacts(provider: FakeProvider, path: string, request: IncomingMessage, response: ServerResponse): void {
    const isList = /\/models(?:\/search)?$|\/api\/tags$/.test(path)
    const isOpen = isList && findProvider(provider.id)?.modelsList?.public === true
    if (!isOpen && !provider.isGood(keyOf(request))) {
      const { status, body } = provider.refuseKey()
      return sendAnswer(response, status, body)
    }
    const facts = provider.accountFacts(keyOf(request), path)
    if (isList) sendAnswer(response, 200, modelsListBody(provider.id, provider.dialect, provider.models))
    else if (/\/api\/ps$/.test(path)) sendAnswer(response, 200, loadedListBody(provider.models))
    else if (facts !== null) sendAnswer(response, facts.status, facts.body)
    else if (isKeyCheck(provider.id, path)) sendAnswer(response, 200, KEY_FACTS)
    else sendAnswer(response, 404, { error: { message: `unknown path ${path}` } })
  }

  async #serveCall(
    provider: FakeProvider,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const said = await readCallBody(request)
    const resumed = this.#threads.resume(provider, path, request, said)
    const body = resumed.refusal === null ? resumed.body : said
    const asked = readStrict(provider, path, body, request)
    if (isRefusal(asked)) return this.#refuseUnread(provider, request, body, asked, response)
    if (asked === null) return sendAnswer(response, 404, { error: { message: `${provider.id} has no ${path}` } })
    const key = keyOf(request)
    if (this.#isAnswered(provider, key, asked, body, response)) return
    const at = this.#now()
    const random = () => this.#dice.uniform()
    const fault = provider.nextFault(asked.model, key, { now: at, startedAt: this.#startedAt, random })
    const size = tokensOf(JSON.stringify(body))
    const refusal =
      this.#refuse(provider.id, body) ??
      provider.refuse(key, asked, fault, size, at) ??
      resumed.refusal ??
      this.#stored.refuse(provider, path, key, body) ??
      provider.refuseRequest(asked.dialect.id, strictRequest(provider.id, asked.model, path, body, request))
    const call: SeenCall = {
      provider: provider.id,
      model: asked.model,
      key: provider.indexOf(key),
      path: request.url ?? '',
      at,
      status: refusal?.status ?? 200,
      fault: fault?.do ?? null,
      headers: request.headers,
      body: said,
      ...(refusal !== null && { refusal: refusal.body }),
      usage: null,
      left: false,
    }
    this.calls.push(call)
    response.on('close', () => {
      call.left = !response.writableFinished
    })
    if (refusal !== null) return sendAnswer(response, refusal.status, refusal.body, refusal.headers)
    if (fault !== null && (await spoil(response, fault, provider, this.#sleep))) return
    await this.#answer(provider, key, { ...asked, body }, fault, response, call)
  }

  /** A body that is refused before keywise's own reader has understood it. */
  #refuseUnread(
    provider: FakeProvider,
    request: IncomingMessage,
    body: unknown,
    refusal: FakeRefusal,
    response: ServerResponse,
  ): void {
    const path = request.url ?? ''
    this.calls.push({
      provider: provider.id,
      model: placeOf(new URL(path, 'http://fake.invalid').pathname, body)?.model ?? '',
      key: provider.indexOf(keyOf(request)),
      path,
      at: this.#now(),
      status: refusal.status,
      fault: null,
      headers: request.headers,
      body,
      refusal: refusal.body,
      usage: null,
      left: false,
    })
    sendAnswer(response, refusal.status, refusal.body)
  }

  #isAnswered(
    provider: FakeProvider,
    key: string,
    { model, request }: FakeRequest,
    body: unknown,
    response: ServerResponse,
  ): boolean {
    const call = { provider: provider.id, model, stream: request.stream, key: provider.indexOf(key), body }
    return this.#instead?.(call, response) === true
  }

  async #answer(
    provider: FakeProvider,
    key: string,
    { model, dialect, request, texts, units, body }: FakeRequest & { readonly body: unknown },
    fault: FakeFault | null,
    response: ServerResponse,
    call: SeenCall,
  ): Promise<void> {
    const facts = provider.models.get(model) ?? {}
    const lateMs = (facts.latency_ms ?? 0) + (fault?.do === 'slow' ? (fault.ms ?? 20_000) : 0)
    if (lateMs > 0) await this.#sleep(lateMs)
    if (units !== undefined) return sendUnits(response, units, fault)
    if (texts !== null)
      return sendAnswer(
        response,
        200,
        embeddingsBody(dialect.id, model, fault?.do === 'says_nothing' ? [] : texts, body),
      )
    if (isOdd(fault)) {
      const tool = request.tools?.[0]?.name ?? 'lookup'
      const odd = oddAnswer(dialect.id, fault.do, { model, reason: fault.reason, tool })
      const headers = provider.headers(key, model, this.#now())
      return request.stream ? sendEvents(response, odd.events, headers) : sendAnswer(response, 200, odd.body, headers)
    }
    const seen = withoutUnfoundTools(request, dialect.id, body)
    const reply = { ...fakeReply(seen, model, facts, dialect.id), id: answerId(dialect.id) }
    if (dialect.id === 'openai-responses') this.#stored.keep(provider, key, reply, request, body)
    if (dialect.id === 'anthropic') this.#threads.keep(provider, key, reply, request, body)
    call.usage = reply.usage ?? null
    const now = this.#now()
    provider.spend(key, model, reply.usage, now)
    const headers = provider.headers(key, model, now)
    if (!request.stream)
      return sendAnswer(response, 200, dialect.client.writeResponse(reply, request, { now }), headers)
    await sendStream(response, dialect, request, reply, {
      headers,
      fault,
      provider,
      now,
      tokensPerSecond: facts.tokens_per_second,
      sleep: this.#sleep,
    })
  }
}

/** What is asked, or the service's own words for what keywise's reader would refuse in its words. */
function readStrict(
  provider: FakeProvider,
  path: string,
  body: unknown,
  request: IncomingMessage,
): FakeRequest | FakeRefusal | null {
  try {
    const asked = readUnits(path, body, request.headers['content-type']) ?? readAsked(path, body)
    return asked ?? refuseUnserved(provider, path, body, request)
  } catch (error) {
    const place = isUnitPath(path) ? unitPlace(body) : placeOf(path, body)
    if (!(error instanceof InvalidRequestError) || place === null || !provider.isGood(keyOf(request))) throw error
    const said = provider.refuseRequest(place.dialect, strictRequest(provider.id, place.model, path, body, request))
    if (said === null) throw error
    return said
  }
}

/** What the service says at a path that it has and its double has not; null where nothing is known. */
function refuseUnserved(
  provider: FakeProvider,
  path: string,
  body: unknown,
  request: IncomingMessage,
): FakeRefusal | null {
  const { dialect, model } = unitPlace(body)
  if (!path.endsWith('/completions') || !provider.isGood(keyOf(request))) return null
  return provider.refuseRequest(dialect, strictRequest(provider.id, model, path, body, request))
}

const unitPlace = (body: unknown) => ({
  dialect: 'openai' as const,
  model: asString(asRecord(body)?.['model']) ?? '',
})

function strictRequest(
  provider: string,
  model: string,
  path: string,
  body: unknown,
  { headers }: IncomingMessage,
): Omit<StrictRequest, 'service'> {
  const base = basePath(provider)
  const below = path.startsWith(base) ? path.slice(base.length) : path
  return { model, path: below, body: asRecord(body) ?? {}, headers }
}

const isRefusal = (asked: FakeRequest | FakeRefusal | null): asked is FakeRefusal => asked !== null && 'status' in asked

/** The path of the provider's base URL; that of a provider of the user's own is `/v1`. */
function basePath(provider: string): string {
  const base = findProvider(provider)?.baseUrl
  return base ? new URL(base).pathname.replace(/\/$/, '') : '/v1'
}

const ODD: ReadonlySet<string> = new Set(ODD_ANSWERS)

function isOdd(fault: FakeFault | null): fault is FakeFault & { readonly do: OddAnswer } {
  return fault !== null && ODD.has(fault.do)
}

/** The prices of an unknown provider's models are unknown, so only named ones are used by `auto`. */
function chatModels(models: ReadonlyMap<string, FakeModel>): string[] {
  return [...models].flatMap(([id, facts]) => ((facts.kind ?? 'chat') === 'chat' ? [id] : []))
}

/** What a key endpoint says that tells of no account, in the fields of all that are known (Cohere, Cloudflare). */
const KEY_FACTS = { valid: true, success: true, result: { status: 'active' } }

function isKeyCheck(provider: string, path: string): boolean {
  const check = findProvider(provider)?.keyCheck
  return typeof check === 'object' && path.endsWith(check.path.slice(check.path.lastIndexOf('/')).replace(/\?.*/, ''))
}
