/**
 * How the units of an experiment are dealt out: the hash of a unit is a place in [0, 1), which is divided among the
 * variants and the holdout. A change of shares moves borders instead of dealing anew, so that only those units change
 * their variant that have to: as many as the growing shares grow by. A function of the shares alone cannot do this for
 * three and more variants, and would move up to nearly twice as many (M. Bavarian et al., "Optimality of correlated
 * sampling strategies", 2016, https://arxiv.org/abs/1612.01041); so the borders are kept.
 */

import type { Experiment } from './experiment.ts'

/** Plain JSON; kept with its version. */
export interface Dealing {
  /** Hashed together with each unit, so that experiments are independent of each other. */
  readonly salt: string
  /** From 0 up to `WHOLE` without a gap, in ascending order. */
  readonly parts: readonly DealtPart[]
}

interface DealtPart {
  /** Its end, exclusive, in billionths; it begins where the part before ends. */
  readonly upTo: number
  /** Null: the holdout. */
  readonly variant: string | null
}

type Shares = Pick<Experiment, 'variants' | 'holdout'>
type Sizes = ReadonlyMap<string | null, number>

/** The end of the last part. Integers, so that moving borders to and fro loses nothing. */
export const WHOLE = 1_000_000_000

/** The dealing of an experiment that had none before: in the order of its variants, the holdout last. */
export function dealAfresh({ name, ...shares }: Shares & Pick<Experiment, 'name'>): Dealing {
  return { salt: name, parts: inOrder(sizesOf(shares)) }
}

/** The same for a version of a store of before the borders were kept: its number was hashed too. */
export function dealtByVersion(experiment: Shares & Pick<Experiment, 'name' | 'version'>): Dealing {
  return { salt: `${experiment.name}\u0000${experiment.version}`, parts: inOrder(sizesOf(experiment)) }
}

/** The dealing after an edit. `renamed`: the new names of variants that are the same as before. */
export function dealAgain(before: Dealing, edited: Shares, renamed: ReadonlyMap<string, string> = new Map()): Dealing {
  const known = named(before.parts, renamed)
  const wanted = sizesOf(edited)
  const plain = inOrder(wanted)
  // Where the plain order moves no more than it must, as always for two variants without a holdout, it is taken:
  // then a store without the history deals alike.
  const parts = movedBetween(known, plain) <= leastMoved(known, wanted) ? plain : withMovedBorders(known, wanted)
  return { salt: before.salt, parts }
}

/** The share of units, 0..1, that get another variant by the second dealing. */
export function movedShare(before: Dealing, after: Dealing, renamed: ReadonlyMap<string, string> = new Map()): number {
  if (before.salt !== after.salt) return 1
  return movedBetween(named(before.parts, renamed), after.parts) / WHOLE
}

/** Sizes by variant in their order, the holdout last; they add up to `WHOLE`. */
function sizesOf({ variants, holdout }: Shares): Sizes {
  const sizes = new Map<string | null, number>()
  let share = 0
  let upTo = 0
  const last = holdout > 1e-9 ? null : variants.at(-1)?.name
  for (const [name, its] of [...variants.map((one) => [one.name, one.share] as const), [null, holdout] as const]) {
    share += its
    // Shares that add up to 1 may sum to only 0.9999999999999999.
    const end = name === last ? WHOLE : Math.min(WHOLE, Math.round(share * WHOLE))
    sizes.set(name, end - upTo)
    upTo = end
  }
  return sizes
}

function inOrder(sizes: Sizes): DealtPart[] {
  const parts: DealtPart[] = []
  for (const [variant, size] of sizes) add(parts, variant, size)
  return parts
}

/** Who has too much gives from the end of its last parts; who has too little takes, in its order, from the front. */
function withMovedBorders(known: readonly DealtPart[], wanted: Sizes): DealtPart[] {
  const kept = new Map(wanted)
  const missing = new Map(wanted)
  for (const [variant, size] of sizesIn(known)) missing.set(variant, Math.max(0, (wanted.get(variant) ?? 0) - size))
  const takers = [...wanted.keys()].filter((variant) => (missing.get(variant) ?? 0) > 0)
  const parts: DealtPart[] = []
  for (const [variant, size] of lengths(known)) {
    const keeps = Math.min(size, kept.get(variant) ?? 0)
    kept.set(variant, (kept.get(variant) ?? 0) - keeps)
    add(parts, variant, keeps)
    for (let free = size - keeps; free > 0; ) {
      const taker = takers[0]
      if (taker === undefined) break
      const taken = Math.min(free, missing.get(taker) ?? 0)
      missing.set(taker, (missing.get(taker) ?? 0) - taken)
      if (missing.get(taker) === 0) takers.shift()
      add(parts, taker, taken)
      free -= taken
    }
  }
  return parts
}

function add(parts: DealtPart[], variant: string | null, size: number): void {
  if (size === 0) return
  const last = parts.at(-1)
  if (last?.variant === variant) parts[parts.length - 1] = { upTo: last.upTo + size, variant }
  else parts.push({ upTo: (last?.upTo ?? 0) + size, variant })
}

function* lengths(parts: readonly DealtPart[]): Generator<readonly [variant: string | null, size: number]> {
  let from = 0
  for (const { upTo, variant } of parts) {
    yield [variant, upTo - from]
    from = upTo
  }
}

function sizesIn(parts: readonly DealtPart[]): Sizes {
  const sizes = new Map<string | null, number>()
  for (const [variant, size] of lengths(parts)) sizes.set(variant, (sizes.get(variant) ?? 0) + size)
  return sizes
}

function leastMoved(known: readonly DealtPart[], wanted: Sizes): number {
  const sizes = sizesIn(known)
  let moved = 0
  for (const [variant, size] of wanted) moved += Math.max(0, size - (sizes.get(variant) ?? 0))
  return moved
}

/** Of two divisions of the whole: how much belongs to another variant in the second. */
function movedBetween(one: readonly DealtPart[], other: readonly DealtPart[]): number {
  let moved = 0
  let from = 0
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    const [a, b] = [one[i] as DealtPart, other[j] as DealtPart] // both indexes are in range
    const upTo = Math.min(a.upTo, b.upTo)
    if (a.variant !== b.variant) moved += upTo - from
    from = upTo
    if (a.upTo === upTo) i++
    if (b.upTo === upTo) j++
  }
  return moved
}

function named(parts: readonly DealtPart[], renamed: ReadonlyMap<string, string>): readonly DealtPart[] {
  if (renamed.size === 0) return parts
  return parts.map(({ upTo, variant }) => ({
    upTo,
    variant: variant === null ? null : (renamed.get(variant) ?? variant),
  }))
}

/** Parses a stored dealing; undefined when it is not one. */
export function readDealing(stored: unknown): Dealing | undefined {
  const { salt, parts } = (stored ?? {}) as { readonly salt?: unknown; readonly parts?: unknown } // each is checked below
  if (typeof salt !== 'string' || !Array.isArray(parts)) return undefined
  let from = 0
  for (const part of parts as readonly Partial<DealtPart>[]) {
    const { upTo, variant } = part ?? {}
    if (!Number.isSafeInteger(upTo) || (upTo as number) <= from) return undefined
    if (variant !== null && typeof variant !== 'string') return undefined
    from = upTo as number
  }
  return from === WHOLE ? { salt, parts: parts as readonly DealtPart[] } : undefined
}
