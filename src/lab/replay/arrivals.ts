/** When requests come: a Poisson process with a daily cycle, or a recorded arrival trace. */

import { Dice, mix32 } from '../../domain/random.ts'
import type { Arrival } from './world.ts'

const DAY_MS = 86_400_000
/** The afternoon has (1 + swing) / (1 - swing) times the traffic of the night. */
const SWING = 0.6
const PEAK_HOUR = 15

export interface Traffic {
  readonly from: number
  readonly until: number
  readonly perDay: number
  /** What each request asks for; default: only whole times are known. */
  readonly ask?: (dice: Dice) => { readonly tokens: number; readonly task: string | null }
}

/** Thinning: candidates at the highest rate, kept with the rate of their hour. */
export function poisson({ from, until, perDay, ask }: Traffic, seed: number): readonly Arrival[] {
  const dice = new Dice(mix32(seed, 0xa881))
  const highest = (perDay * (1 + SWING)) / DAY_MS
  const arrivals: Arrival[] = []
  for (let at = from; ; ) {
    at += -Math.log(1 - dice.uniform()) / highest
    if (at >= until) return arrivals
    if (dice.uniform() * (1 + SWING) > 1 + SWING * dailyWave(at)) continue
    arrivals.push({ at, ...(ask?.(dice) ?? { tokens: 0, task: null }) })
  }
}

function dailyWave(at: number): number {
  return Math.cos(((at / 3_600_000 - PEAK_HOUR) / 24) * 2 * Math.PI)
}
