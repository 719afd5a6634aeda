/** Standard normal draws at the cost of a table look-up: the quantiles of 1,024 equal slices. */

import { inverseNormal } from '../domain/random.ts'

const SLICES = 1024
export const SLICE_MASK = SLICES - 1
/** Bits used by one draw; three draws fit in one 32-bit word. */
export const SLICE_BITS = 10

/** Ranges from -3.3 to 3.3. */
export const NORMALS: Float64Array = Float64Array.from({ length: SLICES }, (_, slice) =>
  inverseNormal((slice + 0.5) / SLICES),
)
