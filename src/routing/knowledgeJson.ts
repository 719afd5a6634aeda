/** The learned state as JSON, and back. Reading never throws: invalid parts are dropped. */

import { asArray, asNumber, asRecord, asString, type Json } from '../domain/json.ts'
import { isTimeZone } from '../domain/timeZone.ts'
import { KEPT_OF_TASK, KEPT_RATINGS, type TaskRatings } from './estimate.ts'
import { Knowledge } from './knowledge.ts'
import { ratingsFromJson, ratingsToJson } from './recentRatings.ts'
import type { TargetClock } from './rhythm.ts'
import { STORED_LENGTH, type Sums, slot } from './sums.ts'
import type { OutcomeCounts } from './tally.ts'

/**
 * Increased when the meaning of a slot changes; a state of another version is dropped and folded again from the log.
 */
const KNOWLEDGE_VERSION = 1

/** Targets unseen for this long are dropped when the state is written. */
const FORGOTTEN_AFTER_MS = 90 * 86_400_000
/** No sum of genuine events grows beyond this. */
const LARGEST = 1e15

export function knowledgeToJson(knowledge: Knowledge): Json {
  return {
    version: KNOWLEDGE_VERSION,
    targets: livingTargets(knowledge).map(([id, { row, recent, shared, tasks, clock }]) => [
      id,
      rowToJson(row),
      tasks === null ? [] : tasksToJson(tasks),
      ratingsToJson(recent ?? []),
      ratingsToJson(shared ?? []),
      ...(clock === null ? [] : [[clock.zone, clock.baseMs, [...clock.doubts].map(([zone, sum]) => [zone, sum])]]),
    ]),
    providers: talliesToJson(knowledge.providers),
    answers: talliesToJson(knowledge.answers),
  }
}

export function knowledgeFromJson(json: unknown): Knowledge {
  const knowledge = new Knowledge()
  const state = asRecord(json)
  if (state?.['version'] !== KNOWLEDGE_VERSION) return knowledge
  for (const entry of asArray(state['targets']) ?? []) readTarget(knowledge, entry)
  readTallies(knowledge.providers, state['providers'])
  readTallies(knowledge.answers, state['answers'])
  return knowledge
}

function livingTargets(knowledge: Knowledge) {
  const entries = [...knowledge.targets].filter(([, { row }]) => row[slot.asOf]! > 0)
  const newest = entries.reduce((latest, [, { row }]) => Math.max(latest, row[slot.asOf]!), 0)
  return entries.filter(([, { row }]) => row[slot.asOf]! >= newest - FORGOTTEN_AFTER_MS)
}

function rowToJson(row: Sums): readonly number[] {
  let length = STORED_LENGTH
  while (length > 0 && row[length - 1] === 0) length--
  return Array.from(row.subarray(0, length))
}

function talliesToJson(tallies: ReadonlyMap<string, OutcomeCounts>): Json {
  return [...tallies].map(([key, { asOf, count, sum }]) => [key, asOf, count, sum])
}

/** The first four as of a tally, which is what older versions read. */
function tasksToJson(tasks: ReadonlyMap<string, TaskRatings>): Json {
  return [...tasks].map(([task, { before, recent, shared }]) => [
    task,
    before.asOf,
    before.count,
    before.sum,
    ratingsToJson(recent),
    ratingsToJson(shared),
  ])
}

function readTarget(knowledge: Knowledge, entry: unknown): void {
  const [id, numbers, tasks, recent, shared, clock] = asArray(entry) ?? []
  const stateId = asString(id)
  if (stateId === undefined) return
  const target = knowledge.target(stateId)
  readRow(target.row, asArray(numbers) ?? [])
  const latest = ratingsFromJson(recent, KEPT_RATINGS)
  if (latest.length > 0) target.recent = latest
  const ofTokens = ratingsFromJson(shared, KEPT_RATINGS, true)
  if (ofTokens.length > 0) target.shared = ofTokens
  const tallies = new Map<string, OutcomeCounts>()
  readTallies(tallies, tasks)
  if (tallies.size > 0) target.tasks = withRatings(tallies, tasks)
  target.clock = readClock(clock)
}

function withRatings(tallies: ReadonlyMap<string, OutcomeCounts>, json: unknown): Map<string, TaskRatings> {
  const tasks = new Map<string, TaskRatings>()
  for (const entry of asArray(json) ?? []) {
    const [task, , , , recent, shared] = asArray(entry) ?? []
    const before = tallies.get(String(task))
    if (before === undefined) continue
    const lists = {
      recent: ratingsFromJson(recent, KEPT_OF_TASK),
      shared: ratingsFromJson(shared, KEPT_OF_TASK, true),
    }
    tasks.set(String(task), { before, ...lists })
  }
  return tasks
}

/** Null for none, and for a zone that this machine does not have. */
function readClock(value: unknown): TargetClock | null {
  const [name, base, doubts] = asArray(value) ?? []
  const zone = asString(name)
  const baseMs = asNumber(base)
  if (zone === undefined || !isTimeZone(zone) || baseMs === undefined || Math.abs(baseMs) > MOST_AHEAD_MS) return null
  const sums = (asArray(doubts) ?? []).flatMap((pair) => {
    const [other, sum] = asArray(pair) ?? []
    return asString(other) !== undefined && isPlausible(sum) ? [[other as string, sum as number] as const] : [] // both checked
  })
  return { zone, baseMs, doubts: new Map(sums) }
}

/** No clock is further from UTC, however often it changed. */
const MOST_AHEAD_MS = 48 * 3_600_000

/**
 * Sums that may be negative: of ln(ms) per token, and of times minus the offset of their hour. The offsets may be too.
 */
const SIGNED: ReadonlySet<number> = new Set([slot.fastLog, slot.fastTokenLog, slot.slowTokenLog])

/** A row with one impossible number is rejected as a whole. */
function readRow(row: Sums, numbers: readonly unknown[]): void {
  if (numbers.length > STORED_LENGTH || !areAllPlausible(numbers)) return
  numbers.forEach((number, index) => {
    const isSigned = SIGNED.has(index) || (index >= slot.hourOffset && index < slot.limited)
    row[index] = Math.max(isSigned ? Number.NEGATIVE_INFINITY : 0, number)
  })
  if (!meansArePossible(row)) row.fill(0)
}

function areAllPlausible(values: readonly unknown[]): values is readonly number[] {
  return values.every(isPlausible)
}

function isPlausible(value: unknown): value is number {
  return asNumber(value) !== undefined && Math.abs(value as number) <= LARGEST // asNumber saw a number
}

const MEANS = [
  { count: slot.fastCount, sum: slot.fastLog, most: 28 },
  { count: slot.slowCount, sum: slot.slowLog, most: 14 },
  { count: slot.fastTokenCount, sum: slot.fastTokenLog, most: 14 },
  { count: slot.slowTokenCount, sum: slot.slowTokenLog, most: 14 },
  { count: slot.fastQualityCount, sum: slot.fastQuality, most: 1 },
  { count: slot.slowQualityCount, sum: slot.slowQuality, most: 1 },
  ...Array.from({ length: 24 }, (_, hour) => ({ count: slot.hourCount + hour, sum: slot.hourOffset + hour, most: 14 })),
]

/** ln of ten minutes in ms is 13.3, and up to twice that after an offset is subtracted; a mean score is at most 1. */
function meansArePossible(row: Sums): boolean {
  return MEANS.every(({ count, sum, most }) => Math.abs(row[sum]!) <= row[count]! * most * 1.000001 + 1e-300)
}

function readTallies(into: Map<string, OutcomeCounts>, json: unknown): void {
  for (const entry of asArray(json) ?? []) {
    const [key, asOf, count, sum] = asArray(entry) ?? []
    const name = asString(key)
    if (name === undefined || ![asOf, count, sum].every(isPlausible)) continue
    const counts = { asOf: asOf as number, count: count as number, sum: sum as number } // checked by isPlausible
    if (counts.asOf >= 0 && counts.count >= 0 && counts.sum >= 0 && counts.sum <= counts.count * 14.000001)
      into.set(name, counts)
  }
}
