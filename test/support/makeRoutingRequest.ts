import type { RoutingRequest } from '../../src/routing/choose.ts'

/** The first request of a conversation, for which every target is eligible. */
export function makeRoutingRequest(facts: Partial<RoutingRequest> = {}): RoutingRequest {
  return {
    id: 'r',
    profile: 'balanced',
    task: null,
    stream: false,
    inputTokens: 100,
    expectedOutputTokens: 0,
    session: { stateId: null },
    firstTurn: true,
    mayExplore: true,
    ineligible: () => null,
    ...facts,
  }
}
