/**
 * OpenRouter drops what a model does not know, and passes the rest on: its own rules are few, those of the service
 * behind a model come back inside its envelope. https://openrouter.ai/docs/api-reference/errors
 */

import { asArray, asRecord } from '../../domain/json.ts'
import { isSet } from './chatBody.ts'
import { mistralRules } from './mistral.ts'
import { openaiChatRules } from './openai.ts'
import type { Rule, StrictRefusal, StrictRequest } from './rule.ts'
import { onPath, refusalBy, rulesNamed, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

const LONGEST_USER = 128

/** What was seen to come back from the services behind; the rest OpenRouter mends on the way. */
const FROM_OPENAI = rulesNamed(openaiChatRules, [
  'tool-name',
  'tool-schema',
  'tool-call-id-length',
  'tool-results-missing',
  'tool-result-orphan',
])
const FROM_MISTRAL = rulesNamed(mistralRules.rules, ['role-order', 'call-count', 'last-role'])

const rules = ruleTable('2026-11-29', {
  'messages-missing': {
    source: 'https://openrouter.ai/docs/api-reference/chat-completion',
    refuse: ({ body }) =>
      isSet(body['prompt']) || (asArray(body['messages'])?.length ?? 0) > 0
        ? null
        : refused('Input required: specify "prompt" or "messages"'),
  },
  // The limit was reported, its sentence was not: it is what its validator says of other fields.
  'user-length': {
    source: 'https://github.com/ujisati/claude-code-provider-proxy/pull/11',
    refuse: ({ body: { user } }) =>
      typeof user === 'string' && user.length > LONGEST_USER
        ? refused(`user: Too big: expected string to have <=${LONGEST_USER} characters`)
        : null,
  },
  'reasoning-twice': {
    source: 'https://openrouter.ai/docs/guides/best-practices/reasoning-tokens',
    refuse: ({ body }) => {
      const reasoning = asRecord(body['reasoning'])
      return isSet(reasoning?.['effort']) && isSet(reasoning?.['max_tokens'])
        ? refused('Only one of "reasoning.effort" and "reasoning.max_tokens" can be specified')
        : null
    },
  },
  'openai-behind': {
    source: 'https://github.com/openclaw/openclaw/pull/875',
    refuse: (request) => behind(request, /^openai\/(?!gpt-oss)/, 'OpenAI', FROM_OPENAI),
  },
  'mistral-behind': {
    source: 'https://github.com/charmbracelet/crush/issues/279',
    refuse: (request) => behind(request, /^mistralai\//, 'Mistral', FROM_MISTRAL),
  },
})

export const openrouterRules: ServiceRules = { service: 'openrouter', rules: onPath('/chat/completions', rules) }

function refused(message: string): StrictRefusal {
  return { status: 400, body: { error: { message, code: 400 } } }
}

function behind(
  request: StrictRequest,
  models: RegExp,
  provider_name: string,
  table: readonly Rule[],
): StrictRefusal | null {
  if (!models.test(request.model)) return null
  const model = request.model.replace(/^[^/]*\//, '').replace(/:.*$/, '')
  const refusal = refusalBy(table, { ...request, model })
  if (refusal === null) return null
  const metadata = { raw: JSON.stringify(refusal.body), provider_name }
  return {
    status: refusal.status,
    body: { error: { message: 'Provider returned error', code: refusal.status, metadata } },
  }
}
