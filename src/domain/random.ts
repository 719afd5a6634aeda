/** Reproducible randomness: small generators whose numbers depend on a seed alone. */

/** Mixes two 32-bit numbers into one (the finalizer of MurmurHash3). */
export function mix32(a: number, b: number): number {
  let hash = (a ^ Math.imul(b, 0x9e3779b1)) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A 32-bit hash of a text, not for secrets. The same text and seed give the same number on every machine. */
export function hash32(text: string, seed = 0): number {
  let hash = seed >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix32(hash, text.length)
}

const GOLDEN = 0x9e3779b9

/**
 * The `index`-th word of the stream of `seed`, as a signed 32-bit integer: SplitMix32 (Steele, Lea, Flood 2014), whose
 * state is a counter, so any word can be computed without those before it.
 */
export function word32(seed: number, index: number): number {
  let word = (seed + Math.imul(index, GOLDEN)) | 0
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
  return word ^ (word >>> 15)
}

/** The words of one stream, in order. */
export class Dice {
  readonly #seed: number
  #thrown = 0

  constructor(seed: number) {
    this.#seed = seed | 0
  }

  /** 32 random bits, as an unsigned integer. */
  bits(): number {
    return word32(this.#seed, ++this.#thrown) >>> 0
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.bits() / 0x1_0000_0000
  }

  /** A draw from the standard normal distribution. */
  normal(): number {
    return inverseNormal((this.bits() + 0.5) / 0x1_0000_0000)
  }
}

const CENTRE_TOP = [
  2.506628277459239, -30.66479806614716, 138.357751867269, -275.9285104469687, 220.9460984245205, -39.69683028665376,
]
const CENTRE_BOTTOM = [
  1, -13.28068155288572, 66.80131188771972, -155.6989798598866, 161.5858368580409, -54.47609879822406,
]
const TAIL_TOP = [
  2.938163982698783, 4.374664141464968, -2.549732539343734, -2.400758277161838, -0.3223964580411365,
  -0.007784894002430293,
]
const TAIL_BOTTOM = [1, 3.754408661907416, 2.445134137142996, 0.3224671290700398, 0.007784695709041462]

/**
 * The value below which a standard normal falls with probability `p` in (0, 1); Acklam's approximation, error < 2e-9.
 */
export function inverseNormal(p: number): number {
  if (p < 0.02425) return tail(p)
  if (p > 1 - 0.02425) return -tail(1 - p)
  const centred = p - 0.5
  const square = centred * centred
  return (centred * polynomial(CENTRE_TOP, square)) / polynomial(CENTRE_BOTTOM, square)
}

function tail(p: number): number {
  const depth = Math.sqrt(-2 * Math.log(p))
  return polynomial(TAIL_TOP, depth) / polynomial(TAIL_BOTTOM, depth)
}

/** Coefficients in ascending order, the constant first. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0
  for (let power = coefficients.length - 1; power >= 0; power--) sum = sum * x + (coefficients[power] ?? 0)
  return sum
}
