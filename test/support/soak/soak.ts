/**
 * Many requests through a gateway whose upstreams fail one call in ten: what callers get, how often the gateway refuses
 * by itself, and whether everything that was opened is closed again.
 */

import { AvoidableErrors, type AvoidableReport } from '../../../src/lab/avoidable.ts'
import { startFakeProviders } from '../../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../../src/lab/fake/scenario.ts'
import { fakeKey } from '../labCall.ts'
import { askSoak } from './askSoak.ts'
import { SoakFates } from './fates.ts'
import type { SoakState } from './gateway.ts'
import { GatewayProcess } from './gatewayProcess.ts'

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
const WARM_UP = 200
const MOST_AT_ONCE = 200
const SAMPLES = 20
const LEAVES = 0.01

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
      heap.push((await this.#gateway.heap()).heapBytes)
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
    const { received, text, isLocal } = await askSoak(this.#gateway.origin, request, leaves)
    this.#observer.saw(received, () => this.#fates.couldAnswer(request))
    if (received === 'left') this.#left++
    if (isLocal) this.#refusedLocally++
    if (received === 'answer' || received === 'left') return
    this.#examples[received] ??= []
    if (this.#examples[received].length < 3) this.#examples[received].push(text.slice(0, 300))
  }
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
