/**
 * A simulated machine: one virtual time on which processes run, and from which everything that a program can take from
 * its runtime comes: clock, timers, random numbers. Events happen one after another, in an order that only the seed
 * decides; between two of them everything that waits for nothing but itself runs to its end.
 *
 * While it runs, the machine has the timers, the clock and the dice of the whole process. So it wants a process of its
 * own (`bench/simulate.ts`).
 */

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { Dice } from '../../domain/random.ts'
import { EventHeap, type HeapEvent, type MachineProcess } from './eventHeap.ts'

interface MachineOptions {
  readonly seed: number
  /** Epoch milliseconds. */
  readonly startsAt: number
  /** What happens every second happens this often: a day has many seconds. Default 1,000. */
  readonly secondMs?: number
}

/** The real ones, which the machine itself goes on by. */
const turn = globalThis.setImmediate

export class Machine {
  readonly #heap = new EventHeap()
  readonly #dice: Dice
  readonly #startedAt: number
  readonly #secondMs: number
  #now = 0
  /** How far the clock on the wall is from the time that passed. */
  #skewMs = 0
  #order = 0
  /** Whose event is happening. */
  running: MachineProcess | null = null
  /** How often random bytes were drawn. */
  bytesDrawn = 0
  events = 0

  constructor({ seed, startsAt, secondMs = 1000 }: MachineOptions) {
    this.#dice = new Dice(seed)
    this.#startedAt = startsAt
    this.#secondMs = secondMs
  }

  /** Epoch milliseconds by the clock on the wall, which can be set. */
  readonly now = (): number => this.#startedAt + this.#now + this.#skewMs

  /** Milliseconds since the machine was started, which never jump. */
  readonly monotonic = (): number => this.#now

  /** Uniform in [0, 1), for the programs. */
  readonly random = (): number => this.#dice.uniform()

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const event = this.after(ms, resolve, this.running)
      const leave = () => {
        event.isOff = true
        resolve()
      }
      signal?.addEventListener('abort', leave, { once: true })
    })

  /** Sets the clock on the wall, as a person or a time server does. */
  setClock(byMs: number): void {
    this.#skewMs += byMs
  }

  /** Lets something happen in `ms`. What a process that was killed had planned does not. */
  after(ms: number, happen: () => void, owner: MachineProcess | null = null, isTimer = false): HeapEvent {
    const event = { at: this.#now + Math.max(0, ms), order: this.#order++, isTimer, isOff: false, owner, happen }
    this.#heap.add(event)
    return event
  }

  start(name: string): MachineProcess {
    return { name, isAlive: true }
  }

  kill(process: MachineProcess): void {
    process.isAlive = false
  }

  /** The timers that a process has set. */
  timersOf(process: MachineProcess): number {
    return this.#heap.count((event) => event.owner === process && event.isTimer && !event.isOff)
  }

  /** Lets time pass until `isOver`, or until nothing is planned. */
  async run(isOver: () => boolean): Promise<void> {
    for (let event = this.#heap.take(); event !== undefined; event = this.#heap.take()) {
      if (!event.isOff && (event.owner === null || event.owner.isAlive)) {
        this.#now = event.at
        this.running = event.owner
        this.events++
        event.happen()
        await settled()
      }
      if (isOver()) return
    }
  }

  /** Waits for what takes real time (a module that is loaded) while the time of the machine stands still. */
  async standStill(isReady: () => boolean): Promise<void> {
    do await settled()
    while (!isReady())
  }

  /** Takes over timers, clock, dice and the watching of files, until the returned function is called. */
  takeOver(): () => void {
    const timers = {
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
      setInterval: globalThis.setInterval,
      clearInterval: globalThis.clearInterval,
      setImmediate: globalThis.setImmediate,
      clearImmediate: globalThis.clearImmediate,
    }
    const dateNow = Date.now
    const mathRandom = Math.random
    const timeout = AbortSignal.timeout
    const { randomBytes, randomUUID } = crypto
    Object.assign(globalThis, this.#timers())
    Date.now = this.now
    Math.random = this.random
    performance.now = this.monotonic
    AbortSignal.timeout = (ms) => this.#deadline(ms)
    Object.assign(crypto, { randomBytes: (size: number) => this.#bytes(size), randomUUID: () => this.#uuid() })
    syncBuiltinESMExports()
    return () => {
      Object.assign(globalThis, timers)
      Date.now = dateNow
      Math.random = mathRandom
      // What stands on the prototype shows again.
      Reflect.deleteProperty(performance, 'now')
      AbortSignal.timeout = timeout
      Object.assign(crypto, { randomBytes, randomUUID })
      syncBuiltinESMExports()
    }
  }

  #timers(): object {
    type Happen = (...args: unknown[]) => void
    const once = (happen: Happen, ms = 0, ...args: unknown[]) => new MachineTimer(this, () => happen(...args), ms, null)
    const often = (happen: Happen, ms = 0, ...args: unknown[]) => {
      const everyMs = ms === 1000 ? this.#secondMs : Math.max(1, ms)
      return new MachineTimer(this, () => happen(...args), everyMs, everyMs)
    }
    const clear = (one: unknown) => {
      if (one instanceof MachineTimer) one.close()
    }
    return {
      setTimeout: once,
      clearTimeout: clear,
      setInterval: often,
      clearInterval: clear,
      setImmediate: (happen: Happen, ...args: unknown[]) => once(happen, 0, ...args),
      clearImmediate: clear,
    }
  }

  #deadline(ms: number): AbortSignal {
    const controller = new AbortController()
    this.after(ms, () => controller.abort(new DOMException('it took too long', 'TimeoutError')), this.running)
    return controller.signal
  }

  #bytes(size: number): Buffer {
    this.bytesDrawn++
    const bytes = Buffer.alloc(size)
    for (let at = 0; at < size; at++) bytes[at] = this.#dice.bits() & 255
    return bytes
  }

  #uuid(): string {
    const hex = this.#bytes(16).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
}

/** Everything that waits for nothing but itself is done: promises and ticks run out before the next turn of the loop. */
function settled(): Promise<void> {
  return new Promise((resolve) => turn(resolve))
}

/** What programs use of a timer of node. */
class MachineTimer {
  readonly #machine: Machine
  readonly #happen: () => void
  readonly #everyMs: number | null
  readonly #owner: MachineProcess | null
  #ms: number
  #event: HeapEvent

  constructor(machine: Machine, happen: () => void, ms: number, everyMs: number | null) {
    this.#machine = machine
    this.#happen = happen
    this.#ms = ms
    this.#everyMs = everyMs
    this.#owner = machine.running
    this.#event = this.#plan()
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return false
  }

  refresh(): this {
    this.close()
    this.#event = this.#plan()
    return this
  }

  close(): this {
    this.#event.isOff = true
    return this
  }

  #plan(): HeapEvent {
    return this.#machine.after(
      this.#ms,
      () => {
        if (this.#everyMs !== null) {
          this.#ms = this.#everyMs
          this.#event = this.#plan()
        }
        this.#happen()
      },
      this.#owner,
      true,
    )
  }
}
