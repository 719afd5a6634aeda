/** Which rules a simulated service enforces. */

import type { DialectId } from '../../domain/chat.ts'
import { anthropicRules } from './anthropic.ts'
import { cerebrasRules } from './cerebras.ts'
import { cohereRules } from './cohere.ts'
import { deepseekRules } from './deepseek.ts'
import { googleRules } from './google.ts'
import { groqRules } from './groq.ts'
import { imitationRules } from './imitation.ts'
import { mistralEmbeddingRules, mistralRules } from './mistral.ts'
import { openaiChatRules, openaiEmbeddingRules, openaiResponsesRules } from './openai.ts'
import { openaiUnitRules } from './openaiUnits.ts'
import { openrouterRules } from './openrouter.ts'
import type { Rule } from './rule.ts'
import { xaiRules } from './xai.ts'

/** Services with a table of their own, by the language they are asked in. */
const TABLES: { readonly [D in DialectId]: Readonly<Record<string, readonly Rule[]>> } = {
  openai: Object.fromEntries([
    ['openai', [...openaiChatRules, ...openaiEmbeddingRules, ...openaiUnitRules]],
    ['mistral', [...mistralRules.rules, ...mistralEmbeddingRules]],
    ...[groqRules, cerebrasRules, openrouterRules, deepseekRules, xaiRules, cohereRules].map(
      ({ service, rules }) => [service, rules] as const,
    ),
  ]),
  'openai-responses': { openai: openaiResponsesRules },
  anthropic: { anthropic: anthropicRules },
  google: { google: googleRules },
}

/** Where nothing is known of a service, what every service of its language refuses. */
const BASE: { readonly [D in DialectId]: readonly Rule[] } = {
  openai: imitationRules,
  'openai-responses': [],
  anthropic: [],
  google: [],
}

/** Every service whose rules can be asked for. */
export const STRICT_SERVICES: readonly string[] = [...new Set(Object.values(TABLES).flatMap(Object.keys))]

/** The rules of a service in the order in which it looks; a server of the user's own gets what all have in common. */
export function rulesOf(service: string, dialect: DialectId): readonly Rule[] {
  const tables = TABLES[dialect]
  return (Object.hasOwn(tables, service) ? tables[service] : undefined) ?? BASE[dialect]
}
