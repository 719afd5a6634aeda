/** The learned state: one row per target, also for targets that are currently gone, and what they share. */

import { blameOf } from '../domain/blame.ts'
import type { AttemptEvent, StoreEvent } from '../domain/store.ts'
import { halfLives, KEPT_OF_TASK, KEPT_RATINGS, type TaskRatings } from './estimate.ts'
import { learnAttempt, learnImport, learnRating, learnSilence } from './learn.ts'
import { plainChange, type RatingChange } from './ratings.ts'
import { addRating, type Rated, removeRating } from './recentRatings.ts'
import { Clocks, leadMs, type TargetClock, weighClocks } from './rhythm.ts'
import { advance, merge, RowAllocator, type Sums, slot } from './sums.ts'
import { addTo, emptyCounts, mergeCounts, type OutcomeCounts } from './tally.ts'

const DAY_MS = 86_400_000
/** The length assumed for an answer before any was observed, in tokens. */
const ANSWER_TOKENS = 200
const ANSWER_PRIOR = 1
/**
 * Maximum number of tasks distinguished, over all targets and per target; further ones use the target's overall
 * quality.
 */
const MOST_TASKS = 64
const MOST_TASKS_PER_TARGET = 8

export interface TargetKnowledge {
  readonly row: Sums
  /** The latest ratings; null until there is one. */
  recent: Rated[] | null
  /** The same from tokens among several: one for each token and hour. */
  shared: Rated[] | null
  /** Quality by task; null until one is reported. */
  tasks: Map<string, TaskRatings> | null
  /** Whose clock its daily rhythm keeps; null for UTC. */
  clock: TargetClock | null
}

export class Knowledge {
  readonly targets = new Map<string, TargetKnowledge>()
  /** By provider: the number of calls and the sum of successes. */
  readonly providers = new Map<string, OutcomeCounts>()
  /** Ln of the length of answers in tokens; by task, and under '' for all. */
  readonly answers = new Map<string, OutcomeCounts>()
  readonly #rows = new RowAllocator()
  #clocks = new Clocks()

  /** The state of a target; empty when it was never seen. */
  target(stateId: string): TargetKnowledge {
    const known = this.targets.get(stateId)
    if (known !== undefined) return known
    const fresh = { row: this.#rows.allocate(), recent: null, shared: null, tasks: null, clock: null }
    this.targets.set(stateId, fresh)
    return fresh
  }

  /** The zones that the daily rhythm of a target may follow, the likeliest first. */
  setZones(zones: readonly string[]): void {
    this.#clocks = new Clocks(zones)
  }

  /** Moves the hours of the targets that follow a zone whose clock has changed. */
  setClocks(at: number): void {
    if (!this.#clocks.turn(at)) return
    for (const { row, clock } of this.targets.values()) if (clock !== null) row[slot.hourLead] = leadMs(clock, at)
  }

  /** Learns from one event; returns true when it changed the state of its target. `local`: a local server. */
  fold(event: StoreEvent, local: boolean): boolean {
    if (!(event.at > 0 && event.at < Number.POSITIVE_INFINITY)) return false
    this.setClocks(event.at)
    switch (event.kind) {
      case 'attempt':
        return this.#foldAttempt(event, local)
      case 'quality': {
        const change = plainChange(event)
        if (change !== null) this.rate(change)
        return change !== null
      }
      case 'import':
        learnImport(this.target(event.target.stateId).row, event)
        return true
      case 'lift':
      case 'observation':
        return false
    }
  }

  #foldAttempt(event: AttemptEvent, local: boolean): boolean {
    if (event.failure?.kind === 'slower')
      return learnSilence(this.target(event.target.stateId).row, event, this.answerTokens(event.task))
    const { weight, provider } = blameOf(event.notCharged ? null : event.failure)
    if (!event.ok && weight === 0) return false
    const target = this.target(event.target.stateId)
    learnAttempt(target.row, event, { blame: weight, local, onHour: this.#weigher(target) })
    // An outage counts once, however often it is looked at: parks keep requests away from it while it lasts.
    if (event.ok || (provider && event.known === undefined))
      addTo(tallyIn(this.providers, event.target.provider), event.at, event.ok ? 1 : 0, halfLives.provider)
    if (event.ok && event.source === 'live') this.#foldAnswer(event)
    return true
  }

  /** What finds out whose clock a target keeps; undefined while no clock has changed lately. */
  #weigher(target: TargetKnowledge) {
    const { moved } = this.#clocks
    if (moved.length === 0 && !target.clock?.doubts.size) return undefined
    return (at: number, log: number, weight: number) => {
      target.clock = weighClocks(target.clock, moved, target.row, { at, log, weight })
      target.row[slot.hourLead] = leadMs(target.clock, at)
    }
  }

  #foldAnswer(event: AttemptEvent): void {
    const tokens = event.usage?.outputTokens ?? 0
    if (!(tokens >= 1)) return
    const log = Math.log(Math.min(1e6, tokens))
    addTo(tallyIn(this.answers, ''), event.at, log, DAY_MS)
    if (event.task === null || event.task === '') return
    if (!this.answers.has(event.task) && this.answers.size > MOST_TASKS) return
    addTo(tallyIn(this.answers, event.task), event.at, log, DAY_MS)
  }

  /** Learns from a rating, and forgets what it replaces. */
  rate({ target, task, removed, added }: RatingChange): void {
    const known = this.target(target.stateId)
    for (const rated of removed) {
      if (!rated.isShared) learnRating(known.row, rated, -1)
      removeRating(listFor(known, rated), rated)
    }
    for (const rated of added) {
      advance(known.row, rated.at)
      if (!rated.isShared) learnRating(known.row, rated, 1)
      addRating(listFor(known, rated), rated, KEPT_RATINGS)
    }
    if (task !== null) learnTask(known, task)
  }

  /** Expected length in tokens of an answer to `task`, never above the caller's own limit. */
  answerTokens(task: string | null, maxTokens: number | null = null): number {
    const counts = this.answers.get(task ?? '') ?? this.answers.get('')
    const sum = ANSWER_PRIOR * Math.log(ANSWER_TOKENS) + (counts?.sum ?? 0)
    const usual = Math.exp(sum / (ANSWER_PRIOR + (counts?.count ?? 0)))
    return maxTokens !== null && maxTokens > 0 ? Math.min(maxTokens, usual) : usual
  }

  /** Adds what another process learned from other events. */
  merge(other: Knowledge): void {
    for (const [id, theirs] of other.targets) mergeTarget(this.target(id), theirs)
    for (const [provider, counts] of other.providers)
      mergeCounts(tallyIn(this.providers, provider), counts, halfLives.provider)
    for (const [task, counts] of other.answers) mergeCounts(tallyIn(this.answers, task), counts, DAY_MS)
  }
}

function listFor(known: TargetKnowledge, { isShared }: Rated): Rated[] {
  known.recent ??= []
  known.shared ??= []
  return isShared ? known.shared : known.recent
}

/** A token among several makes no task of others forgotten by naming new ones. */
function learnTask(known: TargetKnowledge, { name, removed, added }: NonNullable<RatingChange['task']>): void {
  known.tasks ??= new Map()
  let ratings = known.tasks.get(name)
  if (ratings === undefined) {
    const isFull = known.tasks.size >= MOST_TASKS_PER_TARGET
    if (added.length === 0 || (isFull && added.every(({ isShared }) => isShared))) return
    if (isFull) forgetOldest(known.tasks)
    ratings = emptyTask()
    known.tasks.set(name, ratings)
  }
  for (const rated of removed) removeRating(rated.isShared ? ratings.shared : ratings.recent, rated)
  for (const rated of added) addRating(rated.isShared ? ratings.shared : ratings.recent, rated, KEPT_OF_TASK)
}

const emptyTask = (): TaskRatings => ({ before: emptyCounts(), recent: [], shared: [] })

/** The same for the latest ratings as `rebase` for the sums: those of a time to come would pass for the latest for ever. */
export function rebaseRatings({ recent, shared, tasks }: TargetKnowledge, now: number): void {
  if (recent !== null) ratedBy(recent, now)
  if (shared !== null) ratedBy(shared, now)
  if (tasks === null) return
  for (const task of tasks.values()) {
    ratedBy(task.recent, now)
    ratedBy(task.shared, now)
  }
}

const AHEAD_MS = 60_000

function ratedBy(recent: Rated[], now: number): void {
  for (let at = recent.length - 1; at >= 0 && recent[at]!.at > now + AHEAD_MS; at--)
    recent[at] = { ...recent[at]!, at: now }
}

function forgetOldest(tasks: Map<string, TaskRatings>): void {
  let oldest = ''
  let asOf = Number.POSITIVE_INFINITY
  for (const [task, { before, recent, shared }] of tasks) {
    const newest = Math.max(before.asOf, recent.at(-1)?.at ?? 0, shared.at(-1)?.at ?? 0)
    if (newest >= asOf) continue
    oldest = task
    asOf = newest
  }
  tasks.delete(oldest)
}

function mergeTarget(into: TargetKnowledge, from: TargetKnowledge): void {
  advance(into.row, from.row[0]!)
  if (into.row[slot.slowCount] === 0) into.clock = from.clock
  const at = into.row[slot.asOf]!
  merge(into.row, withLead(from.row, leadMs(into.clock, at) - leadMs(from.clock, at)))
  into.row[slot.hourLead] = leadMs(into.clock, at)
  for (const rated of [...(from.recent ?? []), ...(from.shared ?? [])])
    addRating(listFor(into, rated), rated, KEPT_RATINGS)
  if (from.tasks === null) return
  into.tasks ??= new Map()
  for (const [task, { before, recent, shared }] of from.tasks) {
    const mine = into.tasks.get(task) ?? emptyTask()
    into.tasks.set(task, mine)
    mergeCounts(mine.before, before, halfLives.task)
    for (const rated of recent) addRating(mine.recent, rated, KEPT_OF_TASK)
    for (const rated of shared) addRating(mine.shared, rated, KEPT_OF_TASK)
  }
}

const HOUR_MS = 3_600_000

/** The same row with its hours by another clock, to the whole hour. */
function withLead(row: Sums, byMs: number): Sums {
  const hours = Math.round(byMs / HOUR_MS)
  if (hours === 0) return row
  const moved = Float64Array.from(row)
  for (let hour = 0; hour < 24; hour++) {
    const to = (((hour + hours) % 24) + 24) % 24
    moved[slot.hourCount + to] = row[slot.hourCount + hour]!
    moved[slot.hourOffset + to] = row[slot.hourOffset + hour]!
  }
  return moved
}

function tallyIn(tallies: Map<string, OutcomeCounts>, key: string): OutcomeCounts {
  const known = tallies.get(key)
  if (known !== undefined) return known
  const fresh = emptyCounts()
  tallies.set(key, fresh)
  return fresh
}
