/**
 * A wish to think, as servers that imitate the dialect have it: OpenRouter's `reasoning`
 * (https://openrouter.ai/docs/use-cases/reasoning-tokens), and `thinking` of DeepSeek, Z.ai and others
 * (https://api-docs.deepseek.com/guides/thinking_mode). Both read 2026-11-30.
 */

import type { ReasoningOptions } from '../../domain/chat.ts'
import { asNumber, asRecord, asString } from '../../domain/json.ts'
import type { Fields } from '../fields/requestFields.ts'
import { readEffort } from '../openai/fields.ts'

/** The fields in which it is said; they go to a server of the dialect as they are. */
export const OTHER_FORMS = ['reasoning', 'thinking'] as const

export function readOtherForms(fields: Fields): ReasoningOptions | undefined {
  return readReasoning(asRecord(fields['reasoning'])) ?? readThinking(asRecord(fields['thinking']))
}

function readReasoning(reasoning: Fields | undefined): ReasoningOptions | undefined {
  if (reasoning === undefined) return undefined
  const visible = reasoning['exclude'] === true ? { visible: false } : {}
  if (reasoning['enabled'] === false) return { effort: 'none', ...visible }
  const budgetTokens = tokensIn(reasoning['max_tokens'])
  if (budgetTokens !== undefined) return { budgetTokens, ...visible }
  const effort = readEffort(asString(reasoning['effort'])) ?? (reasoning['enabled'] === true ? MEDIUM : undefined)
  return effort && { ...effort, ...visible }
}

/** What OpenRouter takes `enabled` for. */
const MEDIUM: ReasoningOptions = { effort: 'medium' }

function readThinking(thinking: Fields | undefined): ReasoningOptions | undefined {
  if (thinking?.['type'] === 'disabled') return { effort: 'none' }
  if (thinking?.['type'] !== 'enabled' && thinking?.['type'] !== 'adaptive') return undefined
  const budgetTokens = tokensIn(thinking['budget_tokens'])
  return budgetTokens === undefined ? { adaptive: true } : { budgetTokens }
}

function tokensIn(value: unknown): number | undefined {
  const tokens = asNumber(value)
  return tokens !== undefined && Number.isInteger(tokens) && tokens > 0 ? tokens : undefined
}
