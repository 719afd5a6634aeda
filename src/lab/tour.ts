/**
 * The original's three days on a fast clock: first tests on day 1, groq limited on day 2, google preferred on day 3.
 * Nothing is scripted but the providers and the hours at which requests come: who answers is the manager's decision.
 */

import { APIManager, type CallResult, type RankedRow } from '../manager/apiManager.ts'
import { testApiKeys } from '../tester/apiKeyTester.ts'
import type { TestReport } from '../tester/report.ts'
import { type FakeWorld, startFakeProviders } from './fake/fakeProviders.ts'
import { RETIRED_MODEL, tourScenario } from './fake/worlds.ts'
import { FastClock } from './fastClock.ts'

interface TourOptions {
  /** Called as it happens. */
  readonly show: (scene: TourScene) => void
  /** Real time for the reader, after each scene; default none. */
  readonly pause?: () => Promise<void>
}

export type TourScene =
  | { readonly kind: 'day'; readonly day: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'tests'; readonly report: TestReport }
  | { readonly kind: 'call'; readonly at: number; readonly result: CallResult }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'ranking'; readonly rows: readonly RankedRow[] }

export interface TourResult {
  readonly report: TestReport
  readonly calls: readonly { readonly at: number; readonly result: CallResult }[]
  /** The ranking on the morning of the third day. */
  readonly ranking: readonly RankedRow[]
  /** Until when groq was parked on the second day, epoch milliseconds; null when it was not. */
  readonly groqParkedUntil: number | null
  /** Every call the simulated providers saw. */
  readonly seen: FakeWorld['calls']
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Monday 23 November 2026, midnight UTC. */
const MIDNIGHT = Date.UTC(2026, 10, 23)
/** What its users think of a provider's answers (the example in the original's documentation). */
const QUALITY: Readonly<Record<string, number>> = { groq: 0.92, google: 0.88, openrouter: 0.95 }
/** As in the original's file: written down by hand, and one of them is gone. */
const GROQ_MODELS = ['openai/gpt-oss-120b', RETIRED_MODEL]
/** The documented formula decides, without exploration. */
const SETTINGS = { routing: { strategy: 'score', exploration: { rate: 0 } } }

export async function runTour(options: TourOptions): Promise<TourResult> {
  const clock = new FastClock(MIDNIGHT + 9 * HOUR)
  const { now, sleep, monotonic } = clock
  const world = await startFakeProviders(tourScenario(), { now, sleep })
  const manager = new APIManager({
    config: { ...world.config(), groq: { ...world.config()['groq'], models: GROQ_MODELS }, settings: SETTINGS },
    env: {},
    logger: false,
    now,
    sleep,
    monotonic,
    random: () => 0.5,
  })
  try {
    await manager.ready()
    return await new Tour(options, clock, world, manager).run()
  } finally {
    await manager.close()
    await world.close()
  }
}

class Tour {
  readonly #options: TourOptions
  readonly #clock: FastClock
  readonly #world: FakeWorld
  readonly #manager: APIManager
  readonly #calls: { at: number; result: CallResult }[] = []

  constructor(options: TourOptions, clock: FastClock, world: FakeWorld, manager: APIManager) {
    this.#options = options
    this.#clock = clock
    this.#world = world
    this.#manager = manager
  }

  async run(): Promise<TourResult> {
    const report = await this.#firstDay()
    const groqParkedUntil = await this.#secondDay()
    const ranking = await this.#thirdDay()
    return { report, calls: this.#calls, ranking, groqParkedUntil, seen: this.#world.calls }
  }

  async #firstDay(): Promise<TestReport> {
    await this.#show({ kind: 'day', day: 1, text: 'Keys of Groq, OpenRouter and three of Google: all are tested.' })
    const report = await testApiKeys({ engine: this.#manager.engine })
    await this.#show({ kind: 'tests', report })
    await this.#judgeAll()
    for (const hour of [10, 12, 14, 16, 18, 20]) await this.#callAt(1, hour)
    return report
  }

  async #secondDay(): Promise<number | null> {
    await this.#show({ kind: 'day', day: 2, text: "Another program of the account uses up groq's day." })
    for (const hour of [9, 10, 11]) await this.#callAt(2, hour)
    this.#useUpTheDay()
    for (const hour of [11.5, 12, 14, 16, 18, 20, 22]) await this.#callAt(2, hour)
    const park = this.#manager.engine.learned.parks
      .list(this.#clock.now())
      .find((one) => one.target.provider === 'groq')
    await this.#show({ kind: 'note', text: park === undefined ? 'nobody is parked' : park.text })
    return park?.until ?? null
  }

  async #thirdDay(): Promise<readonly RankedRow[]> {
    await this.#show({ kind: 'day', day: 3, text: "groq's day has begun anew. Who is asked now? (strategy: score)" })
    this.#world.clearFaults('groq')
    for (const hour of [7, 7.5]) await this.#callAt(3, hour)
    await this.#clock.until(MIDNIGHT + 2 * DAY + 9 * HOUR)
    const ranking = this.#manager.rankTargets('What should I do today?')
    await this.#show({ kind: 'ranking', rows: ranking })
    await this.#callAt(3, 9)
    return ranking
  }

  /** Until the account's day ends at midnight UTC; the refusal says how long that is. */
  #useUpTheDay(): void {
    const left = (MIDNIGHT + 2 * DAY - this.#clock.now()) / 1000
    this.#world.fault('groq', { do: 'quota_day', retry_after: Math.ceil(left) })
  }

  /** People have rated some answers of each provider. */
  async #judgeAll(): Promise<void> {
    for (const { provider, model, keyIndex, eligible } of this.#manager.rankTargets()) {
      const quality = QUALITY[provider]
      if (!eligible || quality === undefined) continue
      for (let vote = 0; vote < 4; vote++) this.#manager.updateQualityScore(provider, model, keyIndex, quality)
    }
    await this.#show({ kind: 'note', text: 'people rate answers: groq 0.92, google 0.88, openrouter 0.95' })
  }

  async #callAt(day: number, hour: number): Promise<void> {
    await this.#clock.until(MIDNIGHT + (day - 1) * DAY + hour * HOUR)
    const at = this.#clock.now()
    const result = await this.#manager.callWithFallback(`What is new on day ${day} at ${hour}?`)
    this.#calls.push({ at, result })
    await this.#show({ kind: 'call', at, result })
  }

  async #show(scene: TourScene): Promise<void> {
    this.#options.show(scene)
    await this.#options.pause?.()
  }
}
