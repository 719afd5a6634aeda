/**
 * How the benchmarks measure: CPU time of this process per operation, rounds interleaved, minimum and median reported.
 */

import { cpus } from 'node:os'

export interface Contestant {
  readonly name: string
  /** Does the work `count` times. */
  run(count: number): Promise<void>
}

export interface Measured {
  readonly name: string
  /** Microseconds of CPU (user + system) per operation: the least and the median of the rounds. */
  readonly leastUs: number
  readonly medianUs: number
}

/**
 * Runs the contestants in turn, `rounds` times; noise only adds, so the least is the steady figure. Memory is not
 * collected between rounds: with no request alive that throws compiled code away, together with the shapes of the
 * requests' objects, and the next ten thousand calls measure the compiler.
 */
export async function measure(contestants: readonly Contestant[], count: number, rounds: number): Promise<Measured[]> {
  const times = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (const { run } of contestants) await run(3 * count)
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contestants) {
      const before = process.cpuUsage()
      await run(count)
      const { user, system } = process.cpuUsage(before)
      times.get(name)?.push((user + system) / count)
    }
  }
  return [...times].map(([name, all]) => {
    const sorted = all.toSorted((a, b) => a - b)
    return { name, leastUs: sorted[0] ?? 0, medianUs: sorted[sorted.length >> 1] ?? 0 }
  })
}

/** Runs `work` `count` times, `width` at once. */
export async function parallel(count: number, width: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** The machine as far as numbers depend on it. */
export function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} x ${cpu?.model ?? 'unknown'}, node ${process.version}, ${process.platform}-${process.arch}`
}

export const us = (value: number) => `${value.toFixed(1)} µs`
