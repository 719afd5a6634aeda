/**
 * A world in one process and from one seed: the whole product (cascade, quota, money, learning, the store on a disk that
 * fails) among simulated providers, clocks, dice, callers, crashes and restarts. The same seed gives the same world to
 * the last byte.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dice, mix32 } from '../../domain/random.ts'
import type { Store } from '../../domain/store.ts'
import { requestId } from '../../engine/prepareRequest.ts'
import { APIManager } from '../../manager/apiManager.ts'
import { loadGenaiPrices } from '../../money/genaiPrices.ts'
import { loadUsageEstimator, roughUsage } from '../../money/usage.ts'
import { openSqliteStore } from '../../store/sqlite/sqlite.ts'
import { Checks, nameOf } from './checks.ts'
import { ask, type ClientOutcome, type ClientRequest, drawRequest } from './clients.ts'
import { Draw, drawWorld } from './drawWorld.ts'
import type { MachineProcess } from './eventHeap.ts'
import type { WorldFacts } from './facts.ts'
import { History, type Violation } from './history.ts'
import { checkLedger, checkSpent } from './ledgerChecks.ts'
import { Machine } from './machine.ts'
import { type SimulatedCall, SimulatedNetwork } from './simulatedNetwork.ts'
import { SimulatedProvider } from './simulatedProvider.ts'

interface SimulationOptions {
  readonly seed: number
  readonly requests: number
}

export interface SimulationResult {
  readonly seed: number
  /** As many as were wanted. */
  readonly wanted: number
  /** As many as met a process that ran. */
  readonly requests: number
  readonly answered: number
  readonly failed: number
  /** Calls that reached a provider. */
  readonly calls: number
  readonly kills: number
  /** Milliseconds that passed in the world. */
  readonly worldMs: number
  readonly events: number
  /** Of everything that happened; the same for the same seed. */
  readonly digest: string
  readonly violations: readonly Violation[]
}

/** A running product: an orderly ended or a killed one is never started again, but another in its place. */
interface RunningProcess {
  readonly process: MachineProcess
  readonly manager: APIManager
  readonly store: Store
  isClosing: boolean
}

/** No world lasts longer than this: something waits that never ends. */
const LONGEST_MS = 40 * 86_400_000
const QUIET_MS = 5_000

/** Streams of dice that do not disturb each other. */
const STREAMS = { world: 1, machine: 2, network: 3, clients: 4, disk: 5, fate: 6 }

export async function simulate({ seed, requests }: SimulationOptions): Promise<SimulationResult> {
  // What is loaded once takes real time, and only the first world would.
  await Promise.all([loadGenaiPrices(), loadUsageEstimator()])
  const world = new SimulatedWorld(seed, requests)
  return world.live()
}

class SimulatedWorld {
  readonly #wanted: number
  readonly #facts: WorldFacts
  readonly #machine: Machine
  readonly #history: History
  readonly #network: SimulatedNetwork
  readonly #checks: Checks
  readonly #folder = mkdtempSync(join(tmpdir(), 'keywise-simulation-'))
  readonly #providers: readonly SimulatedProvider[]
  readonly #running: RunningProcess[] = []
  readonly #origins = new Map<string, MachineProcess>()
  readonly #requests: ClientRequest[] = []
  readonly #calls: SimulatedCall[] = []
  readonly #byNumber = new Map<number, ClientRequest>()
  readonly #disk: Draw
  readonly #clients: Draw
  readonly #fate: Draw
  /** Processes that ended while nothing could be written. */
  readonly #lostRows = new Set<MachineProcess>()
  #isDiskSound = false
  /** Where the disk fails at the start, the product runs in memory, and nothing could be compared. */
  #isOpening = false
  #processes = 0
  #open = 0
  #kills = 0
  #killsNext = false
  #isOver = false

  constructor(seed: number, requests: number) {
    this.#wanted = requests
    const draw = (stream: number) => new Draw(new Dice(mix32(seed, stream)))
    this.#facts = drawWorld(seed, requests, draw(STREAMS.world))
    const { startsAt, secondMs } = this.#facts
    this.#machine = new Machine({ seed: mix32(seed, STREAMS.machine), startsAt, secondMs })
    this.#history = new History(startsAt, this.#machine.monotonic)
    const network = draw(STREAMS.network)
    this.#providers = this.#facts.providers.map((facts) => new SimulatedProvider(facts, network))
    this.#disk = draw(STREAMS.disk)
    this.#clients = draw(STREAMS.clients)
    this.#fate = draw(STREAMS.fate)
    this.#checks = new Checks({
      facts: this.#facts,
      providers: this.#providers,
      history: this.#history,
      monotonic: this.#machine.monotonic,
      said: (request, target) => this.#said(request, target),
    })
    this.#network = new SimulatedNetwork(this.#machine, startsAt, this.#providers, {
      sent: (call) => this.#sent(call),
      answered: (call) => {
        this.#note(call, `answers ${call.answer?.steps[0]?.status} (${call.answer?.trouble ?? 'well'})${saidIn(call)}`)
      },
      ended: (call) => {
        this.#note(call, `is over: ${call.state} (${call.answer?.trouble ?? 'well'})`)
        this.#checks.ended(call)
      },
      checked: (process, provider, key, status) => {
        this.#history.note(`${process.name} checks ${provider}#${key}: ${status}`, { process: process.name })
        this.#checks.checked(process, provider, key, status)
      },
      broken: (error) => this.#history.violated('simulation', `the simulation itself is wrong: ${stackOf(error)}`),
    })
  }

  async live(): Promise<SimulationResult> {
    const release = this.#machine.takeOver()
    const atExit = new Set(process.listeners('exit'))
    const mostListeners = process.getMaxListeners()
    // Every killed process leaves one, as it would have taken it with it.
    process.setMaxListeners(0)
    const onRejection = (reason: unknown) =>
      this.#history.violated('no-rejection', `a promise was rejected and nobody looked: ${stackOf(reason)}`)
    process.on('unhandledRejection', onRejection)
    try {
      this.#forgetDrawnIds()
      for (let count = 0; count < this.#facts.processes; count++) await this.#start()
      this.#plan()
      await this.#until(() => this.#isOver && this.#open === 0)
      await this.#finish()
    } finally {
      process.off('unhandledRejection', onRejection)
      for (const listener of process.listeners('exit')) if (!atExit.has(listener)) process.off('exit', listener)
      process.setMaxListeners(mostListeners)
      release()
      rmSync(this.#folder, { recursive: true, force: true })
    }
    return this.#result()
  }

  /** Ids are drawn many at once; those of another world are used up first. */
  #forgetDrawnIds(): void {
    const drawn = this.#machine.bytesDrawn
    while (this.#machine.bytesDrawn === drawn) requestId()
  }

  #plan(): void {
    const { kills, restarts, clockSteps } = this.#facts
    for (const at of kills) this.#machine.after(at, () => this.#strike())
    for (const at of restarts) this.#machine.after(at, () => void this.#restart())
    for (const { at, byMs } of clockSteps) this.#machine.after(at, () => this.#setClock(byMs))
    this.#arrive(0, 0)
  }

  /** One request after another; the next is planned when one arrives. */
  #arrive(phase: number, number: number): void {
    const current = this.#facts.phases[phase]
    if (current === undefined) {
      this.#isOver = true
      return
    }
    if (number === current.requests) return this.#arrive(phase + 1, 0)
    this.#machine.after(this.#clients.gap(current.gapMs), () => {
      this.#arrive(phase, number + 1)
      this.#ask()
    })
  }

  #ask(): void {
    const able = this.#running.filter(({ process, isClosing }) => process.isAlive && !isClosing)
    if (able.length === 0) return
    const { process, manager, store } = this.#clients.one(able)
    const request = drawRequest(
      this.#clients,
      this.#facts,
      this.#requests.length + 1,
      process,
      this.#machine.monotonic(),
    )
    this.#requests.push(request)
    this.#byNumber.set(request.number, request)
    const about = { request: request.number, process: process.name }
    this.#history.note(
      `request ${request.number} to ${process.name} for ${request.model}${request.stream ? ', streamed' : ''}`,
      about,
    )
    this.#open++
    // What the caller's promise does belongs to the process that answers.
    this.#machine.running = process
    const leaves = (afterMs: number, leave: () => void) => void this.#machine.after(afterMs, leave, process)
    void ask(manager, request, leaves).then((outcome) => {
      if (process.isAlive) this.#gave(request, outcome, store.health().state !== 'ok')
    })
  }

  #gave(request: ClientRequest, given: ClientOutcome, wasDegraded: boolean): void {
    if (request.outcome !== null) return
    const outcome = given.kind === 'answer' ? { ...given, wasDegraded } : given
    request.outcome = outcome
    this.#open--
    const text = outcome.kind === 'error' ? `${outcome.code}: ${outcome.message}` : outcome.kind
    this.#history.note(`request ${request.number}: ${text}`, { request: request.number })
    this.#checks.gave(request, outcome)
    if (!this.#killsNext || outcome.kind !== 'answer') return
    this.#killsNext = false
    const victims = () => this.#running.filter(({ process }) => process === request.process && process.isAlive)
    this.#machine.after(this.#fate.int(0, 5), () => this.#kill(victims()))
  }

  #said(request: ClientRequest, target: string): string {
    const one = this.#running.find(({ process }) => process === request.process)
    const row = one?.manager.rankTargets({ prompt: '-', model: request.model }).find((row) => row.target === target)
    return row === undefined
      ? 'unknown'
      : `${row.eligible ? 'may be asked' : 'is out'}: ${row.reason ?? 'by the numbers'}`
  }

  #sent(call: SimulatedCall): void {
    this.#calls.push(call)
    this.#note(call, `is called by ${call.process.name}${call.request === null ? ', as a probe' : ''}`)
    this.#checks.sent(call, call.request === null ? null : (this.#byNumber.get(call.request) ?? null))
  }

  #note(call: SimulatedCall, text: string): void {
    const about = { request: call.request, target: nameOf(call), process: call.process.name }
    this.#history.note(`call ${call.number} of request ${call.request ?? '-'}: ${nameOf(call)} ${text}`, about)
  }

  async #start(): Promise<void> {
    const machine = this.#machine
    const process = machine.start(`process ${++this.#processes}`)
    machine.running = process
    this.#isOpening = true
    const warn = (line: string) => this.#history.note(`${process.name} says: ${line}`, { process: process.name })
    const store = openSqliteStore(join(this.#folder, 'keywise.db'), {
      now: machine.now,
      warn,
      flushMs: 50,
      fault: () => this.#touchDisk(process),
    })
    this.#origins.set(store.origin, process)
    const manager = new APIManager({
      config: this.#config(),
      env: {},
      store,
      logger: false,
      now: machine.now,
      monotonic: machine.monotonic,
      random: machine.random,
      sleep: machine.sleep,
      transport: this.#network.dispatcherOf(process),
    })
    this.#isOpening = false
    void manager.ready()
    await machine.standStill(() => manager.engine.estimate !== roughUsage)
    this.#running.push({ process, manager, store, isClosing: false })
    this.#history.note(`${process.name} has started`, { process: process.name })
  }

  #config(): object {
    const blocks = this.#facts.providers.map(({ id, isOwn, dialect, origin, basePath, keys, models }) => [
      id,
      {
        ...(isOwn && { dialect, endpoint: `${origin}${basePath}` }),
        api_keys: keys.map(({ text, account }) => (account === null ? text : { key: text, account })),
        models: models.map(({ id, input, output }) => ({ id, price: { input, output } })),
      },
    ])
    return { ...Object.fromEntries(blocks), settings: this.#facts.settings }
  }

  /** Before every operation on the file. */
  #touchDisk(process: MachineProcess): void {
    if (!process.isAlive) throw diskError()
    if (this.#isDiskSound || this.#isOpening) return
    const at = this.#machine.monotonic()
    const fault = this.#facts.diskFaults.find(({ from, until }) => at >= from && at < until)
    if (fault !== undefined && this.#disk.chance(fault.chance)) throw diskError()
  }

  /** At once, or just after the next answer was given, when whoever got it counts on what was written. */
  #strike(): void {
    if (this.#fate.chance(0.5)) this.#killsNext = true
    else this.#kill(this.#running.filter(({ process }) => process.isAlive))
  }

  #kill(able: readonly RunningProcess[]): void {
    if (able.length === 0) return
    const { process } = this.#fate.one(able)
    this.#kills++
    this.#history.note(`${process.name} is killed`, { process: process.name })
    this.#machine.kill(process)
    this.#network.lose(process)
    for (const request of this.#requests)
      if (request.process === process && request.outcome === null) {
        request.outcome = { kind: 'lost' }
        this.#open--
      }
    this.#leave(process)
    this.#startLater()
  }

  /** As a deployment does: the old one gets nothing new and ends when what runs has ended. */
  async #restart(): Promise<void> {
    const able = this.#running.filter(({ process, isClosing }) => process.isAlive && !isClosing)
    if (able.length === 0) return
    const one = this.#fate.one(able)
    one.isClosing = true
    this.#history.note(`${one.process.name} is to end`, { process: one.process.name })
    this.#startLater()
    this.#machine.running = one.process
    await one.manager.close()
    if (!one.process.isAlive) return
    // What could not be written is lost with the process, which says so.
    if (one.store.health().state !== 'ok') this.#lostRows.add(one.process)
    this.#ended(one)
  }

  #startLater(): void {
    this.#open++
    this.#machine.after(this.#fate.int(100, 20_000), () => {
      this.#starting = this.#start().finally(() => {
        this.#open--
      })
    })
  }

  /** A start takes real time, in which no time of the world passes. */
  #starting: Promise<void> | null = null

  #ended({ process }: RunningProcess): void {
    const timers = this.#machine.timersOf(process)
    this.#history.note(`${process.name} has ended`, { process: process.name })
    if (timers > 0)
      this.#history.violated('nothing-left', `${process.name} has ended and left ${timers} timers`, {
        process: process.name,
      })
    this.#leave(process)
  }

  #leave(process: MachineProcess): void {
    const place = this.#running.findIndex((one) => one.process === process)
    if (place >= 0) this.#running.splice(place, 1)
  }

  #setClock(byMs: number): void {
    this.#machine.setClock(byMs)
    this.#checks.clockSetAt = this.#machine.monotonic()
    this.#history.note(`the clock is set by ${byMs} ms`)
  }

  async #until(isDone: () => boolean): Promise<void> {
    const isReady = () => isDone() || this.#starting !== null || this.#machine.monotonic() > LONGEST_MS
    for (;;) {
      await this.#machine.run(isReady)
      if (this.#starting === null) break
      await this.#starting
      this.#starting = null
    }
    if (this.#machine.monotonic() > LONGEST_MS) this.#history.violated('ends', 'something waits and never ends')
  }

  /** Nobody asks any more, and the disk works again. */
  async #finish(): Promise<void> {
    this.#isDiskSound = true
    await this.#rest(35_000)
    await this.#rest(QUIET_MS)
    for (const { process, manager, store } of this.#running) {
      const probes = this.#probesOf(process)
      // Of a hard budget a process sees what the others have put aside, too.
      const isProbing = this.#running.some((one) => this.#probesOf(one.process) > 0)
      this.#checks.demandQuiet(process, manager, probes, this.#kills > 0 || isProbing)
      const { budgets } = manager.engine.learned
      if (probes === 0) checkSpent(this.#history, process.name, budgets, store, this.#machine.now())
    }
    const budgets = this.#running[0]?.manager.engine.learned.budgets.rules ?? []
    for (const one of [...this.#running]) {
      let isClosed = false
      this.#machine.running = one.process
      void one.manager.close().then(() => {
        isClosed = true
      })
      await this.#until(() => isClosed)
      this.#ended(one)
    }
    const store = openSqliteStore(join(this.#folder, 'keywise.db'), { now: this.#machine.now, warn: () => {} })
    checkLedger({
      history: this.#history,
      store,
      calls: this.#calls,
      requests: this.#requests,
      processes: this.#origins,
      lostRows: this.#lostRows,
      budgets,
      isEven: this.#kills === 0 && this.#facts.clockSteps.length === 0,
    })
    await store.close()
  }

  /** Small calls that find out whether an outage is over go on when nobody asks. */
  #probesOf(process: MachineProcess): number {
    return [...this.#network.open].filter((call) => call.process === process && call.request === null).length
  }

  async #rest(ms: number): Promise<void> {
    const until = this.#machine.monotonic() + ms
    this.#machine.after(ms, () => {})
    await this.#until(() => this.#machine.monotonic() >= until && this.#open === 0)
  }

  #result(): SimulationResult {
    const { seed } = this.#facts
    const count = (kind: ClientOutcome['kind']) => this.#requests.filter(({ outcome }) => outcome?.kind === kind).length
    return {
      seed,
      wanted: this.#wanted,
      requests: this.#requests.length,
      answered: count('answer'),
      failed: count('error'),
      calls: this.#network.calls,
      kills: this.#kills,
      worldMs: this.#machine.monotonic(),
      events: this.#machine.events,
      digest: this.#history.digest,
      violations: this.#history.violations,
    }
  }
}

/** As SQLite says it when the disk is full. */
function diskError(): Error {
  return Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
}

/** What the answer says of limits. */
function saidIn({ answer }: SimulatedCall): string {
  const said = (answer?.statements ?? []).map(
    ({ scope, remaining, resetsAt }) => `, ${scope}: ${remaining} left until ${new Date(resetsAt).toISOString()}`,
  )
  return said.join('')
}

const stackOf = (reason: unknown) => (reason instanceof Error ? (reason.stack ?? reason.message) : String(reason))
