/** Which variant a unit gets: the same every time, in every process of a store, in proportion to the shares. */

import { type Dealing, WHOLE } from './dealing.ts'

/**
 * The name of the variant of a unit (a request id, a session, or a label's value); null for the holdout, which runs as
 * usual. A unit of a stopped variant runs as usual too, because moving it to another variant would change what is
 * compared.
 */
export function assign({ salt, parts }: Dealing, unit: string): string | null {
  const place = fraction(`${salt}\u0000${unit}`) * WHOLE
  for (const { upTo, variant } of parts) if (place < upTo) return variant
  return null
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
