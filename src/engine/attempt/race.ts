/**
 * The calls of one request that run beside each other. Usually there is one. When it was silent for half of the time
 * that was left, or for longer than the user allows before hedging, another target is asked beside it; the first
 * content wins, and the others are ended.
 */

import type { Failure } from '../../domain/failure.ts'
import type { CallEnd, CallTools } from '../../upstream/call.ts'
import type { Expirable } from '../../upstream/deadlines.ts'
import type { PendingRequest } from '../request/pendingRequest.ts'
import type { RunningAttempt } from './runningAttempt.ts'
import type { Trail } from './trail.ts'

/**
 * Why another target is asked: nothing runs, the caller's time runs out, a new target's try takes too long, or what runs
 * takes unusually long.
 */
export type AskReason = 'idle' | 'late' | 'late-try' | 'hedge'

/** An attempt that another one beat. */
interface Beaten {
  readonly attempt: RunningAttempt
  readonly end: CallEnd
  readonly failure: Failure
}

interface Runner {
  readonly attempt: RunningAttempt
  /** Monotonic milliseconds at which it has had half of what was left when it began. */
  readonly halfAt: number
  /** Its own patience ends before that; `halfAt` is then its end. */
  readonly isTry: boolean
}

/** How long an attempt may be silent, in milliseconds. */
interface Silence {
  /** Until it is hedged. */
  readonly hedgeAfterMs?: number
  /** Until another target is asked beside it; half of the time that is left where that is less. */
  readonly patienceMs?: number
}

type RaceTools = Pick<CallTools, 'deadlines' | 'monotonic'>

/** Deadlines are not noticed sooner, so with less than this for each half nothing can be gained. */
const LEAST_HALF_MS = 50
const NEVER = Number.POSITIVE_INFINITY

const SLOWER: Failure = { kind: 'slower', status: null, message: 'another target, asked beside it, answered first' }

export class Race {
  readonly #tools: RaceTools
  readonly #deadlineAt: number
  readonly #trail: Trail
  readonly #runners: Runner[] = []
  /** When the only runner is hedged. */
  #hedgeAt = NEVER
  /** A request is hedged once. */
  #mayHedge = true
  /** No other target had room: the next search is not before this time. */
  #searchAt = 0

  constructor(tools: RaceTools, { deadlineAt }: Pick<PendingRequest, 'deadlineAt'>, trail: Trail) {
    this.#tools = tools
    this.#deadlineAt = deadlineAt
    this.#trail = trail
  }

  get isEmpty(): boolean {
    return this.#runners.length === 0
  }

  /** Ids of the targets that run. */
  get asked(): readonly string[] {
    return this.#runners.map(({ attempt }) => attempt.target.id)
  }

  /** Why another target should be asked now; null while those that run are given their time. */
  get reason(): AskReason | null {
    if (this.isEmpty) return 'idle'
    if (this.#runners.some(({ attempt }) => attempt.call.hasBegun)) return null
    const now = this.#tools.monotonic()
    if (now >= this.#lateAt) return this.#isLateTry ? 'late-try' : 'late'
    return now >= this.#hedgeAt ? 'hedge' : null
  }

  /** Both default to Infinity. */
  enter(attempt: RunningAttempt, reason: AskReason, { hedgeAfterMs = NEVER, patienceMs = NEVER }: Silence = {}): void {
    const now = this.#tools.monotonic()
    if (reason === 'hedge') this.#mayHedge = false
    this.#hedgeAt = this.isEmpty && this.#mayHedge ? now + hedgeAfterMs : NEVER
    if (!this.isEmpty) this.#trail.runBeside(attempt.target)
    const halfAt = this.#halfAt(now)
    const isTry = now + patienceMs < halfAt
    this.#runners.push({ attempt, isTry, halfAt: isTry ? now + patienceMs : halfAt })
  }

  /** No target was found for that reason. The caller's time is worth another search, a hedge is not. */
  foundNone(reason: AskReason): void {
    if (reason === 'hedge') this.#hedgeAt = NEVER
    if (reason === 'late' || reason === 'late-try') this.#searchAt = this.#halfAt(this.#tools.monotonic())
  }

  /**
   * Waits for the first attempt that has content or has ended, and takes it out of the race. Null: nothing came in
   * time, so another target should be asked.
   */
  async next(): Promise<RunningAttempt | null> {
    const wakeAt = Math.min(this.#lateAt, this.#hedgeAt)
    const only = this.#runners.length === 1 ? this.#runners[0]?.attempt.call : undefined
    // Usually a target's own time is over before another one is asked beside it.
    if (only !== undefined && only.deadlineAt <= wakeAt) await only.first
    else await this.#firstOrAt(wakeAt)
    const place = this.#runners.findIndex(hasContent)
    const found = place >= 0 ? place : this.#runners.findIndex(({ attempt }) => attempt.call.hasBegun)
    if (found >= 0) return this.#runners.splice(found, 1)[0]?.attempt ?? null
    for (const { attempt } of this.#runners) this.#trail.runBeside(attempt.target)
    return null
  }

  /** Ends the attempts that still run, because another one was first. */
  end(): readonly Beaten[] {
    return this.#runners.splice(0).map(({ attempt }) => beaten(attempt))
  }

  /** When all that run have had their half, and the last search in vain is long enough ago. */
  get #lateAt(): number {
    let at = this.#searchAt
    for (const { halfAt } of this.#runners) at = Math.max(at, halfAt)
    return at
  }

  /** What all have waited for last is the patience with a try. */
  get #isLateTry(): boolean {
    const last = Math.max(...this.#runners.map(({ halfAt }) => halfAt))
    return this.#runners.some(({ halfAt, isTry }) => isTry && halfAt === last)
  }

  #halfAt(now: number): number {
    const halfMs = (this.#deadlineAt - now) / 2
    return halfMs < LEAST_HALF_MS ? NEVER : now + halfMs
  }

  async #firstOrAt(wakeAt: number): Promise<void> {
    const alarm = new Alarm(wakeAt)
    const { deadlines } = this.#tools
    deadlines.watch(alarm)
    try {
      await Promise.race([alarm.rung, ...this.#runners.map(({ attempt }) => attempt.call.first)])
    } finally {
      deadlines.unwatch(alarm)
    }
  }
}

/** Rings at a time, or when everything ends. */
class Alarm implements Expirable {
  readonly deadlineAt: number
  readonly rung: Promise<void>
  #ring: () => void = () => {}

  constructor(deadlineAt: number) {
    this.deadlineAt = deadlineAt
    this.rung = new Promise((resolve) => {
      this.#ring = resolve
    })
  }

  expire(): void {
    this.#ring()
  }

  abort(): void {
    this.#ring()
  }
}

function hasContent({ attempt: { call } }: Runner): boolean {
  return call.hasBegun && call.ended?.outcome.ok !== false
}

/** One that has ended in the same moment is beaten too; what it reported is kept. */
function beaten(attempt: RunningAttempt): Beaten {
  attempt.call.abort(SLOWER)
  const end = attempt.call.ended
  if (end === null) throw new TypeError('an aborted call has not ended')
  if (!end.outcome.ok) return { attempt, end, failure: end.outcome.failure }
  return { attempt, end: { ...end, outcome: { ok: false, failure: SLOWER } }, failure: SLOWER }
}
