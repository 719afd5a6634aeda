/**
 * One policy in one world: requests come, attempts end, in the order of a virtual clock. Nothing sleeps, nothing is
 * sent.
 */

import { AvoidableErrors, type AvoidableReport } from '../avoidable.ts'
import { Agenda } from './agenda.ts'
import type { Policy, SeenOutcome, Walk } from './policies.ts'
import { type Arrival, type CallFate, type ReplayWorld, worthOf } from './world.ts'

/** What became of each request, by its number. */
export interface RunLog {
  readonly arrivals: readonly Arrival[]
  /** The place tried first; -1 when there was none. */
  readonly first: Int16Array
  readonly firstSucceeded: Uint8Array
  readonly answered: Uint8Array
  /** Milliseconds from arrival to answer, or to the last failure. */
  readonly elapsedMs: Float64Array
  readonly attempts: Uint8Array
  /** What the answer was worth, 0 when there was none. */
  readonly utility: Float64Array
  /** How much better the best target was, at the time, than the one tried first. */
  readonly regret: Float64Array
  readonly costUsd: number
  readonly probes: number
  readonly avoidable: AvoidableReport
}

const MAX_ATTEMPTS = 5

export class Run {
  readonly #world: ReplayWorld
  readonly #policy: Policy
  readonly #agenda = new Agenda()
  readonly #observer = new AvoidableErrors()
  readonly #log: { -readonly [K in keyof RunLog]: RunLog[K] }

  constructor(world: ReplayWorld, policy: Policy, arrivals: readonly Arrival[]) {
    this.#world = world
    this.#policy = policy
    this.#log = emptyLog(arrivals)
  }

  finish(): RunLog {
    this.#introduce()
    this.#expect(0)
    this.#agenda.finish()
    this.#log.probes = this.#policy.probes ?? 0
    this.#log.avoidable = this.#observer.report
    return this.#log
  }

  /**
   * The tester has seen every target once that is known at the start, unless the scenario says otherwise; the others are
   * announced when they appear.
   */
  #introduce(): void {
    const { contenders, from, untested } = this.#world.scenario
    contenders.forEach(({ since }, index) => {
      if (since > from) this.#agenda.add(since, () => this.#policy.add(index, since))
      else this.#policy.add(index, from)
    })
    contenders.forEach(({ since }, index) => {
      if (since > from || untested) return
      const at = from - 1000 * (contenders.length - index)
      const fate = this.#world.fate(-1, index, { at, tokens: 0 })
      this.#policy.learn({ ...seenOf(fate, -1, index, at), source: 'test' })
    })
  }

  #expect(number: number): void {
    const arrival = this.#log.arrivals[number]
    if (arrival === undefined) return
    this.#agenda.add(arrival.at, () => {
      this.#expect(number + 1)
      this.#arrive(number, arrival)
    })
  }

  #arrive(number: number, arrival: Arrival): void {
    const walk = this.#policy.begin(number, arrival)
    const first = walk.next(arrival.at)
    this.#log.first[number] = first
    this.#log.regret[number] = this.#regretOf(first, arrival)
    this.#attempt({ number, arrival, walk, couldAnswer: false }, first, arrival.at)
  }

  #regretOf(first: number, { at, tokens }: Arrival): number {
    let best = 0
    for (let index = 0; index < this.#world.scenario.contenders.length; index++)
      best = Math.max(best, this.#world.valueOf(index, at, tokens))
    return first < 0 ? best : best - this.#world.valueOf(first, at, tokens)
  }

  #attempt(request: Request, index: number, now: number): void {
    const { number, arrival } = request
    this.#log.elapsedMs[number] = now - arrival.at
    if (index < 0) return this.#fail(request, now)
    const attempt = ++this.#log.attempts[number]!
    const { tokens, task } = arrival
    const fate = this.#world.fate(number, index, { at: now, tokens })
    this.#log.costUsd += fate.costUsd
    this.#agenda.add(now + fate.latencyMs, () => {
      const seen = { ...seenOf(fate, number, index, now), tokens, task }
      request.walk.ended?.(seen)
      this.#policy.learn(seen)
      if (fate.failure === null) this.#answer(request, index, seen, fate)
      else if (attempt < MAX_ATTEMPTS) this.#goOn(request, seen.at)
      else {
        this.#log.elapsedMs[number] = seen.at - arrival.at
        this.#fail(request, seen.at)
      }
    })
  }

  #goOn(request: Request, now: number): void {
    request.couldAnswer ||= this.#couldAnswer(request, now)
    this.#attempt(request, request.walk.next(now), now)
  }

  #fail(request: Request, now: number): void {
    this.#observer.saw('error', () => request.couldAnswer || this.#couldAnswer(request, now))
  }

  /** Whether any target would have answered the request, had it been called when it came or at this moment. */
  #couldAnswer({ number, arrival }: Request, now: number): boolean {
    const wouldAnswer = (index: number) =>
      this.#world.wouldAnswer(number, index, arrival.at) || this.#world.wouldAnswer(number, index, now)
    return this.#world.scenario.contenders.some((_, index) => wouldAnswer(index))
  }

  #answer({ number, arrival }: Request, index: number, seen: SeenOutcome, fate: CallFate): void {
    const elapsedMs = seen.at - arrival.at
    this.#observer.saw('answer', () => false)
    this.#log.elapsedMs[number] = elapsedMs
    this.#log.answered[number] = 1
    this.#log.firstSucceeded[number] = this.#log.attempts[number] === 1 ? 1 : 0
    this.#log.utility[number] = worthOf(elapsedMs, fate.score)
    if (this.#world.isRated(number)) this.#policy.rate(index, fate.score, seen.at, arrival)
  }
}

interface Request {
  readonly number: number
  readonly arrival: Arrival
  readonly walk: Walk
  /** A target would have answered at the moment of an earlier attempt. */
  couldAnswer: boolean
}

function seenOf(fate: CallFate, number: number, index: number, startedAt: number): SeenOutcome {
  const { failure, latencyMs, firstTokenMs } = fate
  const at = startedAt + latencyMs
  return { number, index, source: 'live', startedAt, at, failure, latencyMs, firstTokenMs, tokens: 0, task: null }
}

function emptyLog(arrivals: readonly Arrival[]) {
  const { length } = arrivals
  return {
    arrivals,
    first: new Int16Array(length).fill(-1),
    firstSucceeded: new Uint8Array(length),
    answered: new Uint8Array(length),
    elapsedMs: new Float64Array(length),
    attempts: new Uint8Array(length),
    utility: new Float64Array(length),
    regret: new Float64Array(length),
    costUsd: 0,
    probes: 0,
    avoidable: { requests: 0, failed: 0, avoidable: 0 },
  }
}
