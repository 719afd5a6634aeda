/** A gateway over two providers: one behind a network that fails as a test says, and one that is well. */

import { expect, onTestFinished } from 'vitest'
import type { DialectId } from '../../../src/domain/chat.ts'
import type { FailureKind } from '../../../src/domain/failure.ts'
import type { AttemptEvent } from '../../../src/domain/store.ts'
import type { FakeFault } from '../../../src/lab/fake/scenario.ts'
import { type Answer, askGateway, DIALECTS, textOf } from '../askGateway.ts'
import { type GatewayWorld, openGateway, until, type WorldOptions } from '../gatewayWorld.ts'
import { HandClock } from '../handClock.ts'
import { type End, type FaultProxy, type Place, startFaultProxy } from './faultProxy.ts'

/** Long enough for several pieces, and no word of it occurs twice. */
export const REPLY =
  'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo'
/** In the first piece of the answer, and in one of the middle. */
export const FIRST_WORD = 'alpha'
export const MIDDLE_WORD = 'golf'

export interface FaultWorldOptions {
  /** What both providers, and the clients, speak. Default: OpenAI's chat. */
  readonly dialect?: DialectId
  readonly settings?: object
  /** Faults of the first provider itself, beside those of its network. */
  readonly faults?: readonly FakeFault[]
  /** The time that deadlines are kept by, moved by hand; the network sleeps by it too. */
  readonly clock?: HandClock
  readonly world?: WorldOptions
  /** What stands behind the proxy in the place of the first provider. */
  readonly behind?: string
  /** In the place of the proxy's address. */
  readonly endpoint?: string
  /** The host of the second provider's address, where it is not to look like this machine. */
  readonly fallbackHost?: string
  /** Without the second provider. */
  readonly alone?: boolean
}

export interface FaultWorld {
  readonly gateway: GatewayWorld
  readonly proxy: FaultProxy
  readonly clock: HandClock
  readonly dialect: DialectId
  /** Rejections that nobody handled since it was opened. */
  readonly unhandled: readonly unknown[]
  ask(stream: boolean, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** The same, while time passes, `stepMs` of it between two looks at the deadlines. */
  askWhile(stepMs: number, stream: boolean): Promise<Answer>
  /** Ends the connection of the next questions, `times` of them, at this place; models lists are read undisturbed. */
  strike(end: End['do'], at: Place, times?: number): void
  /** Forgets what happened so far: parks, faults of the network, and what was booked. */
  renew(): void
  /** What the ledger has since then, oldest first. */
  ledger(): readonly AttemptEvent[]
  /** `primary=network; fallback=ok` */
  trail(): string
  /** Fails unless everything was let go: sockets to the upstream, holds, deadlines. */
  expectReleased(): Promise<void>
}

export async function openFaultWorld(options: FaultWorldOptions = {}): Promise<FaultWorld> {
  const { dialect = 'openai', clock = new HandClock(), settings, faults = [], endpoint, alone = false } = options
  const proxy = await startFaultProxy(options.clock === undefined ? {} : { sleep: clock.sleep })
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  const gateway = await openGateway(
    {
      providers: {
        primary: { dialect, models: { 'first-model': { reply: REPLY } }, faults: [...faults] },
        ...(!alone && { fallback: { dialect, models: { 'second-model': { reply: REPLY } } } }),
      },
    },
    {
      settings: {
        routing: { strategy: 'priority', exploration: { rate: 0 } },
        models: { pair: alone ? ['first-model'] : ['first-model', 'second-model'] },
        ...settings,
      },
      ...(options.clock !== undefined && { monotonic: clock.monotonic, sleep: clock.sleep }),
      ...options.world,
      reconfigure: (config) => {
        const real = new URL(options.behind ?? String(config['primary']?.['endpoint']))
        proxy.lead(real.origin)
        real.port = String(proxy.port)
        const fallback = new URL(String(config['fallback']?.['endpoint'] ?? real))
        fallback.hostname = options.fallbackHost ?? fallback.hostname
        return {
          primary: { ...config['primary'], endpoint: endpoint ?? real.href },
          ...(!alone && { fallback: { ...config['fallback'], endpoint: fallback.href } }),
        }
      },
    },
  )
  const world = new OpenFaultWorld(gateway, proxy, clock, dialect, unhandled)
  onTestFinished(async () => {
    await gateway.close()
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })
  return world
}

class OpenFaultWorld implements FaultWorld {
  readonly gateway: GatewayWorld
  readonly proxy: FaultProxy
  readonly clock: HandClock
  readonly dialect: DialectId
  readonly unhandled: readonly unknown[]
  #booked = 0

  constructor(
    gateway: GatewayWorld,
    proxy: FaultProxy,
    clock: HandClock,
    dialect: DialectId,
    unhandled: readonly unknown[],
  ) {
    this.gateway = gateway
    this.proxy = proxy
    this.clock = clock
    this.dialect = dialect
    this.unhandled = unhandled
  }

  ask(stream: boolean, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return askGateway(this.gateway, this.dialect, { model: 'pair', stream, headers })
  }

  async askWhile(stepMs: number, stream: boolean): Promise<Answer> {
    let isDone = false
    const asking = this.ask(stream).finally(() => {
      isDone = true
    })
    const { deadlines } = this.gateway.gateway.opened.engine.tools
    await until(() => deadlines.size > 0, 'the call')
    while (!isDone) {
      this.clock.pass(stepMs)
      await looks()
    }
    return asking
  }

  strike(end: End['do'], at: Place, times = Number.POSITIVE_INFINITY): void {
    this.proxy.add({ do: end, at }, { times, of: 'POST' })
  }

  renew(): void {
    const { engine } = this.gateway.gateway.opened
    this.proxy.heal()
    engine.learned.parks.lift(null, engine.now)
    this.#booked += this.ledger().length
  }

  ledger(): readonly AttemptEvent[] {
    const { store } = this.gateway.gateway.opened.engine
    const rows = [...store.attempts({ limit: 10_000 })].reverse() as readonly AttemptEvent[] // newest first
    return rows.slice(this.#booked)
  }

  trail(): string {
    return this.ledger()
      .map(({ target, failure }) => `${target.provider}=${failure?.kind ?? 'ok'}`)
      .join('; ')
  }

  async expectReleased(): Promise<void> {
    const { engine } = this.gateway.gateway.opened
    await until(() => engine.tools.deadlines.size === 0, 'the end of every deadline')
    await until(() => this.gateway.fakes.inFlight() === 0, 'the end of every upstream call')
    await until(() => this.proxy.silent === 0, 'the end of every silent connection')
    for (const budget of engine.learned.budgets.view(Date.now())) expect(budget).toMatchObject({ reserved: 0 })
    expect(this.unhandled).toEqual([])
  }
}

/** Time for two looks at the deadlines: the first after a leap of the clock takes it for our own standstill. */
export const looks = () => new Promise((resolve) => setTimeout(resolve, 110))

/** Expects one clean answer of the second provider, after a failure of the first of this kind. */
export async function expectCascade(world: FaultWorld, stream: boolean, kind: FailureKind): Promise<Answer> {
  const answer = await world.ask(stream)
  expectAnswer(answer, `primary/first-model#1=${kind}; fallback/second-model#1=ok`)
  await until(() => world.ledger().length >= 2, 'the booking')
  expect(world.trail()).toBe(`primary=${kind}; fallback=ok`)
  expectNothingTaken(world)
  await world.expectReleased()
  return answer
}

/** A whole answer, after this trail. */
export function expectAnswer(answer: Answer, trail: string): void {
  expect({ status: answer.status, trail: answer.trail, text: textOf(answer.read) }, answer.text).toEqual({
    status: 200,
    trail,
    text: REPLY,
  })
}

/** How a client of the dialect learns that an answer broke off. */
export const BROKEN: { readonly [D in DialectId]: RegExp } = {
  openai: /\ndata: \{"error":/,
  'openai-responses': /\nevent: response\.failed\n/,
  anthropic: /\nevent: error\n/,
  google: /\ndata: \{"error":/,
}

/** Expects a stream that had begun to end with an error of its protocol, its attempt booked once with what it used. */
export async function expectBrokenOff(world: FaultWorld, answer: Answer, kind: FailureKind): Promise<void> {
  expect({ status: answer.status, read: answer.read }).toEqual({ status: 200, read: null })
  expect(answer.text).toContain(FIRST_WORD.slice(0, 4))
  expect(`\n${answer.text}`).toMatch(BROKEN[world.dialect])
  await until(() => world.ledger().length >= 1, 'the booking')
  expect(world.trail()).toBe(`primary=${kind}`)
  expect(world.ledger()[0]?.usage).toMatchObject({ estimated: true })
  expect(world.ledger()[0]?.usage?.outputTokens ?? 0).toBeGreaterThan(0)
  expectNothingTaken(world)
  await world.expectReleased()
}

/** One event takes no target away, and a fault of the network never a key. */
export function expectNothingTaken(world: FaultWorld): void {
  const { engine } = world.gateway.gateway.opened
  expect(engine.learned.parks.list(engine.now)).toEqual([])
}

/** Every protocol, plain and streamed. */
export const EVERY_WAY: readonly (readonly [DialectId, boolean])[] = DIALECTS.flatMap((dialect) => [
  [dialect, false] as const,
  [dialect, true] as const,
])

/** `KEYWISE_FAULTS=long npm test -- test/faults` tries everything in every way. */
export const LONG = process.env['KEYWISE_FAULTS'] === 'long'

/**
 * Every protocol, plain or streamed, for what happens before an answer is read; all of both in a long run. Each case of
 * `sampled` is in one of them.
 */
export const MOST_WAYS = LONG ? EVERY_WAY : EVERY_WAY.filter((_, index) => [0, 1, 2, 5, 7].includes(index))

/** A part of the cases, another one in every way; all of them in two ways out of eight, and in all ways of a long run. */
export function sampled<T>(cases: readonly T[], dialect: DialectId, stream = true): readonly T[] {
  const way = DIALECTS.indexOf(dialect) * 2 + (stream ? 1 : 0)
  return LONG ? cases : cases.filter((_, index) => index % 4 === way % 4)
}
