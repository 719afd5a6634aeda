/** One answer's usage as a provider's wire has it, and what it costs by the provider's published prices. */

/** What a record is there for. */
export type CostPart =
  | 'plain'
  | 'cached'
  | 'cache write'
  | 'other turns'
  | 'reasoning'
  | 'long context'
  | 'dated price'
  | 'audio'
  | 'image'
  | 'video'
  | 'search'
  | 'code'
  | 'tier'
  | 'stated cost'
  | 'embeddings'
  | 'units'
  | 'totals'
  | 'several answers'
  | 'zero'
  | 'unpriced'

/** Who reads the answer. */
export type Reader = 'chat' | 'responses' | 'messages' | 'gemini' | 'vectors' | 'gemini vectors' | 'units'

/** Where the prices of a model are published. */
export interface Published {
  readonly url: string
  /** ISO date of the reading. */
  readonly readOn: string
  /**
   * Where it was read if not at `url`: `copy`, in what others have copied from that page or wrote of it; `list`, only in
   * the bundled list of prices, which names that page as its source. Default: at `url`.
   */
  readonly seen?: 'copy' | 'list'
  /** As published, USD per million tokens where nothing else is said. */
  readonly says: string
}

/**
 * Costs are worked out in millionths of a dollar: tokens times USD per million. `2*10000` are two uses of a tool at ten
 * dollars a thousand.
 */
export type Expected =
  | { readonly nanoUsd: number; readonly by: string; readonly stated?: true }
  /** No price of a part is known to the product; `published` is what the provider asks, where it says so. */
  | {
      readonly atLeast: number
      readonly by: string
      readonly atMost: number
      readonly byMost: string
      readonly published?: string
    }
  /** No price at all is known to the product, or nothing was counted. */
  | { readonly nanoUsd: null; readonly because: 'no price' | 'nothing counted' }

export type CostRecord = Expected & {
  readonly of: string
  readonly part: CostPart
  readonly provider: string
  /** As the provider names it. */
  readonly model: string
  readonly reader: Reader
  /** ISO time of the call; default: a Monday noon, `NOON`. */
  readonly at?: string
  /** A whole answer, or the events of a stream. */
  readonly answer: object | readonly object[]
}

export const NOON = '2026-11-23T12:00:00Z'

/** The exact value of sums and products of decimals, with brackets: `0.5*(1000*1.25 + 10*10)`, in nano-USD. */
export function nanoOf(by: string): number {
  const parser = new Sums(by.replaceAll(' ', ''))
  const { digits, places } = parser.whole()
  const nano = digits * 1_000n
  const unit = 10n ** BigInt(places)
  return Number((2n * nano + unit) / (2n * unit))
}

/** `digits` divided by ten to the power of `places`. */
interface Decimal {
  readonly digits: bigint
  readonly places: number
}

class Sums {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Decimal {
    const sum = this.#sum()
    if (this.#at !== this.#text.length) throw new SyntaxError(`${this.#text}: at ${this.#at}`)
    return sum
  }

  #sum(): Decimal {
    let sum = this.#product()
    while (this.#takes('+')) sum = plus(sum, this.#product())
    return sum
  }

  #product(): Decimal {
    let product = this.#factor()
    while (this.#takes('*')) {
      const factor = this.#factor()
      product = { digits: product.digits * factor.digits, places: product.places + factor.places }
    }
    return product
  }

  #factor(): Decimal {
    if (this.#takes('(')) {
      const sum = this.#sum()
      if (!this.#takes(')')) throw new SyntaxError(`${this.#text}: a bracket is open`)
      return sum
    }
    const number = /^\d+(?:\.(\d+))?/.exec(this.#text.slice(this.#at))
    if (number === null) throw new SyntaxError(`${this.#text}: no number at ${this.#at}`)
    this.#at += number[0].length
    return { digits: BigInt(number[0].replace('.', '')), places: number[1]?.length ?? 0 }
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }
}

function plus(a: Decimal, b: Decimal): Decimal {
  const places = Math.max(a.places, b.places)
  const at = ({ digits, places: own }: Decimal) => digits * 10n ** BigInt(places - own)
  return { digits: at(a) + at(b), places }
}
