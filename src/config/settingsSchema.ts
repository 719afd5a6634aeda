/** The schema of `settings`, with every default. */

import { z } from 'zod'
import { holdAlways, readHours } from '../domain/hoursRule.ts'
import { aliases } from './aliasSchema.ts'
import {
  amount,
  hasAmount,
  hasOneAmount,
  hours,
  ignored,
  isSpreadOverPeriod,
  limitShape,
  ms,
  NO_AMOUNT,
  NO_PERIOD,
  name,
  scope,
  section,
  share,
  TWO_AMOUNTS,
} from './schemaWords.ts'

const budget = section({ scope, ...limitShape })
  .refine(hasAmount, NO_AMOUNT)
  .refine(hasOneAmount, TWO_AMOUNTS)
  .refine(isSpreadOverPeriod, NO_PERIOD)
export type BudgetOfFile = z.output<typeof budget>

const kindOf = ({ scope, usd, requests, tokens, per, rolling, timezone }: BudgetOfFile) => {
  const units = [usd, requests, tokens].map((amount) => amount !== undefined)
  return JSON.stringify([scope, units, per, rolling || timezone])
}

/** Two budgets of the same kind would share one counter. */
const budgets = z.array(budget).superRefine((all, context) => {
  const ids = all.map(kindOf)
  ids.forEach((id, index) => {
    const first = ids.indexOf(id)
    if (first < index)
      context.addIssue({
        code: 'custom',
        path: [index],
        message: `is the same kind of budget as settings.budgets[${first}]; keep one`,
      })
  })
})

const weights = section({
  reliability: amount.default(0.4).describe('How much it counts whether calls are answered'),
  speed: amount.default(0.3).describe('How much the time of an answer counts'),
  quality: amount.default(0.2).describe('How much the ratings of answers count'),
  recency: amount
    .default(0.1)
    .describe('Part of the score; the learned strategy, which orders by expected value, does not use it'),
}).refine((all) => all.reliability + all.speed + all.quality > 0, 'needs a weight above 0 besides recency')

const routing = section({
  strategy: z
    .enum(['learned', 'score', 'score-original', 'round-robin', 'priority'])
    .default('learned')
    .describe(
      'learned: by expected value; score: by the weighted score; score-original: by all-time averages; priority: in the order of the alias, then of the file',
    ),
  latency_ref_ms: z.number().positive().max(600_000).default(4000).describe('The time at which speed is 0.5'),
  cost_margin: share.default(0.02).describe('Among targets this close to the best the cheapest is taken; 0: off'),
  quality_floor: share.default(0).describe('Models below it stay out of auto'),
  probes: z
    .enum(['calls', 'free', 'traffic'])
    .default('calls')
    .describe(
      'What may be spent to find out that a failing target works again. calls: calls of 16 tokens, also beside a request; free: only checks that cost nothing; traffic: nothing but requests',
    ),
  exploration: section({
    rate: share
      .default(0.02)
      .describe('Share of the requests that may try a target that does not look best; 0: none, and no free pulls'),
    burst: amount.default(5).describe('Explorations that can be saved up'),
    margin: share.default(0.02).describe('A pick this close to the best does not count as exploring'),
    width: amount.default(0.5).describe('Width of the drawn estimates; 0: no exploration, and no free pulls'),
    free_pulls: z
      .int()
      .min(0)
      .max(100)
      .default(3)
      .describe(
        'Requests that each target without observations gets beside those that are known, whatever the strategy (docs/decisions/new-targets.md); 0: none',
      ),
  }).prefault({}),
  seed: z.int().optional().describe('Makes every choice repeatable'),
})

const test = section({
  max_usd: amount
    .default(0.05)
    .describe('Maximum cost of a test run, in USD; with new_targets also of all tests of a UTC day'),
  new_targets: z
    .boolean()
    .default(false)
    .describe(
      'true: what runs keywise tests a target without observations by a call of 16 tokens, so that no request has to try it; not where the price is unknown',
    ),
  timeout_ms: ms.optional().meta({ description: 'Maximum time of one call', default: 30_000 }),
  message: z
    .string()
    .min(1)
    .max(10_000)
    .optional()
    .meta({ description: 'The prompt of a test', default: 'Reply with the word OK.' }),
})

const credit = section({
  check_minutes: z
    .number()
    .min(0)
    .max(1440)
    .default(15)
    .describe('How often an account in use is asked what it has left, where its provider tells; 0: never'),
  warn_hours: amount.default(24).describe('An alert when it will be gone within this time at its pace; 0: none'),
})

const secret = (what: string) => z.string().describe(`${what}: the value itself, or env:NAME, file:PATH, vault:NAME`)
const backup = z
  .boolean()
  .default(false)
  .describe('It gets only what the other channel has not delivered in time; false: everything at once')
const quiet = hours
  .refine(
    (rules) => !holdAlways(rules.flatMap((rule) => readHours(rule) ?? [])),
    'leaves no time at which alerts are sent; name fewer "events" instead',
  )
  .describe(
    'Quiet hours, such as "22-07 Europe/Madrid": what happens meanwhile is told in one message when they are over',
  )
const quietExcept = z
  .array(name)
  .default(['everything'])
  .describe('Events that are sent in quiet hours too, with their ends; everything: that everything fails')
const alerts = section({
  backup_after_ms: ms.default(300_000).describe('How long a backup channel leaves an alert to the other one'),
  telegram: section({
    bot_token: secret('Token of the bot'),
    chat_id: z.union([z.string(), z.number()]).transform(String).describe('The chat that is notified'),
    api_root: z.url().default('https://api.telegram.org').describe('Where the Bot API is'),
    events: z
      .array(name)
      .optional()
      .describe('Default: outages, recoveries, refused keys, credit that runs out, budgets; ["all"]: every event'),
    backup,
    quiet: quiet.optional(),
    quiet_except: quietExcept,
  }).optional(),
  webhook: section({
    url: secret('Address alerts are posted to'),
    secret: secret('Key of the signature').optional(),
    template: z.string().optional().describe('The body, with {{variables}}; default: the alert as JSON'),
    headers: z.record(name, z.string()).optional().describe('Sent with every alert'),
    events: z.array(name).optional().describe('Default: every event'),
    backup,
    quiet: quiet.optional(),
    quiet_except: quietExcept,
  }).optional(),
})

export const settingsFile = section({
  weights: weights.prefault({}),
  max_attempts: z.int().min(1).max(100).optional().meta({
    description: 'Upstream calls per request; unless it is set, keys refused at once do not count',
    default: 5,
  }),
  routing: routing.prefault({}),
  models: aliases
    .default({})
    .describe(
      'Names usable as "model": what they stand for, or the condition that their models satisfy (docs/gateway.md); with * for any text, then a served id of that name wins',
    ),
  timeouts: section({
    connect_ms: ms.default(3000).describe('To connect'),
    first_token_ms: z
      .union([z.literal('auto'), ms])
      .default('auto')
      .describe(
        'To the first content of a stream, or to the whole of a plain answer; auto: learned per target, for a plain answer with the time for its tokens',
      ),
    idle_ms: ms.default(30_000).describe('Between two pieces of a stream'),
    total_ms: ms
      .default(600_000)
      .describe('Until the first content, over all targets; one that is silent for half of it gets another beside it'),
    patience_ms: ms.default(10_000).describe('How long to wait for a limit to reset'),
  }).prefault({}),
  hedge: section({
    after: z
      .union([z.literal('p95'), ms])
      .default('p95')
      .describe(
        'Off unless "hedge" is written. How long a target may be silent before a second one is asked beside it, in milliseconds; p95: longer than 95 % of its answers took, once 20 were seen',
      ),
    max_extra_usd: amount
      .default(0.01)
      .describe(
        'The most that the second call may cost with the longest answer that the request allows; targets of unknown price are not asked',
      ),
  })
    .optional()
    .describe('Asks a second target for speed; off unless it is written'),
  streaming: section({
    rescue: z.enum(['off', 'text']).default('off').describe('text: another target continues plain text that broke off'),
  }).prefault({}),
  budgets: budgets.default([]).describe('Limits on spending, see docs/money.md'),
  credit: credit.prefault({}).describe('What accounts have left, see docs/money.md'),
  free_only: z.boolean().default(false).describe('Only targets that can never be billed'),
  privacy: z
    .enum(['any', 'no_training'])
    .default('any')
    .describe('no_training: never a target whose provider may train on what it is sent'),
  unknown_price: z.enum(['allow', 'block']).default('allow').describe('Whether targets of unknown price may be used'),
  test: test.prefault({}),
  alerts: alerts.prefault({}),
  gateway: section({
    host: name.default('127.0.0.1').describe('The address it listens on'),
    port: z.int().min(0).max(65_535).default(5397).describe('0: any free port'),
    max_body_mb: z.number().positive().max(1024).default(32).describe('Maximum size of a request'),
    max_response_mb: z.number().positive().max(4096).default(64).describe('Maximum size of an answer of a provider'),
    allowed_hosts: z.array(name).default([]).describe('Host names besides localhost that it accepts'),
    allowed_origins: z.array(name).default([]).describe('Origins of web pages that may call it'),
  }).prefault({}),
  retention: section({
    attempts_days: z.number().positive().max(36_500).default(90).describe('Each attempt is kept this long'),
    hourly_days: z.number().positive().max(36_500).default(730).describe('Hourly sums are kept this long'),
  }).prefault({}),
  backups: section({
    keep: z.int().min(0).max(365).default(7).describe('Copies of the store that are kept beside it; 0 makes none'),
    every_hours: z.number().positive().max(8_760).default(24).describe('The least time between two copies'),
    max_mb: z.number().positive().max(1e9).default(1_024).describe('What all copies together may take on the disk'),
  }).prefault({}),
  durability: z
    .enum(['process', 'power', 'relaxed'])
    .default('process')
    .describe(
      'What an answer waits for before it is complete. process: its row in the ledger survives a kill of keywise; power: a power failure too, for a wait for the disk; relaxed: nothing. Takes effect at the next start',
    ),
  hours: z.record(name, hours).default({}).describe('Rules by target pattern, such as "groq/*"; see docs/hours.md'),
  log: section({
    calls: z.boolean().default(true).describe('The lines of every call; of the gateway, the line of every request'),
    level: z.enum(['error', 'warn', 'info']).default('info').describe('Minimum level that is logged'),
  }).prefault({}),
  experiments: z.unknown().optional().describe('See docs/experiments.md'),
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
  /** The user set `max_attempts`: it then caps every upstream call, including those refused at once. */
  maxAttemptsIsCap: file.maxAttempts !== undefined,
  routing: file.routing,
  models: file.models,
  timeouts: file.timeouts,
  hedge: file.hedge,
  streaming: file.streaming,
  budgets: file.budgets,
  credit: file.credit,
  freeOnly: file.freeOnly,
  privacy: file.privacy,
  unknownPrice: file.unknownPrice,
  test: {
    maxUsd: file.test.maxUsd,
    newTargets: file.test.newTargets,
    timeoutMs: file.test.timeoutMs ?? file.testTimeoutMs ?? 30_000,
    message: file.test.message ?? file.testMessage ?? 'Reply with the word OK.',
  },
  alerts: file.alerts,
  gateway: file.gateway,
  retention: file.retention,
  backups: file.backups,
  durability: file.durability,
  hours: file.hours,
  log: file.log,
  experiments: file.experiments,
  defaultProvider: file.defaultProvider,
}))
export type SettingsOfFile = z.output<typeof settingsSchema>
