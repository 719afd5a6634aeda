/** The schema of `settings.models`: names usable as "model", each a list of names or a condition that fills itself. */

import { z } from 'zod'
import { nearest } from '../domain/nearest.ts'
import type { Ability } from '../domain/target.ts'
import type { Alias, AliasCondition } from './alias.ts'
import { amount, name, section } from './schemaWords.ts'

/** The abilities of `domain/target.ts` as the file spells them, and the words that people use for them. */
const NEEDS = {
  tools: 'tools',
  schema: 'jsonSchema',
  json_schema: 'jsonSchema',
  json: 'json',
  images: 'images',
  vision: 'images',
  reasoning: 'reasoning',
  streaming: 'streaming',
  embeddings: 'embeddings',
  chat: 'chat',
} as const satisfies Readonly<Record<string, Ability>>
type Need = keyof typeof NEEDS
// Object.keys() forgets which keys they are.
const NEED_WORDS = Object.keys(NEEDS) as [Need, ...Need[]]

const need = z.enum(NEED_WORDS, { error: ({ input }) => noAbility(shownWord(input)) })

const shownWord = (input: unknown) => (typeof input === 'string' ? input : (JSON.stringify(input) ?? '')).slice(0, 40)

function noAbility(word: string): string {
  const near = nearest(word, NEED_WORDS, 1).map((known) => ` (did you mean "${known}"?)`)
  return `"${word}" is no ability keywise knows${near.join('')}; use ${NEED_WORDS.join(', ')}`
}

const names = (what: string) => z.array(name).min(1, `is empty; leave it out, or name ${what}`)

const FIELDS = {
  from: names('models: ["groq/*", "anthropic/*"]')
    .optional()
    .describe('The models it chooses among: names, aliases, * for any text; default: all'),
  needs: z
    .array(need)
    .optional()
    .describe('Abilities that its models are known to have: tools, schema, json, images (or vision), reasoning …'),
  min_context: z.int().positive().max(1e9).optional().describe('Tokens that the context window has at least'),
  max_usd_out: amount.optional().describe('USD per million output tokens at most; an unknown price is above it'),
  free: z
    .boolean()
    .optional()
    .describe("Only targets that can never be billed: keys marked free, models of price 0, servers of one's own"),
  order: names('who comes first: ["anthropic/*", "*"]')
    .optional()
    .describe('Who is asked first: all that the first name fits, then the second …; others come last'),
}

const condition = section(FIELDS)
  .refine(
    (fields) => Object.values(fields).some((field) => field !== undefined),
    `has no condition; use "auto" for every model, or one of ${Object.keys(FIELDS).join(', ')}`,
  )
  .transform(
    ({ from, needs, minContext, maxUsdOut, free, order }): AliasCondition => ({
      from: from ?? ['*'],
      needs: (needs ?? []).map((word) => ({ word, ability: NEEDS[word] })),
      minContext: minContext ?? null,
      maxUsdOut: maxUsdOut ?? null,
      free: free ?? false,
      order: order ?? [],
    }),
  )

export const aliases = z
  .record(name, z.union([name.transform((to): Alias => [to]), names('models').transform((to): Alias => to), condition]))
  .refine((all) => !('auto' in all), 'may not name an alias "auto": it means the best target')
