/** All records, and where the prices of their models are published. */

import { anthropicPublished, anthropicRecords } from './anthropic.ts'
import { deepseekPublished, deepseekRecords } from './deepseek.ts'
import { googlePublished, googleRecords } from './google.ts'
import { groqPublished, groqRecords } from './groq.ts'
import { mistralPublished, mistralRecords } from './mistral.ts'
import { openaiPublished, openaiRecords } from './openai.ts'
import { openrouterPublished, openrouterRecords } from './openrouter.ts'
import { othersDifferences, othersPublished, othersRecords } from './others.ts'
import type { CostRecord, Published } from './record.ts'
import { xaiPublished, xaiRecords } from './xai.ts'

export const corpus: readonly CostRecord[] = [
  ...openaiRecords,
  ...anthropicRecords,
  ...googleRecords,
  ...openrouterRecords,
  ...xaiRecords,
  ...deepseekRecords,
  ...mistralRecords,
  ...groqRecords,
  ...othersRecords,
]

/** The list of prices that comes with the product says something else here. */
export const differences: readonly CostRecord[] = [...othersDifferences]

/** By provider and model. */
export const published: Readonly<Record<string, Readonly<Record<string, Published>>>> = {
  openai: openaiPublished,
  anthropic: anthropicPublished,
  google: googlePublished,
  openrouter: openrouterPublished,
  xai: xaiPublished,
  deepseek: deepseekPublished,
  mistral: mistralPublished,
  groq: groqPublished,
  ...othersPublished,
}
