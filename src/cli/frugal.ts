/** What a process that serves for weeks tells V8 about memory. For the command; a library leaves its host alone. */

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Two halves of 8 MB; node 24 would let it grow to two of 64 MB. */
const ENOUGH_BYTES = 16 * 1024 * 1024

/**
 * Call it before anything large is loaded. Numbers are of node 24; 22 and 26, which know the flags too, gain less and
 * lose nothing (docs/numbers.md).
 *
 * - The space for young objects grows to 16 MB and no further. What a request makes is garbage by its end, so a larger
 *   space only holds more of it, and with it the buffers of long prompts: V8 then meets them as memory that does not go
 *   away, and collects everything instead of what is young (with prompts of 200 KB: 1.6 times the CPU time).
 * - Only one optimising compiler works, the better one. The quick one (Maglev) keeps 40 MB for itself, and all it saves
 *   is half a second of CPU time in the first ten thousand requests.
 */
export function beFrugal(): void {
  setFlagsFromString('--no-maglev')
  let grows = false
  const bound = () => {
    // A quiet gateway's space shrinks, and must be able to grow again.
    const mayGrow = youngBytes() < ENOUGH_BYTES
    if (mayGrow !== grows) setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`)
    grows = mayGrow
  }
  // While modules are loaded nobody is called back, and the space would grow to four times as much.
  setFlagsFromString('--semi-space-growth-factor=1')
  new PerformanceObserver(bound).observe({ entryTypes: ['gc'] })
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0
}
