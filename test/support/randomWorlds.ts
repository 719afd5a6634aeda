/**
 * Random worlds for properties of the cascade: one provider (or several) whose every target fails, and one healthy target
 * elsewhere, with any number of keys and models, any strategy, by alias or `auto`, plain or streamed.
 */

import type { ServerResponse } from 'node:http'
import fc from 'fast-check'
import type { AttemptReport } from '../../src/domain/attempt.ts'
import { KeywiseError } from '../../src/domain/errors.ts'
import { type FakeWorld, type InterceptedCall, startFakeProviders } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeFault, FakeScenario } from '../../src/lab/fake/scenario.ts'
import { APIManager } from '../../src/manager/apiManager.ts'
import { fakeKey } from './labCall.ts'
import { SimulatedTime } from './simulatedTime.ts'

/** Every way to fail that is not the request's own fault. */
export const TARGET_FAULTS = [
  'rate_minute',
  'quota_day',
  'billing',
  'in_flight_budget',
  'auth_invalid',
  'auth_forbidden',
  'overloaded',
  'server',
  'model_not_found',
  'context_too_long',
  'too_large_for_limit',
  'unsupported',
  'zero_quota',
  'reset',
  'stall',
  'silence',
  'html',
  'empty',
  'error_in_200',
] as const satisfies readonly FakeFault['do'][]

const STRATEGIES = ['learned', 'score', 'score-original', 'priority', 'round-robin'] as const
const DIALECTS = ['openai', 'anthropic', 'google', 'openai-responses'] as const

/** The caller's deadline. The healthy target answers at once, so time is there for a few silent ones. */
const DEADLINE_MS = 60_000
const MONDAY = Date.UTC(2026, 10, 23, 9)

interface RandomProvider {
  readonly dialect: (typeof DIALECTS)[number]
  readonly keys: number
  readonly models: number
}

export interface RandomWorld {
  /** All targets of these fail, each in the same way. */
  readonly failing: readonly (RandomProvider & { readonly fault: (typeof TARGET_FAULTS)[number] })[]
  /** Its one key and one model answer. */
  readonly healthy: RandomProvider
  /** Where the healthy target stands in the configuration and the alias, 0..1. */
  readonly place: number
  readonly strategy: (typeof STRATEGIES)[number]
  readonly byAlias: boolean
  readonly stream: boolean
  /** The user's `max_attempts`; null for the default. */
  readonly maxAttempts: number | null
  /** Successful requests before the failures begin. */
  readonly warmUp: number
  readonly luck: number
}

const someProvider = fc.record({
  dialect: fc.constantFrom(...DIALECTS),
  keys: fc.integer({ min: 1, max: 3 }),
  models: fc.integer({ min: 1, max: 6 }),
})

/** `failing`: how many providers fail. With one, two attempts and more are enough. */
export function someWorld({ failing = 1 }: { readonly failing?: number } = {}): fc.Arbitrary<RandomWorld> {
  return fc.record({
    failing: fc.array(
      fc.tuple(someProvider, fc.constantFrom(...TARGET_FAULTS)).map(([one, fault]) => ({ ...one, fault })),
      { minLength: failing, maxLength: failing },
    ),
    healthy: someProvider.map((one) => ({ ...one, keys: 1, models: 1 })),
    place: fc.constantFrom(0, 0.5, 1),
    strategy: fc.constantFrom(...STRATEGIES),
    byAlias: fc.boolean(),
    stream: fc.boolean(),
    // One provider that fails may take one attempt less than there are.
    maxAttempts: fc.option(fc.integer({ min: failing + 1, max: 5 }), { nil: null }),
    warmUp: fc.constantFrom(0, 0, 3, 12),
    luck: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
}

/** What became of one request in a world. */
export interface WorldOutcome {
  /** Whether the caller got a whole answer. */
  readonly isAnswered: boolean
  readonly attempts: readonly AttemptReport[]
  /** `bad1/m1#1=server; good/m1#1=ok` */
  readonly trail: string
  readonly error: string | null
}

/**
 * One request in the world after its warm-up, over real HTTP and in simulated time, so that neither silence nor a busy
 * machine costs anything. Holds the intervals of the process meanwhile: one world at a time.
 */
export async function askWorld(world: RandomWorld): Promise<WorldOutcome> {
  const stage = await setUp(world)
  const { time, fakes, manager } = stage
  try {
    await time.during(manager.ready())
    for (let place = 0; place < world.warmUp; place++) await time.during(ask(manager, world))
    stage.begin()
    return await time.during(ask(manager, world))
  } finally {
    await time.during(manager.close())
    stage.release()
    await fakes.close()
  }
}

interface Stage {
  readonly time: SimulatedTime
  readonly fakes: FakeWorld
  readonly manager: APIManager
  /** From now on what fails fails. */
  begin(): void
  release(): void
}

async function setUp(world: RandomWorld): Promise<Stage> {
  const blocks = inOrder(world)
  const silence = new Silence(world)
  const time = new SimulatedTime({ startsAt: MONDAY, isBusy: () => fakes.inFlight() > silence.calls })
  const { now, monotonic, sleep } = time
  const fakes = await startFakeProviders(scenarioOf(world, blocks), {
    now,
    sleep,
    instead: (call, response) => silence.keeps(call, response),
  })
  const release = time.holdIntervals()
  const manager = new APIManager({
    config: configOf(world, blocks, fakes.config()),
    env: {},
    logger: false,
    random: () => world.luck,
    ...{ now, monotonic, sleep },
  })
  const begin = () => {
    silence.hasBegun = true
    for (const [place, { fault }] of world.failing.entries())
      if (!isSilent(fault)) fakes.fault(badId(place), { do: fault })
  }
  return { time, fakes, manager, begin, release }
}

const isSilent = (fault: FakeFault['do']) => fault === 'silence' || fault === 'stall'
const badId = (place: number) => `bad${place + 1}`

/** Leaves calls without an answer, and counts them: they wait for time to pass. */
class Silence {
  readonly #faults: ReadonlyMap<string, FakeFault['do']>
  hasBegun = false
  calls = 0

  constructor({ failing }: RandomWorld) {
    this.#faults = new Map(failing.map(({ fault }, place) => [badId(place), fault]))
  }

  keeps({ provider }: InterceptedCall, response: ServerResponse): boolean {
    const fault = this.#faults.get(provider)
    if (!this.hasBegun || fault === undefined || !isSilent(fault)) return false
    if (fault === 'stall') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
    }
    this.calls++
    response.on('close', () => this.calls--)
    return true
  }
}

async function ask(manager: APIManager, { byAlias, stream }: RandomWorld): Promise<WorldOutcome> {
  const context = { prompt: 'Say hi', model: byAlias ? 'any' : 'auto', timeoutMs: DEADLINE_MS }
  try {
    const result = stream ? await streamed(manager, context) : await manager.callWithFallback(context)
    return outcomeOf(result.attempts, result.content === '' ? 'the answer is empty' : null)
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    return outcomeOf(error.attempts, error.message)
  }
}

async function streamed(
  manager: APIManager,
  context: { readonly prompt: string; readonly model: string; readonly timeoutMs: number },
) {
  const stream = manager.streamWithFallback(context)
  for await (const _ of stream);
  return stream.result
}

function outcomeOf(attempts: readonly AttemptReport[], error: string | null): WorldOutcome {
  const trail = attempts.map(({ target, failureKind }) => `${target}=${failureKind ?? 'ok'}`).join('; ')
  return { isAnswered: error === null, attempts, trail, error }
}

type Block = readonly [id: string, provider: RandomProvider]

function inOrder({ failing, healthy, place }: RandomWorld): readonly Block[] {
  const blocks = failing.map((one, place): Block => [badId(place), one])
  blocks.splice(Math.round(place * blocks.length), 0, ['good', healthy])
  return blocks
}

const modelsOf = ({ models }: RandomProvider) => Array.from({ length: models }, (_, index) => `m${index + 1}`)

function scenarioOf({ luck }: RandomWorld, blocks: readonly Block[]): FakeScenario {
  const providers = blocks.map(([id, provider]) => {
    const keys = Array.from({ length: provider.keys }, (_, index) => [fakeKey(id, index + 1), {}])
    const models = modelsOf(provider).map((model) => [model, {}])
    return [id, { dialect: provider.dialect, keys: Object.fromEntries(keys), models: Object.fromEntries(models) }]
  })
  return { seed: Math.floor(luck * 1000), providers: Object.fromEntries(providers) }
}

function configOf(world: RandomWorld, blocks: readonly Block[], config: Readonly<Record<string, object>>): object {
  const any = blocks.flatMap(([id, provider]) => modelsOf(provider).map((model) => `${id}/${model}`))
  return {
    ...config,
    settings: {
      models: { any },
      routing: { strategy: world.strategy },
      timeouts: { first_token_ms: 5_000 },
      ...(world.maxAttempts !== null && { max_attempts: world.maxAttempts }),
    },
  }
}
