/**
 * The demo: simulated providers with realistic faults, all targets tested, then traffic over them. Nothing is written.
 */

import type { AttemptReport } from '../domain/attempt.ts'
import { KeywiseError } from '../domain/errors.ts'
import { silentLogger } from '../domain/logger.ts'
import { Dice } from '../domain/random.ts'
import type { SessionSummary } from '../engine/memory/summary.ts'
import { APIManager, type CallResult, type RankedRow } from '../manager/apiManager.ts'
import { type App, startApp } from '../server/app.ts'
import { Tokens } from '../server/tokens.ts'
import { testApiKeys } from '../tester/apiKeyTester.ts'
import type { TestReport } from '../tester/report.ts'
import { type FakeWorld, startFakeProviders } from './fake/fakeProviders.ts'
import { demoScenario } from './fake/worlds.ts'

interface DemoOptions {
  /** Called as it happens. */
  readonly show: (scene: DemoScene) => void
  /** Ends the traffic; what is under way is waited for. */
  readonly signal: AbortSignal
  /** How long the traffic is meant to last, for the timing of the incidents; default a minute. */
  readonly seconds?: number
}

export interface DemoCall {
  readonly prompt: string
  /** Null when no target answered. */
  readonly result: Pick<CallResult, 'provider' | 'model' | 'keyIndex' | 'responseTime' | 'score'> | null
  readonly attempts: readonly AttemptReport[]
  readonly streamed: boolean
}

export type DemoScene =
  | { readonly kind: 'gateway'; readonly origin: string; readonly token: string }
  | { readonly kind: 'tests'; readonly report: TestReport }
  | { readonly kind: 'call'; readonly call: DemoCall }
  | { readonly kind: 'incident'; readonly text: string }
  | { readonly kind: 'ranking'; readonly rows: readonly RankedRow[] }

export interface DemoSummary {
  readonly tests: TestReport['summary']
  readonly session: SessionSummary
  /** Calls that were answered although at least one attempt had failed. */
  readonly rescued: number
  /** Failed attempts by class. */
  readonly failures: Readonly<Record<string, number>>
  readonly ranking: readonly RankedRow[]
}

interface ScriptedIncident {
  /** When, as a share of the demo's time. */
  readonly at: number
  readonly text: string
  readonly happen: (world: FakeWorld) => void
}

const INCIDENTS: readonly ScriptedIncident[] = [
  {
    at: 0.2,
    text: 'groq is overloaded',
    happen: (world) => world.fault('groq', { do: 'overloaded', chance: 0.8, retry_after: 3 }),
  },
  { at: 0.4, text: 'groq has recovered', happen: (world) => world.clearFaults('groq') },
  { at: 0.5, text: 'somebody revokes the first key of google', happen: (world) => world.revoke('google', 1) },
  {
    at: 0.7,
    text: 'streams of openrouter break off after a few words',
    happen: (world) => world.fault('openrouter', { do: 'cut_reset', chance: 0.5, chunks: 2 }),
  },
]

const PROMPTS = [
  'Summarise this week in three sentences',
  'Name a constellation',
  'Write a haiku about retries',
  'What is 17 times 23?',
  'Translate "good morning" into Spanish',
  'Give me a commit title for a fixed timeout',
  'Explain a mutex to a child',
  'Which planet is the largest?',
]

const DEFAULT_SECONDS = 60
/** Between two arrivals, on average. */
const PACE_MS = 300
const RANKING_EVERY = 20
/** Most requests under way at once. */
const MOST_AT_ONCE = 6

/** Runs until the signal ends it. */
export async function runDemo(options: DemoOptions): Promise<DemoSummary> {
  const world = await startFakeProviders(demoScenario())
  const manager = new APIManager({ config: world.config(), env: {}, logger: false })
  let app: App | null = null
  try {
    await manager.ready()
    app = await openGateway(manager, options.show)
    return await new Demo(options, world, manager).run()
  } finally {
    await app?.close(0)
    await manager.close()
    await world.close()
  }
}

const MAX_BODY_BYTES = 32 * 1024 * 1024

/** The same engine behind a gateway on a free port, to be used while the demo runs. */
async function openGateway(manager: APIManager, show: DemoOptions['show']): Promise<App> {
  const { engine } = manager
  const tokens = new Tokens({
    store: engine.store,
    folder: null,
    inference: null,
    admin: null,
    now: () => engine.now,
  })
  const app = await startApp({
    engine,
    logger: silentLogger,
    tokens,
    host: '127.0.0.1',
    port: 0,
    maxBodyBytes: MAX_BODY_BYTES,
    allowedHosts: [],
    allowedOrigins: [],
    accessLog: false,
    ready: () => manager.ready(),
  })
  const fresh = tokens.fresh.find(({ scope }) => scope === 'inference')
  show({ kind: 'gateway', origin: app.origin, token: fresh?.token ?? '' })
  return app
}

class Demo {
  readonly #options: DemoOptions
  readonly #world: FakeWorld
  readonly #manager: APIManager
  readonly #dice = new Dice(7)
  readonly #failures: Record<string, number> = {}
  readonly #running = new Set<Promise<void>>()
  #calls = 0
  #rescued = 0

  constructor(options: DemoOptions, world: FakeWorld, manager: APIManager) {
    this.#options = options
    this.#world = world
    this.#manager = manager
  }

  async run(): Promise<DemoSummary> {
    const { signal, show } = this.#options
    const report = await testApiKeys({ engine: this.#manager.engine, signal })
    show({ kind: 'tests', report })
    await this.#traffic()
    await Promise.all(this.#running)
    return {
      tests: report.summary,
      session: this.#manager.getSessionSummary(),
      rescued: this.#rescued,
      failures: this.#failures,
      ranking: this.#manager.rankTargets(),
    }
  }

  async #traffic(): Promise<void> {
    const { signal, seconds = DEFAULT_SECONDS, show } = this.#options
    const incidents = [...INCIDENTS]
    const startedAt = performance.now()
    while (!signal.aborted) {
      const share = (performance.now() - startedAt) / (seconds * 1000)
      for (let next = incidents[0]; next !== undefined && next.at <= share; next = incidents[0]) {
        incidents.shift()
        next.happen(this.#world)
        show({ kind: 'incident', text: next.text })
      }
      if (this.#running.size < MOST_AT_ONCE) this.#begin()
      await pause(PACE_MS * (0.4 + 1.2 * this.#dice.uniform()), signal)
    }
  }

  #begin(): void {
    const call = this.#call().finally(() => this.#running.delete(call))
    this.#running.add(call)
  }

  async #call(): Promise<void> {
    this.#calls++
    const prompt = `${PROMPTS[this.#dice.bits() % PROMPTS.length]} (${this.#calls})`
    const streamed = this.#dice.uniform() < 0.4
    const call = await this.#ask(prompt, streamed)
    for (const { failureKind } of call.attempts)
      if (failureKind !== null) this.#failures[failureKind] = (this.#failures[failureKind] ?? 0) + 1
    if (call.result !== null && call.attempts.length > 1) this.#rescued++
    this.#options.show({ kind: 'call', call })
    if (this.#calls % RANKING_EVERY === 0)
      this.#options.show({ kind: 'ranking', rows: this.#manager.rankTargets().slice(0, 6) })
  }

  async #ask(prompt: string, streamed: boolean): Promise<DemoCall> {
    try {
      const result = await (streamed
        ? this.#manager.streamWithFallback(prompt).result
        : this.#manager.callWithFallback(prompt))
      return { prompt, result, attempts: result.attempts, streamed }
    } catch (error) {
      if (!(error instanceof KeywiseError)) throw error
      return { prompt, result: null, attempts: error.attempts, streamed }
    }
  }
}

/** Ends early when the signal does. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
