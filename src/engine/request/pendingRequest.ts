/** One request on its way through the engine: what was asked, by whom, and how long it may take. */

import type { Dialect } from '../../dialects/dialect.ts'
import type { ChatRequest, DialectId } from '../../domain/chat.ts'
import type { Failure } from '../../domain/failure.ts'
import type { WorstCase } from '../../money/cost.ts'
import type { QuotaNeed } from '../../quota/limits/quotaNeed.ts'
import type { Needs } from '../../routing/eligible.ts'
import type { Call } from '../../upstream/call.ts'
import type { Enrolment } from '../experiments/experiments.ts'
import type { Selection } from './modelNames.ts'
import type { Session } from './session.ts'
import type { WireBody } from './wireBody.ts'

export interface PendingRequest {
  /** `kw_…`; the draws of the decision follow from it. */
  readonly id: string
  /** Of a long body only a outline, whose long texts are cut; see `whole`. */
  readonly request: ChatRequest
  /** The request with all its texts, for whoever has to write it anew. */
  readonly whole: () => ChatRequest
  readonly selection: Selection
  readonly needs: Needs
  /** More tokens than the prompt can have; what budgets put aside. */
  readonly mostInputTokens: number
  /** How many answers the client's own dialect asks for at once (`n`); budgets put that much aside. */
  readonly answers: number
  readonly session: Session
  /** Epoch milliseconds; who came first is served first. */
  readonly arrivedAt: number
  /** Monotonic milliseconds at which the caller's time for the first content is over. */
  readonly deadlineAt: number
  /** Attempts that cost time or quota. */
  readonly maxAttempts: number
  /** The user set `maxAttempts`: it bounds every upstream call, also those refused at once. */
  readonly hardCap: boolean
  readonly task: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Name of the gateway token; null for the library. */
  readonly token: string | null
  /** Whether another provider may be asked after one refused the content. */
  readonly retryFiltered: boolean
  /** The client's own bytes, for upstreams that speak its dialect. */
  readonly wire: ClientWire | null
  /** What is spoken instead of the target's own dialect (embeddings); null for chat. */
  readonly dialectFor: ((target: DialectId) => Dialect | null) | null
  readonly cancellation: Cancellation
  /** What the request needs of each target, by `stateId`: computed once for choosing and reserving alike. */
  readonly holdNeeds: Map<string, HoldNeed>
  /** Its part in an experiment; null when it has none. */
  readonly enrolment: Enrolment | null
}

/** The most that a call of one target may take of limits and budgets. */
export interface HoldNeed {
  readonly quota: QuotaNeed
  readonly worstCase: WorstCase
}

export interface ClientWire {
  readonly dialect: DialectId
  /** Null when the request was changed: it has to be written anew. */
  readonly body: WireBody | null
  /** Name, value, name, value …: headers that only an upstream of the same dialect understands. */
  readonly headers: readonly string[]
}

/** Lets the caller's side end whatever is going on for a request: the running call, a wait, what would come next. */
export class Cancellation {
  #cancelled = false
  #call: Call | null = null
  #controller: AbortController | null = null

  get cancelled(): boolean {
    return this.#cancelled
  }

  /** For waits; aborted when the caller leaves. Made when first asked for: most requests never wait. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#cancelled) this.#controller.abort()
    return this.#controller.signal
  }

  running(call: Call | null): void {
    this.#call = call
    if (this.#cancelled) call?.abort()
  }

  /** `failure`: what the running call ends with; by default the caller has left. */
  cancel(failure?: Failure): void {
    if (this.#cancelled) return
    this.#cancelled = true
    this.#controller?.abort()
    this.#call?.abort(failure)
  }
}
