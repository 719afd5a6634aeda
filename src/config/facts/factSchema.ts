/**
 * A facts file: what someone read of prices, limits, free tiers, retirements, windows and abilities, each with source,
 * date, and the day after which it is only "as of" that date. Names and units are those of `config/api-keys.json`.
 */

import { z } from 'zod'
import { LIMIT_UNITS, LIMIT_WINDOWS } from '../../domain/failure.ts'
import { modelAbilities } from '../blockSchema.ts'
import { modelPrice } from '../priceSchema.ts'
import { section } from '../schemaWords.ts'

/** The version of the format that this keywise reads and writes. */
export const FACTS_VERSION = 1
/** Larger files are refused. */
export const MOST_FACTS_BYTES = 8 * 1024 * 1024
/** More facts in one file are refused. */
export const MOST_FACTS = 100_000

/** What is shown on terminals: nothing that steers one, or that some break into two lines. */
export const ONE_LINE = /^[^\p{C}\p{Zl}\p{Zp}]+$/u
const line = (most: number) =>
  z.string().min(1).max(most).regex(ONE_LINE, 'must be one line of text without control characters')
/** A day of the calendar, such as `2026-11-30`. */
export const day = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, 'must be a day such as "2026-11-30"')
  .refine(isDay, 'is not a day of the calendar')
const tokens = z.int().min(1).max(1_000_000_000)

const COMMON = {
  provider: line(100).describe('Id of the provider, as in config/api-keys.json'),
  model: line(200).describe("The model's id at the provider; * matches any run of characters"),
  source: line(500).describe('Where it was read: an address, or "observed" for what a key was seen to do'),
  checked: day.describe('The day on which it was read'),
  as_of_after: day.describe('After this day it is only "as of" the day on which it was read'),
}

const limit = section({
  ...COMMON,
  kind: z.literal('limit'),
  unit: z.enum(LIMIT_UNITS).describe('What is counted'),
  window: z.enum(LIMIT_WINDOWS).describe('The window it is counted in; "none" for concurrency and credit'),
  limit: z.number().min(0).max(1e15).describe('How many of the unit per window'),
  scope: z
    .enum(['key', 'account', 'account+model', 'ip', 'unknown'])
    .optional()
    .describe("What it is counted over; default: as the provider's limits are"),
})

/** By its kind, the shape of each fact. */
export const FACT_KINDS = {
  price: section({
    ...COMMON,
    kind: z.literal('price'),
    price: modelPrice.describe('USD per million tokens, as the price of a model in config/api-keys.json'),
  }),
  limit,
  free_tier: section({
    ...COMMON,
    kind: z.literal('free_tier'),
    free_tier: z.boolean().describe('Served for nothing to accounts without a payment method'),
  }),
  retired: section({
    ...COMMON,
    kind: z.literal('retired'),
    on: day.describe('The day on which the provider withdraws it; may be in the future'),
    successor: line(200).optional().describe('The model that the provider names instead'),
  }),
  window: section({
    ...COMMON,
    kind: z.literal('window'),
    context_tokens: tokens.optional().describe('Maximum tokens of prompt and answer together'),
    max_output_tokens: tokens.optional().describe('Maximum tokens of an answer'),
  }).refine(
    ({ contextTokens, maxOutputTokens }) => contextTokens !== undefined || maxOutputTokens !== undefined,
    'needs "context_tokens" or "max_output_tokens"',
  ),
  ability: section({
    ...COMMON,
    kind: z.literal('ability'),
    abilities: modelAbilities.describe('What it can and cannot do; what is absent is unknown'),
  }).refine(({ abilities }) => Object.keys(abilities).length > 0, 'names no ability'),
  listed: section({
    ...COMMON,
    kind: z.literal('listed'),
    listed: z.boolean().describe("Whether the provider's own list had it"),
  }),
} as const

type FactKind = keyof typeof FACT_KINDS
/** One fact of a file, in camelCase. */
export type Fact = { [K in FactKind]: z.output<(typeof FACT_KINDS)[K]> }[FactKind]

const file = z.strictObject({
  $schema: z.string().optional(),
  keywise_facts: z.literal(FACTS_VERSION).describe('The version of this format'),
  published: day.describe('The day on which the file was made'),
  facts: z.array(z.union(Object.values(FACT_KINDS))).max(MOST_FACTS),
})

/** The editor's schema (`keywise.facts.schema.json`), as plain data. */
export function factsJsonSchema(): Record<string, unknown> {
  return { title: 'keywise facts', ...z.toJSONSchema(file, { io: 'input', reused: 'ref' }) }
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}
