/** What an agent has to do, and with whom: the turns of a conversation and what becomes of the services meanwhile. */

import type { FakeFault } from '../../src/lab/fake/scenario.ts'
import type { Agent } from './agents.ts'
import { dialectOf, nameOf, UPSTREAMS, type Upstream, upstream } from './upstreams.ts'

export interface Trial {
  readonly name: string
  /** In the order in which they are asked. */
  readonly upstreams: readonly Upstream[]
  /**
   * How many of its steps are taken by the end of each turn: read, edit; in several turns read, read again (some agents
   * demand it in a session that was taken up again), edit.
   */
  readonly turns: readonly number[]
  /** What happens to the first upstream in the middle of a turn. */
  readonly fault?: FakeFault
  /** Each turn has a gateway over one of the services. */
  readonly isMoved?: boolean
  /** The agent asks for its usual model, whatever its name. */
  readonly isAliased?: boolean
  /** How many long files it reads before the note. */
  readonly lists?: number
  /** Tokens that every upstream takes at most. */
  readonly window?: number
}

/** The whole loop in one turn. */
const ONCE = [2]

/** One of each language, in a conversation that is put down and taken up again. */
const RESUMED = ['gpt-5.1', 'gpt-6-sol (Responses)', 'claude-opus-5-5', 'gemini-3.8-flash']
const resumed = RESUMED.map((name): Trial => {
  return { name: `resumed: ${name}`, upstreams: [upstream(name)], turns: [1, 3, 3] }
})

/** An alias in the place of the model that the agent asks for: a service of the agent's language, another generation. */
const ALIASED = ['gpt-5.1 (Responses)', 'claude-haiku-4-5', 'claude-opus-5-5', 'gemini-3.8-flash']
const aliased = ALIASED.map((name): Trial => {
  return { name: `alias: ${name}`, upstreams: [upstream(name)], turns: ONCE, isAliased: true }
})

const alone = UPSTREAMS.map((one): Trial => ({ name: nameOf(one), upstreams: [one], turns: ONCE }))

/** Another service in each turn: every language goes before and after others. */
const MOVES = [
  ['gpt-6-sol (Responses)', 'claude-opus-5-5', 'gemini-3.8-flash'],
  ['gemini-3.8-flash', 'openai/gpt-oss-120b', 'claude-haiku-4-5'],
  ['claude-sonnet-5', 'gemini-2.5-pro', 'gpt-5.1 (Responses)'],
  ['claude-haiku-4-5', 'gpt-6-sol (Responses)', 'mistral-large-2512'],
  ['gpt-5.1', 'gemini-3.8-flash', 'claude-sonnet-5'],
]
const moved = MOVES.map((names): Trial => {
  return { name: `moved: ${names.join(', ')}`, upstreams: names.map(upstream), turns: [1, 3, 3], isMoved: true }
})

const broken = (name: string, fault: FakeFault, names: readonly string[]): Trial => ({
  name: `${name}: ${names.join(', ')}`,
  upstreams: names.map(upstream),
  turns: ONCE,
  fault,
})

/** Long lists in every turn, and then the task: more than the window holds, unless the agent shortens what was said. */
const SMALL_WINDOW_TOKENS = 32_768
const LISTS = 40
const LISTS_A_TURN = 5
const listTurns = Array.from({ length: LISTS / LISTS_A_TURN }, (_, index) => (index + 1) * LISTS_A_TURN)
const small = ['claude-haiku-4-5', 'gpt-5.1 (Responses)', 'gemini-3.8-flash', 'openai/gpt-oss-120b'].map(
  (name): Trial => ({
    name: `window of 32k: ${name}`,
    upstreams: [upstream(name)],
    turns: [...listTurns, ...[1, 3, 3].map((taken) => LISTS + taken)],
    lists: LISTS,
    window: SMALL_WINDOW_TOKENS,
  }),
)

const EVERYBODY: readonly Trial[] = [
  ...alone,
  ...resumed,
  ...moved,
  ...small,
  broken('key revoked in the loop', { do: 'auth_invalid', from: 2 }, ['claude-opus-5-5', 'gemini-3.8-flash']),
  broken('limit met in the loop', { do: 'rate_minute', from: 2 }, ['gemini-3.8-flash', 'gpt-6-sol (Responses)']),
  broken('upstream dead in the loop', { do: 'reset', from: 2 }, ['gpt-6-sol (Responses)', 'claude-haiku-4-5']),
]

export function trialsOf(agent: Agent): readonly Trial[] {
  const own = aliased.filter(({ upstreams: [one] }) => one !== undefined && dialectOf(one) === agent.dialect)
  return [...EVERYBODY, ...own]
}

/** An agent asks for a model of its own vendor by its name, where there is one, and else as it does by itself. */
export function modelFor(agent: Agent, { upstreams, isAliased = false }: Trial): string {
  const own = upstreams.find((one) => dialectOf(one) === agent.dialect)
  return own === undefined || isAliased ? agent.usualModel : own.model
}
