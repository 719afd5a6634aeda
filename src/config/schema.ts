/**
 * The one description of `config/api-keys.json`: types, validation, defaults and the editor's schema all come from here.
 * The file writes names in snake_case; what is read has them in camelCase. Loading zod takes about 40 ms, so whoever
 * answers without a configuration (`--version`, `--help`) imports this room only when it is needed.
 */

import { z } from 'zod'

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type CamelKeys<T> = { readonly [K in keyof T as K extends string ? Camel<K> : K]: T[K] }

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([name, field]) => [
    name.replace(/_([a-z])/g, (_, c) => c.toUpperCase()),
    field,
  ])
  return Object.fromEntries(entries) as CamelKeys<T> // the same rename, which the compiler cannot follow
}

/** An object of the file. Strict, so that unknown names come up; they become warnings (see `check.ts`). */
function section<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape).transform((value) => camelKeys(value))
}

const ms = z.number().min(0).max(86_400_000)
const share = z.number().min(0).max(1)
const amount = z.number().min(0).max(1e12)
const name = z.string().min(1).max(200)
const timezone = z.string().refine(isTimeZone, 'expected an IANA time zone such as "UTC" or "Europe/Madrid"')
const ignored = (what: string) => z.unknown().optional().describe(`${what}; kept, not used`)

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined
  } catch {
    return false
  }
}

const HOURS =
  /^(?:[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?){0,6} )?\d{1,2}(?::\d\d)?-\d{1,2}(?::\d\d)?(?: (\S{1,64}))?$/i

const hoursRule = z
  .string()
  .max(120)
  .refine((rule) => HOURS.test(rule), 'expected hours such as "22-06 Europe/Madrid" or "mon-fri 09:00-18:30 UTC"')
  .refine((rule) => isTimeZone(HOURS.exec(rule)?.[1] ?? 'UTC'), 'names an unknown time zone')

const hours = z
  .union([hoursRule, z.array(hoursRule)])
  .transform((rules): readonly string[] => (typeof rules === 'string' ? [rules] : rules))
  .describe('When it may be used, such as "22-06 Europe/Madrid"; always when absent')

const limitShape = {
  usd: amount.optional().describe('USD'),
  requests: amount.optional(),
  tokens: amount.optional(),
  per: z.enum(['minute', 'hour', 'day', 'week', 'month', 'total']).default('month'),
  hard: z.boolean().default(true).describe('Never exceeded; a soft budget warns and prefers what is cheaper'),
  rolling: z.boolean().default(false).describe('The last 24 hours, say, rather than the calendar day'),
  timezone: timezone.default('UTC'),
  on_exceeded: z.enum(['fallback', 'reject']).default('fallback').describe('Go elsewhere, or fail'),
}

const hasAmount = (budget: { usd?: unknown; requests?: unknown; tokens?: unknown }) =>
  budget.usd !== undefined || budget.requests !== undefined || budget.tokens !== undefined
const NO_AMOUNT = 'needs an amount: "usd", "requests" or "tokens"'

const keyBudget = section(limitShape).refine(hasAmount, NO_AMOUNT)
const budget = section({
  scope: name.describe('all | provider | provider/model | provider#key | account:NAME | label:K=V | token:NAME'),
  ...limitShape,
}).refine(hasAmount, NO_AMOUNT)

const price = section({
  input: amount.describe('USD per million tokens'),
  output: amount.describe('USD per million tokens'),
  cached_input: amount.optional(),
  cache_write: amount.optional(),
})

const keyObject = section({
  key: z.string().describe('The key itself, or env:NAME, file:PATH, vault:NAME'),
  label: name.optional().describe('Shown instead of the index'),
  account: name.optional().describe('Keys with the same account share one quota; default: each key its own'),
  free: z.boolean().optional().describe('Calls with this key are never billed'),
  weight: z.number().positive().max(1000).optional().describe('Larger is preferred among equals; default 1'),
  budget: keyBudget.optional(),
  hours: hours.optional(),
})
const keyEntry = z.union([z.string(), keyObject])
const keyEntries = z.union([z.string(), keyObject, z.array(keyEntry)])

const modelObject = section({
  id: name,
  price: price.optional(),
  context_tokens: z.int().positive().optional(),
  max_output_tokens: z.int().positive().optional(),
  quality: share.optional().describe('Prior of answer quality, until scores are reported'),
})
const modelEntry = z.union([name, modelObject])
const modelEntries = z.array(modelEntry)

// https://www.rfc-editor.org/rfc/rfc9110#name-field-names
const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'expected the name of a header')
const headerValue = z.string().regex(/^[\t\x20-\x7e]{0,4000}$/, 'expected one line of plain text')
const isCredential = (header: string) => /^(?:authorization|x-api-key|x-goog-api-key|api-key|cookie)$/i.test(header)
const headers = z
  .record(headerName, headerValue)
  .refine((all) => !Object.keys(all).some(isCredential), 'may not hold a credential; put it into "api_key"')

export const DIALECTS = ['openai', 'openai-responses', 'anthropic', 'google', 'gemini'] as const

/** One provider of the file, in any of the dialects that exist. */
export const blockSchema = section({
  api_key: keyEntries.optional(),
  api_keys: keyEntries.optional(),
  keys: keyEntries.optional(),
  endpoint: z.string().optional().describe('Base URL with its version segment; replaces the known one'),
  base_url: z.string().optional().describe('The same as endpoint'),
  dialect: z.enum(DIALECTS).optional(),
  headers: headers.optional().describe('Sent with every call'),
  models: z
    .union([
      z.literal('discover'),
      modelEntries,
      section({ production: modelEntries.optional(), preview: modelEntries.optional() }),
    ])
    .optional()
    .describe('Exactly these; "discover": the whole list; absent: the list where it is short, else the usual picks'),
  model: name.optional(),
  free_models: modelEntries.optional(),
  production_models: modelEntries.optional(),
  preview_models: modelEntries.optional(),
  account: name.optional().describe('For every key of the block'),
  account_id: name.optional().describe('Account in the address, where the provider wants one (Cloudflare)'),
  free: z.boolean().optional().describe('For every key of the block'),
  weight: z.number().positive().max(1000).optional(),
  hours: hours.optional(),
  local: z.boolean().optional().describe("A server of one's own: never billed, one model at a time"),
  status: ignored('Written by a tester'),
  lastTested: ignored('Written by a tester'),
  lastValidated: ignored('Written by a tester'),
  responseTime: ignored('Written by a tester'),
  avgResponseTime: ignored('Written by a tester'),
  workingModels: ignored('Written by a tester'),
})
export type Block = z.output<typeof blockSchema>
export type KeyEntry = z.output<typeof keyEntry>
export type ModelEntry = z.output<typeof modelEntry>
export type KeyBudget = z.output<typeof keyBudget>
export type Budget = z.output<typeof budget>

const weights = section({
  reliability: amount.default(0.4),
  speed: amount.default(0.3),
  quality: amount.default(0.2),
  recency: amount
    .default(0.1)
    .describe('Part of the score; the learned strategy, which orders by expected value, does not use it'),
}).refine((all) => all.reliability + all.speed + all.quality > 0, 'needs a weight above 0 besides recency')

const routing = section({
  strategy: z.enum(['learned', 'score', 'score-original', 'round-robin', 'priority']).default('learned'),
  latency_ref_ms: z.number().positive().max(600_000).default(4000).describe('The time at which speed is 0.5'),
  cost_margin: share.default(0.02).describe('Among targets this close to the best the cheapest is taken; 0: off'),
  quality_floor: share.default(0).describe('Models below it stay out of auto'),
  probes: z.enum(['calls', 'free', 'traffic']).default('calls').describe('What may be spent to end a guessed park'),
  exploration: section({
    rate: share.default(0.02).describe('Share of the requests that may try a target that does not look best'),
    burst: amount.default(5),
    margin: share.default(0.02).describe('A pick this close to the best does not count as exploring'),
    width: amount.default(0.5).describe('Width of the drawn estimates; 0: no exploration'),
    free_pulls: z.int().min(0).max(100).default(3).describe('Tries of a target that is new'),
  }).prefault({}),
  seed: z.int().optional().describe('Makes every choice repeatable'),
})

const test = section({
  max_usd: amount.default(0.05).describe('Most a test run may cost'),
  timeout_ms: ms.optional(),
  message: z.string().min(1).max(10_000).optional(),
})

const address = z.string().describe('The value itself, or env:NAME, file:PATH')
const alerts = section({
  telegram: section({
    bot_token: address,
    chat_id: z.union([z.string(), z.number()]).transform(String),
    api_root: z.url().default('https://api.telegram.org'),
    events: z.array(name).optional(),
  }).optional(),
  webhook: section({
    url: address,
    secret: address.optional().describe('Signs what is sent'),
    template: z.string().optional(),
    headers: z.record(name, z.string()).optional(),
    events: z.array(name).optional(),
  }).optional(),
})

const aliases = z
  .record(
    name,
    z.union([name, z.array(name).min(1)]).transform((to): readonly string[] => (typeof to === 'string' ? [to] : to)),
  )
  .refine((all) => !('auto' in all), 'may not name an alias "auto": it means the best target')

const settingsFile = section({
  weights: weights.prefault({}),
  max_attempts: z.int().min(1).max(100).optional().describe('Default 5; a hard cap on calls where it is written down'),
  routing: routing.prefault({}),
  models: aliases.default({}).describe('Names usable as "model", and what they stand for'),
  timeouts: section({
    connect_ms: ms.default(3000),
    first_token_ms: z.union([z.literal('auto'), ms]).default('auto'),
    idle_ms: ms.default(30_000),
    total_ms: ms.default(600_000).describe('Until the first content'),
    patience_ms: ms.default(10_000).describe('How long to wait for a limit to reset'),
  }).prefault({}),
  streaming: section({ rescue: z.enum(['off', 'text']).default('off') }).prefault({}),
  budgets: z.array(budget).default([]),
  free_only: z.boolean().default(false),
  privacy: z.enum(['any', 'no_training']).default('any'),
  unknown_price: z.enum(['allow', 'block']).default('allow'),
  test: test.prefault({}),
  alerts: alerts.prefault({}),
  gateway: section({
    host: name.default('127.0.0.1'),
    port: z.int().min(0).max(65_535).default(5397),
    max_body_mb: z.number().positive().max(1024).default(32),
    max_response_mb: z.number().positive().max(4096).default(64),
    allowed_hosts: z.array(name).default([]).describe('Names besides localhost under which it may be called'),
    allowed_origins: z.array(name).default([]).describe('Web pages that may call it'),
  }).prefault({}),
  retention: section({
    attempts_days: z.number().positive().max(36_500).default(90),
    hourly_days: z.number().positive().max(36_500).default(730),
  }).prefault({}),
  hours: z.record(name, hours).default({}).describe('Rules by target pattern, such as "groq/*"'),
  log: section({
    calls: z.boolean().default(true).describe('The lines of every call'),
    level: z.enum(['error', 'warn', 'info']).default('info'),
  }).prefault({}),
  experiments: z.unknown().optional(),
  default_provider: name.default('auto').describe('"auto", or the only provider to use'),
  test_timeout_ms: ms.optional().describe('The same as test.timeout_ms'),
  test_message: z.string().min(1).max(10_000).optional().describe('The same as test.message'),
  cycle_delay_ms: ignored("The supervisor's"),
  max_cycles: ignored("The supervisor's"),
  auto_validate_on_change: ignored("The supervisor's"),
  generate_reports: ignored("The supervisor's"),
  notification_on_failure: ignored("The supervisor's"),
})

/** The settings with every default filled in. */
export const settingsSchema = settingsFile.transform((file) => ({
  weights: file.weights,
  maxAttempts: file.maxAttempts ?? 5,
  /** The user wrote `max_attempts`: it then caps every upstream call, also those refused at once. */
  maxAttemptsIsCap: file.maxAttempts !== undefined,
  routing: file.routing,
  models: file.models,
  timeouts: file.timeouts,
  streaming: file.streaming,
  budgets: file.budgets,
  freeOnly: file.freeOnly,
  privacy: file.privacy,
  unknownPrice: file.unknownPrice,
  test: {
    maxUsd: file.test.maxUsd,
    timeoutMs: file.test.timeoutMs ?? file.testTimeoutMs ?? 30_000,
    message: file.test.message ?? file.testMessage ?? 'Reply with the word OK.',
  },
  alerts: file.alerts,
  gateway: file.gateway,
  retention: file.retention,
  hours: file.hours,
  log: file.log,
  experiments: file.experiments,
  defaultProvider: file.defaultProvider,
}))
export type SettingsOfFile = z.output<typeof settingsSchema>

const root = z
  .object({
    $schema: z.string().optional(),
    version: ignored('Version of the file'),
    lastValidated: ignored('Written by a tester'),
    providers: z.record(z.string(), blockSchema).optional(),
    settings: settingsFile.optional(),
  })
  .catchall(blockSchema)

/** The names that stand beside the providers at the top of the file. */
export const TOP_NAMES: readonly string[] = Object.keys(root.shape)

/** The editor's schema (`keywise.schema.json`), as plain data. */
export function jsonSchema(): Record<string, unknown> {
  return { title: 'keywise configuration', ...z.toJSONSchema(root, { io: 'input', reused: 'ref' }) }
}
