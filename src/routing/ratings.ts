/**
 * Which ratings count, and as what. Of one rater and request the last score counts. Where several tokens share what is
 * learned, all that one of them says of a target within a clock hour counts together as one rating, their mean: a
 * thousand ratings move an estimate as far as one does.
 *
 * Everything here is a function of the set of events: the order in which they are read makes no difference.
 */

import { asArray, asNumber, asRecord, asString, type Json } from '../domain/json.ts'
import type { QualityEvent, TargetRef } from '../domain/store.ts'
import type { Rated } from './recentRatings.ts'

const HOUR_MS = 3_600_000

/** What no longer counts, and what counts now. */
interface Swap {
  readonly removed: readonly Rated[]
  readonly added: readonly Rated[]
}

/** What one rating changes for its target, and for its task there; `task` is null for none. */
export interface RatingChange extends Swap {
  readonly target: TargetRef
  readonly task: (Swap & { readonly name: string }) | null
}

/** What one token has said of a target within an hour. */
interface HourOfRatings {
  readonly stateId: string
  /** Name of the token. */
  readonly token: string
  /** Requests it has rated. */
  readonly given: number
  /** As how many ratings they count. */
  readonly counted: number
}

/** The last score of one rater for one request. */
interface LastScore {
  readonly at: number
  readonly score: number
  readonly turn: number
  /** Of the event; decides between scores that were given without knowing of each other. */
  readonly id: string
  readonly isShared: boolean
}

interface Sum {
  count: number
  sum: number
}

/** The ratings of one token for one target within one hour. */
interface Cell {
  readonly stateId: string
  readonly token: string
  readonly hour: number
  readonly whole: Sum
  readonly tasks: Map<string, Sum>
}

/**
 * Last scores kept. Events name what they replace, so only those are needed that another process may replace before it
 * has read of them, which takes it a second.
 */
const MOST_SCORES = 500
/** Cells kept beside those of the last hours, for ratings that are replaced later. */
const MOST_CELLS = 1000
const LAST_HOURS = 2
/** Further tasks of a cell count for the target only. */
const MOST_TASKS = 8

export class Ratings {
  readonly #scores = new Map<string, LastScore>()
  readonly #cells = new Map<string, Cell>()
  #newestHour = 0
  /** Times up to which scores and cells were forgotten: what is older and not known any more was taken in before. */
  #scoresForgotten = 0
  #hourForgotten = -1

  /** Takes a rating in; null where it changes nothing: it is none, or a later one of the same rater is known. */
  settle(event: QualityEvent): RatingChange | null {
    if (!isRating(event)) return null
    if (event.rater === undefined || event.requestId === null) return changeOf(event)
    const key = `${event.requestId} ${event.rater}`
    const known = this.#scores.get(key)
    if (known !== undefined && !isLater(event, known)) return null
    const before = known ?? this.#forgottenScore(event)
    this.#keep(key, event)
    const removed = before === null ? nothing() : this.#remove(event, before)
    const added = event.shared === true ? this.#addToCell(event) : ownSwap(event)
    return joined(event, removed, added)
  }

  /** What tokens among several have said in the hour of `now`, epoch milliseconds. */
  ofHour(now: number): readonly HourOfRatings[] {
    const hour = hourOf(now)
    return [...this.#cells.values()]
      .filter((cell) => cell.hour === hour && cell.whole.count > 0)
      .map(({ stateId, token, whole }) => ({ stateId, token, given: whole.count, counted: 1 }))
  }

  toJson(): Json {
    return {
      forgotten: [this.#scoresForgotten, this.#hourForgotten],
      scores: [...this.#scores].map(([key, { at, score, turn, id, isShared }]) => [key, at, score, turn, id, isShared]),
      cells: [...this.#cells].map(([key, { stateId, token, hour, whole, tasks }]) => [
        key,
        stateId,
        token,
        hour,
        [whole.count, whole.sum],
        [...tasks].map(([task, { count, sum }]) => [task, count, sum]),
      ]),
    }
  }

  /** Reads what `toJson` wrote; invalid entries are dropped. */
  static fromJson(json: unknown): Ratings {
    const ratings = new Ratings()
    const { forgotten, scores, cells } = asRecord(json) ?? {}
    const [score, hour] = asArray(forgotten) ?? []
    ratings.#scoresForgotten = asNumber(score) ?? 0
    ratings.#hourForgotten = asNumber(hour) ?? -1
    for (const entry of asArray(scores) ?? []) ratings.#restoreScore(asArray(entry) ?? [])
    for (const entry of asArray(cells) ?? []) ratings.#restoreCell(asArray(entry) ?? [])
    return ratings
  }

  #restoreScore([key, at, score, turn, id, isShared]: readonly unknown[]): void {
    const [name, eventId] = [asString(key), asString(id)]
    if (name === undefined || eventId === undefined) return
    if (![at, score, turn].every((number) => asNumber(number) !== undefined)) return
    const numbers = { at: at as number, score: score as number, turn: turn as number } // as seen above
    this.#scores.set(name, { ...numbers, id: eventId, isShared: isShared === true })
  }

  #restoreCell([key, stateId, token, hour, whole, tasks]: readonly unknown[]): void {
    const [name, target, who, sum] = [asString(key), asString(stateId), asString(token), sumIn(asArray(whole))]
    if (name === undefined || target === undefined || who === undefined || sum === null) return
    const byTask = new Map<string, Sum>()
    for (const entry of asArray(tasks) ?? []) {
      const [task, ...numbers] = asArray(entry) ?? []
      const of = sumIn(numbers)
      if (typeof task === 'string' && of !== null) byTask.set(task, of)
    }
    const at = asNumber(hour) ?? 0
    this.#cells.set(name, { stateId: target, token: who, hour: at, whole: sum, tasks: byTask })
    this.#newestHour = Math.max(this.#newestHour, at)
  }

  #keep(key: string, { at, score, turn = 1, id, shared }: QualityEvent): void {
    this.#scores.delete(key)
    this.#scores.set(key, { at, score, turn, id, isShared: shared === true })
    if (this.#scores.size <= MOST_SCORES) return
    const [oldest] = this.#scores
    if (oldest === undefined) return
    this.#scores.delete(oldest[0])
    this.#scoresForgotten = Math.max(this.#scoresForgotten, oldest[1].at)
  }

  /**
   * The score before, as the event tells it. Null where it cannot have been forgotten: it was not taken in yet, and will
   * not be, because this one is later.
   */
  #forgottenScore({ replaces, turn = 1 }: QualityEvent): LastScore | null {
    if (replaces === undefined || replaces.at > this.#scoresForgotten) return null
    return { ...replaces, turn: turn - 1, id: '', isShared: replaces.shared === true }
  }

  #remove(event: QualityEvent, { at, score, isShared }: LastScore): Parts {
    if (!isShared) {
      const swap = { removed: [{ at, score, isFirm: false }], added: [] }
      return { whole: swap, task: swap }
    }
    const cell = this.#cells.get(cellKey(event, at))
    return cell === undefined ? nothing() : shifted(cell, event.task, -1, -score)
  }

  #addToCell(event: QualityEvent): Parts {
    const hour = hourOf(event.at)
    const key = cellKey(event, event.at)
    const known = this.#cells.get(key)
    // Its cell may have been forgotten: another one would count a second time.
    if (known === undefined && hour <= this.#hourForgotten) return nothing()
    const token = event.raterName ?? ''
    const cell = known ?? {
      stateId: event.target.stateId,
      token,
      hour,
      whole: { count: 0, sum: 0 },
      tasks: new Map<string, Sum>(),
    }
    if (known === undefined) this.#open(key, cell)
    return shifted(cell, event.task, 1, event.score)
  }

  #open(key: string, cell: Cell): void {
    this.#cells.set(key, cell)
    this.#newestHour = Math.max(this.#newestHour, cell.hour)
    for (const [name, { hour }] of this.#cells) {
      if (this.#cells.size <= MOST_CELLS) return
      if (hour >= this.#newestHour - LAST_HOURS) continue
      this.#cells.delete(name)
      this.#hourForgotten = Math.max(this.#hourForgotten, hour)
    }
  }
}

/** A rating that replaces nothing and stands for itself. Null for none. */
export function plainChange(event: QualityEvent): RatingChange | null {
  return isRating(event) ? changeOf(event) : null
}

/** What changes for the target, and for its task. */
interface Parts {
  readonly whole: Swap
  readonly task: Swap
}

const nothing = (): Parts => ({ whole: { removed: [], added: [] }, task: { removed: [], added: [] } })

function isRating({ at, score }: QualityEvent): boolean {
  return score >= 0 && score <= 1 && at > 0 && at < Number.POSITIVE_INFINITY
}

/** What a person said of the target itself, not of one answer, needs no other rating to support it. */
function ownSwap({ at, score, requestId }: QualityEvent): Parts {
  const swap = { removed: [], added: [{ at, score, isFirm: requestId === null }] }
  return { whole: swap, task: swap }
}

const changeOf = (event: QualityEvent) => joined(event, nothing(), ownSwap(event))

function joined({ target, task }: QualityEvent, one: Parts, other: Parts): RatingChange {
  return {
    ...both(one.whole, other.whole),
    target,
    task: task === null ? null : { name: task, ...both(one.task, other.task) },
  }
}

/** One swap after another. What the first adds and the second removes, as both change one cell, never comes to be. */
function both(one: Swap, other: Swap): Swap {
  const isPassing = one.added.some((added) => other.removed.some((gone) => isSame(added, gone)))
  return {
    removed: isPassing ? one.removed : [...one.removed, ...other.removed],
    added: isPassing ? other.added : [...one.added, ...other.added],
  }
}

const isSame = (a: Rated, b: Rated) => a.at === b.at && a.score === b.score

/** The cell with one rating more or less: its mean before goes, its mean now comes. */
function shifted(cell: Cell, task: string | null, count: number, sum: number): Parts {
  const whole = shift(cell.whole, cell.hour, count, sum)
  if (task === null) return { whole, task: { removed: [], added: [] } }
  let part = cell.tasks.get(task)
  if (part === undefined) {
    if (count < 0 || cell.tasks.size >= MOST_TASKS) return { whole, task: { removed: [], added: [] } }
    part = { count: 0, sum: 0 }
    cell.tasks.set(task, part)
  }
  return { whole, task: shift(part, cell.hour, count, sum) }
}

function shift(part: Sum, hour: number, count: number, sum: number): Swap {
  const removed = meanOf(part, hour)
  part.count = Math.max(0, part.count + count)
  part.sum = part.count === 0 ? 0 : Math.min(part.count, Math.max(0, part.sum + sum))
  return { removed, added: meanOf(part, hour) }
}

function meanOf({ count, sum }: Sum, hour: number): Rated[] {
  return count === 0 ? [] : [{ at: hour * HOUR_MS, score: sum / count, isFirm: false, isShared: true }]
}

/** Scores are numbered by the rater's process; two given at once are told apart by time, then by id. */
function isLater({ at, id, turn = 1 }: QualityEvent, known: LastScore): boolean {
  if (turn !== known.turn) return turn > known.turn
  return at !== known.at ? at > known.at : id > known.id
}

const hourOf = (at: number) => Math.floor(at / HOUR_MS)

const cellKey = ({ target, rater }: QualityEvent, at: number) => `${hourOf(at)} ${rater} ${target.stateId}`

function sumIn(numbers: readonly unknown[] | undefined): Sum | null {
  const [count, sum] = [asNumber(numbers?.[0]), asNumber(numbers?.[1])]
  return count === undefined || sum === undefined || !(count >= 0 && sum >= 0 && sum <= count) ? null : { count, sum }
}
