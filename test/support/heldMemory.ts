/** How much memory something holds, measured after a forced collection. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void // what the flag gives

function used(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Bytes that are held after `fill` and were not before; `keep` is what holds them. */
export function heldBytes<T>(keep: T, fill: (keep: T) => void): number {
  const before = used()
  fill(keep)
  const after = used()
  // Still needed, so that it is not collected before it was measured.
  if (keep === null) throw new TypeError('nothing was to be kept')
  return after - before
}
