/** Cohere: its endpoint in OpenAI's form, and its own for ranking. https://docs.cohere.com/reference/rerank */

import { asArray } from '../../domain/json.ts'
import { imitationRules } from './imitation.ts'
import type { StrictRefusal } from './rule.ts'
import { onPath, ruleTable } from './ruleTable.ts'
import type { ServiceRules } from './serviceRules.ts'

const MOST_DOCUMENTS = 10_000
const LIMITS = 'https://docs.cohere.com/docs/reranking-best-practices'

const rankRules = ruleTable('2026-11-30', {
  'documents-empty': {
    source: 'https://github.com/langchain4j/langchain4j/issues/770',
    refuse: ({ body }) =>
      asArray(body['documents'])?.length === 0 ? refused('list of documents must not be empty') : null,
  },
  // The bounds are documented; the sentences have the form of the one above.
  'documents-too-many': {
    source: LIMITS,
    refuse: ({ body }) =>
      (asArray(body['documents'])?.length ?? 0) > MOST_DOCUMENTS
        ? refused(`list of documents must not be longer than ${MOST_DOCUMENTS}`)
        : null,
  },
  'top-n': {
    source: 'https://docs.cohere.com/reference/rerank#request.body.top_n',
    refuse: ({ body: { top_n: count } }) =>
      typeof count === 'number' && count < 1 ? refused('top_n must be at least 1') : null,
  },
})

export const cohereRules: ServiceRules = {
  service: 'cohere',
  rules: [...imitationRules, ...onPath('/rerank', rankRules)],
}

function refused(message: string): StrictRefusal {
  return { status: 400, body: { message: `invalid request: ${message}` } }
}
