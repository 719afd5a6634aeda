/**
 * The latest ratings, newest last: they say what answers are like now. A list, and not a sum, so that a rating can be
 * taken out again, and so that one that no other supports can be told from the rest.
 */

import { asArray, asNumber, type Json } from '../domain/json.ts'
import { remaining } from './sums.ts'

/** One rating as it counts: of one answer, or of all that a token rated within an hour. */
export interface Rated {
  /** Epoch milliseconds. */
  readonly at: number
  /** 0..1 */
  readonly score: number
  /** It counts although no other rating supports it. */
  readonly isFirm: boolean
  /** All that a token among several rated within an hour, as one. */
  readonly isShared?: true
}

/** Adds a rating and drops the oldest beyond `most`; the order of the calls makes no difference. */
export function addRating(recent: Rated[], rated: Rated, most: number): void {
  let at = recent.length
  while (at > 0 && compare(recent[at - 1]!, rated) > 0) at--
  recent.splice(at, 0, rated)
  if (recent.length > most) recent.shift()
}

export function removeRating(recent: Rated[], rated: Rated): void {
  const at = recent.findLastIndex((one) => compare(one, rated) === 0)
  if (at >= 0) recent.splice(at, 1)
}

function compare(a: Rated, b: Rated): number {
  return a.at - b.at || a.score - b.score || Number(a.isFirm) - Number(b.isFirm)
}

/** A weight, and the sum of scores by weight. */
export interface Weighed {
  readonly count: number
  readonly sum: number
}

/** The newest `most` ratings, each halved with every half-life. */
export function weighRatings(recent: readonly Rated[], now: number, halfLifeMs: number, most: number): Weighed {
  let count = 0
  let sum = 0
  for (let at = Math.max(0, recent.length - most); at < recent.length; at++) {
    const rated = recent[at]!
    const weight = remaining(now - rated.at, halfLifeMs)
    count += weight
    sum += weight * rated.score
  }
  return { count, sum }
}

/** Distances closer than this are equal: sums depend on their order by less. */
const TIE = 1e-9

/** The rating that lies furthest from the others, and the score in the place of its own; null where it does not count. */
interface Lonely {
  readonly rated: Rated
  readonly score: number | null
}

/**
 * The one of the newest `most` ratings that lies furthest from everything else that is known (`all`, which contains
 * them). It counts as the next one on its side of all the others, and not at all where there is none: the winsorised
 * mean of statistics, for one rating. So one rating alone changes nothing, and a second one like it makes both count.
 * Null where there is none to doubt.
 */
export function loneliest(
  recent: readonly Rated[],
  all: Weighed,
  weightOf: (rated: Rated) => number,
  most: number,
): Lonely | null {
  const from = Math.max(0, recent.length - most)
  const center = all.sum / all.count
  let lowest = -1
  let highest = -1
  for (let at = from; at < recent.length; at++) {
    const { score, isFirm } = recent[at]!
    if (isFirm) continue
    if (lowest < 0 || score < recent[lowest]!.score) lowest = at
    if (highest < 0 || score > recent[highest]!.score) highest = at
  }
  if (lowest < 0) return null
  const isLow = center - recent[lowest]!.score > recent[highest]!.score - center - TIE
  const found = isLow ? lowest : highest
  const rated = recent[found]!
  const weight = weightOf(rated)
  const others = all.count > weight ? (all.sum - weight * rated.score) / (all.count - weight) : center
  const side = rated.score < others ? -1 : 1
  let next: number | null = null
  for (let at = from; at < recent.length; at++) {
    const { score } = recent[at]!
    const isBeyond = side * (score - (next ?? others)) > (next === null ? -TIE : 0)
    const isBetween = isBeyond && side * (rated.score - score) >= 0
    if (at !== found && isBetween) next = score
  }
  return { rated, score: next }
}

/** What the rating counts for, in the place of what it says, at a weight: what has to be added. */
export function corrected({ rated, score }: Lonely, weight: number): Weighed {
  return score === null
    ? { count: -weight, sum: -weight * rated.score }
    : { count: 0, sum: weight * (score - rated.score) }
}

export function ratingsToJson(recent: readonly Rated[]): Json {
  return recent.map(({ at, score, isFirm }) => (isFirm ? [at, score, 1] : [at, score]))
}

/** Reads what `ratingsToJson` wrote; invalid entries are dropped. `isShared`: what all of them are. */
export function ratingsFromJson(json: unknown, most: number, isShared = false): Rated[] {
  const recent: Rated[] = []
  for (const entry of asArray(json) ?? []) {
    const [at, score, firm] = asArray(entry) ?? []
    const [time, value] = [asNumber(at), asNumber(score)]
    if (time === undefined || value === undefined || !(time > 0 && value >= 0 && value <= 1)) continue
    addRating(recent, { at: time, score: value, isFirm: firm === 1, ...(isShared && { isShared }) }, most)
  }
  return recent
}
