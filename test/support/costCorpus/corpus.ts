/** All records, and where the prices of their models are published. */

import { anthropicDifferences, anthropicPublished, anthropicRecords } from './anthropic.ts'
import { googlePublished, googleRecords } from './google.ts'
import { openaiDifferences, openaiPublished, openaiRecords } from './openai.ts'
import type { CostRecord, Published } from './record.ts'

export const corpus: readonly CostRecord[] = [...openaiRecords, ...anthropicRecords, ...googleRecords]

/** The list of prices that comes with the product says something else here. */
export const differences: readonly CostRecord[] = [...openaiDifferences, ...anthropicDifferences]

export const published: Readonly<Record<string, Readonly<Record<string, Published>>>> = {
  openai: openaiPublished,
  anthropic: anthropicPublished,
  google: googlePublished,
}
