/**
 * Runs what is fuzzed: makes cases from a seed, checks each, and of the first that fails finds a small one that fails the
 * same way. A case depends on seed, target and number alone, so that any failure can be tried again by itself.
 */

import { Dice, hash32, mix32 } from '../../src/domain/random.ts'

export interface FuzzTarget<Input = unknown> {
  /** As on the command line: `npm run fuzz -- --only requests`. */
  readonly name: string
  /** How many of a hundred cases are of this target. */
  readonly share: number
  make(random: Random): Input
  /** Throws when a promise is broken. */
  check(input: Input): void | Promise<void>
  /** Smaller inputs to try in place of one that failed, the smallest first. */
  smaller(input: Input): Iterable<Input>
  /** For the report of a failure. */
  show(input: Input): string
  /** Called before the first and after the last case. */
  open?(): Promise<void>
  close?(): Promise<void>
}

export interface FuzzOptions {
  readonly seed: number
  readonly cases: number
  /** Number of the first case; default 0. */
  readonly first?: number
  readonly onProgress?: (done: number) => void
}

interface FuzzResult {
  /** Milliseconds of the check that took longest. */
  readonly slowestMs: number
}

/** A promise was broken; the message says how to try it again. */
export class FuzzFailure extends Error {}

/** What a case is drawn from. */
export class Random {
  readonly #dice: Dice

  constructor(seed: number) {
    this.#dice = new Dice(seed)
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.#dice.uniform() * below)
  }

  chance(share: number): boolean {
    return this.#dice.uniform() < share
  }

  of<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)]
    if (value === undefined && values.length === 0) throw new TypeError('there is nothing to choose from')
    return value as T // an index below the length
  }

  /** Mostly small, sometimes as large as `most`. */
  size(most: number): number {
    return Math.floor(most ** this.#dice.uniform()) - 1 + (this.chance(0.3) ? 1 : 0)
  }
}

/** Runs the cases of a target one after another. Throws a FuzzFailure for the first that breaks a promise. */
export async function fuzz<Input>(target: FuzzTarget<Input>, options: FuzzOptions): Promise<FuzzResult> {
  const { seed, cases, first = 0, onProgress } = options
  let slowestMs = 0
  await target.open?.()
  try {
    for (let number = first; number < first + cases; number++) {
      const input = caseOf(target, seed, number)
      const began = performance.now()
      const failed = await failureOf(target, input)
      slowestMs = Math.max(slowestMs, performance.now() - began)
      if (failed !== null) throw await reportOf(target, { seed, number, input, failed })
      if (number % 1000 === 999) onProgress?.(number + 1 - first)
    }
  } finally {
    await target.close?.()
  }
  return { slowestMs }
}

export function caseOf<Input>({ name, make }: Pick<FuzzTarget<Input>, 'name' | 'make'>, seed: number, number: number) {
  return make(new Random(mix32(mix32(seed, hash32(name)), number)))
}

/** How many of `total` cases each target gets: its share, at least one. */
export function casesOf(targets: readonly Pick<FuzzTarget, 'share'>[], total: number): readonly number[] {
  const shares = targets.reduce((sum, { share }) => sum + share, 0)
  return targets.map(({ share }) => Math.max(1, Math.ceil((share / shares) * total)))
}

async function failureOf<Input>({ check }: FuzzTarget<Input>, input: Input): Promise<Error | null> {
  try {
    const checking = check(input)
    if (checking !== undefined) await checking
    return null
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

interface Failed<Input> {
  readonly seed: number
  readonly number: number
  readonly input: Input
  readonly failed: Error
}

/** So many smaller inputs are tried. */
const MOST_TRIES = 2_000

async function reportOf<Input>(target: FuzzTarget<Input>, failure: Failed<Input>): Promise<FuzzFailure> {
  const { seed, number } = failure
  const { input, failed } = await smallest(target, failure)
  const again = `KEYWISE_SEED=${seed} npm run fuzz -- --only ${target.name} --first ${number} --cases 1`
  return new FuzzFailure(
    `${target.name}, seed ${seed}, case ${number}: ${failed.message}\nagain: ${again}\nsmallest input: ${target.show(input)}`,
    { cause: failed },
  )
}

async function smallest<Input>(
  target: FuzzTarget<Input>,
  { input, failed }: Pick<Failed<Input>, 'input' | 'failed'>,
): Promise<Pick<Failed<Input>, 'input' | 'failed'>> {
  let best = { input, failed }
  const kind = kindOf(failed)
  for (let tries = 0; tries < MOST_TRIES; ) {
    let found: typeof best | null = null
    for (const candidate of target.smaller(best.input)) {
      if (++tries > MOST_TRIES) break
      const again = await failureOf(target, candidate)
      // Another fault than the one that was met would hide it.
      if (again === null || kindOf(again) !== kind) continue
      found = { input: candidate, failed: again }
      break
    }
    if (found === null) return best
    best = found
  }
  return best
}

/** The class and the place of an error: its message may quote the input. */
function kindOf(error: Error): string {
  const place = error.stack?.split('\n').find((line) => /^\s+at /.test(line))
  return `${error.name} ${place?.replace(/^.*[/\\]/, '') ?? ''}`
}

/** Fails the case that is being checked. */
export function promise(holds: boolean, broken: string | (() => string)): asserts holds {
  if (!holds) throw new Error(typeof broken === 'string' ? broken : broken())
}
