/** The whole server: admission, routes, and the drain at shutdown. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dialectOf } from '../dialects/dialects.ts'
import { Bag } from '../domain/bag.ts'
import type { DialectId } from '../domain/chat.ts'
import type { Logger } from '../domain/logger.ts'
import type { Engine } from '../engine/engine.ts'
import { Metrics } from '../observe/metrics.ts'
import { AccessLog } from './accessLog.ts'
import { checkHost, checkToken, type DoorOptions, type Refused } from './admit.ts'
import { EventLoopWatch } from './eventLoopWatch.ts'
import { dialectOfPath, foreignAnswer } from './foreignPaths.ts'
import type { GatewayParts, ObservedRequest, Route, RunningExchange } from './handler.ts'
import { INSTANCE_HEADER } from './instance.ts'
import { LANDING_PAGE } from './landing.ts'
import { gatewayName } from './loopGuard.ts'
import { adminRoute, adminScopes, isAdminPath } from './management/admin.ts'
import { eventLoopRemarks } from './management/eventLoopRemarks.ts'
import { eventLoopGauges, gaugesOf } from './management/gauges.ts'
import { readyRemarks } from './management/readyRemarks.ts'
import { METRICS_PATH, OPEN_PATHS } from './routeList.ts'
import { findRoute } from './routes.ts'
import { sendText } from './send.ts'
import { sendFailure } from './sendFailure.ts'
import { ANY_SCOPE, INFERENCE_ONLY, type Token } from './tokens.ts'

interface AppOptions extends DoorOptions {
  readonly engine: Engine
  readonly logger: Logger
  readonly host: string
  readonly port: number
  readonly maxBodyBytes: number
  /** Maximum milliseconds a client may leave a pending answer unread; default 300,000. */
  readonly clientStallMs?: number | undefined
  /** Called with the size in bytes of every long body, for memory tuning. */
  readonly onLongBody?: ((bytes: number) => void) | undefined
  /** Whether one line per request is written (never contents). */
  readonly accessLog: boolean
  /** The id of the configuration and state it serves, said by `/healthz`. */
  readonly instance?: string
  /** Null once the model lists have been read. */
  readonly ready: () => Promise<void> | null
}

export interface App {
  readonly server: Server
  /** `http://127.0.0.1:5397` */
  readonly origin: string
  readonly port: number
  /** Stops accepting, lets running answers finish for at most `drainMs` (default 30,000), then aborts them. */
  close(drainMs?: number): Promise<void>
}

/** node itself refuses larger headers, with 431. */
const MAX_HEADER_BYTES = 32_768
const DRAIN_MS = 30_000
/**
 * A client that reads a kilobyte a second is slow; one that reads nothing for this long ties up an upstream for
 * nothing.
 */
const CLIENT_STALL_MS = 300_000
/** Interval at which idle connections are closed while draining. */
const SWEEP_MS = 50
/** Error codes of node's HTTP parser: https://nodejs.org/api/http.html#event-clienterror */
const UNREADABLE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/** Starts listening. Rejects with node's error when the port is taken. */
export async function startApp(options: AppOptions): Promise<App> {
  const app = new Gateway(options)
  await app.listen()
  return app
}

class Gateway implements App {
  readonly server: Server
  readonly #options: AppOptions
  readonly #parts: GatewayParts
  readonly #metrics = new Metrics()
  readonly #access: AccessLog
  readonly #eventLoop: EventLoopWatch
  readonly #underWay = new Bag<RunningExchange>()
  /** Readers of live events, which would never end by themselves. */
  readonly #watchers = new Bag<ServerResponse>()
  #draining = false

  constructor(options: AppOptions) {
    this.#options = options
    this.#access = new AccessLog(
      options.accessLog ? options.logger : null,
      () => options.engine.registry.config.settings.log.calls,
    )
    const { engine, logger, maxBodyBytes, clientStallMs = CLIENT_STALL_MS, onLongBody = ignore, ready } = options
    this.#eventLoop = new EventLoopWatch({ store: engine.store, now: () => engine.now })
    const observe = (seen: ObservedRequest) => this.#observe(seen)
    this.#parts = {
      engine,
      logger,
      maxBodyBytes,
      name: gatewayName(),
      clientStallMs,
      onLongBody,
      ready,
      isShared: (token) => options.tokens.hasOthers(token),
      observe,
      underWay: this.#underWay,
      eventLoop: this.#eventLoop,
    }
    engine.events.on('attempt', (report) => this.#metrics.attempt(report))
    this.server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: 0,
        headersTimeout: 30_000,
        keepAliveTimeout: 65_000,
        noDelay: true,
      },
      (request, response) => this.#serve(request, response),
    )
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const status = UNREADABLE[error.code ?? ''] ?? '400 Bad Request'
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
    })
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port // listening on TCP
  }

  get origin(): string {
    const { host } = this.#options
    const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
    return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${this.port}`
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(this.#options.port, this.#options.host, resolve)
    })
  }

  async close(drainMs = DRAIN_MS): Promise<void> {
    this.#draining = true
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const response of [...this.#watchers]) response.end()
    this.server.closeIdleConnections()
    const timer = setTimeout(() => this.#breakOff(), drainMs)
    // Idle connections must not delay the shutdown.
    const sweep = setInterval(() => this.server.closeIdleConnections(), SWEEP_MS)
    await closed
    clearTimeout(timer)
    clearInterval(sweep)
    this.#access.close()
    this.#eventLoop.close()
  }

  /** Cancels what still runs when the drain ends; its clients receive their protocol's error event. */
  #breakOff(): void {
    for (const one of [...this.#underWay]) one.breakOff()
    setTimeout(() => this.server.closeAllConnections(), 250).unref()
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', ignore)
    const target = request.url ?? ''
    if (this.#draining) response.setHeader('connection', 'close')
    const refused = checkHost(request, this.#options)
    if (refused !== null) return this.#refuse(response, refused, dialectOfPath(pathOf(target), request.headers))
    if (this.#serveOpen(target, request, response)) return
    const route = findRoute(target, request.headers)
    if (route === undefined) return this.#serveManagement(target, request, response)
    const token = checkToken(request, this.#options.tokens, route.scopes ?? INFERENCE_ONLY, route.dialect === 'google')
    if ('status' in token) return this.#refuse(response, token, route.dialect)
    const answering = withMethod(route, request.method)
    if (answering === undefined) return this.#wrongMethod(response, pathOf(target), route)
    if (this.#draining) return this.#fail(response, 503, 'shutting_down', 'keywise is shutting down', route.dialect)
    this.#handle(answering, request, response, token)
  }

  /** An unexpected error fails only this request. */
  #handle(route: Route, request: IncomingMessage, response: ServerResponse, token: Token): void {
    Promise.resolve(route.handle(this.#parts, request, response, token, route.dialect)).catch((error: unknown) => {
      this.#options.logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
      this.#fail(response, 500, 'internal', 'keywise failed on this request; see its log', route.dialect)
    })
  }

  /** Routes that need no token: health checks, and the page that says where to log in. */
  #serveOpen(target: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    response.setHeader('server', 'keywise')
    const path = OPEN_PATHS.find((one) => one === target)
    if (path === undefined) return false
    this.#open[path](response)
    return true
  }

  readonly #open: { readonly [P in (typeof OPEN_PATHS)[number]]: (response: ServerResponse) => void } = {
    '/': (response) => sendText(response, 200, LANDING_PAGE, 'text/html; charset=utf-8'),
    '/healthz': (response) => this.#sayHealthy(response),
    '/readyz': (response) => this.#sayReady(response),
  }

  #sayHealthy(response: ServerResponse): void {
    const { instance } = this.#options
    if (instance !== undefined) response.setHeader(INSTANCE_HEADER, instance)
    sendText(response, 200, 'ok\n')
  }

  /** What does not work beside the answers is said; requests are answered without it. */
  #sayReady(response: ServerResponse): void {
    const said = [...eventLoopRemarks(this.#eventLoop.status()), ...readyRemarks(this.#options.engine)]
    const lines = said.map((line) => `${line}\n`)
    sendText(response, this.#isReady() ? 200 : 503, `${this.#isReady() ? 'yes' : 'no'}\n${lines.join('')}`)
  }

  #isReady(): boolean {
    return !this.#draining && this.#options.engine.registry.targets.length > 0
  }

  #serveManagement(target: string, request: IncomingMessage, response: ServerResponse): void {
    if (target === METRICS_PATH) {
      const token = checkToken(request, this.#options.tokens, ANY_SCOPE)
      if ('status' in token) return this.#refuse(response, token, 'openai')
      return sendText(
        response,
        200,
        this.#metrics.text([...gaugesOf(this.#options.engine), ...eventLoopGauges(this.#eventLoop.reading())]),
        'text/plain; version=0.0.4; charset=utf-8',
      )
    }
    if (isAdminPath(pathOf(target))) {
      const token = checkToken(request, this.#options.tokens, adminScopes(request.method, pathOf(target)))
      if ('status' in token) return this.#refuse(response, token, 'openai')
      if (isEvents(target)) this.#watch(response)
      return void adminRoute(this.#parts, target, request, response)
    }
    this.#serveForeign(pathOf(target), request, response)
  }

  /** Whatever the token is for: nobody needs another one to learn that there is nothing. */
  #serveForeign(path: string, request: IncomingMessage, response: ServerResponse): void {
    const dialect = dialectOfPath(path, request.headers)
    const token = checkToken(request, this.#options.tokens, ANY_SCOPE, dialect === 'google')
    if ('status' in token) return this.#refuse(response, token, dialect)
    const { message, writer } = foreignAnswer(path, request.headers)
    sendFailure(response, writer, { status: 404, code: 'not_found', message, attempts: [] })
  }

  #watch(response: ServerResponse): void {
    this.#watchers.add(response)
    response.on('close', () => this.#watchers.delete(response))
  }

  #refuse(response: ServerResponse, { status, message }: Refused, dialect: DialectId): void {
    this.#fail(
      response,
      status,
      status === 401 ? 'unauthorized' : status === 403 ? 'forbidden' : 'invalid_request',
      message,
      dialect,
    )
  }

  #wrongMethod(response: ServerResponse, path: string, route: Route): void {
    const allowed = methodsOf(route)
    response.setHeader('allow', allowed.join(', '))
    const message = `only ${allowed.join(' and ')} is answered at ${path.slice(0, 120)}`
    this.#fail(response, 405, 'method_not_allowed', message, route.dialect)
  }

  #fail(response: ServerResponse, status: number, code: string, message: string, dialect: DialectId): void {
    sendFailure(response, dialectOf(dialect), { status, code, message, attempts: [] })
  }

  #observe(seen: ObservedRequest): void {
    const upstreamMs = seen.report?.latencyMs ?? null
    this.#metrics.request(
      seen.dialect,
      seen.status,
      upstreamMs === null || seen.attempts.length > 1 ? null : seen.totalMs - upstreamMs,
    )
    this.#access.add(seen)
    this.#options.engine.summary.add(seen.attempts, seen.status < 400 && seen.report?.ok === true)
  }
}

/** 'close' reports, for one, what breaks while writing. */
const ignore = () => {}

const pathOf = (target: string) => target.split('?', 1)[0] ?? ''

/** Undefined when the path does not take the method. */
function withMethod(route: Route, method: string | undefined): Route | undefined {
  const asked = method === 'HEAD' ? 'GET' : method
  for (let one: Route | undefined = route; one !== undefined; one = one.other) if (one.method === asked) return one
  return undefined
}

const methodsOf = ({ method, other }: Route): string[] => [method, ...(other === undefined ? [] : methodsOf(other))]

const isEvents = (target: string) => /^\/api\/events(?:\?|$)/.test(target)
