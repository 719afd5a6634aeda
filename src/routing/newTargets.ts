/**
 * The targets of which nothing is known yet, and whose turn it is to be tried. A prior is a guess, and beside a good
 * incumbent a guess never wins: so each new target is given a few requests, until as many were observed. What a test, an
 * import or another process observed first makes them needless.
 */

import { asNumber, type Json } from '../domain/json.ts'
import type { CandidateTable } from './candidateTable.ts'
import { timesObserved } from './learn.ts'
import { type Sums, slot } from './sums.ts'

/** A try that has begun and was not learned from yet. */
interface UnderWay {
  readonly requestId: string
  /** Epoch milliseconds. */
  readonly at: number
  /** What had been tried before. */
  readonly tries: number
}

/** After tries that said nothing about the target. */
interface Rest {
  readonly times: number
  /** Number of the first request that may try it again. */
  readonly until: number
}

/** New targets looked at for one request: among ten thousand the next ones have their turn with the next request. */
const MOST_ASKED = 16
/** Of those that a request names. */
const MOST_NAMED = 64
/** At most every second request is a try; while many wait, fewer are, down to a tenth. */
const LEAST_GAP = 2
const MOST_GAP = 10
const WAITING_PER_GAP = 16
/** A try that nobody heard of for this long is lost. */
const LOST_AFTER_MS = 15 * 60_000
/** Doublings of the gap after tries in vain. */
const MOST_RESTS = 10

/** Whether the target gets another free try; `most`: `Curiosity.freePulls`. */
function isUntried(row: Sums, most: number): boolean {
  const seen = timesObserved(row)
  const tries = row[slot.freePulls]!
  return tries < most && seen < most && (seen === 0 || tries > 0)
}

export class NewTargets {
  #candidates: CandidateTable
  #most: number
  /** By index, those that have waited longest first. */
  readonly #waiting = new Set<number>()
  /** By `stateId`, as indexes change with the configuration. */
  readonly #underWay = new Map<string, UnderWay>()
  readonly #rests = new Map<string, Rest>()
  /** The turn of the last try. */
  #triedAt = Number.NEGATIVE_INFINITY
  /** What the last request chose, whether as a try or not, by `stateId`. */
  #chosen: string | null = null
  #chosenAt = Number.NEGATIVE_INFINITY

  /** `most`: free tries of each target; 0 for none. */
  constructor(candidates: CandidateTable, most: number) {
    this.#candidates = candidates
    this.#most = most
    this.use(candidates, most)
  }

  /** Looks for new targets. Those that the user named come before those of a models list. */
  use(candidates: CandidateTable, most: number): void {
    this.#candidates = candidates
    this.#most = most
    this.#waiting.clear()
    if (most <= 0) return
    const { targets } = candidates
    const found = targets.flatMap((_, index) => (this.isNew(index) ? index : []))
    const rank = (index: number) => candidates.known[index]!.row[slot.freePulls]! * 2 + (isListed(index) ? 1 : 0)
    const isListed = (index: number) => targets[index]!.profile.discovered
    for (const index of found.sort((one, other) => rank(one) - rank(other))) this.#waiting.add(index)
  }

  /** Whether no target waits for a try: nearly always. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Whether any of these may wait for a try; `named` as for `find`. Most requests name targets that are all known. */
  concerns(named: ReadonlySet<string> | null): boolean {
    if (this.isEmpty || named === null || named.size > MOST_NAMED) return !this.isEmpty
    for (const stateId of named) {
      const index = this.#candidates.indexOf(stateId)
      if (index !== undefined && this.#waiting.has(index)) return true
    }
    return false
  }

  /** Whether the target is to be tried once more. */
  isNew(index: number): boolean {
    return this.#most > 0 && isUntried(this.#candidates.known[index]!.row, this.#most)
  }

  /** Whether the request, the `turn`-th, may be a try: never the next after another. `named` as for `find`. */
  isTurn(named: ReadonlySet<string> | null, turn: number): boolean {
    const waiting = Math.min(this.#waiting.size, named?.size ?? Number.POSITIVE_INFINITY)
    return turn - this.#triedAt >= Math.min(MOST_GAP, Math.max(LEAST_GAP, Math.ceil(waiting / WAITING_PER_GAP)))
  }

  /** Whether the target may be tried by this request: the last one did not call it, and it is not being tried now. */
  isReady(index: number, turn: number, now: number): boolean {
    const { stateId } = this.#candidates.targets[index]!
    if (stateId === this.#chosen && turn - this.#chosenAt < LEAST_GAP) return false
    const rest = this.#rests.get(stateId)
    if (rest !== undefined && turn < rest.until) return false
    const underWay = this.#underWay.get(stateId)
    return underWay === undefined || Math.abs(now - underWay.at) > LOST_AFTER_MS
  }

  /** The new target to try now; -1 when none may be. `named`: all that the request admits, by `stateId`, where few. */
  find(may: (index: number) => boolean, named: ReadonlySet<string> | null, turn: number, now: number): number {
    if (named !== null && named.size <= MOST_NAMED) return this.#findNamed(may, named, turn, now)
    let left = Math.min(MOST_ASKED, this.#waiting.size)
    for (const index of this.#waiting) {
      if (left-- === 0) break
      this.#waiting.delete(index)
      this.#waiting.add(index)
      if (this.isReady(index, turn, now) && may(index)) return index
    }
    return -1
  }

  /** The least tried one. */
  #findNamed(may: (index: number) => boolean, named: ReadonlySet<string>, turn: number, now: number): number {
    let found = -1
    let least = Number.POSITIVE_INFINITY
    for (const stateId of named) {
      const index = this.#candidates.indexOf(stateId)
      if (index === undefined || !this.#waiting.has(index)) continue
      const tries = this.triesOf(index)
      if (tries >= least || !this.isReady(index, turn, now) || !may(index)) continue
      found = index
      least = tries
    }
    return found
  }

  /** How often the target was tried. */
  triesOf(index: number): number {
    return this.#candidates.known[index]!.row[slot.freePulls]!
  }

  /** A request tries the target. */
  begin(index: number, requestId: string, turn: number, now: number): void {
    const { stateId } = this.#candidates.targets[index]!
    this.#triedAt = turn
    this.#underWay.set(stateId, { requestId, at: now, tries: this.triesOf(index) })
  }

  /** The `turn`-th request goes to this target. */
  chose(index: number, turn: number): void {
    this.#chosen = this.#candidates.targets[index]!.stateId
    this.#chosenAt = turn
  }

  /** The request tried nothing new after all. `but`: the `stateId` of the target that it calls. */
  giveBack(requestId: string, but: string | null = null): void {
    if (this.#underWay.size === 0) return
    for (const [stateId, underWay] of this.#underWay)
      if (underWay.requestId === requestId && stateId !== but) this.#underWay.delete(stateId)
  }

  /** An attempt was learned from. One that said nothing about the target was no try, but the next one has time. */
  learned(index: number, requestId: string | null, turn: number): void {
    if (!this.isNew(index)) this.#waiting.delete(index)
    const { stateId } = this.#candidates.targets[index]!
    const underWay = this.#underWay.get(stateId)
    if (underWay === undefined) return
    const isTried = this.triesOf(index) > underWay.tries || !this.isNew(index)
    if (!isTried && underWay.requestId !== requestId) return
    this.#underWay.delete(stateId)
    if (isTried) this.#rests.delete(stateId)
    else this.#rest(stateId, turn)
  }

  /** When the last try was; what was under way ends with the process. */
  toJson(): Json {
    return this.#triedAt < 0 ? null : this.#triedAt
  }

  /** Reads what `toJson` wrote. */
  fromJson(json: unknown): void {
    this.#triedAt = asNumber(json) ?? Number.NEGATIVE_INFINITY
  }

  #rest(stateId: string, turn: number): void {
    const times = Math.min(MOST_RESTS, (this.#rests.get(stateId)?.times ?? 0) + 1)
    this.#rests.set(stateId, { times, until: turn + LEAST_GAP ** (times + 1) })
  }
}
