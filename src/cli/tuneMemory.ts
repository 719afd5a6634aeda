/** V8 memory settings of a process that serves for weeks. For the command only; a library leaves its host alone. */

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Two halves of 16 MB; node 24 would let it grow to two of 64 MB. */
const ENOUGH_BYTES = 32 * 1024 * 1024
/** Half of it: a body is in memory twice, in the pieces that came and as a whole. */
const MOST_BODY_BYTES = 16 * 1024 * 1024

/**
 * Call it before anything large is loaded. Numbers are of node 24; 22 and 26, which know the flags too, gain less and
 * lose nothing.
 *
 * - The space for young objects grows to 32 MB and no further: what a request makes is garbage by its end, and a larger
 *   space only holds more of it.
 * - The quick compiler (Maglev) tidies up after itself on the main thread. Left to its helpers, what each of them frees
 *   stays with it: 30 MB.
 */
export function tuneMemory(): void {
  setFlagsFromString('--no-maglev-destroy-on-background')
  let grows = false
  const bound = () => {
    // A quiet gateway's space shrinks, and must be able to grow again.
    const mayGrow = youngBytes() < ENOUGH_BYTES
    if (mayGrow !== grows) setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
    grows = mayGrow
  }
  // While modules are loaded no callback runs, and the space would grow to four times as much.
  setFlagsFromString('--semi-space-growth-factor=1')
  new PerformanceObserver(bound).observe({ entryTypes: ['gc'] })
  setFlagsFromString('--expose-gc')
  collectYoung = runInNewContext('() => gc({ type: "minor" })') as () => void // written on this line
}

let collectYoung = (): void => {}
let bodyBytes = 0

/**
 * Call it for every long body. Their memory is outside of V8's heap, which meets 64 MB of it as pressure and collects
 * everything, every hundred prompts of 200 KB; but they are as short-lived as what is young, so that is collected
 * first, for a tenth of the time.
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
