/** V8 memory settings for a process that serves for weeks. For the command only; a library must not tune its host. */

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Two semi-spaces of 16 MB; node 24 would let it grow to two of 64 MB. */
const ENOUGH_BYTES = 32 * 1024 * 1024
/** Half of it: a body is in memory twice, as received chunks and as a whole. */
const MOST_BODY_BYTES = 16 * 1024 * 1024

/**
 * Call it before anything large is loaded. Numbers are for node 24; versions 22 and 26, which accept the flags too,
 * gain less and lose nothing.
 *
 * - The young generation grows to 32 MB and no further: what a request allocates is garbage by its end, and a larger
 *   space only holds more of it.
 * - The Maglev compiler frees its memory on the main thread. When its helper threads do so, each keeps what it freed:
 *   30 MB.
 */
export function tuneMemory(): void {
  setFlagsFromString('--no-maglev-destroy-on-background')
  let grows = false
  const bound = () => {
    // An idle gateway's young generation shrinks and must be able to grow again.
    const mayGrow = youngBytes() < ENOUGH_BYTES
    if (mayGrow !== grows) setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
    grows = mayGrow
  }
  // No callback runs while modules load, and the space would grow to four times the size.
  setFlagsFromString('--semi-space-growth-factor=1')
  new PerformanceObserver(bound).observe({ entryTypes: ['gc'] })
  setFlagsFromString('--expose-gc')
  collectYoung = runInNewContext('() => gc({ type: "minor" })') as () => void // defined by the expression on this line
}

let collectYoung = (): void => {}
let bodyBytes = 0

/**
 * Call it for every long body. Bodies live outside the V8 heap, which treats 64 MB of external memory as pressure and
 * runs a full collection, every hundred prompts of 200 KB; but they are as short-lived as young objects, so a minor
 * collection comes first, at a tenth of the time.
 */
export function onLongBody(bytes: number): void {
  bodyBytes += bytes
  if (bodyBytes < MOST_BODY_BYTES) return
  bodyBytes = 0
  collectYoung()
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}
