/** What may be read of an engine: enough to show it, too little to call, record or change anything. */

import type { Engine } from './engine.ts'
import type { LearnedState } from './memory/learnedState.ts'

/** For views, alert texts, pages and the errors of a cascade. */
export interface EngineReader
  extends Pick<
    Engine,
    'now' | 'registry' | 'eligibility' | 'rank' | 'favourite' | 'soonest' | 'offline' | 'tools' | 'experiments'
  > {
  readonly store: Pick<
    Engine['store'],
    | 'engine'
    | 'durability'
    | 'health'
    | 'waiting'
    | 'interrupted'
    | 'attempts'
    | 'sums'
    | 'usages'
    | 'read'
    | 'getDoc'
    | 'listDocs'
    | 'flushNow'
  >
  readonly learned: Pick<
    LearnedState,
    'parks' | 'quota' | 'budgets' | 'freeCounts' | 'router' | 'observed' | 'tally' | 'ratings'
  >
  readonly decisions: Pick<Engine['decisions'], 'find'>
  readonly monitor: { readonly alerts: Pick<Engine['monitor']['alerts'], 'health'> }
  readonly checks: Pick<Engine['checks'], 'last'>
  readonly credits: Pick<Engine['credits'], 'questions' | 'last'>
  readonly lists: Pick<Engine['lists'], 'of' | 'trouble'>
  readonly missingAbilities: Pick<Engine['missingAbilities'], 'missing'>
  readonly windows: Pick<Engine['windows'], 'windowOf' | 'outputOf'>
}

/** What a request is prepared from. */
export interface RequestFacts extends Pick<Engine, 'now' | 'registry' | 'tools' | 'experiments'> {
  readonly learned: Pick<LearnedState, 'budgets'>
}
