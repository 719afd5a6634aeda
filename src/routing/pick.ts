/** Picks one target for one attempt, from the board as a request sees it. */

import type { Target } from '../domain/target.ts'
import type { Board } from './board.ts'
import type { Bucket } from './bucket.ts'
import { drawBest } from './explore.ts'
import { TIE } from './order.ts'
import type { Curiosity } from './settings.ts'
import type { Sight } from './sight.ts'
import { slot } from './sums.ts'

export interface Pick {
  /** -1 when nothing is eligible. */
  readonly place: number
  readonly explored: boolean
}

/** A conversation leaves a target that answers less often than this. */
const UNHEALTHY = 0.5

/** The target the conversation is on, while it can be and is worth staying on. */
export function pickSame({ board, gate }: Sight, stateId: string | null): Pick | null {
  const place = stateId === null ? undefined : board.placeOf(stateId)
  if (place === undefined || board.reliability[place]! < UNHEALTHY || !gate.admits(place)) return null
  return { place, explored: false }
}

/** The target with the largest key. */
export function pickBest(sight: Sight): Pick {
  return { place: largest(sight), explored: false }
}

/** As `pickBest`, and a target nobody tried yet goes first, once. */
export function pickNewFirst(sight: Sight): Pick {
  const place = largest(sight)
  if (place < 0 || !sight.board.isNew(place)) return { place, explored: false }
  sight.board.known[place]!.row[slot.freePulls]!++
  return { place, explored: true }
}

/** The largest value, or the cheapest of those near it. */
export function pickWorthiest(sight: Sight): Pick {
  const best = largest(sight)
  return { place: cheapestNear(sight, best, best), explored: false }
}

/**
 * As `pickWorthiest`, but now and then a target that might turn out better than it looks. A pick that looks worse than
 * the best by more than the margin has to be paid for.
 */
export function pickCurious(sight: Sight, curiosity: Curiosity, bucket: Bucket, seed: number): Pick {
  const { best, drawn } = drawBest(sight, curiosity.width, seed)
  if (best < 0) return { place: best, explored: false }
  const isWorse = sight.values[best]! - sight.values[drawn]! > curiosity.margin
  if (!isWorse) return { place: cheapestNear(sight, best, drawn), explored: false }
  if (isFree(sight.board, drawn, curiosity.freePulls) || bucket.spend()) return { place: drawn, explored: true }
  return { place: cheapestNear(sight, best, best), explored: false }
}

/**
 * The same model by the key whose account was used least lately, where it is as good: limits that nobody has stated yet
 * are then met as late as can be, and keys of one account, which share them, add nothing. Of a key nobody has
 * tried yet the best guess is what its siblings are like.
 */
export function pickLightest({ board, values, gate, costMargin, load }: Sight, pick: Pick): Pick {
  const siblings = pick.place < 0 || pick.explored ? [] : board.siblingsOf(pick.place)
  if (load === undefined || siblings.length < 2) return pick
  const floor = values[pick.place]! - Math.max(costMargin, TIE)
  let lightest = pick.place
  let least = load(board.targets[lightest]!)
  for (const place of siblings) {
    if (least === 0 || (values[place]! < floor && !board.isNew(place))) continue
    const weight = load(board.targets[place]!)
    if (weight < least && gate.admits(place)) {
      lightest = place
      least = weight
    }
  }
  return lightest === pick.place ? pick : { place: lightest, explored: false }
}

/** New targets are tried a few times for nothing. */
function isFree(board: Board, place: number, freePulls: number): boolean {
  const { row } = board.known[place]!
  const seen = row[slot.successes]! + row[slot.failures]!
  if (seen >= freePulls || row[slot.freePulls]! >= freePulls) return false
  row[slot.freePulls]!++
  return true
}

function largest({ board, keys, gate }: Sight): number {
  let best = -1
  for (let place = 0; place < keys.length; place++) {
    if (best >= 0 && !beats(board.targets, keys, place, best)) continue
    if (gate.admits(place)) best = place
  }
  return best
}

/** Among equals the heavier target, then the id decides. */
function beats(targets: readonly Target[], keys: Float64Array, place: number, best: number): boolean {
  const lead = keys[place]! - keys[best]!
  if (lead > TIE) return true
  if (lead < -TIE) return false
  const weight = targets[place]!.profile.weight - targets[best]!.profile.weight
  return weight !== 0 ? weight > 0 : targets[place]!.id < targets[best]!.id
}

/** The cheapest of the targets within the margin of the best value; `preferred` among equally cheap ones. */
function cheapestNear({ board, view, values, gate, costMargin }: Sight, best: number, preferred: number): number {
  if (best < 0 || !(costMargin > 0)) return preferred
  const { inputTokens, outputTokens } = view
  const floor = values[best]! - costMargin
  let cheapest = preferred
  let leastCost = board.costUsd(preferred, inputTokens, outputTokens)
  for (let place = 0; place < values.length; place++) {
    if (values[place]! < floor || leastCost === 0) continue
    const cost = board.costUsd(place, inputTokens, outputTokens)
    if (cost < leastCost * (1 - TIE) && gate.admits(place)) {
      cheapest = place
      leastCost = cost
    }
  }
  return cheapest
}
