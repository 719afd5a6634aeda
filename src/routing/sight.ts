/** The board as one request sees it at one moment. */

import type { Target } from '../domain/target.ts'
import type { Board } from './board.ts'
import type { Gate } from './gate.ts'
import type { View } from './view.ts'

export interface Sight {
  readonly board: Board
  readonly view: View
  /** V by place. */
  readonly values: Float64Array
  /** What the strategy orders by, larger first; the values themselves for `learned`. */
  readonly keys: Float64Array
  readonly gate: Gate
  /** How far from the best value the cheapest is looked for. */
  readonly costMargin: number
  /** How busy the account behind a target is; undefined when nobody counts. */
  readonly load: ((target: Target) => number) | undefined
}
