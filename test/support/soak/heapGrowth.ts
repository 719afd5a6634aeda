/** Whether a heap grows, from samples of its size after collections. */

export interface HeapSize {
  readonly heapBytes: number
  /** Since the first request. */
  readonly seconds: number
  readonly requests: number
}

export interface HeapGrowth {
  readonly mbPerHour: number
  readonly bytesPerRequest: number
  /** Slower growth than this cannot be told from what the samples scatter. */
  readonly resolutionMbPerHour: number
  /** The least size in bytes in the first third of the samples, and in the last. */
  readonly from: number
  readonly to: number
}

/**
 * Noise only adds: code that is compiled, caches that are full, answers under way. So the least of the first third is
 * compared with the least of the last, and what such a least may be off by is the spread of the lower half of a third.
 * Throws for fewer than six samples.
 */
export function heapGrowth(samples: readonly HeapSize[]): HeapGrowth {
  const third = Math.floor(samples.length / 3)
  const [first, last] = [samples.slice(0, third), samples.slice(-third)]
  const [from, to] = [smallest(first), smallest(last)]
  const hours = (middle(last, 'seconds') - middle(first, 'seconds')) / 3600
  const requests = middle(last, 'requests') - middle(first, 'requests')
  const scatter = Math.max(spread(first), spread(last))
  return {
    mbPerHour: (to - from) / 1e6 / hours,
    bytesPerRequest: (to - from) / requests,
    resolutionMbPerHour: scatter / 1e6 / hours,
    ...{ from, to },
  }
}

function smallest(samples: readonly HeapSize[]): number {
  if (samples.length < 2) throw new RangeError('growth needs at least six samples')
  return Math.min(...samples.map(({ heapBytes }) => heapBytes))
}

const middle = (samples: readonly HeapSize[], name: 'seconds' | 'requests') =>
  samples.reduce((sum, sample) => sum + sample[name], 0) / samples.length

/** From the least to the median. */
function spread(samples: readonly HeapSize[]): number {
  const sizes = samples.map(({ heapBytes }) => heapBytes).sort((a, b) => a - b)
  return (sizes[sizes.length >> 1] ?? 0) - (sizes[0] ?? 0)
}
