/** One request's view of the board: which weights, how long an answer, which quality; and the value each target has in it. */

import type { Board } from './board.ts'
import { COST_REF_USD, cheapness, speed } from './score.ts'
import type { Lens } from './weights.ts'

export interface View {
  readonly lens: Lens
  readonly latencyRefMs: number
  readonly inputTokens: number
  /** What the answer is expected to have. */
  readonly outputTokens: number
  readonly quality: Float64Array
  readonly qualitySpread: Float64Array
}

/** An unknown price presses like this many reference costs. */
const MOST_COSTS = 100

/** The time this request would take with the target, or its first token where only that is waited for. */
export function expectedMs(board: Board, view: View, place: number): number {
  const first = board.firstTokenMs[place]!
  return view.lens.firstTokenOnly ? first : first + view.outputTokens * board.tokenMs[place]!
}

/** V of every target, into `values`: `value()` of score.ts written out over the arrays, loads taken out of the loop. */
export function evaluate(board: Board, view: View, values: Float64Array): void {
  const { reliability, firstTokenMs, tokenMs } = board
  const { lens, latencyRefMs, quality } = view
  const tokens = lens.firstTokenOnly ? 0 : view.outputTokens
  const whenSlow = lens.reliability
  const bySpeed = lens.speed * latencyRefMs
  const byQuality = lens.quality
  for (let place = 0; place < values.length; place++) {
    const ms = firstTokenMs[place]! + tokens * tokenMs[place]!
    values[place] = reliability[place]! * (whenSlow + bySpeed / (latencyRefMs + ms) + byQuality * quality[place]!)
  }
  if (lens.price > 0 || board.isPressed) priceIn(board, view, values)
}

/** Adds what a cheap answer is worth to this request, and takes off what the budgets ask for the money. */
function priceIn(board: Board, view: View, values: Float64Array): void {
  for (let place = 0; place < values.length; place++) {
    const cost = board.costUsd(place, view.inputTokens, view.outputTokens)
    const worth = board.reliability[place]! * view.lens.price * cheapness(cost)
    const pressed = board.pressure[place]! * Math.min(MOST_COSTS, cost / COST_REF_USD)
    values[place] = values[place]! + worth - pressed
  }
}

/** The standard deviation of ln(ms) of the expected time: both parts' shares of it, taken as independent. */
function logSpread(board: Board, view: View, place: number, ms: number): number {
  if (view.lens.firstTokenOnly || view.outputTokens === 0) return board.firstTokenSpread[place]!
  const first = (board.firstTokenMs[place]! / ms) * board.firstTokenSpread[place]!
  const rest = (1 - board.firstTokenMs[place]! / ms) * board.tokenSpread[place]!
  return Math.sqrt(first * first + rest * rest)
}

/** How much V changes when each estimate is drawn anew, `width` standard deviations times three normal draws off. */
export function surprise(
  board: Board,
  view: View,
  place: number,
  width: number,
  reliabilityDraw: number,
  speedDraw: number,
  qualityDraw: number,
): number {
  const { lens } = view
  const works = board.reliability[place]!
  const good = view.quality[place]!
  const ms = expectedMs(board, view, place)
  const fast = speed(ms, view.latencyRefMs)
  const drawnWorks = clamp(works + width * board.reliabilitySpread[place]! * reliabilityDraw)
  const drawnMs = ms * Math.exp(width * logSpread(board, view, place, ms) * speedDraw)
  const drawnFast = speed(drawnMs, view.latencyRefMs)
  const drawnGood = clamp(good + width * view.qualitySpread[place]! * qualityDraw)
  const before = works * (lens.reliability + lens.speed * fast + lens.quality * good)
  const drawn = drawnWorks * (lens.reliability + lens.speed * drawnFast + lens.quality * drawnGood)
  return drawn - before
}

/** The standard deviation of V, by the delta method. */
export function valueSpread(board: Board, view: View, place: number): number {
  const { lens } = view
  const works = board.reliability[place]!
  const ms = expectedMs(board, view, place)
  const fast = speed(ms, view.latencyRefMs)
  const whenAnswered = lens.reliability + lens.speed * fast + lens.quality * view.quality[place]!
  const byReliability = whenAnswered * board.reliabilitySpread[place]!
  const bySpeed = works * lens.speed * fast * (1 - fast) * logSpread(board, view, place, ms)
  const byQuality = works * lens.quality * view.qualitySpread[place]!
  return Math.sqrt(byReliability * byReliability + bySpeed * bySpeed + byQuality * byQuality)
}

function clamp(share: number): number {
  return share < 0 ? 0 : share > 1 ? 1 : share
}
