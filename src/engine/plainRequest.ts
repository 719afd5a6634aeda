/** The plainest request for a model: outages are judged by it, and probes send it. */

import type { Ability } from '../domain/target.ts'
import { prepareRequest } from './prepareRequest.ts'
import type { RequestFacts } from './reader.ts'
import type { PendingRequest } from './request/pendingRequest.ts'

/** Small enough for every limit, large enough for providers that refuse to answer in one token. */
const FEW_TOKENS = 16

/** `ability`: what is wanted in the place of a chat. Null when nothing is known by that name. */
export function plainRequest(engine: RequestFacts, model: string, ability: Ability | null): PendingRequest | null {
  const text = engine.registry.config.settings.test.message
  const request = {
    model,
    messages: [{ role: 'user', content: [{ type: 'text', text }] }],
    maxTokens: FEW_TOKENS,
    stream: false,
  } as const
  try {
    const needs = ability === null ? {} : { needs: { abilities: [ability] } }
    return prepareRequest(engine, request, { ...needs, anyAnswer: true })
  } catch {
    return null
  }
}
