/** A manager over simulated providers, for tests of what crosses rooms. */

import { onTestFinished } from 'vitest'
import type { AttemptReport } from '../../src/domain/attempt.ts'
import { KeywiseError } from '../../src/domain/errors.ts'
import type { CallContext } from '../../src/engine/request/readContext.ts'
import type { FakeOptions, FakeWorld } from '../../src/lab/fake/fakeProviders.ts'
import type { FakeScenario } from '../../src/lab/fake/scenario.ts'
import { APIManager, type APIManagerOptions, type CallResult } from '../../src/manager/apiManager.ts'
import { fakeKey, openWorld } from './labCall.ts'

export interface Lab {
  readonly world: FakeWorld
  readonly manager: APIManager
  /** Which targets were asked since the last time, as `provider/model#key`. */
  asked(): string[]
  /** One call, its answer or its error. */
  call(context?: CallContext): Promise<Told>
  /** The same as a stream. */
  stream(context?: CallContext): Promise<Told>
}

/** What a call came to, either way. */
export interface Told {
  readonly result: CallResult | null
  readonly error: KeywiseError | null
  readonly attempts: readonly AttemptReport[]
  /** `groq/m#1=rate_minute; google/m#1=ok` */
  readonly trail: string
}

export interface LabOptions {
  readonly manager?: APIManagerOptions
  readonly settings?: object
  readonly world?: FakeOptions
  /** Replaces blocks of the world's configuration. */
  readonly config?: (config: Record<string, Record<string, unknown>>) => object
}

/** The order in which targets are tried is the configuration's, so that tests can predict the next target. */
const IN_ORDER = { routing: { strategy: 'priority', exploration: { rate: 0 } } }

export async function openLab(scenario: FakeScenario, options: LabOptions = {}): Promise<Lab> {
  const world = await openWorld(scenario, options.world)
  const manager = openManager(world, options)
  await manager.ready()
  return {
    world,
    manager,
    asked: () => takeCalls(world),
    call: (context = 'Say hi') => told(manager, context),
    stream: (context = 'Say hi') => outcomeOf(manager.streamWithFallback(context).result),
  }
}

/** A manager of its own over a world, closed with the test. */
export function openManager(world: FakeWorld, options: LabOptions = {}): APIManager {
  const config = options.config?.(world.config()) ?? world.config()
  const manager = new APIManager({
    config: { ...config, settings: { ...IN_ORDER, ...options.settings } },
    env: {},
    logger: false,
    // The shortest pause before a second try.
    random: () => 0,
    ...options.manager,
  })
  onTestFinished(() => manager.close())
  return manager
}

export const told = (manager: APIManager, context: CallContext) => outcomeOf(manager.callWithFallback(context))

async function outcomeOf(answer: Promise<CallResult>): Promise<Told> {
  try {
    const result = await answer
    return { result, error: null, attempts: result.attempts, trail: trailOf(result.attempts) }
  } catch (error) {
    if (!(error instanceof KeywiseError)) throw error
    return { result: null, error, attempts: error.attempts, trail: trailOf(error.attempts) }
  }
}

export const trailOf = (attempts: readonly AttemptReport[]) =>
  attempts.map((attempt) => `${attempt.target}=${attempt.failureKind ?? 'ok'}`).join('; ')

function takeCalls(world: FakeWorld): string[] {
  const calls = world.calls.map(({ provider, model, key }) => `${provider}/${model}#${key}`)
  world.forget()
  return calls
}

/** A custom provider with this many keys and these models. */
export function own(
  provider: string,
  keys: number,
  models: readonly string[],
  more: object = {},
): FakeScenario['providers'] {
  return {
    [provider]: {
      keys: Object.fromEntries(Array.from({ length: keys }, (_, index) => [fakeKey(provider, index + 1), {}])),
      models: Object.fromEntries(models.map((model) => [model, {}])),
      ...more,
    },
  }
}
