/**
 * How late this process gets to what is due: the delay of its event loop, sampled by node itself
 * (https://nodejs.org/api/perf_hooks.html#perf_hooksmonitoreventloopdelayoptions), so that no request pays for it.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds beyond the moment at which a timer was due. */
export interface EventLoopReading {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Over a whole window one wait in a hundred was longer than DEGRADED_MS. Never before the first window ended. */
  readonly degraded: boolean
}

/** Interval of the samples in milliseconds; node counts it into each of them. */
const RESOLUTION_MS = 20
const NANO_PER_MS = 1e6
const DEGRADED_MS = 1000

/** The few samples since the start say nothing about a hundredth of them. */
export const isDegraded = (wholeWindow: Pick<EventLoopReading, 'p99Ms'>) => wholeWindow.p99Ms > DEGRADED_MS

type Delays = Omit<EventLoopReading, 'degraded'>

const NOTHING: Delays = { p50Ms: 0, p99Ms: 0, maxMs: 0 }

export class EventLoopDelay {
  readonly #histogram: ReturnType<typeof monitorEventLoopDelay>
  #last = NOTHING

  /** Samples from now on until `close`. */
  constructor() {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    histogram.enable()
    this.#histogram = histogram
  }

  /** The last whole window or the running one, whichever is worse: what just happened shows at once, and lasts. */
  reading(): EventLoopReading {
    const now = this.#running()
    const last = this.#last
    return {
      p50Ms: Math.max(now.p50Ms, last.p50Ms),
      p99Ms: Math.max(now.p99Ms, last.p99Ms),
      maxMs: Math.max(now.maxMs, last.maxMs),
      degraded: isDegraded(last),
    }
  }

  /** Ends the window and begins the next. */
  turn(): void {
    this.#last = this.#running()
    this.#histogram.reset()
  }

  close(): void {
    this.#histogram.disable()
  }

  #running(): Delays {
    const histogram = this.#histogram
    if (histogram.count === 0) return NOTHING
    return {
      p50Ms: delayMs(histogram.percentile(50)),
      p99Ms: delayMs(histogram.percentile(99)),
      maxMs: delayMs(histogram.max),
    }
  }
}

/** To a tenth of a millisecond. */
function delayMs(sampleNs: number): number {
  return Math.round(10 * Math.max(0, sampleNs / NANO_PER_MS - RESOLUTION_MS)) / 10
}
