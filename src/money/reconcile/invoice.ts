/** An invoice or a usage export, whatever form it came in: lines of what was counted and what it cost. */

/**
 * What is counted. `input` has everything that was read, cached and written tokens too; `output` everything that was
 * made, thoughts too. Uses of a tool that runs at the provider are `tool:KIND`.
 */
export type Measure = (typeof MEASURES)[number] | `tool:${string}`

const MEASURES = [
  'requests',
  'input',
  'output',
  'cached',
  'cacheWrite',
  'cacheWrite1h',
  'reasoning',
  'inputAudio',
  'inputImage',
  'outputAudio',
  'outputImage',
  'images',
  'seconds',
] as const

/** By measure; what is absent was not told, or nothing. */
export type Counts = Readonly<Partial<Record<Measure, number>>>

/** What is billed at a rate of its own; no token is in two of them. */
export type BilledPart =
  | 'input'
  | 'cached'
  | 'cacheWrite'
  | 'cacheWrite1h'
  | 'output'
  | 'reasoning'
  | 'inputAudio'
  | 'inputImage'
  | 'inputVideo'
  | 'cachedAudio'
  | 'cachedImage'
  | 'cachedVideo'
  | 'outputAudio'
  | 'outputImage'
  | 'outputVideo'
  | 'tools'
  | 'request'

/** What no call of a model is: it has no place in a ledger of calls. */
export type Apart = 'tax' | 'credit' | 'adjustment' | 'other'

export interface InvoiceLine {
  /** Epoch milliseconds, `[start, end)`. */
  readonly start: number
  readonly end: number
  /** As the invoice spells it; null where it does not say. */
  readonly model: string | null
  /** Id or name of the key, in the invoice's word. */
  readonly key?: string | null
  readonly project?: string | null
  /** How it was served, where that is told and not the usual way: `batch`, `flex`. */
  readonly tier?: string | null
  readonly counts: Counts
  /** What its form counts; absent: the line has an amount alone. */
  readonly tells?: ReadonlySet<Measure>
  /** Integer billionths of a USD; null where the form has no money, or not in USD. */
  readonly nanoUsd: number | null
  /** What the cost is of; null: of all that the line counts. */
  readonly part: BilledPart | null
  readonly apart?: Apart
  /** The invoice's own name of what is billed, where it is no plain use of a model. */
  readonly item?: string
}

export interface Invoice {
  /** What form it is, for people: `OpenAI costs (JSON)`. */
  readonly forms: readonly string[]
  /** Id of the provider that the form belongs to. */
  readonly provider: string
  /** In which its days begin. */
  readonly timeZone: string
  /** What its forms count together: what is absent from a line was nothing. Empty for costs alone. */
  readonly tells: ReadonlySet<Measure>
  /** Whether ways of being served are told apart. */
  readonly tellsTier: boolean
  /** Whether it has amounts in USD. */
  readonly hasMoney: boolean
  /** Other currencies that it is in: nothing is converted. */
  readonly currencies: readonly string[]
  /** The smallest amount that it can state, in nano-USD: 10,000,000 for cents. */
  readonly stepNanoUsd: number
  readonly lines: readonly InvoiceLine[]
  /** What was left out of the comparison, and why. */
  readonly notes: readonly string[]
}

/** Adds the other counts to a sum, or takes them off. */
export function addMeasures(sum: Partial<Record<Measure, number>>, more: Counts, sign: 1 | -1 = 1): void {
  for (const [name, count = 0] of Object.entries(more)) {
    const measure = name as Measure // the keys of a record of measures
    sum[measure] = (sum[measure] ?? 0) + sign * count
  }
}

/** Whether all of them are 0. */
export function isNothing(counts: Counts): boolean {
  return Object.values(counts).every((count) => count === 0)
}

/** The tokens of one part, in the measures that they are of. */
export function countsOfPart(part: BilledPart, tokens: number): Counts {
  const isOutput = part.startsWith('output') || part === 'reasoning'
  return {
    [isOutput ? 'output' : 'input']: tokens,
    ...(part.startsWith('cached') && { cached: tokens }),
    ...(part.startsWith('cacheWrite') && { cacheWrite: tokens }),
    ...(part === 'cacheWrite1h' && { cacheWrite1h: tokens }),
    ...((part === 'inputAudio' || part === 'cachedAudio') && { inputAudio: tokens }),
    ...((part === 'inputImage' || part === 'cachedImage') && { inputImage: tokens }),
    ...(part === 'outputAudio' && { outputAudio: tokens }),
    ...(part === 'outputImage' && { outputImage: tokens }),
  }
}
