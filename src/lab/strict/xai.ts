/** xAI. https://docs.x.ai/developers/model-capabilities/text/reasoning; fields it does not know it ignores. */

import { asArray } from '../../domain/json.ts'
import { callsOf, isSet, messagesOf } from './chatBody.ts'
import type { StrictRefusal } from './rule.ts'
import { first, onPath, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

/** In the order of the service, with its own spelling. */
const PENALTIES = [
  ['presence_penalty', 'presencePenalty'],
  ['frequency_penalty', 'frequencyPenalty'],
] as const

/** The models that let their reasoning be set. */
const EFFORT_MODELS = /^grok-(?:3-mini|4\.(?:3|[5-9])|4\.20-multi-agent)/
const STOPLESS_MODELS = /^grok-(?:3-mini|4)(?!.*non-reasoning)/

const rules = ruleTable('2026-11-29', {
  'penalty-unsupported': {
    source: 'https://github.com/miaoxworld/NativeTavern/issues/83',
    refuse: ({ body, model }) =>
      /^grok-(?:3-mini|4)/.test(model)
        ? first(PENALTIES, ([field, name]) => (isSet(body[field]) ? unsupported(model, name) : null))
        : null,
  },
  'stop-unsupported': {
    source: 'https://github.com/mnfst/modelparams.dev/pull/330',
    refuse: ({ body, model }) =>
      isSet(body['stop']) && STOPLESS_MODELS.test(model) ? unsupported(model, 'stop') : null,
  },
  'effort-unsupported': {
    source: 'https://github.com/chenyme/grok2api/issues/814',
    refuse: ({ body, model }) =>
      isSet(body['reasoning_effort']) && !EFFORT_MODELS.test(model) ? unsupported(model, 'reasoningEffort') : null,
  },
  'content-missing': {
    source: 'https://github.com/langchain-ai/langchain/issues/34140',
    refuse: ({ body }) =>
      first(messagesOf(body), (message) => {
        const { content } = message.value
        const isEmpty = !isSet(content) || asArray(content)?.length === 0
        if (!isEmpty || callsOf(message).length > 0) return null
        return refused('Invalid request content: Each message must have at least one content element.')
      }),
  },
})

export const xaiRules: ServiceRules = { service: 'xai', rules: onPath('/chat/completions', rules) }

function refused(error: string): StrictRefusal {
  return { status: 400, body: { code: 'invalid-argument', error } }
}

const unsupported = (model: string, name: string) => refused(`Model ${model} does not support parameter ${name}.`)
