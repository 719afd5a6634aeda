/**
 * Many requests through a gateway whose upstreams fail one call in ten: what callers get, how often the gateway refuses
 * by itself, and whether everything that was opened is closed again.
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { asArray, asRecord, asString } from '../../../src/domain/json.ts'
import { AvoidableErrors, type AvoidableReport, type Received } from '../../../src/lab/avoidable.ts'
import { startFakeProviders } from '../../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../../src/lab/fake/scenario.ts'
import { fakeKey } from '../labCall.ts'
import { promptOf, SoakFates } from './fates.ts'
import type { SoakState } from './gateway.ts'

export interface SoakOptions {
  readonly requests: number
  /** Requests begun per second, as long as the machine keeps up. */
  readonly perSecond: number
  readonly onProgress?: (done: number) => void
}

export interface SoakResult {
  readonly avoidable: AvoidableReport
  /** Requests that were refused although no upstream was asked. */
  readonly refusedLocally: number
  /** How many callers went away. */
  readonly left: number
  /** Answers 429 of the upstreams, and those of them to calls inside a wait that had been stated. */
  readonly limited: number
  readonly tooEarly: number
  /** Before the first request, and at the end when everything is quiet. */
  readonly before: SoakState
  readonly after: SoakState
  /** Growth of the heap over the second half, in bytes a request. */
  readonly bytesPerRequest: number
  readonly seconds: number
  /** By what the caller got, up to three texts each. */
  readonly examples: Readonly<Record<string, readonly string[]>>
}

const PROVIDERS = 20
const MODELS = ['m1', 'm2']
const TOKEN = `soak-inference-${'s'.repeat(20)}`
const WARM_UP = 200
const MOST_AT_ONCE = 200
const SAMPLES = 20
const LEAVES = 0.01
/** Connections that are kept alive need this long to close. */
const LONGEST_QUIET_MS = 90_000

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const ids = Array.from({ length: PROVIDERS }, (_, index) => `p${String(index + 1).padStart(2, '0')}`)
  const fates = new SoakFates(ids.flatMap((id) => MODELS.map((model) => `${id}/${model}`)))
  const world = await startFakeProviders(scenarioOf(ids), {
    instead: (call, response) => fates.decide(call, response),
  })
  const gateway = await GatewayProcess.start({
    ...world.config(),
    settings: {
      streaming: { rescue: 'text' },
      budgets: [{ scope: 'all', usd: 1_000_000, per: 'day' }],
    },
  })
  try {
    return await new Soak(options, gateway, fates, () => world.forget()).run()
  } finally {
    await gateway.close()
    await world.close()
  }
}

function scenarioOf(ids: readonly string[]): FakeScenario {
  const models = Object.fromEntries(MODELS.map((model) => [model, {}]))
  return { providers: Object.fromEntries(ids.map((id) => [id, { keys: { [fakeKey(id)]: {} }, models }])) }
}

class Soak {
  readonly #options: SoakOptions
  readonly #gateway: GatewayProcess
  readonly #fates: SoakFates
  readonly #forget: () => void
  #observer = new AvoidableErrors()
  readonly #examples: Record<string, string[]> = {}
  #refusedLocally = 0
  #left = 0

  constructor(options: SoakOptions, gateway: GatewayProcess, fates: SoakFates, forget: () => void) {
    this.#options = options
    this.#gateway = gateway
    this.#fates = fates
    this.#forget = forget
  }

  async run(): Promise<SoakResult> {
    const before = await this.#gateway.state()
    await this.#send(-WARM_UP, 0)
    this.#observer = new AvoidableErrors()
    this.#refusedLocally = 0
    this.#left = 0
    const began = performance.now()
    const heap: number[] = []
    const { requests, onProgress } = this.#options
    for (let sample = 0; sample < SAMPLES; sample++) {
      await this.#send(Math.floor((sample * requests) / SAMPLES), Math.floor(((sample + 1) * requests) / SAMPLES))
      heap.push(await this.#gateway.heapBytes())
      onProgress?.(Math.floor(((sample + 1) * requests) / SAMPLES))
    }
    const seconds = (performance.now() - began) / 1000
    const after = await this.#gateway.quiet(before)
    const { limited, tooEarly } = this.#fates
    return {
      avoidable: this.#observer.report,
      refusedLocally: this.#refusedLocally,
      left: this.#left,
      ...{ limited, tooEarly, before, after, seconds },
      bytesPerRequest: slope(heap.slice(SAMPLES / 2)) / (requests / SAMPLES),
      examples: this.#examples,
    }
  }

  /** Begins the requests of these numbers in time, and waits for the last. */
  async #send(from: number, to: number): Promise<void> {
    const began = performance.now()
    const running = new Set<Promise<void>>()
    for (let number = from; number < to; number++) {
      const early = began + ((number - from) * 1000) / this.#options.perSecond - performance.now()
      if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
      while (running.size >= MOST_AT_ONCE) await Promise.race(running)
      const one = this.#one(number).finally(() => running.delete(one))
      running.add(one)
      if (number % 500 === 0) this.#forget()
    }
    await Promise.all(running)
  }

  async #one(number: number): Promise<void> {
    // Negative numbers are the warm-up's.
    const request = number < 0 ? 10_000_000 - number : number
    const leaves = number % Math.round(1 / LEAVES) === 7
    const { received, text, isLocal } = await ask(this.#gateway.origin, request, leaves)
    this.#observer.saw(received, () => this.#fates.couldAnswer(request))
    if (received === 'left') this.#left++
    if (isLocal) this.#refusedLocally++
    if (received === 'answer' || received === 'left') return
    this.#examples[received] ??= []
    if (this.#examples[received].length < 3) this.#examples[received].push(text.slice(0, 300))
  }
}

interface Answer {
  readonly received: Received
  readonly text: string
  /** An error of the gateway that no attempt preceded. */
  readonly isLocal: boolean
}

async function ask(origin: string, request: number, leaves: boolean): Promise<Answer> {
  const stream = request % 2 === 0
  const leaving = new AbortController()
  if (leaves) setTimeout(() => leaving.abort(), request % 20)
  try {
    const response = await fetch(`${origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', stream, messages: [{ role: 'user', content: promptOf(request) }] }),
      signal: leaving.signal,
    })
    const text = await response.text()
    const isLocal = response.status >= 400 && response.headers.get('x-keywise-attempts') === null
    return { received: response.status === 200 ? receivedOf(text, stream) : 'error', text, isLocal }
  } catch (error) {
    return { received: leaving.signal.aborted ? 'left' : 'error', text: String(error), isLocal: false }
  }
}

function receivedOf(text: string, stream: boolean): Received {
  try {
    const said = stream ? textOfStream(text) : textOf(asRecord(JSON.parse(text)), 'message')
    if (said === null) return 'error'
    return said.trim() === '' ? 'empty' : 'answer'
  } catch {
    return 'malformed'
  }
}

/** The text of all events; null for an error inside. Throws for events that are none, and for a stream without an end. */
function textOfStream(text: string): string | null {
  const events = text.split('\n\n').flatMap((event) => (event.startsWith('data: ') ? [event.slice(6)] : []))
  let said = ''
  for (const event of events) {
    if (event === '[DONE]') return said
    const part = textOf(asRecord(JSON.parse(event)), 'delta')
    if (part === null) return null
    said += part
  }
  throw new SyntaxError('the stream has no end')
}

function textOf(body: ReturnType<typeof asRecord>, field: 'message' | 'delta'): string | null {
  if (body?.['error']) return null
  const message = asRecord(asRecord(asArray(body?.['choices'])?.[0])?.[field])
  return asString(message?.['content']) ?? ''
}

/** Growth per step of a line through the values, by least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let [above, below] = [0, 0]
  for (const [place, value] of values.entries()) {
    above += (place - middle) * (value - mean)
    below += (place - middle) ** 2
  }
  return above / below
}

class GatewayProcess {
  readonly origin: string
  readonly #child: ReturnType<typeof fork>

  private constructor(child: ReturnType<typeof fork>, origin: string) {
    this.#child = child
    this.origin = origin
  }

  static async start(config: object): Promise<GatewayProcess> {
    const child = fork(join(import.meta.dirname, 'gateway.ts'), [], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'],
      env: { ...process.env, KEYWISE_TOKEN: TOKEN, SOAK_CONFIG: JSON.stringify(config) },
    })
    const [{ origin }] = (await once(child, 'message')) as [{ origin: string }] // the first thing it says
    return new GatewayProcess(child, origin)
  }

  async heapBytes(): Promise<number> {
    return (await this.#tell<Pick<SoakState, 'heapBytes'>>('heap')).heapBytes
  }

  /** One question at a time: the next message is the answer. */
  async #tell<T>(question: 'heap' | 'state'): Promise<T> {
    this.#child.send(question)
    const [answer] = (await once(this.#child, 'message')) as [T]
    return answer
  }

  state(): Promise<SoakState> {
    return this.#tell<SoakState>('state')
  }

  /** The state once no more is open than there was before; the last one if that never happens. */
  async quiet(before: SoakState): Promise<SoakState> {
    const giveUpAt = performance.now() + LONGEST_QUIET_MS
    for (;;) {
      const state = await this.state()
      if (leaksOf(before, state).length === 0 || performance.now() > giveUpAt) return state
      await new Promise((resolve) => setTimeout(resolve, 3_000))
    }
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}

const COUNTED = ['calls', 'holds', 'sockets', 'timers', 'waiting', 'reserved'] as const

/** What is open afterwards and was not before: `timers 3, before 2`. */
export function leaksOf(before: SoakState, after: SoakState): readonly string[] {
  return COUNTED.filter((name) => after[name] > before[name]).map(
    (name) => `${name} ${after[name]}, before ${before[name]}`,
  )
}
