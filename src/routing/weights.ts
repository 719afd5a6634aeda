/** How much each of the four estimates counts, and how a profile (`auto:fast` …) shifts them. */

/** Each 0 or more; only their proportions matter. Recency is part of the score but not of the value. */
export interface Weights {
  readonly reliability: number
  readonly speed: number
  readonly quality: number
  readonly recency: number
}

export const WEIGHTS: Weights = { reliability: 0.4, speed: 0.3, quality: 0.2, recency: 0.1 }

export type Profile = 'balanced' | 'fast' | 'cheap' | 'smart'

/** The weights of the value V, summing to 1. `price` is 0 except for `cheap`. */
export interface ValueWeights {
  readonly reliability: number
  readonly speed: number
  readonly quality: number
  readonly price: number
  /** With `fast` and streaming, only the time to the first token matters. */
  readonly firstTokenOnly: boolean
}

interface Leaning {
  readonly speed: number
  readonly quality: number
  readonly price: number
}

const LEANINGS: { readonly [P in Profile]: Leaning } = {
  balanced: { speed: 1, quality: 1, price: 0 },
  fast: { speed: 4, quality: 0.5, price: 0 },
  cheap: { speed: 1 / 3, quality: 1, price: 1 },
  smart: { speed: 1 / 3, quality: 5, price: 0 },
}

/** The weights of V for one request. Unusable weights (all 0, NaN, negative) leave only reliability. */
export function valueWeights(weights: Weights, profile: Profile, stream: boolean): ValueWeights {
  const leaning = LEANINGS[profile]
  const reliability = usable(weights.reliability)
  const speed = usable(weights.speed) * leaning.speed
  const quality = usable(weights.quality) * leaning.quality
  const sum = reliability + speed + quality + leaning.price
  const firstTokenOnly = profile === 'fast' && stream
  if (sum === 0) return { reliability: 1, speed: 0, quality: 0, price: 0, firstTokenOnly }
  return {
    reliability: reliability / sum,
    speed: speed / sum,
    quality: quality / sum,
    price: leaning.price / sum,
    firstTokenOnly,
  }
}

function usable(weight: number): number {
  return Number.isFinite(weight) && weight > 0 ? weight : 0
}
