/**
 * The network of a simulated machine: it stands where undici's dispatcher stands and speaks to the same handlers, so
 * that the product's own calls run unchanged on it. What happens on the wire happens on the machine's time.
 */

import { Dispatcher } from 'undici'
import { dialectOf } from '../../dialects/dialects.ts'
import { asRecord } from '../../domain/json.ts'
import { readAsked } from '../fake/request.ts'
import type { MachineProcess } from './eventHeap.ts'
import type { Machine } from './machine.ts'
import type { Answer, Asked, SimulatedProvider, WireStep } from './simulatedProvider.ts'

/** A call of a model, as the world remembers it. */
export interface SimulatedCall {
  readonly number: number
  readonly process: MachineProcess
  readonly provider: string
  readonly model: string
  /** 1-based. */
  readonly key: number
  /** The number in the prompt; null for a call that no client asked for. */
  readonly request: number | null
  readonly stream: boolean
  /** Milliseconds since the start, and by the process's clock. */
  readonly at: number
  readonly clockAt: number
  /** Milliseconds since the start at which the provider decided on it; null until then. */
  arrivedAt: number | null
  answer: Answer | null
  /** The head of the answer was delivered. */
  hasBegun: boolean
  /** `whole`: its end was delivered. `left`: the process aborted it. `lost`: the process was killed. */
  state: 'open' | 'whole' | 'broken' | 'left' | 'lost'
  endedAt: number | null
  /** The same attempt was sent before, on a socket that turned out to be closed. */
  readonly repeats: SimulatedCall | null
}

interface NetworkListener {
  sent(call: SimulatedCall): void
  answered(call: SimulatedCall): void
  ended(call: SimulatedCall): void
  checked(process: MachineProcess, provider: string, key: number, status: number): void
  /** The simulation itself is wrong. */
  broken(error: unknown): void
}

/** Milliseconds from the process to the provider. */
const WAY_MS = 10

type Handler = Dispatcher.DispatchHandler

export class SimulatedNetwork {
  readonly #machine: Machine
  readonly #startsAt: number
  readonly #listener: NetworkListener
  readonly #providers: ReadonlyMap<string, SimulatedProvider>
  readonly open = new Set<SimulatedCall>()
  #calls = 0

  constructor(machine: Machine, startsAt: number, providers: readonly SimulatedProvider[], listener: NetworkListener) {
    this.#machine = machine
    this.#startsAt = startsAt
    this.#listener = listener
    this.#providers = new Map(providers.map((provider) => [provider.facts.origin, provider]))
  }

  get calls(): number {
    return this.#calls
  }

  /** The sockets of one process. */
  dispatcherOf(process: MachineProcess): Dispatcher {
    return new SimulatedDispatcher((options, handler) => this.#dispatch(process, options, handler))
  }

  /** What a killed process had under way is lost; its provider does not notice. */
  lose(process: MachineProcess): void {
    for (const call of [...this.open]) {
      if (call.process !== process) continue
      call.state = 'lost'
      this.open.delete(call)
      this.#listener.ended(call)
    }
  }

  #dispatch(process: MachineProcess, options: Dispatcher.DispatchOptions, handler: Handler): void {
    // What a killed process still wants to send never leaves it.
    if (!process.isAlive) return
    try {
      this.#send(process, options, handler)
    } catch (error) {
      // The product takes it for a failure of the network, which it is not.
      this.#listener.broken(error)
      throw error
    }
  }

  #send(process: MachineProcess, options: Dispatcher.DispatchOptions, handler: Handler): void {
    const provider = this.#providers.get(String(options.origin))
    const headers = flat(options.headers as readonly string[]) // the product writes names and values in turn
    const wire = new Wire(this.#machine, process, handler)
    if (provider === undefined) return wire.follow([{ afterMs: 20, ends: { code: 'ENOTFOUND' } }])
    const key = provider.keyOf(headers)
    if (options.method === 'GET') {
      const at = this.#machine.monotonic()
      const { status, body } = provider.check(key, at)
      this.#listener.checked(process, provider.facts.id, key, status)
      const data = Buffer.from(JSON.stringify(body))
      return wire.follow([{ afterMs: 80, status, headers: { 'content-type': 'application/json' }, data, ends: true }])
    }
    const [path = ''] = String(options.path).split('?')
    this.#call(process, provider, key, path, String(options.body), wire)
  }

  #call(
    process: MachineProcess,
    provider: SimulatedProvider,
    key: number,
    path: string,
    text: string,
    wire: Wire,
  ): void {
    const asked = readAsked(path, asRecord(JSON.parse(text)) ?? {})
    if (asked === null) throw new TypeError(`the simulated ${provider.facts.id} has no ${path}`)
    const { request, model } = asked
    const said = /Simulated request (\d+)\./.exec(text)?.[1]
    const at = this.#machine.monotonic()
    const call: SimulatedCall = {
      number: ++this.#calls,
      process,
      provider: provider.facts.id,
      model,
      key,
      request: said === undefined ? null : Number(said),
      stream: request.stream,
      at,
      clockAt: this.#machine.now(),
      arrivedAt: null,
      answer: null,
      hasBegun: false,
      state: 'open',
      endedAt: null,
      repeats: wire.handlerRepeats,
    }
    wire.call = call
    this.open.add(call)
    this.#listener.sent(call)
    const end = (state: SimulatedCall['state']) => {
      if (call.state !== 'open') return
      call.state = state
      call.endedAt = this.#machine.monotonic()
      this.open.delete(call)
      this.#listener.ended(call)
    }
    wire.onEnd = end
    this.#machine.after(
      WAY_MS,
      () => {
        // Who aborts before that has sent nothing that anybody read.
        if (wire.isOver) return
        const now = this.#machine.monotonic()
        call.arrivedAt = now
        const order: Asked = {
          key,
          model,
          dialect: dialectOf(asked.dialect.id),
          request,
          number: call.number,
          bytes: text.length,
          now: this.#startsAt + now,
          at: now,
        }
        call.answer = provider.answer(order)
        wire.follow(call.answer.steps, () => {
          call.hasBegun = true
          this.#listener.answered(call)
        })
      },
      process,
    )
  }
}

class SimulatedDispatcher extends Dispatcher {
  readonly #send: (options: Dispatcher.DispatchOptions, handler: Handler) => void

  constructor(send: (options: Dispatcher.DispatchOptions, handler: Handler) => void) {
    super()
    this.#send = send
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Handler): boolean {
    this.#send(options, handler)
    return true
  }

  override close(): Promise<void> {
    return Promise.resolve()
  }

  override destroy(): Promise<void> {
    return Promise.resolve()
  }
}

/** Which attempt a handler sent last: undici's handler of a call is the call itself. */
const LAST = new WeakMap<object, SimulatedCall>()

/** One request on its socket, and undici's controller of it. */
class Wire implements Dispatcher.DispatchController {
  readonly #machine: Machine
  readonly #process: MachineProcess
  readonly #handler: Handler
  #steps: readonly WireStep[] = []
  #next = 0
  #isWaiting = false
  #onStart: () => void = () => {}
  onEnd: (state: SimulatedCall['state']) => void = () => {}
  isOver = false
  aborted = false
  paused = false
  reason: Error | null = null
  rawHeaders = null
  rawTrailers = null

  constructor(machine: Machine, process: MachineProcess, handler: Handler) {
    this.#machine = machine
    this.#process = process
    this.#handler = handler
    machine.after(1, () => this.isOver || handler.onRequestStart?.(this, {}), process)
  }

  set call(call: SimulatedCall) {
    LAST.set(this.#handler, call)
  }

  get handlerRepeats(): SimulatedCall | null {
    return LAST.get(this.#handler) ?? null
  }

  follow(steps: readonly WireStep[], onStart: () => void = () => {}): void {
    this.#steps = steps
    this.#onStart = onStart
    this.#plan()
  }

  abort(reason: Error): void {
    if (this.aborted || this.isOver) return
    this.aborted = true
    this.reason = reason
    this.isOver = true
    this.onEnd('left')
    this.#handler.onResponseError?.(this, reason)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#plan()
  }

  #plan(): void {
    const step = this.#steps[this.#next]
    if (step === undefined || this.#isWaiting || this.paused || this.isOver) return
    this.#isWaiting = true
    this.#machine.after(Math.max(1, step.afterMs), () => this.#take(step), this.#process)
  }

  #take(step: WireStep): void {
    this.#isWaiting = false
    if (this.isOver || this.paused) return
    this.#next++
    const handler = this.#handler
    if (step.status !== undefined) {
      this.#onStart()
      handler.onResponseStart?.(this, step.status, { ...step.headers })
    }
    if (step.data !== undefined && !this.isOver) handler.onResponseData?.(this, step.data)
    if (step.ends !== undefined && !this.isOver) this.#end(step.ends)
    this.#plan()
  }

  #end(how: true | { readonly code: string }): void {
    this.isOver = true
    if (how === true) {
      this.onEnd('whole')
      this.#handler.onResponseEnd?.(this, {})
      return
    }
    this.onEnd('broken')
    this.#handler.onResponseError?.(this, Object.assign(new Error(`simulated ${how.code}`), { code: how.code }))
  }
}

function flat(headers: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {}
  for (let at = 0; at + 1 < headers.length; at += 2) named[headers[at]!.toLowerCase()] = headers[at + 1]!
  return named
}
