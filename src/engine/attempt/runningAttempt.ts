/** One target being tried for a request: the call, and the hold on quota and budget. */

import type { Target } from '../../domain/target.ts'
import type { Price } from '../../money/price.ts'
import type { Call } from '../../upstream/call.ts'
import type { Credential } from '../targets/targetRegistry.ts'
import type { GrantedHold } from './reservation.ts'

export interface RunningAttempt {
  /** Of its row in the ledger. */
  readonly id: string
  readonly target: Target
  readonly credential: Credential
  readonly call: Call
  /** Names of what the target could not be told, as the client spells them. */
  readonly leftOut: readonly string[]
  readonly hold: GrantedHold
  /** The price when the call began; null when unknown. */
  readonly price: Price | null
  /** 1-based position in the cascade. */
  readonly number: number
  /** Epoch milliseconds. */
  readonly startedAt: number
  /** It asks a target that is known to fail, to find out whether it still does. */
  readonly expected?: boolean
  /** Why it was asked, where the decision of the request does not say it. */
  readonly why?: string | undefined
}
