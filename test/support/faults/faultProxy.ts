/**
 * A TCP proxy that does to connections what networks do: latency, narrow bandwidth, slicing, silence, resets and half
 * closes. Unlike a simulated provider it knows no protocol: it strikes at a byte, wherever that byte happens to be. The
 * toxics are those of toxiproxy (https://github.com/Shopify/toxiproxy#toxics).
 */

import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { Dice } from '../../../src/domain/random.ts'

/**
 * Where an end strikes: when the connection is opened, at the first byte of a request, after this many bytes of an
 * answer, or right before or after the first occurrence of a text in it.
 */
export type Place = 'connection' | 'request' | number | { readonly before: string } | { readonly after: string }

export type Toxic =
  /** Every piece of an answer comes this much later, and up to `jitterMs` more. */
  | { readonly do: 'latency'; readonly ms: number; readonly jitterMs?: number }
  | { readonly do: 'bandwidth'; readonly bytesPerSecond: number }
  /** An answer comes in pieces of `bytes` (or of 1 to `bytes`, by chance), each a turn of the event loop after the last. */
  | { readonly do: 'slicer'; readonly bytes: number; readonly varied?: boolean }
  /** The end of the upstream's side is told this much later. */
  | { readonly do: 'slow-close'; readonly ms: number }
  /** RST. */
  | { readonly do: 'reset'; readonly at: Place }
  /** FIN, and nothing more is read. */
  | { readonly do: 'close'; readonly at: Place }
  /** FIN, but the connection stays open for what the other side sends. */
  | { readonly do: 'half-close'; readonly at: Place }
  /** Nothing comes any more, and nothing is closed. */
  | { readonly do: 'silence'; readonly at: Place }

export type End = Extract<Toxic, { at: Place }>

/** What an end strikes; the other toxics concern everything. */
export interface Reach {
  /** How many times; default: always. */
  readonly times?: number
  /** Only exchanges whose request begins like this. Default: all. */
  readonly of?: string
}

export interface ProxyOptions {
  /** For jitter and for slices of a varied size. Default 1. */
  readonly seed?: number
  /** Default: a timer. */
  readonly sleep?: (ms: number) => Promise<void>
}

export interface FaultProxy {
  readonly port: number
  /** Where connections lead; may be set later than the first of them is opened. */
  lead(origin: string): void
  /** Adds a toxic for everything that is sent from now on. */
  add(toxic: Toxic, reach?: Reach): void
  /** Takes all toxics away; what has been struck stays struck. */
  heal(): void
  /** Connections so far. */
  readonly connections: number
  /** Connections that its clients hold open now. */
  readonly open: number
  /** Connections that were silenced, and are still open. */
  readonly silent: number
  /** How many times something was ended. */
  readonly struck: number
  /** Bytes that clients sent so far. */
  readonly sent: number
  /** Ends all idle connections without a word, as a server with a short keep-alive does. */
  dropIdle(): void
}

/** Starts it; it ends with the test. */
export async function startFaultProxy(options: ProxyOptions = {}): Promise<FaultProxy> {
  const proxy = new OpenProxy(options)
  await proxy.listen()
  onTestFinished(() => proxy.close())
  return proxy
}

interface Laid {
  readonly toxic: Toxic
  readonly of: string
  left: number
}

class OpenProxy implements FaultProxy {
  connections = 0
  struck = 0
  sent = 0
  readonly dice: Dice
  readonly sleep: (ms: number) => Promise<void>
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  #laid: Laid[] = []
  #origin: URL | null = null

  constructor({ seed = 1, sleep = wait }: ProxyOptions) {
    this.dice = new Dice(seed)
    this.sleep = sleep
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client))
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get open(): number {
    return this.#pairs.size
  }

  get silent(): number {
    return [...this.#pairs].filter(({ isOver }) => isOver).length
  }

  lead(origin: string): void {
    this.#origin = new URL(origin)
  }

  add(toxic: Toxic, { times = Number.POSITIVE_INFINITY, of = '' }: Reach = {}): void {
    this.#laid.push({ toxic, of, left: times })
  }

  heal(): void {
    this.#laid = []
  }

  dropIdle(): void {
    for (const pair of this.#pairs) pair.dropIfIdle()
  }

  close(): void {
    this.#server.close()
    for (const pair of this.#pairs) pair.destroy()
  }

  toxic<D extends Toxic['do']>(name: D): Extract<Toxic, { do: D }> | undefined {
    const found = this.#laid.find(({ toxic }) => toxic.do === name)
    return found?.toxic as Extract<Toxic, { do: D }> | undefined // found by its name
  }

  /** The first end whose place is reached in the exchange that began with `request`. */
  endAt(request: string, isThere: (place: Place) => boolean): End | null {
    for (const laid of this.#laid) {
      if (!('at' in laid.toxic) || laid.left <= 0 || !request.startsWith(laid.of) || !isThere(laid.toxic.at)) continue
      laid.left--
      this.struck++
      return laid.toxic
    }
    return null
  }

  #accept(client: Socket): void {
    this.connections++
    const { hostname = '', port = '' } = this.#origin ?? {}
    const pair = new Pair(client, dial({ port: Number(port), host: hostname, allowHalfOpen: true }), this)
    this.#pairs.add(pair)
    client.on('close', () => this.#pairs.delete(pair))
  }
}

/** One connection through the proxy. */
class Pair {
  readonly #client: Socket
  readonly #server: Socket
  readonly #proxy: OpenProxy
  /** The answer to the last request so far, as far as it may be needed to find a place in it. */
  #answer = ''
  #answerBytes = 0
  #isAsking = false
  /** How the request begins. */
  #request = ''
  isOver = false
  /** Pieces are sent one after another, each in its own time. */
  #sending: Promise<void> = Promise.resolve()

  constructor(client: Socket, server: Socket, proxy: OpenProxy) {
    this.#client = client
    this.#server = server
    this.#proxy = proxy
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('data', (data) => this.#ask(data))
    // Who has closed its side of what we hold in silence is gone.
    client.on('end', () => void (this.isOver ? client.destroy() : server.end()))
    client.on('close', () => server.destroy())
    server.on('data', (data) => this.#queue(() => this.#reply(data)))
    server.on('end', () => this.#queue(() => this.#finish()))
    server.on('close', (hadError) => hadError && this.#queue(async () => void client.resetAndDestroy()))
    this.#strike((place) => place === 'connection')
  }

  dropIfIdle(): void {
    if (!this.#isAsking) this.#client.destroy()
  }

  destroy(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #ask(data: Buffer): void {
    if (!this.#isAsking) {
      this.#isAsking = true
      this.#answer = ''
      this.#answerBytes = 0
      this.#request = data.toString('latin1', 0, 100)
    }
    this.#proxy.sent += data.length
    if (this.isOver || this.#strike((place) => place === 'request')) return
    this.#server.write(data)
  }

  #queue(work: () => Promise<void>): void {
    this.#server.pause()
    this.#sending = this.#sending.then(work).then(() => void this.#server.resume())
  }

  async #reply(data: Buffer): Promise<void> {
    const latency = this.#proxy.toxic('latency')
    if (latency !== undefined)
      await this.#proxy.sleep(latency.ms + this.#proxy.dice.uniform() * (latency.jitterMs ?? 0))
    for (const piece of this.#sliced(data)) {
      if (this.isOver || this.#client.destroyed) return
      await this.#paced(piece)
      await this.#pass(piece)
    }
  }

  *#sliced(data: Buffer): Generator<Buffer> {
    const slicer = this.#proxy.toxic('slicer')
    const most = slicer?.bytes ?? (this.#proxy.toxic('bandwidth') === undefined ? data.length : 1)
    for (let from = 0; from < data.length; ) {
      const size = slicer?.varied ? 1 + Math.floor(this.#proxy.dice.uniform() * most) : most
      yield data.subarray(from, from + size)
      from += size
    }
  }

  async #paced(piece: Buffer): Promise<void> {
    const bandwidth = this.#proxy.toxic('bandwidth')
    if (bandwidth !== undefined) await this.#proxy.sleep((piece.length * 1000) / bandwidth.bytesPerSecond)
    else if (this.#proxy.toxic('slicer') !== undefined) await turn()
  }

  async #pass(piece: Buffer): Promise<void> {
    const before = this.#answerBytes
    this.#isAsking = false
    this.#answer += piece.toString('latin1')
    this.#answerBytes += piece.length
    let cut = piece.length
    const end = this.#proxy.endAt(this.#request, (place) => {
      const at = this.#positionOf(place)
      if (at === null || at > this.#answerBytes || at < before) return false
      cut = at - before
      return true
    })
    if (cut > 0 && !this.#client.write(piece.subarray(0, cut))) await drained(this.#client)
    if (end === null) return
    // What was written has to leave before a reset throws the rest away.
    for (let count = 0; count < 4; count++) await turn()
    this.#end(end)
  }

  #positionOf(place: Place): number | null {
    if (typeof place === 'number') return place
    if (typeof place === 'string') return null
    const text = 'before' in place ? place.before : place.after
    const at = this.#answer.indexOf(text)
    return at < 0 ? null : 'before' in place ? at : at + text.length
  }

  async #finish(): Promise<void> {
    const slow = this.#proxy.toxic('slow-close')
    if (slow !== undefined) await this.#proxy.sleep(slow.ms)
    if (!this.isOver) this.#client.end()
  }

  #strike(isThere: (place: Place) => boolean): boolean {
    const end = this.isOver ? null : this.#proxy.endAt(this.#request, isThere)
    if (end !== null) this.#end(end)
    return end !== null
  }

  #end(end: End): void {
    this.isOver = true
    // Who left before is not kept waiting.
    if (end.do === 'silence') return void (this.#client.readableEnded && this.#client.destroy())
    if (end.do === 'half-close') return void this.#client.end()
    if (end.do === 'reset') this.#client.resetAndDestroy()
    else this.#client.destroySoon()
    this.#server.destroy()
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    socket.on('drain', done).on('close', done)
  })
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref())
