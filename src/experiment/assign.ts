/** Which variant a unit gets: the same every time, on every machine, in proportion to the shares. */

import type { Experiment, Variant } from './experiment.ts'

/**
 * The variant of a unit (a request id, a session, or a label's value); null for the holdout, which runs as usual. A
 * unit of a stopped variant runs as usual too, because moving it to another variant would change what is compared.
 */
export function assign(experiment: Pick<Experiment, 'name' | 'version' | 'variants'>, unit: string): Variant | null {
  const place = fraction(`${experiment.name}\u0000${experiment.version}\u0000${unit}`)
  let upTo = 0
  for (const variant of experiment.variants) {
    upTo += variant.share
    if (place < upTo) return variant
  }
  // Shares that add up to 1 may sum to only 0.9999999999999999.
  return upTo > 1 - 1e-9 ? (experiment.variants.at(-1) ?? null) : null
}

/** A number in [0, 1) that depends on every character of the text; 53 bits of two independent 32-bit hashes. */
export function fraction(text: string): number {
  let high = 0x811c9dc5
  let low = 0xdeadbeef
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    high = Math.imul(high ^ code, 0x01000193) // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
    low = Math.imul(low ^ code, 0x9e3779b1)
    low ^= low >>> 15
  }
  return ((mixed(high ^ low) >>> 5) * 0x4000000 + (mixed(low + text.length) >>> 6)) / 0x20000000000000
}

/** Mixes all bits: the finalizer of MurmurHash3 (https://github.com/aappleby/smhasher, public domain). */
function mixed(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
