/** Runs the failover scenarios against a gateway over real HTTP, on the system's clock or on a simulated one. */

import { Dice } from '../../../src/domain/random.ts'
import { AvoidableErrors, type AvoidableReport } from '../../../src/lab/avoidable.ts'
import { type RunningGateway, startGateway } from '../../../src/server/serve.ts'
import { SimulatedTime } from '../simulatedTime.ts'
import { callGateway, type Heard } from './caller.ts'
import { FAILOVER_SCENARIOS, type FailoverScenario, type Judged, type Seen, verdictOf } from './scenarios.ts'
import { Wall, type WallModel } from './wall.ts'

/**
 * `best`: what the documentation advises for failover. `rescue`: only the rescue of plain text is switched on.
 * `defaults`: no setting but the aliases.
 */
export type FailoverSettings = 'best' | 'rescue' | 'defaults'

export interface ScenarioResult extends Judged {
  readonly scenario: FailoverScenario
  readonly seen: Seen
}

export interface FailoverResult {
  readonly results: readonly ScenarioResult[]
  readonly avoidable: AvoidableReport
}

interface RunOptions {
  readonly settings: FailoverSettings
  /** Ids of scenarios; default all. */
  readonly only?: readonly string[]
  /** Waits take no time. */
  readonly isSimulated?: boolean
  /** In simulated time: what the product draws, and how late each request comes. Default 1. */
  readonly seed?: number
}

const TOKENS = { inference: `test-inference-${'t'.repeat(20)}`, admin: `test-admin-${'a'.repeat(20)}` }
const MONDAY = Date.UTC(2026, 10, 23, 9)
const ALIVE_MS = 10_000
const MOST_LATE_MS = 300
const MOST_BEGINNINGS = 50
/** Aliases: the scenario's primary with its fallback, and the fallback alone. */
const [CASE, HEALTHY] = ['case', 'healthy']

const RESCUE = { streaming: { rescue: 'text' } }
const SETTINGS: { readonly [S in FailoverSettings]: { readonly rescue: boolean; readonly settings: object } } = {
  best: {
    rescue: true,
    settings: {
      ...RESCUE,
      routing: { strategy: 'priority' },
      timeouts: { first_token_ms: 10_000, idle_ms: 10_000 },
    },
  },
  rescue: { rescue: true, settings: RESCUE },
  defaults: { rescue: false, settings: {} },
}

/** Time as the run needs it: the system's, or a simulated one. */
interface RunTime {
  readonly now: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  during<T>(work: Promise<T>): Promise<T>
  /** Milliseconds by which a request comes late, as on a real machine it does by itself. */
  late(): number
  /** What the gateway is given. */
  readonly options: object
  end(): void
}

/**
 * Every scenario begins with a wall and a gateway of its own, because what one scenario taught about the fallback would
 * keep the next from asking its primary at all. On the system's clock they run beside each other.
 */
export async function runFailover(options: RunOptions): Promise<FailoverResult> {
  const { only } = options
  const scenarios = FAILOVER_SCENARIOS.filter(({ id }) => only === undefined || only.includes(id))
  const results: ScenarioResult[] = []
  if (options.isSimulated) for (const scenario of scenarios) results.push(await runScenario(scenario, options))
  else results.push(...(await Promise.all(scenarios.map((scenario) => runScenario(scenario, options)))))
  const observer = new AvoidableErrors()
  for (const { scenario, seen } of results)
    for (const heard of seen.heard)
      observer.saw(receivedOf(scenario, heard), () => SETTINGS[options.settings].rescue || !heard.hasBegun)
  return { results, avoidable: observer.report }
}

/**
 * A strategy that learns may give the first request to the fallback, and then the scenario shows nothing: it is begun
 * anew until the primary was asked.
 */
async function runScenario(scenario: FailoverScenario, options: RunOptions): Promise<ScenarioResult> {
  for (let begun = 0; begun < MOST_BEGINNINGS; begun++) {
    const seen = await runOnce(scenario, options)
    if (seen !== null) return { scenario, seen, ...verdictOf(scenario, seen) }
  }
  throw new Error(`${scenario.id}: the primary was not asked in any of ${MOST_BEGINNINGS} first requests`)
}

/** Null when the first request went to the fallback. */
async function runOnce(scenario: FailoverScenario, { settings, isSimulated, seed }: RunOptions): Promise<Seen | null> {
  const holder: { wall?: Wall } = {}
  const time = isSimulated ? simulatedTime(() => holder.wall?.isBusy ?? false, seed) : systemTime()
  const wall = await Wall.start(time)
  holder.wall = wall
  const gateway = await openGateway(scenario, wall, settings, time)
  try {
    await time.during(gateway.opened.ready())
    return await see(scenario, { gateway, wall, time })
  } finally {
    await time.during(gateway.close(0))
    time.end()
    await wall.close()
  }
}

/**
 * The fallback is healthy all the time, so whatever is no answer could have been one; but for the caller's own fault,
 * and for what broke off after its first content where no target may go on with it.
 */
function receivedOf({ ideal }: FailoverScenario, { outcome }: Heard) {
  if (ideal === 'error') return 'refused'
  if (outcome === 'answer') return 'answer'
  return outcome === 'cut' ? 'malformed' : 'error'
}

interface Stage {
  readonly gateway: RunningGateway
  readonly wall: Wall
  readonly time: RunTime
}

async function see(scenario: FailoverScenario, stage: Stage): Promise<Seen | null> {
  const { wall, time } = stage
  const { count, everyMs } = scenario.sequence ?? { count: 1, everyMs: 0 }
  wall.forget()
  const began = time.now()
  const heard: Heard[] = []
  const sentAt: number[] = []
  for (let place = 0; place < count; place++) {
    await time.during(time.sleep(Math.max(0, began + place * everyMs + time.late() - time.now())))
    sentAt.push(time.now() - began)
    heard.push(await ask(stage, { model: CASE, stream: true, longestMs: scenario.longestMs }))
    if (wall.calls[0]?.model !== scenario.primary) return null
  }
  const calls = [...wall.calls]
  const alive = await ask(stage, { model: HEALTHY, stream: false, longestMs: ALIVE_MS })
  return {
    heard,
    sentAt,
    primary: calls.filter(({ model }) => model === scenario.primary),
    fallback: calls.filter(({ model }) => model === scenario.fallback),
    fallbackModel: scenario.fallback,
    isAlive: alive.outcome === 'answer',
  }
}

function ask(
  { gateway, time }: Stage,
  call: { readonly model: string; readonly stream: boolean; readonly longestMs: number },
): Promise<Heard> {
  const { now, sleep } = time
  return time.during(callGateway({ ...call, origin: gateway.app.origin, token: TOKENS.inference, now, sleep }))
}

/** The primary its own provider block: a provider that fails is not one that limits another model. */
function openGateway(
  { primary, fallback }: FailoverScenario,
  wall: Wall,
  settings: FailoverSettings,
  time: RunTime,
): Promise<RunningGateway> {
  const block = (models: readonly WallModel[]) => ({ endpoint: wall.endpoint, api_key: wall.key, models })
  const models = { [CASE]: [`primary/${primary}`, `fallback/${fallback}`], [HEALTHY]: ['fallback/ok'] }
  return startGateway({
    config: {
      primary: block([primary]),
      fallback: block(['ok', 'no-prefill']),
      settings: { models, ...SETTINGS[settings].settings },
    },
    store: 'memory:',
    port: 0,
    env: { KEYWISE_TOKEN: TOKENS.inference, KEYWISE_ADMIN_TOKEN: TOKENS.admin },
    logger: SILENT,
    ...time.options,
  })
}

const SILENT = { info: () => {}, warn: () => {}, error: () => {} }

function systemTime(): RunTime {
  const sleep = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  return { now: () => performance.now(), sleep, during: (work) => work, options: {}, late: () => 0, end: () => {} }
}

function simulatedTime(isBusy: () => boolean, seed = 1): RunTime {
  const dice = new Dice(seed)
  const time = new SimulatedTime({ startsAt: MONDAY, isBusy })
  const { now, monotonic, sleep } = time
  const release = time.holdIntervals()
  const during = <T>(work: Promise<T>) => time.during(work)
  return {
    now,
    sleep,
    during,
    options: { now, monotonic, sleep, random: () => dice.uniform() },
    late: () => dice.uniform() * MOST_LATE_MS,
    end: release,
  }
}

/** `13 pass, 2 partial, 0 safe, 1 fail` */
export function countsOf(results: readonly ScenarioResult[]): Readonly<Record<Judged['verdict'], number>> {
  const counts = { pass: 0, partial: 0, safe: 0, fail: 0 }
  for (const { verdict } of results) counts[verdict]++
  return counts
}
