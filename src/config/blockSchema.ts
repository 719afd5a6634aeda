/** The schema of one provider block in the file: its keys, its models, its address. */

import { z } from 'zod'
import { contract, modelPrice } from './priceSchema.ts'
import {
  hasAmount,
  hasOneAmount,
  hours,
  ignored,
  isSpreadOverPeriod,
  limitShape,
  NO_AMOUNT,
  NO_PERIOD,
  name,
  section,
  share,
  TWO_AMOUNTS,
} from './schemaWords.ts'

const keyBudget = section(limitShape)
  .refine(hasAmount, NO_AMOUNT)
  .refine(hasOneAmount, TWO_AMOUNTS)
  .refine(isSpreadOverPeriod, NO_PERIOD)

const keyObject = section({
  key: z.string().describe('The key itself, or env:NAME, file:PATH, vault:NAME'),
  label: name.optional().describe('Shown instead of the index'),
  account: name.optional().describe('Keys with the same account share one quota; default: each key its own'),
  free: z.boolean().optional().describe("Calls with this key are never billed; default: the block's"),
  weight: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe("Share of the calls among keys that are otherwise equal; default: the block's, else 1"),
  budget: keyBudget.optional().describe('As in settings.budgets, without scope'),
  hours: hours.optional(),
  contract: contract.optional(),
})
const keyEntry = z.union([z.string(), keyObject])
const keyEntries = z.union([z.string(), keyObject, z.array(keyEntry)])

/** The abilities of `domain/target.ts`, as the file spells them. */
export const modelAbilities = section({
  chat: z.boolean().optional().describe('Answers messages'),
  streaming: z.boolean().optional().describe('Streams its answers'),
  tools: z.boolean().optional().describe('Calls tools'),
  images: z.boolean().optional().describe('Reads images'),
  json: z.boolean().optional().describe('Answers in JSON when it is asked for'),
  json_schema: z.boolean().optional().describe('Keeps to a JSON Schema'),
  reasoning: z.boolean().optional().describe('Thinks before it answers'),
  embeddings: z.boolean().optional().describe('Makes embeddings'),
  moderation: z.boolean().optional().describe('Judges texts at /moderations'),
  rerank: z.boolean().optional().describe('Orders documents at /rerank'),
  image_generation: z.boolean().optional().describe('Makes images at /images/generations'),
  image_edit: z.boolean().optional().describe('Changes pictures at /images/edits'),
  image_variation: z.boolean().optional().describe('Varies pictures at /images/variations'),
  transcription: z.boolean().optional().describe('Writes speech down at /audio/transcriptions'),
  translation: z.boolean().optional().describe('Writes speech down in English at /audio/translations'),
  speech: z.boolean().optional().describe('Speaks at /audio/speech'),
})

const modelObject = section({
  id: name.describe("The model's id at the provider"),
  price: modelPrice.optional(),
  context_tokens: z.int().positive().optional().describe('Maximum tokens of prompt and answer together'),
  max_output_tokens: z.int().positive().optional().describe('Maximum tokens of an answer'),
  abilities: modelAbilities
    .optional()
    .describe('What it can and cannot do; default: as its list and the catalogue say'),
  quality: share.optional().describe('Prior of answer quality, until scores are reported'),
})
const modelEntry = z.union([name, modelObject])
const modelEntries = z.array(modelEntry)

// https://www.rfc-editor.org/rfc/rfc9110#name-field-names
const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'expected the name of a header')
const headerValue = z.string().regex(/^[\t\x20-\x7e]{0,4000}$/, 'expected one line of plain text')
const isCredential = (header: string) => /^(?:authorization|x-api-key|x-goog-api-key|api-key|cookie)$/i.test(header)
// https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 and the length, which are for each message
const isOfMessage = (header: string) =>
  /^(?:connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i.test(header)
const headers = z
  .record(headerName, headerValue)
  .refine((all) => !Object.keys(all).some(isOfMessage), 'may not hold what frames a message; remove it')
  .refine((all) => !Object.keys(all).some(isCredential), 'may not hold a credential; put it into "api_key"')

const fieldName = z
  .string()
  .regex(/^[\w-]{1,64}(?:\.[\w-]{1,64}){0,7}$/, 'expected the name of a field, such as "data.left"')
const balance = section({
  path: z
    .string()
    .regex(/^\/[\w.~-]{1,64}(?:\/[\w.~-]{1,64}){0,9}$/, 'expected a path below the endpoint, such as "/user/balance"')
    .describe('Below the endpoint, asked with GET and the key; /../ climbs out of its version segment'),
  left: fieldName.optional().describe('The field of the answer that says what is left: "data.left"'),
  total: fieldName.optional().describe('Where that is not told: the field that says what was ever paid'),
  used: fieldName.optional().describe('What was used of total'),
  limit: fieldName.optional().describe('The field that says of how much something is left'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'expected a currency, such as USD')
    .default('USD')
    .describe('In which it is told'),
  of: z.enum(['account', 'key']).default('account').describe("Whose it is: the account's, or that of the key alone"),
}).refine(
  ({ left, total, used }) => left !== undefined || (total !== undefined && used !== undefined),
  'needs "left", or "total" and "used"',
)

const dialect = z.enum(['openai', 'openai-responses', 'anthropic', 'google', 'gemini'])

/** One provider block, in any of the file's supported dialects. */
export const blockSchema = section({
  api_key: keyEntries
    .optional()
    .describe('One key or several, each as text (the key, env:NAME, file:PATH, vault:NAME) or as an object'),
  api_keys: keyEntries.optional().describe('The same as api_key'),
  keys: keyEntries.optional().describe('The same as api_key'),
  endpoint: z.string().optional().describe('Base URL with its version segment; replaces the known one'),
  base_url: z.string().optional().describe('The same as endpoint'),
  dialect: z
    .union([dialect, z.array(dialect).min(1)])
    .optional()
    .describe(
      "The wire language, or a list of those that are spoken at the same address, the usual one first; default: the provider's own",
    ),
  headers: headers.optional().describe('Sent with every call'),
  models: z
    .union([
      z.literal('discover'),
      modelEntries,
      section({ production: modelEntries.optional(), preview: modelEntries.optional() }),
    ])
    .optional()
    .describe('Exactly these; "discover": the whole list; absent: the list where it is short, else the usual picks'),
  model: name.optional().describe('A single model'),
  free_models: modelEntries.optional().describe('More models'),
  production_models: modelEntries.optional().describe('More models'),
  preview_models: modelEntries.optional().describe('More models'),
  account: name.optional().describe('For every key of the block'),
  account_id: name.optional().describe('Account in the address, where the provider wants one (Cloudflare)'),
  free: z.boolean().optional().describe('For every key of the block'),
  weight: z.number().positive().max(1000).optional().describe('For every key of the block'),
  hours: hours.optional(),
  contract: contract.optional(),
  balance: balance.optional().describe('Where a server tells what is left to spend, see docs/money.md'),
  local: z.boolean().optional().describe("A server of one's own: never billed, one model at a time"),
  status: ignored('Written by a tester'),
  lastTested: ignored('Written by a tester'),
  lastValidated: ignored('Written by a tester'),
  responseTime: ignored('Written by a tester'),
  avgResponseTime: ignored('Written by a tester'),
  workingModels: ignored('Written by a tester'),
})
export type ProviderBlock = z.output<typeof blockSchema>
export type KeyEntry = z.output<typeof keyEntry>
export type ModelEntry = z.output<typeof modelEntry>
export type KeyBudget = z.output<typeof keyBudget>
