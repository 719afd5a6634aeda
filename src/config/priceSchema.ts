/** The schema of prices: beside a model, and in the contract of a key or a block. */

import { z } from 'zod'
import { MOST_BUDGET_USD } from '../money/budgetRule.ts'
import { FREE_PERIODS, FREE_UNITS } from '../money/freeQuota.ts'
import { hourTimes, name, price, section, times, timezone } from './schemaWords.ts'

const sides = {
  input: price.describe('USD per million input tokens'),
  output: price.describe('USD per million output tokens'),
}

/** What may stand beside `input` and `output`. */
const rates = {
  cached_input: price.optional().describe('USD per million tokens; default: as input'),
  cache_write: price.optional().describe('USD per million tokens; default: as input'),
  reasoning: price.optional().describe('USD per million tokens; default: as output'),
  request: price.optional().describe('USD per request'),
  cache_write_1h: price
    .optional()
    .describe('USD per million tokens written to the cache for an hour; default: unknown, at least as cache_write'),
  input_audio: price.optional().describe('USD per million tokens; default: unknown, at least as input'),
  input_image: price.optional().describe('USD per million tokens; default: as input'),
  input_video: price.optional().describe('USD per million tokens; default: as input'),
  cached_audio: price.optional().describe('USD per million tokens; default: unknown, at least as cached_input'),
  cached_image: price.optional().describe('USD per million tokens; default: as cached_input'),
  output_audio: price.optional().describe('USD per million tokens; default: unknown, at least as output'),
  output_image: price.optional().describe('USD per million tokens; default: unknown, at least as output'),
  output_video: price.optional().describe('USD per million tokens; default: unknown, at least as output'),
  audio_hour: price.optional().describe('USD per hour of a recording that is counted in seconds; default: unknown'),
  image: price.optional().describe('USD per picture made that is not counted in tokens; default: unknown'),
  characters: price.optional().describe('USD per million characters that are spoken; default: unknown'),
  tools: z
    .record(z.string().max(100), price)
    .optional()
    .describe(
      'By the name of a tool that runs at the provider (web_search, file_search; search_units of a rerank): USD per thousand uses',
    ),
  tiers: z
    .record(z.string().max(100), z.number().min(0).max(1000))
    .optional()
    .describe(
      "By the provider's word for a service tier (flex, priority): how many times the prices per token it costs",
    ),
}

export const modelPrice = section({ ...sides, ...rates, hours: hourTimes.optional() })

const changes = {
  times: times.optional().describe('How many times the usual price: 0.85 for 15 % off'),
  hours: hourTimes.optional(),
}

/** Named by what it costs in itself, or by how it differs from the usual. */
const modelTerms = section({
  input: sides.input.optional(),
  output: sides.output.optional(),
  ...rates,
  ...changes,
}).superRefine((terms, context) => {
  const { input, output, times: changed, tools, tiers: _tiers, hours: _hours, ...more } = terms
  const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
  if ((input === undefined) !== (output === undefined))
    complain(input === undefined ? 'input' : 'output', 'is missing: an agreed price has "input" and "output"')
  const [alone] = input === undefined ? Object.entries(more).filter(([, rate]) => rate !== undefined) : []
  if (alone !== undefined) complain(snake(alone[0]), 'stands alone; an agreed price needs "input" and "output" too')
  if (changed !== undefined && (input !== undefined || tools !== undefined))
    complain('times', 'changes the usual price, but here is a price of its own; write that as it is billed')
})

const snake = (name: string) => name.replace(/[A-Z]|1h/g, (part) => `_${part.toLowerCase()}`)

const freeTerms = section({
  tokens: z.int().positive().optional().describe('Input and output tokens together'),
  requests: z.int().positive().optional().describe('Instead of tokens: a number of requests'),
  usd: z
    .number()
    .positive()
    .max(MOST_BUDGET_USD)
    .optional()
    .describe('Instead of tokens: a credit, in USD of what the usage would cost'),
  per: z.enum(FREE_PERIODS).default('day').describe('The period it is given for'),
  timezone: timezone.default('UTC').describe('Where its days and months begin'),
  models: z.array(name).min(1).optional().describe('The models that share it, with * for any text; default: all'),
}).superRefine((terms, context) => {
  const written = FREE_UNITS.filter((unit) => terms[unit] !== undefined)
  if (written.length === 1) return
  const message = written.length === 0 ? 'needs an amount' : 'has more than one amount; write one entry for each'
  context.addIssue({ code: 'custom', message: `${message}: "tokens", "requests" or "usd"` })
})

/** What an account agreed with its provider. */
export const contract = section({
  ...changes,
  models: z
    .record(name, modelTerms)
    .optional()
    .describe('By model, with * for any text: its price, or times and hours of its own; the first that fits counts'),
  free: z
    .array(freeTerms)
    .optional()
    .describe('Usage that is not billed; of several that cover a model the first counts'),
}).describe('What the account agreed with the provider: changes to the usual prices, see docs/prices.md')
