/** An outage: no target that could serve a model or alias answers. */

import type { FailureKind } from '../domain/failure.ts'
import type { Ability } from '../domain/target.ts'

export interface Outage {
  readonly key: string
  /** `auto` for everything, else the requested model or alias. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly since: number
  /** What was asked for in the place of a chat; null for chat. */
  readonly ability: Ability | null
  /** How each target failed last, by its id; empty for an outage that another process or an earlier run saw begin. */
  readonly kinds: Map<string, FailureKind>
  /** Epoch milliseconds at which a failed request was looked at last. */
  lookedAt: number
}
