/** What an agent has to do, and with whom: the turns of a conversation and what becomes of the services meanwhile. */

import type { FakeFault } from '../../src/lab/fake/scenario.ts'
import type { Agent } from './agents.ts'
import { dialectOf, nameOf, UPSTREAMS, type Upstream, upstream } from './upstreams.ts'

export interface Trial {
  readonly name: string
  /** In the order in which they are asked. */
  readonly upstreams: readonly Upstream[]
  /** How many of the two steps (read, edit) are taken by the end of each turn. */
  readonly turns: readonly number[]
  /** What happens to the first upstream in the middle of a turn. */
  readonly fault?: FakeFault
  /** Tokens that every upstream takes at most. */
  readonly window?: number
}

/** The whole loop in one turn. */
const ONCE = [2]

const alone = UPSTREAMS.map((one): Trial => ({ name: nameOf(one), upstreams: [one], turns: ONCE }))

/** After each turn the key of the service that answered is revoked: every language goes before and after others. */
const MOVES = [
  ['gpt-6-sol (Responses)', 'claude-opus-5-5', 'gemini-3.8-flash'],
  ['gemini-3.8-flash', 'openai/gpt-oss-120b', 'claude-haiku-4-5'],
  ['claude-sonnet-5', 'gemini-2.5-pro', 'gpt-5.1 (Responses)'],
  ['claude-haiku-4-5', 'gpt-6-sol (Responses)', 'mistral-large-2512'],
  ['gpt-5.1', 'gemini-3.8-flash', 'claude-sonnet-5'],
]
const moved = MOVES.map((names): Trial => {
  return { name: `moved: ${names.join(', ')}`, upstreams: names.map(upstream), turns: [1, 2, 2] }
})

const broken = (name: string, fault: FakeFault, names: readonly string[]): Trial => ({
  name: `${name}: ${names.join(', ')}`,
  upstreams: names.map(upstream),
  turns: ONCE,
  fault,
})

export const TRIALS: readonly Trial[] = [
  ...alone,
  ...moved,
  broken('key revoked in the loop', { do: 'auth_invalid', from: 2 }, ['claude-opus-5-5', 'gemini-3.8-flash']),
  broken('limit met in the loop', { do: 'rate_minute', from: 2 }, ['gemini-3.8-flash', 'gpt-6-sol (Responses)']),
  broken('upstream dead in the loop', { do: 'reset', from: 2 }, ['gpt-6-sol (Responses)', 'claude-haiku-4-5']),
]

/** An agent asks for a model of its own vendor by its name; for all others it asks as it does by itself. */
export function modelFor(agent: Agent, { upstreams }: Trial): string {
  const [first] = upstreams
  return first !== undefined && upstreams.length === 1 && dialectOf(first) === agent.dialect
    ? first.model
    : agent.usualModel
}
